//! `launchpath rehearse`: an image run here under the service's contract.
//!
//! What holds and what breaks is decided in `launchpath-rehearse`. Here: what the words of the command line mean
//! (`settings`, `environment`, `network`), where the image comes from (`image`, `code`) and lies meanwhile (`scratch`), what runs
//! it (`backend`), and how the record is shown (`report`) and kept (`super::keep`). Start with [`run`].

mod backend;
mod code;
mod environment;
mod image;
mod interrupt;
mod network;
mod progress;
mod report;
mod scratch;
mod settings;

use std::collections::BTreeMap;

use anyhow::Context;
use launchpath_rehearse::contract::judge::Verdict;
use launchpath_rehearse::contract::terms::{Artifact, Speed, Terms};
use launchpath_rehearse::contract::{Keep, Mask, hold};
use launchpath_rehearse::record::{self, NotChecked, Record, Setting};
use launchpath_rehearse::sandbox::{Credentials, Limits};
use serde_json::{Value, json};

use self::code::Code;
use self::image::Ready;
use self::interrupt::Interrupt;
use self::network::Network;
use self::progress::Live;
use self::scratch::Scratch;
use crate::cli::{AnswerFormat, Global, RehearseArguments};
use crate::commands::image::{Source, settings as aws_settings};
use crate::commands::keep;
use crate::failure::Failure;
use crate::{output, query};

/// Runs the command and returns the exit code of the verdict.
pub(crate) fn run(global: &Global, arguments: &RehearseArguments) -> Result<u8, Failure> {
    let bundle = arguments.bundle.as_deref().map(keep::open).transpose()?;
    let (request, record) = held(arguments)?;
    let response = serde_json::to_value(&record).context("the record").map_err(Failure::environment)?;
    let options = output::options(global, arguments.output.is_some(), arguments.detail);
    let json = || format!("{response:#}\n");
    let text = query::shown(global.query.as_ref(), json, || match arguments.format {
        AnswerFormat::Json => json(),
        AnswerFormat::Text => report::text(&record, arguments.detail, &options),
    })?;
    if let (Some(bundle), Some(path)) = (bundle, &arguments.bundle) {
        keep::save(bundle, path, "Rehearse", request, response)?;
    }
    output::deliver(&text, arguments.output.as_deref())?;
    Ok(match record.verdict() {
        Verdict::Passed => 0,
        Verdict::Broken { .. } => 1,
        Verdict::Undecided { .. } => 3,
    })
}

/// Brings the image and rehearses it; the request and the record.
fn held(arguments: &RehearseArguments) -> Result<(Value, Record), Failure> {
    // Everything that can be wrong with the command line is found before anything is brought or run.
    let source = Source::from(&arguments.image);
    let variables = environment::read(&arguments.env, &arguments.env_file)?;
    let (network, configured) = Network::read(&arguments.network)?;
    let terms = settings::terms(arguments, &configured)?;
    let credentials = if arguments.with_credentials { Some(own_credentials(&source)?) } else { None };
    let mask = mask(&variables, credentials.as_ref());

    let interrupt = Interrupt::listen()?;
    let scratch = Scratch::make()?;
    let mut live = Live::new(&terms);
    live.say(&format!("bringing {}", arguments.image.image));
    let code = Code {
        base: arguments.base.clone(),
        entry_point: match arguments.entry_point.as_slice() {
            [] => configured.entry_point.clone(),
            given => given.to_vec(),
        },
        runtime: arguments.runtime.clone().or_else(|| configured.runtime.clone()),
    };
    let brought = image::bring(source, code, scratch.path(), &interrupt);
    live.clear();
    let rehearsed = brought.and_then(|ready| {
        rehearse(arguments, terms, &ready, &network, &variables, credentials, &mask, &interrupt, &mut live)
    });
    live.clear();
    scratch.remove();
    let rehearsed = rehearsed?;
    if interrupt.is_set() {
        return Err(Failure::interrupted());
    }
    Ok(rehearsed)
}

/// Request and answer of the call that rehearses, for a bundle.
pub(crate) fn call(arguments: &RehearseArguments) -> Result<(Value, Value), Failure> {
    let (request, record) = held(arguments)?;
    let response = serde_json::to_value(&record).context("the record").map_err(Failure::environment)?;
    Ok((request, response))
}

/// Starts the process, holds it to the terms, stops it; the request and the record.
#[expect(clippy::too_many_arguments, reason = "what was read from the command line, each part on its own")]
fn rehearse(
    arguments: &RehearseArguments,
    mut terms: Terms,
    ready: &Ready,
    network: &Network,
    variables: &BTreeMap<String, String>,
    credentials: Option<Credentials>,
    mask: &Mask,
    interrupt: &Interrupt,
    live: &mut Live,
) -> Result<(Value, Record), Failure> {
    let environment = variables.iter().map(|(name, value)| format!("{name}={value}")).collect();
    let (plan, speed) =
        backend::plan(ready, &arguments.command, environment, network, credentials, arguments.backend)?;
    terms.speed = speed;
    if ready.is_code && terms.artifact != Artifact::CodeZip {
        terms.artifact = Artifact::CodeZip;
        if arguments.timeout.is_none() {
            terms.patience = terms.limit() * 2;
        }
    }
    if speed == Speed::Emulated && arguments.timeout.is_none() {
        terms.patience = settings::emulated_patience(&terms);
    }
    let keep = if arguments.keep_output { Keep::Much } else { Keep::Tail };
    let (mut process, backend) = backend::run(&plan, ready, &terms, arguments.backend)?;
    let seen =
        hold(process.as_mut(), &terms, mask, keep, interrupt.flag(), &mut |progress| live.show(&progress));
    process.stop();
    terms.network = network.terms(seen.attempts.as_deref());
    let setting = Setting {
        image: arguments.image.image.clone(),
        digest: ready.digest.clone(),
        config_digest: ready.config_digest.clone(),
        platform: ready.platform.clone(),
        backend,
        environment_names: variables.keys().cloned().collect(),
        network: network.word.to_owned(),
        with_credentials: arguments.with_credentials,
        distributions: BTreeMap::new(),
        limits: limits(&plan.limits),
    };
    let request = record::request(&setting, &terms);
    let mut record = Record::of(setting, &terms, &seen);
    record.stand_ins = network.stand_ins();
    record.base.clone_from(&ready.base);
    record.not_checked.extend(ready.not_checked.iter().cloned());
    if let Some(platform) = ready.platform.as_ref().filter(|platform| platform.architecture != "arm64") {
        record.not_checked.push(NotChecked {
            clause: "platform".to_owned(),
            why: format!(
                "the {} is for {}: microVMs of AgentCore Runtime take linux/arm64 only, and this run says nothing about that",
                if ready.is_code { "base" } else { "image" },
                platform.architecture
            ),
        });
    }
    Ok((request, record))
}

fn limits(limits: &Limits) -> Value {
    json!({
        "processors": limits.processors,
        "memory_bytes": limits.memory,
        "processes": limits.processes,
        "disk_bytes": limits.disk,
        "files": limits.files,
    })
}

/// What must not be shown wherever the process prints it.
fn mask(variables: &BTreeMap<String, String>, credentials: Option<&Credentials>) -> Mask {
    let given = variables.iter().map(|(name, value)| (name.as_str(), value.as_str()));
    let secret = credentials.iter().flat_map(|credentials| {
        [
            ("the access key", credentials.access_key_id.as_str()),
            ("the secret key", credentials.secret_access_key.as_str()),
            ("the session token", credentials.session_token.as_str()),
        ]
    });
    Mask::of(given.chain(secret))
}

/// The user's own credentials, when they expire.
fn own_credentials(source: &Source) -> Result<Credentials, Failure> {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .context("the asynchronous runtime")
        .map_err(Failure::environment)?;
    let found = runtime.block_on(launchpath_aws::short_lived(&aws_settings(source)))?;
    Ok(Credentials {
        role: "execution_role".to_owned(),
        access_key_id: found.access_key_id,
        secret_access_key: found.secret_access_key,
        session_token: found.session_token,
        expiration: found.expiration,
    })
}

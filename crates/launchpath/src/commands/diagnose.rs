//! `launchpath diagnose`: live or from a bundle, one way from there on.

use std::path::Path;

use anyhow::Context;
use launchpath_intake::{Bundle, open_bytes};
use launchpath_model::evidence::Evidence;
use launchpath_model::world::{DEFAULT_ENDPOINT, Statement, Subject};
use launchpath_model::{EvidenceId, Outcome, World};
use launchpath_report::{Format, render};
use serde_json::{Value, json};

use super::{certificate, experiment, fleet, live, logs, redact};
use crate::cli::{DiagnoseArguments, Form, Global};
use crate::failure::Failure;
use crate::{disk, output, query};

/// Runs the command and returns the exit code of the diagnosis.
pub(crate) fn run(global: &Global, arguments: &DiagnoseArguments) -> Result<u8, Failure> {
    if let Some(bundle) = arguments.bundle.as_deref().filter(|_| arguments.all) {
        return fleet::run(global, arguments, bundle);
    }
    if arguments.format == Form::Certificate {
        certificate::can_be_made(arguments)?;
    }
    let (world, collected) = match &arguments.bundle {
        Some(path) if arguments.redaction.redact => {
            hidden(path, arguments).map(|(world, bundle)| (world, Some(bundle)))?
        }
        Some(path) if arguments.image.is_some() || !arguments.logs.is_empty() => {
            let bundle = at_hand(asked(disk::whole_bundle(path)?, arguments), arguments)?;
            let world = open_bytes("bundle.json", bundle.to_json().as_bytes())?;
            (saved(world, arguments)?, Some(bundle.to_value()))
        }
        Some(path) => (saved(disk::open(path)?, arguments)?, None),
        None => live(arguments).map(|(world, bundle)| (world, Some(bundle)))?,
    };
    if arguments.subject.endpoint != DEFAULT_ENDPOINT && !arguments.redaction.redact {
        has_endpoint(&world)?;
    }
    let refused = arguments.bundle.is_none() && is_all_refused(&world);
    let diagnosis = launchpath_diagnose::diagnose(&world);
    let options = output::options(global, arguments.output.is_some(), arguments.detail);
    let json = || render(&diagnosis, Format::Json, &options);
    let text = match arguments.format {
        Form::Certificate => {
            let certificate = certificate::of(&world, &diagnosis, collected.as_ref(), arguments)?;
            query::shown(global.query.as_ref(), || certificate.clone(), || certificate.clone())?
        }
        Form::Report(format) => {
            if !matches!(format, Format::Text | Format::Json) {
                query::refuse(global.query.as_ref(), &format!("--format {format}"))?;
            }
            query::shown(global.query.as_ref(), json, || render(&diagnosis, format, &options))?
        }
    };
    output::deliver(&text, arguments.output.as_deref())?;
    if let Some(path) = &arguments.apply_fixes_to {
        let bundle = match (collected, &arguments.bundle) {
            (None, Some(saved)) => disk::whole_bundle(saved)?.to_value(),
            (collected, _) => collected.unwrap_or_default(),
        };
        apply_fixes(&world, bundle, path)?;
    }
    if refused {
        return Err(Failure::refused());
    }
    Ok(diagnosis.exit_code())
}

/// Writes the bundle as it would be after the safest plan.
fn apply_fixes(world: &World, mut bundle: Value, path: &Path) -> Result<(), Failure> {
    let repairs = launchpath_diagnose::apply_to_bundle(world, &mut bundle);
    if repairs.is_empty() {
        output::remark(&format!("{}: not written, no repair is known for what was found", path.display()));
        return Ok(());
    }
    bundle["collector"] = json!(format!(
        "launchpath {}: repaired in memory, nothing in AWS was changed",
        env!("CARGO_PKG_VERSION")
    ));
    bundle["repairs"] = json!(repairs);
    super::collect::save(path, format!("{bundle:#}\n").as_bytes())
}

/// The bundle with what is at hand beside it: an image, log files.
fn at_hand(mut bundle: Bundle, arguments: &DiagnoseArguments) -> Result<Bundle, Failure> {
    if !arguments.logs.is_empty() {
        logs::add(&mut bundle, &arguments.logs)?;
    }
    match &arguments.image {
        Some(image) => experiment::add(bundle, image, &arguments.aws),
        None => Ok(bundle),
    }
}

/// The world, and the bundle it was read from.
fn live(arguments: &DiagnoseArguments) -> Result<(World, Value), Failure> {
    let runtime = arguments.runtime.as_deref().unwrap_or_default();
    let bundle = live::collect(&arguments.aws, live::request(runtime, &arguments.subject))?;
    let bundle = at_hand(Bundle::from_value("bundle.json", bundle)?, arguments)?.to_value();
    let bundle = redact::as_wanted(bundle, &arguments.redaction)?;
    let mut bytes = serde_json::to_vec_pretty(&bundle).context("the bundle").map_err(Failure::environment)?;
    bytes.push(b'\n');
    if let Some(path) = &arguments.save_bundle {
        super::collect::save(path, &bytes)?;
    }
    // The same way as for a saved bundle, so that a live run can be replayed byte for byte.
    Ok((open_bytes("bundle.json", &bytes)?, bundle))
}

/// A saved bundle with what the command line adds, redacted as a whole: the words of the command line hold names too.
fn hidden(path: &Path, arguments: &DiagnoseArguments) -> Result<(World, Value), Failure> {
    let mut bundle = at_hand(asked(disk::whole_bundle(path)?, arguments), arguments)?.to_value();
    if let Some(against) = &arguments.subject.against {
        is_there(&disk::open(path)?, against)?;
    }
    if arguments.subject.endpoint != DEFAULT_ENDPOINT {
        has_endpoint(&saved(disk::open(path)?, arguments)?)?;
    }
    if let (Some(text), Some(calls)) = (&arguments.subject.saw, bundle["calls"].as_array_mut()) {
        calls.push(json!({
            "id": "saw", "service": "launchpath", "operation": "Statement", "request": { "saw": text, "by": "user" }, "outcome": "ok",
            "response": { "text": text },
        }));
    }
    let bundle = redact::as_wanted(bundle, &arguments.redaction)?;
    Ok((open_bytes("bundle.json", bundle.to_string().as_bytes())?, bundle))
}

/// A saved bundle about what the command line names: what is at hand belongs to that runtime.
fn asked(mut bundle: Bundle, arguments: &DiagnoseArguments) -> Bundle {
    ask(&mut bundle.subject, arguments);
    bundle
}

/// The question of the command line; what it leaves open stays as it was recorded.
fn ask(subject: &mut Subject, arguments: &DiagnoseArguments) {
    if let Some(runtime) = &arguments.runtime {
        subject.runtime = Some(runtime.clone());
    }
    if arguments.subject.endpoint != DEFAULT_ENDPOINT {
        subject.endpoint = Some(arguments.subject.endpoint.clone());
    }
    if let Some(against) = &arguments.subject.against {
        subject.against = Some(against.clone());
    }
}

/// What the command line adds to a saved bundle.
fn saved(mut world: World, arguments: &DiagnoseArguments) -> Result<World, Failure> {
    if let Some(against) = &arguments.subject.against {
        is_there(&world, against)?;
    }
    ask(&mut world.subject, arguments);
    if let Some(text) = &arguments.subject.saw {
        add_statement(&mut world, text);
    }
    Ok(world)
}

/// A runtime to compare with that the bundle does not describe would be left out without a word.
fn is_there(world: &World, wanted: &str) -> Result<(), Failure> {
    let described = world.runtimes.iter().any(|(id, row)| {
        id.as_str() == wanted
            || row.value.agent_runtime_name.as_deref() == Some(wanted)
            || row.value.agent_runtime_arn.as_deref() == Some(wanted)
    });
    if described {
        return Ok(());
    }
    let ids: Vec<&str> = world.runtimes.iter().map(|(id, _)| id.as_str()).collect();
    let held = if ids.is_empty() { "none".to_owned() } else { ids.join(", ") };
    let error =
        anyhow::anyhow!("--against {wanted}: the bundle describes no such runtime; it describes: {held}");
    Err(Failure::usage(error).advise("collect again with --against, or name one of these"))
}

/// A diagnosis of an endpoint that does not exist would speak of nothing.
pub(super) fn has_endpoint(world: &World) -> Result<(), Failure> {
    let Some(absent) = launchpath_diagnose::absent_endpoint(world) else { return Ok(()) };
    let there = if absent.there.is_empty() { "none".to_owned() } else { absent.there.join(", ") };
    let error = anyhow::anyhow!(
        "endpoint {}: {} has no such endpoint; it has: {there}{}",
        absent.wanted,
        absent.runtime,
        super::page::calls(&absent.evidence)
    );
    Err(Failure::usage(error).advise("name one of these"))
}

fn add_statement(world: &mut World, text: &str) {
    let id = EvidenceId::from("saw");
    let call = Evidence {
        id: id.clone(),
        service: "launchpath".to_owned(),
        operation: "Statement".to_owned(),
        region: world.region.clone(),
        account: world.account.clone(),
        request: Some(json!({ "saw": text })),
        at: world.collected_at,
        outcome: Outcome::Ok,
        error: None,
        complete: true,
        file: None,
    };
    std::sync::Arc::make_mut(&mut world.evidence).insert(id.clone(), call.into());
    world.statements.push(Statement {
        evidence: id,
        by: Some("user".to_owned()),
        text: text.to_owned(),
        is_error_seen: true,
    });
}

/// Whether nothing but the caller's identity was answered and at least one call was refused.
fn is_all_refused(world: &World) -> bool {
    let about_runtime =
        || world.evidence.values().filter(|call| !matches!(call.service.as_str(), "sts" | "launchpath"));
    about_runtime().any(|call| call.outcome == Outcome::Denied)
        && !about_runtime().any(|call| matches!(call.outcome, Outcome::Ok | Outcome::NotFound))
}

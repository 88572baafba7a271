//! `diagnose --image`: the image at hand is inspected and rehearsed, and both records join the evidence.

use std::io::{self, Write as _};

use anyhow::Context;
use clap::Parser;
use launchpath_intake::{Bundle, open_bytes};
use launchpath_model::aws::agentcore::NetworkMode;
use tempfile::NamedTempFile;

use super::{inspect, keep, rehearse};
use crate::cli::{AwsArguments, Cli, Command};
use crate::failure::Failure;
use crate::output;

/// Adds an inspection and a rehearsal of `image` to a bundle, under the protocol and the entry point of the bundle's runtime and, when
/// that is in a VPC, in a network that lets through what the VPC does. Where no sandbox can be made, the inspection has to do, and
/// that is said.
pub(crate) fn add(mut bundle: Bundle, image: &str, aws: &AwsArguments) -> Result<Bundle, Failure> {
    let world = open_bytes("bundle.json", bundle.to_json().as_bytes())?;
    let runtime = world.subject_id().and_then(|id| world.runtimes.seen(&id).map(|row| row.value.clone()));
    let protocol =
        runtime.as_ref().map_or_else(|| "HTTP".to_owned(), |runtime| runtime.protocol().to_string());
    let entry_point =
        runtime.as_ref().and_then(|runtime| runtime.code()?.entry_point.clone()).unwrap_or_default();
    let words = |command: &str| {
        let mut words = ["launchpath", command, image, "--protocol", &protocol].map(str::to_owned).to_vec();
        let asked = [("profile", &aws.profile), ("region", &aws.region), ("endpoint-url", &aws.endpoint_url)];
        words.extend(asked.iter().filter_map(|(name, value)| Some(format!("--{name}={}", value.as_ref()?))));
        words.extend(entry_point.iter().map(|part| format!("--entry-point={part}")));
        words
    };
    if let Command::Inspect(arguments) = read(&words("inspect"))? {
        let (request, response) = inspect::call(&arguments)?;
        keep::add(&mut bundle, "InspectImage", request, response);
    }
    let in_vpc = runtime.as_ref().is_some_and(|runtime| {
        runtime.network_mode() != Some(&NetworkMode::Public)
            && runtime.vpc_config().is_some_and(|vpc| !vpc.subnets.is_empty())
    });
    let saved = in_vpc.then(|| saved(&bundle)).transpose();
    let saved = saved.context("the bundle").map_err(Failure::environment)?;
    let mut line = words("rehearse");
    if let Some(saved) = &saved {
        line.extend(["--network".to_owned(), format!("bundle:{}", saved.path().display())]);
    }
    if let Command::Rehearse(arguments) = read(&line)? {
        match rehearse::call(&arguments) {
            Ok((request, response)) => keep::add(&mut bundle, "Rehearse", request, response),
            Err(failure) if failure.is_of_the_environment() => {
                output::remark(&format!("the image was inspected and not rehearsed: {failure}"));
            }
            Err(failure) => return Err(failure),
        }
    }
    Ok(bundle)
}

/// The bundle as a file, as long as the rehearsal needs it: its network is read from one.
fn saved(bundle: &Bundle) -> io::Result<NamedTempFile> {
    let mut file = tempfile::Builder::new().prefix("launchpath-").suffix(".json").tempfile()?;
    file.write_all(bundle.to_json().as_bytes())?;
    Ok(file)
}

/// The commands' own words, so that they mean here what they mean there.
fn read(words: &[String]) -> Result<Command, Failure> {
    Cli::try_parse_from(words)
        .map(|cli| cli.command)
        .map_err(|error| Failure::usage(anyhow::anyhow!("{error}")))
}

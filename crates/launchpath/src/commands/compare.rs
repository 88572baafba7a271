//! `launchpath compare A B`: what differs between two launches, and which difference can explain how the first one ends.

use std::path::Path;

use launchpath_intake::open_bytes;
use launchpath_model::World;
use launchpath_model::world::DEFAULT_ENDPOINT;
use launchpath_report::{contrast_json, contrast_text};

use super::live;
use crate::cli::{AnswerFormat, CompareArguments, Global, SubjectArguments};
use crate::failure::Failure;
use crate::{disk, output, query};

/// Runs the command: 0 when nothing seen on both sides can explain the outcome of the first, 1 when something can, 3 when
/// the outcome of the first shows no break to explain.
pub(crate) fn run(global: &Global, arguments: &CompareArguments) -> Result<u8, Failure> {
    let (here, there) = worlds(arguments)?;
    let contrast = launchpath_diagnose::compare(&here, &there);
    let options = output::options(global, arguments.output.is_some(), arguments.detail);
    let text = query::shown(
        global.query.as_ref(),
        || contrast_json(&contrast),
        || match arguments.format {
            AnswerFormat::Json => contrast_json(&contrast),
            AnswerFormat::Text => contrast_text(&contrast, &options),
        },
    )?;
    output::deliver(&text, arguments.output.as_deref())?;
    let explained = contrast.comparison.differences.iter().any(|difference| difference.explains.is_some());
    let judged =
        contrast.comparison.differences.iter().all(|d| d.explains.is_some() || d.explains_not.is_some());
    Ok(match (explained, judged) {
        (true, _) => 1,
        (false, true) => 0,
        (false, false) => 3,
    })
}

fn worlds(arguments: &CompareArguments) -> Result<(World, World), Failure> {
    let (a, b) = (arguments.here.as_str(), arguments.there.as_str());
    if let Some(path) = &arguments.bundle {
        let world = disk::open(path)?;
        return Ok((subject(world.clone(), a)?, subject(world, b)?));
    }
    match (Path::new(a).exists(), Path::new(b).exists()) {
        (true, true) => Ok((disk::open(Path::new(a))?, disk::open(Path::new(b))?)),
        (true, false) | (false, true) => {
            let missing = if Path::new(a).exists() { b } else { a };
            let error = anyhow::anyhow!("{missing}: no such file, and the other side is a saved bundle");
            Err(Failure::usage(error)
                .advise("name two bundles, or two runtimes with --bundle, or two runtimes"))
        }
        (false, false) => {
            let (one, other) = (Launch::read(a), Launch::read(b));
            let subject_of = SubjectArguments {
                endpoint: one.endpoint.unwrap_or(DEFAULT_ENDPOINT).to_owned(),
                against: (one.runtime != other.runtime).then(|| other.runtime.to_owned()),
                invoke: None,
                saw: None,
            };
            let bundle = live::collect(&arguments.aws, live::request(one.runtime, &subject_of))?;
            let world = open_bytes("bundle.json", bundle.to_string().as_bytes())?;
            Ok((subject(world.clone(), a)?, subject(world, b)?))
        }
    }
}

/// A launch as written on the command line: `RUNTIME[@VERSION][/ENDPOINT]`.
struct Launch<'a> {
    runtime: &'a str,
    version: Option<&'a str>,
    endpoint: Option<&'a str>,
}

impl<'a> Launch<'a> {
    fn read(text: &'a str) -> Self {
        // An ARN has slashes of its own: the endpoint follows the runtime's id.
        let start = text.find(":runtime/").map_or(0, |at| at + ":runtime/".len());
        let end = text[start..].find('/').map_or(text.len(), |at| start + at);
        let endpoint = text.get(end + 1..).map(|rest| rest.trim_start_matches("runtime-endpoint/"));
        let (runtime, version) = match text[..end].rsplit_once('@') {
            Some((runtime, version)) => (runtime, Some(version)),
            None => (&text[..end], None),
        };
        Self { runtime, version, endpoint: endpoint.filter(|name| !name.is_empty()) }
    }
}

/// The world with this launch as its subject.
fn subject(mut world: World, launch: &str) -> Result<World, Failure> {
    let launch = Launch::read(launch);
    world.subject.runtime = Some(launch.runtime.to_owned());
    world.subject.endpoint = Some(launch.endpoint.unwrap_or(DEFAULT_ENDPOINT).to_owned());
    world.subject.against = None;
    let described = world.subject_id().is_some_and(|id| world.runtimes.seen(&id).is_some());
    if !described {
        let ids: Vec<&str> = world.runtimes.iter().map(|(id, _)| id.as_str()).collect();
        let held = if ids.is_empty() { "none".to_owned() } else { ids.join(", ") };
        let error = anyhow::anyhow!(
            "{}: the evidence describes no such runtime; it describes: {held}",
            launch.runtime
        );
        return Err(Failure::usage(error).advise("name one of these, or collect again with --against"));
    }
    super::diagnose::has_endpoint(&world)?;
    let Some(version) = launch.version else { return Ok(world) };
    launchpath_diagnose::at_version(&world, version).ok_or_else(|| {
        let error = anyhow::anyhow!("{} version {version}: the evidence does not describe it", launch.runtime);
        Failure::usage(error).advise(format!(
            "add the answer of: aws bedrock-agentcore-control get-agent-runtime --agent-runtime-id {} --agent-runtime-version {version}",
            launch.runtime
        ))
    })
}

#[cfg(test)]
mod tests {
    use super::Launch;

    #[test]
    fn a_launch_is_a_runtime_with_a_version_or_an_endpoint() {
        let read = |text| {
            let launch = Launch::read(text);
            (launch.runtime.to_owned(), launch.version.map(str::to_owned), launch.endpoint.map(str::to_owned))
        };
        assert_eq!(read("agent-a1"), ("agent-a1".into(), None, None));
        assert_eq!(read("agent-a1@2"), ("agent-a1".into(), Some("2".into()), None));
        assert_eq!(read("agent-a1@2/prod"), ("agent-a1".into(), Some("2".into()), Some("prod".into())));
        let arn = "arn:aws:bedrock-agentcore:us-east-1:111122223333:runtime/agent-a1";
        assert_eq!(read(arn), (arn.into(), None, None));
        assert_eq!(read(&format!("{arn}/runtime-endpoint/prod")), (arn.into(), None, Some("prod".into())));
    }
}

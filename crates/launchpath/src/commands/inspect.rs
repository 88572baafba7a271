//! `launchpath inspect`: what can be said of an image, or a code zip, without running it.
//!
//! What is found is found in `launchpath-image`. Here: fetching (`super::image`), the public record (`record`), the text for people
//! (`text`). Start with [`run`].

mod record;
mod text;

use launchpath_fetch::Artifact;
use launchpath_image::inspect::{Asked, Certainty, Subject, inspect};
use launchpath_image::tree::Limits;
use serde_json::{Value, json};

use self::record::Record;
use super::{image, keep};
use crate::cli::{AnswerFormat, Global, HowMuch, InspectArguments};
use crate::failure::Failure;
use crate::{output, query};

/// Runs the command and returns the exit code of the answer.
pub(crate) fn run(global: &Global, arguments: &InspectArguments) -> Result<u8, Failure> {
    let bundle = arguments.bundle.as_deref().map(keep::open).transpose()?;
    let record = look(arguments)?;
    let options = output::options(global, arguments.output.is_some(), HowMuch::Normal);
    let json = || format!("{:#}\n", record.response());
    let shown = query::shown(global.query.as_ref(), json, || match arguments.format {
        AnswerFormat::Text => text::of(&record, &options),
        AnswerFormat::Json => json(),
    })?;
    if let (Some(bundle), Some(path)) = (bundle, &arguments.bundle) {
        let request = json!({ "image": arguments.image.image });
        keep::save(bundle, path, "InspectImage", request, record.response().clone())?;
    }
    output::deliver(&shown, arguments.output.as_deref())?;
    Ok(exit_code(&record))
}

/// Fetches the image and inspects it.
fn look(arguments: &InspectArguments) -> Result<Record, Failure> {
    let mut artifact = image::open(&image::Source::from(&arguments.image))?;
    let tree = artifact.tree(Limits::default())?;
    let asked = Asked { protocol: Some(arguments.protocol.clone()) };
    let subject = match &artifact {
        Artifact::Container(container) => Subject::Container(container.documents()),
        Artifact::CodeZip(zip) => {
            Subject::CodeZip { bytes: zip.bytes(), entry_point: &arguments.entry_point }
        }
        Artifact::RootFs(_) => Subject::RootFs { argv: &arguments.entry_point },
    };
    let inspection = inspect(&subject, &tree, &asked);
    Record::new(&arguments.image.image, &mut artifact, &tree, inspection)
}

/// Request and answer of the call that inspects, for a bundle.
pub(crate) fn call(arguments: &InspectArguments) -> Result<(Value, Value), Failure> {
    let record = look(arguments)?;
    Ok((json!({ "image": arguments.image.image }), record.response().clone()))
}

/// 1: something is certainly or likely wrong. 3: what the image starts could not be told, so little was looked at.
fn exit_code(record: &Record) -> u8 {
    if record.findings().iter().any(|finding| finding.certainty >= Certainty::Likely) {
        return 1;
    }
    if record.knows_its_start() { 0 } else { 3 }
}

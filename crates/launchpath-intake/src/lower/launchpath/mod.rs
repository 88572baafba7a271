//! Calls that are no AWS API calls: statements, image configs, rehearsals, inspections, log files at hand.
//!
//! Records of rehearsals and inspections are read leniently ([`record`]): what cannot be read stays unknown, and the record itself
//! is kept as received.

mod inspection;
mod record;
mod rehearsal;

use launchpath_model::World;
use launchpath_model::aws::image::ImageConfig;
use launchpath_model::time::Timestamp;
use launchpath_model::world::Statement;
use serde_json::Value;

use super::{Lowered, Recorded};
use crate::error::IntakeError;

pub(super) fn lower(world: &mut World, call: &Recorded) -> Result<Lowered, IntakeError> {
    match call.evidence.operation.as_str() {
        "Statement" => statement(world, call),
        "GetImageConfig" => image_config(world, call),
        "Rehearse" => {
            world.rehearsals.push(rehearsal::rehearsal(call));
            Ok(Lowered::Done)
        }
        "InspectImage" => {
            world.inspections.push(inspection::inspection(call));
            Ok(Lowered::Done)
        }
        "ReadLogs" => super::logs::of_files(world, call),
        _ => Ok(Lowered::UnknownOperation),
    }
}

fn statement(world: &mut World, call: &Recorded) -> Result<Lowered, IntakeError> {
    if !call.is_ok() {
        return Ok(Lowered::Done);
    }
    let said = |name: &str| call.text(name).or_else(|| call.asked(name));
    // A request that holds what the user saw: as its text, or as a mark beside the text.
    let saw = call
        .evidence
        .request_member("saw")
        .filter(|value| !matches!(value, Value::Null | Value::Bool(false)));
    let text = said("text").or_else(|| saw.and_then(Value::as_str)).or_else(|| call.response.as_str());
    let Some(text) = text else {
        return Err(call
            .place
            .error("a statement with a text member `text`", crate::json::excerpt(&call.response)));
    };
    world.statements.push(Statement {
        evidence: call.evidence.id.clone(),
        by: said("by").map(str::to_owned),
        text: text.to_owned(),
        is_error_seen: saw.is_some() || said("kind") == Some("error-seen"),
    });
    Ok(Lowered::Done)
}

fn image_config(world: &mut World, call: &Recorded) -> Result<Lowered, IntakeError> {
    let table = &mut world.image_configs;
    if !call.is_ok() || call.response.is_null() {
        table.record(call.read_without("the config"));
        return Ok(Lowered::Done);
    }
    let mut config = call.response.clone();
    // Build tools write any text here; a strange date of an image is no reason to refuse the evidence.
    if let Value::Object(members) = &mut config
        && members.get("created").is_some_and(|at| serde_json::from_value::<Timestamp>(at.clone()).is_err())
    {
        members.shift_remove("created");
    }
    let config: ImageConfig = call.place.typed(&config)?;
    table.record(call.read(1));
    let (Some(repository), Some(digest)) = (call.asked("repositoryName"), call.asked("digest")) else {
        return Ok(Lowered::NoKey("repository and digest of the image"));
    };
    table.insert((repository.to_owned(), digest.to_owned()), config, call.evidence.id.clone());
    Ok(Lowered::Done)
}

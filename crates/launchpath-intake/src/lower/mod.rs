//! Answers to tables: one file per service, one arm per operation.
//!
//! Every call of a known operation also leaves a [`launchpath_model::Read`] on each table that it would have filled, whatever its
//! outcome: the three-valued look-ups rest on that. What is not here: any judgement of an answer.
//!
//! To add an operation: an arm in its service's file, and a row in `loose::MEMBERS` when its answer names itself.

mod agentcore;
mod cloudtrail;
mod cloudwatch;
mod codebuild;
mod document;
mod ec2;
mod ecr;
mod header;
mod iam;
mod kms;
mod launchpath;
mod logs;
mod recorded;
mod route53;
mod route53profiles;
mod route53resolver;
mod s3;
mod sts;

pub(crate) use recorded::Recorded;

use launchpath_model::World;
use launchpath_model::table::Table;
use serde::de::DeserializeOwned;

use crate::error::IntakeError;

/// What became of a call.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Lowered {
    /// Its tables have its rows and its read.
    Done,
    /// No table takes this operation.
    UnknownOperation,
    /// The answer does not say what it belongs to, and the request is not recorded (or lacks the member).
    NoKey(&'static str),
}

/// Lowers calls in order; later answers replace earlier rows.
pub(crate) fn all(world: &mut World, calls: Vec<Recorded>) -> Result<(), IntakeError> {
    for mut call in calls {
        call.note_completeness();
        one(world, &call)?;
    }
    agentcore::refused(world);
    header::complete(world);
    Ok(())
}

fn one(world: &mut World, call: &Recorded) -> Result<(), IntakeError> {
    let evidence = &call.evidence;
    std::sync::Arc::make_mut(&mut world.evidence)
        .insert(evidence.id.clone(), std::sync::Arc::clone(evidence));
    let lowered = match evidence.service.as_str() {
        "bedrock-agentcore-control" => agentcore::control(world, call)?,
        "bedrock-agentcore" => agentcore::data(world, call),
        "ec2" => ec2::lower(&mut world.network, call)?,
        "iam" => iam::lower(world, call)?,
        "ecr" => ecr::lower(world, call)?,
        "logs" => logs::lower(world, call)?,
        "cloudtrail" => cloudtrail::lower(world, call)?,
        "cloudwatch" => cloudwatch::lower(world, call)?,
        "s3" => s3::lower(world, call)?,
        "route53" => route53::lower(&mut world.network, call)?,
        "route53profiles" => route53profiles::lower(&mut world.network, call)?,
        "route53resolver" => route53resolver::lower(&mut world.network, call)?,
        "codebuild" => codebuild::lower(world, call),
        "kms" => kms::lower(world, call),
        "sts" => sts::lower(world, call)?,
        "launchpath" => launchpath::lower(world, call)?,
        _ => Lowered::UnknownOperation,
    };
    let reason = match lowered {
        Lowered::Done => return Ok(()),
        Lowered::UnknownOperation => {
            format!("nothing is read from {} {}", evidence.service, evidence.operation)
        }
        Lowered::NoKey(what) => {
            format!("neither the answer nor a recorded request says {what}")
        }
    };
    world.not_understood.insert(evidence.id.clone(), reason);
    Ok(())
}

/// Fills `table` with the rows of the list `member`, and records the read.
///
/// `id_member` is the member without which a row is nothing; `key` gives the row's key.
fn fill<K: Ord + Clone, T: DeserializeOwned + Clone>(
    table: &mut Table<K, T>,
    call: &Recorded,
    member: &str,
    id_member: &str,
    key: impl Fn(&T) -> K,
) -> Result<Lowered, IntakeError> {
    match call.rows::<T>(member, id_member)? {
        Some(rows) => {
            let count = rows.len();
            for row in rows {
                table.insert(key(&row), row, call.evidence.id.clone());
            }
            table.record(call.read(count));
        }
        None => table.record(call.read_without(member)),
    }
    Ok(Lowered::Done)
}

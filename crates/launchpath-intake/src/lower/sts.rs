//! STS: who collected.
//!
//! AWS: <https://docs.aws.amazon.com/STS/latest/APIReference/API_GetCallerIdentity.html>

use launchpath_model::World;
use launchpath_model::ids::AccountId;

use super::{Lowered, Recorded};
use crate::error::IntakeError;

pub(super) fn lower(world: &mut World, call: &Recorded) -> Result<Lowered, IntakeError> {
    if call.evidence.operation != "GetCallerIdentity" {
        return Ok(Lowered::UnknownOperation);
    }
    if let Some(arn) = call.typed::<String>("Arn")? {
        world.caller = Some(arn);
    }
    if let Some(account) = call.typed::<AccountId>("Account")? {
        world.account.get_or_insert(account);
    }
    Ok(Lowered::Done)
}

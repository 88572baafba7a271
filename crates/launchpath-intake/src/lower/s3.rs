//! S3: the size of a code zip, never its content.
//!
//! AWS: <https://docs.aws.amazon.com/AmazonS3/latest/API/API_HeadObject.html>

use launchpath_model::World;

use super::{Lowered, Recorded};
use crate::error::IntakeError;

pub(super) fn lower(world: &mut World, call: &Recorded) -> Result<Lowered, IntakeError> {
    if call.evidence.operation != "HeadObject" {
        return Ok(Lowered::UnknownOperation);
    }
    let table = &mut world.code_objects;
    if !call.is_ok() {
        table.record(call.read(0));
        return Ok(Lowered::Done);
    }
    let size = call.typed::<i64>("ContentLength")?;
    table.record(call.read(1));
    let (Some(bucket), Some(key)) = (call.asked("Bucket"), call.asked("Key")) else {
        return Ok(Lowered::NoKey("bucket and key of the object"));
    };
    table.insert((bucket.to_owned(), key.to_owned()), size, call.evidence.id.clone());
    Ok(Lowered::Done)
}

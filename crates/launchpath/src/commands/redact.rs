//! `launchpath redact`, and `--redact` of the commands that write or read a bundle.
//!
//! What is replaced, and by what, is `launchpath-intake`'s (`redact/`). Here: the key, and the files.

use launchpath_intake::redact::{Key, redacted};
use serde_json::Value;

use crate::cli::{RedactArguments, RedactionArguments};
use crate::disk;
use crate::failure::Failure;

/// Runs the command.
pub(crate) fn run(arguments: &RedactArguments) -> Result<u8, Failure> {
    let bundle = disk::whole_bundle(&arguments.bundle)?.to_value();
    let hidden = hide(&bundle, arguments.redact_key.as_deref())?;
    super::collect::save(&arguments.output, format!("{hidden:#}\n").as_bytes())?;
    Ok(0)
}

/// The bundle as the flags want it.
pub(crate) fn as_wanted(bundle: Value, flags: &RedactionArguments) -> Result<Value, Failure> {
    if flags.redact { hide(&bundle, flags.redact_key.as_deref()) } else { Ok(bundle) }
}

fn hide(bundle: &Value, key: Option<&std::path::Path>) -> Result<Value, Failure> {
    let key = match key {
        Some(path) => Key::from_secret(&disk::bytes(path)?),
        None => Key::of_bundle(bundle),
    };
    Ok(redacted(bundle, &key))
}

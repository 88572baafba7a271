//! `launchpath diagnose --format certificate`: the verdict with all it rests on.
//!
//! What it holds is `launchpath-diagnose`'s (`certificate/`), what it is worth `launchpath verify` says. Here: that there is a bundle
//! which a third party can be given with it. Start with [`of`].

use launchpath_diagnose::{Diagnosis, certify};
use launchpath_model::World;
use serde_json::Value;

use crate::cli::DiagnoseArguments;
use crate::disk;
use crate::failure::Failure;

/// A certificate is about a bundle that is kept, and about nothing beside it.
pub(crate) fn can_be_made(arguments: &DiagnoseArguments) -> Result<(), Failure> {
    let refuse = |why: &str, advice: &str| {
        Err(Failure::usage(anyhow::anyhow!("--format certificate: {why}")).advise(advice))
    };
    if arguments.subject.saw.is_some() {
        return refuse(
            "what somebody says with --saw is no evidence that a certificate could cite",
            "leave --saw out",
        );
    }
    if arguments.bundle.is_none() && arguments.save_bundle.is_none() {
        return refuse(
            "it is about a bundle, and this run keeps none",
            "keep the evidence with --save-bundle PATH: the certificate is checked against it",
        );
    }
    if arguments.bundle.is_some() && arguments.image.is_some() {
        return refuse(
            "what --image shows is not in the bundle that is kept",
            "first `launchpath rehearse IMAGE --bundle BUNDLE`, then diagnose that bundle",
        );
    }
    if arguments.bundle.is_some() && arguments.redaction.redact {
        return refuse(
            "it is about the bundle as it is kept",
            "first `launchpath redact BUNDLE -o OUT`, then diagnose OUT",
        );
    }
    Ok(())
}

/// The certificate as JSON.
pub(crate) fn of(
    world: &World,
    diagnosis: &Diagnosis,
    collected: Option<&Value>,
    arguments: &DiagnoseArguments,
) -> Result<String, Failure> {
    let document = match (collected, &arguments.bundle) {
        (Some(bundle), _) => bundle.clone(),
        (None, Some(path)) => disk::document(path)?,
        (None, None) => Value::Null,
    };
    let certificate = certify(world, diagnosis, &document);
    let json = serde_json::to_string_pretty(&certificate).map_err(Failure::environment)?;
    Ok(json + "\n")
}

//! What runs the image: the sandbox, on this machine's processors or through an emulator.

use std::path::PathBuf;

use launchpath_rehearse::contract::terms::Speed;
use launchpath_rehearse::sandbox::{Credentials, Emulator, Plan, Sandbox, SandboxError, start};

use super::image::Ready;
use super::network::Network;
use crate::failure::Failure;

/// Where Debian and Fedora put the emulator that needs nothing of the image.
const QEMU: &[&str] = &["/usr/bin/qemu-aarch64-static", "/usr/local/bin/qemu-aarch64-static"];

/// The plan for an image, and whether it is emulated.
pub(crate) fn plan(
    ready: &Ready,
    command: &[String],
    environment: Vec<String>,
    network: &Network,
    credentials: Option<Credentials>,
) -> Result<(Plan, Speed), Failure> {
    let process = &ready.process;
    let words: Vec<String> = match command {
        [] => process.entrypoint.iter().chain(&process.cmd).flatten().cloned().collect(),
        given => given.to_vec(),
    };
    let mut plan = Plan::new(&ready.root, words);
    plan.environment = process.env.clone().unwrap_or_default();
    plan.environment.extend(environment);
    plan.working_directory = process.working_dir.clone().filter(|folder| !folder.is_empty());
    plan.user = process.user.clone().filter(|user| !user.is_empty());
    plan.network = network.plan.clone();
    plan.credentials = credentials;
    let architecture = ready.platform.as_ref().map(|platform| platform.architecture.as_str());
    let (emulator, speed) = emulator(architecture.unwrap_or_default())?;
    plan.emulator = emulator;
    Ok((plan, speed))
}

fn emulator(architecture: &str) -> Result<(Option<Emulator>, Speed), Failure> {
    let native = match std::env::consts::ARCH {
        "x86_64" => "amd64",
        "aarch64" => "arm64",
        other => other,
    };
    if architecture == native || architecture.is_empty() {
        return Ok((None, Speed::Native));
    }
    if architecture != "arm64" {
        return Err(Failure::environment(anyhow::anyhow!(
            "the image is for {architecture}, this machine runs {native}"
        ))
        .advise("AgentCore Runtime runs linux/arm64: build for that, or choose with --platform"));
    }
    match QEMU.iter().map(PathBuf::from).find(|path| path.is_file()) {
        Some(path) => Ok((Some(Emulator::QemuAarch64(path)), Speed::Emulated)),
        None => Err(Failure::environment(anyhow::anyhow!(
            "the image is for arm64, this machine runs {native}, and there is no emulator"
        ))
        .advise("install qemu-user-static, or rehearse on an arm64 machine")),
    }
}

/// Starts the process.
pub(crate) fn run(plan: &Plan) -> Result<Sandbox, Failure> {
    start(plan).map_err(|error| match &error {
        SandboxError::NulByte { .. } => Failure::usage(error),
        _ => Failure::environment(error)
            .advise("a sandbox needs Linux with user namespaces, or root; see ARCHITECTURE.md"),
    })
}

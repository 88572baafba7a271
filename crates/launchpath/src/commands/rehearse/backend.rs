//! What runs the image: the sandbox, on this machine's processors or through an emulator; a container engine where no sandbox
//! can be had, and that is said.

use std::path::PathBuf;

use launchpath_rehearse::contract::terms::{Speed, Terms};
use launchpath_rehearse::engine;
use launchpath_rehearse::record::Backend;
use launchpath_rehearse::sandbox::{self, Credentials, Emulator, Network as Reach, Plan, SandboxError};
use launchpath_rehearse::subject::Subject;

use super::image::Ready;
use super::network::Network;
use crate::cli::RehearsalBackend;
use crate::failure::Failure;
use crate::output;

/// Where Debian and Fedora put the emulator that needs nothing of the image.
const QEMU: &[&str] = &["/usr/bin/qemu-aarch64-static", "/usr/local/bin/qemu-aarch64-static"];

/// The plan for an image, and whether it is emulated.
pub(crate) fn plan(
    ready: &Ready,
    command: &[String],
    environment: Vec<String>,
    network: &Network,
    credentials: Option<Credentials>,
    wanted: RehearsalBackend,
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
    let speed = speed(architecture.unwrap_or_default())?;
    // An engine brings emulation of its own, or says that it has none.
    if speed == Speed::Emulated && cfg!(target_os = "linux") && wanted != RehearsalBackend::Engine {
        plan.emulator = Some(emulator()?);
    }
    Ok((plan, speed))
}

fn speed(architecture: &str) -> Result<Speed, Failure> {
    let native = native();
    if architecture == native || architecture.is_empty() {
        return Ok(Speed::Native);
    }
    if architecture != "arm64" {
        return Err(Failure::environment(anyhow::anyhow!(
            "the image is for {architecture}, this machine runs {native}"
        ))
        .advise("AgentCore Runtime runs linux/arm64: build for that, or choose with --platform"));
    }
    Ok(Speed::Emulated)
}

fn native() -> &'static str {
    match std::env::consts::ARCH {
        "x86_64" => "amd64",
        "aarch64" => "arm64",
        other => other,
    }
}

fn emulator() -> Result<Emulator, Failure> {
    let found = QEMU.iter().map(PathBuf::from).find(|path| path.is_file()).map(Emulator::QemuAarch64);
    found.ok_or_else(|| {
        Failure::environment(anyhow::anyhow!(
            "the image is for arm64, this machine runs {}, and there is no emulator",
            native()
        ))
        .advise("install qemu-user-static, or rehearse on an arm64 machine, or use --backend engine")
    })
}

/// Starts the process in what was wanted; by itself the sandbox comes first, and an engine where none can be made.
pub(crate) fn run(
    plan: &Plan,
    ready: &Ready,
    terms: &Terms,
    wanted: RehearsalBackend,
) -> Result<(Box<dyn Subject>, Backend), Failure> {
    if wanted == RehearsalBackend::Engine {
        return in_engine(plan, ready, terms);
    }
    match sandbox::start(plan) {
        Ok(sandbox) => Ok((Box::new(sandbox), Backend::Sandbox)),
        Err(error @ SandboxError::Unsupported { .. }) if wanted == RehearsalBackend::Auto => {
            let why = error.to_string();
            let running = in_engine(plan, ready, terms).map_err(|failure| {
                Failure::environment(error).advise(format!("nor by an engine: {failure}"))
            })?;
            output::remark(&format!("{why}; a container engine runs it instead"));
            Ok(running)
        }
        Err(error @ SandboxError::NulByte { .. }) => Err(Failure::usage(error)),
        Err(error) => Err(Failure::environment(error)),
    }
}

fn in_engine(plan: &Plan, ready: &Ready, terms: &Terms) -> Result<(Box<dyn Subject>, Backend), Failure> {
    // What was asked for and an engine cannot do is refused, not left out.
    if plan.credentials.is_some() {
        return Err(Failure::environment(anyhow::anyhow!(
            "in a container engine there is no metadata service to hand out credentials"
        ))
        .advise("rehearse in the sandbox, or hand them in with --env"));
    }
    if plan.network != Reach::Nothing {
        return Err(Failure::environment(anyhow::anyhow!(
            "a container engine holds the process to no other network than its own"
        ))
        .advise("rehearse in the sandbox, or with --network none"));
    }
    let socket = launchpath_fetch::engine_sockets().into_iter().find(|path| path.exists());
    let Some(socket) = socket else {
        return Err(Failure::environment(anyhow::anyhow!(
            "no container engine listens on this machine: not where DOCKER_HOST says, nor where Docker and Podman usually do"
        ))
        .advise("start Docker, or `podman system service`, or rehearse in the sandbox"));
    };
    let platform =
        ready.platform.as_ref().map(|platform| format!("{}/{}", platform.os, platform.architecture));
    let container =
        engine::start(plan, &socket, &[terms.port], platform.as_deref()).map_err(Failure::environment)?;
    Ok((Box::new(container), Backend::Engine))
}

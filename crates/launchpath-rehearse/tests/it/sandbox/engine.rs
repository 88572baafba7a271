//! The same plans in a container engine: Podman's service, started for the test with a store of its own.

use std::io::{Read as _, Write as _};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use launchpath_rehearse::engine::{self, Container, EngineError};
use launchpath_rehearse::sandbox::Plan;
use launchpath_rehearse::subject::{BlindSpot, Ending, StartFailure, Subject as _};

use super::image::{Image, PATIENCE};

/// An engine of this test's own.
struct Podman {
    service: Child,
    folder: tempfile::TempDir,
}

/// Podman's command over the store of a test.
fn podman(folder: &Path) -> Command {
    // Its own limits are above what root of some machines may set, and then it starts nothing.
    let limits = "[containers]\ndefault_ulimits = [\"nofile=1024:1024\", \"nproc=1024:1024\"]\n";
    let settings = folder.join("containers.conf");
    std::fs::write(&settings, limits).unwrap();
    let mut podman = Command::new("podman");
    podman.env("CONTAINERS_CONF", settings).arg("--root").arg(folder.join("root")).arg("--runroot");
    podman.arg(folder.join("run"));
    podman.args(["--storage-driver", "vfs", "--cgroup-manager", "cgroupfs", "--runtime", "runc"]);
    podman
}

impl Podman {
    fn start() -> Option<Self> {
        if !rustix::process::geteuid().is_root() {
            eprintln!("skipped: the engine of this test needs root");
            return None;
        }
        // Other tests look at this machine's mounts, and know by the name whose these are.
        let folder = tempfile::Builder::new().prefix("engine-of-a-test-").tempdir().unwrap();
        let socket = format!("unix://{}", folder.path().join("engine.sock").display());
        let service = podman(folder.path())
            .args(["system", "service", "--time", "0", &socket])
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn();
        let Ok(service) = service else {
            eprintln!("skipped: no Podman on this machine (Debian: podman runc)");
            return None;
        };
        let podman = Self { service, folder };
        let begun = Instant::now();
        while std::os::unix::net::UnixStream::connect(podman.socket()).is_err() {
            if begun.elapsed() > Duration::from_secs(20) {
                eprintln!("skipped: Podman's service does not start here");
                return None;
            }
            std::thread::sleep(Duration::from_millis(20));
        }
        Some(podman)
    }

    fn socket(&self) -> PathBuf {
        self.folder.path().join("engine.sock")
    }

    /// `None`, said on standard error, where this machine's engine cannot run containers at all.
    fn run(&self, plan: &Plan) -> Option<Container> {
        match engine::start(plan, &self.socket(), &[8080], None) {
            Ok(container) => Some(container),
            Err(error @ EngineError::Refused { step: "start the container", .. }) => {
                // Podman's own command, on the same file system: where that starts a container, a refusal is ours.
                let own = podman(self.folder.path())
                    .args(["run", "--rm", "--network", "none", "--rootfs"])
                    .arg(&plan.root)
                    .args(["/bin/busybox", "true"])
                    .output()
                    .unwrap();
                assert!(!own.status.success(), "Podman starts it, and for us: {error}");
                let said = String::from_utf8_lossy(&own.stderr);
                eprintln!(
                    "skipped: no engine here starts a container, at Podman's own command neither: {said}"
                );
                None
            }
            Err(error) => panic!("{error}"),
        }
    }
}

impl Drop for Podman {
    fn drop(&mut self) {
        self.service.kill().ok();
        self.service.wait().ok();
        // Podman mounts its store over itself.
        for mount in ["root/vfs", "root/overlay", "root", "run"] {
            rustix::mount::unmount(self.folder.path().join(mount), rustix::mount::UnmountFlags::DETACH).ok();
        }
    }
}

fn wait(container: &mut Container) -> Ending {
    let begun = Instant::now();
    loop {
        if let Some(exit) = container.exited() {
            return exit.how;
        }
        assert!(begun.elapsed() < PATIENCE, "the process did not end in time");
        std::thread::sleep(Duration::from_millis(5));
    }
}

#[test]
fn a_container_engine_runs_the_same_plans_and_says_what_it_cannot_see() {
    let Some(image) = Image::new() else { return };
    let Some(podman) = Podman::start() else { return };
    image.file("www/ping", "Healthy");

    let Some(mut container) = podman.run(&image.script("echo out; echo error >&2; id -u; exit 7")) else {
        return;
    };
    assert_eq!(wait(&mut container), Ending::Code(7));
    let printed: Vec<u8> =
        container.take_output().unwrap().try_iter().flat_map(|printed| printed.bytes).collect();
    let printed = String::from_utf8(printed).unwrap();
    assert!(printed.contains("out\n") && printed.contains("error\n") && printed.contains("0\n"), "{printed}");
    assert!(container.blind_spots().contains(&BlindSpot::EngineTraces));
    assert_eq!(container.attempts(), None);
    drop(container);

    let Some(mut container) = podman.run(&image.plan(&["no-such-program"])) else { return };
    assert_eq!(
        wait(&mut container),
        Ending::NotStarted(StartFailure::NotFound("no-such-program".to_owned()))
    );
    drop(container);

    let Some(mut server) = podman.run(&image.plan(&["httpd", "-f", "-p", "8080", "-h", "/www"])) else {
        return;
    };
    let begun = Instant::now();
    let answer = loop {
        let mut answer = String::new();
        if let Ok(mut stream) = server.connect(8080, Duration::from_secs(1))
            && stream.write_all(b"GET /ping HTTP/1.0\r\n\r\n").is_ok()
            && stream.read_to_string(&mut answer).is_ok()
            && !answer.is_empty()
        {
            break answer;
        }
        assert!(begun.elapsed() < PATIENCE, "nothing answers: {:?}", server.exited());
        std::thread::sleep(Duration::from_millis(20));
    };
    assert!(answer.contains("Healthy"), "{answer}");
    server.stop();
    server.stop();
}

#[test]
fn an_engine_that_is_not_there_is_an_error_that_says_so() {
    let Some(image) = Image::new() else { return };
    let socket = image.path().join("no.sock");
    let error = engine::start(&image.plan(&["true"]), &socket, &[], None).unwrap_err().to_string();
    assert!(error.contains("no.sock") && error.contains("import the image"), "{error}");
}

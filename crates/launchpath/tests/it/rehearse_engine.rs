//! A rehearsal in a container engine: asked for, and by itself where no sandbox can be made. The engine is Podman's service, started
//! for the test with a store of its own.

use std::os::unix::net::UnixStream;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use serde_json::Value;

use crate::images::{self, skipped};
use crate::program::{Run, launchpath_with};

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
    std::fs::write(&settings, limits).expect("written");
    let mut podman = Command::new("podman");
    podman.env("CONTAINERS_CONF", settings).arg("--root").arg(folder.join("root")).arg("--runroot");
    podman.arg(folder.join("run"));
    podman.args(["--storage-driver", "vfs", "--cgroup-manager", "cgroupfs", "--runtime", "runc"]);
    podman
}

impl Podman {
    fn start() -> Option<Self> {
        // Other tests look at this machine's mounts, and know by the name whose these are.
        let folder = tempfile::Builder::new().prefix("engine-of-a-test-").tempdir().expect("a folder");
        let service = podman(folder.path())
            .args(["system", "service", "--time", "0"])
            .arg(format!("unix://{}", folder.path().join("engine.sock").display()))
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn();
        let Ok(service) = service else {
            skipped("no Podman on this machine (Debian: podman runc)");
            return None;
        };
        let podman = Self { service, folder };
        let begun = Instant::now();
        while UnixStream::connect(podman.socket()).is_err() {
            if begun.elapsed() > Duration::from_secs(20) {
                skipped("Podman's service does not start here");
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
    fn rehearse(&self, words: &[&str]) -> Option<Run> {
        let host = format!("unix://{}", self.socket().display());
        let words = [&["rehearse", "--format", "json"], words].concat();
        let run = launchpath_with(&words, &[("DOCKER_HOST", &host)]);
        if self.is_unable(words[3], &run.stderr) { None } else { Some(run) }
    }

    /// Whether an image was not started because this engine starts none at all, Podman's own command included: then there is
    /// nothing to test. Where that one starts it, a refusal is ours.
    fn is_unable(&self, image: &str, said: &str) -> bool {
        if !said.contains("refused to start the container") {
            return false;
        }
        let own = podman(self.folder.path())
            .args(["run", "--rm", "--network", "none", "--entrypoint", "/no-such-program"])
            .arg(format!("oci:{image}"))
            .output()
            .expect("podman runs");
        // It was started as far as looking for the program.
        assert_ne!(own.status.code(), Some(127), "Podman starts it, and for us: {said}");
        skipped(&format!(
            "no engine here starts a container, at Podman's own command neither: {}",
            String::from_utf8_lossy(&own.stderr)
        ));
        true
    }

    /// What of rehearsals is at the engine.
    fn left(&self) -> String {
        let list = |what: &[&str]| {
            let listed = Command::new("podman")
                .arg("--url")
                .arg(format!("unix://{}", self.socket().display()))
                .args(what)
                .output()
                .expect("podman runs");
            String::from_utf8_lossy(&listed.stdout).into_owned()
        };
        let all = [
            &["ps", "-aq"][..],
            &["images", "-aq"],
            &["network", "ls", "-q", "--filter", "label=launchpath.maker"],
        ];
        all.map(list).concat()
    }
}

impl Drop for Podman {
    fn drop(&mut self) {
        self.service.kill().ok();
        self.service.wait().ok();
        // Podman mounts its store over itself.
        for mount in ["root/vfs", "root/overlay", "root", "run"] {
            let at = self.folder.path().join(mount);
            Command::new("umount").arg("-l").arg(at).stderr(Stdio::null()).status().ok();
        }
    }
}

#[test]
fn an_engine_runs_the_image_and_the_record_says_what_it_could_not_see() {
    let Some(images) = images::built(&["sound-static", "exits"]) else { return };
    let path = |name: &str| images.iter().find(|image| image.name == name).expect("built").path.clone();
    let Some(podman) = Podman::start() else { return };

    let Some(run) = podman.rehearse(&[&path("sound-static"), "--backend", "engine"]) else { return };
    let record = run.json();
    assert_eq!((run.code, &record["backend"]), (0, &Value::from("engine")), "{record:#}\n{}", run.stderr);
    assert_eq!(record["network"], Value::Null, "{record:#}");
    let gaps: Vec<&str> = record["not_checked"]
        .as_array()
        .into_iter()
        .flatten()
        .filter_map(|gap| gap["clause"].as_str())
        .collect();
    assert!(["listens", "network", "metadata"].iter().all(|gap| gaps.contains(gap)), "{gaps:?}");

    let run = podman.rehearse(&[&path("exits"), "--backend", "engine"]).expect("it ran before");
    let record = run.json();
    assert_eq!((run.code, &record["reason"]), (1, &Value::from("exited")), "{record:#}");
    assert!(record["exit_code"].is_i64(), "{record:#}");

    // What an engine cannot do is refused, not left out.
    let exits = path("exits");
    let nat = format!("bundle:{}", crate::program::scenario("base/nat"));
    for network in ["host-blocked", &nat] {
        let run =
            podman.rehearse(&[&exits, "--backend", "engine", "--network", network]).expect("it ran before");
        assert_eq!(run.code, 253, "{}", run.stdout);
        assert!(run.stderr.contains("no other network"), "{}", run.stderr);
    }
    assert_eq!(podman.left(), "");
}

#[test]
fn where_no_sandbox_can_be_made_an_engine_runs_it_and_that_is_said() {
    let Some(images) = images::built(&["sound-static"]) else { return };
    let Some(podman) = Podman::start() else { return };
    let image = images[0].path.as_str();
    // A user namespace in which no other can be made.
    let rehearse = |words: &[&str]| {
        let script = "echo 0 > /proc/sys/user/max_user_namespaces && exec \"$@\"";
        let run = Command::new("unshare")
            .args(["--user", "--map-root-user", "sh", "-c", script, "sh", env!("CARGO_BIN_EXE_launchpath")])
            .args(["rehearse", image, "--format", "json"])
            .args(words)
            .env("DOCKER_HOST", format!("unix://{}", podman.socket().display()))
            .output()
            .expect("unshare runs");
        (
            run.status.code(),
            String::from_utf8_lossy(&run.stdout).into_owned(),
            String::from_utf8_lossy(&run.stderr).into_owned(),
        )
    };
    let (code, _, said) = rehearse(&["--backend", "sandbox"]);
    if !said.contains("no sandbox can be made here") {
        skipped(&format!("no way to take sandboxes away here: {code:?} {said}"));
        return;
    }
    assert_eq!(code, Some(253));
    let (code, record, said) = rehearse(&[]);
    if podman.is_unable(image, &said) {
        return;
    }
    assert!(said.contains("a container engine runs it instead"), "{said}");
    let record: Value = serde_json::from_str(&record).unwrap_or_else(|error| panic!("{error}: {said}"));
    assert_eq!((code, &record["backend"]), (Some(0), &Value::from("engine")), "{record:#}");
}

//! Root file systems for tests, and what a test needs to run something in one.

use std::fs;
use std::os::unix::fs::{PermissionsExt as _, symlink};
use std::path::{Path, PathBuf};
use std::sync::mpsc::Receiver;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use launchpath_rehearse::sandbox::{self, Plan, Sandbox};
use launchpath_rehearse::subject::{Ending, Exit, Printed, Stream, Subject as _};

/// Longer than anything here takes on a busy machine.
pub(crate) const PATIENCE: Duration = Duration::from_mins(1);

/// An image with busybox in it.
pub(crate) struct Image {
    folder: tempfile::TempDir,
    /// Tests that count what there is of this process's sandboxes would count those of others.
    _alone: MutexGuard<'static, ()>,
}

/// A static busybox of this machine (Debian `busybox-static`).
fn busybox() -> Option<PathBuf> {
    ["/bin/busybox", "/usr/bin/busybox"].map(PathBuf::from).into_iter().find(|path| path.is_file())
}

impl Image {
    /// `None`, said on standard error, when this machine has no busybox.
    pub(crate) fn new() -> Option<Self> {
        let Some(busybox) = busybox() else {
            eprintln!("skipped: no static busybox on this machine (Debian: busybox-static)");
            return None;
        };
        let folder = tempfile::tempdir().unwrap();
        fs::set_permissions(folder.path(), fs::Permissions::from_mode(0o755)).unwrap();
        static ALONE: Mutex<()> = Mutex::new(());
        let image = Self { folder, _alone: ALONE.lock().unwrap_or_else(PoisonError::into_inner) };
        for name in ["bin", "etc", "tmp", "www", "opt/app"] {
            fs::create_dir_all(image.path().join(name)).unwrap();
        }
        fs::set_permissions(image.path().join("tmp"), fs::Permissions::from_mode(0o1777)).unwrap();
        fs::copy(busybox, image.path().join("bin/busybox")).unwrap();
        for applet in APPLETS {
            symlink("busybox", image.path().join("bin").join(applet)).unwrap();
        }
        image.file("etc/passwd", "root:x:0:0:root:/root:/bin/sh\napp:x:1000:1000::/opt/app:/bin/sh\n");
        image.file("etc/group", "root:x:0:\napp:x:1000:\nvideo:x:44:app\n");
        Some(image)
    }

    pub(crate) fn path(&self) -> &Path {
        self.folder.path()
    }

    /// Writes a file, readable by everybody.
    pub(crate) fn file(&self, path: &str, content: &str) {
        let path = self.path().join(path);
        fs::write(&path, content).unwrap();
        fs::set_permissions(path, fs::Permissions::from_mode(0o644)).unwrap();
    }

    /// A plan that runs these words.
    pub(crate) fn plan(&self, argv: &[&str]) -> Plan {
        Plan::new(self.path(), argv.iter().copied())
    }

    /// A plan that runs a shell script.
    pub(crate) fn script(&self, script: &str) -> Plan {
        self.plan(&["/bin/sh", "-c", script])
    }

    /// Runs a script to its end: what it printed, and how it ended.
    pub(crate) fn run(&self, script: &str) -> Outcome {
        run(&self.script(script))
    }
}

const APPLETS: [&str; 47] = [
    "sh", "cat", "ls", "echo", "id", "hostname", "httpd", "sleep", "mkdir", "rm", "touch", "ps", "mount",
    "umount", "ln", "nc", "wget", "nslookup", "dd", "kill", "env", "pwd", "head", "wc", "test", "true",
    "false", "chmod", "chown", "mknod", "unshare", "grep", "stat", "seq", "yes", "find", "ip", "ping",
    "setsid", "nproc", "df", "sysctl", "chroot", "su", "date", "timeout", "tail",
];

/// What a process printed and how it ended.
#[derive(Debug)]
pub(crate) struct Outcome {
    pub(crate) output: String,
    pub(crate) error: String,
    pub(crate) exit: Exit,
}

impl Outcome {
    /// From what has been printed by now.
    pub(crate) fn new(exit: Exit, printed: &Receiver<Printed>) -> Self {
        let (mut output, mut error) = (Vec::new(), Vec::new());
        for printed in printed.try_iter() {
            match printed.stream {
                Stream::Out => output.extend(printed.bytes),
                Stream::Error => error.extend(printed.bytes),
            }
        }
        let text = |bytes: Vec<u8>| String::from_utf8_lossy(&bytes).into_owned();
        Self { output: text(output), error: text(error), exit }
    }

    /// What it printed, when it ended well.
    #[track_caller]
    pub(crate) fn ok(self) -> String {
        assert_eq!(self.exit.how, Ending::Code(0), "{} {}", self.output, self.error);
        self.output
    }
}

/// Starts a plan, or fails the test.
#[track_caller]
pub(crate) fn start(plan: &Plan) -> Sandbox {
    match sandbox::start(plan) {
        Ok(sandbox) => sandbox,
        Err(error) => panic!("{error}"),
    }
}

/// Runs a plan to its end.
#[track_caller]
pub(crate) fn run(plan: &Plan) -> Outcome {
    let mut sandbox = start(plan);
    let exit = wait(&mut sandbox);
    Outcome::new(exit, &sandbox.take_output().unwrap())
}

/// Waits for the end of the process.
#[track_caller]
pub(crate) fn wait(sandbox: &mut Sandbox) -> Exit {
    let until = Instant::now() + PATIENCE;
    loop {
        if let Some(exit) = sandbox.exited() {
            return exit;
        }
        assert!(Instant::now() < until, "the process did not end in time");
        std::thread::sleep(Duration::from_millis(1));
    }
}

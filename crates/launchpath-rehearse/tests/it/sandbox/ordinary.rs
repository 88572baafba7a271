//! Sandboxes of an ordinary user: root lends this test's program to one, and it runs sandboxes there.

use std::os::unix::process::CommandExt as _;
use std::process::Command;
use std::time::{Duration, Instant};

use launchpath_rehearse::subject::{AttemptOutcome, BlindSpot, Ending, Subject as _};

use super::image::{Image, PATIENCE, run, start, wait};

const LENT: &str = "LAUNCHPATH_TEST_LENT";

/// Nobody's number on any machine that this was tried on.
const USER: u32 = 47_110;

/// Runs another test of this program as an ordinary user, in a temporary folder that the user may write.
fn lend(test: &str, prelude: &str) {
    if !rustix::process::geteuid().is_root() {
        eprintln!("skipped: this is no root who could lend the test to another user");
        return;
    }
    let folder = tempfile::Builder::new().prefix("lent").tempdir().unwrap();
    std::os::unix::fs::chown(folder.path(), Some(USER), Some(USER)).unwrap();
    let program = folder.path().join("test");
    std::fs::copy(std::env::current_exe().unwrap(), &program).unwrap();
    let mut command = if prelude.is_empty() {
        let mut command = Command::new(&program);
        command.uid(USER).gid(USER);
        command
    } else {
        let mut command = Command::new("unshare");
        let script = format!(
            "{prelude} && exec setpriv --reuid {USER} --regid {USER} --clear-groups -- \"$0\" \"$@\""
        );
        command.args(["--mount", "--", "sh", "-c", &script]).arg(&program);
        command
    };
    command
        .args(["--exact", test, "--nocapture"])
        .env(LENT, "1")
        .env("TMPDIR", folder.path())
        .current_dir("/");
    let output = command.output().unwrap();
    let text =
        format!("{}{}", String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
    if text.contains("skipped:") || text.contains("no sandbox can be made here") {
        eprintln!("skipped: an ordinary user may make no sandbox here: {text}");
        return;
    }
    assert!(output.status.success() && text.contains("1 passed"), "{text}");
}

fn lent() -> bool {
    std::env::var_os(LENT).is_some()
}

#[test]
fn an_ordinary_user_runs_a_sandbox_with_one_id() {
    lend("sandbox::ordinary::body_with_one_id", "");
}

#[test]
fn an_ordinary_user_runs_a_sandbox_with_subordinate_ids() {
    // A folder of its own: a file that is mounted over another vanishes when somebody on the machine renames that one.
    let prelude = format!(
        "mkdir \"$TMPDIR/etc\" && cp /etc/passwd /etc/ld.so.cache \"$TMPDIR/etc\" && \
         echo 'lent:x:{USER}:{USER}::/:/bin/sh' >> \"$TMPDIR/etc/passwd\" && \
         printf '{USER}:3000000:65536\\n' > \"$TMPDIR/etc/subuid\" && cp \"$TMPDIR/etc/subuid\" \"$TMPDIR/etc/subgid\" && \
         mount --bind \"$TMPDIR/etc\" /etc"
    );
    if !["/usr/bin/newuidmap", "/bin/newuidmap"].iter().any(|path| std::path::Path::new(path).exists()) {
        eprintln!("skipped: no newuidmap on this machine (Debian: uidmap)");
        return;
    }
    lend("sandbox::ordinary::body_with_subordinate_ids", &prelude);
}

/// Not a test by itself.
#[test]
fn body_with_one_id() {
    if !lent() {
        return;
    }
    let Some(image) = Image::new() else { return };
    same_for_both(&image);
    let mut plan = image.script("id -u; id -g; touch /opt/app/x && echo written");
    plan.user = Some("app".to_owned());
    assert_eq!(run(&plan).ok(), "1000\n1000\nwritten\n");
}

/// Not a test by itself.
#[test]
fn body_with_subordinate_ids() {
    if !lent() {
        return;
    }
    let Some(image) = Image::new() else { return };
    same_for_both(&image);
    let mut plan = image.script("id -u; id -G; touch /opt/app/x 2>/dev/null || echo refused");
    plan.user = Some("app".to_owned());
    assert_eq!(run(&plan).ok(), "1000\n1000 44\nrefused\n");
}

fn same_for_both(image: &Image) {
    assert!(!rustix::process::geteuid().is_root());
    let output = image
        .run("id -u; echo $$; hostname; grep CapEff /proc/self/status; (: > /bin/new) && echo written")
        .ok();
    assert_eq!(output, "0\n1\nlocalhost\nCapEff:\t0000000000000000\nwritten\n");
    image.file("www/ping", "Healthy");
    let mut sandbox =
        start(&image.script("nc -w 1 10.1.1.1 443 </dev/null; exec httpd -f -p 127.0.0.1:8080 -h /www"));
    assert!(sandbox.blind_spots().contains(&BlindSpot::Owners));
    let begun = Instant::now();
    while sandbox.listeners().unwrap().is_empty() {
        assert!(begun.elapsed() < PATIENCE);
        std::thread::sleep(Duration::from_millis(5));
    }
    assert_eq!(sandbox.listeners().unwrap()[0].at, "127.0.0.1:8080".parse().unwrap());
    assert!(sandbox.connect(8080, Duration::from_secs(1)).is_err(), "it listens on loopback only");
    assert_eq!(sandbox.attempts().unwrap()[0].outcome, AttemptOutcome::Dropped);
    sandbox.stop();
    let mut bomb = image.script("f() { f | f & }; f 2>/dev/null; sleep 1; exit 6");
    bomb.limits.processes = 50;
    assert_eq!(wait(&mut start(&bomb)).how, Ending::Code(6));
}

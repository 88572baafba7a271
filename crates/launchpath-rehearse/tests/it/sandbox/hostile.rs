//! Images that want out, or want too much: nothing outside of the sandbox changes, and limits hold.

use std::fs;
use std::io::{BufRead as _, BufReader};
use std::os::fd::AsRawFd as _;
use std::os::unix::fs::{PermissionsExt as _, symlink};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use launchpath_rehearse::subject::{Ending, Subject as _};

use super::footprint::{Footprint, Inside};
use super::image::{Image, PATIENCE, run, start, wait};

#[test]
fn every_way_out_that_takes_one_call_is_refused() {
    let Some(image) = Image::new() else { return };
    let built = Command::new("cc")
        .args(["-static", "-O1", "-o"])
        .arg(image.path().join("bin/forbidden"))
        .arg(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/it/sandbox/forbidden.c"))
        .output();
    if !built.is_ok_and(|output| output.status.success()) {
        eprintln!("skipped: no C compiler that links statically (Debian: gcc libc6-dev)");
        return;
    }
    for user in [None, Some("app".to_owned())] {
        let mut plan = image.plan(&["forbidden"]);
        plan.user = user;
        let output = run(&plan).ok();
        assert!(output.lines().count() > 30, "{output}");
        for line in output.lines() {
            let wanted = if line.starts_with("clone3") { "ENOSYS" } else { "EPERM" };
            assert!(line.ends_with(wanted), "{line}");
        }
    }
}

#[test]
fn the_process_has_no_power_and_nothing_of_ours() {
    let Some(image) = Image::new() else { return };
    // A descriptor that whoever starts a sandbox forgot to mark.
    let leaked = fs::File::open("/etc/hostname").or_else(|_| fs::File::open("/proc/version")).unwrap();
    rustix::io::fcntl_setfd(&leaked, rustix::io::FdFlags::empty()).unwrap();
    let output = image.run("grep -E '^(Cap|NoNewPrivs|Seccomp:)' /proc/self/status; ls /proc/1/fd; cat /proc/self/mounts; cat /proc/net/dev").ok();
    for set in ["CapInh", "CapPrm", "CapEff", "CapBnd", "CapAmb"] {
        assert!(output.contains(&format!("{set}:\t0000000000000000")), "{output}");
    }
    assert!(output.contains("NoNewPrivs:\t1") && output.contains("Seccomp:\t2"), "{output}");
    assert!(!output.lines().any(|line| line == leaked.as_raw_fd().to_string()), "{output}");
    let own = image.path().to_str().unwrap();
    assert!(!output.contains(own) && !output.contains("/dev/vd") && !output.contains("/dev/sd"), "{output}");
    assert!(output.contains("eth0"), "{output}");
}

#[test]
fn the_kernel_s_switches_cannot_be_turned() {
    let Some(image) = Image::new() else { return };
    let script = "for f in kernel/core_pattern kernel/hostname vm/drop_caches net/ipv4/ip_forward; do \
                    (echo 1 > /proc/sys/$f) 2>/dev/null && echo written $f; done; \
                  (echo h > /proc/sysrq-trigger) 2>/dev/null && echo written sysrq; \
                  head -c 1 /proc/kcore | wc -c; cat /proc/keys | wc -c; cat /proc/kallsyms | wc -c; \
                  ls /proc/acpi /proc/scsi 2>/dev/null | grep -v ':' | grep -c .; echo done";
    let before = fs::read_to_string("/proc/sys/kernel/core_pattern").unwrap();
    assert_eq!(image.run(script).ok(), "0\n0\n0\n0\ndone\n");
    assert_eq!(fs::read_to_string("/proc/sys/kernel/core_pattern").unwrap(), before);
}

#[test]
fn links_of_the_image_lead_nowhere_outside() {
    let Some(image) = Image::new() else { return };
    let outside = tempfile::tempdir().unwrap();
    fs::set_permissions(outside.path(), fs::Permissions::from_mode(0o777)).unwrap();
    let victim = outside.path().join("resolv.conf");
    fs::write(&victim, "mine").unwrap();
    for name in ["proc", "dev", "sys"] {
        symlink(outside.path(), image.path().join(name)).unwrap();
    }
    symlink(&victim, image.path().join("etc/resolv.conf")).unwrap();
    symlink("../../../../../../../..", image.path().join("up")).unwrap();
    symlink("/proc/1/root", image.path().join("init")).unwrap();
    fs::remove_file(image.path().join("etc/hosts")).ok();
    rustix::fs::mknodat(
        rustix::fs::CWD,
        image.path().join("etc/hosts"),
        rustix::fs::FileType::Fifo,
        rustix::fs::Mode::from_raw_mode(0o666),
        0,
    )
    .unwrap();
    let script = format!(
        "cat /etc/resolv.conf; cat /etc/hosts | head -n 1; ls -d /proc/self /dev/null /sys/devices; ls /up; ls /init/; cat {}",
        victim.display()
    );
    let outcome = image.run(&script);
    assert!(outcome.output.starts_with("nameserver 169.254.169.253\n127.0.0.1\tlocalhost\n"), "{outcome:?}");
    assert!(outcome.output.contains("/dev/null") && outcome.output.contains("/sys/devices"), "{outcome:?}");
    assert!(!outcome.output.contains("mine") && !outcome.output.contains("vmlinuz"), "{outcome:?}");
    assert_eq!(fs::read_to_string(&victim).unwrap(), "mine");
    assert_eq!(fs::read_dir(outside.path()).unwrap().count(), 1, "nothing was made outside");
}

#[test]
fn etc_as_a_link_to_outside_is_a_link_inside() {
    let Some(image) = Image::new() else { return };
    let outside = tempfile::tempdir().unwrap();
    fs::remove_dir_all(image.path().join("etc")).unwrap();
    symlink(outside.path(), image.path().join("etc")).unwrap();
    assert_eq!(image.run("echo alive").ok(), "alive\n");
    assert_eq!(fs::read_dir(outside.path()).unwrap().count(), 0);
}

#[test]
fn device_nodes_and_set_user_bits_have_no_effect() {
    if !rustix::process::geteuid().is_root() {
        eprintln!("skipped: only root can put devices and root's programs into an image");
        return;
    }
    let Some(image) = Image::new() else { return };
    let memory = rustix::fs::makedev(1, 1);
    let mode = rustix::fs::Mode::from_raw_mode(0o666);
    rustix::fs::mknodat(
        rustix::fs::CWD,
        image.path().join("memory"),
        rustix::fs::FileType::CharacterDevice,
        mode,
        memory,
    )
    .unwrap();
    let powerful = image.path().join("opt/busybox");
    fs::copy(image.path().join("bin/busybox"), &powerful).unwrap();
    fs::set_permissions(&powerful, fs::Permissions::from_mode(0o6755)).unwrap();
    let mut plan = image
        .script("head -c 1 /memory; mknod /tmp/memory c 1 1; /opt/busybox id -u; /opt/busybox cat /locked");
    plan.user = Some("app".to_owned());
    image.file("locked", "secret");
    fs::set_permissions(image.path().join("locked"), fs::Permissions::from_mode(0o600)).unwrap();
    let outcome = run(&plan);
    assert_eq!(outcome.output, "1000\n", "{outcome:?}");
    assert!(outcome.error.contains("/memory: Permission denied"), "{outcome:?}");
    assert!(outcome.error.contains("mknod: /tmp/memory: Operation not permitted"), "{outcome:?}");
}

#[test]
fn processes_are_limited_and_the_limit_is_seen() {
    let Some(image) = Image::new() else { return };
    let mut plan = image.script("f() { f | f & }; f 2>/dev/null; sleep 100");
    plan.limits.processes = 64;
    let footprint = Footprint::now();
    let mut sandbox = start(&plan);
    let begun = Instant::now();
    if !sandbox.blind_spots().contains(&launchpath_rehearse::subject::BlindSpot::Limits) {
        while !sandbox.usage().process_limit_met {
            assert!(begun.elapsed() < PATIENCE, "the limit was never met");
            std::thread::sleep(Duration::from_millis(5));
        }
    }
    let inside = Inside::now();
    let stopping = Instant::now();
    sandbox.stop();
    assert!(stopping.elapsed() < Duration::from_secs(10));
    footprint.assert_unchanged(&inside);
}

#[test]
fn memory_is_limited_and_the_kill_is_seen() {
    let Some(image) = Image::new() else { return };
    let mut plan = image.plan(&["tail", "/dev/zero"]);
    plan.limits.memory = 48 << 20;
    let mut sandbox = start(&plan);
    if sandbox.blind_spots().contains(&launchpath_rehearse::subject::BlindSpot::Limits) {
        eprintln!("skipped: no control groups may be made here");
        return;
    }
    assert_eq!(wait(&mut sandbox).how, Ending::Signal(9));
    let usage = sandbox.usage();
    assert!(usage.out_of_memory >= 1 && usage.peak_memory.unwrap() > 40 << 20, "{usage:?}");
    sandbox.stop();
    assert_eq!(sandbox.usage(), usage, "known also when everything is removed");
}

#[test]
fn space_and_files_are_limited() {
    let Some(image) = Image::new() else { return };
    let mut plan = image.script("dd if=/dev/zero of=/tmp/big bs=1M count=100 2>&1 | grep -o 'No space left'; rm /tmp/big; \
        i=0; while [ $i -lt 5000 ]; do echo > /tmp/f$i || break; i=$((i+1)); done 2>/dev/null; test $i -lt 3000 && echo limited");
    plan.limits.disk = 16 << 20;
    plan.limits.files = 2000;
    assert_eq!(run(&plan).ok(), "No space left\nlimited\n");
}

#[test]
fn very_deep_paths_and_many_files_are_forgotten() {
    let Some(image) = Image::new() else { return };
    let footprint = Footprint::now();
    let script = "cd /tmp; i=0; while [ $i -lt 3000 ]; do mkdir d && cd d || break; i=$((i+1)); done; echo $i; \
        cd /; i=0; while [ $i -lt 20000 ]; do echo > /tmp/f$i || break; i=$((i+1)); done; echo $i";
    let mut sandbox = start(&image.script(script));
    let inside = Inside::now();
    assert_eq!(wait(&mut sandbox).how, Ending::Code(0));
    let stopping = Instant::now();
    drop(sandbox);
    assert!(stopping.elapsed() < Duration::from_secs(10));
    footprint.assert_unchanged(&inside);
    assert_eq!(fs::read_dir(image.path().join("tmp")).unwrap().count(), 0);
}

#[test]
fn signals_stay_inside_and_children_end_with_the_first_process() {
    let Some(image) = Image::new() else { return };
    let footprint = Footprint::now();
    let mut sandbox = start(&image.script(
        "sleep 1000 & kill -9 -1; setsid sleep 2000 >/dev/null 2>&1 & sleep 0.2; echo alive; exit 4",
    ));
    let inside = Inside::now();
    assert_eq!(wait(&mut sandbox).how, Ending::Code(4));
    Footprint::assert_gone(&inside.inner);
    sandbox.stop();
    footprint.assert_unchanged(&inside);
}

#[test]
fn a_flood_of_output_holds_nobody_up_and_fills_no_memory() {
    let Some(image) = Image::new() else { return };
    let before = resident();
    let mut sandbox = start(&image.script("yes & yes >&2 & sleep 1000"));
    let begun = Instant::now();
    while sandbox.lost_output() < 4 << 20 {
        assert!(begun.elapsed() < PATIENCE, "{} lost", sandbox.lost_output());
        std::thread::sleep(Duration::from_millis(5));
    }
    assert!(resident() < before + (64 << 20), "{} after {before}", resident());
    assert_eq!(sandbox.exited(), None);
    sandbox.stop();
    let kept: usize = sandbox.take_output().unwrap().try_iter().map(|printed| printed.bytes.len()).sum();
    assert!(kept > 128 << 10 && kept < 32 << 20, "{kept}");
}

#[test]
fn closing_its_output_is_no_end() {
    let Some(image) = Image::new() else { return };
    let mut sandbox = start(&image.script("exec >&- 2>&-; sleep 0.3; exit 3"));
    std::thread::sleep(Duration::from_millis(100));
    assert_eq!(sandbox.exited(), None);
    assert_eq!(wait(&mut sandbox).how, Ending::Code(3));
}

/// Memory of this process that is in use, in bytes.
fn resident() -> u64 {
    let text = fs::read_to_string("/proc/self/statm").unwrap();
    text.split(' ').nth(1).unwrap().parse::<u64>().unwrap() * 4096
}

/// Not a test by itself: the process that [`killed_without_warning_nothing_is_left`] kills.
#[test]
fn hold() {
    if std::env::var_os("LAUNCHPATH_TEST_HOLD").is_none() {
        return;
    }
    let image = Image::new().unwrap();
    let _sandbox = start(&image.script("setsid sleep 3000 & sleep 4000"));
    println!("holding {}", serde_json::to_string(&Inside::now()).unwrap());
    std::thread::sleep(PATIENCE);
}

#[test]
fn killed_without_warning_nothing_is_left() {
    let Some(image) = Image::new() else { return };
    for signal in [rustix::process::Signal::KILL, rustix::process::Signal::INT] {
        let footprint = Footprint::now();
        let mut holder = Command::new(std::env::current_exe().unwrap())
            .args(["--exact", "sandbox::hostile::hold", "--nocapture"])
            .env("LAUNCHPATH_TEST_HOLD", "1")
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let mut lines = BufReader::new(holder.stdout.take().unwrap()).lines();
        let inside = lines
            .find_map(|line| line.unwrap().split_once("holding ").map(|(_, rest)| rest.to_owned()))
            .unwrap();
        let inside: Inside = serde_json::from_str(&inside).unwrap();
        let process = rustix::process::Pid::from_child(&holder);
        rustix::process::kill_process(process, signal).unwrap();
        holder.wait().unwrap();
        Footprint::assert_gone(&inside.all);
        // The next sandbox sweeps away the groups of one that is no longer there.
        assert_eq!(image.run("echo next").ok(), "next\n");
        footprint.assert_unchanged(&inside);
    }
}

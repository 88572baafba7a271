//! Programs of another architecture, under an emulator.

use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};

use launchpath_rehearse::sandbox::{self, Emulator, SandboxError};
use launchpath_rehearse::subject::{BlindSpot, Ending, StartFailure, Subject as _};

use super::image::{Image, run};

/// A static program for 64-bit Arm that writes `hello` and exits with 7.
fn hello() -> Vec<u8> {
    let code: [u32; 8] = [
        0xd280_0020, // mov x0, #1
        0x1000_00e1, // adr x1, the text behind the code
        0xd280_00c2, // mov x2, #6
        0xd280_0808, // mov x8, #64: write
        0xd400_0001, // svc #0
        0xd280_00e0, // mov x0, #7
        0xd280_0ba8, // mov x8, #93: exit
        0xd400_0001, // svc #0
    ];
    const BASE: u64 = 0x40_0000;
    const HEADERS: u64 = 64 + 56;
    let length = HEADERS + 4 * code.len() as u64 + 6;
    let mut bytes = b"\x7fELF\x02\x01\x01\0\0\0\0\0\0\0\0\0".to_vec();
    bytes.extend(2_u16.to_le_bytes()); // executable
    bytes.extend(183_u16.to_le_bytes()); // AArch64
    bytes.extend(1_u32.to_le_bytes());
    bytes.extend((BASE + HEADERS).to_le_bytes());
    bytes.extend(64_u64.to_le_bytes());
    bytes.extend(0_u64.to_le_bytes());
    bytes.extend(0_u32.to_le_bytes());
    for half in [64_u16, 56, 1, 64, 0, 0] {
        bytes.extend(half.to_le_bytes());
    }
    bytes.extend(1_u32.to_le_bytes()); // to be loaded
    bytes.extend(5_u32.to_le_bytes()); // readable, executable
    for word in [0, BASE, BASE, length, length, 0x1_0000] {
        bytes.extend(word.to_le_bytes());
    }
    bytes.extend(code.iter().flat_map(|word| word.to_le_bytes()));
    bytes.extend(b"hello\n");
    bytes
}

fn image_with_hello() -> Option<Image> {
    if cfg!(target_arch = "aarch64") {
        eprintln!("skipped: this machine needs no emulator for it");
        return None;
    }
    let image = Image::new()?;
    let path = image.path().join("bin/hello");
    std::fs::write(&path, hello()).unwrap();
    std::fs::set_permissions(path, std::fs::Permissions::from_mode(0o755)).unwrap();
    Some(image)
}

#[test]
fn without_an_emulator_another_architecture_is_no_program() {
    let Some(image) = image_with_hello() else { return };
    if Path::new("/proc/sys/fs/binfmt_misc/qemu-aarch64").exists() {
        eprintln!("skipped: this machine runs such programs by itself");
        return;
    }
    let how = run(&image.plan(&["hello"])).exit.how;
    let program = "/bin/hello".to_owned();
    let architecture = "arm64".to_owned();
    assert_eq!(how, Ending::NotStarted(StartFailure::OtherMachine { program, architecture }));
}

#[test]
fn with_an_emulator_it_runs_and_so_does_what_it_starts() {
    let Some(image) = image_with_hello() else { return };
    let emulator = PathBuf::from("/usr/bin/qemu-aarch64-static");
    if !emulator.exists() {
        eprintln!("skipped: no qemu-aarch64-static on this machine (Debian: qemu-user-static)");
        return;
    }
    let mut plan = image.plan(&["hello"]);
    plan.emulator = Some(Emulator::QemuAarch64(emulator));
    let mut sandbox = match sandbox::start(&plan) {
        Ok(sandbox) => sandbox,
        Err(SandboxError::Unsupported { why, .. }) => {
            eprintln!("skipped: {why}");
            return;
        }
        Err(error) => panic!("{error}"),
    };
    assert!(sandbox.blind_spots().contains(&BlindSpot::Timing));
    sandbox.stop();
    let outcome = run(&plan);
    assert_eq!(
        (outcome.output.as_str(), outcome.exit.how),
        ("hello\n", Ending::Code(7)),
        "{}",
        outcome.error
    );
    plan.argv = ["sh", "-c", "hello; echo $?"].map(str::to_owned).to_vec();
    assert_eq!(run(&plan).ok(), "hello\n7\n");
    assert!(!Path::new("/proc/sys/fs/binfmt_misc/launchpath-aarch64").exists(), "for the sandbox alone");
}

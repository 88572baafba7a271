//! The program of an image: where it may lie, and what it means when the kernel will not start it.
//!
//! The kernel says "no such file" both for a program that is not there and for one whose interpreter is not; only a look at the
//! file tells them apart. Every look stays inside the image.

use std::io::Read as _;
use std::os::fd::OwnedFd;

use rustix::fs::{Mode, OFlags, ResolveFlags};
use rustix::io::Errno;

use launchpath_image::elf::{Elf, Machine};

use crate::subject::StartFailure;

/// Where programs are looked for when the image does not say, as container engines have it.
pub(super) const DEFAULT_PATH: &str = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";

/// How much of a program is read to find its interpreter.
const HEAD: u64 = 64 << 10;

/// The paths to try for `program`, in order.
pub(super) fn candidates(program: &str, environment: &[String]) -> Vec<String> {
    if program.contains('/') {
        return vec![program.to_owned()];
    }
    let path = environment.iter().rev().find_map(|entry| entry.strip_prefix("PATH=")).unwrap_or(DEFAULT_PATH);
    path.split(':')
        .map(|folder| if folder.is_empty() { format!("./{program}") } else { format!("{folder}/{program}") })
        .collect()
}

/// What it means that none of `candidates` could be started; `errors` has the kernel's answer for each that was tried.
pub(super) fn failure(
    root: &OwnedFd,
    program: &str,
    candidates: &[String],
    cwd: &str,
    errors: &[Errno],
) -> StartFailure {
    let at = |wanted: Errno| {
        errors.iter().position(|error| *error == wanted).and_then(|index| candidates.get(index))
    };
    if let Some(path) = at(Errno::ACCESS) {
        return StartFailure::PermissionDenied(path.clone());
    }
    if let Some(path) = at(Errno::NOEXEC).or_else(|| at(Errno::LIBBAD)) {
        return match other_machine(root, path, cwd, 4) {
            Some(architecture) => StartFailure::OtherMachine { program: path.clone(), architecture },
            None => StartFailure::ExecFormat(path.clone()),
        };
    }
    for path in candidates {
        if let Some(interpreter) = missing_interpreter(root, path, cwd, 4) {
            return StartFailure::InterpreterMissing { program: path.clone(), interpreter };
        }
    }
    match errors.last() {
        Some(&Errno::NOENT | &Errno::NOTDIR) | None => StartFailure::NotFound(program.to_owned()),
        Some(error) => StartFailure::Other(format!("{program}: {}", std::io::Error::from(*error))),
    }
}

/// The interpreter that `path` needs and the image does not have. A script may name a program that itself needs one.
fn missing_interpreter(root: &OwnedFd, path: &str, cwd: &str, depth: u32) -> Option<String> {
    let head = head(root, path, cwd)?;
    let interpreter = interpreter(&head)?;
    if self::head(root, &interpreter, cwd).is_none() {
        return Some(interpreter);
    }
    depth.checked_sub(1).and_then(|depth| missing_interpreter(root, &interpreter, cwd, depth))
}

/// The architecture of `path`, or of the interpreter that it names, when that is not this machine's.
fn other_machine(root: &OwnedFd, path: &str, cwd: &str, depth: u32) -> Option<String> {
    let head = head(root, path, cwd)?;
    if head.starts_with(b"#!") {
        let interpreter = interpreter(&head)?;
        return depth.checked_sub(1).and_then(|depth| other_machine(root, &interpreter, cwd, depth));
    }
    let machine = Elf::read(|start, length| {
        let start = usize::try_from(start).ok()?;
        let end = start.checked_add(usize::try_from(length).ok()?)?;
        head.get(start..end.min(head.len())).map(<[u8]>::to_vec)
    })?
    .machine?;
    (Some(machine) != Machine::of_architecture(std::env::consts::ARCH))
        .then(|| machine.architecture().to_owned())
}

/// The beginning of a file of the image; `None` when it is not there.
fn head(root: &OwnedFd, path: &str, cwd: &str) -> Option<Vec<u8>> {
    let path = if path.starts_with('/') { path.to_owned() } else { format!("{cwd}/{path}") };
    let open = |flags| {
        rustix::fs::openat2(
            root,
            path.as_str(),
            flags,
            Mode::empty(),
            ResolveFlags::IN_ROOT | ResolveFlags::NO_MAGICLINKS,
        )
    };
    open(OFlags::PATH | OFlags::CLOEXEC).ok()?;
    let mut bytes = Vec::new();
    let flags = OFlags::RDONLY | OFlags::CLOEXEC | OFlags::NONBLOCK | OFlags::NOCTTY;
    if let Ok(file) = open(flags).map(std::fs::File::from)
        && file.metadata().is_ok_and(|metadata| metadata.is_file())
    {
        // What cannot be read has no interpreter that we could name.
        let _unreadable = file.take(HEAD).read_to_end(&mut bytes);
    }
    Some(bytes)
}

/// What a program names as its interpreter: the first line of a script, or the loader in an ELF header.
fn interpreter(head: &[u8]) -> Option<String> {
    if let Some(line) = head.strip_prefix(b"#!") {
        let line = line.split(|byte| *byte == b'\n').next()?;
        let text = String::from_utf8_lossy(line.get(..line.len().min(255))?).into_owned();
        let first = text.trim_matches([' ', '\t']).split([' ', '\t']).next()?.to_owned();
        return Some(first).filter(|first| !first.is_empty());
    }
    elf_loader(head)
}

/// `PT_INTERP` of a 64-bit little-endian ELF file: the only kind that the two architectures of the service run.
fn elf_loader(head: &[u8]) -> Option<String> {
    const PT_INTERP: u32 = 3;
    if !head.starts_with(b"\x7fELF\x02\x01") {
        return None;
    }
    let number = |at: usize, length: usize| {
        let mut wide = [0; 8];
        wide.get_mut(..length)?.copy_from_slice(head.get(at..at.checked_add(length)?)?);
        usize::try_from(u64::from_le_bytes(wide)).ok()
    };
    let (table, size, count) = (number(32, 8)?, number(54, 2)?, number(56, 2)?);
    (0..count).find_map(|index| {
        let entry = table.checked_add(index.checked_mul(size)?)?;
        if number(entry, 4)? != PT_INTERP as usize {
            return None;
        }
        let (offset, length) = (number(entry.checked_add(8)?, 8)?, number(entry.checked_add(32)?, 8)?);
        let name = head.get(offset..offset.checked_add(length)?)?;
        let name = name.split(|byte| *byte == 0).next()?;
        Some(String::from_utf8_lossy(name).into_owned()).filter(|name| !name.is_empty())
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn programs_are_looked_for_as_the_image_says() {
        let environment = vec!["PATH=/a:/b:".to_owned()];
        assert_eq!(candidates("python3", &environment), ["/a/python3", "/b/python3", "./python3"]);
        assert_eq!(candidates("./run.sh", &environment), ["./run.sh"]);
        assert_eq!(candidates("x", &[])[0], "/usr/local/sbin/x");
    }

    #[test]
    fn interpreters_are_read_from_first_lines_and_elf_headers() {
        assert_eq!(interpreter(b"#! /usr/bin/env python3\nprint()").as_deref(), Some("/usr/bin/env"));
        assert_eq!(interpreter(b"#!\n"), None);
        assert_eq!(interpreter(b"print()"), None);
        let own = std::fs::read(std::env::current_exe().unwrap()).unwrap();
        assert!(interpreter(&own[..4096]).is_none_or(|loader| loader.contains("ld-")), "of this test itself");
        for length in 0..128.min(own.len()) {
            let _must_not_panic = interpreter(&own[..length]);
        }
        let mut broken = own[..4096].to_vec();
        broken[32..40].fill(0xff);
        assert_eq!(interpreter(&broken), None);
    }

    #[test]
    fn what_the_kernel_said_is_told_apart() {
        let folder = tempfile::tempdir().unwrap();
        std::fs::write(folder.path().join("script"), "#!/no/such/shell\n").unwrap();
        std::fs::write(folder.path().join("nested"), "#!/script\n").unwrap();
        std::os::unix::fs::symlink("/script", folder.path().join("link")).unwrap();
        let root: OwnedFd = std::fs::File::open(folder.path()).unwrap().into();
        let of = |path: &str, error: Errno| failure(&root, path, &[path.to_owned()], "/", &[error]);
        let missing = |program: &str| StartFailure::InterpreterMissing {
            program: program.to_owned(),
            interpreter: "/no/such/shell".to_owned(),
        };
        assert_eq!(of("/script", Errno::NOENT), missing("/script"));
        assert_eq!(of("/link", Errno::NOENT), missing("/link"));
        assert_eq!(of("./nested", Errno::NOENT), missing("./nested"));
        assert_eq!(of("/other", Errno::NOENT), StartFailure::NotFound("/other".to_owned()));
        assert_eq!(of("/script", Errno::ACCESS), StartFailure::PermissionDenied("/script".to_owned()));
        assert_eq!(of("/script", Errno::NOEXEC), StartFailure::ExecFormat("/script".to_owned()));
        let mut elf = vec![0; 64];
        // IBM's mainframes: nobody runs these tests on one.
        elf[..20].copy_from_slice(b"\x7fELF\x02\x01\x01\0\0\0\0\0\0\0\0\0\x02\0\x16\0");
        std::fs::write(folder.path().join("program"), &elf).unwrap();
        std::fs::write(folder.path().join("starter"), "#!/program\n").unwrap();
        std::fs::write(folder.path().join("text"), "echo\n").unwrap();
        let other = |program: &str| StartFailure::OtherMachine {
            program: program.to_owned(),
            architecture: "another architecture".to_owned(),
        };
        assert_eq!(of("/program", Errno::NOEXEC), other("/program"));
        assert_eq!(of("/starter", Errno::NOEXEC), other("/starter"));
        assert_eq!(of("/text", Errno::NOEXEC), StartFailure::ExecFormat("/text".to_owned()));
    }
}

//! The file systems of a sandbox: the image under a writable layer in memory, and what every Linux process expects beside it.
//!
//! Everything is made while this machine's files can still be seen, but attached only when the image has become the root and
//! nothing of this machine is left: so no link in the image, however made, leads anywhere else.

use std::ffi::CStr;
use std::os::fd::{AsFd, OwnedFd};

use rustix::fs::{AtFlags, CWD, FileType, Mode, OFlags};
use rustix::io::Errno;
use rustix::mount::{
    FsMountFlags, FsOpenFlags, MountAttrFlags, MountPropagationFlags, MoveMountFlags, OpenTreeFlags,
    UnmountFlags, fsconfig_create, fsconfig_set_flag, fsconfig_set_string, fsmount, fsopen, mount_change,
    move_mount, open_tree, unmount,
};

use super::inside::Failure;
use super::kernel::{self, MountChange};
use super::prepared::Prepared;
use super::step::Step;

const PLAIN: MountAttrFlags = MountAttrFlags::MOUNT_ATTR_NOSUID.union(MountAttrFlags::MOUNT_ATTR_NODEV);
const DATA: MountAttrFlags = PLAIN.union(MountAttrFlags::MOUNT_ATTR_NOEXEC);

/// Where the layers are put together before the image is the root: whichever of these this machine has.
const STAGES: [&CStr; 4] = [c"/tmp", c"/sys", c"/dev", c"/mnt"];

/// The devices of this machine that a process may use. None holds anything.
const DEVICES: [(&CStr, &CStr); 6] = [
    (c"/dev/null", c"null"),
    (c"/dev/zero", c"zero"),
    (c"/dev/full", c"full"),
    (c"/dev/random", c"random"),
    (c"/dev/urandom", c"urandom"),
    (c"/dev/tty", c"tty"),
];

const DEVICE_LINKS: [(&CStr, &CStr); 5] = [
    (c"/proc/self/fd", c"fd"),
    (c"/proc/self/fd/0", c"stdin"),
    (c"/proc/self/fd/1", c"stdout"),
    (c"/proc/self/fd/2", c"stderr"),
    (c"pts/ptmx", c"ptmx"),
];

/// What tells of this machine, or acts on it: hidden, as container engines do.
const HIDDEN_FILES: [&CStr; 9] = [
    c"kcore",
    c"keys",
    c"key-users",
    c"latency_stats",
    c"timer_list",
    c"timer_stats",
    c"sched_debug",
    c"kallsyms",
    c"config.gz",
];
const HIDDEN_FOLDERS: [&CStr; 4] = [c"acpi", c"asound", c"scsi", c"driver"];
const UNCHANGEABLE: [&CStr; 5] = [c"bus", c"fs", c"irq", c"sys", c"sysrq-trigger"];

/// Makes the image the root of this process, with everything that belongs into it.
pub(super) fn enter(prepared: &Prepared, files: Option<&OwnedFd>) -> Result<(), Failure> {
    let private = MountPropagationFlags::PRIVATE | MountPropagationFlags::REC;
    mount_change(c"/", private).map_err(Failure::at(Step::Private))?;
    let proc = file_system(c"proc", &[], DATA).map_err(Failure::at(Step::Proc))?;
    let devices = devices(prepared).map_err(Failure::at(Step::Devices))?;
    let system = system(prepared).map_err(Failure::at(Step::Devices))?;
    let (root, facts) = image(prepared, files)?;

    pivot(&root).map_err(Failure::at(Step::Pivot))?;

    attach(&proc, c"/proc").map_err(Failure::at(Step::Attach))?;
    attach(&devices.root, c"/dev").map_err(Failure::at(Step::Attach))?;
    attach(&devices.terminals, c"/dev/pts").map_err(Failure::at(Step::Attach))?;
    attach(&devices.memory, c"/dev/shm").map_err(Failure::at(Step::Attach))?;
    lay_facts(prepared, &facts, &proc).map_err(Failure::at(Step::Proc))?;
    attach(&system, c"/sys").map_err(Failure::at(Step::Attach))?;
    shield(&proc).map_err(Failure::at(Step::Proc))?;
    host_files(prepared).map_err(Failure::at(Step::Etc))
}

/// A file system of its own, attached nowhere yet.
pub(super) fn file_system(
    kind: &CStr,
    options: &[(&CStr, &CStr)],
    attributes: MountAttrFlags,
) -> Result<OwnedFd, Errno> {
    let context = fsopen(kind, FsOpenFlags::FSOPEN_CLOEXEC)?;
    for (key, value) in options {
        fsconfig_set_string(context.as_fd(), *key, *value)?;
    }
    fsconfig_create(context.as_fd())?;
    fsmount(context.as_fd(), FsMountFlags::FSMOUNT_CLOEXEC, attributes)
}

/// A second view of what is at `path`.
fn view(at: impl AsFd, path: &CStr) -> Result<OwnedFd, Errno> {
    open_tree(at, path, OpenTreeFlags::OPEN_TREE_CLONE | OpenTreeFlags::OPEN_TREE_CLOEXEC)
}

/// Attaches a file system in the place of a file or folder.
fn cover(mount: &OwnedFd, at: impl AsFd, path: &CStr) -> Result<(), Errno> {
    move_mount(mount, c"", at, path, MoveMountFlags::MOVE_MOUNT_F_EMPTY_PATH)
}

/// Views of the files that lie over those of `/proc`, in the order of [`Prepared::facts`].
type Facts = [Option<OwnedFd>; FACTS];

/// How many there are.
pub(super) const FACTS: usize = 2;

/// The image under a writable layer, and the files for `/proc`, which lie beside that layer and can be seen nowhere else.
fn image(prepared: &Prepared, files: Option<&OwnedFd>) -> Result<(OwnedFd, Facts), Failure> {
    let at = Failure::at(Step::Overlay);
    // Before the stage covers anything: the image may lie below it.
    let own = if files.is_none() { Some(view(CWD, &prepared.root).map_err(&at)?) } else { None };
    let options =
        [(c"size", &*prepared.scratch.size), (c"nr_inodes", &*prepared.scratch.files), (c"mode", c"0755")];
    let scratch = file_system(c"tmpfs", &options, PLAIN).map_err(Failure::at(Step::Scratch))?;
    stage(&scratch).map_err(Failure::at(Step::Scratch))?;
    rustix::process::fchdir(&scratch).map_err(Failure::at(Step::Scratch))?;
    for folder in [c"image", c"written", c"work", c"root", c"facts"] {
        rustix::fs::mkdirat(&scratch, folder, Mode::from_raw_mode(0o755))
            .map_err(Failure::at(Step::Scratch))?;
    }
    if let Some(files) = files.or(own.as_ref()) {
        cover(files, &scratch, c"image").map_err(&at)?;
    }
    let root = overlay().map_err(&at)?;
    cover(&root, &scratch, c"root").map_err(&at)?;
    let facts = facts(prepared, &scratch).map_err(Failure::at(Step::Proc))?;
    Ok((root, facts))
}

/// By relative paths, so that no path of this machine appears among the mounts of the sandbox.
fn overlay() -> Result<OwnedFd, Errno> {
    let context = fsopen(c"overlay", FsOpenFlags::FSOPEN_CLOEXEC)?;
    for (key, value) in [(c"lowerdir", c"image"), (c"upperdir", c"written"), (c"workdir", c"work")] {
        fsconfig_set_string(context.as_fd(), key, value)?;
    }
    // Without this, marks of deleted files would need rights that a user namespace does not give.
    fsconfig_set_flag(context.as_fd(), c"userxattr")?;
    fsconfig_create(context.as_fd())?;
    fsmount(context.as_fd(), FsMountFlags::FSMOUNT_CLOEXEC, PLAIN)
}

fn stage(scratch: &OwnedFd) -> Result<(), Errno> {
    let mut result = Err(Errno::NOENT);
    for place in STAGES {
        result = cover(scratch, CWD, place);
        if result.is_ok() {
            break;
        }
    }
    result
}

/// Makes `root` the root, and lets go of everything else.
fn pivot(root: &OwnedFd) -> Result<(), Errno> {
    rustix::process::fchdir(root)?;
    rustix::process::pivot_root(c".", c".")?;
    // The old root now covers the new one.
    unmount(c".", UnmountFlags::DETACH)?;
    rustix::process::chdir(c"/")
}

/// Attaches at a path of the image, which is made a folder when it is anything else.
fn attach(mount: &OwnedFd, path: &CStr) -> Result<(), Errno> {
    make_folder(path)?;
    let flags = OFlags::PATH | OFlags::DIRECTORY | OFlags::NOFOLLOW | OFlags::CLOEXEC;
    let place = rustix::fs::open(path, flags, Mode::empty())?;
    let flags = MoveMountFlags::MOVE_MOUNT_F_EMPTY_PATH | MoveMountFlags::MOVE_MOUNT_T_EMPTY_PATH;
    move_mount(mount, c"", &place, c"", flags)
}

fn make_folder(path: &CStr) -> Result<(), Errno> {
    let mode = Mode::from_raw_mode(0o755);
    match rustix::fs::mkdirat(CWD, path, mode) {
        Err(Errno::EXIST) => {}
        other => return other,
    }
    let found = rustix::fs::statat(CWD, path, AtFlags::SYMLINK_NOFOLLOW)?;
    if FileType::from_raw_mode(found.st_mode) == FileType::Directory {
        return Ok(());
    }
    rustix::fs::unlinkat(CWD, path, AtFlags::empty())?;
    rustix::fs::mkdirat(CWD, path, mode)
}

struct Devices {
    root: OwnedFd,
    terminals: OwnedFd,
    memory: OwnedFd,
}

fn devices(prepared: &Prepared) -> Result<Devices, Errno> {
    let attributes = MountAttrFlags::MOUNT_ATTR_NOSUID.union(MountAttrFlags::MOUNT_ATTR_NOEXEC);
    let root = file_system(c"tmpfs", &[(c"size", c"64k"), (c"mode", c"0755")], attributes)?;
    for (device, name) in DEVICES {
        let place = OFlags::WRONLY | OFlags::CREATE | OFlags::CLOEXEC;
        drop(rustix::fs::openat(&root, name, place, Mode::from_raw_mode(0o666))?);
        cover(&view(CWD, device)?, &root, name)?;
    }
    for (target, name) in DEVICE_LINKS {
        rustix::fs::symlinkat(target, &root, name)?;
    }
    for folder in [c"pts", c"shm"] {
        rustix::fs::mkdirat(&root, folder, Mode::from_raw_mode(0o755))?;
    }
    let terminals = [(c"ptmxmode", c"0666"), (c"mode", c"0620")];
    let terminals = file_system(c"devpts", &terminals, attributes)?;
    let memory = [(c"size", &*prepared.scratch.shared_memory), (c"mode", c"1777")];
    let memory = file_system(c"tmpfs", &memory, DATA)?;
    Ok(Devices { root, terminals, memory })
}

/// `/sys` with nothing but the number of processors, which C libraries read there.
fn system(prepared: &Prepared) -> Result<OwnedFd, Errno> {
    let root = file_system(c"tmpfs", &[(c"size", c"64k"), (c"mode", c"0755")], DATA)?;
    for folder in [c"devices", c"devices/system", c"devices/system/cpu", c"fs", c"fs/cgroup"] {
        rustix::fs::mkdirat(&root, folder, Mode::from_raw_mode(0o755))?;
    }
    for file in [c"devices/system/cpu/online", c"devices/system/cpu/possible", c"devices/system/cpu/present"]
    {
        write_new(&root, file, &prepared.processor_list)?;
    }
    kernel::change_mount(root.as_fd(), MountChange::ReadOnly)?;
    Ok(root)
}

fn write_new(at: impl AsFd, path: &CStr, content: &[u8]) -> Result<(), Errno> {
    let flags = OFlags::WRONLY | OFlags::CREATE | OFlags::EXCL | OFlags::NOFOLLOW | OFlags::CLOEXEC;
    let file = rustix::fs::openat(at, path, flags, Mode::from_raw_mode(0o644))?;
    let mut rest = content;
    while !rest.is_empty() {
        let written = rustix::io::write(&file, rest)?;
        rest = rest.get(written..).unwrap_or(&[]);
    }
    Ok(())
}

/// Hides what of `/proc` tells of this machine, and keeps what acts on it from being written.
fn shield(proc: &OwnedFd) -> Result<(), Errno> {
    let absent = |result: Result<(), Errno>| if result == Err(Errno::NOENT) { Ok(()) } else { result };
    // Looked for first: to let go of a view that was laid nowhere, the kernel waits for every processor.
    let is_there = |name: &CStr| rustix::fs::statat(proc, name, AtFlags::SYMLINK_NOFOLLOW).is_ok();
    for name in HIDDEN_FILES {
        if is_there(name) {
            cover(&view(CWD, c"/dev/null")?, proc, name)?;
        }
    }
    for name in HIDDEN_FOLDERS {
        if is_there(name) {
            let nothing = file_system(c"tmpfs", &[(c"size", c"4k"), (c"mode", c"0555")], DATA)?;
            kernel::change_mount(nothing.as_fd(), MountChange::ReadOnly)?;
            cover(&nothing, proc, name)?;
        }
    }
    for name in UNCHANGEABLE {
        absent(view(proc, name).and_then(|same| {
            kernel::change_mount(same.as_fd(), MountChange::ReadOnly)?;
            cover(&same, proc, name)
        }))?;
    }
    Ok(())
}

/// Writes the files that speak of the sandbox where `/proc` speaks of this machine. A view can be had only of what is attached, so
/// this comes before the image is the root.
fn facts(prepared: &Prepared, scratch: &OwnedFd) -> Result<Facts, Errno> {
    let flags = OFlags::PATH | OFlags::DIRECTORY | OFlags::CLOEXEC;
    let folder = rustix::fs::openat(scratch, c"facts", flags, Mode::empty())?;
    let mut views: Facts = [const { None }; FACTS];
    for ((name, content), place) in prepared.facts.iter().zip(&mut views) {
        write_new(&folder, name, content)?;
        let file = view(&folder, name)?;
        kernel::change_mount(file.as_fd(), MountChange::ReadOnly)?;
        *place = Some(file);
    }
    Ok(views)
}

fn lay_facts(prepared: &Prepared, facts: &Facts, proc: &OwnedFd) -> Result<(), Errno> {
    for ((name, _), file) in prepared.facts.iter().zip(facts.iter().flatten()) {
        cover(file, proc, name)?;
    }
    Ok(())
}

/// Writes the files of `/etc` that the host gives, in place of the image's. An image whose `/etc` will not have it does without.
fn host_files(prepared: &Prepared) -> Result<(), Errno> {
    let flags = OFlags::PATH | OFlags::DIRECTORY | OFlags::CLOEXEC;
    let folder = match rustix::fs::open(c"/etc", flags, Mode::empty()) {
        Err(Errno::NOENT) => {
            // Also where `/etc` is a link to nowhere; then nothing can be written.
            let _taken = rustix::fs::mkdirat(CWD, c"/etc", Mode::from_raw_mode(0o755));
            rustix::fs::open(c"/etc", flags, Mode::empty())
        }
        other => other,
    };
    let Ok(folder) = folder else { return Ok(()) };
    for (name, content) in &prepared.host_files {
        // What stands there may be a link or a queue: it is replaced, never opened.
        let _absent = rustix::fs::unlinkat(&folder, &**name, AtFlags::empty());
        match write_new(&folder, name, content) {
            Ok(()) | Err(Errno::EXIST) => {}
            Err(error) => return Err(error),
        }
    }
    Ok(())
}

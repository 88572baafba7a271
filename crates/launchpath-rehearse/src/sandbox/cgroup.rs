//! Limits of memory, processors and processes: control groups of version 2, of version 1, or both side by side.
//!
//! A group is named after the process that made it, so that a later run finds what a killed one left behind. Where no group may
//! be made, [`Cgroup::create`] says so, and resource limits and a blind spot stand in.

use std::fs::{self, OpenOptions};
use std::io;
use std::os::fd::OwnedFd;
use std::path::{Path, PathBuf};
use std::thread::sleep;
use std::time::{Duration, Instant};

use super::plan::Limits;
use crate::maker;
use crate::subject::Usage;

const PREFIX: &str = "launchpath-";

/// How long the kernel may take to empty a group whose processes were killed.
const PATIENCE: Duration = Duration::from_secs(5);

/// The groups of one sandbox.
#[derive(Debug)]
pub(super) struct Cgroup {
    groups: Vec<Group>,
}

#[derive(Debug)]
struct Group {
    path: PathBuf,
    version: Version,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Version {
    /// One hierarchy for each controller.
    One,
    /// One hierarchy for all.
    Two,
}

/// The controllers that a sandbox needs.
const NEEDED: [&str; 3] = ["memory", "pids", "cpu"];

impl Cgroup {
    /// Makes the groups and sets the limits. `None` where that is not possible; then nothing is left behind.
    pub(super) fn create(number: u32, limits: &Limits) -> Option<Self> {
        let name = format!("{PREFIX}{}-{number}", maker::own()?);
        let mounts = mounts();
        let own = fs::read_to_string("/proc/self/cgroup").ok()?;
        let parents =
            version_one(&mounts, &own).map_or_else(|| version_two(&mounts, &own), |parents| vec![parents]);
        parents.iter().find_map(|parents| Self::create_under(parents, &name, limits))
    }

    fn create_under(parents: &[(PathBuf, Version)], name: &str, limits: &Limits) -> Option<Self> {
        let mut cgroup = Self { groups: Vec::new() };
        for (parent, version) in parents {
            sweep(parent);
            if *version == Version::Two {
                // Already on, or refused: what matters is whether the new group has the files.
                let _seen_below = fs::write(parent.join("cgroup.subtree_control"), "+memory +pids +cpu");
            }
            let path = parent.join(name);
            match fs::create_dir(&path) {
                Ok(()) => cgroup.groups.push(Group { path, version: *version }),
                // Two controllers in one hierarchy.
                Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {}
                Err(_) => {
                    cgroup.remove();
                    return None;
                }
            }
        }
        if cgroup.limit(limits).is_err() {
            cgroup.remove();
            return None;
        }
        Some(cgroup)
    }

    fn limit(&self, limits: &Limits) -> io::Result<()> {
        let period = 100_000;
        let quota = u64::from(limits.processors) * period;
        for (one, two, value) in [
            ("memory.limit_in_bytes", "memory.max", limits.memory.to_string()),
            ("pids.max", "pids.max", limits.processes.to_string()),
        ] {
            self.write(one, two, &value)?;
        }
        // No swap. Missing where the kernel does not count swap.
        for (one, two, value) in [
            (
                "memory.memsw.limit_in_bytes",
                "memory.swap.max",
                if self.is_two() { "0".to_owned() } else { limits.memory.to_string() },
            ),
            ("memory.swappiness", "", "0".to_owned()),
        ] {
            let _optional = self.write(one, two, &value);
        }
        let _optional = self.write("", "memory.oom.group", "0");
        if self.is_two() {
            self.write("", "cpu.max", &format!("{quota} {period}"))
        } else {
            self.write("cpu.cfs_period_us", "", &period.to_string())?;
            self.write("cpu.cfs_quota_us", "", &quota.to_string())
        }
    }

    fn is_two(&self) -> bool {
        self.groups.first().is_some_and(|group| group.version == Version::Two)
    }

    fn write(&self, one: &str, two: &str, value: &str) -> io::Result<()> {
        let path = self.file(one, two).ok_or(io::ErrorKind::NotFound)?;
        fs::write(path, value)
    }

    fn file(&self, one: &str, two: &str) -> Option<PathBuf> {
        self.groups.iter().find_map(|group| {
            let name = if group.version == Version::One { one } else { two };
            (!name.is_empty()).then(|| group.path.join(name)).filter(|path| path.exists())
        })
    }

    /// Where a process of one thread writes `0` to join. Opened here, because the process that joins has no rights on this machine.
    ///
    /// In version 1 a thread joins alone, and the process that joins has one only. To move whole processes the kernel first
    /// waits until no thread is being made anywhere, which takes longer than everything else that a start does.
    pub(super) fn entrances(&self) -> io::Result<Vec<OwnedFd>> {
        let open = |group: &Group| {
            let name = match group.version {
                Version::One => "tasks",
                Version::Two => "cgroup.procs",
            };
            OpenOptions::new().write(true).open(group.path.join(name)).map(OwnedFd::from)
        };
        self.groups.iter().map(open).collect()
    }

    /// What was used, and which limits were met.
    pub(super) fn usage(&self) -> Usage {
        let read = |one: &str, two: &str| self.file(one, two).and_then(|path| fs::read_to_string(path).ok());
        let counter = |text: Option<String>, name: &str| {
            let count = |text: &str| {
                text.lines()
                    .find_map(|line| line.strip_prefix(name)?.strip_prefix(' ')?.trim().parse::<u64>().ok())
            };
            text.as_deref().and_then(count).unwrap_or(0)
        };
        Usage {
            peak_memory: read("memory.max_usage_in_bytes", "memory.peak")
                .and_then(|text| text.trim().parse().ok()),
            out_of_memory: counter(read("memory.oom_control", "memory.events"), "oom_kill"),
            process_limit_met: counter(read("pids.events", "pids.events"), "max") > 0,
        }
    }

    /// Removes the groups, and whatever still runs in them.
    pub(super) fn remove(&self) {
        for group in &self.groups {
            empty_and_remove(&group.path);
        }
    }
}

impl Drop for Cgroup {
    fn drop(&mut self) {
        self.remove();
    }
}

/// Kills what runs in a group and removes it. What cannot be removed now is found by a later sweep.
fn empty_and_remove(path: &Path) {
    let until = Instant::now() + PATIENCE;
    loop {
        match fs::remove_dir(path) {
            Ok(()) => return,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return,
            Err(_) if Instant::now() > until => return,
            Err(_) => {}
        }
        for process in fs::read_to_string(path.join("cgroup.procs")).unwrap_or_default().lines() {
            if let Some(process) = process.parse().ok().and_then(rustix::process::Pid::from_raw) {
                let _gone_already = rustix::process::kill_process(process, rustix::process::Signal::KILL);
            }
        }
        sleep(Duration::from_millis(2));
    }
}

/// Removes groups whose maker is no longer there.
fn sweep(parent: &Path) {
    for entry in fs::read_dir(parent).into_iter().flatten().flatten() {
        if entry.file_name().to_str().and_then(abandoned) == Some(true) {
            empty_and_remove(&entry.path());
        }
    }
}

/// Whether the maker of a group of this name is gone; `None` for a name that is none of ours.
fn abandoned(name: &str) -> Option<bool> {
    maker::is_gone(name.strip_prefix(PREFIX)?)
}

/// A mounted hierarchy: where, which part of it, and its controllers (`None` for version 2).
#[derive(Debug, PartialEq, Eq)]
struct Mount {
    at: PathBuf,
    root: String,
    controllers: Option<Vec<String>>,
}

fn mounts() -> Vec<Mount> {
    parse_mounts(&fs::read_to_string("/proc/self/mountinfo").unwrap_or_default())
}

fn parse_mounts(mountinfo: &str) -> Vec<Mount> {
    let parse = |line: &str| {
        let (before, after) = line.split_once(" - ")?;
        let mut before = before.split(' ');
        let (root, at) = (before.nth(3)?.to_owned(), PathBuf::from(before.next()?));
        let mut after = after.split(' ');
        match after.next()? {
            "cgroup" => {
                let controllers = after.nth(1)?.split(',').map(str::to_owned).collect();
                Some(Mount { at, root, controllers: Some(controllers) })
            }
            "cgroup2" => Some(Mount { at, root, controllers: None }),
            _ => None,
        }
    };
    mountinfo.lines().filter_map(parse).collect()
}

/// The directory of our own group in a hierarchy.
fn own_group(mount: &Mount, own: &str) -> Option<PathBuf> {
    let path = own.lines().find_map(|line| {
        let mut fields = line.splitn(3, ':');
        let (_, controllers, path) = (fields.next()?, fields.next()?, fields.next()?);
        let ours = match &mount.controllers {
            Some(mounted) => {
                controllers.split(',').any(|controller| mounted.iter().any(|other| other == controller))
            }
            None => controllers.is_empty(),
        };
        ours.then_some(path)
    })?;
    let below = path.strip_prefix(mount.root.trim_end_matches('/')).unwrap_or(path);
    Some(mount.at.join(below.trim_start_matches('/')))
}

/// A parent for each controller, where version 1 has them.
fn version_one(mounts: &[Mount], own: &str) -> Option<Vec<(PathBuf, Version)>> {
    let parent = |controller: &&str| {
        let has = |mount: &&Mount| {
            mount.controllers.as_ref().is_some_and(|mounted| mounted.iter().any(|other| other == controller))
        };
        Some((own_group(mounts.iter().find(has)?, own)?, Version::One))
    };
    NEEDED.iter().map(parent).collect()
}

/// Parents to try in version 2: a group that holds processes can have no limited children, so it is the one above our own (where
/// the system has delegated it to the user), or the topmost one.
fn version_two(mounts: &[Mount], own: &str) -> Vec<Vec<(PathBuf, Version)>> {
    let Some(mount) = mounts.iter().find(|mount| mount.controllers.is_none()) else { return Vec::new() };
    let above = own_group(mount, own)
        .and_then(|path| path.parent().map(Path::to_path_buf))
        .filter(|path| path.starts_with(&mount.at));
    [Some(mount.at.clone()), above].into_iter().flatten().map(|path| vec![(path, Version::Two)]).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    const HYBRID: &str = "\
30 20 0:26 / /sys/fs/cgroup/cpu,cpuacct rw,relatime shared:9 - cgroup cgroup rw,cpu,cpuacct
31 20 0:27 / /sys/fs/cgroup/memory rw,relatime - cgroup cgroup rw,memory
32 20 0:28 /docker/x /sys/fs/cgroup/pids rw,relatime - cgroup cgroup rw,pids
33 20 0:29 / /sys/fs/cgroup/unified rw,relatime - cgroup2 cgroup2 rw
34 20 0:30 / /proc rw - proc proc rw
";

    #[test]
    fn each_controller_of_version_one_has_a_parent() {
        let mounts = parse_mounts(HYBRID);
        assert_eq!(mounts.len(), 4);
        let own = "8:pids:/docker/x/y\n4:memory:/a\n1:cpu,cpuacct:/\n0::/\n";
        let parents = version_one(&mounts, own).unwrap();
        let paths: Vec<_> = parents.iter().map(|(path, _)| path.to_str().unwrap()).collect();
        assert_eq!(
            paths,
            ["/sys/fs/cgroup/memory/a", "/sys/fs/cgroup/pids/y", "/sys/fs/cgroup/cpu,cpuacct/"]
        );
        assert_eq!(version_one(&mounts[..1], own), None);
    }

    #[test]
    fn version_two_is_tried_at_the_top_and_above_our_own_group() {
        let mounts = parse_mounts("33 20 0:29 / /sys/fs/cgroup rw - cgroup2 cgroup2 rw\n");
        let parents =
            version_two(&mounts, "0::/user.slice/user-1000.slice/user@1000.service/app.slice/a.scope\n");
        assert_eq!(parents.len(), 2);
        assert!(parents[1][0].0.ends_with("user@1000.service/app.slice"));
        assert_eq!(version_two(&mounts, "0::/\n").len(), 1);
    }

    #[test]
    fn groups_of_processes_that_are_gone_are_told_from_others() {
        let own = maker::own().unwrap();
        assert_eq!(abandoned(&format!("{PREFIX}{own}-1")), Some(false));
        assert_eq!(abandoned(&format!("{PREFIX}4194999-1-1")), Some(true));
        assert_eq!(abandoned("system.slice"), None);
        assert_eq!(abandoned(&format!("{PREFIX}mine")), None);
    }
}

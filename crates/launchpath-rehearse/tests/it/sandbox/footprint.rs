//! What a sandbox may leave on a machine: mounts, processes in its namespaces, control groups.
//!
//! Other work goes on on the machine, so namespaces are followed by their own numbers, not counted.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;
use std::time::{Duration, Instant};

use super::image::PATIENCE;

/// The machine before a sandbox.
pub(crate) struct Footprint {
    mounts: BTreeSet<String>,
}

impl Footprint {
    pub(crate) fn now() -> Self {
        Self { mounts: mounts() }
    }

    /// Nothing is left of a sandbox.
    #[track_caller]
    pub(crate) fn assert_unchanged(&self, inside: &Inside) {
        Self::assert_gone(&inside.all);
        let appeared: Vec<String> = mounts().difference(&self.mounts).cloned().collect();
        assert!(
            !appeared.iter().any(|mount| mount.contains("overlay") || mount.contains("launchpath")),
            "{appeared:?}"
        );
        for group in &inside.groups {
            assert!(!group_exists(group), "{group} is left");
        }
    }

    /// No process is in any of these namespaces.
    #[track_caller]
    pub(crate) fn assert_gone(namespaces: &[String]) {
        let until = Instant::now() + PATIENCE;
        loop {
            let left = processes()
                .into_iter()
                .find(|process| namespaces_of(process).iter().any(|own| namespaces.contains(own)));
            let Some(left) = left else { return };
            assert!(
                Instant::now() < until,
                "process {left} is left: {:?}",
                fs::read_to_string(format!("/proc/{left}/cmdline"))
            );
            std::thread::sleep(Duration::from_millis(5));
        }
    }
}

fn mounts() -> BTreeSet<String> {
    // Engines of other tests come and go.
    let text = fs::read_to_string("/proc/self/mountinfo").unwrap();
    text.lines().filter(|line| !line.contains("/engine-of-a-test-")).map(str::to_owned).collect()
}

fn processes() -> Vec<String> {
    let entries = fs::read_dir("/proc").unwrap().flatten();
    entries
        .filter_map(|entry| entry.file_name().into_string().ok())
        .filter(|name| name.parse::<u32>().is_ok())
        .collect()
}

fn namespaces_of(process: &str) -> Vec<String> {
    let link = |kind: &str| {
        fs::read_link(format!("/proc/{process}/ns/{kind}")).ok()?.into_os_string().into_string().ok()
    };
    ["user", "pid", "net", "mnt", "uts", "ipc", "cgroup"].iter().filter_map(|kind| link(kind)).collect()
}

/// What there is of the sandboxes of this process while they run.
#[derive(Debug, serde::Deserialize, serde::Serialize)]
pub(crate) struct Inside {
    /// Every namespace that this process is not in.
    pub(crate) all: Vec<String>,
    /// Those of the images' processes alone.
    pub(crate) inner: Vec<String>,
    /// Names of control groups.
    groups: Vec<String>,
}

impl Inside {
    #[track_caller]
    pub(crate) fn now() -> Self {
        let own: BTreeSet<String> = namespaces_of("self").into_iter().collect();
        let keepers = children(&std::process::id().to_string());
        let processes: Vec<String> = keepers.iter().flat_map(|keeper| children(keeper)).collect();
        let namespaces = |processes: &[String], not: &BTreeSet<String>| -> BTreeSet<String> {
            processes
                .iter()
                .flat_map(|process| namespaces_of(process))
                .filter(|namespace| !not.contains(namespace))
                .collect()
        };
        let outer = namespaces(&keepers, &own);
        let inner = namespaces(&processes, &own.union(&outer).cloned().collect());
        let groups: BTreeSet<String> = processes.iter().flat_map(|process| groups_of(process)).collect();
        assert!(
            outer.len() >= 4 && inner.len() >= 4,
            "the sandbox was not seen while it ran: {outer:?} {inner:?}"
        );
        Self {
            all: outer.union(&inner).cloned().collect(),
            inner: inner.into_iter().collect(),
            groups: groups.into_iter().collect(),
        }
    }
}

fn children(process: &str) -> Vec<String> {
    let tasks = fs::read_dir(format!("/proc/{process}/task")).into_iter().flatten().flatten();
    tasks
        .filter_map(|task| fs::read_to_string(task.path().join("children")).ok())
        .flat_map(|text| text.split_whitespace().map(str::to_owned).collect::<Vec<_>>())
        .collect()
}

/// Names of the groups that were made for a process's sandbox.
fn groups_of(process: &str) -> Vec<String> {
    let text = fs::read_to_string(format!("/proc/{process}/cgroup")).unwrap_or_default();
    let name = |line: &str| {
        line.rsplit_once('/').map(|(_, name)| name.to_owned()).filter(|name| name.starts_with("launchpath-"))
    };
    text.lines().filter_map(name).collect()
}

fn group_exists(name: &str) -> bool {
    let mut folders = vec![Path::new("/sys/fs/cgroup").to_path_buf()];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(&folder).into_iter().flatten().flatten() {
            if entry.file_type().is_ok_and(|kind| kind.is_dir()) {
                if entry.file_name().to_str() == Some(name) {
                    return true;
                }
                folders.push(entry.path());
            }
        }
    }
    false
}

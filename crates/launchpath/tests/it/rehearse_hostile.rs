//! Images that mean harm, through the whole program: nothing outside the sandbox changes, limits hold, and what is said is clear.

use std::collections::BTreeSet;
use std::hash::{DefaultHasher, Hash as _, Hasher as _};
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use serde_json::Value;

use crate::images::{self, Image};
use crate::program::{Run, launchpath};

/// What the machine looks like from outside, as far as an escape would change it.
#[derive(Debug, PartialEq, Eq)]
struct Outside {
    escaped: Vec<String>,
    /// Hashes of files: a message must not print them.
    files: Vec<(&'static str, u64)>,
    host_name: String,
    /// Mount points, without those that other tests make meanwhile: of named network namespaces, and of an engine.
    mounts: Vec<String>,
    namespaces: Vec<String>,
}

impl Outside {
    fn now() -> Self {
        let hash = |path: &'static str| {
            let mut hasher = DefaultHasher::new();
            std::fs::read(path).ok().hash(&mut hasher);
            (path, hasher.finish())
        };
        let text = |path: &str| std::fs::read_to_string(path).unwrap_or_default();
        Self {
            escaped: ["/", "/tmp", "/root", "/etc"]
                .iter()
                .flat_map(|folder| names(folder, "launchpath-escaped"))
                .collect(),
            files: [
                "/etc/passwd",
                "/etc/shadow",
                "/etc/hosts",
                "/proc/sys/kernel/core_pattern",
                "/proc/sys/kernel/modprobe",
            ]
            .map(hash)
            .to_vec(),
            host_name: text("/proc/sys/kernel/hostname"),
            mounts: text("/proc/self/mounts")
                .lines()
                .filter_map(|line| line.split(' ').nth(1))
                .filter(|point| !point.starts_with("/run/netns") && !point.contains("/engine-of-a-test-"))
                .map(str::to_owned)
                .collect(),
            namespaces: names("/run/netns", "launchpath"),
        }
    }
}

/// Names in a folder that begin so.
fn names(folder: &str, with: &str) -> Vec<String> {
    let entries = std::fs::read_dir(folder).into_iter().flatten().flatten();
    let mut names: Vec<String> = entries
        .filter_map(|entry| entry.file_name().into_string().ok())
        .filter(|name| name.starts_with(with))
        .map(|name| format!("{folder}/{name}"))
        .collect();
    names.sort();
    names
}

/// Rehearses an image with a scratch directory of its own, and holds that nothing of it stays.
fn rehearse(image: &Image, words: &[&str]) -> Run {
    let before = Outside::now();
    let scratch = scratch(image);
    let at = scratch.path().display().to_string();
    let words = [&["rehearse", &image.path, "--format", "json"], words].concat();
    let run = crate::program::launchpath_with(&words, &[("TMPDIR", &at)]);
    assert_eq!(Outside::now(), before, "{}: something outside changed", image.name);
    let left: Vec<_> = std::fs::read_dir(scratch.path()).expect("a folder").flatten().collect();
    assert!(left.is_empty(), "{}: {left:?} stays", image.name);
    let groups = names_below(Path::new("/sys/fs/cgroup"), &format!("launchpath-{}-", run.pid));
    assert!(groups.is_empty(), "{}: {groups:?} stay", image.name);
    run
}

/// A folder for what a rehearsal unpacks; in memory for many files, where a disk takes minutes to make them.
fn scratch(image: &Image) -> tempfile::TempDir {
    let memory = Path::new("/dev/shm");
    if image.name == "hostile-million" && memory.is_dir() {
        return tempfile::tempdir_in(memory).expect("a folder in memory");
    }
    tempfile::tempdir().expect("a folder")
}

/// Folders below one, up to four levels down, whose names begin so.
fn names_below(folder: &Path, with: &str) -> Vec<PathBuf> {
    let mut found = Vec::new();
    let mut folders = vec![(folder.to_owned(), 0)];
    while let Some((folder, depth)) = folders.pop() {
        for entry in std::fs::read_dir(folder).into_iter().flatten().flatten() {
            if entry.file_name().to_string_lossy().starts_with(with) {
                found.push(entry.path());
            } else if depth < 4 && entry.file_type().is_ok_and(|kind| kind.is_dir()) {
                folders.push((entry.path(), depth + 1));
            }
        }
    }
    found
}

/// A line of the output that begins with a word, as JSON.
fn line(record: &Value, word: &str) -> Value {
    let output = record["output"].as_str().unwrap_or_default();
    let line =
        output.lines().find_map(|line| line.strip_prefix(word)).unwrap_or_else(|| panic!("{record:#}"));
    serde_json::from_str(line).expect("JSON")
}

#[test]
fn a_process_gets_nothing_that_a_session_must_not_have() {
    let Some(images) = images::built(&["hostile-process", "hostile-user"]) else { return };
    for image in &images {
        let record = rehearse(image, &[]).json();
        let tried = line(&record, "TRIED ");
        let tried = tried.as_object().expect("attempts");
        assert!(tried.len() > 40, "{tried:?}");
        let done: Vec<&String> = tried
            .iter()
            .filter(|(_, outcome)| **outcome == "done")
            // Root in the image is root already.
            .filter(|(name, _)| !(image.name == "hostile-process" && *name == "set_user_id"))
            .map(|(name, _)| name)
            .collect();
        assert!(done.is_empty(), "{}: succeeded with {done:?}: {tried:?}", image.name);
        let sees = line(&record, "SEES ");
        assert_eq!(sees["host_name"], "localhost");
        assert_eq!(sees["docker"], false, "no trace of a container engine");
        assert_eq!(sees["pid"], 1);
        assert_eq!(sees["processes"], serde_json::json!([1]), "no process but its own");
        assert_eq!(sees["no_new_privileges"], "1");
        let descriptors: BTreeSet<u64> =
            sees["descriptors"].as_array().into_iter().flatten().filter_map(Value::as_u64).collect();
        // Its own three, and the one with which it reads the list.
        assert!(descriptors.iter().all(|descriptor| *descriptor <= 3), "{descriptors:?}");
        for name in sees["environment"].as_array().into_iter().flatten().filter_map(Value::as_str) {
            assert!(
                !name.starts_with("CARGO") && !name.starts_with("NEXTEST") && name != "TMPDIR",
                "{name} leaks in"
            );
        }
        assert_eq!(record["passed"], true, "{}: it is sound otherwise: {}", image.name, record["clauses"]);
    }
}

#[test]
fn paths_that_lead_out_stay_inside() {
    let Some(images) = images::built(&["hostile-symlinks", "hostile-hard-links", "hostile-devices"]) else {
        return;
    };
    for image in &images {
        let run = rehearse(image, &[]);
        // Refused with a reason, or unpacked without what leads out: both are right.
        if run.code == 0 {
            assert_eq!(run.json()["passed"], true);
        } else {
            assert!((2..=252).contains(&run.code), "{}: {} {}", image.name, run.code, run.stderr);
            assert!(
                run.stderr.contains("layer") || run.stderr.contains("path"),
                "{}: {}",
                image.name,
                run.stderr
            );
        }
    }
}

#[test]
fn layers_that_grow_without_end_meet_a_limit() {
    let Some(images) = images::built(&["hostile-bomb", "hostile-claims", "hostile-deep"]) else { return };
    for image in &images {
        let begun = Instant::now();
        let run = rehearse(image, &[]);
        assert!(begun.elapsed() < Duration::from_mins(2), "{} takes {:?}", image.name, begun.elapsed());
        if image.name == "hostile-deep" && run.code == 0 {
            continue;
        }
        assert!(
            run.code == 2 || run.code == 252 || run.code == 253,
            "{}: {} {}",
            image.name,
            run.code,
            run.stderr
        );
        let said = run.stderr.lines().next().unwrap_or_default();
        assert!(said.contains("layer ") && said.contains("more than "), "{}: {}", image.name, run.stderr);
        assert_eq!(said.matches("more than ").count(), 1, "{}: a cause is told once: {said}", image.name);
        assert!(!run.stderr.contains("panicked"), "{}: {}", image.name, run.stderr);
    }
}

#[test]
fn a_million_files_are_read_or_refused_within_bounds() {
    let Some(images) = images::built(&["hostile-million"]) else { return };
    let begun = Instant::now();
    let run = rehearse(&images[0], &[]);
    assert!(begun.elapsed() < Duration::from_mins(3), "{:?}", begun.elapsed());
    assert!(!run.stderr.contains("panicked"), "{}", run.stderr);
    match run.code {
        0 => assert_eq!(run.json()["passed"], true),
        code => assert!(
            (code == 2 || code == 252 || code == 253) && run.stderr.contains("files"),
            "{code}: {}",
            run.stderr
        ),
    }
}

#[test]
fn nothing_outlives_the_rehearsal_and_a_flood_is_cut() {
    let Some(images) = images::built(&["hostile-leavings"]) else { return };
    let run = rehearse(&images[0], &[]);
    let record = run.json();
    assert_eq!(record["passed"], true, "{}", record["clauses"]);
    assert_eq!(record["output_truncated"], true);
    let output = record["output"].as_str().unwrap_or_default();
    assert!(output.len() < 1 << 20, "{} bytes", output.len());
    let text = launchpath(&["rehearse", &images[0].path]).stdout;
    assert!(!text.contains('\u{1b}') && !text.contains('\u{7}'), "control sequences reach the terminal");
    let left: Vec<String> = processes().filter(|line| line.contains(OWN_MARK)).collect();
    assert!(left.is_empty(), "{left:?}");
}

/// What marks the image's processes among those of other tests: only it runs with this in its command line.
const OWN_MARK: &str = "hostile-leavings-mark";

/// Command lines of this machine's processes.
fn processes() -> impl Iterator<Item = String> {
    std::fs::read_dir(Path::new("/proc"))
        .into_iter()
        .flatten()
        .flatten()
        .filter_map(|entry| std::fs::read(entry.path().join("cmdline")).ok())
        .map(|line| String::from_utf8_lossy(&line).into_owned())
}

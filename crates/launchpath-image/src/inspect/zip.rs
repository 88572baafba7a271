//! A code zip: size, entry point, imports, and what of it is for another machine.

use super::limit::limit;
use super::{Asked, Certainty, Finding, FindingKind, Inspection, Interpreter, NotChecked, python as glue};
use crate::elf::{Elf, Machine};
use crate::python::{
    self, Check, ContainerMark, SearchPath, Start, Version, check, distributions, no_server,
};
use crate::tree::{Entry, Tree};

/// Foreign compiled files that are named one by one; the rest are counted.
const FOREIGN: usize = 5;

/// Inspects a zip whose root is the tree's root.
pub(super) fn inspect(tree: &Tree, bytes: u64, entry_point: &[String], asked: &Asked) -> Inspection {
    let mut inspection = Inspection::default();
    inspection.start.argv = entry_point.to_vec();
    size(tree, bytes, &mut inspection);
    let (version, tags) = compiled(tree, &mut inspection);
    let Some(file) =
        entry_point.iter().rev().find(|part| is_code(part)).cloned().or_else(|| usual_entry(tree))
    else {
        let what = "what is started";
        inspection
            .not_checked
            .push(NotChecked::new(what, "no entry point is known; give it to have its imports checked"));
        return inspection;
    };
    let path = format!("/{}", file.trim_start_matches("./").trim_start_matches('/'));
    let Some(entry) = tree.lookup(&path) else {
        let text = format!("the entry point is {file}, and the zip does not have it");
        let mut finding = Finding::new(FindingKind::EntryPointMissing, Certainty::Certain, text)
            .with("path", file.as_str());
        if let Some(there) = elsewhere(tree, &file) {
            finding = finding.with("elsewhere", there);
        }
        inspection.findings.push(finding);
        return inspection;
    };
    inspection.start.file = Some(path.clone());
    if entry.mode() & 0o444 == 0 {
        let text = format!("nobody may read {path} (mode {:o})", entry.mode());
        let finding = Finding::new(FindingKind::CannotRead, Certainty::Likely, text).in_file(&path);
        inspection.findings.push(finding.with("path", path.as_str()));
    }
    if path.rsplit('.').next() != Some("py") {
        inspection.node = Some(Interpreter { version: None, path: None });
        super::node(tree, &path, Certainty::Certain, &mut inspection);
        return inspection;
    }
    // The runtime's release is a setting of the service, not of the zip.
    let assumed = version.unwrap_or(Version { major: 3, minor: 13 });
    if version.is_none() {
        let why = format!("the zip does not say which release it is for; judged as {assumed}");
        inspection.not_checked.push(NotChecked::new("differences between releases of Python", why));
    }
    inspection.python = Some(Interpreter { version: version.map(|version| version.to_string()), path: None });
    let mut interpreter = python::Interpreter::managed(assumed, Machine::Aarch64);
    interpreter.tag = tags;
    let search = SearchPath::of_zip(tree, "/");
    let installed = distributions(tree, &search.sites);
    for found in &installed {
        inspection.distributions.insert(found.name.clone(), found.version.clone());
    }
    let directory = path
        .rsplit_once('/')
        .map_or("/", |(directory, _)| if directory.is_empty() { "/" } else { directory });
    let outcome = check(&Check {
        tree,
        interpreter: &interpreter,
        path: &search,
        distributions: &installed,
        starts: &[Start::Script(path.clone())],
        first: Some(directory),
        working_directory: "/",
    });
    // What the managed runtime brings beside the standard library is not documented.
    glue::add(&outcome, ContainerMark::Absent, Certainty::Certain, asked, &mut inspection);
    for finding in &mut inspection.findings {
        // The import check speaks of images.
        finding.text = finding.text.replace("the image", "the zip");
        let top = finding.detail.get("module").and_then(|module| module.as_str()).unwrap_or_default();
        let provided = ["boto3", "botocore", "s3transfer", "jmespath", "pip", "setuptools"];
        if finding.kind == FindingKind::MissingModule && provided.contains(&top) {
            finding.certainty = finding.certainty.min(Certainty::Likely);
        }
        if finding.kind == FindingKind::BindsLoopbackOnly {
            // Which variables the managed runtime sets is not documented.
            finding.certainty = Certainty::Possible;
        }
    }
    inspection.findings.extend(no_server(&outcome));
    // A foreign file that is imported is named by its import.
    let extension = |finding: &Finding| finding.detail.get("extension").cloned();
    let imported = |finding: &&Finding| finding.detail.contains_key("module");
    let named: Vec<_> = inspection.findings.iter().filter(imported).filter_map(extension).collect();
    inspection.findings.retain(|finding| {
        finding.detail.contains_key("module") || extension(finding).is_none_or(|file| !named.contains(&file))
    });
    inspection.start.file = Some(path);
    inspection
}

fn is_code(part: &str) -> bool {
    [".py", ".js", ".mjs", ".cjs"].iter().any(|suffix| part.ends_with(suffix))
}

fn usual_entry(tree: &Tree) -> Option<String> {
    let there: Vec<&str> = ["main.py", "agent.py", "app.py"]
        .into_iter()
        .filter(|name| tree.lookup(&format!("/{name}")).is_some())
        .collect();
    if let [only] = there[..] { Some(only.to_owned()) } else { None }
}

/// A file of the entry point's name in another directory: the zip was made one level too high.
fn elsewhere(tree: &Tree, file: &str) -> Option<String> {
    let name = file.rsplit('/').next()?;
    let found = tree.walk("/").find(|entry| entry.name() == name && entry.is_file())?;
    Some(found.path().to_owned())
}

fn size(tree: &Tree, bytes: u64, inspection: &mut Inspection) {
    for (name, bytes, what) in
        [("code_zip_bytes", bytes, "compressed"), ("code_unzipped_bytes", tree.bytes(), "unpacked")]
    {
        let Some(limit) = limit(name).filter(|limit| bytes > limit.value) else { continue };
        let text =
            format!("the zip has {} MB {what}; the service takes {}", bytes / 1_000_000, limit.in_words);
        let finding = Finding::new(FindingKind::ZipTooLarge, Certainty::Certain, text);
        inspection.findings.push(
            finding.with("bytes", bytes).with("limit", limit.value).with("source", limit.source.as_str()),
        );
    }
}

/// What a compiled module is for, when that is not Linux on arm64.
fn made_for(tree: &Tree, entry: &Entry<'_>, windows: bool) -> Option<&'static str> {
    /// The four first bytes of programs of macOS: for one machine of 64 bits, and for several.
    const MACH_O: [[u8; 4]; 2] = [[0xcf, 0xfa, 0xed, 0xfe], [0xca, 0xfe, 0xba, 0xbe]];
    if windows {
        return Some("Windows");
    }
    let start = tree.read_range(entry, 0, 4).ok()?;
    if MACH_O.iter().any(|magic| start == magic) {
        return Some("macOS");
    }
    let machine = Elf::of(tree, entry)?.machine?;
    (machine != Machine::Aarch64).then(|| machine.architecture())
}

/// The release that compiled modules in the zip are for, with their tag, and findings of those for another machine.
fn compiled(tree: &Tree, inspection: &mut Inspection) -> (Option<Version>, Option<String>) {
    let mut tags: Vec<String> = Vec::new();
    let mut foreign = 0_usize;
    for entry in tree.walk("/") {
        let (stem, windows) = match entry.name().strip_suffix(".so") {
            Some(stem) => (stem, false),
            None => match entry.name().strip_suffix(".pyd") {
                Some(stem) => (stem, true),
                None => continue,
            },
        };
        let tag = stem.split_once('.').map_or("", |(_, tag)| tag);
        if tag.starts_with("cpython-") && !tags.iter().any(|known| known == tag) {
            tags.push(tag.to_owned());
        }
        let Some(made_for) = made_for(tree, &entry, windows) else { continue };
        foreign += 1;
        if foreign <= FOREIGN {
            let text = format!("{} is compiled for {made_for}, and the service runs arm64", entry.path());
            let finding =
                Finding::new(FindingKind::ForeignExtension, Certainty::Likely, text).in_file(entry.path());
            inspection.findings.push(finding.with("extension", entry.path()).with("made_for", made_for));
        }
    }
    if let Some(more) = foreign.checked_sub(FOREIGN).filter(|more| *more > 0) {
        let text =
            format!("{more} more compiled files are for another machine than arm64, which the service runs");
        let finding = Finding::new(FindingKind::ForeignExtension, Certainty::Likely, text);
        inspection.findings.push(finding.with("more", more));
    }
    let versions: Vec<Version> = tags
        .iter()
        .filter_map(|tag| Version::parse(tag.strip_prefix("cpython-")?.split('-').next()?))
        .collect();
    let only = versions.first().filter(|first| versions.iter().all(|version| version == *first)).copied();
    let own = tags.into_iter().find(|tag| tag.contains("aarch64"));
    (only, own)
}

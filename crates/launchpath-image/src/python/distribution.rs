//! Installed distributions: what `*.dist-info` and `*.egg-info` say.

use std::cell::Cell;
use std::collections::{BTreeMap, BTreeSet};

use crate::tree::{Entry, Tree};

/// An installed distribution.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Distribution {
    /// Its name, as its metadata writes it.
    pub name: String,
    /// Its version.
    pub version: String,
    /// The directory it is installed in.
    pub site: String,
    /// Its `dist-info` or `egg-info`.
    pub metadata: String,
    /// When its metadata was written, in seconds since 1970; 0 when the image does not say.
    pub installed_at: i64,
}

/// Most bytes of a metadata file and of a `RECORD`.
const METADATA: u64 = 1 << 20;
const RECORD: u64 = 16 << 20;
/// Bytes of all `RECORD`s that are read to tell whose a file is; beyond them the name has to do.
const RECORDS: u64 = 1 << 30;

/// The distributions in `sites`, in order; of two with one name the first is what is imported.
pub fn distributions(tree: &Tree, sites: &[String]) -> Vec<Distribution> {
    let mut found: BTreeMap<String, Distribution> = BTreeMap::new();
    for site in sites {
        for entry in tree.children(site) {
            if let Some(distribution) = read(tree, site, &entry) {
                found.entry(normalise(&distribution.name)).or_insert(distribution);
            }
        }
    }
    found.into_values().collect()
}

fn read(tree: &Tree, site: &str, entry: &Entry<'_>) -> Option<Distribution> {
    let name = entry.name();
    let stem = name.strip_suffix(".dist-info").or_else(|| name.strip_suffix(".egg-info"))?;
    let text = ["METADATA", "PKG-INFO", ""].iter().find_map(|file| {
        let path = if file.is_empty() { entry.path().to_owned() } else { format!("{}/{file}", entry.path()) };
        tree.read(&path, METADATA).ok()
    });
    let text = text.map(|bytes| String::from_utf8_lossy(&bytes).into_owned()).unwrap_or_default();
    let header = |wanted: &str| {
        let mut headers = text.lines().take_while(|line| !line.is_empty());
        headers.find_map(|line| Some(line.strip_prefix(wanted)?.strip_prefix(':')?.trim().to_owned()))
    };
    let mut parts = stem.splitn(3, '-');
    let (from_name, from_version) = (parts.next()?, parts.next());
    Some(Distribution {
        name: header("Name").unwrap_or_else(|| from_name.to_owned()),
        version: header("Version").or_else(|| from_version.map(str::to_owned))?,
        site: site.to_owned(),
        metadata: entry.path().to_owned(),
        installed_at: entry.modified(),
    })
}

impl Distribution {
    /// The files it installed, relative to its site; empty when it does not say.
    fn record(&self, tree: &Tree) -> String {
        ["RECORD", "installed-files.txt", "SOURCES.txt"]
            .iter()
            .find_map(|file| tree.read(&format!("{}/{file}", self.metadata), RECORD).ok())
            .map(|bytes| String::from_utf8_lossy(&bytes).into_owned())
            .unwrap_or_default()
    }

    /// The names directly below the site that belong to it: packages and modules, with their suffixes.
    pub(super) fn top_levels(&self, tree: &Tree) -> BTreeSet<String> {
        let record = self.record(tree);
        let first = |line: &str| {
            let path = line.split(',').next().unwrap_or_default().trim_start_matches("../");
            path.split('/').next().map(str::to_owned)
        };
        record.lines().filter_map(first).filter(|name| !name.is_empty()).collect()
    }

    /// Whether it installed `path`, relative to its site. `spent` counts the bytes that were read for that.
    fn installed(&self, tree: &Tree, path: &str, spent: &Cell<u64>) -> bool {
        if spent.get() > RECORDS {
            return false;
        }
        let record = self.record(tree);
        spent.set(spent.get().saturating_add(record.len() as u64));
        let matches =
            |line: &str| line.strip_prefix(path).is_some_and(|rest| rest.is_empty() || rest.starts_with(','));
        record.lines().any(matches)
    }
}

/// The distribution that installed `file`; `likely` names are tried first. `spent` counts the bytes that were read for that.
pub(super) fn of_file<'a>(
    tree: &Tree,
    all: &'a [Distribution],
    file: &str,
    likely: &str,
    spent: &Cell<u64>,
) -> Option<&'a Distribution> {
    let likely = normalise(crate::import::distribution_of(likely).unwrap_or(likely));
    // The site of a code zip is its root, `/`.
    let below = |distribution: &Distribution| {
        file.strip_prefix(distribution.site.trim_end_matches('/'))?.strip_prefix('/')
    };
    let here = |distribution: &&Distribution| below(distribution).is_some();
    let owns = |distribution: &&Distribution| {
        below(distribution).is_some_and(|path| distribution.installed(tree, path, spent))
    };
    let (first, rest): (Vec<_>, Vec<_>) =
        all.iter().filter(here).partition(|distribution| normalise(&distribution.name) == likely);
    let found = first.iter().copied().find(owns).or_else(|| rest.into_iter().find(owns));
    // An installation without a record: the name has to do.
    found.or_else(|| first.into_iter().next())
}

/// PyPI's name normalisation (PEP 503).
pub(super) fn normalise(name: &str) -> String {
    let mut normal = String::with_capacity(name.len());
    for character in name.chars().flat_map(char::to_lowercase) {
        let character = if matches!(character, '_' | '.') { '-' } else { character };
        if !(character == '-' && normal.ends_with('-')) {
            normal.push(character);
        }
    }
    normal
}

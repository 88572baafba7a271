//! The documentation as a site's sources, in the layout of mdBook: `cargo xtask docs` writes them to `target/site`.
//!
//! Nothing is written twice: pages are the repository's own documents, one page for each kind of fault is its `doc.md`, and only
//! the summary and links are made here. A link to a document that is a page leads to the page, any other to the repository.
//! Start with [`Site::of`].

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

use anyhow::{Context as _, Result};
use launchpath_diagnose::chain::Stage;
use launchpath_diagnose::faults::{self, Fault};

use crate::complaint::Complaint;
use crate::tree::{Tree, folder, has_extension, resolve};

/// Where the sources go.
const TARGET: &str = "target/site";
/// Where what is no page of the site can be read.
const REPOSITORY: &str = "https://github.com/launchpath/launchpath/blob/main";

/// Documents that are pages, in the order of the summary: part, path, title.
const DOCUMENTS: &[(&str, &str, &str)] = &[
    ("", "README.md", "launchpath"),
    ("Using it", "docs/cli.md", "Commands"),
    ("Using it", "docs/certificate.md", "The certificate of a verdict"),
    ("How it is built", "ARCHITECTURE.md", "Architecture"),
    ("How it is built", "CONTRIBUTING.md", "Contributing"),
    ("How it is built", "scenarios/README.md", "Scenarios"),
];

/// The pages, by their path under `src/`.
pub(crate) struct Site {
    pages: BTreeMap<String, String>,
}

impl Site {
    /// The site of a repository.
    pub(crate) fn of(tree: &Tree) -> Result<Self> {
        let mut site = Self { pages: BTreeMap::new() };
        let more = Self::more(tree);
        for (_, path, _) in DOCUMENTS {
            let text = tree.files.get(*path).with_context(|| format!("{path}: no such document"))?;
            site.pages.insert(page_of(path), relinked(path, text, tree));
        }
        for path in &more {
            site.pages.insert(page_of(path), relinked(path, &tree.files[path], tree));
        }
        for fault in faults::all() {
            site.pages.insert(fault_page(fault), fault_text(fault));
        }
        site.pages.insert("SUMMARY.md".to_owned(), summary(tree, &more));
        Ok(site)
    }

    /// Documents of `docs/` and the stories that the list above does not name.
    fn more(tree: &Tree) -> Vec<String> {
        let named = |path: &str| DOCUMENTS.iter().any(|(_, document, _)| *document == path);
        let ours = |path: &str| {
            (path.starts_with("docs/") || path.starts_with("scenarios/stories/")) && has_extension(path, "md")
        };
        tree.files
            .keys()
            .filter(|path| ours(path) && !named(path) && *path != crate::generated::CATALOGUE)
            .cloned()
            .collect()
    }

    /// Writes the sources; says where.
    pub(crate) fn write(&self, root: &Path) -> Result<String> {
        let target = root.join(TARGET);
        if target.exists() {
            fs::remove_dir_all(&target).with_context(|| format!("failed to clear {TARGET}"))?;
        }
        for (page, text) in &self.pages {
            let path = target.join("src").join(page);
            fs::create_dir_all(path.parent().context("no folder")?)?;
            fs::write(&path, text).with_context(|| format!("failed to write {TARGET}/src/{page}"))?;
        }
        let book = "[book]\ntitle = \"launchpath\"\nlanguage = \"en\"\nsrc = \"src\"\n";
        fs::write(target.join("book.toml"), book)?;
        Ok(format!("wrote {} pages to {TARGET} (mdbook build {TARGET})", self.pages.len()))
    }

    /// Links that lead nowhere: to no page, or to no heading of a page.
    pub(crate) fn broken_links(&self) -> Vec<Complaint> {
        let mut complaints = Vec::new();
        for (page, text) in &self.pages {
            for (number, line) in (1..).zip(outside_code(text)) {
                for target in targets(&line) {
                    if target.contains("://") || target.starts_with("mailto:") {
                        continue;
                    }
                    let (file, heading) = target.split_once('#').unwrap_or((target, ""));
                    let path = if file.is_empty() { Some(page.clone()) } else { resolve(folder(page), file) };
                    let found = path.and_then(|path| self.pages.get(&path));
                    let there = found
                        .is_some_and(|text| heading.is_empty() || anchors(text).iter().any(|a| a == heading));
                    if !there {
                        complaints.push(Complaint::at(
                            page,
                            number,
                            format!("the link to {target} leads nowhere"),
                        ));
                    }
                }
            }
        }
        complaints
    }
}

/// The page of a document.
fn page_of(path: &str) -> String {
    match path {
        "README.md" => "index.md".to_owned(),
        "ARCHITECTURE.md" => "architecture.md".to_owned(),
        "CONTRIBUTING.md" => "contributing.md".to_owned(),
        _ => path.strip_prefix("docs/").unwrap_or(path).replace("README.md", "index.md"),
    }
}

fn fault_page(fault: &Fault) -> String {
    let (area, name) = fault.code.split_once('.').unwrap_or(("", fault.code));
    format!("faults/{area}/{name}.md")
}

fn fault_text(fault: &Fault) -> String {
    format!(
        "# {}\n\n{}. Stage: {}. Since {}. Looks at: {}.\n\n{}\n",
        fault.code,
        fault.title,
        fault.stage.title().to_lowercase(),
        fault.since,
        fault.needs.join(", "),
        fault.doc.trim()
    )
}

fn summary(tree: &Tree, more: &[String]) -> String {
    let mut text = "# Summary\n\n".to_owned();
    let mut part = "";
    for (of, path, title) in DOCUMENTS {
        if *of != part {
            if part == "Using it" {
                text += &others(tree, more);
                text += &catalogue();
            }
            part = of;
            text += &format!("\n# {part}\n\n");
        }
        let bullet = if of.is_empty() { "" } else { "- " };
        text += &format!("{bullet}[{title}]({})\n", page_of(path));
    }
    text
}

fn others(tree: &Tree, more: &[String]) -> String {
    let title = |path: &String| {
        tree.files[path].lines().find_map(|line| line.strip_prefix("# ")).unwrap_or(path).to_owned()
    };
    more.iter().map(|path| format!("- [{}]({})\n", title(path), page_of(path))).collect()
}

fn catalogue() -> String {
    let mut text = "\n# Kinds of fault\n\n".to_owned();
    for stage in Stage::ALL {
        for fault in faults::all().into_iter().filter(|fault| fault.stage == *stage) {
            text += &format!("- [{}: {}]({})\n", fault.code, fault.title, fault_page(fault));
        }
    }
    text
}

/// The text with its links as they are on the site.
fn relinked(path: &str, text: &str, tree: &Tree) -> String {
    let mut out = String::with_capacity(text.len());
    for line in text.lines() {
        let mut rest = line;
        while let Some(at) = rest.find("](") {
            let (before, after) = rest.split_at(at + 2);
            out += before;
            let end = after.find(')').unwrap_or(after.len());
            out += &link(path, &after[..end], tree);
            rest = &after[end..];
        }
        out += rest;
        out.push('\n');
    }
    out
}

fn link(path: &str, target: &str, tree: &Tree) -> String {
    if target.contains("://") || target.starts_with('#') || target.starts_with("mailto:") {
        return target.to_owned();
    }
    let (file, heading) = target
        .split_once('#')
        .map_or((target, String::new()), |(file, heading)| (file, format!("#{heading}")));
    let Some(found) = resolve(folder(path), file) else { return target.to_owned() };
    // The one-page catalogue is the site's pages of faults.
    if found == crate::generated::CATALOGUE {
        let first = faults::all().first().map(|fault| fault_page(fault)).unwrap_or_default();
        return up(&page_of(path)) + &first;
    }
    let is_page = DOCUMENTS.iter().any(|(_, document, _)| *document == found)
        || ((found.starts_with("docs/") || found.starts_with("scenarios/stories/"))
            && has_extension(&found, "md")
            && tree.files.contains_key(&found));
    if is_page {
        return up(&page_of(path)) + &page_of(&found) + &heading;
    }
    format!("{REPOSITORY}/{found}{heading}")
}

/// From a page to the top of the site.
fn up(page: &str) -> String {
    "../".repeat(page.matches('/').count())
}

/// The lines; those of code are empty.
fn outside_code(text: &str) -> Vec<String> {
    let mut fence: Option<&str> = None;
    text.lines()
        .map(|line| {
            let mark = ["```", "~~~"].into_iter().find(|mark| line.trim_start().starts_with(mark));
            match (fence, mark) {
                (None, Some(mark)) => fence = Some(mark),
                (Some(open), Some(mark)) if open == mark => fence = None,
                (None, None) => return line.to_owned(),
                _ => {}
            }
            String::new()
        })
        .collect()
}

fn targets(line: &str) -> impl Iterator<Item = &str> {
    line.split("](").skip(1).filter_map(|rest| rest.split_once(')').map(|(target, _)| target))
}

/// The anchors of a page's headings, as GitHub and mdBook make them.
fn anchors(text: &str) -> Vec<String> {
    let headings = outside_code(text).into_iter().filter(|line| line.starts_with('#'));
    headings
        .map(|line| {
            let heading = line.trim_start_matches('#').trim().to_lowercase().replace(' ', "-");
            heading.chars().filter(|c| c.is_alphanumeric() || matches!(c, '_' | '-')).collect()
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_link_of_the_site_leads_somewhere() {
        let tree = Tree::load(&crate::tree::root()).unwrap();
        let site = Site::of(&tree).unwrap();
        let broken: Vec<String> = site.broken_links().iter().map(ToString::to_string).collect();
        assert!(broken.is_empty(), "{}", broken.join("\n"));
        let summary = &site.pages["SUMMARY.md"];
        for page in site.pages.keys().filter(|page| *page != "SUMMARY.md") {
            assert_eq!(
                summary.matches(&format!("]({page})")).count(),
                1,
                "{page} stands in the summary once"
            );
        }
        for fault in faults::all() {
            assert!(site.pages[&fault_page(fault)].contains(fault.doc.trim()), "{}", fault.code);
        }
    }

    #[test]
    fn a_link_that_leads_nowhere_is_named() {
        let pages =
            [("index.md", "# A\n[b](b.md#c) [d](#a) ```\n"), ("b.md", "# B\n```\n[x](gone.md)\n```\n")];
        let site = Site { pages: pages.map(|(page, text)| (page.to_owned(), text.to_owned())).into() };
        let broken: Vec<String> = site.broken_links().iter().map(ToString::to_string).collect();
        assert_eq!(broken, ["index.md:2: the link to b.md#c leads nowhere"]);
    }

    #[test]
    fn links_lead_to_pages_or_to_the_repository() {
        let tree = Tree::of(&[("docs/cli.md", ""), ("docs/other.md", "")]);
        let text = "[a](docs/cli.md#x) [b](crates/a/src/lib.rs) [c](https://e.org) [d](docs/other.md)";
        assert_eq!(
            relinked("README.md", text, &tree),
            format!("[a](cli.md#x) [b]({REPOSITORY}/crates/a/src/lib.rs) [c](https://e.org) [d](other.md)\n")
        );
        assert_eq!(relinked("scenarios/README.md", "[a](../README.md)", &tree), "[a](../index.md)\n");
    }

    #[test]
    fn the_sources_are_written_whole() {
        let place = tempfile::tempdir().unwrap();
        let site = Site { pages: [("faults/net/a.md".to_owned(), "# A\n".to_owned())].into() };
        site.write(place.path()).unwrap();
        let written = fs::read_to_string(place.path().join(TARGET).join("src/faults/net/a.md")).unwrap();
        assert_eq!(written, "# A\n");
        assert!(place.path().join(TARGET).join("book.toml").exists());
    }
}

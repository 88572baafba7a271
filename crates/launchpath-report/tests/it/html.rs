//! The page holds together whatever the strings are: well-formed, nothing loaded, ids unique, anchors that resolve.

use std::collections::BTreeSet;

use proptest::prelude::*;
use roxmltree::{Document, Node};

use launchpath_report::{Format, Options, render};

use crate::{fixture, hostile};

fn page(diagnosis: &launchpath_report::diagnosis::Diagnosis) -> String {
    render(diagnosis, Format::Html, &Options::default())
}

/// The page is written so that an XML parser reads it.
fn parsed(page: &str) -> Document<'_> {
    let body = page.strip_prefix("<!DOCTYPE html>\n").unwrap();
    Document::parse(body).unwrap_or_else(|error| panic!("{error}\n{page}"))
}

fn elements<'a>(document: &'a Document<'a>) -> impl Iterator<Item = Node<'a, 'a>> {
    document.descendants().filter(Node::is_element)
}

/// What makes a browser ask for something, or run something.
fn loads(node: &Node<'_, '_>) -> Option<String> {
    let name = node.tag_name().name();
    let forbidden =
        ["img", "iframe", "object", "embed", "video", "audio", "source", "form", "base", "use", "image"];
    if forbidden.contains(&name) {
        return Some(format!("<{name}>"));
    }
    for attribute in node.attributes() {
        let value = attribute.value().trim();
        let link = match (name, attribute.name()) {
            ("link", "href") => value != "data:,",
            ("a", "href") => !value.starts_with('#') && !value.starts_with("https://"),
            (_, "href" | "src" | "srcset" | "style" | "action" | "poster") => true,
            (_, event) => event.starts_with("on"),
        };
        if link {
            return Some(format!("<{name} {}={value:?}>", attribute.name()));
        }
    }
    None
}

fn check(page: &str) -> Result<(), String> {
    let document = parsed(page);
    if let Some(found) = elements(&document).find_map(|node| loads(&node)) {
        return Err(found);
    }
    let scripts = elements(&document).filter(|node| node.tag_name().name() == "script").count();
    if scripts != 1 {
        return Err(format!("{scripts} scripts"));
    }
    let mut ids = BTreeSet::new();
    for id in elements(&document).filter_map(|node| node.attribute("id")) {
        if !ids.insert(id) {
            return Err(format!("id {id} twice"));
        }
    }
    for link in elements(&document).filter_map(|node| node.attribute("href")?.strip_prefix('#')) {
        if !ids.contains(link) {
            return Err(format!("no #{link}"));
        }
    }
    for labelled in elements(&document).filter_map(|node| node.attribute("aria-labelledby")) {
        if !ids.contains(labelled) {
            return Err(format!("no label #{labelled}"));
        }
    }
    Ok(())
}

#[test]
fn every_fixture_is_one_closed_page() {
    for (name, diagnosis) in fixture::all() {
        let page = page(&diagnosis);
        check(&page).unwrap_or_else(|error| panic!("{name}: {error}"));
        let document = parsed(&page);
        let headings: Vec<&str> = elements(&document)
            .map(|node| node.tag_name().name())
            .filter(|name| matches!(name.as_bytes(), [b'h', b'1'..=b'6']))
            .collect();
        assert_eq!(headings.iter().filter(|name| **name == "h1").count(), 1, "{name}");
        assert_eq!(headings[0], "h1", "{name}: the verdict comes first");
        let style = page.split_once("<style>").unwrap().1.split_once("</style>").unwrap().0;
        assert!(!style.contains("url(") && !style.contains("@import"), "the style loads nothing");
    }
}

#[test]
fn the_policy_allows_the_page_s_own_style_and_script_by_digest_only() {
    use base64::Engine as _;
    use sha2::{Digest, Sha256};
    let page = page(&fixture::blocked_network());
    let document = parsed(&page);
    let policy = elements(&document)
        .find(|node| node.attribute("http-equiv") == Some("Content-Security-Policy"))
        .and_then(|node| node.attribute("content"))
        .unwrap();
    assert!(policy.starts_with("default-src 'none';") && !policy.contains("unsafe"), "{policy}");
    for (tag, directive) in [("style", "style-src"), ("script", "script-src")] {
        let node = elements(&document).find(|node| node.tag_name().name() == tag).unwrap();
        let raw = page.split_once(&format!("<{tag}>")).unwrap().1.split_once(&format!("</{tag}>")).unwrap().0;
        assert_eq!(
            node.text(),
            Some(raw),
            "a parser of HTML takes {tag} as it is: no character of it is escaped"
        );
        let digest = base64::engine::general_purpose::STANDARD.encode(Sha256::digest(raw));
        assert!(policy.contains(&format!("{directive} 'sha256-{digest}'")), "{policy}");
    }
}

#[test]
fn what_a_reader_needs_first_comes_first() {
    let page = page(&fixture::blocked_network());
    let order = [
        "BLOCKED",
        "admits nothing from",
        "id=\"fix\"",
        "id=\"chain\"",
        "id=\"paths\"",
        "id=\"ruled-out\"",
        "id=\"evidence\"",
    ];
    let places: Vec<usize> = order.iter().map(|text| page.find(text).unwrap()).collect();
    assert!(places.is_sorted(), "{places:?}");
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn foreign_strings_stay_text(diagnosis in hostile::diagnosis()) {
        let page = page(&diagnosis);
        prop_assert!(!page.chars().any(hostile::is_dangerous), "{page:?}");
        let checked = check(&page);
        prop_assert!(checked.is_ok(), "{checked:?}\n{page}");
    }
}

//! An inspection for people: what the image is, what is wrong, what was not looked at.

use launchpath_image::inspect::{Certainty, Finding};
use launchpath_report::Options;
use serde_json::Value;

use super::record::Record;
use crate::commands::page::Page;

/// Imports of a chain that are shown.
const LINKS: usize = 6;

/// The text.
pub(super) fn of(record: &Record, options: &Options) -> String {
    let mut page = Page::new(&verdict(record));
    for line in facts(record.response()) {
        page.paragraph(&line);
    }
    for (certainty, title) in
        [(Certainty::Certain, "Certain"), (Certainty::Likely, "Likely"), (Certainty::Possible, "Possible")]
    {
        let found: Vec<&Finding> =
            record.findings().iter().filter(|finding| finding.certainty == certainty).collect();
        if found.is_empty() {
            continue;
        }
        page.section(title);
        for finding in found {
            page.item(&sentence(finding));
        }
    }
    if !record.not_checked().is_empty() {
        page.section("Not checked");
        for gap in record.not_checked() {
            page.item(&format!("{}: {}", gap.what, gap.why));
        }
    }
    page.finish(options)
}

fn verdict(record: &Record) -> String {
    let count = |certainty| record.findings().iter().filter(|f| f.certainty == certainty).count();
    let (certain, likely) = (count(Certainty::Certain), count(Certainty::Likely));
    let things = |count: usize| if count == 1 { "1 thing".to_owned() } else { format!("{count} things") };
    match (certain, likely) {
        (0, 0) if record.knows_its_start() => "Nothing certain or likely was found".to_owned(),
        (0, 0) => "What this starts could not be told".to_owned(),
        (0, likely) => format!("{} will likely keep this from launching", things(likely)),
        (certain, _) => format!("{} will keep this from launching", things(certain)),
    }
}

/// What the image is, in a few lines.
fn facts(response: &Value) -> Vec<String> {
    let text = |pointer: &str| response.pointer(pointer).and_then(Value::as_str);
    let mut lines = Vec::new();
    let kind = match text("/kind") {
        Some("container") => "container image",
        Some("code_zip") => "code zip",
        _ => "root file system",
    };
    let platform = match (text("/platform/os"), text("/platform/architecture")) {
        (Some(os), Some(architecture)) => format!(", {os}/{architecture}"),
        _ => String::new(),
    };
    lines.push(format!("{} ({kind}{platform}){}", text("/image").unwrap_or_default(), size(response)));
    if let Some(digest) = text("/digest") {
        let format = match text("/media_type") {
            Some(media_type) if media_type.contains("vnd.docker.") => " (Docker's format)",
            Some(media_type) if media_type.contains("vnd.oci.") => " (OCI's format)",
            _ => "",
        };
        lines.push(format!("Digest: {digest}{format}"));
    }
    let argv: Vec<&str> =
        response["start"]["argv"].as_array().into_iter().flatten().filter_map(Value::as_str).collect();
    if !argv.is_empty() {
        let file = text("/start/file").map(|file| format!(" ({file})")).unwrap_or_default();
        lines.push(format!("Starts: {}{file}", argv.join(" ")));
    }
    if let Some(version) = text("/python/version") {
        let installed = response["distributions"].as_object().map_or(0, serde_json::Map::len);
        lines.push(format!("Python {version}, {installed} distributions installed"));
    }
    if let Some(version) = text("/node/version") {
        lines.push(format!("Node {version}"));
    }
    lines
}

fn size(response: &Value) -> String {
    let bytes = |name: &str| response[name].as_u64().map(megabytes);
    let layers = response["layers"].as_u64().filter(|layers| *layers > 0);
    let mut parts = Vec::new();
    parts.extend(bytes("compressed_bytes").map(|size| format!("{size} compressed")));
    parts.extend(bytes("uncompressed_bytes").map(|size| format!("{size} unpacked")));
    parts.extend(layers.map(|layers| format!("{layers} {}", if layers == 1 { "layer" } else { "layers" })));
    if parts.is_empty() { String::new() } else { format!(", {}", parts.join(", ")) }
}

/// Decimal, as the service counts.
fn megabytes(bytes: u64) -> String {
    let tenths = bytes.saturating_add(50_000) / 100_000;
    format!("{}.{} MB", tenths / 10, tenths % 10)
}

fn sentence(finding: &Finding) -> String {
    let mut text = finding.text.clone();
    if let Some(file) = &finding.file {
        let line = finding.line.map(|line| format!(":{line}")).unwrap_or_default();
        text.push_str(&format!(" [{file}{line}]"));
    }
    // One link says no more than the file and line do.
    if finding.chain.len() > 1 {
        let shown: Vec<String> = finding
            .chain
            .iter()
            .take(LINKS)
            .map(|link| format!("{}:{} imports {}", link.file, link.line, link.module))
            .collect();
        let more = finding.chain.len().saturating_sub(LINKS);
        let more = if more == 0 { String::new() } else { format!(", and {more} more") };
        text.push_str(&format!(". The way there: {}{more}", shown.join(", ")));
    }
    text
}

//! What the formats look like, kept as files. `LAUNCHPATH_UPDATE=1 cargo test -p launchpath-report` rewrites them.

use std::path::Path;

use launchpath_report::{Colour, Detail, Format, Options, render, schema};

use crate::fixture;

#[expect(
    clippy::disallowed_methods,
    reason = "golden files are read and, on request, written by this test only"
)]
fn compare(name: &str, actual: &str) -> Option<String> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/golden").join(name);
    if std::env::var_os("LAUNCHPATH_UPDATE").is_some() {
        std::fs::write(&path, actual).unwrap();
        return None;
    }
    let expected = std::fs::read_to_string(&path).unwrap_or_default();
    let differing = expected.lines().zip(actual.lines()).position(|(old, new)| old != new);
    let line = differing.unwrap_or_else(|| expected.lines().count().min(actual.lines().count()));
    (expected != actual).then(|| {
        let at = |text: &str| text.lines().nth(line).unwrap_or("(end)").to_owned();
        format!("{name}:{}\n  file: {}\n  now:  {}", line + 1, at(&expected), at(actual))
    })
}

fn check(renderings: &[(String, String)]) {
    let differences: Vec<String> = renderings.iter().filter_map(|(name, text)| compare(name, text)).collect();
    assert!(differences.is_empty(), "LAUNCHPATH_UPDATE=1 accepts:\n{}", differences.join("\n"));
}

/// The rendering without the pages of the catalogue, which have their own life.
fn without_catalogue(text: String, format: Format) -> String {
    match format {
        Format::Html => match text.split_once("<section id=\"appendix\"") {
            Some((before, appendix)) => {
                format!("{before}<section id=\"appendix\"{}", &appendix[appendix.find("</main>").unwrap()..])
            }
            None => text,
        },
        Format::Sarif => {
            let mut log: serde_json::Value = serde_json::from_str(&text).unwrap();
            for rule in log["runs"][0]["tool"]["driver"]["rules"].as_array_mut().unwrap() {
                rule.as_object_mut().unwrap().remove("help");
            }
            format!("{log:#}\n")
        }
        _ => text,
    }
}

#[test]
fn every_format_of_every_fixture() {
    let mut renderings = Vec::new();
    for (name, diagnosis) in fixture::all() {
        let options = Options::default();
        let endings = [
            (Format::Text, "txt"),
            (Format::Markdown, "md"),
            (Format::Html, "html"),
            (Format::Json, "json"),
            (Format::JsonLines, "jsonl"),
            (Format::Sarif, "sarif"),
            (Format::Junit, "junit.xml"),
            (Format::Github, "github.txt"),
            (Format::StepSummary, "summary.md"),
            (Format::SupportCase, "case.txt"),
            (Format::SupportCaseJson, "case.json"),
        ];
        assert_eq!(endings.map(|(format, _)| format), Format::ALL, "every format has a golden file");
        for (format, ending) in endings {
            let text = without_catalogue(render(&diagnosis, format, &options), format);
            renderings.push((format!("{name}.{ending}"), text));
        }
    }
    check(&renderings);
}

#[test]
fn width_detail_colour_and_ascii() {
    let (undecided, network) = (fixture::undecided(), fixture::blocked_network());
    let normal = Options::default();
    let text = |diagnosis, options: Options| render(diagnosis, Format::Text, &options);
    check(&[
        ("undecided.wide.txt".into(), text(&undecided, Options { width: 120, ..normal })),
        ("undecided.narrow.txt".into(), text(&undecided, Options { width: 40, ..normal })),
        ("undecided.ascii.txt".into(), text(&undecided, Options { unicode: false, ..normal })),
        ("undecided.colour.txt".into(), text(&undecided, Options { colour: Colour::On, ..normal })),
        ("blocked-network.full.txt".into(), text(&network, Options { detail: Detail::Full, ..normal })),
    ]);
}

#[test]
fn json_is_read_back_unchanged() {
    for (name, diagnosis) in fixture::all() {
        let json = render(&diagnosis, Format::Json, &Options::default());
        let again: launchpath_report::diagnosis::Diagnosis = serde_json::from_str(&json).unwrap();
        assert_eq!(again, diagnosis, "{name}");
    }
}

#[test]
fn the_schema_names_every_member_of_the_json() {
    let schema = schema();
    let known = schema["properties"].as_object().unwrap();
    let json = serde_json::to_value(fixture::undecided()).unwrap();
    let members = json.as_object().unwrap();
    let names = |members: &serde_json::Map<_, _>| {
        members.keys().cloned().collect::<std::collections::BTreeSet<String>>()
    };
    assert_eq!(names(known), names(members));
}

//! Whatever the strings are: no panic, no control character, no foreign markup, and no command changed.

use proptest::prelude::*;
use proptest::sample::Index;
use pulldown_cmark::{Event, Parser, Tag};
use serde_json::Value;

use launchpath_report::diagnosis::Diagnosis;
use launchpath_report::{Colour, Detail, Format, Options, clean, render};

use crate::fixture;

/// Replaces strings of a diagnosis that may come from outside, in order, by `strings`; `None` keeps one.
pub(crate) fn with_strings(diagnosis: &Diagnosis, strings: &[Option<String>]) -> Diagnosis {
    let mut json = serde_json::to_value(diagnosis).unwrap();
    let mut next = strings.iter().cycle();
    replace("", &mut json, &mut next);
    serde_json::from_value(json).unwrap()
}

fn replace<'a>(member: &str, value: &mut Value, strings: &mut impl Iterator<Item = &'a Option<String>>) {
    const ENUMS: [&str; 6] = ["verdict", "state", "safety", "outcome", "at", "reference_time"];
    match value {
        Value::String(text) => {
            let status = member == "status" && ["confirmed", "likely", "possible"].contains(&text.as_str());
            if !status
                && !ENUMS.contains(&member)
                && let Some(Some(string)) = strings.next()
            {
                text.clone_from(string);
            }
        }
        Value::Array(items) => items.iter_mut().for_each(|item| replace(member, item, strings)),
        Value::Object(members) => {
            members.iter_mut().for_each(|(name, value)| replace(name, value, strings));
        }
        _ => {}
    }
}

/// Strings as attackers and accidents write them.
pub(crate) fn string() -> impl Strategy<Value = Option<String>> {
    prop_oneof![
        2 => Just(None),
        2 => "\\PC{0,80}".prop_map(Some),
        2 => "([a-z`|*_#<>\\[\\]()!\\-=:/@.\\\\ \n\t]|\u{1b}\\[[0-9;]*[mHJ]|\u{1b}\\]8;;|\u{7}|\u{9b}|[\u{202a}-\u{202e}]|[\u{200b}-\u{200d}]){0,60}".prop_map(Some),
        1 => "[a-z]{100,300}".prop_map(Some),
        1 => Just(Some(String::new())),
        1 => Just(Some("\u{1b}]0;owned\u{7}\u{1b}[2J</td><script>alert(1)</script> ``` [x](javascript:1) | x |\n# Pwned\n---\n![i](http://e)".to_owned())),
    ]
}

pub(crate) fn diagnosis() -> impl Strategy<Value = Diagnosis> {
    (any::<Index>(), prop::collection::vec(string(), 1..40)).prop_map(|(which, strings)| {
        let all = fixture::all();
        with_strings(&all[which.index(all.len())].1, &strings)
    })
}

pub(crate) fn options() -> impl Strategy<Value = Options> {
    (0usize..200, any::<bool>(), any::<bool>()).prop_map(|(width, unicode, full)| Options {
        width,
        colour: Colour::Off,
        unicode,
        detail: if full { Detail::Full } else { Detail::Normal },
    })
}

/// What no terminal and no reader should meet, said anew here so that a hole in the cleaning shows.
pub(crate) fn is_dangerous(c: char) -> bool {
    c.is_control() && c != '\n'
        || matches!(c, '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{2069}' | '\u{feff}')
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn text_holds_no_control_character(diagnosis in diagnosis(), options in options()) {
        let shown = render(&diagnosis, Format::Text, &options);
        prop_assert!(!shown.chars().any(is_dangerous), "{shown:?}");
        let markdown = render(&diagnosis, Format::Markdown, &options);
        prop_assert!(!markdown.chars().any(is_dangerous), "{markdown:?}");
    }

    #[test]
    fn colour_adds_only_styles(diagnosis in diagnosis(), options in options()) {
        let plain = render(&diagnosis, Format::Text, &options);
        let colour = render(&diagnosis, Format::Text, &Options { colour: Colour::On, ..options });
        for (plain, colour) in plain.lines().zip(colour.lines()) {
            prop_assert_eq!(plain, clean::line(colour));
        }
        prop_assert_eq!(plain.lines().count(), colour.lines().count());
    }

    #[test]
    fn markdown_holds_only_its_own_markup(diagnosis in diagnosis()) {
        let markdown = render(&diagnosis, Format::Markdown, &Options::default());
        let options = pulldown_cmark::Options::ENABLE_TABLES | pulldown_cmark::Options::ENABLE_STRIKETHROUGH
            | pulldown_cmark::Options::ENABLE_FOOTNOTES | pulldown_cmark::Options::ENABLE_TASKLISTS;
        for event in Parser::new_ext(&markdown, options) {
            let foreign = match &event {
                Event::Start(tag) => matches!(
                    tag,
                    Tag::Link { .. } | Tag::Image { .. } | Tag::HtmlBlock | Tag::BlockQuote(_)
                        | Tag::Strikethrough | Tag::FootnoteDefinition(_)
                ),
                Event::Html(_) | Event::InlineHtml(_) | Event::Rule | Event::FootnoteReference(_)
                | Event::TaskListMarker(_) => true,
                _ => false,
            };
            prop_assert!(!foreign, "{event:?}\n{markdown}");
        }
    }

    #[test]
    fn markdown_has_the_same_headings_whatever_the_strings(strings in prop::collection::vec(string(), 1..40)) {
        let base = fixture::undecided();
        let count = |diagnosis: &Diagnosis| {
            let markdown = render(diagnosis, Format::Markdown, &Options::default());
            let options = pulldown_cmark::Options::ENABLE_TABLES;
            let tag = |event: Event<'_>| match event {
                Event::Start(Tag::Heading { level, .. }) => Some(format!("{level}")),
                Event::Start(Tag::Table(columns)) => Some(format!("table of {}", columns.len())),
                _ => None,
            };
            Parser::new_ext(&markdown, options).filter_map(tag).collect::<Vec<_>>()
        };
        let strings: Vec<Option<String>> = strings.into_iter().map(|string| string.map(|text| format!("x{text}"))).collect();
        prop_assert_eq!(count(&with_strings(&base, &strings)), count(&base));
    }
}

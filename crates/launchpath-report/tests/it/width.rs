//! No line is wider than the page, but for commands and templates, which stay as they are.

use std::collections::BTreeSet;

use proptest::prelude::*;
use unicode_width::UnicodeWidthStr;

use launchpath_report::diagnosis::{Cause, Diagnosis};
use launchpath_report::{Format, Options, clean, render};

use crate::{fixture, hostile};

/// Every line that must be shown as it is.
fn verbatim(diagnosis: &Diagnosis) -> BTreeSet<String> {
    let fixes = |causes: &[Cause]| -> Vec<String> {
        let fixes = causes.iter().filter_map(|cause| cause.fix.as_ref());
        fixes
            .flat_map(|fix| {
                let templates = [&fix.terraform, &fix.cloudformation].into_iter().flatten();
                let templates = templates.flat_map(|text| clean::lines(text));
                fix.aws_cli.iter().cloned().chain(templates).collect::<Vec<_>>()
            })
            .collect()
    };
    let planned =
        diagnosis.plans.iter().flat_map(|plan| &plan.steps).flat_map(|step| step.fix.aws_cli.clone());
    // What a line of reasoning quotes is shown as it was printed.
    let causes = diagnosis.causes.iter().chain(&diagnosis.also_blocking);
    let reasons = causes.flat_map(|cause| &cause.because);
    let quoted = reasons
        .filter_map(|reason| reason.text.split_once('\n'))
        .flat_map(|(_, quoted)| clean::lines(quoted));
    let missing = diagnosis.unknown.iter().flat_map(|fault| &fault.missing);
    let commands = missing
        .filter_map(|missing| missing.command.clone())
        .chain(diagnosis.warnings.iter().filter_map(|warning| warning.command.clone()))
        .chain(diagnosis.next_probes.iter().map(|probe| probe.command.clone()))
        .chain(diagnosis.evidence.iter().map(|record| record.command.clone()))
        .chain(fixes(&diagnosis.causes))
        .chain(fixes(&diagnosis.also_blocking))
        .chain(planned)
        .chain(quoted);
    commands.map(|command| clean::line(&command).trim().to_owned()).collect()
}

fn too_wide(diagnosis: &Diagnosis, options: &Options) -> Option<String> {
    let verbatim = verbatim(diagnosis);
    let shown = render(diagnosis, Format::Text, options);
    let mut wide = shown.lines().filter(|line| line.width() > options.columns());
    wide.find(|line| !verbatim.contains(line.trim())).map(str::to_owned)
}

#[test]
fn the_fixtures_at_every_width() {
    for (name, diagnosis) in fixture::all() {
        for width in 40..=130 {
            assert_eq!(
                too_wide(&diagnosis, &Options { width, ..Options::default() }),
                None,
                "{name} {width}"
            );
        }
    }
}

#[test]
fn every_command_of_the_fix_and_the_probes_is_on_a_line_of_its_own() {
    for (name, diagnosis) in fixture::all() {
        let shown = render(&diagnosis, Format::Text, &Options { width: 40, ..Options::default() });
        let lines: BTreeSet<&str> = shown.lines().map(str::trim).collect();
        let fixes = diagnosis.causes.iter().filter_map(|cause| cause.fix.as_ref());
        let commands = fixes.flat_map(|fix| &fix.aws_cli);
        for command in commands.chain(diagnosis.next_probes.iter().map(|probe| &probe.command)) {
            assert!(lines.contains(command.as_str()), "{name}: {command}");
        }
    }
}

#[test]
fn the_first_line_names_verdict_and_cause() {
    let first = |diagnosis: &Diagnosis| {
        let shown = render(diagnosis, Format::Text, &Options { width: 120, ..Options::default() });
        shown.lines().next().unwrap_or_default().to_owned()
    };
    assert!(
        first(&fixture::blocked_image()).starts_with("BLOCKED  app.dependency_drift  The image's langchain")
    );
    assert!(first(&fixture::undecided()).starts_with("UNDECIDED  The launch breaks after"));
    assert!(first(&fixture::launches()).starts_with("LAUNCHES  "));
    assert!(first(&fixture::no_fault_found()).starts_with("NO FAULT FOUND  "));
}

#[test]
fn no_cause_is_hidden() {
    for (name, diagnosis) in fixture::all() {
        let shown = render(&diagnosis, Format::Text, &Options { width: 120, ..Options::default() });
        let causes = diagnosis.causes.iter().chain(&diagnosis.also_blocking);
        for cause in causes {
            assert!(shown.contains(&cause.fault), "{name}: {}", cause.fault);
        }
        let mut shortened = diagnosis.clone();
        shortened.ruled_out.retain(|fault| {
            let name = fault.fault.split_once('.').map_or(fault.fault.as_str(), |(_, name)| name);
            !shown.contains(name)
        });
        shortened.unknown.retain(|fault| {
            let name = fault.fault.split_once('.').map_or(fault.fault.as_str(), |(_, name)| name);
            !shown.contains(name)
        });
        assert!(shortened.ruled_out.is_empty() && shortened.unknown.is_empty(), "{name}: {shortened:?}");
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn no_line_is_too_wide(diagnosis in hostile::diagnosis(), options in hostile::options()) {
        prop_assert_eq!(too_wide(&diagnosis, &options), None);
    }
}

//! The top of the page: what a reader needs in ten seconds.

use super::{Report, picture};
use crate::diagnosis::{Diagnosis, Verdict};
use crate::markup::Markup;
use crate::{outline, wording};

pub(super) fn write(html: &mut Markup, report: &Report<'_>) {
    let diagnosis = report.diagnosis;
    let class = match diagnosis.verdict {
        Verdict::Launches => "good",
        Verdict::Blocked => "bad",
        Verdict::Undecided | Verdict::NoFaultFound => "doubt",
    };
    html.element("header", &[("class", class)], |html| {
        html.element("p", &[("class", "verdict")], |html| {
            html.leaf("strong", &[], wording::verdict(diagnosis.verdict));
            if let Some(cause) = diagnosis.primary() {
                html.text(&format!(" {} ", wording::status(cause.status)));
                html.leaf("code", &[], &cause.fault);
            }
        });
        html.leaf("h1", &[], &wording::sentence(&outline::headline(diagnosis)));
        if let Some((kind, step)) = outline::first_step(diagnosis) {
            html.element("p", &[("class", "step")], |html| {
                html.leaf("strong", &[], &format!("{kind}:"));
                html.text(&format!(" {}", wording::sentence(&step)));
            });
        }
        picture::strip::write(html, diagnosis);
        facts(html, diagnosis);
        contents(html, diagnosis);
    });
}

fn facts(html: &mut Markup, diagnosis: &Diagnosis) {
    let runtime = &diagnosis.runtime;
    let date = diagnosis.reference_time.map(|time| time.to_string());
    let facts = [
        ("Runtime", &runtime.id),
        ("Account", &runtime.account),
        ("Region", &runtime.region),
        ("Status", &runtime.status),
        ("Endpoint", &runtime.endpoint),
        ("Network", &runtime.network_mode),
        ("Platform", &runtime.platform_version),
        ("Protocol", &runtime.protocol),
        ("Artifact", &runtime.artifact),
        ("Evidence of", &date),
    ];
    html.element("dl", &[("class", "facts")], |html| {
        for (name, value) in facts {
            if let Some(value) = value {
                html.element("div", &[], |html| {
                    html.leaf("dt", &[], name);
                    html.leaf("dd", &[], value);
                });
            }
        }
    });
}

/// The sections that this report has.
fn contents(html: &mut Markup, diagnosis: &Diagnosis) {
    let sections = [
        ("cause", "Cause", diagnosis.primary().is_some()),
        ("fix", "Fix", outline::primary_fix(diagnosis).is_some()),
        ("plan", "Plan", outline::plans(diagnosis).is_some()),
        ("chain", "Chain", !diagnosis.chain.is_empty()),
        ("paths", "Network", !diagnosis.paths.is_empty()),
        ("also-blocking", "Also blocking", !outline::blocking_next(diagnosis).is_empty()),
        ("beside", "Beside the launch", !outline::beside(diagnosis).is_empty()),
        ("suspects", "Suspects", !outline::other_causes(diagnosis).is_empty()),
        ("next", "What would decide", !diagnosis.next_probes.is_empty()),
        ("beware", "Beware", !diagnosis.warnings.is_empty()),
        ("ruled-out", "Ruled out", !diagnosis.ruled_out.is_empty()),
        ("unknown", "Not known", !diagnosis.unknown.is_empty()),
        ("timeline", "Timeline", !diagnosis.timeline.is_empty()),
        ("comparison", "Comparison", diagnosis.comparison.is_some()),
        ("evidence", "Evidence", !diagnosis.evidence.is_empty()),
    ];
    html.element("nav", &[("aria-label", "Sections")], |html| {
        html.element("ul", &[], |html| {
            for (id, title, _) in sections.iter().filter(|(.., present)| *present) {
                html.element("li", &[], |html| html.leaf("a", &[("href", &format!("#{id}"))], title));
            }
        });
    });
}

pub(super) fn colophon(html: &mut Markup, diagnosis: &Diagnosis) {
    let when = diagnosis.reference_time.map(|time| format!(" on evidence of {time}")).unwrap_or_default();
    html.leaf("p", &[], &format!("Written by launchpath{when}. This page loads nothing and sends nothing."));
}

//! What it is not, and what is not known.

use super::{Report, code, section, table};
use crate::markup::Markup;
use crate::{outline, wording};

pub(super) fn ruled_out(html: &mut Markup, report: &Report<'_>) {
    let groups = outline::refutations(report.diagnosis);
    if groups.is_empty() {
        return;
    }
    section(html, "ruled-out", "Ruled out", |html| {
        table(html, "Ruled out", &["Theory", "How we know"], |html| {
            for group in groups {
                html.element("tr", &[], |html| {
                    html.element("td", &[], |html| {
                        html.element("ul", &[("class", "plain")], |html| {
                            for fault in &group.faults {
                                html.element("li", &[], |html| {
                                    html.text(&wording::capital(&fault.title));
                                    html.text(" ");
                                    html.leaf("code", &[("class", "fine")], &fault.fault);
                                });
                            }
                        });
                    });
                    html.element("td", &[], |html| {
                        html.text(&wording::capital(group.because));
                        report.cited(html, group.evidence);
                    });
                });
            }
        });
    });
}

pub(super) fn unknown(html: &mut Markup, report: &Report<'_>) {
    let gaps = outline::gaps(report.diagnosis);
    if gaps.is_empty() {
        return;
    }
    section(html, "unknown", "Not known", |html| {
        html.leaf("p", &[], "Neither found nor ruled out; what is missing, and the command that would tell.");
        for gap in gaps {
            html.element("details", &[], |html| {
                html.element("summary", &[], |html| {
                    html.leaf(
                        "strong",
                        &[],
                        if gap.evidence.is_empty() { "Undecided" } else { gap.evidence },
                    );
                    if !gap.reason.is_empty() {
                        html.text(&format!(": {}", gap.reason));
                    }
                    let open = wording::count(gap.faults.len(), "fault");
                    html.leaf("span", &[("class", "fine")], &format!(" leaves {open} open"));
                });
                if let Some(command) = gap.command {
                    code(html, command);
                }
                html.element("ul", &[], |html| {
                    for fault in &gap.faults {
                        html.element("li", &[], |html| {
                            html.leaf("code", &[], &fault.fault);
                            html.text(&format!(" {}", fault.title));
                        });
                    }
                });
                if !gap.calls.is_empty() {
                    html.element("p", &[], |html| {
                        html.text("Asked in");
                        report.cited(html, gap.calls);
                    });
                }
            });
        }
    });
}

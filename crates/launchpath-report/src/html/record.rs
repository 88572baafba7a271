//! The record: what happened when, what differs from a runtime that works, and every call with its command.

use super::{Report, code, section, table};
use crate::markup::Markup;
use crate::{outline, wording};

pub(super) fn timeline(html: &mut Markup, report: &Report<'_>) {
    if report.diagnosis.timeline.is_empty() {
        return;
    }
    section(html, "timeline", "Timeline", |html| {
        table(html, "Timeline", &["UTC", "Event"], |html| {
            for entry in &report.diagnosis.timeline {
                html.element("tr", &[], |html| {
                    let at = entry.at.to_string();
                    html.element("td", &[("class", "time")], |html| {
                        html.leaf("time", &[("datetime", &at)], &at);
                    });
                    html.element("td", &[], |html| {
                        html.text(&entry.text);
                        report.cited(html, &entry.evidence);
                    });
                });
            }
        });
    });
}

pub(super) fn comparison(html: &mut Markup, report: &Report<'_>) {
    let Some(comparison) = &report.diagnosis.comparison else { return };
    let further = outline::gets_further(comparison);
    let title = if further {
        "Comparison with a runtime that gets further"
    } else {
        "Comparison with another runtime"
    };
    section(html, "comparison", title, |html| {
        html.element("p", &[], |html| {
            html.leaf("code", &[], &comparison.with);
            let what = if further { " gets further: " } else { ": " };
            html.text(&format!("{what}{}", comparison.works_because));
            report.cited(html, &comparison.evidence);
        });
        if !comparison.differences.is_empty() {
            table(html, "Differences", &["Aspect", "Here", "There", "Can it explain the break?"], |html| {
                for difference in &comparison.differences {
                    html.element("tr", &[], |html| {
                        html.leaf("th", &[("scope", "row")], &difference.what);
                        html.element("td", &[], |html| {
                            html.text(&difference.here);
                            report.cited(html, &difference.evidence);
                        });
                        html.element("td", &[], |html| {
                            html.text(&difference.there);
                            report.cited(html, &difference.evidence_there);
                        });
                        match (&difference.explains, &difference.explains_not) {
                            (Some(how), _) => html.leaf("td", &[], how),
                            (None, Some(why)) => html.leaf("td", &[("class", "fine")], &format!("no: {why}")),
                            (None, None) => html.leaf("td", &[], "–"),
                        }
                    });
                }
            });
        }
        if !comparison.same.is_empty() {
            html.leaf("p", &[], &format!("The same: {}.", comparison.same.join(", ")));
        }
        if !comparison.not_compared.is_empty() {
            html.leaf("p", &[], "Not compared:");
            html.element("ul", &[], |html| {
                for left_out in &comparison.not_compared {
                    html.leaf("li", &[], &format!("{}: {}", left_out.what, left_out.why));
                }
            });
        }
    });
}

pub(super) fn evidence(html: &mut Markup, report: &Report<'_>) {
    if report.diagnosis.evidence.is_empty() {
        return;
    }
    section(html, "evidence", "Evidence", |html| {
        html.leaf("p", &[], "The recorded calls, each with the command that repeats it.");
        refused(html, report);
        for (place, record) in report.diagnosis.evidence.iter().enumerate() {
            html.element("details", &[("id", &format!("call-{place}")), ("class", "call")], |html| {
                html.element("summary", &[], |html| {
                    html.leaf("code", &[], record.id.as_str());
                    html.text(&format!(" {} {}", record.service, record.operation));
                    let at = record.at.map_or_else(String::new, |at| format!(" at {at}"));
                    let ended = format!(" {}{at}", wording::outcome(record.outcome));
                    html.leaf("span", &[("class", "fine")], &ended);
                });
                if let Some(error) = &record.error {
                    let http = error.http.map_or_else(String::new, |http| format!(" (HTTP {http})"));
                    html.element("pre", &[("class", "quote"), ("tabindex", "0")], |html| {
                        html.lines(&format!("{}{http}: {}", error.code, error.message));
                    });
                }
                match outline::repeats(record) {
                    Some(command) => code(html, command),
                    None => html.leaf("p", &[("class", "fine")], "No command repeats this."),
                }
            });
        }
    });
}

/// What the refused calls leave open, and how to get the permission.
fn refused(html: &mut Markup, report: &Report<'_>) {
    let refusals = outline::open_refusals(report.diagnosis);
    if refusals.is_empty() {
        return;
    }
    html.leaf("p", &[], "Refused, and what that leaves open:");
    html.element("ul", &[], |html| {
        for refusal in &refusals {
            html.element("li", &[], |html| {
                html.text(&format!("{} {}", refusal.service, refusal.operation));
                report.cited(html, &refusal.calls);
                html.text(&format!(" leaves open {}", wording::codes(&refusal.faults)));
            });
        }
    });
    code(html, outline::PERMISSIONS);
}

//! Why: symptom, causes with their reasoning, what blocks next, traps.

use super::{Report, code, section, table};
use crate::diagnosis::{Because, Cause, CauseStatus};
use crate::markup::Markup;
use crate::{outline, wording};

pub(super) fn cause(html: &mut Markup, report: &Report<'_>) {
    let Some(primary) = report.diagnosis.primary() else { return };
    section(html, "cause", "Cause", |html| {
        html.element("p", &[("class", "lead")], |html| title(html, primary));
        details(html, report, primary);
    });
}

pub(super) fn also_blocking(html: &mut Markup, report: &Report<'_>) {
    let next = outline::blocking_next(report.diagnosis);
    if !next.is_empty() {
        section(html, "also-blocking", "Also blocking", |html| {
            html.leaf("p", &[], "Once the first cause is mended, the launch stops here next.");
            for cause in next {
                folded(html, report, cause);
            }
        });
    }
    let beside = outline::beside(report.diagnosis);
    if !beside.is_empty() {
        section(html, "beside", "Beside the launch", |html| {
            html.leaf("p", &[], "This stops no launch and is wrong all the same.");
            for cause in beside {
                folded(html, report, cause);
            }
        });
    }
}

pub(super) fn suspects(html: &mut Markup, report: &Report<'_>) {
    let others = outline::other_causes(report.diagnosis);
    if others.is_empty() {
        return;
    }
    section(html, "suspects", "Suspects", |html| {
        for cause in others {
            folded(html, report, cause);
        }
    });
}

fn folded(html: &mut Markup, report: &Report<'_>, cause: &Cause) {
    html.element("details", &[], |html| {
        html.element("summary", &[], |html| title(html, cause));
        details(html, report, cause);
        if let Some(fix) = &cause.fix {
            super::remedy::repair(html, report, fix);
        }
    });
}

fn title(html: &mut Markup, cause: &Cause) {
    let class = match cause.status {
        CauseStatus::Confirmed => "tag bad",
        CauseStatus::Likely => "tag doubt",
        CauseStatus::Possible => "tag",
    };
    let sure = format!("{} {}", wording::status(cause.status), wording::percent(cause.probability));
    html.leaf("span", &[("class", class)], &sure);
    html.text(" ");
    html.leaf("code", &[], &cause.fault);
    html.text(&format!(" {}", cause.title));
}

fn details(html: &mut Markup, report: &Report<'_>, cause: &Cause) {
    if !cause.subjects.is_empty() {
        html.element("p", &[("class", "subjects")], |html| {
            html.text(if cause.status == CauseStatus::Possible { "About " } else { "At fault: " });
            for (index, subject) in cause.subjects.iter().enumerate() {
                if index > 0 {
                    html.text(", ");
                }
                html.leaf("code", &[], subject);
            }
        });
    }
    reasons(html, report, &cause.because);
    if launchpath_diagnose::faults::find(&cause.fault).is_some()
        && super::appendix::is_shown(report.diagnosis, cause)
    {
        html.element("p", &[], |html| {
            let href = format!("#page-{}", cause.fault);
            html.leaf("a", &[("href", &href)], "About this kind of fault");
        });
    }
}

fn reasons(html: &mut Markup, report: &Report<'_>, because: &[Because]) {
    if because.is_empty() {
        return;
    }
    table(html, "Reasons", &["Odds", "Why"], |html| {
        for reason in because {
            html.element("tr", &[], |html| {
                html.leaf("td", &[("class", "number")], &wording::weight(reason.weight));
                html.element("td", &[], |html| {
                    let (said, quoted) = wording::split_quote(&reason.text);
                    html.text(said);
                    report.cited(html, &reason.evidence);
                    if let Some(quoted) = quoted {
                        html.element("pre", &[("class", "quote"), ("tabindex", "0")], |html| {
                            html.lines(quoted);
                        });
                    }
                });
            });
        }
    });
}

pub(super) fn symptom(html: &mut Markup, report: &Report<'_>) {
    let failed = outline::failed_invocations(report.diagnosis);
    if failed.is_empty() && report.diagnosis.statements.is_empty() {
        return;
    }
    section(html, "symptom", "Symptom", |html| {
        for record in failed {
            html.element("p", &[], |html| {
                let at = record.at.map_or_else(String::new, |at| format!(" at {at}"));
                html.text(&format!("{}{at}", record.operation));
                report.cited(html, std::slice::from_ref(&record.id));
            });
            let error = record.error.clone().unwrap_or_default();
            html.element("pre", &[("class", "quote"), ("tabindex", "0")], |html| {
                html.lines(&format!("{}: {}", error.code, error.message));
            });
        }
        if !report.diagnosis.statements.is_empty() {
            html.leaf("p", &[], "Reported by people, not counted as proof:");
            html.element("ul", &[], |html| {
                for saying in &report.diagnosis.statements {
                    html.element("li", &[], |html| {
                        let by = saying.by.as_ref().map_or_else(String::new, |by| format!("{by}: "));
                        html.text(&format!("{by}“{}”", saying.text));
                        report.cited(html, &saying.evidence);
                    });
                }
            });
        }
    });
}

pub(super) fn warnings(html: &mut Markup, report: &Report<'_>) {
    if report.diagnosis.warnings.is_empty() {
        return;
    }
    section(html, "beware", "Beware", |html| {
        for warning in &report.diagnosis.warnings {
            html.element("details", &[], |html| {
                html.element("summary", &[], |html| {
                    html.leaf("strong", &[], &wording::capital(&warning.title));
                    html.text(" ");
                    html.leaf("code", &[], &warning.code);
                });
                html.element("p", &[], |html| {
                    html.text(&wording::capital(&warning.text));
                    report.cited(html, &warning.evidence);
                });
                if let Some(command) = &warning.command {
                    code(html, command);
                }
            });
        }
    });
}

//! What to do: the repair in three languages with its proof, and the observations that would decide.

use super::{Report, code, section};
use crate::diagnosis::{Fix, Plan, Safety};
use crate::markup::Markup;
use crate::{outline, wording};

pub(super) fn fix(html: &mut Markup, report: &Report<'_>) {
    let Some(fix) = outline::primary_fix(report.diagnosis) else { return };
    section(html, "fix", "Fix", |html| repair(html, report, fix));
}

pub(super) fn repair(html: &mut Markup, report: &Report<'_>, fix: &Fix) {
    html.leaf("p", &[("class", "lead")], &wording::sentence(&fix.summary));
    let class = if fix.safety == Safety::Safe { "good" } else { "doubt" };
    html.leaf("p", &[("class", class)], &format!("{}.", wording::capital(wording::safety(fix.safety))));
    if let Some(verified) = &fix.verified {
        let proof = wording::proof(verified, |stage| outline::stage_title(report.diagnosis, stage));
        html.leaf("p", &[], &wording::sentence(&proof));
    }
    let cli = (!fix.aws_cli.is_empty()).then(|| fix.aws_cli.join("\n"));
    let forms = [("AWS CLI", &cli), ("Terraform", &fix.terraform), ("CloudFormation", &fix.cloudformation)];
    let mut first = true;
    for (name, text) in forms {
        let Some(text) = text else { continue };
        // The first form is open: most readers copy that.
        let open: &[(&str, &str)] = if first { &[("open", "")] } else { &[] };
        first = false;
        html.element("details", open, |html| {
            html.leaf("summary", &[], name);
            code(html, text);
        });
    }
}

pub(super) fn plans(html: &mut Markup, report: &Report<'_>) {
    let Some((first, others)) = outline::plans(report.diagnosis) else { return };
    section(html, "plan", "Plan", |html| {
        html.leaf("p", &[], &format!("Every repair, in launch order; {}.", first.why));
        plan(html, report, first);
        for other in others {
            html.element("details", &[], |html| {
                let repairs: Vec<&str> = other.steps.iter().map(|step| step.fix.summary.as_str()).collect();
                html.leaf("summary", &[], &format!("Or: {} ({})", repairs.join("; then "), other.why));
                plan(html, report, other);
            });
        }
    });
}

fn plan(html: &mut Markup, report: &Report<'_>, plan: &Plan) {
    html.element("ol", &[], |html| {
        for step in &plan.steps {
            html.element("li", &[], |html| {
                html.leaf("code", &[], &step.fault);
                html.text(&format!(" {}", wording::sentence(&step.fix.summary)));
                let safety = wording::capital(wording::safety(step.fix.safety));
                html.leaf("span", &[("class", "fine")], &format!(" {safety}."));
                if let Some(by) = &step.hidden_by {
                    html.leaf("span", &[("class", "doubt")], &format!(" Seen only once {by} is mended."));
                }
                if !step.fix.aws_cli.is_empty() {
                    code(html, &step.fix.aws_cli.join("\n"));
                }
            });
        }
    });
    let proof = wording::proof(&plan.verified, |stage| outline::stage_title(report.diagnosis, stage));
    html.leaf("p", &[], &wording::sentence(&proof));
}

pub(super) fn next(html: &mut Markup, report: &Report<'_>) {
    if report.diagnosis.next_probes.is_empty() {
        return;
    }
    section(html, "next", "What would decide, best first", |html| {
        html.element("ol", &[], |html| {
            for probe in &report.diagnosis.next_probes {
                html.element("li", &[], |html| {
                    html.text(&wording::sentence(&probe.what));
                    if !probe.command.trim().is_empty() {
                        code(html, &probe.command);
                    }
                    if !probe.splits.is_empty() {
                        html.element("p", &[("class", "fine")], |html| {
                            html.text(&format!("Worth {:.2} bits; tells apart ", probe.gain_bits));
                            for (index, fault) in probe.splits.iter().enumerate() {
                                html.text(if index > 0 { ", " } else { "" });
                                html.leaf("code", &[], fault);
                            }
                        });
                    }
                });
            }
        });
    });
}

//! The plans: every repair in launch order as one list, where one repair is not enough or there are several ways.

use crate::canvas::{Canvas, Ink, Rich};
use crate::diagnosis::{Diagnosis, Plan, PlanStep};
use crate::{outline, wording};

use super::FULL;

pub(super) fn write(canvas: &mut Canvas<'_>, diagnosis: &Diagnosis) {
    let Some((first, others)) = outline::plans(diagnosis) else { return };
    canvas.heading("Plan", Rich::new().plain("every repair, in launch order; ").plain(&first.why));
    list(canvas, diagnosis, first);
    let full = canvas.options().is_full();
    for plan in others {
        let repairs: Vec<&str> = plan.steps.iter().map(|step| step.fix.summary.as_str()).collect();
        let text = Rich::new().plain(&repairs.join("; then ")).ink(Ink::Dim, &format!(" ({})", plan.why));
        canvas.hanging(Rich::new().ink(Ink::Strong, "  or "), "     ", text);
        if full {
            list(canvas, diagnosis, plan);
        }
    }
    if !full && !others.is_empty() {
        canvas.paragraph(2, Rich::new().ink(Ink::Dim, &format!("the commands of the other ways: {FULL}")));
    }
}

fn list(canvas: &mut Canvas<'_>, diagnosis: &Diagnosis, plan: &Plan) {
    for (index, step) in plan.steps.iter().enumerate() {
        let safety = format!(" ({})", wording::safety(step.fix.safety));
        let mut text = Rich::new().ink(Ink::Strong, &step.fault).plain(" – ").plain(&step.fix.summary);
        text = text.ink(Ink::Dim, &safety);
        if let Some(hidden_by) = &step.hidden_by {
            text = text.ink(Ink::Doubt, &format!(" seen only once {hidden_by} is mended"));
        }
        canvas.hanging(Rich::new().plain(&format!("{:>3}. ", index + 1)), "     ", text);
        if canvas.options().is_full() || !is_shown_with_its_cause(diagnosis, step) {
            for command in &step.fix.aws_cli {
                canvas.verbatim(7, command);
            }
        }
    }
    let proof = wording::proof(&plan.verified, |stage| outline::stage_title(diagnosis, stage));
    canvas.hanging(Rich::new().plain("  ").ink(Ink::Good, "✔ "), "    ", Rich::new().plain(&proof));
}

/// Whether the same repair stands with its cause already, commands included.
fn is_shown_with_its_cause(diagnosis: &Diagnosis, step: &PlanStep) -> bool {
    let causes = diagnosis.primary().into_iter().chain(&diagnosis.also_blocking);
    causes.filter_map(|cause| cause.fix.as_ref()).any(|fix| fix.aws_cli == step.fix.aws_cli)
}

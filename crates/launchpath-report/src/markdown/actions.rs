//! What to do: the repair with its proof, the observations that would decide, what is not known and what would tell.

use crate::diagnosis::{Diagnosis, Fix, Verdict};
use crate::{clean, outline, wording};

use super::escape::{Place, code, fence, text};
use super::{Page, cited};

pub(super) fn recommended(page: &mut Page, diagnosis: &Diagnosis) {
    let fixes: Vec<(&str, &Fix)> = diagnosis
        .primary()
        .into_iter()
        .chain(&diagnosis.also_blocking)
        .filter_map(|cause| Some((cause.fault.as_str(), cause.fix.as_ref()?)))
        .collect();
    let needs_support = diagnosis.verdict == Verdict::NoFaultFound && diagnosis.next_probes.is_empty();
    if fixes.is_empty() && diagnosis.next_probes.is_empty() && !needs_support {
        return;
    }
    page.block("## Recommended actions");
    for (fault, fix) in fixes {
        repair(page, diagnosis, fault, fix);
    }
    plans(page, diagnosis);
    if needs_support {
        page.block(&format!("### Next\n\n{}", text(Place::Flow, outline::SUPPORT_ADVICE)));
    }
    if diagnosis.next_probes.is_empty() {
        return;
    }
    page.block("### What would decide, best first");
    page.gap();
    for (index, probe) in diagnosis.next_probes.iter().enumerate() {
        let number = format!("{}. ", index + 1);
        let splits: Vec<String> = probe.splits.iter().map(|fault| code(Place::Flow, fault)).collect();
        let splits = if splits.is_empty() {
            String::new()
        } else {
            format!(" (tells apart {}; {:.2} bits)", wording::list(&splits), probe.gain_bits)
        };
        page.line(&format!("{number}{}{splits}", text(Place::Flow, &probe.what)));
        if !probe.command.trim().is_empty() {
            page.line(&fence(number.len(), "sh", &[clean::line(&probe.command)]));
        }
    }
}

fn repair(page: &mut Page, diagnosis: &Diagnosis, fault: &str, fix: &Fix) {
    page.block(&format!("### Fix {}", code(Place::Flow, fault)));
    page.block(&text(Place::Flow, &fix.summary));
    page.block(&format!("Safety: {}.", wording::safety(fix.safety)));
    let commands: Vec<String> = fix.aws_cli.iter().map(|command| clean::line(command)).collect();
    if !commands.is_empty() {
        page.block(&fence(0, "sh", &commands));
    }
    for (language, template) in [("hcl", &fix.terraform), ("yaml", &fix.cloudformation)] {
        if let Some(template) = template {
            page.block(&fence(0, language, &clean::lines(template)));
        }
    }
    if let Some(verified) = &fix.verified {
        let proof = wording::proof(verified, |stage| outline::stage_title(diagnosis, stage));
        page.block(&text(Place::Flow, &format!("Proof: {proof}")));
    }
}

fn plans(page: &mut Page, diagnosis: &Diagnosis) {
    let Some((first, others)) = outline::plans(diagnosis) else { return };
    for (heading, plan) in
        std::iter::once(("### Plan", first)).chain(others.iter().map(|plan| ("### Another plan", plan)))
    {
        page.block(heading);
        page.block(&text(Place::Flow, &format!("Every repair, in launch order; {}.", plan.why)));
        page.gap();
        for (index, step) in plan.steps.iter().enumerate() {
            let hidden = step
                .hidden_by
                .as_ref()
                .map(|by| format!(", seen only once {} is mended", code(Place::Flow, by)));
            let number = format!("{}. ", index + 1);
            page.line(&format!(
                "{number}{}: {} ({}{})",
                code(Place::Flow, &step.fault),
                text(Place::Flow, &step.fix.summary),
                wording::safety(step.fix.safety),
                hidden.unwrap_or_default(),
            ));
            let commands: Vec<String> = step.fix.aws_cli.iter().map(|command| clean::line(command)).collect();
            if !commands.is_empty() {
                page.line(&fence(number.len(), "sh", &commands));
            }
        }
        let proof = wording::proof(&plan.verified, |stage| outline::stage_title(diagnosis, stage));
        page.block(&text(Place::Flow, &format!("Proof: {proof}")));
    }
}

pub(super) fn unknown(page: &mut Page, diagnosis: &Diagnosis) {
    let gaps = outline::gaps(diagnosis);
    if gaps.is_empty() {
        return;
    }
    page.block("## Not known");
    page.block("Neither found nor ruled out; what is missing, and the command that would tell.");
    page.gap();
    for gap in gaps {
        let faults: Vec<String> = gap.faults.iter().map(|fault| code(Place::Flow, &fault.fault)).collect();
        let faults = faults.join(", ");
        if gap.evidence.is_empty() {
            page.line(&format!("- undecided: {faults}"));
        } else {
            let (evidence, reason) = (text(Place::Flow, gap.evidence), text(Place::Flow, gap.reason));
            let calls = cited(Place::Flow, gap.calls);
            page.line(&format!("- **{evidence}**: {reason}{calls}. Leaves open {faults}"));
        }
        if let Some(command) = gap.command {
            page.line(&fence(2, "sh", &[clean::line(command)]));
        }
    }
}

//! The first lines: verdict and cause, what to do, which runtime.

use crate::canvas::{Canvas, Ink, Rich};
use crate::diagnosis::{CauseStatus, Diagnosis};
use crate::{outline, wording};

pub(super) fn write(canvas: &mut Canvas<'_>, diagnosis: &Diagnosis) {
    let verdict = wording::verdict(diagnosis.verdict);
    let headline = outline::headline(diagnosis);
    let mut prefix = Rich::new().ink(wording::verdict_ink(diagnosis.verdict), verdict).plain("  ");
    if let Some(cause) = diagnosis.primary().filter(|cause| !headline.contains(&cause.fault)) {
        if cause.status != CauseStatus::Confirmed {
            prefix = prefix.plain(wording::status(cause.status)).plain(" ");
        }
        prefix = prefix.ink(Ink::Strong, &cause.fault).plain("  ");
    }
    let lead = " ".repeat(verdict.len() + 2);
    canvas.hanging(prefix, &lead, Rich::new().plain(&headline));
    canvas.hanging(Rich::new(), "  ", runtime(diagnosis));
    if let Some((kind, step)) = outline::first_step(diagnosis) {
        let prefix = Rich::new().ink(Ink::Strong, kind).plain(": ");
        canvas.hanging(prefix, "     ", Rich::new().plain(&step));
    }
}

fn runtime(diagnosis: &Diagnosis) -> Rich {
    let runtime = &diagnosis.runtime;
    let endpoint = runtime.endpoint.as_ref().map(|name| format!("endpoint {name}"));
    let facts = [
        &runtime.region,
        &runtime.network_mode,
        &runtime.platform_version,
        &runtime.protocol,
        &runtime.status,
        &endpoint,
    ];
    let facts: Vec<&str> = facts.into_iter().flatten().map(String::as_str).collect();
    // A separator stays with what it follows.
    let mut line = Rich::new().ink(Ink::Strong, outline::runtime_name(diagnosis));
    for fact in facts {
        line = line.glued(Ink::Plain, " ·").plain(" ").plain(fact);
    }
    line
}

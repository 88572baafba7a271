//! The answer of `permissions --check` as text and as JSON. Nothing is decided here.

use launchpath_report::Options;
use serde_json::{Value, json};

use super::super::page::{Page, calls};
use super::check::{Basis, Checked, Open, Permission, State};

/// As JSON, ending in a line feed.
pub(super) fn json(checked: &Checked) -> String {
    let permissions: Vec<Value> = checked
        .permissions
        .iter()
        .map(|permission| {
            let Open { basis, faults, stages, verdict } = &permission.open;
            let stages: Vec<&str> = stages.iter().map(|stage| stage.id()).collect();
            json!({
                "action": permission.action,
                "why": permission.why,
                "state": permission.state.as_str(),
                "reason": permission.reason,
                "calls": permission.calls,
                "leaves_undecided": {
                    "basis": basis.as_str(), "faults": faults, "stages": stages, "verdict": verdict,
                },
            })
        })
        .collect();
    let count = |state: State| checked.permissions.iter().filter(|p| p.state == state).count();
    let value = json!({
        "identity": checked.identity,
        "runtime": checked.runtime,
        "allowed": count(State::Allowed),
        "refused": count(State::Refused),
        "unknown": count(State::Unknown),
        "actions": permissions,
    });
    format!("{value:#}\n")
}

/// As text, ending in a line feed.
pub(super) fn text(checked: &Checked, options: &Options) -> String {
    let of = |state: State| checked.permissions.iter().filter(move |p| p.state == state);
    let refused = of(State::Refused).count();
    let who = checked.identity.as_deref().unwrap_or("the caller");
    let verdict = match (refused, checked.exit_code()) {
        (0, 0) => format!("{who} has every permission that this case needed"),
        (0, _) => format!("Nothing was refused to {who}, but not everything could be tried"),
        (1, _) => format!("1 permission is refused to {who}"),
        (count, _) => format!("{count} permissions are refused to {who}"),
    };
    let mut page = Page::new(&verdict);
    let (failed, unasked): (Vec<&Permission>, Vec<&Permission>) =
        of(State::Unknown).partition(|permission| !permission.calls.is_empty());
    section(&mut page, "Refused, and what that leaves undecided", &of(State::Refused).collect::<Vec<_>>());
    if refused > 0 {
        page.paragraph("The policy that allows them, and nothing that writes:");
        page.command("launchpath permissions");
    }
    section(&mut page, "Not known", &failed);
    section(
        &mut page,
        "Allowed, and what would be undecided without",
        &of(State::Allowed).collect::<Vec<_>>(),
    );
    section(&mut page, "Not tried: this case did not ask for it", &unasked);
    page.finish(options)
}

fn section(page: &mut Page, title: &str, permissions: &[&Permission]) {
    if !permissions.is_empty() {
        page.section(title);
    }
    for permission in permissions {
        page.item(&line(permission));
    }
}

fn line(permission: &Permission) -> String {
    let Open { basis, faults, stages, verdict } = &permission.open;
    let mut text = permission.action.to_owned();
    // Dozens of calls would hide the rest.
    match permission.calls.len() {
        0..=4 => text.push_str(&calls(&permission.calls)),
        more => text.push_str(&format!(" [{more} calls]")),
    }
    if permission.state != State::Allowed && !permission.calls.is_empty() {
        text.push_str(&format!(", {}", permission.reason));
    }
    text.push_str(": ");
    if let Some(verdict) = verdict {
        text.push_str(&format!("the verdict «{verdict}»; "));
    }
    if faults.is_empty() && stages.is_empty() {
        let nothing = match basis {
            Basis::Refused => "nothing that the other answers do not decide",
            Basis::Withheld => "nothing; the other answers decide as much",
            Basis::Declared => permission.why.first().copied().unwrap_or_default(),
        };
        text.push_str(nothing);
        return text;
    }
    let codes: Vec<&str> = faults.iter().map(String::as_str).collect();
    text.push_str(&launchpath_report::codes(&codes));
    if !stages.is_empty() {
        let titles: Vec<&str> = stages.iter().map(|stage| stage.title()).collect();
        text.push_str(&format!(" ({})", titles.join(", ")));
    }
    text
}

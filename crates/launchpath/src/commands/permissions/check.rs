//! Whether the caller of a collection may do each thing a collection does, and what a missing permission leaves undecided.
//!
//! Nothing here is a list of its own. The actions come from the table of operations, their state from how the recorded calls
//! ended, and what hangs on an action from the diagnosis: for a refused call, the faults whose gaps cite it; for an answered one,
//! the same case diagnosed with the answer withheld; for one that was not asked, what the checks declare to need. Start with
//! [`check`].

use std::collections::{BTreeMap, BTreeSet};

use launchpath_aws::operation::{Operation, READ};
use launchpath_diagnose::chain::Stage;
use launchpath_diagnose::denial_message::Denial;
use launchpath_diagnose::diagnosis::StageState;
use launchpath_diagnose::{Diagnosis, diagnose, faults};
use launchpath_intake::bundle::Call;
use launchpath_intake::{Bundle, open_bundle};
use launchpath_model::Outcome;
use launchpath_model::evidence::{CallError, EvidenceId};

use crate::failure::Failure;

/// What is known of one permission.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum State {
    Allowed,
    Refused,
    Unknown,
}

impl State {
    pub(super) fn as_str(self) -> &'static str {
        match self {
            Self::Allowed => "allowed",
            Self::Refused => "refused",
            Self::Unknown => "unknown",
        }
    }
}

/// How it was found out what hangs on an action.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Basis {
    /// Open in this diagnosis, and the refused call is cited there.
    Refused,
    /// Decided now; open when the same case is diagnosed without the answer.
    Withheld,
    /// Declared by the checks; this case did not need the call.
    Declared,
}

impl Basis {
    pub(super) fn as_str(self) -> &'static str {
        match self {
            Self::Refused => "refused",
            Self::Withheld => "withheld",
            Self::Declared => "declared",
        }
    }
}

/// What cannot be decided without an action.
pub(super) struct Open {
    pub(super) basis: Basis,
    pub(super) faults: BTreeSet<String>,
    /// In the order of the launch.
    pub(super) stages: Vec<Stage>,
    /// The verdict that is lost with the answer, when it is.
    pub(super) verdict: Option<&'static str>,
}

/// One permission.
pub(super) struct Permission {
    pub(super) action: &'static str,
    pub(super) why: Vec<&'static str>,
    pub(super) state: State,
    pub(super) reason: String,
    pub(super) calls: Vec<EvidenceId>,
    pub(super) open: Open,
}

/// All permissions of a collection.
pub(super) struct Checked {
    pub(super) identity: Option<String>,
    pub(super) runtime: Option<String>,
    pub(super) permissions: Vec<Permission>,
}

impl Checked {
    /// 0 nothing refused and nothing that was asked left open, 1 something refused, 3 could not tell.
    pub(super) fn exit_code(&self) -> u8 {
        if self.permissions.iter().any(|permission| permission.state == State::Refused) {
            return 1;
        }
        let answered = self.permissions.iter().any(|permission| permission.state == State::Allowed);
        let failed =
            |permission: &Permission| permission.state == State::Unknown && !permission.calls.is_empty();
        if !answered || self.permissions.iter().any(failed) { 3 } else { 0 }
    }
}

/// Judges every action of the table by the calls of the bundle.
pub(super) fn check(bundle: &Bundle) -> Result<Checked, Failure> {
    let whole = diagnosis(bundle)?;
    let mut actions: BTreeMap<&'static str, Vec<&'static Operation>> = BTreeMap::new();
    for row in READ {
        for action in row.actions {
            actions.entry(action).or_default().push(row);
        }
    }
    let mut permissions = Vec::with_capacity(actions.len());
    for (action, rows) in actions {
        let (state, reason, calls) = state(bundle, action, &rows);
        let open = match state {
            State::Refused => refused(&whole, &calls),
            State::Allowed => withheld(bundle, &whole, action, &calls)?,
            State::Unknown => declared(&rows),
        };
        let why: BTreeSet<&'static str> = rows.iter().map(|row| row.why).collect();
        permissions.push(Permission { action, why: why.into_iter().collect(), state, reason, calls, open });
    }
    // What is missing first, and there what hangs on most.
    permissions.sort_by_key(|permission| {
        let rank =
            [State::Refused, State::Unknown, State::Allowed].iter().position(|s| *s == permission.state);
        (
            rank,
            permission.calls.is_empty(),
            std::cmp::Reverse(permission.open.faults.len()),
            permission.action,
        )
    });
    let identity = bundle.calls.iter().find(|call| call.operation == "GetCallerIdentity");
    let identity = identity.and_then(|call| call.response.as_ref()?.get("Arn")?.as_str().map(str::to_owned));
    Ok(Checked { identity, runtime: bundle.subject.runtime.clone(), permissions })
}

fn diagnosis(bundle: &Bundle) -> Result<Diagnosis, Failure> {
    Ok(diagnose(&open_bundle(bundle)?))
}

/// The action that a refusal blames: AWS's words, else the one the operation is mostly about.
fn blamed<'a>(call: &Call, row: &Operation) -> Option<std::borrow::Cow<'a, str>> {
    let message = call.error.as_ref().map(|error| error.message.as_str()).unwrap_or_default();
    let named = Denial::read(message).and_then(|denial| denial.action);
    let named = named.filter(|named| row.actions.iter().any(|action| action.eq_ignore_ascii_case(named)));
    named.map(Into::into).or_else(|| row.actions.first().map(|action| (*action).into()))
}

/// The state of an action, why, and the calls that show it.
fn state(bundle: &Bundle, action: &str, rows: &[&Operation]) -> (State, String, Vec<EvidenceId>) {
    let row_of = |call: &Call| {
        // The CLI calls the plain S3 API `s3api`; both names are in use.
        let service = if call.service == "s3api" { "s3" } else { &call.service };
        rows.iter().find(|row| row.recorded_as() == (service, call.operation.as_str()))
    };
    let asked: Vec<(&Call, &&Operation)> =
        bundle.calls.iter().filter_map(|call| Some((call, row_of(call)?))).collect();
    let ids = |of: &dyn Fn(&Call, &Operation) -> bool| -> Vec<EvidenceId> {
        asked.iter().filter(|(call, row)| of(call, row)).map(|(call, _)| call.id.clone()).collect()
    };
    let is_refused = |call: &Call, row: &Operation| {
        call.outcome == Outcome::Denied
            && blamed(call, row).is_some_and(|blamed| blamed.eq_ignore_ascii_case(action))
    };
    let refused = ids(&is_refused);
    // AWS says that something does not exist to those who may ask.
    let is_first = |row: &Operation| row.actions.first().is_some_and(|first| *first == action);
    let answered = ids(&|call, row| is_first(row) && matches!(call.outcome, Outcome::Ok | Outcome::NotFound));
    if !refused.is_empty() {
        let reason = match answered.len() {
            0 => "every call was refused".to_owned(),
            count => format!("{} of {} calls were refused", refused.len(), refused.len() + count),
        };
        return (State::Refused, reason, refused);
    }
    if !answered.is_empty() {
        return (State::Allowed, "AWS answered".to_owned(), answered);
    }
    let failed =
        ids(&|call, row| is_first(row) && matches!(call.outcome, Outcome::Error | Outcome::Throttled));
    if !failed.is_empty() {
        return (State::Unknown, "the calls failed of something else".to_owned(), failed);
    }
    (State::Unknown, "this case did not ask for it".to_owned(), Vec::new())
}

/// What the diagnosis leaves open and cites one of these calls for.
fn refused(whole: &Diagnosis, calls: &[EvidenceId]) -> Open {
    let cites = |fault: &&launchpath_diagnose::diagnosis::Undecided| {
        fault.missing.iter().any(|missing| missing.calls.iter().any(|call| calls.contains(call)))
    };
    let faults = whole.unknown.iter().filter(cites).map(|fault| fault.fault.clone()).collect();
    // A stage whose trace could not be looked for cites the refused call as well.
    let unseen = whole.chain.iter().filter(|stage| {
        stage.state == StageState::Unknown && stage.evidence.iter().any(|call| calls.contains(call))
    });
    let unseen: Vec<Stage> = unseen.filter_map(|stage| Stage::from_id(&stage.stage)).collect();
    open(Basis::Refused, faults, &unseen, None)
}

/// What becomes open when these answers are refused instead.
fn withheld(bundle: &Bundle, whole: &Diagnosis, action: &str, calls: &[EvidenceId]) -> Result<Open, Failure> {
    let mut less = bundle.clone();
    for call in less.calls.iter_mut().filter(|call| calls.contains(&call.id)) {
        call.outcome = Outcome::Denied;
        call.response = None;
        call.file = None;
        let message = format!("withheld to see what hangs on {action}");
        call.error = Some(CallError { code: "AccessDeniedException".to_owned(), message, http: Some(403) });
    }
    let part = diagnosis(&less)?;
    let was_open: BTreeSet<&str> = whole.unknown.iter().map(|fault| fault.fault.as_str()).collect();
    let faults = part.unknown.iter().map(|fault| fault.fault.clone());
    let faults = faults.filter(|fault| !was_open.contains(fault.as_str())).collect();
    let state = |diagnosis: &Diagnosis, id: &str| {
        diagnosis.chain.iter().find(|stage| stage.stage == id).map(|stage| stage.state)
    };
    let lost: Vec<Stage> = whole
        .chain
        .iter()
        .filter(|stage| stage.state != StageState::Unknown)
        .filter(|stage| state(&part, &stage.stage) == Some(StageState::Unknown))
        .filter_map(|stage| Stage::from_id(&stage.stage))
        .collect();
    let verdict = (part.verdict != whole.verdict).then(|| whole.verdict.as_str());
    Ok(open(Basis::Withheld, faults, &lost, verdict))
}

/// What the checks declare to need.
fn declared(rows: &[&Operation]) -> Open {
    let needs =
        |fault: &&'static faults::Fault| rows.iter().any(|row| fault.needs.contains(&row.recorded_as().1));
    let faults = faults::all().into_iter().filter(needs).map(|fault| fault.code.to_owned()).collect();
    open(Basis::Declared, faults, &[], None)
}

fn open(basis: Basis, faults: BTreeSet<String>, lost: &[Stage], verdict: Option<&'static str>) -> Open {
    let of_faults = faults.iter().filter_map(|code| Some(faults::find(code)?.stage));
    let stages: BTreeSet<Stage> = of_faults.chain(lost.iter().copied()).collect();
    Open { basis, faults, stages: stages.into_iter().collect(), verdict }
}

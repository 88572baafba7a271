//! `life.never_idle`: every health answer says that the state changed just now, so that sessions never become idle.

use crate::case::Case;
use crate::chain::Stage;
use crate::experiment::Broken;
use crate::faults::app::crash;
use crate::faults::{Check, Context, Fault, trial};
use crate::repair::Repair;

/// The fault.
pub(super) static FAULT: Fault = Fault {
    code: "life.never_idle",
    title: "Every health answer moves the time of the last change, and sessions never end",
    stage: Stage::Lifecycle,
    since: "0.1.0",
    prior: 1.0,
    needs: &["Rehearse", "InspectImage"],
    check,
    doc: include_str!("doc.md"),
};

fn check(context: &Context) -> Check {
    let subjects = trial::image_subject(context.case);
    match trial::answer(context, FAULT.code, subjects, |case, _: &Broken| Some(stand_still(case))) {
        Ok(check) => check,
        Err(open) => Check::Unknown(open),
    }
}

fn stand_still(case: &Case) -> Repair {
    let first = vec![
        "# in the health answer: time_of_last_update only when the status changes, or leave the member out"
            .to_owned(),
    ];
    crash::rebuild(
        case,
        "Let time_of_last_update move only when the status changes; build again".to_owned(),
        first,
    )
}

//! The report for a terminal, to be read in ten seconds.
//!
//! First line: verdict and cause. Then the launch chain as a picture, then why, what to do, and only then what else is
//! known and what is not. Each section is one file; this one fixes their order.

mod cause;
mod chain;
pub(crate) mod compare;
mod context;
mod doubt;
mod evidence;
mod header;
mod plan;
mod remedy;

use crate::canvas::Canvas;
use crate::diagnosis::Diagnosis;
use crate::options::Options;
use crate::outline;

/// How the binary's flag for [`crate::Detail::Full`] is written: where to find what was left out.
const FULL: &str = "--detail full";

/// The diagnosis as text, ending in a line feed.
pub(crate) fn render(diagnosis: &Diagnosis, options: &Options) -> String {
    let mut canvas = Canvas::new(options);
    header::write(&mut canvas, diagnosis);
    chain::write(&mut canvas, diagnosis);
    cause::primary(&mut canvas, diagnosis);
    cause::suspects(&mut canvas, diagnosis);
    // Nobody has to scroll to learn what to do: without a repair the next probe takes its place.
    let has_fix = outline::primary_fix(diagnosis).is_some();
    if has_fix {
        remedy::fix(&mut canvas, diagnosis);
    } else {
        remedy::next(&mut canvas, diagnosis);
    }
    remedy::also_blocking(&mut canvas, diagnosis);
    plan::write(&mut canvas, diagnosis);
    context::warnings(&mut canvas, diagnosis);
    context::comparison(&mut canvas, diagnosis);
    doubt::ruled_out(&mut canvas, diagnosis);
    doubt::unknown(&mut canvas, diagnosis);
    if has_fix {
        remedy::next(&mut canvas, diagnosis);
    }
    context::statements(&mut canvas, diagnosis);
    context::timeline(&mut canvas, diagnosis);
    evidence::write(&mut canvas, diagnosis);
    canvas.finish()
}

//! Drawings in SVG: plain shapes with classes, the colours are the style sheet's.
//!
//! A drawing repeats what the text beside it says and is hidden from screen readers or described in one sentence. Same diagnosis,
//! same drawing: every coordinate is a whole number computed from counts.

pub(super) mod lane;
pub(super) mod rail;
pub(super) mod strip;

use crate::diagnosis::StageState;
use crate::markup::Markup;

/// A whole number as an attribute.
fn number(value: usize) -> String {
    value.to_string()
}

/// The sign of a state around a centre, about `size` units in each direction. Shape tells it apart as well as colour.
fn sign(html: &mut Markup, state: StageState, x: usize, y: usize, size: usize) {
    let (cx, cy, r) = (number(x), number(y), number(size));
    let half = size / 2;
    html.void("circle", &[("cx", &cx), ("cy", &cy), ("r", &r), ("class", "disc")]);
    let path = match state {
        StageState::Reached => {
            format!("M{} {y} L{} {} L{} {}", x - half, x - 1, y + half - 1, x + half + 1, y - half + 1)
        }
        StageState::Failed => {
            let (left, right, top, bottom) = (x - half, x + half, y - half, y + half);
            format!("M{left} {top} L{right} {bottom} M{right} {top} L{left} {bottom}")
        }
        StageState::Unknown => {
            let baseline = number(y + half);
            let attributes = [("x", cx.as_str()), ("y", baseline.as_str()), ("class", "mark")];
            html.leaf("text", &attributes, "?");
            return;
        }
        StageState::NotReached | StageState::NotApplicable => return,
    };
    html.void("path", &[("d", &path), ("class", "stroke")]);
}

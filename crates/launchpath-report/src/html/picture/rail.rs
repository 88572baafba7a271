//! The line beside one stage of the chain: as high as its row, whatever the row holds.

use super::sign;
use crate::diagnosis::ChainStage;
use crate::markup::Markup;

/// Where on the line the row stands.
pub(in super::super) struct Rail {
    pub(in super::super) first: bool,
    pub(in super::super) last: bool,
}

/// The centre of a station.
const X: usize = 18;
const Y: usize = 22;

/// A station.
pub(in super::super) fn station(html: &mut Markup, ends: &Rail, stage: &ChainStage) {
    rail(html, |html| {
        line(html, ends);
        if stage.side {
            html.void("path", &[("d", "M18 22 L34 22"), ("class", "line")]);
            sign(html, stage.state, 34, Y, 9);
        } else {
            sign(html, stage.state, X, Y, 11);
        }
    });
}

/// The break.
pub(in super::super) fn broken(html: &mut Markup, ends: &Rail) {
    rail(html, |html| {
        line(html, ends);
        html.void("path", &[("d", "M6 28 L14 16 L22 28 L30 16"), ("class", "tear")]);
    });
}

fn rail(html: &mut Markup, inside: impl FnOnce(&mut Markup)) {
    let attributes = [
        ("class", "rail"),
        ("width", "48"),
        ("height", "100%"),
        ("aria-hidden", "true"),
        ("focusable", "false"),
    ];
    html.element("svg", &attributes, inside);
}

fn line(html: &mut Markup, ends: &Rail) {
    let top = if ends.first { "22" } else { "0" };
    let bottom = if ends.last { "22" } else { "100%" };
    html.void("line", &[("x1", "18"), ("y1", top), ("x2", "18"), ("y2", bottom), ("class", "line")]);
}

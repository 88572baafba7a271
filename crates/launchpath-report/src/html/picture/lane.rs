//! The network paths: one drawing for all ways that pass the same elements, their rules on click.

use super::super::{Report, code, section};
use super::number;
use crate::diagnosis::{Diagnosis, HopState, NetworkPath, PathHop, Way, WayState};
use crate::markup::Markup;
use crate::wording;

/// Boxes in one row, for a wide page and for a narrow one; the next row runs back. The style sheet shows one of the two.
const LAYOUTS: [(usize, &str); 2] = [(6, "lane wide"), (2, "lane narrow")];
const WIDE: usize = 146;
const HIGH: usize = 54;
const GAP: usize = 30;
const BELOW: usize = 26;
/// Characters of an id that fit into a box.
const FITS: usize = 17;

/// Ways that pass the same elements with the same fate.
struct Lane<'a> {
    way: &'a Way,
    services: Vec<&'a str>,
    subnets: Vec<&'a str>,
    /// The ways themselves, whose rules differ in words.
    ways: Vec<(&'a NetworkPath, &'a Way)>,
}

pub(in super::super) fn write(html: &mut Markup, report: &Report<'_>) {
    let lanes = lanes(report.diagnosis);
    if lanes.is_empty() {
        return;
    }
    section(html, "paths", "The network paths it needs", |html| {
        for lane in &lanes {
            draw(html, lane);
            rules(html, report, lane);
        }
    });
}

/// What is shut first, then what is not known, then what is open.
fn lanes(diagnosis: &Diagnosis) -> Vec<Lane<'_>> {
    let mut lanes: Vec<Lane<'_>> = Vec::new();
    for path in &diagnosis.paths {
        for way in &path.ways {
            match lanes.iter_mut().find(|lane| is_alike(lane.way, way)) {
                Some(lane) => {
                    if !lane.services.contains(&path.service.as_str()) {
                        lane.services.push(&path.service);
                    }
                    if !lane.subnets.contains(&way.subnet.as_str()) {
                        lane.subnets.push(&way.subnet);
                    }
                    lane.ways.push((path, way));
                }
                None => lanes.push(Lane {
                    way,
                    services: vec![&path.service],
                    subnets: vec![&way.subnet],
                    ways: vec![(path, way)],
                }),
            }
        }
    }
    lanes.sort_by_key(|lane| match lane.way.state {
        WayState::Blocked => 0,
        WayState::Partly => 1,
        WayState::Unknown => 2,
        WayState::Open => 3,
    });
    lanes
}

fn is_alike(a: &Way, b: &Way) -> bool {
    let shape = |way: &Way| -> Vec<(String, String, HopState, bool)> {
        drawn(way).map(|hop| (hop.kind.clone(), label(hop), hop.state, hop.reply)).collect()
    };
    a.state == b.state && shape(a) == shape(b)
}

/// The elements between the ends; where the packets start and end is drawn for the whole lane.
fn drawn(way: &Way) -> impl Iterator<Item = &PathHop> {
    let is_end = |hop: &&PathHop| {
        matches!(hop.kind.as_str(), "source" | "destination") && hop.state == HopState::Passed
    };
    way.hops.iter().filter(move |hop| !is_end(hop))
}

/// A box.
struct Cell {
    kind: String,
    label: String,
    class: &'static str,
    reply: bool,
}

/// The name in a box. A host name that resolves differs for each service of the lane.
fn label(hop: &PathHop) -> String {
    match (hop.kind.as_str(), hop.state) {
        ("dns", HopState::Passed) => "the name resolves".to_owned(),
        _ => hop.id.clone(),
    }
}

fn cells(lane: &Lane<'_>) -> Vec<Cell> {
    let end = |kind: &str, labels: &[&str], class| Cell {
        kind: if labels.len() == 1 { kind.to_owned() } else { wording::count(labels.len(), kind) },
        label: labels.join(", "),
        class,
        reply: false,
    };
    let mut cells = vec![end("subnet", &lane.subnets, "end")];
    let boxed = |hop: &PathHop| Cell {
        kind: match &hop.direction {
            Some(direction) => format!(
                "{}, {}",
                hop.kind.replace('_', " "),
                if direction == "egress" { "out" } else { "in" }
            ),
            None => hop.kind.replace('_', " "),
        },
        label: label(hop),
        class: match hop.state {
            HopState::Passed => "passed",
            HopState::Dropped => "dropped",
            HopState::Unknown => "unseen",
        },
        reply: hop.reply,
    };
    cells.extend(drawn(lane.way).filter(|hop| !hop.reply).map(boxed));
    if lane.way.hops.is_empty() {
        let label = "not walked".to_owned();
        cells.push(Cell { kind: "not known".to_owned(), label, class: "unseen", reply: false });
    }
    let reached = if lane.way.state == WayState::Open { "end" } else { "end faint" };
    cells.push(end("service", &lane.services, reached));
    cells.extend(drawn(lane.way).filter(|hop| hop.reply).map(boxed));
    cells
}

fn draw(html: &mut Markup, lane: &Lane<'_>) {
    let state = state(lane.way);
    let services: Vec<String> = lane.services.iter().map(|&service| service.to_owned()).collect();
    let subnets: Vec<String> = lane.subnets.iter().map(|&subnet| subnet.to_owned()).collect();
    let title = format!("{} from {}: {state}", wording::list(&services), wording::list(&subnets));
    html.element("h3", &[("class", class(lane.way.state))], |html| html.text(&title));
    let cells = cells(lane);
    let label = format!("The way to {title}");
    html.element(
        "div",
        &[("class", "scroll"), ("role", "region"), ("aria-label", &label), ("tabindex", "0")],
        |html| {
            for (columns, class) in LAYOUTS {
                lay_out(html, &cells, columns, class);
            }
        },
    );
    if cells.iter().any(|cell| cell.reply) {
        html.leaf("p", &[("class", "fine")], "Dashed arrows: the way back of the answers.");
    }
}

fn lay_out(html: &mut Markup, cells: &[Cell], row: usize, class: &str) {
    let columns = cells.len().min(row);
    let rows = cells.len().div_ceil(row);
    let (width, height) = (columns * (WIDE + GAP) - GAP + 4, rows * (HIGH + BELOW) - BELOW + 4);
    let (view, wide, high) = (format!("0 0 {width} {height}"), number(width), number(height));
    let attributes = [
        ("class", class),
        ("aria-hidden", "true"),
        ("focusable", "false"),
        ("viewBox", view.as_str()),
        ("width", wide.as_str()),
        ("height", high.as_str()),
    ];
    html.element("svg", &attributes, |html| {
        for (index, cell) in cells.iter().enumerate() {
            if index > 0 {
                arrow(html, place(index - 1, row), place(index, row), cell.reply);
            }
            block(html, place(index, row), cell);
        }
    });
}

/// The left upper corner of a box: odd rows run back.
fn place(index: usize, columns: usize) -> (usize, usize) {
    let (row, column) = (index / columns, index % columns);
    let column = if row % 2 == 0 { column } else { columns - 1 - column };
    (column * (WIDE + GAP) + 2, row * (HIGH + BELOW) + 2)
}

fn block(html: &mut Markup, (x, y): (usize, usize), cell: &Cell) {
    html.element("g", &[("class", cell.class)], |html| {
        html.leaf("title", &[], &format!("{}: {}", cell.kind, cell.label));
        let (left, top, wide, high) = (number(x), number(y), number(WIDE), number(HIGH));
        let shape = [
            ("x", left.as_str()),
            ("y", &top),
            ("width", &wide),
            ("height", &high),
            ("rx", "8"),
            ("class", "box"),
        ];
        html.void("rect", &shape);
        let (inset, first, second) = (number(x + 10), number(y + 21), number(y + 40));
        html.leaf("text", &[("x", &inset), ("y", &first), ("class", "kind")], &middle_out(&cell.kind, 22));
        html.leaf(
            "text",
            &[("x", &inset), ("y", &second), ("class", "name")],
            &middle_out(&cell.label, FITS),
        );
        if cell.class == "dropped" {
            let (left, right) = (x + WIDE - 22, x + WIDE - 10);
            let cross =
                format!("M{left} {} L{right} {} M{right} {} L{left} {}", y + 10, y + 22, y + 10, y + 22);
            html.void("path", &[("d", &cross), ("class", "stroke")]);
        }
    });
}

/// The line from one box to the next.
fn arrow(html: &mut Markup, (from_x, from_y): (usize, usize), (x, y): (usize, usize), reply: bool) {
    let middle = y + HIGH / 2;
    let path = if from_y != y {
        let x = x + WIDE / 2;
        format!(
            "M{x} {} L{x} {} M{} {} L{x} {} L{} {}",
            from_y + HIGH,
            y - 2,
            x - 5,
            y - 8,
            y - 2,
            x + 5,
            y - 8
        )
    } else if x > from_x {
        let (start, end) = (from_x + WIDE, x - 2);
        format!(
            "M{start} {middle} L{end} {middle} M{0} {1} L{end} {middle} L{0} {2}",
            end - 6,
            middle - 5,
            middle + 5
        )
    } else {
        let (start, end) = (from_x, x + WIDE + 2);
        format!(
            "M{start} {middle} L{end} {middle} M{0} {1} L{end} {middle} L{0} {2}",
            end + 6,
            middle - 5,
            middle + 5
        )
    };
    html.void("path", &[("d", &path), ("class", if reply { "arrow reply" } else { "arrow" })]);
}

/// The text with its middle left out where it is longer than `most`: ids differ at their ends.
fn middle_out(text: &str, most: usize) -> String {
    let text = crate::clean::line(text);
    let count = text.chars().count();
    if count <= most {
        return text;
    }
    let head: String = text.chars().take(most.div_ceil(2) - 1).collect();
    let tail: String = text.chars().skip(count - most / 2).collect();
    format!("{head}…{tail}")
}

fn state(way: &Way) -> String {
    match way.state {
        WayState::Open => "open".to_owned(),
        WayState::Blocked => "blocked".to_owned(),
        WayState::Partly => format!("open for {} of the packets", wording::percent(way.delivered)),
        WayState::Unknown => "not known".to_owned(),
    }
}

fn class(state: WayState) -> &'static str {
    match state {
        WayState::Open => "good",
        WayState::Blocked => "bad",
        WayState::Partly | WayState::Unknown => "doubt",
    }
}

fn rules(html: &mut Markup, report: &Report<'_>, lane: &Lane<'_>) {
    html.element("details", &[], |html| {
        html.leaf("summary", &[], "The rules on the way, with their evidence");
        for (path, way) in &lane.ways {
            html.element("p", &[], |html| {
                html.leaf("strong", &[], &path.service);
                html.text(&format!(" ({} port {}, for {}) from ", path.host, path.port, path.purpose));
                html.leaf("code", &[], &way.subnet);
            });
            html.element("ol", &[], |html| {
                for hop in &way.hops {
                    html.element("li", &[], |html| rule(html, report, hop));
                }
            });
            for missing in &way.missing {
                html.leaf("p", &[], &format!("Not known: {}: {}.", missing.evidence, missing.reason));
                if let Some(command) = &missing.command {
                    code(html, command);
                }
            }
        }
    });
}

fn rule(html: &mut Markup, report: &Report<'_>, hop: &PathHop) {
    match hop.state {
        HopState::Passed => {}
        HopState::Dropped => html.leaf("strong", &[("class", "bad")], "dropped: "),
        HopState::Unknown => html.leaf("strong", &[("class", "doubt")], "not known: "),
    }
    html.text(&format!("{} ", hop.kind.replace('_', " ")));
    html.leaf("code", &[], &hop.id);
    let mut side: Vec<&str> = Vec::new();
    side.extend(hop.reply.then_some("answers"));
    side.extend(hop.direction.as_deref());
    if !side.is_empty() {
        html.text(&format!(" ({})", side.join(", ")));
    }
    if !hop.text.is_empty() {
        html.text(&format!(": {}", hop.text));
    }
    report.cited(html, &hop.evidence);
}

#[cfg(test)]
mod tests {
    use super::{middle_out, place};

    #[test]
    fn ids_keep_their_ends() {
        assert_eq!(middle_out("sg-0123456789abcdef0", 11), "sg-01…cdef0");
        assert_eq!(middle_out("sg-1", 11), "sg-1");
        assert_eq!(middle_out("äöüßäöüß", 5).chars().count(), 5);
    }

    #[test]
    fn the_second_row_runs_back_below_the_first() {
        assert_eq!(place(5, 6).0, place(6, 6).0);
        assert!(place(6, 6).1 > place(5, 6).1 && place(7, 6).0 < place(6, 6).0);
    }
}

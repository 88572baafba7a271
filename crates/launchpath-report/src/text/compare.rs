//! Two launches side by side: what `launchpath compare` prints.

use crate::canvas::{Canvas, Ink, Rich};
use crate::diagnosis::{Contrast, Side};
use crate::options::Options;
use crate::outline;
use crate::wording;

use super::context;

/// The comparison as text, ending in a line feed.
pub(crate) fn render(contrast: &Contrast, options: &Options) -> String {
    let mut canvas = Canvas::new(options);
    let explaining = contrast.comparison.differences.iter().filter(|d| d.explains.is_some());
    let explaining: Vec<&str> = explaining.map(|difference| difference.what.as_str()).collect();
    let answer = match (explaining.as_slice(), contrast.comparison.differences.len()) {
        ([], 0) => "Nothing that was seen on both sides differs.".to_owned(),
        ([], number) => format!(
            "{number} {} seen, none of which can explain the outcome here.",
            if number == 1 { "difference was" } else { "differences were" }
        ),
        (what, _) => format!("What can explain the outcome here: {}.", what.join(", ")),
    };
    canvas.hanging(Rich::new(), "  ", Rich::new().ink(Ink::Strong, &answer));
    side(&mut canvas, "here", &contrast.here);
    side(&mut canvas, "there", &contrast.there);
    let text = Rich::new()
        .ink(Ink::Heading, "Differences")
        .plain(", in launch order; there: ")
        .plain(&contrast.comparison.works_because)
        .ids(&contrast.comparison.evidence);
    canvas.title(text);
    context::contrast(&mut canvas, &contrast.comparison);
    canvas.finish()
}

fn side(canvas: &mut Canvas<'_>, name: &str, side: &Side) {
    let runtime = [&side.runtime.id, &side.runtime.name, &side.runtime.arn].into_iter().flatten().next();
    let text = Rich::new()
        .ink(Ink::Strong, runtime.map_or("not named", String::as_str))
        .plain("  ")
        .ink(wording::verdict_ink(side.verdict), wording::verdict(side.verdict))
        .plain("  ")
        .plain(&outline::bare(&side.summary));
    canvas.hanging(Rich::new().padded(Ink::Dim, name, 7), "       ", text);
}

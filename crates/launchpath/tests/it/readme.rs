//! What the README shows is what the program prints.

use crate::program::{launchpath, repository, scenario};

#[test]
fn the_picture_in_the_readme_is_real() {
    let readme = std::fs::read_to_string(repository("README.md")).expect("the README");
    let block =
        readme.split("```text\n").nth(1).and_then(|rest| rest.split("\n```").next()).expect("the picture");
    let shown = block.strip_suffix("\n…").unwrap_or(block);
    let run = launchpath(&["--width", "96", "diagnose", "--bundle", &scenario("incident/as-rehearsed")]);
    assert!(shown.lines().count() > 20);
    assert!(
        run.stdout.starts_with(shown),
        "the README shows\n{shown}\n\nand the program prints\n{}",
        run.stdout
    );
}

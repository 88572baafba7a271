//! Images made to cost time and memory: an inspection ends, within bounds, and says what it left out.
//!
//! The times are wide: they tell work that grows with the square of an image from work that grows with it, on any machine.

use std::fmt::Write as _;
use std::time::{Duration, Instant};

use launchpath_image::inspect::{Asked, Inspection, Subject, inspect};
use launchpath_image::tree::TreeBuilder;

/// Far above what any of these takes, far below what the square of it would.
const PATIENCE: Duration = Duration::from_secs(90);

fn image() -> TreeBuilder {
    TreeBuilder::in_memory()
        .executable("/usr/bin/python3.12", "")
        .executable("/usr/bin/node", "")
        .file("/usr/lib/python3.12/os.py", "")
}

fn inspected(builder: TreeBuilder, argv: &[&str]) -> Inspection {
    let tree = builder.finish().unwrap();
    let argv: Vec<String> = argv.iter().map(|word| (*word).to_owned()).collect();
    let began = Instant::now();
    let inspection = inspect(&Subject::RootFs { argv: &argv }, &tree, &Asked::default());
    assert!(began.elapsed() < PATIENCE, "{:?}", began.elapsed());
    assert!(
        serde_json::to_vec(&inspection).unwrap().len() < 8 << 20,
        "a record of a size that people can mail"
    );
    inspection
}

fn says(inspection: &Inspection, what: &str) -> bool {
    inspection.not_checked.iter().any(|gap| gap.what.contains(what))
}

#[test]
fn a_chain_of_modules_that_each_miss_one() {
    let mut builder = image().file("/app/main.py", "import m0\n");
    for number in 0..6_000 {
        let text = format!("import gone{number}\nimport m{}\n", number + 1);
        builder = builder.file(&format!("/app/m{number}.py"), text);
    }
    let found = inspected(builder, &["python3.12", "/app/main.py"]);
    assert!(found.findings.len() <= 201, "{}", found.findings.len());
    assert!(found.findings.iter().all(|finding| finding.chain.len() <= 61));
    assert!(says(&found, "findings beyond the first"), "{:?}", found.not_checked);
}

#[test]
fn one_file_of_very_many_imports_and_one_of_very_deep_nesting() {
    let mut many = String::new();
    for number in 0..60_000 {
        writeln!(many, "from os import n{number}").unwrap();
    }
    let found = inspected(image().file("/app/main.py", &many), &["python3.12", "/app/main.py"]);
    assert!(found.findings.len() <= 201, "{}", found.findings.len());
    for nested in ["(", "[", "{1:", "not ", "-", "lambda: ", "f(", "a."] {
        let text = format!("x = {}1\n", nested.repeat(100_000));
        inspected(image().file("/app/main.py", &text), &["python3.12", "/app/main.py"]);
    }
    let mut blocks = String::new();
    for depth in 0..2_000 {
        writeln!(blocks, "{}if x:", " ".repeat(depth)).unwrap();
    }
    inspected(image().file("/app/main.py", &blocks), &["python3.12", "/app/main.py"]);
}

#[test]
fn links_and_stars_in_circles() {
    let site = "/usr/lib/python3.12/site-packages";
    let builder = image()
        .file("/app/main.py", "from a import *\nimport round.round.round.round.end\n")
        .file("/app/a.py", "from b import *\n")
        .file("/app/b.py", "from a import *\nfrom c import x\n")
        .symlink("/app/c.py", "c.py")
        .symlink("/app/round", "/app")
        .symlink(&format!("{site}/up"), "..")
        .file(&format!("{site}/x.pth"), "up\nup/up/up\n/app/round/round\n");
    inspected(builder, &["python3.12", "/app/main.py"]);
    let long = "round.".repeat(5_000);
    let builder = image().file("/app/main.py", format!("import {long}end\n")).symlink("/app/round", "/app");
    inspected(builder, &["python3.12", "/app/main.py"]);
}

#[test]
fn very_many_distributions_and_paths() {
    let site = "/usr/lib/python3.12/site-packages";
    let mut builder = image().file("/app/main.py", "import gone\n");
    let mut paths = String::new();
    for number in 0..10_000 {
        let directory = format!("{site}/d{number}-1.0.dist-info");
        builder = builder.file(&format!("{directory}/METADATA"), format!("Name: d{number}\nVersion: 1.0\n"));
        writeln!(paths, "/nowhere/{number}").unwrap();
    }
    let builder = builder.file(&format!("{site}/many.pth"), paths);
    let found = inspected(builder, &["python3.12", "/app/main.py"]);
    assert_eq!(found.distributions.len(), 10_000);
    assert_eq!(found.findings.iter().filter(|finding| finding.detail["module"] == "gone").count(), 1);
}

#[test]
fn scripts_of_node_without_end() {
    // Each `from` once looked back for its `import`.
    let declarations = "x from \"./a.js\" ".repeat(100_000);
    inspected(image().file("/app/a.mjs", &declarations), &["node", "/app/a.mjs"]);
    let mut missing = String::new();
    for number in 0..60_000 {
        writeln!(missing, "import './gone{number}.js'").unwrap();
    }
    let found = inspected(image().file("/app/a.mjs", &missing), &["node", "/app/a.mjs"]);
    assert!(found.findings.len() <= 201, "{}", found.findings.len());
    // Packages that all load each other: every file is read once.
    let mut builder = image().file("/app/main.js", "require('p0')\n");
    let all: String = (0..300).fold(String::new(), |mut text, number| {
        writeln!(text, "require('p{number}')").unwrap();
        text
    });
    for number in 0..300 {
        builder = builder.file(&format!("/app/node_modules/p{number}/index.js"), &all);
    }
    let found = inspected(builder, &["node", "/app/main.js"]);
    assert_eq!(
        found.findings.iter().filter(|finding| finding.file.is_some()).count(),
        0,
        "{:?}",
        found.findings
    );
    for odd in ["`${".repeat(50_000), "/[".repeat(50_000), "{".repeat(200_000), "import(".repeat(50_000)] {
        inspected(image().file("/app/a.js", &odd), &["node", "/app/a.js"]);
    }
}

#[test]
fn shell_scripts_that_start_each_other() {
    let builder = image()
        .executable("/bin/sh", "")
        .executable("/app/a.sh", "#!/bin/sh\nexec /app/b.sh\n")
        .executable("/app/b.sh", "#!/bin/sh\nexec /app/a.sh\n")
        .executable("/app/c.sh", "#!/app/c.sh\n");
    let tree = builder.finish().unwrap();
    for start in ["/app/a.sh", "/app/c.sh"] {
        let found = inspect(&Subject::RootFs { argv: &[start.to_owned()] }, &tree, &Asked::default());
        assert!(says(&found, "the start command"), "{:?}", found.not_checked);
    }
}

//! Hundreds of generated projects: what is certain here must fail there.

use std::fs;
use std::process::Command;

use launchpath_image::inspect::{Certainty, Finding};
use launchpath_image::python::{Check, Interpreter, Start, Surroundings, check, search_path};
use launchpath_image::tree::{Tree, TreeBuilder};
use serde_json::Value;

use crate::disk;
use crate::generator::project;

/// How many projects are compared.
const PROJECTS: u64 = 600;

/// Runs every project in a process of its own, forked from one interpreter, and prints how it ended.
const DRIVER: &str = r#"
import json, os, sys
root, count = sys.argv[1], int(sys.argv[2])
for number in range(count):
    directory = os.path.join(root, str(number))
    reading, writing = os.pipe()
    if os.fork() == 0:
        result = {"failed": False}
        try:
            os.chdir(directory)
            sys.path[0] = directory
            sys.stdout = open(os.devnull, "w")
            script = os.path.join(directory, "main.py")
            names = {"__name__": "__main__", "__file__": script, "__builtins__": __builtins__, "__package__": None, "__spec__": None}
            for module in ("generator", "json", "os"):
                pass
            sys.modules["__main__"].__dict__.update(names)
            exec(compile(open(script).read(), script, "exec"), sys.modules["__main__"].__dict__)
        except BaseException as error:
            while error.__cause__ is not None:
                error = error.__cause__
            result = {"failed": True, "type": type(error).__name__, "name": getattr(error, "name", None),
                      "from": getattr(error, "name_from", None), "text": str(error)}
        os.write(writing, json.dumps(result).encode())
        os._exit(0)
    os.close(writing)
    with os.fdopen(reading) as answer:
        print(answer.read(), flush=True)
    os.wait()
"#;

fn finding_name(finding: &Finding) -> String {
    let text = |name: &str| finding.detail.get(name).and_then(Value::as_str).map(str::to_owned);
    [text("module"), text("name")].into_iter().flatten().collect::<Vec<_>>().join(" ")
}

fn findings(tree: &Tree, program: &str, directory: &str) -> Vec<Finding> {
    let interpreter = Interpreter::find(tree, program).expect("the interpreter is found");
    let surroundings = Surroundings { working_directory: directory, ..Surroundings::default() };
    let path = search_path(tree, &interpreter, surroundings);
    let starts = [Start::Script(format!("{directory}/main.py"))];
    check(&Check {
        tree,
        interpreter: &interpreter,
        path: &path,
        distributions: &[],
        starts: &starts,
        first: Some(directory),
        working_directory: directory,
    })
    .findings
}

#[test]
fn what_is_certain_fails_in_the_real_interpreter() {
    let Some(python) = disk::python() else { return };
    let root = tempfile::tempdir().unwrap();
    let root = root.path().canonicalize().unwrap();
    let mut builder = TreeBuilder::in_memory();
    disk::add_python(&mut builder, &python);
    for number in 0..PROJECTS {
        for (file, text) in project(number) {
            let path = root.join(number.to_string()).join(file);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(path, text).unwrap();
        }
    }
    disk::add(&mut builder, &root, &[]);
    let tree = builder.finish().unwrap();
    let output = Command::new(&python.program)
        .args(["-S", "-c", DRIVER, root.to_str().unwrap(), &PROJECTS.to_string()])
        .env("PYTHONDONTWRITEBYTECODE", "1")
        .output()
        .unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let answers = String::from_utf8(output.stdout).unwrap();
    let answers: Vec<Value> = answers.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    assert_eq!(answers.len() as u64, PROJECTS);

    let (mut failed, mut foretold, mut named) = (0, 0, 0);
    let mut unnamed = Vec::new();
    for (number, answer) in (0..).zip(&answers) {
        let directory = root.join(number.to_string());
        let found = findings(&tree, &python.program, directory.to_str().unwrap());
        let certain: Vec<&Finding> =
            found.iter().filter(|finding| finding.certainty == Certainty::Certain).collect();
        let text = answer["text"].as_str().unwrap_or_default();
        let show = || {
            let files: Vec<String> =
                project(number).iter().map(|(file, text)| format!("--- {file}\n{text}")).collect();
            format!("project {number}: the interpreter says {answer}; found {found:#?}\n{}", files.join("\n"))
        };
        if answer["failed"] == false {
            assert!(certain.is_empty(), "{}", show());
            continue;
        }
        failed += 1;
        let names = |finding: &&Finding| {
            finding_name(finding).split(' ').all(|part| text.contains(part.trim_start_matches('.')))
        };
        if found.iter().any(|finding| names(&finding))
            || (text.contains("relative import") && !found.is_empty())
        {
            named += 1;
        } else {
            unnamed.push(format!("{number}: {text}"));
        }
        let Some(first) = certain.first() else { continue };
        foretold += 1;
        // The first thing that is certain is what the interpreter stumbles over, unless something less sure comes before it.
        let name = finding_name(first);
        let same = name.split(' ').all(|part| text.contains(part.trim_start_matches('.')));
        let earlier = found.iter().any(|finding| {
            finding.certainty != Certainty::Certain
                && finding_name(finding).split(' ').all(|part| text.contains(part))
        });
        assert!(same || earlier || text.contains("relative import"), "{}", show());
    }
    println!("{failed} of {PROJECTS} projects fail: {named} named, {foretold} of them as certain");
    assert!(failed > PROJECTS / 5 && failed < PROJECTS * 4 / 5, "the projects are of both kinds: {failed}");
    assert!(foretold * 10 >= failed * 4, "certain: {foretold} of {failed}");
    assert!(named * 4 >= failed * 3, "named: {named} of {failed}; not: {unnamed:#?}");
}

//! Commands as images write them, followed to what they run.

use super::{Image, Launch, Runs};
use crate::elf::Machine;
use crate::inspect::FindingKind::{
    self, CannotExecute, InterpreterMissing, LoaderMissing, MissingLibrary, MissingOwnSource,
    NotExecutableFormat, ProgramMissing, WrongArchitecture,
};
use crate::passwd::Account;
use crate::python::Start;
use crate::tree::{Metadata, Tree, TreeBuilder};

fn elf(machine: u16) -> Vec<u8> {
    let mut header = vec![0; 64];
    header[..6].copy_from_slice(b"\x7fELF\x02\x01");
    header[18..20].copy_from_slice(&machine.to_le_bytes());
    header
}

/// A program of arm64 with a loader and one needed library.
pub(crate) fn dynamic(loader: &str, needed: &str) -> Vec<u8> {
    let mut file = elf(183);
    file[32..40].copy_from_slice(&64_u64.to_le_bytes());
    file[54..56].copy_from_slice(&56_u16.to_le_bytes());
    file[56..58].copy_from_slice(&3_u16.to_le_bytes());
    let segment = |kind: u32, offset: u64, length: u64| {
        let mut segment = vec![0_u8; 56];
        segment[..4].copy_from_slice(&kind.to_le_bytes());
        segment[8..16].copy_from_slice(&offset.to_le_bytes());
        segment[16..24].copy_from_slice(&offset.to_le_bytes());
        segment[32..40].copy_from_slice(&length.to_le_bytes());
        segment
    };
    file.extend(segment(1, 0, 4096));
    file.extend(segment(3, 300, loader.len() as u64 + 1));
    file.extend(segment(2, 400, 48));
    file.resize(300, 0);
    file.extend(loader.as_bytes());
    file.resize(400, 0);
    for (tag, value) in [(1_u64, 1_u64), (5, 500), (0, 0)] {
        file.extend(tag.to_le_bytes());
        file.extend(value.to_le_bytes());
    }
    file.resize(501, 0);
    file.extend(needed.as_bytes());
    file.resize(4096, 0);
    file
}

fn image(files: &[(&str, &str)]) -> Tree {
    let mut builder = TreeBuilder::in_memory()
        .executable("/usr/local/bin/python3.12", elf(183))
        .symlink("/usr/local/bin/python3", "python3.12")
        .symlink("/usr/local/bin/python", "python3")
        .executable("/usr/local/bin/node", elf(183))
        .executable("/usr/bin/env", elf(183))
        .executable("/usr/bin/dash", elf(183))
        .symlink("/bin/sh", "/usr/bin/dash")
        .symlink("/bin/bash", "/usr/bin/dash")
        .executable("/usr/bin/tini", elf(183))
        .executable("/usr/local/bin/uv", elf(183))
        .executable("/usr/local/bin/uvicorn", "#!/usr/local/bin/python3.12\nfrom uvicorn.main import main\n")
        .executable("/usr/local/bin/opentelemetry-instrument", "#!/usr/local/bin/python3.12\nimport x\n")
        .file("/app/main.py", "");
    for (path, text) in files {
        builder = builder.executable(path, text);
    }
    builder.finish().unwrap()
}

fn follow(tree: &Tree, argv: &[&str]) -> Launch {
    let account = Account::find(tree, "1000").unwrap();
    let image = Image { tree, machine: Some(Machine::Aarch64), account: Some(&account) };
    let argv: Vec<String> = argv.iter().map(|word| (*word).to_owned()).collect();
    Launch::follow(&image, &argv, &["PORT=8080".to_owned()], "/app")
}

fn starts(launch: &Launch) -> Vec<Start> {
    match &launch.runs {
        Runs::Python { starts, .. } => starts.clone(),
        _ => Vec::new(),
    }
}

fn kinds(launch: &Launch) -> Vec<FindingKind> {
    launch.findings.iter().map(|finding| finding.kind).collect()
}

fn script(path: &str) -> Vec<Start> {
    vec![Start::Script(path.to_owned())]
}

#[test]
fn many_ways_lead_to_the_same_file() {
    let tree = image(&[
        (
            "/app/run.sh",
            "#!/bin/sh\nset -e\ncd /app\n# comment\nexport A=1\nexec python \"$SCRIPT_OF_NOBODY\"\n",
        ),
        (
            "/app/start.sh",
            "#!/bin/bash\nset -euo pipefail\necho \"starting on $PORT\" && cd /app\nexec \"$@\"\n",
        ),
        ("/app/tool", "#!/usr/bin/env -S python3 -u\nprint()\n"),
    ]);
    let cases: &[(&[&str], &str)] = &[
        (&["python", "main.py"], "/app/main.py"),
        (&["python3", "-u", "-W", "ignore", "/app/main.py", "--port", "1"], "/app/main.py"),
        (&["/bin/sh", "-c", "python main.py"], "/app/main.py"),
        (&["/bin/sh", "-c", "cd / && A=1 exec python3 app/main.py > /dev/null 2>&1"], "/app/main.py"),
        (&["/bin/sh", "-c", "python ${FILE:-main.py}"], "/app/main.py"),
        (&["tini", "--", "python", "main.py"], "/app/main.py"),
        (&["tini", "-g", "-e", "143", "--", "env", "A=1", "python", "main.py"], "/app/main.py"),
        (&["uv", "run", "--no-sync", "main.py"], "/app/main.py"),
        (&["uv", "run", "python", "main.py"], "/app/main.py"),
        (&["/app/start.sh", "python", "main.py"], "/app/main.py"),
        (&["/app/tool"], "/app/tool"),
    ];
    for (argv, file) in cases {
        let launch = follow(&tree, argv);
        assert_eq!(starts(&launch), script(file), "{argv:?}: {launch:#?}");
        assert_eq!(kinds(&launch), [], "{argv:?}");
    }
    let unknown = follow(&tree, &["/app/run.sh"]);
    assert_eq!((starts(&unknown), unknown.not_checked.len()), (vec![], 1), "{unknown:#?}");
}

#[test]
fn modules_code_and_servers() {
    let tree = image(&[]);
    assert_eq!(starts(&follow(&tree, &["python", "-m", "src.main"])), [Start::Module("src.main".into())]);
    assert_eq!(starts(&follow(&tree, &["python", "-c", "import x"])), [Start::Code("import x".into())]);
    let application =
        Start::Application { module: "main".into(), attribute: Some("app".into()), server: "uvicorn".into() };
    let launch = follow(&tree, &["uvicorn", "main:app", "--host", "0.0.0.0", "--port", "8080"]);
    assert_eq!(starts(&launch), [Start::Script("/usr/local/bin/uvicorn".into()), application.clone()]);
    assert_eq!(launch.host.as_deref(), Some("0.0.0.0"));
    let launch = follow(
        &tree,
        &["opentelemetry-instrument", "--traces_exporter", "otlp", "python", "-m", "uvicorn", "main:app"],
    );
    assert_eq!(starts(&launch), [Start::Module("uvicorn".into()), application]);
    assert_eq!(launch.host.as_deref(), Some("127.0.0.1"));
}

#[test]
fn a_branch_in_a_script_makes_what_follows_less_sure() {
    let tree =
        image(&[("/run.sh", "#!/bin/sh\nif [ -n \"$DEBUG\" ]; then\n  set -x\nfi\nexec python main.py\n")]);
    let launch = follow(&tree, &["/run.sh"]);
    assert_eq!(starts(&launch), script("/app/main.py"), "{launch:#?}");
    assert_eq!(launch.most, crate::inspect::Certainty::Likely);
}

#[test]
fn what_cannot_be_started_is_named() {
    let tree = TreeBuilder::in_memory()
        .executable("/bin/sh", elf(183))
        .executable("/amd64", elf(62))
        .executable("/dynamic", dynamic("/lib/ld-linux-aarch64.so.1", "libgone.so.1"))
        .executable("/crlf.sh", "#!/bin/sh\r\necho\r\n")
        .executable("/bash.sh", "#!/bin/bash\necho\n")
        .executable("/text", "hello\n")
        .file("/plain.sh", "#!/bin/sh\n")
        .file_with("/roots", elf(183), Metadata::of_mode(0o700))
        .directory_with("/closed", Metadata::of_mode(0o700))
        .executable("/closed/run", elf(183))
        .finish()
        .unwrap();
    for (program, kind) in [
        ("/amd64", WrongArchitecture),
        ("/dynamic", LoaderMissing),
        ("/crlf.sh", InterpreterMissing),
        ("/bash.sh", InterpreterMissing),
        ("/text", NotExecutableFormat),
        ("/plain.sh", CannotExecute),
        ("/roots", CannotExecute),
        ("/closed/run", CannotExecute),
        ("/gone", ProgramMissing),
        ("python", ProgramMissing),
    ] {
        assert_eq!(kinds(&follow(&tree, &[program])), [kind], "{program}");
    }
    let tree = TreeBuilder::in_memory()
        .executable("/dynamic", dynamic("/lib/ld-linux-aarch64.so.1", "libgone.so.1"))
        .executable("/sound", dynamic("/lib/ld-linux-aarch64.so.1", "libthere.so.1"))
        .file("/usr/lib/aarch64-linux-gnu/libthere.so.1", elf(183))
        .file("/lib/ld-linux-aarch64.so.1", elf(183))
        .finish()
        .unwrap();
    assert_eq!(kinds(&follow(&tree, &["/dynamic"])), [MissingLibrary]);
    assert_eq!(kinds(&follow(&tree, &["/sound"])), []);
    let tree = image(&[]);
    assert_eq!(kinds(&follow(&tree, &["python", "gone.py"])), [MissingOwnSource]);
}

#[test]
fn node_and_its_package_manager() {
    let tree = image(&[
        ("/app/package.json", "{\"scripts\": {\"start\": \"NODE_ENV=production node dist/server.js\"}}"),
        ("/usr/local/bin/npm", "#!/usr/bin/env node\n"),
    ]);
    let file = |argv: &[&str]| match follow(&tree, argv).runs {
        Runs::Node { file, loader, .. } => (file, loader),
        other => panic!("{other:?}"),
    };
    assert_eq!(file(&["node", "server.js"]), (Some("/app/server.js".into()), false));
    assert_eq!(file(&["node", "--import", "tsx", "server.ts"]), (Some("/app/server.ts".into()), true));
}

#[test]
fn odd_commands_end() {
    let tree = image(&[("/loop.sh", "#!/bin/sh\nexec /loop.sh\n")]);
    assert!(!follow(&tree, &["/loop.sh"]).not_checked.is_empty());
    for text in [
        "", "'", "\"$(", "`", "$", "${", "a | b", "( (", "if", "exec", "A=1", "\\", "&& &&", "env",
        "exec env",
    ] {
        follow(&tree, &["/bin/sh", "-c", text]);
    }
    follow(&tree, &[]);
    follow(&tree, &[""]);
    follow(&tree, &["env", "-S"]);
}

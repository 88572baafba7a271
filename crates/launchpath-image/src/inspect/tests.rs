//! Whole inspections of small images.

use serde_json::{Value, json};

use super::FindingKind::{
    AttestationIndex, CannotRead, EntryPointMissing, EnvironmentTooLarge, ForeignExtension, ImageTooLarge,
    MissingModule, MissingSubmodule, MultiArchitectureIndex, NoCommand, OtherPortExposed,
    TooManyLayersForNamedUser, UserUnknown, WrongArchitecture, ZipTooLarge,
};
use super::{Asked, Certainty, FindingKind, Inspection, Subject, inspect};
use crate::digest::Digest;
use crate::document::{Document, Hashed, ImageDocuments, config};
use crate::tree::{Metadata, Tree, TreeBuilder};

fn hashed<T>(value: T) -> Hashed<T> {
    Hashed { digest: Digest::of(b"x"), size: 1, value }
}

fn documents(process: &Value, layers: usize, architecture: &str) -> ImageDocuments {
    let document = json!({ "os": "linux", "architecture": architecture, "config": process });
    let config = config(document.to_string().as_bytes()).unwrap();
    ImageDocuments { indexes: Vec::new(), manifest: None, config: hashed(config), layers }
}

fn python_image() -> TreeBuilder {
    TreeBuilder::in_memory()
        .executable("/usr/local/bin/python3.12", "")
        .file("/usr/local/lib/python3.12/os.py", "")
        .file("/etc/passwd", "root:x:0:0::/root:/bin/sh\nagent:x:1000:1000::/srv/agent:/bin/sh\n")
        .file("/usr/local/lib/python3.12/site-packages/langchain/__init__.py", "")
        .file(
            "/usr/local/lib/python3.12/site-packages/langchain-1.0.0.dist-info/METADATA",
            "Name: langchain\nVersion: 1.0.0\n",
        )
        .file(
            "/usr/local/lib/python3.12/site-packages/langchain-1.0.0.dist-info/RECORD",
            "langchain/__init__.py,,\n",
        )
}

fn of(process: &Value, layers: usize, architecture: &str, tree: &Tree) -> Inspection {
    let asked = Asked { protocol: Some("HTTP".into()) };
    inspect(&Subject::Container(&documents(process, layers, architecture)), tree, &asked)
}

fn kinds(inspection: &Inspection) -> Vec<FindingKind> {
    inspection.findings.iter().map(|finding| finding.kind).collect()
}

#[test]
fn the_incident_in_an_image() {
    let tree = python_image()
        .file("/app/src/main.py", "from langchain.callbacks import get_openai_callback\n")
        .finish()
        .unwrap();
    let process =
        json!({ "Entrypoint": ["python3.12", "-m", "src.main"], "WorkingDir": "/app", "User": "agent" });
    let found = of(&process, 7, "arm64", &tree);
    assert_eq!(kinds(&found), [MissingSubmodule], "{found:#?}");
    assert_eq!(found.findings[0].certainty, Certainty::Certain);
    let record = serde_json::to_value(&found).unwrap();
    assert_eq!(record["start"]["module"], "src.main");
    assert_eq!(record["start"]["file"], "/app/src/main.py");
    assert_eq!(record["python"]["version"], "3.12");
    assert_eq!(record["distributions"]["langchain"], "1.0.0");
    assert_eq!(record["findings"][0]["kind"], "missing_submodule");
    assert_eq!(record["findings"][0]["certainty"], "certain");
    assert_eq!(record["findings"][0]["detail"]["distribution"], "langchain");
}

#[test]
fn documents_are_judged_by_the_services_limits() {
    let tree = python_image().file("/app/main.py", "").finish().unwrap();
    let process = |user: &str| json!({ "Cmd": ["python3.12", "main.py"], "WorkingDir": "/app", "User": user, "ExposedPorts": { "3000/tcp": {} } });
    assert_eq!(
        kinds(&of(&process("agent"), 60, "amd64", &tree)),
        [WrongArchitecture, TooManyLayersForNamedUser, OtherPortExposed, FindingKind::NoHttpServer]
    );
    assert!(!kinds(&of(&process("1000"), 60, "arm64", &tree)).contains(&TooManyLayersForNamedUser));
    assert!(kinds(&of(&process("nobody"), 1, "arm64", &tree)).contains(&UserUnknown));
    assert_eq!(kinds(&of(&json!({}), 1, "arm64", &tree)), [NoCommand]);
    let index = json!({ "mediaType": "application/vnd.oci.image.index.v1+json", "manifests": [
        { "mediaType": "m", "digest": Digest::of(b"a").as_str(), "size": 1, "platform": { "os": "linux", "architecture": "arm64" } },
        { "mediaType": "m", "digest": Digest::of(b"b").as_str(), "size": 1, "platform": { "os": "unknown", "architecture": "unknown" } },
    ]});
    let Ok(Document::Index(index)) = Document::read(index.to_string().as_bytes(), None) else {
        panic!("an index")
    };
    let mut with = documents(&process("agent"), 1, "arm64");
    with.indexes.push(hashed(index));
    let found = inspect(&Subject::Container(&with), &tree, &Asked::default());
    assert!(kinds(&found).contains(&AttestationIndex), "{found:#?}");
    assert!(!kinds(&found).contains(&MultiArchitectureIndex), "the attestation's platform is none");
}

#[test]
fn an_image_at_a_limit_is_within_it_and_one_beyond_is_named() {
    let tree = python_image().file("/app/main.py", "import uvicorn\n").finish().unwrap();
    let of_size = |bytes: u64| {
        let part = |kind: &str, size: u64| {
            let media_type = format!("application/vnd.oci.image.{kind}");
            json!({ "mediaType": media_type, "digest": Digest::of(kind.as_bytes()).as_str(), "size": size })
        };
        let (layer, config) = (part("layer.v1.tar+gzip", bytes), part("config.v1+json", 1));
        let manifest = json!({ "mediaType": "application/vnd.oci.image.manifest.v1+json", "config": config, "layers": [layer] });
        let Ok(Document::Manifest(manifest)) = Document::read(manifest.to_string().as_bytes(), None) else {
            panic!("a manifest")
        };
        let process = json!({ "Cmd": ["python3.12", "main.py"], "WorkingDir": "/app" });
        let mut documents = documents(&process, 1, "arm64");
        documents.manifest = Some(hashed(manifest));
        kinds(&inspect(&Subject::Container(&documents), &tree, &Asked::default()))
    };
    assert!(!of_size((2 << 30) - 1_000_000).contains(&ImageTooLarge));
    assert!(of_size((2 << 30) + 1_000_000).contains(&ImageTooLarge));

    let with = |variables: Vec<String>| {
        let process = json!({ "Cmd": ["python3.12", "main.py"], "WorkingDir": "/app", "Env": variables });
        kinds(&of(&process, 1, "arm64", &tree)).contains(&EnvironmentTooLarge)
    };
    let many = |count: usize| (0..count).map(|number| format!("V{number}=1")).collect::<Vec<_>>();
    assert!(!with(many(50)) && with(many(51)));
    let long = |bytes: usize| vec![format!("V={}", "x".repeat(bytes - 2))];
    assert!(!with(long(4096)) && with(long(4097)));

    let platform = |name: &str| {
        json!({ "mediaType": "m", "digest": Digest::of(name.as_bytes()).as_str(), "size": 1,
            "platform": { "os": "linux", "architecture": name } })
    };
    let index = json!({ "mediaType": "application/vnd.oci.image.index.v1+json",
        "manifests": [platform("arm64"), platform("amd64")] });
    let Ok(Document::Index(index)) = Document::read(index.to_string().as_bytes(), None) else {
        panic!("an index")
    };
    let mut several = documents(&json!({ "Cmd": ["python3.12"] }), 1, "arm64");
    several.indexes.push(hashed(index));
    let found = inspect(&Subject::Container(&several), &tree, &Asked::default());
    let finding = found.findings.iter().find(|finding| finding.kind == MultiArchitectureIndex).unwrap();
    assert_eq!(finding.certainty, Certainty::Possible);
    assert_eq!(finding.detail["platforms"], json!(["linux/amd64", "linux/arm64"]));
}

#[test]
fn a_file_that_the_user_may_not_read() {
    let tree = python_image()
        .file_with("/app/main.py", "import uvicorn\n", Metadata::of_mode(0o600))
        .finish()
        .unwrap();
    let process = json!({ "Cmd": ["python3.12", "main.py"], "WorkingDir": "/app", "User": "agent" });
    let found = of(&process, 1, "arm64", &tree);
    assert!(kinds(&found).contains(&CannotRead), "{found:#?}");
    let process = json!({ "Cmd": ["python3.12", "main.py"], "WorkingDir": "/app" });
    assert!(!kinds(&of(&process, 1, "arm64", &tree)).contains(&CannotRead));
}

#[test]
fn a_working_directory_that_is_none() {
    let tree = python_image()
        .file("/app/main.py", "import uvicorn\n")
        .directory_with("/closed", Metadata::of_mode(0o700))
        .finish()
        .unwrap();
    let of = |directory: &str, user: &str| {
        let process = json!({ "Cmd": ["python3.12", "main.py"], "WorkingDir": directory, "User": user });
        kinds(&of(&process, 1, "arm64", &tree))
    };
    assert_eq!(of("/app/main.py", "agent"), [FindingKind::WorkingDirectory]);
    assert_eq!(of("/closed", "agent"), [FindingKind::WorkingDirectory]);
    // Root enters it, and what is not there is made: what is started is looked for there.
    assert!(!of("/closed", "root").contains(&FindingKind::WorkingDirectory));
    assert!(!of("/made", "agent").contains(&FindingKind::WorkingDirectory));
}

#[test]
fn a_code_zip() {
    let header = {
        let mut header = vec![0; 64];
        header[..6].copy_from_slice(b"\x7fELF\x02\x01");
        header[18..20].copy_from_slice(&62_u16.to_le_bytes());
        header
    };
    let tree = TreeBuilder::in_memory()
        .file("/main.py", "import json, requests, boto3\nfrom bedrock_agentcore import BedrockAgentCoreApp\nimport pkg.native\n")
        .file("/bedrock_agentcore/__init__.py", "class BedrockAgentCoreApp: pass\n")
        .file("/bedrock_agentcore-1.0.dist-info/METADATA", "Name: bedrock-agentcore\nVersion: 1.0\n")
        .file("/bedrock_agentcore-1.0.dist-info/RECORD", "bedrock_agentcore/__init__.py,,\n")
        .file("/pkg/__init__.py", "")
        .file("/pkg/native.cpython-312-x86_64-linux-gnu.so", header)
        .finish()
        .unwrap();
    let zip = |bytes, entry: &[&str]| {
        let entry: Vec<String> = entry.iter().map(|part| (*part).to_owned()).collect();
        inspect(&Subject::CodeZip { bytes, entry_point: &entry }, &tree, &Asked::default())
    };
    let found = zip(1, &["main.py"]);
    let brief: Vec<_> = found
        .findings
        .iter()
        .map(|finding| {
            (finding.kind, finding.certainty, finding.detail.get("module").and_then(Value::as_str))
        })
        .collect();
    assert_eq!(
        brief,
        [
            (MissingModule, Certainty::Certain, Some("requests")),
            (ForeignExtension, Certainty::Certain, Some("pkg.native")),
            (MissingModule, Certainty::Likely, Some("boto3")),
        ]
    );
    assert_eq!(found.python.as_ref().and_then(|python| python.version.as_deref()), Some("3.12"));
    assert_eq!(kinds(&zip(300_000_000, &["app/main.py"]))[..2], [ZipTooLarge, EntryPointMissing]);
}

#[test]
fn compiled_modules_of_other_systems_in_a_code_zip() {
    let mut builder = TreeBuilder::in_memory().file("/main.py", "import uvicorn\n").file("/uvicorn.py", "");
    builder = builder
        .file("/a/one.cpython-312-darwin.so", b"\xcf\xfa\xed\xfe and more")
        .file("/a/two.pyd", "MZ")
        .file("/a/text.so", "no program");
    for number in 0..9 {
        let mut header = vec![0; 64];
        header[..6].copy_from_slice(b"\x7fELF\x02\x01");
        header[18] = if number < 6 { 62 } else { 183 };
        builder = builder.file(&format!("/b/{number}.abi3.so"), header);
    }
    let tree = builder.finish().unwrap();
    let entry = ["main.py".to_owned()];
    let found = inspect(&Subject::CodeZip { bytes: 1, entry_point: &entry }, &tree, &Asked::default());
    let texts: Vec<&str> = found.findings.iter().map(|finding| finding.text.as_str()).collect();
    assert_eq!(kinds(&found), [ForeignExtension; 6], "{texts:#?}");
    assert!(texts[0].contains("/a/one.cpython-312-darwin.so is compiled for macOS"), "{texts:#?}");
    assert!(texts[1].contains("/a/two.pyd is compiled for Windows"), "{texts:#?}");
    assert!(texts[5].starts_with("3 more compiled files"), "{texts:#?}");
}

#[test]
fn packages_beside_own_code_in_a_code_zip_are_packages() {
    let tree = TreeBuilder::in_memory()
        .file("/main.py", "from langchain import agents\nimport langchain.callbacks\n")
        .file(
            "/langchain/__init__.py",
            "try:\n    import optional\nexcept ImportError:\n    optional = None\n",
        )
        .file("/langchain/agents.py", "")
        .file("/langchain-1.0.0.dist-info/METADATA", "Name: langchain\nVersion: 1.0.0\n")
        .file("/langchain-1.0.0.dist-info/RECORD", "langchain/__init__.py,,\nlangchain/agents.py,,\n")
        .finish()
        .unwrap();
    let entry = ["main.py".to_owned()];
    let found = inspect(&Subject::CodeZip { bytes: 1, entry_point: &entry }, &tree, &Asked::default());
    assert_eq!(kinds(&found), [MissingSubmodule], "{:#?}", found.findings);
    assert_eq!(found.findings[0].certainty, Certainty::Certain);
    assert_eq!(found.findings[0].detail["version"], "1.0.0");
}

/// Pieces of the languages that are read, to be put together in any order.
const PIECES: &[&str] = &[
    "import a",
    "from . import b",
    "from ..c import *",
    "\n",
    "    ",
    "try:",
    "except ImportError:",
    "else:",
    "if ",
    "x = [",
    "]",
    "(",
    ")",
    "{",
    "}",
    "'",
    "\"",
    "`",
    "${",
    "require('./a')",
    "=> ",
    "exec ",
    "&& ",
    "| ",
    "$(",
    "$@",
    "#!",
    "/bin/sh",
    "env -S ",
    "python main.py",
    "-m ",
    "-c ",
    "node server.js",
    "uvicorn main:app",
    "__all__ = ",
    "sys.path.insert(0, ",
    "__file__",
    "\0",
    "\u{feff}",
    "\r\n",
    "class A:",
    "def f():",
    "match x:",
    "case {'a': y}:",
    "lambda: ",
    "f'{",
    "}'",
    "while True:",
    "/",
    "//",
    "/*",
    "cd ",
    ";",
];

proptest::proptest! {
    #[test]
    fn no_text_makes_an_inspection_panic(
        files in proptest::collection::vec(proptest::collection::vec(0..PIECES.len(), 0..40), 6),
        words in proptest::collection::vec(0..PIECES.len(), 1..5),
    ) {
        let text = |pieces: &Vec<usize>| pieces.iter().map(|piece| PIECES[*piece]).collect::<String>();
        let names = ["/app/main.py", "/app/a.py", "/app/server.js", "/app/a.js", "/run.sh", "/app/package.json"];
        let mut builder = TreeBuilder::in_memory()
            .executable("/usr/bin/python3.12", "")
            .executable("/usr/bin/node", "")
            .executable("/bin/sh", "")
            .file("/usr/lib/python3.12/os.py", "");
        for (name, file) in names.iter().zip(&files) {
            builder = builder.executable(name, text(file));
        }
        let tree = builder.finish().unwrap();
        let argv: Vec<String> = words.iter().map(|word| PIECES[*word].to_owned()).collect();
        let commands = [
            argv,
            vec!["python3.12".to_owned(), "/app/main.py".to_owned()],
            vec!["node".to_owned(), "/app/server.js".to_owned()],
            vec!["/run.sh".to_owned()],
        ];
        for argv in commands {
            inspect(&Subject::RootFs { argv: &argv }, &tree, &Asked::default());
            inspect(&Subject::CodeZip { bytes: 1, entry_point: &argv }, &tree, &Asked::default());
        }
    }
}

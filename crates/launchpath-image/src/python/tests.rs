//! Small images in memory, and what the import check says of them.

use super::search::Surroundings;
use super::{Check, Interpreter, Outcome, Start, check, distributions, search_path};
use crate::inspect::{Certainty, Finding, FindingKind};
use crate::tree::{Tree, TreeBuilder};

const SITE: &str = "/usr/local/lib/python3.12/site-packages";

/// An image with an interpreter and these files.
fn image(files: &[(&str, &str)]) -> Tree {
    let mut builder = TreeBuilder::in_memory()
        .executable("/usr/local/bin/python3.12", "")
        .file("/usr/local/lib/python3.12/os.py", "")
        .file("/usr/local/lib/python3.12/typing.py", "TYPE_CHECKING = False\n")
        .file("/usr/local/lib/python3.12/collections/__init__.py", "class OrderedDict: pass\n")
        .file("/usr/local/lib/python3.12/lib-dynload/_json.cpython-312-aarch64-linux-gnu.so", elf(183));
    for (path, text) in files {
        let path = path.replace("SITE", SITE);
        builder = builder.file(&path, text);
    }
    builder.finish().unwrap()
}

fn elf(machine: u16) -> Vec<u8> {
    let mut header = vec![0; 64];
    header[..6].copy_from_slice(b"\x7fELF\x02\x01");
    header[18..20].copy_from_slice(&machine.to_le_bytes());
    header
}

fn run(tree: &Tree, start: Start) -> Outcome {
    let mut interpreter = Interpreter::find(tree, "/usr/local/bin/python3.12").unwrap();
    interpreter.machine = Some(crate::elf::Machine::Aarch64);
    let path = search_path(
        tree,
        &interpreter,
        Surroundings { working_directory: "/app", ..Surroundings::default() },
    );
    let installed = distributions(tree, &path.sites);
    check(&Check {
        tree,
        interpreter: &interpreter,
        path: &path,
        distributions: &installed,
        starts: &[start],
        first: Some("/app"),
        working_directory: "/app",
    })
}

fn findings(files: &[(&str, &str)]) -> Vec<Finding> {
    run(&image(files), Start::Script("/app/main.py".into())).findings
}

/// Kind, certainty, and what it is about.
fn brief(findings: &[Finding]) -> Vec<(FindingKind, Certainty, String)> {
    let about = |finding: &Finding| {
        let text = |name: &str| finding.detail.get(name).and_then(|value| value.as_str()).map(str::to_owned);
        [text("module"), text("name"), text("path")].into_iter().flatten().collect::<Vec<_>>().join(" ")
    };
    findings.iter().map(|finding| (finding.kind, finding.certainty, about(finding))).collect()
}

fn of_main(text: &str) -> Vec<(FindingKind, Certainty, String)> {
    brief(&findings(&[("/app/main.py", text)]))
}

use Certainty::{Certain, Likely, Possible};
use FindingKind::{
    ForeignExtension, MissingDataFile, MissingModule, MissingName, MissingOwnName, MissingOwnSource,
    MissingSubmodule, SyntaxError,
};

#[test]
fn the_incident_is_found_with_its_chain() {
    let found = findings(&[
        ("/app/main.py", "import json\nfrom src.graph import build\n"),
        ("/app/src/graph.py", "\n\nfrom langchain.callbacks import get_openai_callback\ndef build(): pass\n"),
        ("/usr/local/lib/python3.12/json/__init__.py", ""),
        ("SITE/langchain/__init__.py", "__version__ = '1.0.0'\n"),
        ("SITE/langchain/agents/__init__.py", ""),
        (
            "SITE/langchain-1.0.0.dist-info/METADATA",
            "Metadata-Version: 2.4\nName: langchain\nVersion: 1.0.0\n\n",
        ),
        (
            "SITE/langchain-1.0.0.dist-info/RECORD",
            "langchain/__init__.py,sha256=x,1\nlangchain/agents/__init__.py,,\n",
        ),
    ]);
    assert_eq!(brief(&found), [(MissingSubmodule, Certain, "langchain.callbacks".into())]);
    let found = &found[0];
    assert_eq!((found.file.as_deref(), found.line), (Some("/app/src/graph.py"), Some(3)));
    assert_eq!(found.text, "langchain.callbacks is imported, and langchain 1.0.0 does not have it");
    assert_eq!(found.detail["version"], "1.0.0");
    assert_eq!(found.detail["pin"], "langchain<1");
    let chain: Vec<_> =
        found.chain.iter().map(|link| (link.file.as_str(), link.line, link.module.as_str())).collect();
    assert_eq!(chain, [("/app/main.py", 2, "src.graph"), ("/app/src/graph.py", 3, "langchain.callbacks")]);
}

#[test]
fn a_module_that_is_nowhere() {
    assert_eq!(of_main("import zeppelin\n"), [(MissingModule, Certain, "zeppelin".into())]);
    assert_eq!(of_main("import tools.search\n"), [(MissingOwnSource, Certain, "tools".into())]);
    assert_eq!(of_main("import imp\n"), [(MissingModule, Certain, "imp".into())]);
    assert_eq!(of_main("import sys, math, _json, os.path\n"), []);
}

#[test]
fn guards_conditions_and_functions_are_never_certain() {
    let cases = [
        ("try:\n    import zeppelin\nexcept ImportError:\n    zeppelin = None\n", Some(Possible)),
        (
            "try:\n    import zeppelin\nexcept ImportError as e:\n    raise RuntimeError('x') from e\n",
            Some(Likely),
        ),
        ("try:\n    import zeppelin\nexcept (KeyError, OSError):\n    pass\n", Some(Certain)),
        ("try:\n    import zeppelin\nexcept some.Error:\n    pass\n", Some(Likely)),
        (
            "from contextlib import suppress\nwith suppress(ImportError):\n    import zeppelin\n",
            Some(Possible),
        ),
        ("from typing import TYPE_CHECKING\nif TYPE_CHECKING:\n    import zeppelin\n", None),
        ("import sys\nif sys.version_info < (3, 11):\n    import zeppelin\n", None),
        ("import sys\nif sys.version_info >= (3, 12):\n    import zeppelin\n", Some(Certain)),
        ("import sys\nif sys.platform == 'win32':\n    import zeppelin\n", None),
        ("import os\nif os.environ.get('X'):\n    import zeppelin\n", Some(Possible)),
        ("if __name__ == '__main__':\n    import zeppelin\n", Some(Certain)),
        ("def later():\n    import zeppelin\n", Some(Possible)),
        ("def now():\n    import zeppelin\nnow()\n", Some(Likely)),
        ("class Tool:\n    import zeppelin\n", Some(Certain)),
        ("import importlib\nimportlib.import_module('zeppelin')\n", Some(Likely)),
        ("import sys\nsys.exit(0)\nimport zeppelin\n", None),
        ("for name in names():\n    import zeppelin\n", Some(Possible)),
    ];
    for (text, expected) in cases {
        let mut files = vec![("/app/main.py", text)];
        files.push(("/usr/local/lib/python3.12/contextlib.py", "class suppress: pass\n"));
        files.push(("/usr/local/lib/python3.12/importlib/__init__.py", ""));
        let found = findings(&files);
        assert_eq!(found.first().map(|finding| finding.certainty), expected, "{text}: {found:?}");
    }
}

#[test]
fn the_other_branch_of_a_fallback_counts_only_when_the_first_fails() {
    let text = "try:\n    import tomllib\nexcept ImportError:\n    import tomli as tomllib\n";
    let with = [("/app/main.py", text), ("/usr/local/lib/python3.12/tomllib/__init__.py", "")];
    assert_eq!(brief(&findings(&with)), []);
    let found = of_main(text);
    assert!(found.contains(&(MissingModule, Likely, "tomli".into())), "{found:?}");
}

#[test]
fn names_that_a_module_has_and_names_it_lost() {
    let with = |package: &str, main: &str| {
        brief(&findings(&[
            ("/app/main.py", main),
            ("SITE/pkg/__init__.py", package),
            ("SITE/pkg/sub.py", "inner = 1\n"),
        ]))
    };
    let lost = [(MissingName, Certain, "pkg Thing".to_owned())];
    assert_eq!(with("", "from pkg import Thing\n"), lost);
    assert_eq!(with("if False:\n    Thing = 1\n", "from pkg import Thing\n"), lost);
    assert_eq!(with("Thing: int\n", "from pkg import Thing\n"), lost);
    assert_eq!(with("from .sub import *\n", "from pkg import Thing\n"), lost);
    for package in [
        "(a, [Thing, *b]), c = f()\n",
        "Thing: int = 1\n",
        "for Thing in []: pass\n",
        "with open('/x') as Thing: pass\n",
        "try:\n    pass\nexcept ValueError as Thing:\n    pass\n",
        "def f():\n    global Thing\n    Thing = 1\nf()\n",
        "import x as Thing\n",
        "if (Thing := 1): pass\n",
        "type Thing = int\n",
        "match f():\n    case {'a': Thing}: pass\n",
        "import os\nif os.environ: Thing = 1\n",
        "globals()['Thing'] = 1\n",
        "exec('Thing = 1')\n",
        "from .native import *\n",
        "__getattr__ = lazy()\n",
        "def __getattr__(name):\n    if name == 'Thing':\n        return 1\n",
        "class Thing: pass\ndel Thing\n",
        "import sys\nsys.modules[__name__] = object()\n",
    ] {
        let found: Vec<_> = with(package, "from pkg import Thing\n")
            .into_iter()
            .filter(|found| found.0 == MissingName)
            .collect();
        assert_eq!(found, [], "{package}");
    }
    let getattr = "__all__ = ['Other']\ndef __getattr__(name):\n    raise AttributeError(name)\n";
    assert_eq!(with(getattr, "from pkg import Thing\n"), [(MissingName, Likely, "pkg Thing".into())]);
    assert_eq!(with("", "from pkg import sub\nfrom pkg.sub import inner\nimport pkg.sub as s\n"), []);
    assert_eq!(with("", "from pkg.sub import outer\n"), [(MissingName, Certain, "pkg.sub outer".into())]);
    assert_eq!(with("", "import pkg.sub.deeper\n"), [(MissingSubmodule, Certain, "pkg.sub.deeper".into())]);
    assert_eq!(
        of_main("from collections import Mapping\n"),
        [(MissingName, Certain, "collections Mapping".into())]
    );
}

#[test]
fn relative_imports_start_from_the_package() {
    let files = [
        ("/app/main.py", "from agent import run\n"),
        ("/app/agent/__init__.py", "from .core import run\nfrom . import tools\n"),
        ("/app/agent/core.py", "from .missing import x\ndef run(): pass\n"),
        ("/app/agent/tools/__init__.py", "from ..core import run\n"),
    ];
    assert_eq!(brief(&findings(&files)), [(MissingOwnSource, Certain, "agent.missing".into())]);
    let files = [
        ("/app/main.py", "import agent\n"),
        ("/app/agent/__init__.py", "from . import core, gone\n"),
        ("/app/agent/core.py", "import zeppelin\n"),
    ];
    let found = brief(&findings(&files));
    assert_eq!(
        found,
        [(MissingModule, Certain, "zeppelin".into()), (MissingOwnSource, Certain, "agent gone".into())]
    );
    let script = of_main("from .core import run\n");
    assert_eq!(script, [(MissingModule, Certain, ".core".into())]);
}

#[test]
fn a_namespace_is_spread_over_the_search_path() {
    let files = [
        ("/app/main.py", "import google.cloud.storage\nimport google.own\nimport google.absent\n"),
        ("/app/google/own.py", ""),
        ("SITE/google/cloud/storage/__init__.py", ""),
    ];
    let found = brief(&findings(&files));
    assert_eq!(found.len(), 1, "{found:?}");
    assert_eq!(found[0].2, "google.absent");
}

#[test]
fn a_compiled_module_of_another_machine_is_not_found() {
    let with = |name: &str, machine: u16| {
        let tree = TreeBuilder::in_memory()
            .executable("/usr/local/bin/python3.12", "")
            .file("/usr/local/lib/python3.12/os.py", "")
            .file("/app/main.py", "from pkg import _core\n")
            .file(&format!("{SITE}/pkg/__init__.py"), "")
            .file(&format!("{SITE}/pkg/{name}"), elf(machine))
            .finish()
            .unwrap();
        brief(&run(&tree, Start::Script("/app/main.py".into())).findings)
    };
    let foreign = [(ForeignExtension, Certain, "pkg._core".to_owned())];
    assert_eq!(with("_core.cpython-312-x86_64-linux-gnu.so", 62), foreign);
    assert_eq!(with("_core.cpython-311-aarch64-linux-gnu.so", 183), foreign);
    assert_eq!(with("_core.abi3.so", 62), foreign);
    assert_eq!(with("_core.abi3.so", 183), []);
    assert_eq!(with("_core.cpython-312-aarch64-linux-gnu.so", 183), []);
}

#[test]
fn a_folder_of_stubs_beside_a_foreign_module_hides_nothing() {
    let with = |name: &str, machine: u16| {
        let tree = TreeBuilder::in_memory()
            .executable("/usr/local/bin/python3.12", "")
            .file("/usr/local/lib/python3.12/os.py", "")
            .file("/app/main.py", "import pkg\n")
            .file(&format!("{SITE}/pkg/__init__.py"), "from ._core import first, second\n")
            .file(&format!("{SITE}/pkg/_core/__init__.pyi"), "")
            .file(&format!("{SITE}/pkg/{name}"), elf(machine))
            .finish()
            .unwrap();
        brief(&run(&tree, Start::Script("/app/main.py".into())).findings)
    };
    let foreign = [(ForeignExtension, Certain, "pkg._core".to_owned())];
    assert_eq!(with("_core.cpython-312-x86_64-linux-gnu.so", 62), foreign);
    assert_eq!(with("_core.cpython-312-aarch64-linux-gnu.so", 183), []);
}

#[test]
fn syntax_of_a_later_release_is_refused() {
    assert_eq!(
        brief(&findings(&[("/app/main.py", "import other\n"), ("/app/other.py", "t'{x}'\n")]))[0].0,
        SyntaxError
    );
    assert_eq!(of_main("def f(:\n")[0].1, Certain);
    assert_eq!(of_main("type X = int\nmatch x:\n    case 1: pass\n"), []);
}

#[test]
fn a_file_read_while_importing() {
    let text = "from pathlib import Path\nHERE = Path(__file__).parent\nTEXT = (HERE / 'prompts' / 'a.txt').read_text()\nopen('there.txt')\nopen('out.txt', 'w')\ndef f():\n    open('later.txt')\n";
    let files = [
        ("/app/main.py", text),
        ("/app/there.txt", ""),
        ("/usr/local/lib/python3.12/pathlib.py", "class Path: pass\n"),
    ];
    assert_eq!(brief(&findings(&files)), [(MissingDataFile, Likely, "/app/prompts/a.txt".into())]);
}

#[test]
fn directories_join_the_search_path_while_it_runs() {
    let text = "import os, sys\nsys.path.insert(0, os.path.join(os.path.dirname(__file__), 'lib'))\nimport helper\nimport nowhere\n";
    let found = brief(&findings(&[("/app/main.py", text), ("/app/lib/helper.py", "")]));
    assert_eq!(found, [(MissingModule, Certain, "nowhere".into())]);
    let computed = "import sys\nsys.path.append(find())\nimport helper\n";
    let found = brief(&findings(&[("/app/main.py", computed), ("/opt/lib/helper.py", "")]));
    assert_eq!(found, [(MissingModule, Possible, "helper".into())]);
}

#[test]
fn a_virtual_environment_and_its_path_files() {
    let tree = TreeBuilder::in_memory()
        .executable("/usr/local/bin/python3.12", "")
        .file("/usr/local/lib/python3.12/os.py", "")
        .file("/usr/local/lib/python3.12/site-packages/hidden.py", "")
        .symlink("/app/.venv/bin/python", "/usr/local/bin/python3.12")
        .file("/app/.venv/pyvenv.cfg", "home = /usr/local/bin\ninclude-system-site-packages = false\n")
        .file("/app/.venv/lib/python3.12/site-packages/mine.pth", "# comment\n/srv/extra\n")
        .file(
            "/app/.venv/lib/python3.12/site-packages/__editable__.own.pth",
            "import __editable___own_finder; __editable___own_finder.install()\n",
        )
        .file(
            "/app/.venv/lib/python3.12/site-packages/__editable___own_finder.py",
            "MAPPING: dict[str, str] = {'own': '/src/own'}\n",
        )
        .file("/src/own/__init__.py", "")
        .file("/srv/extra/extra.py", "")
        .file("/app/main.py", "import extra, own, hidden\n")
        .finish()
        .unwrap();
    let interpreter = Interpreter::find(&tree, "/app/.venv/bin/python").unwrap();
    let path = search_path(&tree, &interpreter, Surroundings::default());
    let outcome = check(&Check {
        tree: &tree,
        interpreter: &interpreter,
        path: &path,
        distributions: &[],
        starts: &[Start::Script("/app/main.py".into())],
        first: Some("/app"),
        working_directory: "/app",
    });
    assert_eq!(brief(&outcome.findings), [(MissingModule, Certain, "hidden".into())]);
}

#[test]
fn a_module_started_by_name_and_one_that_a_server_loads() {
    let tree = image(&[
        ("/app/agent/__init__.py", ""),
        ("/app/agent/__main__.py", "from .core import nothing\n"),
        ("/app/agent/core.py", ""),
    ]);
    let found = brief(&run(&tree, Start::Module("agent".into())).findings);
    assert_eq!(found, [(MissingOwnName, Certain, "agent.core nothing".into())]);
    let found = brief(&run(&tree, Start::Module("agent.other".into())).findings);
    assert_eq!(found, [(MissingOwnSource, Certain, "agent.other".into())]);
    let application = |module: &str, attribute: &str| {
        let start = Start::Application {
            module: module.into(),
            attribute: Some(attribute.into()),
            server: "uvicorn".into(),
        };
        brief(&run(&tree, start).findings)
    };
    assert_eq!(application("agent.core", "app"), [(MissingOwnName, Certain, "agent.core app".into())]);
    assert_eq!(application("agent.gone", "app"), [(MissingOwnSource, Certain, "agent.gone".into())]);
}

#[test]
fn deep_nesting_and_odd_text_do_no_harm() {
    for text in [
        format!("x = {}1{}\n", "(".repeat(20_000), ")".repeat(20_000)),
        format!("x = {}1\n", "1+".repeat(50_000)),
        format!("x = a{}\n", ".b".repeat(50_000)),
        format!("import {}a\n", "a.".repeat(50_000)),
        format!("x = {}1\n", "not ".repeat(50_000)),
        format!("x = {}1{}\n", "[".repeat(50_000), "]".repeat(50_000)),
        "\u{feff}import zeppelin\n".to_owned(),
        "\0\0\0".to_owned(),
    ] {
        of_main(&text);
    }
}

#[test]
fn a_server_that_only_itself_can_reach() {
    use super::{ContainerMark, no_server, serving};
    let of = |text: &str, mark| {
        let tree = image(&[
            ("/app/main.py", text),
            ("SITE/bedrock_agentcore/__init__.py", "class BedrockAgentCoreApp: pass\n"),
        ]);
        let outcome = run(&tree, Start::Script("/app/main.py".into()));
        let found = serving(&outcome, mark).into_iter().chain(no_server(&outcome));
        found.map(|finding| (finding.kind, finding.certainty, finding.line)).collect::<Vec<_>>()
    };
    let sdk = "from bedrock_agentcore import BedrockAgentCoreApp\napp = BedrockAgentCoreApp()\nif __name__ == '__main__':\n    app.run()\n";
    let loopback = |line| vec![(FindingKind::BindsLoopbackOnly, Likely, Some(line))];
    assert_eq!(of(sdk, ContainerMark::Absent), loopback(4));
    assert_eq!(of(sdk, ContainerMark::Present), []);
    assert_eq!(of(&sdk.replace("run()", "run(host='0.0.0.0')"), ContainerMark::Absent), []);
    assert_eq!(of(&sdk.replace("run()", "run(8080, HOST)"), ContainerMark::Absent), []);
    let own_mark = format!("import os\nos.environ['DOCKER_CONTAINER'] = '1'\n{sdk}");
    assert_eq!(of(&own_mark, ContainerMark::Absent), []);
    let none = "import json\ndef handler(event, context):\n    return {}\n";
    let tree = image(&[("/app/main.py", none), ("/usr/local/lib/python3.12/json.py", "")]);
    let outcome = run(&tree, Start::Script("/app/main.py".into()));
    assert_eq!(no_server(&outcome).map(|finding| finding.kind), Some(FindingKind::NoHttpServer));
    let moving = "from bedrock_agentcore import x\nimport time\ndef ping():\n    return {'status': 'Healthy', 'time_of_last_update': int(time.time())}\n";
    let found = of(moving, ContainerMark::Present);
    assert_eq!(found, [(FindingKind::TimestampMoves, Possible, Some(4))]);
}

#[test]
fn a_server_of_another_protocol_than_the_runtimes() {
    use super::{no_server, other_protocol};
    let of = |text: &str, protocol: &str| {
        let files = [
            ("/app/main.py", text),
            ("SITE/mcp/server/__init__.py", "class FastMCP: pass\n"),
            ("SITE/mcp/__init__.py", ""),
            ("SITE/bedrock_agentcore/__init__.py", "class BedrockAgentCoreApp: pass\n"),
        ];
        let outcome = run(&image(&files), Start::Script("/app/main.py".into()));
        other_protocol(&outcome, protocol).map(|finding| (finding.kind, finding.certainty, finding.line))
    };
    let mcp = |run: &str| format!("from mcp.server import FastMCP\nserver = FastMCP('echo')\n{run}\n");
    let http = mcp("server.run(transport='streamable-http')");
    assert_eq!(of(&http, "HTTP"), Some((FindingKind::OtherProtocol, Likely, Some(3))));
    assert_eq!(of(&http, "MCP"), None);
    let mounted = mcp("app = server.streamable_http_app()");
    assert_eq!(of(&mounted, "HTTP"), Some((FindingKind::OtherProtocol, Possible, Some(3))));
    let input = Some((FindingKind::NoHttpServer, Likely, Some(3)));
    assert_eq!(of(&mcp("server.run()"), "MCP"), input);
    assert_eq!(of(&mcp("server.run('stdio')"), "HTTP"), input);
    assert_eq!(of(&mcp("server.run(transport=TRANSPORT)"), "MCP"), None);
    let sdk = "from bedrock_agentcore import BedrockAgentCoreApp\napp = BedrockAgentCoreApp()\napp.run()\n";
    assert_eq!(of(sdk, "HTTP"), None);
    assert_eq!(of(sdk, "AGUI"), None);
    assert_eq!(of(sdk, "MCP"), Some((FindingKind::OtherProtocol, Likely, Some(3))));
    // Whoever serves both serves the runtime's.
    let both = format!(
        "{http}from bedrock_agentcore import BedrockAgentCoreApp\napp = BedrockAgentCoreApp()\napp.run()\n"
    );
    assert_eq!(of(&both, "HTTP"), None);
    let by_hand = "import asyncio\nasync def main():\n    await asyncio.start_server(print, '0.0.0.0', 8080)\nasyncio.run(main())\n";
    let tree = image(&[("/app/main.py", by_hand), ("/usr/local/lib/python3.12/asyncio/__init__.py", "")]);
    assert_eq!(no_server(&run(&tree, Start::Script("/app/main.py".into()))), None);
}

#[test]
fn a_requirement_without_a_bound_next_to_a_newer_major_release() {
    use super::newer_major_releases;
    use crate::tree::Metadata;
    let tree = TreeBuilder::in_memory()
        .file(
            "/app/requirements.txt",
            "# agent\nlangchain>=0.3.27\nboto3>=1.30,<2\nrequests[socks] >= 1.0 ; python_version > '3'\n",
        )
        .directory_with(
            "/site/langchain-1.0.0.dist-info",
            Metadata { modified: 1_760_700_000, ..Metadata::of_mode(0o755) },
        )
        .file("/site/langchain-1.0.0.dist-info/METADATA", "Name: langchain\nVersion: 1.0.0\n")
        .file("/site/boto3-2.0.dist-info/METADATA", "Name: boto3\nVersion: 2.0\n")
        .file("/site/requests-2.0.dist-info/METADATA", "Name: requests\nVersion: 2.0\n")
        .finish()
        .unwrap();
    let installed = distributions(&tree, &["/site".to_owned()]);
    let found = newer_major_releases(&tree, &["/app".to_owned()], &installed);
    assert_eq!(found.len(), 1, "{found:?}");
    assert_eq!(found[0].line, Some(2));
    assert_eq!(found[0].detail["requirement"], "langchain>=0.3.27");
    assert_eq!(found[0].detail["released"], "2025-10-17");
}

#[test]
fn a_library_that_a_compiled_module_needs() {
    let with = |library: &str| {
        let tree = TreeBuilder::in_memory()
            .executable("/usr/local/bin/python3.12", "")
            .file("/usr/local/lib/python3.12/os.py", "")
            .file("/app/main.py", "import cv2\n")
            .file(&format!("{SITE}/cv2/__init__.py"), "from . import core\n")
            .file(&format!("{SITE}/cv2/core.abi3.so"), crate::start::tests::dynamic("", "libGL.so.1"))
            .file(library, elf(183))
            .finish()
            .unwrap();
        let found = run(&tree, Start::Script("/app/main.py".into())).findings;
        found.iter().map(|finding| (finding.kind, finding.certainty)).collect::<Vec<_>>()
    };
    assert_eq!(with("/usr/lib/libother.so"), [(FindingKind::MissingLibrary, Likely)]);
    assert_eq!(with("/usr/lib/libGL.so.1"), []);
    assert_eq!(with("/opt/preloaded/libGL.so.1"), []);
}

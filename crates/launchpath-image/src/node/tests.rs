//! Small Node projects in memory.

use super::check;
use super::lexer::specifiers;
use crate::inspect::Certainty::{self, Certain, Likely, Possible};
use crate::inspect::FindingKind::{self, MissingModule, MissingOwnSource, MissingSubmodule};
use crate::tree::TreeBuilder;

fn of(files: &[(&str, &str)], start: &str) -> Vec<(FindingKind, Certainty, String, u32)> {
    let mut builder = TreeBuilder::in_memory();
    for (path, text) in files {
        builder = builder.file(path, text);
    }
    let found = check(&builder.finish().unwrap(), start, Certain).findings;
    let name =
        |finding: &crate::inspect::Finding| finding.detail["module"].as_str().unwrap_or_default().to_owned();
    found
        .iter()
        .map(|finding| (finding.kind, finding.certainty, name(finding), finding.line.unwrap_or(0)))
        .collect()
}

#[test]
fn specifiers_are_found_and_nothing_that_looks_like_one() {
    let text = r#"
        // require("a1")
        /* import "a2" */
        const s = "require('a3')", r = /require("a4")/, t = `${require("b1")} require("a5")`;
        import x, { y as z } from "b2"
        import "b3";
        export * from 'b4';
        const c = require("b5")
        const later = () => require("b6");
        try { require("b7") } catch {}
        if (process.env.X) require("b8");
        await import("b9");
        module.require("a6"); require.resolve("a7"); require(name);
        import type { T } from "a8";
        const d = flag ? require("c1") : null;
    "#;
    let found: Vec<(String, Certainty)> =
        specifiers(text).into_iter().map(|found| (found.text, found.most)).collect();
    let expected = [
        ("b1", Certain),
        ("b2", Certain),
        ("b3", Certain),
        ("b4", Certain),
        ("b5", Certain),
        ("b6", Possible),
        ("b7", Possible),
        ("b8", Possible),
        ("b9", Likely),
        ("c1", Possible),
    ];
    assert_eq!(found, expected.map(|(text, most)| (text.to_owned(), most)));
}

#[test]
fn files_and_packages_are_resolved_as_node_does() {
    let files = [
        (
            "/app/server.js",
            "require('./lib/a'); require('./lib'); require('express'); require('node:fs');\nrequire('gone');\nrequire('./nothing');\nrequire('pkg/sub'); require('pkg/secret'); require('@scope/it')\n",
        ),
        ("/app/lib/a.js", "require('../other.json')\nrequire('./deep/missing')\n"),
        ("/app/lib/index.js", ""),
        ("/app/other.json", "{}"),
        (
            "/app/node_modules/express/package.json",
            "{\"name\": \"express\", \"version\": \"5.0.0\", \"main\": \"./lib/e\"}",
        ),
        (
            "/app/node_modules/express/lib/e.js",
            "require('./view'); require('body-parser')\ntry { require('optional') } catch {}\n",
        ),
        ("/app/node_modules/express/lib/view.js", "require('../data.json')"),
        (
            "/node_modules/pkg/package.json",
            "{\"name\": \"pkg\", \"version\": \"2.0.0\", \"exports\": {\".\": \"./i.js\", \"./sub\": \"./s.js\", \"./secret\": null}}",
        ),
        ("/node_modules/pkg/s.js", ""),
        ("/node_modules/@scope/it/index.js", ""),
    ];
    assert_eq!(
        of(&files, "/app/server"),
        [
            (MissingModule, Certain, "gone".to_owned(), 2),
            (MissingOwnSource, Certain, "./nothing".to_owned(), 3),
            (MissingSubmodule, Certain, "pkg/secret".to_owned(), 4),
            (MissingOwnSource, Certain, "./deep/missing".to_owned(), 2),
            (MissingModule, Likely, "body-parser".to_owned(), 1),
            (MissingSubmodule, Likely, "../data.json".to_owned(), 1),
        ]
    );
    assert_eq!(of(&files, "/app/gone.js")[0].0, MissingOwnSource);
}

#[test]
fn a_module_writes_its_extensions() {
    let files = [
        ("/app/package.json", "{\"type\": \"module\"}"),
        ("/app/main.js", "import './a.js'\nimport './a'\n"),
        ("/app/a.js", "export {}"),
    ];
    assert_eq!(of(&files, "/app/main.js"), [(MissingOwnSource, Certain, "./a".to_owned(), 2)]);
}

#[test]
fn what_a_package_exports_depends_on_how_it_is_asked() {
    let package = "{\"name\": \"esm-only\", \"version\": \"3.0.0\", \"exports\": {\"import\": \"./i.mjs\"}}";
    let plain = "{\"name\": \"plain\", \"version\": \"1.0.0\"}";
    let files = [
        ("/app/main.cjs", "require('esm-only')\n"),
        ("/app/main.mjs", "import 'esm-only'\nimport 'plain/fp'\nimport 'plain/fp.js'\nimport 'plain'\n"),
        ("/app/node_modules/esm-only/package.json", package),
        ("/app/node_modules/esm-only/i.mjs", "import './gone.mjs'\n"),
        ("/app/node_modules/plain/package.json", plain),
        ("/app/node_modules/plain/fp.js", ""),
        ("/app/node_modules/plain/index.js", ""),
    ];
    assert_eq!(of(&files, "/app/main.cjs"), [(MissingSubmodule, Certain, "esm-only".to_owned(), 1)]);
    assert_eq!(
        of(&files, "/app/main.mjs"),
        [
            (MissingOwnSource, Certain, "plain/fp".to_owned(), 2),
            (MissingSubmodule, Likely, "./gone.mjs".to_owned(), 1),
        ]
    );
}

#[test]
fn packages_that_load_each_other_end() {
    let files = [
        ("/app/main.js", "require('a')"),
        ("/app/node_modules/a/index.js", "require('b')"),
        ("/app/node_modules/b/index.js", "require('a'); require('c')"),
    ];
    assert_eq!(of(&files, "/app/main.js"), [(MissingModule, Likely, "c".to_owned(), 1)]);
}

#[test]
fn odd_text_does_no_harm() {
    for text in [
        "`${",
        "`${`${`",
        "/",
        "/[",
        "'",
        "require(",
        "import",
        "from",
        "}}}}",
        "/*",
        "import from from 'x'",
        "\u{0}",
    ] {
        specifiers(text);
    }
}

#[test]
fn node_s_own_modules_are_told_from_packages_of_their_names() {
    let files = [
        (
            "/app/server.js",
            "require('fs/promises'); require('stream/web'); require('process/browser'); require('events/');\n",
        ),
        ("/app/node_modules/process/package.json", "{\"name\": \"process\", \"version\": \"0.11.10\"}"),
        ("/app/node_modules/process/browser.js", "require('gone')\n"),
        ("/app/node_modules/events/package.json", "{\"name\": \"events\", \"version\": \"3.3.0\"}"),
        ("/app/node_modules/events/index.js", ""),
        // The name is taken, and Node does not look there.
        ("/app/node_modules/fs/package.json", "{\"name\": \"fs\", \"version\": \"0.0.1-security\"}"),
    ];
    assert_eq!(of(&files, "/app/server.js"), [(MissingModule, Likely, "gone".to_owned(), 1)]);
}

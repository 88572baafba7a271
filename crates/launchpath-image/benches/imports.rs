//! How long the import check of an ordinary agent takes: `cargo bench -p launchpath-image`.
//!
//! The packages are those that the test `packages` installs; run that first.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::print_stdout,
    clippy::disallowed_methods,
    dead_code,
    unreachable_pub,
    reason = "a benchmark reads files and the clock, and prints"
)]

#[path = "../tests/it/disk.rs"]
mod disk;

use std::path::Path;
use std::time::{Duration, Instant};

use launchpath_image::python::{Check, Interpreter, Start, Surroundings, check, distributions, search_path};
use launchpath_image::tree::TreeBuilder;

const AGENT: &str = "import json, logging, os\nimport boto3\nfrom bedrock_agentcore import BedrockAgentCoreApp\nfrom strands import Agent, tool\nfrom langchain.callbacks import get_openai_callback\nfrom langgraph.graph import StateGraph\nfrom pydantic import BaseModel\nimport requests\napp = BedrockAgentCoreApp()\n";

fn main() {
    let Some(python) = disk::python() else { return };
    let site = Path::new(env!("CARGO_TARGET_TMPDIR")).join("python-packages/agent/site-packages");
    if !site.exists() {
        println!(
            "skipped: run `cargo test -p launchpath-image --test it packages` first; it installs the packages"
        );
        return;
    }
    let mut builder = TreeBuilder::in_memory();
    disk::add_python(&mut builder, &python);
    disk::add(&mut builder, &site, &[]);
    let tree = builder.finish().unwrap();
    let site = site.to_str().unwrap().to_owned();
    let run = || {
        let interpreter = Interpreter::find(&tree, &python.program).unwrap();
        let surroundings =
            Surroundings { python_path: &site, working_directory: "/", ..Surroundings::default() };
        let path = search_path(&tree, &interpreter, surroundings);
        let installed = distributions(&tree, std::slice::from_ref(&site));
        check(&Check {
            tree: &tree,
            interpreter: &interpreter,
            path: &path,
            distributions: &installed,
            starts: &[Start::Code(AGENT.to_owned())],
            first: None,
            working_directory: "/",
        })
    };
    let outcome = run();
    let times: Vec<Duration> = (0..5)
        .map(|_| {
            let begun = Instant::now();
            run();
            begun.elapsed()
        })
        .collect();
    let best = times.iter().min().unwrap();
    println!(
        "{} modules followed, {} findings, best of 5: {best:.2?}",
        outcome.modules,
        outcome.findings.len()
    );
}

//! Packages as people install them: what the real interpreter imports must give no alarm, and the incident exactly its own.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use launchpath_image::inspect::{Certainty, Finding, FindingKind};
use launchpath_image::python::{Check, Interpreter, Start, Surroundings, check, distributions, search_path};
use launchpath_image::tree::{Tree, TreeBuilder};

use crate::disk::{self, Python};

/// An agent's packages before the release of the incident.
const AGENT: &[&str] = &[
    "bedrock-agentcore",
    "boto3",
    "fastapi",
    "flask",
    "httpx",
    "langchain==0.3.27",
    "langgraph<1",
    "mcp",
    "pydantic",
    "requests",
    "strands-agents",
    "uvicorn",
];
/// The release of the incident.
const RELEASE: &[&str] = &["langchain==1.0.0"];

/// What agents import.
const IMPORTS: &[&str] = &[
    "import requests",
    "import boto3",
    "import botocore.session, botocore.exceptions",
    "from botocore.config import Config",
    "import pydantic",
    "from pydantic import BaseModel, Field, ValidationError, field_validator",
    "from fastapi import FastAPI, Request, HTTPException",
    "from fastapi.responses import StreamingResponse, JSONResponse",
    "import uvicorn",
    "from flask import Flask, jsonify, request",
    "import httpx",
    "from bedrock_agentcore import BedrockAgentCoreApp",
    "from bedrock_agentcore.runtime import BedrockAgentCoreApp",
    "from bedrock_agentcore.memory import MemoryClient",
    "from strands import Agent, tool",
    "from strands.models import BedrockModel",
    "from mcp.server.fastmcp import FastMCP",
    "from mcp import ClientSession, StdioServerParameters",
    "from langchain.callbacks import get_openai_callback",
    "from langchain.chains import LLMChain",
    "from langchain.agents import AgentExecutor, create_tool_calling_agent",
    "from langchain_core.messages import HumanMessage, AIMessage",
    "from langchain_core.tools import tool, StructuredTool",
    "from langchain.prompts import PromptTemplate",
    "from langgraph.graph import StateGraph, END, START",
    "from langgraph.prebuilt import create_react_agent",
    "from typing_extensions import TypedDict, Annotated",
    "from starlette.applications import Starlette",
    "import yaml",
    "from dateutil.parser import parse",
    "import six.moves.urllib.parse",
    "from six.moves import range",
    "import urllib3.util.retry",
    "import requests.packages.urllib3.exceptions",
];

/// A directory with these requirements installed, kept between runs; `None` after saying why the test is skipped.
fn installed(python: &Python, name: &str, requirements: &[&str]) -> Option<PathBuf> {
    let root = Path::new(env!("CARGO_TARGET_TMPDIR")).join("python-packages").join(name);
    let wanted = requirements.join("\n");
    let note = root.join("requirements.txt");
    let site = root.join("site-packages");
    if fs::read_to_string(&note).is_ok_and(|kept| kept == wanted) {
        return Some(site);
    }
    let making = Path::new(env!("CARGO_TARGET_TMPDIR")).join(format!("{name}.{}", std::process::id()));
    let output = Command::new(&python.program)
        .args(["-m", "pip", "install", "--quiet", "--disable-pip-version-check", "--no-compile", "--target"])
        .arg(making.join("site-packages"))
        .args(requirements)
        .output()
        .unwrap();
    if !output.status.success() {
        let _ = fs::remove_dir_all(&making);
        println!("skipped: pip cannot install {requirements:?}: {}", String::from_utf8_lossy(&output.stderr));
        return None;
    }
    fs::write(making.join("requirements.txt"), wanted).unwrap();
    let _ = fs::remove_dir_all(&root);
    fs::create_dir_all(root.parent().unwrap()).unwrap();
    // Somebody else may have been quicker.
    let _ = fs::rename(&making, &root);
    Some(site)
}

struct Image {
    tree: Tree,
    program: String,
    site: String,
}

fn image(python: &Python, site: &Path) -> Image {
    let mut builder = TreeBuilder::in_memory();
    disk::add_python(&mut builder, python);
    disk::add(&mut builder, site, &[]);
    Image {
        tree: builder.finish().unwrap(),
        program: python.program.clone(),
        site: site.to_str().unwrap().to_owned(),
    }
}

impl Image {
    fn findings(&self, code: &str) -> Vec<Finding> {
        let interpreter = Interpreter::find(&self.tree, &self.program).unwrap();
        let surroundings =
            Surroundings { python_path: &self.site, working_directory: "/", ..Surroundings::default() };
        let path = search_path(&self.tree, &interpreter, surroundings);
        let installed = distributions(&self.tree, std::slice::from_ref(&self.site));
        check(&Check {
            tree: &self.tree,
            interpreter: &interpreter,
            path: &path,
            distributions: &installed,
            starts: &[Start::Code(code.to_owned())],
            first: None,
            working_directory: "/",
        })
        .findings
    }
}

/// Which of these statements the real interpreter runs.
fn really_runs(python: &Python, site: &str, statements: &[String]) -> Vec<bool> {
    const DRIVER: &str = "import json, os, sys\nfor statement in json.loads(sys.stdin.read()):\n    if os.fork() == 0:\n        sys.stdout = sys.stderr = open(os.devnull, 'w')\n        try:\n            exec(statement, {'__name__': 'x'})\n        except BaseException:\n            os._exit(1)\n        os._exit(0)\n    print(os.wait()[1] == 0, flush=True)\n";
    let mut child = Command::new(&python.program)
        .args(["-S", "-c", DRIVER])
        .env("PYTHONPATH", site)
        .stdin(std::process::Stdio::piped())
        .stdout(std::process::Stdio::piped())
        .spawn()
        .unwrap();
    let input = child.stdin.take().unwrap();
    serde_json::to_writer(input, statements).unwrap();
    let output = child.wait_with_output().unwrap();
    let ran: Vec<bool> =
        String::from_utf8(output.stdout).unwrap().lines().map(|line| line == "True").collect();
    assert_eq!(ran.len(), statements.len());
    ran
}

#[test]
fn what_the_interpreter_imports_gives_no_alarm() {
    let Some(python) = disk::python() else { return };
    let Some(site) = installed(&python, "agent", AGENT) else { return };
    let image = image(&python, &site);
    let mut statements: Vec<String> = IMPORTS.iter().map(|statement| (*statement).to_owned()).collect();
    // For a release, by hand: every module of every package, or every nth.
    if let Ok(step) = std::env::var("LAUNCHPATH_EVERY_MODULE") {
        let modules = every_module(&site, &site).into_iter().step_by(step.parse().unwrap_or(1));
        statements.extend(modules.map(|module| format!("import {module}")));
    }
    let runs = really_runs(&python, &image.site, &statements);
    let sound: Vec<String> = statements
        .iter()
        .zip(&runs)
        .filter(|(_, runs)| **runs)
        .map(|(statement, _)| statement.clone())
        .collect();
    println!("{} of {} statements run", sound.len(), statements.len());
    // Together: what one of them imports need not be read again for the next.
    for some in sound.chunks(200) {
        let found = image.findings(&some.join("\n"));
        let certain: Vec<&Finding> =
            found.iter().filter(|finding| finding.certainty == Certainty::Certain).collect();
        println!("{} findings, {} of them certain", found.len(), certain.len());
        assert!(certain.is_empty(), "false alarms: {certain:#?}");
        if some.len() < 200 && some[0] == IMPORTS[0] {
            let likely: Vec<&Finding> =
                found.iter().filter(|finding| finding.certainty == Certainty::Likely).collect();
            assert!(likely.is_empty(), "false alarms: {likely:#?}");
        }
    }
    assert!(sound.len() >= IMPORTS.len() * 8 / 10, "most of what agents import is there: {}", sound.len());
}

fn every_module(root: &Path, directory: &Path) -> Vec<String> {
    let mut modules = Vec::new();
    let mut entries: Vec<PathBuf> =
        fs::read_dir(directory).unwrap().map(|entry| entry.unwrap().path()).collect();
    entries.sort();
    for path in entries {
        if path.is_dir() {
            modules.extend(every_module(root, &path));
            continue;
        }
        let name = path.strip_prefix(root).unwrap().to_str().unwrap();
        let Some(name) = name.strip_suffix(".py") else { continue };
        let name = name.strip_suffix("/__init__").unwrap_or(name).replace('/', ".");
        if name
            .split('.')
            .all(|part| part.starts_with(|c: char| c.is_alphabetic() || c == '_') && !part.contains('-'))
        {
            modules.push(name);
        }
    }
    modules
}

#[test]
fn the_release_of_the_incident_gives_its_finding() {
    let Some(python) = disk::python() else { return };
    let Some(site) = installed(&python, "release", RELEASE) else { return };
    let image = image(&python, &site);
    let found = image.findings("from langchain.callbacks import get_openai_callback");
    assert_eq!(found.len(), 1, "{found:#?}");
    let finding = &found[0];
    assert_eq!((finding.kind, finding.certainty), (FindingKind::MissingSubmodule, Certainty::Certain));
    assert_eq!(finding.text, "langchain.callbacks is imported, and langchain 1.0.0 does not have it");
    assert_eq!(finding.detail["moved_to"], "langchain_core.callbacks");
    assert_eq!(image.findings("from langchain.agents import create_agent"), []);
}

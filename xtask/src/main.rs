//! Developer tasks: `cargo xtask new-fault | tidy | audit | schema | docs`.
//!
//! What it is: everything that a contributor or CI runs on the repository itself. What it is not: part of the product;
//! nothing here is published. Start with [`Task`], then the module of the task's name.

mod audit;
mod complaint;
mod generated;
mod metadata;
mod new_fault;
mod site;
mod tidy;
mod tree;

use std::io::Write as _;
use std::process::ExitCode;

use anyhow::Result;
use clap::Parser;

use complaint::Complaint;
use tree::Tree;

/// Developer tasks of launchpath.
#[derive(Parser)]
#[command(name = "cargo xtask", bin_name = "cargo xtask")]
enum Task {
    /// Write a new fault's folder and register it.
    NewFault(new_fault::Arguments),
    /// Check what neither the compiler nor clippy checks: documentation, sizes, manifests, dependency direction.
    Tidy,
    /// Check licences, sources, duplicates, banned and yanked crates against deny.toml.
    Audit,
    /// Write docs/diagnosis.schema.json and docs/certificate.schema.json from the types.
    Schema,
    /// Write docs/faults.md from the fault catalogue, and the sources of the documentation's site to target/site.
    Docs,
}

fn main() -> Result<ExitCode> {
    let root = tree::root();
    match Task::parse() {
        Task::NewFault(arguments) => say(&new_fault::run(&root, &arguments)?),
        Task::Tidy => {
            let complaints = tidy::run(&Tree::load(&root)?)?;
            verdict("tidy", &complaints)
        }
        Task::Audit => {
            let (summary, complaints) = audit::run(&root)?;
            say(&summary)?;
            verdict("audit", &complaints)
        }
        Task::Schema => {
            say(&generated::write(&root, generated::SCHEMA)?)?;
            say(&generated::write(&root, generated::CERTIFICATE)?)
        }
        Task::Docs => {
            say(&generated::write(&root, generated::CATALOGUE)?)?;
            let site = site::Site::of(&Tree::load(&root)?)?;
            let broken = site.broken_links();
            if !broken.is_empty() {
                return verdict("docs", &broken);
            }
            say(&site.write(&root)?)
        }
    }
}

fn say(text: &str) -> Result<ExitCode> {
    writeln!(std::io::stdout(), "{text}")?;
    Ok(ExitCode::SUCCESS)
}

fn verdict(task: &str, complaints: &[Complaint]) -> Result<ExitCode> {
    let mut out = std::io::stdout().lock();
    for complaint in complaints {
        writeln!(out, "{complaint}")?;
    }
    if complaints.is_empty() {
        writeln!(out, "{task}: nothing to complain about")?;
        return Ok(ExitCode::SUCCESS);
    }
    writeln!(out, "{task}: {} complaint{}", complaints.len(), if complaints.len() == 1 { "" } else { "s" })?;
    Ok(ExitCode::FAILURE)
}

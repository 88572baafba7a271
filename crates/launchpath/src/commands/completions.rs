//! `launchpath completions`: what a shell needs to complete the command line, from its declaration.

use clap::CommandFactory;

use crate::cli::{Cli, CompletionsArguments};
use crate::failure::Failure;
use crate::output;

/// Runs the command.
pub(crate) fn run(arguments: &CompletionsArguments) -> Result<u8, Failure> {
    let mut script = Vec::new();
    clap_complete::generate(arguments.shell, &mut Cli::command(), "launchpath", &mut script);
    output::deliver(&String::from_utf8_lossy(&script), None)?;
    Ok(0)
}

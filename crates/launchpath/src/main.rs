//! `launchpath`: finds where the launch of an Amazon Bedrock AgentCore Runtime breaks, and proves why.
//!
//! The binary only wires: command line (`cli`), disk (`disk`, `output`), collection, diagnosis, report. What is decided is
//! decided in `launchpath-diagnose`. Start with `commands/diagnose.rs`.

mod cli;
mod commands;
mod disk;
mod failure;
mod output;
mod query;

use std::process::ExitCode;

use clap::Parser;

use crate::cli::{Cli, Command};
use crate::failure::Failure;

/// Half of a diagnosis is allocation.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> ExitCode {
    let cli = match Cli::try_parse() {
        Ok(cli) => cli,
        Err(error) => return usage(&error),
    };
    let ended = std::panic::catch_unwind(|| run(cli));
    match ended {
        Ok(Ok(code)) => ExitCode::from(code),
        Ok(Err(failure)) => {
            output::complain(&failure);
            ExitCode::from(failure.exit_code())
        }
        // The panic's own message is on standard error already.
        Err(_) => {
            output::complain(&Failure::bug());
            ExitCode::from(Failure::bug().exit_code())
        }
    }
}

/// Help and version are answers; anything else is a usage error.
fn usage(error: &clap::Error) -> ExitCode {
    let wanted = !error.use_stderr();
    // Nothing is left to do when even that cannot be written.
    let _ = error.print();
    if wanted { ExitCode::SUCCESS } else { ExitCode::from(failure::USAGE) }
}

fn run(cli: Cli) -> Result<u8, Failure> {
    match cli.command {
        Command::Diagnose(arguments) => commands::diagnose::run(&cli.global, &arguments),
        Command::Collect(arguments) => {
            query::refuse(cli.global.query.as_ref(), "what collect writes")?;
            commands::collect::run(&cli.global, &arguments)
        }
        Command::Compare(arguments) => commands::compare::run(&cli.global, &arguments),
        Command::Rehearse(arguments) => commands::rehearse::run(&cli.global, &arguments),
        Command::Redact(arguments) => {
            query::refuse(cli.global.query.as_ref(), "a redacted bundle")?;
            commands::redact::run(&arguments)
        }
        Command::Explain(arguments) => commands::explain::run(&cli.global, &arguments),
        Command::Permissions(arguments) => commands::permissions::run(&cli.global, &arguments),
        Command::Inspect(arguments) => commands::inspect::run(&cli.global, &arguments),
        Command::Logs(arguments) => commands::logs::run(&cli.global, &arguments),
        Command::Reach(arguments) => commands::reach::run(&cli.global, &arguments),
        Command::Can(arguments) => commands::can::run(&cli.global, &arguments),
        Command::Verify(arguments) => commands::verify::run(&cli.global, &arguments),
        Command::Completions(arguments) => {
            query::refuse(cli.global.query.as_ref(), "a script for a shell")?;
            commands::completions::run(&arguments)
        }
        Command::Man(arguments) => {
            query::refuse(cli.global.query.as_ref(), "a manual")?;
            commands::man::run(&arguments)
        }
    }
}

//! `launchpath man`: the manual from the declared command line, as man pages or as one Markdown document.
//!
//! Start with [`run`]; `reference` writes the Markdown.

mod reference;

use anyhow::Context;
use clap::{Command, CommandFactory};

use crate::cli::{Cli, ManArguments, ManForm};
use crate::failure::Failure;
use crate::output;

/// Runs the command.
pub(crate) fn run(arguments: &ManArguments) -> Result<u8, Failure> {
    // Without this the subcommands do not know the options they inherit.
    let mut cli = Cli::command().disable_help_subcommand(true);
    cli.build();
    match (&arguments.format, &arguments.out) {
        (ManForm::Markdown, _) => output::deliver(&reference::of(&cli), None)?,
        (ManForm::Man, None) => output::deliver(&page(&cli)?, None)?,
        (ManForm::Man, Some(folder)) => {
            std::fs::create_dir_all(folder)
                .with_context(|| folder.display().to_string())
                .map_err(Failure::environment)?;
            output::write_whole(&folder.join("launchpath.1"), page(&cli)?.as_bytes())?;
            for command in commands(&cli) {
                let name = format!("launchpath-{}", command.get_name());
                output::write_whole(&folder.join(format!("{name}.1")), page(command)?.as_bytes())?;
            }
        }
    }
    Ok(0)
}

/// The commands that people see.
fn commands(cli: &Command) -> impl Iterator<Item = &Command> {
    cli.get_subcommands().filter(|command| !command.is_hide_set())
}

fn page(command: &Command) -> Result<String, Failure> {
    let mut bytes = Vec::new();
    // Once it is built a subcommand is called `launchpath-diagnose`, as `man` looks for it.
    clap_mangen::Man::new(command.clone())
        .render(&mut bytes)
        .context("the man page")
        .map_err(Failure::environment)?;
    Ok(String::from_utf8_lossy(&bytes).into_owned())
}

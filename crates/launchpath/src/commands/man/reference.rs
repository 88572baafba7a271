//! The command line as one Markdown document: `docs/cli.md`.
//!
//! Nothing is written here that clap does not know. Start with [`of`].

use clap::{Arg, Command};

/// The document.
pub(super) fn of(cli: &Command) -> String {
    let mut text = String::from(
        "# Commands\n\n\
         Written by `launchpath man --format markdown` from the declared command line; do not edit.\n",
    );
    text += &format!("\n{}.\n\n", about(cli).trim_end_matches('.'));
    for command in super::commands(cli) {
        let name = command.get_name();
        text += &format!("- [`launchpath {name}`](#launchpath-{name}): {}\n", about(command));
    }
    text += "\n## Options of every command\n\n";
    for argument in cli.get_arguments().filter(|argument| is_shown(argument) && argument.is_global_set()) {
        text += &option(argument);
    }
    if let Some(after) = cli.get_after_help() {
        text += &format!("\n```text\n{}\n```\n", after.to_string().trim_end());
    }
    for command in super::commands(cli) {
        text += &section(command);
    }
    text
}

fn about(command: &Command) -> String {
    command.get_about().map(ToString::to_string).unwrap_or_default()
}

fn section(command: &Command) -> String {
    let name = command.get_name();
    let usage = command.clone().render_usage().to_string();
    let usage = usage.trim_start_matches("Usage: ").trim();
    let mut text = format!(
        "\n## launchpath {name}\n\n{}.\n\n```text\n{usage}\n```\n\n",
        about(command).trim_end_matches('.')
    );
    let own = || command.get_arguments().filter(|argument| is_shown(argument) && !argument.is_global_set());
    for argument in own().filter(|argument| argument.is_positional()) {
        text += &option(argument);
    }
    for argument in own().filter(|argument| !argument.is_positional()) {
        text += &option(argument);
    }
    if let Some(after) = command.get_after_help() {
        text += &format!("\n```text\n{}\n```\n", after.to_string().trim_end());
    }
    text
}

fn is_shown(argument: &Arg) -> bool {
    !argument.is_hide_set() && !matches!(argument.get_id().as_str(), "help" | "version")
}

/// One line: how it is written, what it does, what it may be.
fn option(argument: &Arg) -> String {
    let value = || {
        let names = argument.get_value_names().unwrap_or_default();
        names.iter().map(|name| format!("<{name}>")).collect::<Vec<_>>().join(" ")
    };
    let takes = argument.get_action().takes_values();
    let mut written = Vec::new();
    written.extend(argument.get_short().map(|short| format!("-{short}")));
    written.extend(argument.get_long().map(|long| format!("--{long}")));
    let name = written.join(", ");
    let name = if takes { format!("{name} {}", value()) } else { name };
    let name = name.trim();
    let help = argument.get_help().map(ToString::to_string).unwrap_or_default();
    let mut text = format!("- `{name}`: {help}");
    let choices: Vec<String> = argument
        .get_possible_values()
        .iter()
        .filter(|_| takes)
        .map(|choice| format!("`{}`", choice.get_name()))
        .collect();
    if !choices.is_empty() {
        text += &format!(". One of {}", choices.join(", "));
    }
    let defaults: Vec<String> =
        argument.get_default_values().iter().map(|value| format!("`{}`", value.to_string_lossy())).collect();
    if takes && !defaults.is_empty() {
        text += &format!(". Default: {}", defaults.join(", "));
    }
    text + "\n"
}

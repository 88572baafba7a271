//! Where output goes: standard output, or a file that appears whole or not at all; complaints go to standard error.

use std::io::{IsTerminal, Write};
use std::path::Path;

use anyhow::Context;
use launchpath_report::{Colour, Detail, Options};

use crate::cli::{Global, HowMuch, When};
use crate::failure::Failure;

/// Columns where there is no terminal to ask.
const DEFAULT_WIDTH: usize = 100;

/// Prints the complaint about a failure.
pub(crate) fn complain(failure: &Failure) {
    // When standard error is closed there is nobody to tell.
    let _ = writeln!(std::io::stderr(), "launchpath: {failure}");
}

/// Says on standard error what a reader of the output would miss.
pub(crate) fn remark(text: &str) {
    let _ = writeln!(std::io::stderr(), "launchpath: {text}");
}

/// Prints `text` to standard output, or writes it whole to `file`.
pub(crate) fn deliver(text: &str, file: Option<&Path>) -> Result<(), Failure> {
    match file {
        Some(path) => write_whole(path, text.as_bytes()),
        None => match std::io::stdout().write_all(text.as_bytes()) {
            // A reader that stops early, such as `head`, is no failure.
            Err(error) if error.kind() == std::io::ErrorKind::BrokenPipe => Ok(()),
            other => other.context("standard output").map_err(Failure::environment),
        },
    }
}

/// Writes a file so that it appears whole or not at all: into a temporary file beside it, then renamed.
pub(crate) fn write_whole(path: &Path, bytes: &[u8]) -> Result<(), Failure> {
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
    let write = || -> anyhow::Result<()> {
        let mut file = tempfile::Builder::new().prefix(".launchpath-").tempfile_in(folder)?;
        file.write_all(bytes)?;
        file.as_file().sync_all()?;
        #[cfg(unix)]
        {
            use std::os::unix::fs::PermissionsExt;
            // A bundle describes an account: its owner alone may read it.
            file.as_file().set_permissions(std::fs::Permissions::from_mode(0o600))?;
        }
        file.persist(path)?;
        Ok(())
    };
    write().with_context(|| path.display().to_string()).map_err(Failure::environment)
}

/// How text output is to look, from the flags, the environment and the terminal.
pub(crate) fn options(global: &Global, to_file: bool, detail: HowMuch) -> Options {
    let terminal = !to_file && std::io::stdout().is_terminal();
    let set = |name: &str| std::env::var_os(name).is_some_and(|value| !value.is_empty());
    let colour = match global.color {
        When::Always => true,
        When::Never => false,
        When::Auto => {
            terminal && !set("NO_COLOR") && std::env::var_os("TERM").is_none_or(|term| term != "dumb")
        }
    };
    let columns = terminal_size::terminal_size().filter(|_| terminal).map(|(width, _)| usize::from(width.0));
    Options {
        width: global.width.or(columns).unwrap_or(DEFAULT_WIDTH),
        colour: if colour { Colour::On } else { Colour::Off },
        unicode: !is_ascii_locale(),
        detail: if detail == HowMuch::Full { Detail::Full } else { Detail::Normal },
    }
}

/// Whether the locale names a character set other than UTF-8. No locale at all (a container) is taken for UTF-8.
fn is_ascii_locale() -> bool {
    let value = ["LC_ALL", "LC_CTYPE", "LANG"]
        .iter()
        .find_map(|name| std::env::var(name).ok().filter(|value| !value.is_empty()));
    value.is_some_and(|value| {
        let lower = value.to_lowercase();
        !lower.contains("utf-8") && !lower.contains("utf8")
    })
}

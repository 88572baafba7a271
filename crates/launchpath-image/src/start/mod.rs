//! What an image starts: from its command through shells, wrappers and scripts to the program, and what that runs.
//!
//! What it is: `ENTRYPOINT` and `CMD` followed as the kernel and the shells would, inside the file tree. What it is not: a shell. A
//! command that is not simple is followed no further, and that is said.
//!
//! Start with [`Launch::follow`].

mod program;
mod python_line;
mod shell;
#[cfg(test)]
pub(crate) mod tests;
mod wrapper;

use std::collections::BTreeMap;

use crate::elf::Machine;
use crate::inspect::{Certainty, Finding, NotChecked};
use crate::passwd::Account;
use crate::python;
use crate::tree::Tree;

/// Wrappers, scripts and interpreters that are followed from one to the next.
const STEPS: usize = 24;
/// Where programs are searched when the image does not set `PATH`: the container runtimes' default.
const DEFAULT_PATH: &str = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";

/// What is known of an image when it is started.
pub struct Image<'a> {
    /// Its files.
    pub tree: &'a Tree,
    /// The machine it is for, when its config says.
    pub machine: Option<Machine>,
    /// Who runs; `None` when that is not known.
    pub account: Option<&'a Account>,
}

/// What comes out at the end of following a command.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Runs {
    /// A Python interpreter.
    Python {
        /// The interpreter, as it is called.
        interpreter: String,
        /// What it runs, in order.
        starts: Vec<python::Start>,
        /// The directory it puts first.
        first: Option<String>,
        /// `PYTHONPATH` and packages of the user do not count.
        isolated: bool,
    },
    /// Node.
    Node {
        /// The interpreter.
        interpreter: String,
        /// The file it runs; `None` when that is not a file.
        file: Option<String>,
        /// It is told to load something first, which may change how modules are found.
        loader: bool,
    },
    /// A program that is no interpreter of ours.
    Program(String),
    /// It could not be followed.
    Unknown,
}

/// A command, followed.
#[derive(Clone, Debug)]
pub struct Launch {
    /// Entry point and command together.
    pub argv: Vec<String>,
    /// The last program that was found.
    pub program: Option<String>,
    /// What it runs.
    pub runs: Runs,
    /// The environment at that point.
    pub environment: BTreeMap<String, String>,
    /// The working directory at that point.
    pub working_directory: String,
    /// The most that can be said of what follows: less when a script with branches lies between.
    pub most: Certainty,
    /// What is wrong on the way.
    pub findings: Vec<Finding>,
    /// What was not followed.
    pub not_checked: Vec<NotChecked>,
    /// The address that a server's command line names; `None` when there is no such server.
    pub host: Option<String>,
    /// Further files that must be read to start: scripts on the way.
    pub files: Vec<String>,
}

impl Launch {
    /// Follows `argv` in `image`.
    pub fn follow(
        image: &Image<'_>,
        argv: &[String],
        environment: &[String],
        working_directory: &str,
    ) -> Self {
        let pairs = environment.iter().filter_map(|pair| pair.split_once('='));
        let directory = if working_directory.is_empty() { "/" } else { working_directory };
        let mut launch = Self {
            argv: argv.to_vec(),
            program: None,
            runs: Runs::Unknown,
            environment: pairs.map(|(name, value)| (name.to_owned(), value.to_owned())).collect(),
            working_directory: directory.to_owned(),
            most: Certainty::Certain,
            findings: Vec::new(),
            not_checked: Vec::new(),
            host: None,
            files: Vec::new(),
        };
        let mut next = Some(Command { argv: argv.to_vec(), by: By::Kernel });
        let mut steps = 0;
        while let Some(command) = next.take() {
            steps += 1;
            if steps > STEPS {
                launch.stop(
                    "the start command",
                    format!("it leads through more than {STEPS} scripts and wrappers"),
                );
                break;
            }
            next = launch.step(image, command);
        }
        launch
    }

    fn step(&mut self, image: &Image<'_>, command: Command) -> Option<Command> {
        let command = match self.unwrap_builtin(command) {
            Ok(next) => return Some(next),
            Err(command) => command,
        };
        let path = self.find_program(image, &command)?;
        self.program = Some(path.clone());
        self.read_program(image, command, &path)
    }

    /// Notes that something was not followed any further.
    fn stop(&mut self, what: impl Into<String>, why: impl Into<String>) {
        self.not_checked.push(NotChecked::new(what, why));
    }

    fn path_variable(&self) -> &str {
        self.environment.get("PATH").map_or(DEFAULT_PATH, String::as_str)
    }

    /// A path as the process sees it.
    fn absolute(&self, path: &str) -> String {
        if path.starts_with('/') {
            path.to_owned()
        } else {
            format!("{}/{}", self.working_directory.trim_end_matches('/'), path.trim_start_matches("./"))
        }
    }

    fn find(&mut self, finding: Finding) {
        let mut finding = finding;
        finding.certainty = finding.certainty.min(self.most);
        self.findings.push(finding);
    }
}

/// A command that is about to be executed.
struct Command {
    argv: Vec<String>,
    by: By,
}

/// Who executes it: a shell runs a text without `#!` as its own script, the kernel does not.
#[derive(Clone, Copy, PartialEq, Eq)]
enum By {
    Kernel,
    Shell,
}

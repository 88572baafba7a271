//! Python's command line, and those of the servers that load an application.

use super::{Image, Launch, Runs};
use crate::inspect::{Certainty, Finding, FindingKind};
use crate::python::Start;

impl Launch {
    /// `python [options] file | -m module | -c code`.
    pub(super) fn python(&mut self, image: &Image<'_>, interpreter: &str, arguments: &[String]) {
        let mut isolated = false;
        let mut safe_path = self.environment.get("PYTHONSAFEPATH").is_some_and(|value| !value.is_empty());
        let mut at = 0;
        let mut starts = Vec::new();
        let mut first = None;
        while let Some(argument) = arguments.get(at) {
            at += 1;
            let rest = arguments.get(at..).unwrap_or_default();
            match argument.as_str() {
                "-m" | "-c" => {
                    let Some(value) = rest.first() else { break };
                    first = Some(self.working_directory.clone());
                    if argument == "-c" {
                        starts.push(Start::Code(value.clone()));
                    } else {
                        starts.push(Start::Module(value.clone()));
                        self.application(value, &rest[1..], &mut starts);
                    }
                    break;
                }
                "-W" | "-X" | "--check-hash-based-pycs" => at += 1,
                "-" | "-i" if rest.is_empty() => break,
                option if option.starts_with("--") => {}
                option if option.starts_with('-') => {
                    isolated |= option.contains('I') || option.contains('E');
                    safe_path |= option.contains('P') || option.contains('I');
                    // `-um module`: letters together.
                    if let Some(letters) = option.strip_suffix('m')
                        && letters.starts_with('-')
                        && let Some(module) = rest.first()
                    {
                        first = Some(self.working_directory.clone());
                        starts.push(Start::Module(module.clone()));
                        self.application(module, &rest[1..], &mut starts);
                        break;
                    }
                }
                file => {
                    let path = self.absolute(file);
                    self.script(image, &path, &mut starts, &mut first);
                    let name = path.rsplit('/').next().unwrap_or_default().to_owned();
                    if self.application(&name, rest, &mut starts) {
                        first = Some(self.working_directory.clone());
                    }
                    break;
                }
            }
        }
        if starts.is_empty() {
            self.stop(format!("what {interpreter} runs"), "its command line names no file, module or code");
        }
        if safe_path {
            first = None;
        }
        self.runs = Runs::Python { interpreter: interpreter.to_owned(), starts, first, isolated };
    }

    fn script(&mut self, image: &Image<'_>, path: &str, starts: &mut Vec<Start>, first: &mut Option<String>) {
        let Some(entry) = image.tree.lookup(path) else {
            let text = format!("the start command runs {path}, and the image does not have it");
            let finding = Finding::new(FindingKind::MissingOwnSource, Certainty::Certain, text);
            self.find(finding.with("path", path).with("module", path));
            return;
        };
        self.files.push(path.to_owned());
        if entry.is_directory() {
            *first = Some(path.to_owned());
            starts.push(Start::Script(format!("{path}/__main__.py")));
            return;
        }
        // The interpreter takes the directory of the file that a link leads to.
        *first = entry
            .path()
            .rsplit_once('/')
            .map(|(directory, _)| if directory.is_empty() { "/" } else { directory }.to_owned());
        starts.push(Start::Script(path.to_owned()));
    }

    /// Adds what a server is told to load; whether `name` is such a server.
    fn application(&mut self, name: &str, arguments: &[String], starts: &mut Vec<Start>) -> bool {
        let name = name.rsplit('.').next().unwrap_or(name);
        let (default_host, host_options): (&str, &[&str]) = match name {
            "uvicorn" => ("127.0.0.1", &["--host"]),
            "hypercorn" | "daphne" | "granian" => ("127.0.0.1", &["--bind", "-b", "--host"]),
            "gunicorn" => ("127.0.0.1", &["--bind", "-b"]),
            "flask" => ("127.0.0.1", &["--host", "-h"]),
            "fastapi" => (
                if arguments.first().is_some_and(|command| command == "dev") {
                    "127.0.0.1"
                } else {
                    "0.0.0.0"
                },
                &["--host"],
            ),
            _ => return false,
        };
        let mut directory = None;
        let mut host = None;
        let mut target = None;
        let mut at = 0;
        while let Some(argument) = arguments.get(at) {
            at += 1;
            let (option, value) = match argument.split_once('=') {
                Some((option, value)) if option.starts_with('-') => (option, Some(value.to_owned())),
                _ => (argument.as_str(), None),
            };
            let take = |at: &mut usize| {
                value.clone().or_else(|| {
                    *at += 1;
                    arguments.get(*at - 1).cloned()
                })
            };
            if host_options.contains(&option) {
                host = take(&mut at);
            } else if ["--app-dir", "--chdir"].contains(&option) {
                directory = take(&mut at);
            } else if ["--app", "-A"].contains(&option) && name == "flask" {
                target = take(&mut at);
            } else if option.starts_with("--") {
                // Options that stand alone; every other one takes a value.
                let alone = [
                    "--reload",
                    "--factory",
                    "--proxy-headers",
                    "--no-access-log",
                    "--access-log",
                    "--no-server-header",
                    "--preload",
                    "--use-colors",
                    "--no-use-colors",
                    "--daemon",
                    "--no-proxy-headers",
                    "--debug",
                ];
                if value.is_none()
                    && !alone.contains(&option)
                    && arguments.get(at).is_some_and(|next| !next.starts_with('-'))
                {
                    at += 1;
                }
            } else if option.starts_with('-') {
                at += usize::from(option.len() == 2);
            } else if target.is_none() && !["run", "dev"].contains(&option) {
                target = Some(argument.clone());
            }
        }
        let prefixed = format!("{}_HOST", if name == "flask" { "FLASK_RUN" } else { "UVICORN" });
        let from_environment = self.environment.get(&prefixed).cloned();
        let from_port =
            (name == "gunicorn" && self.environment.contains_key("PORT")).then(|| "0.0.0.0".to_owned());
        let configured = name == "gunicorn"
            && arguments
                .iter()
                .any(|argument| argument.starts_with("-c") || argument.starts_with("--config"));
        let host = host.or(from_environment).or(from_port);
        self.host = host.or_else(|| (!configured).then(|| default_host.to_owned()));
        if let Some(directory) = directory {
            self.working_directory = self.absolute(&directory);
        }
        let target =
            target.or_else(|| self.environment.get("FLASK_APP").filter(|_| name == "flask").cloned());
        let Some(target) = target else { return true };
        if target.strip_suffix(".py").is_some() || target.contains('/') {
            let path = self.absolute(&target);
            starts.push(Start::Script(path));
            return true;
        }
        let (module, attribute) = match target.split_once(':') {
            Some((module, attribute)) => (module.to_owned(), Some(attribute.to_owned())),
            None => (target, None),
        };
        let plain = attribute
            .filter(|attribute| attribute.chars().all(|c| c.is_alphanumeric() || c == '_' || c == '.'));
        starts.push(Start::Application { module, attribute: plain, server: name.to_owned() });
        true
    }
}

//! Programs that start another program: init processes, instrumentation, package managers.

use super::{By, Command, Image, Launch, Runs};

impl Launch {
    /// Takes off what a shell or the kernel does before a program runs: `exec`, assignments, `env`. `Err` gives a command back
    /// that is none of these.
    pub(super) fn unwrap_builtin(&mut self, command: Command) -> Result<Command, Command> {
        let Some(name) = command.argv.first() else { return Err(command) };
        match name.rsplit('/').next().unwrap_or(name) {
            "exec" | "command" | "builtin" if command.by == By::Shell => {
                let mut rest = command.argv[1..].to_vec();
                if rest.first().is_some_and(|option| option == "-a") {
                    rest.drain(..rest.len().min(2));
                }
                Ok(Command { argv: rest, by: By::Shell })
            }
            "env" => {
                let rest = self.env(&command.argv[1..]);
                if rest.is_empty() { Err(command) } else { Ok(Command { argv: rest, by: By::Kernel }) }
            }
            _ => Err(command),
        }
    }

    /// `env [options] [NAME=value…] program …`: what is left to run.
    fn env(&mut self, arguments: &[String]) -> Vec<String> {
        let mut rest = arguments.to_vec();
        while let Some(argument) = rest.first().cloned() {
            if let Some((name, value)) = argument.split_once('=').filter(|(name, _)| is_name(name)) {
                self.environment.insert(name.to_owned(), value.to_owned());
                rest.remove(0);
            } else if let Some(text) =
                argument.strip_prefix("-S").or_else(|| argument.strip_prefix("--split-string="))
            {
                rest.remove(0);
                let text = if text.is_empty() && !rest.is_empty() { rest.remove(0) } else { text.to_owned() };
                let words: Vec<String> = text.split_whitespace().map(str::to_owned).collect();
                rest.splice(..0, words);
            } else if argument == "-u" {
                rest.drain(..rest.len().min(2));
            } else if argument == "-i" {
                self.environment.clear();
                rest.remove(0);
            } else if argument.starts_with('-') {
                rest.remove(0);
            } else {
                break;
            }
        }
        rest
    }

    /// What a wrapper starts; `None` when it is none that is known.
    pub(super) fn wrapped(&mut self, image: &Image<'_>, name: &str, arguments: &[String]) -> Option<Command> {
        let after = |values: &[&str], arguments: &[String]| {
            let mut at = 0;
            while let Some(argument) = arguments.get(at) {
                if argument == "--" {
                    at += 1;
                    break;
                }
                if !argument.starts_with('-') {
                    break;
                }
                let takes_value = values.contains(&argument.as_str()) && !argument.contains('=');
                at += 1 + usize::from(takes_value);
            }
            arguments.get(at..).unwrap_or_default().to_vec()
        };
        let argv = match name {
            "tini" | "tini-static" | "docker-init" => after(&["-p", "-e"], arguments),
            "dumb-init" => after(&["-r", "--rewrite"], arguments),
            "catatonit" | "nohup" | "setsid" | "pid1" => after(&[], arguments),
            "stdbuf" | "nice" | "ionice" | "chrt" => after(&["-n", "-i", "-o", "-e", "-c"], arguments),
            "timeout" => after(&["-k", "-s"], arguments).into_iter().skip(1).collect(),
            "gosu" | "su-exec" => after(&[], arguments).into_iter().skip(1).collect(),
            "opentelemetry-instrument" | "ddtrace-run" => {
                let mut rest = arguments.to_vec();
                while rest.first().is_some_and(|option| option.starts_with("--")) {
                    let alone = rest[0].contains('=');
                    rest.drain(..rest.len().min(if alone { 1 } else { 2 }));
                }
                rest
            }
            "uv" | "poetry" | "pipenv" | "pdm" | "rye" | "hatch" => {
                let run = arguments.iter().position(|argument| argument == "run")?;
                let values = [
                    "--with",
                    "--python",
                    "-p",
                    "--project",
                    "--directory",
                    "--env-file",
                    "--group",
                    "--extra",
                    "--package",
                    "--index",
                ];
                let argv = after(&values, &arguments[run + 1..]);
                return self.project(image, name, argv);
            }
            "npm" | "pnpm" | "yarn" => return self.package_script(image, arguments),
            "npx" | "tsx" | "ts-node" => {
                let rest = after(&["-p", "--package"], arguments);
                if name == "npx" && !rest.first().is_some_and(|first| first == "tsx" || first == "ts-node") {
                    let path = format!("{}:{}", self.absolute("node_modules/.bin"), self.path_variable());
                    self.environment.insert("PATH".to_owned(), path);
                    return Some(Command { argv: rest, by: By::Kernel });
                }
                let file =
                    rest.iter().find(|argument| argument.contains('.')).map(|file| self.absolute(file));
                self.runs = Runs::Node { interpreter: name.to_owned(), file, loader: true };
                return None;
            }
            _ => return None,
        };
        if argv.is_empty() {
            self.stop(format!("what {name} starts"), "its command line names no program");
            return None;
        }
        Some(Command { argv, by: By::Kernel })
    }

    /// `uv run …` and its like: the command runs in the project's virtual environment.
    fn project(&mut self, image: &Image<'_>, name: &str, mut argv: Vec<String>) -> Option<Command> {
        let environment =
            self.environment.get("UV_PROJECT_ENVIRONMENT").cloned().unwrap_or_else(|| ".venv".to_owned());
        let environment = self.absolute(&environment);
        if image.tree.lookup(&format!("{environment}/bin")).is_some() {
            let path = format!("{environment}/bin:{}", self.path_variable());
            self.environment.insert("PATH".to_owned(), path);
        } else if name == "uv" {
            self.stop(
                format!("the environment in which {name} run works"),
                format!("{environment} is not in the image: it is made at start, from the network"),
            );
        }
        let first = argv.first()?.clone();
        if first.strip_suffix(".py").is_some() || first == "-m" {
            argv.insert(0, "python".to_owned());
        }
        Some(Command { argv, by: By::Kernel })
    }

    /// `npm start`, `npm run NAME`: a line of package.json for a shell.
    fn package_script(&mut self, image: &Image<'_>, arguments: &[String]) -> Option<Command> {
        let mut words = arguments.iter().filter(|argument| !argument.starts_with('-'));
        let script = match words.next().map(String::as_str) {
            Some("run" | "run-script") => words.next()?.clone(),
            Some(other) => other.to_owned(),
            None => return None,
        };
        let path = self.absolute("package.json");
        let package = image
            .tree
            .read(&path, 1 << 20)
            .ok()
            .and_then(|bytes| serde_json::from_slice::<serde_json::Value>(&bytes).ok());
        let Some(package) = package else {
            self.stop(format!("the script {script}"), format!("{path} cannot be read"));
            return None;
        };
        self.files.push(path.clone());
        let Some(line) = package["scripts"][&script].as_str() else {
            if script == "start" && image.tree.lookup(&self.absolute("server.js")).is_some() {
                return Some(Command {
                    argv: vec!["node".to_owned(), "server.js".to_owned()],
                    by: By::Kernel,
                });
            }
            self.stop(format!("the script {script}"), format!("{path} has none of that name"));
            return None;
        };
        let path = format!("{}:{}", self.absolute("node_modules/.bin"), self.path_variable());
        self.environment.insert("PATH".to_owned(), path);
        self.shell_text(line, &[])
    }

    /// `node [options] file`.
    pub(super) fn node(&mut self, interpreter: &str, arguments: &[String]) {
        let mut loader = self.environment.get("NODE_OPTIONS").is_some_and(|options| loads_first(options));
        let mut at = 0;
        let mut file = None;
        while let Some(argument) = arguments.get(at) {
            at += 1;
            match argument.as_str() {
                "-r" | "--require" | "--import" | "--loader" | "--experimental-loader" => {
                    loader = true;
                    at += 1;
                }
                "-e" | "--eval" | "-p" | "--print" => break,
                "-C" | "--conditions" | "--env-file" => at += 1,
                option if option.starts_with('-') => loader |= loads_first(option),
                path => {
                    file = Some(self.absolute(path));
                    break;
                }
            }
        }
        if file.is_none() {
            self.stop("what Node runs", "its command line names no file");
        }
        self.files.extend(file.clone());
        self.runs = Runs::Node { interpreter: interpreter.to_owned(), file, loader };
    }
}

fn loads_first(option: &str) -> bool {
    ["--require", "--import", "--loader", "--experimental-loader", "-r "]
        .iter()
        .any(|known| option.contains(known))
}

pub(super) fn is_name(text: &str) -> bool {
    !text.is_empty()
        && !text.starts_with(|c: char| c.is_ascii_digit())
        && text.chars().all(|c| c.is_ascii_alphanumeric() || c == '_')
}

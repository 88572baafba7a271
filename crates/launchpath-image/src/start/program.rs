//! From the name of a program to its file, and from the file to what it asks for: loader, libraries, interpreter.

use super::{By, Command, Image, Launch, Runs};
use crate::elf::{Elf, Machine};
use crate::inspect::{Certainty, Finding, FindingKind};
use crate::tree::{Entry, Tree};

/// Bytes of a script's first line that the kernel reads.
const FIRST_LINE: u64 = 256;
/// Most bytes of a script that is read.
pub(super) const SCRIPT: u64 = 1 << 20;
/// Libraries that are followed from one to the next.
const LIBRARIES: usize = 400;

impl Launch {
    /// The file of a command's program.
    pub(super) fn find_program(&mut self, image: &Image<'_>, command: &Command) -> Option<String> {
        let name = command.argv.first().filter(|name| !name.is_empty())?.clone();
        let candidates: Vec<String> = if name.contains('/') {
            vec![self.absolute(&name)]
        } else {
            let directories = self.path_variable().split(':').filter(|part| !part.is_empty());
            directories
                .map(|directory| format!("{}/{name}", self.absolute(directory).trim_end_matches('/')))
                .collect()
        };
        let files = candidates.iter().filter_map(|path| Some((path, image.tree.lookup(path)?)));
        let mut files = files.filter(|(_, entry)| entry.is_file());
        let executable = files.clone().find(|(_, entry)| entry.mode() & 0o111 != 0);
        let Some((path, entry)) = executable.or_else(|| files.next()) else {
            let place = if name.contains('/') {
                "the image".to_owned()
            } else {
                format!("PATH ({})", self.path_variable())
            };
            let text = format!("{name} is started, and {place} does not have it");
            self.find(
                Finding::new(FindingKind::ProgramMissing, Certainty::Certain, text).with("program", name),
            );
            return None;
        };
        self.check_access(image, path, &entry);
        Some(path.clone())
    }

    fn check_access(&mut self, image: &Image<'_>, path: &str, entry: &Entry<'_>) {
        let nobody_may = entry.mode() & 0o111 == 0;
        let (who, denied) = match image.account {
            Some(account) => (format!("user {}", account.uid), !account.may_execute(entry)),
            None => ("the user".to_owned(), nobody_may),
        };
        let stopped = image.account.and_then(|account| {
            account.stopped_at(image.tree, path).or_else(|| account.stopped_at(image.tree, entry.path()))
        });
        let text = if let Some(directory) = stopped {
            format!("{path} is started, and {who} may not enter {directory}")
        } else if nobody_may {
            format!("{path} is started, and it is not executable (mode {:o})", entry.mode())
        } else if denied {
            format!(
                "{path} is started, and {who} may not execute it (mode {:o}, owner {}:{})",
                entry.mode(),
                entry.uid(),
                entry.gid()
            )
        } else {
            return;
        };
        let finding = Finding::new(FindingKind::CannotExecute, Certainty::Certain, text).in_file(path);
        self.find(finding.with("mode", format!("{:o}", entry.mode())));
    }

    /// What a program file asks for, and what runs then.
    pub(super) fn read_program(
        &mut self,
        image: &Image<'_>,
        command: Command,
        path: &str,
    ) -> Option<Command> {
        let entry = image.tree.lookup(path)?;
        let start = image.tree.read_range(&entry, 0, FIRST_LINE).unwrap_or_default();
        if start.starts_with(b"\x7fELF") {
            self.check_binary(image, path, &entry);
            return self.interpret(image, &command, path);
        }
        if let Some(line) = start.strip_prefix(b"#!") {
            let line = line.split(|byte| *byte == b'\n').next().unwrap_or_default();
            let line = String::from_utf8_lossy(line).into_owned();
            self.files.push(path.to_owned());
            return self.shebang(image, command, path, &line);
        }
        if start.is_empty() && entry.size() == 0 && is_interpreter(path) {
            // An empty stand-in: what it would do is told by its name.
            return self.interpret(image, &command, path);
        }
        if command.by == By::Shell {
            self.files.push(path.to_owned());
            return self.shell_script(image, path, &command.argv[1..]);
        }
        let text = format!("{path} is started, and is neither a program nor a script with a #! line");
        self.find(Finding::new(FindingKind::NotExecutableFormat, Certainty::Certain, text).in_file(path));
        None
    }

    fn shebang(&mut self, image: &Image<'_>, command: Command, path: &str, line: &str) -> Option<Command> {
        let carriage = line.ends_with('\r');
        let trimmed = line.trim_end_matches('\r').trim();
        let (interpreter, argument) = match trimmed.split_once([' ', '\t']) {
            Some((interpreter, argument)) => (interpreter, Some(argument.trim())),
            None => (trimmed, None),
        };
        // The kernel takes the carriage return as a part of the name.
        let missing = carriage && argument.is_none();
        if missing || image.tree.lookup(interpreter).is_none() {
            let why =
                if missing { " followed by a carriage return (the file has Windows line ends)" } else { "" };
            let text =
                format!("{path} names the interpreter {interpreter}{why}, and the image does not have it");
            let finding = Finding::new(FindingKind::InterpreterMissing, Certainty::Certain, text);
            self.find(finding.in_file(path).at_line(1).with("interpreter", interpreter));
            return None;
        }
        let mut argv = vec![interpreter.to_owned()];
        argv.extend(argument.map(str::to_owned));
        argv.push(path.to_owned());
        argv.extend(command.argv.into_iter().skip(1));
        Some(Command { argv, by: By::Kernel })
    }

    fn check_binary(&mut self, image: &Image<'_>, path: &str, entry: &Entry<'_>) {
        let Some(elf) = Elf::of(image.tree, entry) else { return };
        if let (Some(found), Some(wanted)) = (elf.machine, image.machine)
            && found != wanted
        {
            let text = format!(
                "{path} is a program for {}, and the image is for {}",
                found.architecture(),
                wanted.architecture()
            );
            let finding =
                Finding::new(FindingKind::WrongArchitecture, Certainty::Certain, text).in_file(path);
            self.find(finding.with("architecture", found.architecture()).with("program", path));
        }
        if let Some(loader) = &elf.loader
            && image.tree.lookup(loader).is_none()
        {
            let text = format!("{path} needs the loader {loader}, and the image does not have it");
            let finding = Finding::new(FindingKind::LoaderMissing, Certainty::Certain, text).in_file(path);
            self.find(finding.with("loader", loader.as_str()));
            return;
        }
        for (needed, by) in
            missing_libraries(image.tree, entry, &elf, self.environment.get("LD_LIBRARY_PATH"))
        {
            let text = format!(
                "{by} needs the library {needed}, and the image does not have it where the loader looks"
            );
            let finding = Finding::new(FindingKind::MissingLibrary, Certainty::Likely, text).in_file(by);
            self.find(finding.with("library", needed));
        }
    }

    /// What an interpreter, a shell or a wrapper makes of its arguments.
    fn interpret(&mut self, image: &Image<'_>, command: &Command, path: &str) -> Option<Command> {
        let real = image.tree.lookup(path).map(|entry| entry.name().to_owned()).unwrap_or_default();
        let name = path.rsplit('/').next().unwrap_or_default();
        let arguments = command.argv.get(1..).unwrap_or_default().to_vec();
        // A wrapper that is itself a script: `#!/usr/bin/python3` and `opentelemetry-instrument`.
        if let Some(script) =
            arguments.first().filter(|first| first.contains('/') && first.starts_with(|c| c != '-'))
            && (name.starts_with("python") || name.starts_with("node"))
        {
            let base = script.rsplit('/').next().unwrap_or_default().to_owned();
            let before = self.runs.clone();
            if let Some(next) = self.wrapped(image, &base, &arguments[1..]) {
                return Some(next);
            }
            if self.runs != before {
                return None;
            }
        }
        if name.starts_with("python") || real.starts_with("python") || name.starts_with("pypy") {
            self.python(image, path, &arguments);
            return None;
        }
        match name {
            "sh" | "bash" | "dash" | "ash" | "zsh" => self.shell(image, &arguments),
            "busybox" if arguments.first().is_some_and(|applet| applet == "sh" || applet == "ash") => {
                self.shell(image, &arguments[1..])
            }
            "node" | "nodejs" => {
                self.node(path, &arguments);
                None
            }
            _ => {
                let before = self.runs.clone();
                let next = self.wrapped(image, name, &arguments);
                if next.is_none() && self.runs == before {
                    self.runs = Runs::Program(path.to_owned());
                }
                next
            }
        }
    }
}

fn is_interpreter(path: &str) -> bool {
    let name = path.rsplit('/').next().unwrap_or_default();
    ["python", "node", "sh", "bash", "dash"].iter().any(|known| name.starts_with(known))
}

/// Libraries that a program needs and that are not where its loader looks, with the file that needs them.
fn missing_libraries(
    tree: &Tree,
    entry: &Entry<'_>,
    elf: &Elf,
    library_path: Option<&String>,
) -> Vec<(String, String)> {
    let mut missing = Vec::new();
    let mut waiting = vec![(entry.path().to_owned(), elf.clone())];
    let mut seen = std::collections::BTreeSet::new();
    let configured = configured_directories(tree, elf.machine);
    while let Some((path, elf)) = waiting.pop() {
        let origin = path.rsplit_once('/').map_or("", |(directory, _)| directory).to_owned();
        for needed in &elf.needed {
            if !seen.insert(needed.clone()) || seen.len() > LIBRARIES {
                continue;
            }
            let own = elf
                .run_path
                .iter()
                .map(|path| path.replace("$ORIGIN", &origin).replace("${ORIGIN}", &origin));
            let given = library_path.map(String::as_str).unwrap_or_default().split(':').map(str::to_owned);
            let directories =
                own.chain(given).chain(configured.iter().cloned()).filter(|path| path.starts_with('/'));
            let found =
                directories.into_iter().find_map(|directory| tree.lookup(&format!("{directory}/{needed}")));
            match found {
                Some(library) => {
                    if let Some(elf) = Elf::of(tree, &library) {
                        waiting.push((library.path().to_owned(), elf));
                    }
                }
                // The loader itself, and what it brings along, are named with paths or by it.
                None if needed.starts_with("ld-") || needed.contains('/') => {}
                None => missing.push((needed.clone(), path.clone())),
            }
        }
    }
    missing
}

/// Where the loaders of glibc and musl look, with what the image configures.
fn configured_directories(tree: &Tree, machine: Option<Machine>) -> Vec<String> {
    let mut directories: Vec<String> =
        ["/lib64", "/usr/lib64", "/lib", "/usr/lib", "/usr/local/lib", "/usr/local/lib64"]
            .map(str::to_owned)
            .to_vec();
    if let Some(machine) = machine {
        for prefix in ["/lib", "/usr/lib", "/usr/local/lib"] {
            directories.push(format!("{prefix}/{}-linux-gnu", machine.name()));
        }
    }
    let mut files = vec!["/etc/ld.so.conf".to_owned()];
    files.extend(tree.children("/etc/ld.so.conf.d").iter().map(|entry| entry.path().to_owned()));
    for name in ["aarch64", "x86_64"] {
        files.push(format!("/etc/ld-musl-{name}.path"));
    }
    for file in files {
        let text = tree.read(&file, 1 << 16).unwrap_or_default();
        let text = String::from_utf8_lossy(&text).into_owned();
        directories.extend(
            text.split([':', '\n']).map(str::trim).filter(|line| line.starts_with('/')).map(str::to_owned),
        );
    }
    directories
}

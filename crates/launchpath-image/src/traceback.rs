//! Finds tracebacks in what a process printed.
//!
//! Python prints them frame by frame with the exception last; Node, Java, Go, .NET and Ruby print the error first. Log services split them into
//! one event per line and put prefixes before each line, so the reader works on joined lines and strips a prefix that
//! repeats. The text is hostile: it is only cut, never interpreted.

mod dotnet;
mod go;
mod java;
mod ruby;
mod variable;

/// The language whose traceback it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Language {
    /// Python.
    Python,
    /// Node.js.
    Node,
    /// Java, and what else runs on its machine.
    Java,
    /// Go.
    Go,
    /// .NET.
    DotNet,
    /// Ruby.
    Ruby,
}

/// One frame, as printed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Frame {
    /// The file.
    pub file: String,
    /// The line, from 1.
    pub line: u32,
}

/// One traceback.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Traceback {
    /// Its language.
    pub language: Language,
    /// Frames, outermost first.
    pub frames: Vec<Frame>,
    /// The exception's class, for example `ModuleNotFoundError`; for a start error that the interpreter or the server prints
    /// in one line of its own, the class it stands for.
    pub exception: String,
    /// The exception's message.
    pub message: String,
    /// The traceback as printed, without the log's prefixes; its direct cause before it.
    pub text: String,
    /// The exception it was raised from (`raise … from …`).
    pub cause: Option<Box<Traceback>>,
}

impl Traceback {
    /// The exception line, `ModuleNotFoundError: No module named 'x'`.
    pub fn headline(&self) -> String {
        if self.message.is_empty() {
            self.exception.clone()
        } else {
            format!("{}: {}", self.exception, cut(&self.message))
        }
    }

    /// Where it was raised: the innermost frame of the agent's own code, of installed code where there is none of that, and of what
    /// the interpreter carries in itself (`<frozen os>`) only where there is nothing else.
    pub fn place(&self) -> Option<&Frame> {
        let is_file = |frame: &&Frame| !frame.file.starts_with('<');
        let is_own =
            |frame: &&Frame| is_file(frame) && !INSTALLED.iter().any(|part| frame.file.contains(part));
        let innermost = || self.frames.iter().rev();
        innermost().find(is_own).or_else(|| innermost().find(is_file)).or(self.frames.last())
    }
}

/// Parts of paths below which nobody keeps code of their own.
const INSTALLED: &[&str] = &["/site-packages/", "/dist-packages/", "/node_modules/", "/lib/python3", "node:"];

/// Longest line kept, in characters: a message may be a whole document.
const MAX_LINE: usize = 500;

/// No more of a line than a reader can use.
fn cut(line: &str) -> String {
    match line.char_indices().nth(MAX_LINE) {
        Some((at, _)) => format!("{}…", &line[..at]),
        None => line.to_owned(),
    }
}

const PYTHON_START: &str = "Traceback (most recent call last):";
const RAISED_FROM: &str = "The above exception was the direct cause of the following exception:";
/// Longest traceback kept, in lines; deeper ones keep their beginning and the exception.
const MAX_LINES: usize = 400;

/// Every traceback in `text`, in order; a start error printed in one line without frames counts too.
///
/// Of exceptions raised from one another the last is found, with the others as its cause.
pub fn find(text: &str) -> Vec<Traceback> {
    let lines: Vec<&str> = text.lines().collect();
    let mut found: Vec<Traceback> = Vec::new();
    let mut cause: Option<Traceback> = None;
    let mut at = 0;
    while at < lines.len() {
        if let Some(column) = lines[at].find(PYTHON_START) {
            let (traceback, next) = python(&lines, at, &lines[at][..column]);
            let cause = cause.take();
            found.extend(match traceback {
                Some(traceback) => Some(caused_by(traceback, cause)),
                None => cause,
            });
            at = next;
        } else if lines[at].contains(RAISED_FROM) {
            found.extend(cause.take());
            cause = found.pop();
            at += 1;
        } else if let Some((traceback, next)) = node(&lines, at)
            .or_else(|| java::read(&lines, at))
            .or_else(|| go::read(&lines, at))
            .or_else(|| dotnet::read(&lines, at))
            .or_else(|| ruby::read(&lines, at))
        {
            found.push(traceback);
            at = next;
        } else {
            found.extend(bare_start_error(lines[at]));
            at += 1;
        }
    }
    found.extend(cause);
    found
}

fn caused_by(mut traceback: Traceback, cause: Option<Traceback>) -> Traceback {
    if let Some(cause) = cause {
        traceback.text = format!("{}\n\n{RAISED_FROM}\n\n{}", cause.text, traceback.text);
        traceback.cause = Some(Box::new(cause));
    }
    traceback
}

/// Whether the process died at its start of `traceback`, the last one in `text`.
///
/// It did not when a server listened before (then a request failed) or after (then the error was caught), or when the log
/// goes on for more than the few lines that loggers and servers add on their way out.
pub fn ended_the_start(text: &str, traceback: &Traceback) -> bool {
    // A line that was cut is found by its beginning; the rest of it is no later line.
    let last = traceback.text.lines().last().unwrap_or_default().trim_end_matches('…');
    let (before, after) = text.rsplit_once(last).unwrap_or((text, ""));
    let after = after.split_once('\n').map_or("", |(_, after)| after);
    let before = match traceback.language {
        Language::Python => before.rsplit_once(PYTHON_START).map_or(before, |(before, _)| before),
        Language::Node | Language::Java | Language::Go | Language::DotNet | Language::Ruby => before,
    };
    let lines_after = after.lines().filter(|line| !line.trim().is_empty()).count();
    !shows_life(before) && !shows_life(after) && lines_after <= LINES_AFTER_THE_END
}

/// Whether a log shows a server that listens or answers.
pub fn shows_life(text: &str) -> bool {
    let text = text.to_lowercase();
    SIGNS_OF_LIFE.iter().any(|sign| text.contains(sign))
}

/// Lines after a traceback within which it still counts as the end: loggers and servers add a few.
const LINES_AFTER_THE_END: usize = 5;

/// What servers print once they listen, and what they print for a request; lower case.
const SIGNS_OF_LIFE: &[&str] = &[
    "running on http",
    "application startup complete",
    "listening",
    "get /ping",
    "post /invocations",
    "invocation completed",
    "http/1.1\" 200",
];

fn python(lines: &[&str], start: usize, prefix: &str) -> (Option<Traceback>, usize) {
    let mut frames = Vec::new();
    let mut text = vec![PYTHON_START.to_owned()];
    let mut at = start + 1;
    while at < lines.len() {
        let line = lines[at].strip_prefix(prefix).unwrap_or(lines[at]);
        at += 1;
        if line.trim().is_empty() {
            continue;
        }
        if text.len() < MAX_LINES {
            text.push(cut(line));
        }
        if line.starts_with([' ', '\t']) {
            frames.extend(python_frame(line));
            continue;
        }
        let Some((exception, message)) = exception_line(line) else {
            return (None, at);
        };
        if message.contains(" validation error") {
            let more = validation_errors(&lines[at..], prefix);
            at += more.len();
            text.extend(more);
        }
        let text = text.join("\n");
        let traceback =
            Traceback { language: Language::Python, frames, exception, message, text, cause: None };
        return (Some(traceback), at);
    }
    (None, at)
}

/// The fields that pydantic lists below its message: a name, then indented lines.
fn validation_errors(lines: &[&str], prefix: &str) -> Vec<String> {
    let lines: Vec<&str> = lines.iter().map(|line| line.strip_prefix(prefix).unwrap_or(line)).collect();
    let indented = |line: Option<&&str>| line.is_some_and(|line| line.starts_with(' '));
    let belongs = |at: usize| indented(lines.get(at)) || indented(lines.get(at + 1));
    (0..lines.len().min(MAX_LINES))
        .take_while(|at| !lines[*at].trim().is_empty() && belongs(*at))
        .map(|at| lines[at].to_owned())
        .collect()
}

fn python_frame(line: &str) -> Option<Frame> {
    let rest = line.trim_start().strip_prefix("File \"")?;
    let (file, rest) = rest.split_once("\", line ")?;
    let digits: String = rest.chars().take_while(char::is_ascii_digit).collect();
    Some(Frame { file: file.to_owned(), line: digits.parse().ok()? })
}

/// `pkg.SomeError: message`, or `SomeError` alone.
fn exception_line(line: &str) -> Option<(String, String)> {
    let (name, message) = line.split_once(':').unwrap_or((line, ""));
    let name = name.trim();
    let is_name = !name.is_empty()
        && name.chars().all(|c| c.is_ascii_alphanumeric() || c == '_' || c == '.')
        && name.rsplit('.').next().is_some_and(|last| last.starts_with(|c: char| c.is_ascii_uppercase()));
    is_name.then(|| (name.to_owned(), message.trim().to_owned()))
}

/// A start error printed in one line: by a launcher, by the interpreter, by a server that loads the application.
fn bare_start_error(line: &str) -> Option<Traceback> {
    let (exception, message) = bare_import_error(line)
        .or_else(|| interpreter_error(line))
        .or_else(|| server_error(line))
        .or_else(|| launcher_error(line))?;
    let text = cut(line.trim());
    Some(Traceback {
        language: Language::Python,
        frames: Vec::new(),
        exception: exception.to_owned(),
        message,
        text,
        cause: None,
    })
}

fn bare_import_error(line: &str) -> Option<(&'static str, String)> {
    for exception in ["ModuleNotFoundError", "ImportError"] {
        let Some((before, rest)) = line.split_once(exception) else { continue };
        let Some(message) = rest.strip_prefix(": ") else { continue };
        // A warning that quotes an import error was written by code that lives on.
        let before = before.to_lowercase();
        if ["warn", "info", "debug"].iter().any(|level| before.contains(level)) {
            continue;
        }
        return Some((exception, message.trim().to_owned()));
    }
    None
}

/// `python: can't open file '/app/main.py': [Errno 2] …`, `/usr/bin/python3: No module named agent`.
fn interpreter_error(line: &str) -> Option<(&'static str, String)> {
    let (program, rest) = line.split_once(": ")?;
    let program = program.rsplit(['/', ' ']).next()?;
    if !program.starts_with("python") {
        return None;
    }
    if let Some(rest) = rest.strip_prefix("can't open file '") {
        let (path, why) = rest.split_once("': ")?;
        return match why.split(']').next() {
            Some("[Errno 2") => {
                Some(("FileNotFoundError", format!("[Errno 2] No such file or directory: '{path}'")))
            }
            Some("[Errno 13") => Some(("PermissionError", format!("[Errno 13] Permission denied: '{path}'"))),
            _ => None,
        };
    }
    let module = rest.strip_prefix("No module named ")?.trim().trim_matches('\'');
    Some(("ModuleNotFoundError", format!("No module named '{module}'")))
}

/// uvicorn: `Error loading ASGI app. Could not import module "main".`
fn server_error(line: &str) -> Option<(&'static str, String)> {
    let (_, rest) = line.split_once("Could not import module \"")?;
    let (module, _) = rest.split_once('"')?;
    Some(("ModuleNotFoundError", format!("No module named '{module}'")))
}

/// The class that stands for a program which could not be run; no interpreter prints it.
pub const EXEC_ERROR: &str = "ExecError";

/// `exec: "serve": executable file not found in $PATH`, `exec /app/run.sh: no such file or directory`,
/// `/var/task/bin/x: /opt/build/.venv/bin/python3: bad interpreter: No such file or directory`.
fn launcher_error(line: &str) -> Option<(&'static str, String)> {
    let from = line.find("exec ").into_iter().chain(line.find("exec: ")).min();
    let of_exec = from.map(|at| &line[at..]).filter(|rest| {
        let rest = rest.to_lowercase();
        rest.contains("executable file not found") || rest.trim_end().ends_with(": no such file or directory")
    });
    let message = of_exec.or_else(|| line.contains(": bad interpreter: ").then_some(line))?;
    Some((EXEC_ERROR, cut(message.trim())))
}

/// Node: `Error: message` (or `TypeError [CODE]: …`), perhaps a require stack, then `    at …` lines, then the error's members.
fn node(lines: &[&str], start: usize) -> Option<(Traceback, usize)> {
    let line = lines[start].trim_start_matches("Uncaught ").trim();
    let (name, message) = line.split_once(": ")?;
    let class = name.split(' ').next().unwrap_or(name);
    if !class.ends_with("Error") || !class.chars().all(|c| c.is_ascii_alphanumeric() || c == '_') {
        return None;
    }
    let mut text = vec![cut(line)];
    let mut at = start + 1;
    let is_stack = |line: &&str| line.starts_with("Require stack:") || line.starts_with("- ");
    while lines.get(at).is_some_and(is_stack) {
        at += 1;
    }
    text.extend(lines[start + 1..at].iter().map(|line| (*line).to_owned()));
    if !lines.get(at).is_some_and(|next| next.starts_with(' ') && next.trim_start().starts_with("at ")) {
        return None;
    }
    let mut frames = Vec::new();
    while at < lines.len() && lines[at].trim_start().starts_with("at ") {
        if text.len() < MAX_LINES {
            text.push(lines[at].to_owned());
        }
        frames.extend(node_frame(lines[at]));
        at += 1;
    }
    frames.reverse();
    let members = if text.last().is_some_and(|line| line.ends_with(" {")) {
        lines[at..].iter().take(MAX_LINES).position(|line| *line == "}").map_or(0, |end| end + 1)
    } else {
        0
    };
    text.extend(lines[at..at + members].iter().map(|line| (*line).to_owned()));
    let traceback = Traceback {
        language: Language::Node,
        frames,
        exception: class.to_owned(),
        message: message.to_owned(),
        text: text.join("\n"),
        cause: None,
    };
    Some((traceback, at + members))
}

fn node_frame(line: &str) -> Option<Frame> {
    let place = line.trim().trim_end_matches(" {").trim_start_matches("at ").trim_end_matches(')');
    let place = place.rsplit_once('(').map_or(place, |(_, inside)| inside);
    let (rest, _column) = place.rsplit_once(':')?;
    let (file, line) = rest.rsplit_once(':')?;
    Some(Frame { file: file.trim_start_matches("file://").to_owned(), line: line.parse().ok()? })
}

#[cfg(test)]
mod long_lines {
    use super::{ended_the_start, find};

    #[test]
    fn a_message_of_half_a_megabyte_is_cut_and_still_ends_the_start() {
        let log = format!(
            "Traceback (most recent call last):\n  File \"/app/main.py\", line 1, in <module>\nValueError: {}\n",
            "x".repeat(500_000)
        );
        let traceback = find(&log).pop().expect("a traceback");
        assert!(traceback.headline().chars().count() < 600);
        assert!(traceback.text.len() < 1_000);
        assert!(ended_the_start(&log, &traceback));
        assert!(!ended_the_start(&format!("{log}Uvicorn running on http://0.0.0.0:8080\n"), &traceback));
    }
}

#[cfg(test)]
mod tests {
    use super::{Language, ended_the_start, find};

    const INCIDENT: &str = "INFO: starting\nTraceback (most recent call last):\n  File \"/app/main.py\", line 3, in <module>\n    from src.graph import build\n  File \"/app/src/graph.py\", line 7, in <module>\n    from langchain.callbacks import get_openai_callback\nModuleNotFoundError: No module named 'langchain.callbacks'\n";

    #[test]
    fn a_python_traceback_is_read_whole() {
        let found = find(INCIDENT);
        assert_eq!(found.len(), 1);
        assert_eq!(found[0].headline(), "ModuleNotFoundError: No module named 'langchain.callbacks'");
        assert_eq!(found[0].frames[1].file, "/app/src/graph.py");
        assert_eq!(found[0].frames[1].line, 7);
        assert!(found[0].text.starts_with("Traceback"));
    }

    #[test]
    fn a_prefix_on_every_line_is_stripped() {
        let prefixed: String = INCIDENT.lines().map(|line| format!("2025-10-18 app[1]: {line}\n")).collect();
        assert_eq!(find(&prefixed)[0].frames.len(), 2);
    }

    #[test]
    fn a_node_error_is_read() {
        let text = "Error: Cannot find module 'express'\n    at Module._load (node:internal/modules/cjs/loader:1225:15)\n    at Object.<anonymous> (/app/server.js:1:17)\n";
        let found = find(text);
        assert_eq!(found[0].language, Language::Node);
        assert_eq!(found[0].frames[0].file, "/app/server.js");
    }

    #[test]
    fn a_program_that_could_not_be_run_is_read() {
        for (text, message) in [
            ("exec: \"serve\": executable file not found in $PATH", Some("executable file not found")),
            ("exec /app/run.sh: no such file or directory", Some("/app/run.sh")),
            (
                "/var/task/bin/x: /opt/build/bin/python3: bad interpreter: No such file or directory",
                Some("bad interpreter"),
            ),
            ("the exec summary: no such luck", None),
            ("docker exec failed", None),
        ] {
            let found = find(text);
            let read = found
                .first()
                .map(|one| (one.exception.as_str(), one.message.contains(message.unwrap_or("-"))));
            assert_eq!(read, message.map(|_| (super::EXEC_ERROR, true)), "{text}");
        }
    }

    #[test]
    fn a_bare_import_error_counts_and_prose_does_not() {
        assert_eq!(find("x ModuleNotFoundError: No module named 'a'").len(), 1);
        assert!(find("an Error: somewhere\nall is well").is_empty());
        assert!(find("Traceback (most recent call last):\n  File \"x\"").is_empty());
    }

    #[test]
    fn a_warning_that_quotes_an_import_error_is_none() {
        assert!(find("WARNING:cache:off (ModuleNotFoundError: No module named 'redis')").is_empty());
    }

    #[test]
    fn the_interpreter_and_the_server_speak_in_one_line() {
        let headline = |line: &str| find(line).first().map(super::Traceback::headline);
        assert_eq!(
            headline("python: can't open file '/app/main.py': [Errno 2] No such file or directory")
                .as_deref(),
            Some("FileNotFoundError: [Errno 2] No such file or directory: '/app/main.py'")
        );
        assert_eq!(
            headline("/usr/local/bin/python3: No module named agent").as_deref(),
            Some("ModuleNotFoundError: No module named 'agent'")
        );
        assert_eq!(
            headline("ERROR:    Error loading ASGI app. Could not import module \"main\".").as_deref(),
            Some("ModuleNotFoundError: No module named 'main'")
        );
        assert_eq!(headline("a story: No module named so"), None);
    }

    #[test]
    fn an_exception_raised_from_another_keeps_it_as_its_cause() {
        let text = format!(
            "{INCIDENT}\nThe above exception was the direct cause of the following exception:\n\nTraceback (most recent call last):\n  File \"/app/main.py\", line 9, in <module>\n    load()\nRuntimeError: cannot load the graph\n"
        );
        let found = find(&text);
        assert_eq!(found.len(), 1);
        assert_eq!(found[0].exception, "RuntimeError");
        assert_eq!(found[0].cause.as_ref().map(|c| c.exception.as_str()), Some("ModuleNotFoundError"));
        assert!(found[0].text.contains("langchain.callbacks") && found[0].text.ends_with("the graph"));
    }

    #[test]
    fn the_fields_of_a_validation_error_belong_to_it() {
        let text = "Traceback (most recent call last):\n  File \"/app/main.py\", line 3, in <module>\n    s = Settings()\npydantic_core._pydantic_core.ValidationError: 2 validation errors for Settings\nDATABASE_URL\n  Field required [type=missing, input_value={}, input_type=dict]\n    For further information visit https://errors.pydantic.dev/2.11/v/missing\nAPI_KEY\n  Field required [type=missing, input_value={}, input_type=dict]\n    For further information visit https://errors.pydantic.dev/2.11/v/missing\nbye\n";
        let found = find(text);
        assert!(found[0].text.contains("API_KEY") && !found[0].text.contains("bye"), "{}", found[0].text);
        assert!(ended_the_start(text, &found[0]));
    }

    #[test]
    fn a_node_error_has_a_require_stack_and_members() {
        let text = "node:internal/modules/cjs/loader:1148\n  throw err;\n  ^\n\nError: Cannot find module 'express'\nRequire stack:\n- /app/server.js\n    at Module._resolveFilename (node:internal/modules/cjs/loader:1145:15)\n    at Object.<anonymous> (/app/server.js:1:17) {\n  code: 'MODULE_NOT_FOUND',\n  requireStack: [\n    '/app/server.js'\n  ]\n}\n\nNode.js v22.3.0\n";
        let found = find(text);
        assert_eq!(found.len(), 1);
        assert_eq!(found[0].frames[0].file, "/app/server.js");
        assert!(ended_the_start(text, &found[0]));
    }

    #[test]
    fn a_java_exception_is_read_with_its_cause() {
        let text = "starting\nException in thread \"main\" java.lang.IllegalStateException: cannot start\n\tat com.acme.Agent.main(Agent.java:21)\nCaused by: java.io.FileNotFoundException: /etc/agent.yml (No such file or directory)\n\tat java.base/java.io.FileInputStream.open0(Native Method)\n\tat com.acme.Config.load(Config.java:9)\n\t... 1 more\nbye\n";
        let found = find(text);
        assert_eq!(found.len(), 1, "{found:?}");
        assert_eq!(found[0].language, Language::Java);
        assert_eq!(found[0].headline(), "java.lang.IllegalStateException: cannot start");
        let cause = found[0].cause.as_ref().unwrap();
        assert_eq!(cause.exception, "java.io.FileNotFoundException");
        assert_eq!((cause.frames[0].file.as_str(), cause.frames[0].line), ("Config.java", 9));
        assert!(found[0].text.contains("Caused by") && !found[0].text.contains("bye"));
        assert!(ended_the_start(text, &found[0]));
        // A logger's line without frames, and prose, are none.
        assert!(find("java.io.IOException: closed\nall is well\n").is_empty());
        assert!(find("see java.lang.Error: no\n\tat home\n").is_empty());
    }

    #[test]
    fn a_go_panic_is_read() {
        let text = "2026/11/25 starting\npanic: open /etc/agent.yml: no such file or directory\n\ngoroutine 1 [running]:\nmain.load(...)\n\t/app/config.go:14\nmain.main()\n\t/app/main.go:9 +0x1d\n\ngoroutine 7 [chan receive]:\nmain.wait()\n\t/app/wait.go:3 +0x25\nexit status 2\n";
        let found = find(text);
        assert_eq!(found.len(), 1, "{found:?}");
        assert_eq!(found[0].language, Language::Go);
        assert_eq!(found[0].headline(), "panic: open /etc/agent.yml: no such file or directory");
        let places: Vec<(&str, u32)> =
            found[0].frames.iter().map(|frame| (frame.file.as_str(), frame.line)).collect();
        assert_eq!(places, [("/app/main.go", 9), ("/app/config.go", 14)]);
        assert!(ended_the_start(text, &found[0]));
        assert!(find("don't panic: it is only a drill\nall is well\n").is_empty());
    }

    #[test]
    fn a_death_at_start_is_told_from_what_the_process_survives() {
        let ended = |text: &str| ended_the_start(text, find(text).last().unwrap());
        assert!(ended(INCIDENT));
        assert!(ended(&format!("{INCIDENT}[INFO] Worker exiting (pid: 7)\n[INFO] Shutting down: Master\n")));
        assert!(!ended(&format!("{INCIDENT}INFO: Uvicorn running on http://0.0.0.0:8080\n")));
        assert!(!ended(&format!("INFO: Uvicorn running on http://0.0.0.0:8080\n{INCIDENT}")));
        assert!(!ended(&format!("{INCIDENT}{}", "step done\n".repeat(9))));
    }
}

//! `starts` and `stays_up`.

use launchpath_image::traceback::{self, Traceback};

use super::suspect::{network_advice, out_of_reach, speaks_of_network};
use super::{Ruling, seconds};
use crate::contract::clause::{Clause, Judged, Reason, State};
use crate::contract::observation::{Ended, Observations};
use crate::contract::terms::{Speed, Terms};
use crate::subject::{Ending, StartFailure};

/// How a process ended, in words.
pub fn ending(how: &Ending) -> String {
    match how {
        Ending::Code(code) => exit(*code),
        Ending::Signal(number) => format!("ended by {}", signal(*number)),
        Ending::NotStarted(failure) => start_failure(failure).1,
    }
}

pub(super) fn starts(seen: &Observations) -> Judged {
    let ruling = Ruling::on(Clause::Starts, "the image's command starts");
    match &seen.exit {
        Some(exit) => match &exit.how {
            Ending::NotStarted(failure) => {
                let (reason, note, advice) = {
                    let (reason, note) = start_failure(failure);
                    (reason, note, start_advice(failure))
                };
                let judged = match reason {
                    Some(reason) => ruling.broken(reason, note),
                    None => ruling.unknown(None, note),
                };
                judged.advise(advice).at(exit.at)
            }
            _ => ruling.held("it started"),
        },
        None => ruling.held("it started"),
    }
}

fn start_failure(failure: &StartFailure) -> (Option<Reason>, String) {
    match failure {
        StartFailure::NoCommand => {
            (Some(Reason::NoCommand), "the image names neither an entry point nor a command".to_owned())
        }
        StartFailure::NotFound(program) => {
            (Some(Reason::ExecutableMissing), format!("{program} is not in the image"))
        }
        StartFailure::InterpreterMissing { program, interpreter } => (
            Some(Reason::InterpreterMissing),
            format!(
                "{} needs {}, which is not in the image",
                program.escape_debug(),
                interpreter.escape_debug()
            ),
        ),
        StartFailure::PermissionDenied(path) => {
            (Some(Reason::PermissionDenied), format!("the image's user may not execute {path}"))
        }
        StartFailure::ExecFormat(program) => (
            Some(Reason::ExecFormatError),
            format!("exec format error: {program} is for another architecture, or no program at all"),
        ),
        StartFailure::OtherMachine { program, architecture } => (
            Some(Reason::ExecFormatError),
            format!(
                "exec format error: {program} is a program for {architecture}, which this machine does not run"
            ),
        ),
        StartFailure::UnknownUser(user) => (
            Some(Reason::UnknownUser),
            format!("the image's user {user} is not in its /etc/passwd or /etc/group"),
        ),
        StartFailure::WorkingDirectory(path) => {
            (Some(Reason::WorkingDirectory), format!("the working directory {path} cannot be entered"))
        }
        StartFailure::Other(why) => (None, format!("it could not be started here: {why}")),
    }
}

fn start_advice(failure: &StartFailure) -> String {
    match failure {
        StartFailure::NoCommand => "give the image an ENTRYPOINT or a CMD".to_owned(),
        StartFailure::NotFound(program) => {
            format!("install {program} in the image, or correct ENTRYPOINT or CMD; PATH is searched as the image sets it")
        }
        StartFailure::InterpreterMissing { interpreter, .. } if interpreter.ends_with('\r') => {
            "the script has the line ends of Windows: save it with those of Unix (git: text eol=lf)".to_owned()
        }
        StartFailure::InterpreterMissing { interpreter, .. } => {
            format!("put {} into the image, or start with one that is there", interpreter.escape_debug())
        }
        StartFailure::PermissionDenied(path) => {
            format!("make {path} executable, and its folders open, for the image's USER")
        }
        StartFailure::ExecFormat(_) => {
            "build for linux/arm64 (docker buildx build --platform linux/arm64), and give scripts a first line that names their interpreter".to_owned()
        }
        StartFailure::OtherMachine { architecture, .. } if architecture == "arm64" => {
            "build the image as a whole for linux/arm64 (docker buildx build --platform linux/arm64): its documents name another platform than its program"
                .to_owned()
        }
        StartFailure::OtherMachine { program, .. } => {
            format!("build or install {program} for linux/arm64 (docker buildx build --platform linux/arm64)")
        }
        StartFailure::UnknownUser(_) => "name a user that exists, or a number, in USER".to_owned(),
        StartFailure::WorkingDirectory(_) => "create the WORKDIR and let the image's USER enter it".to_owned(),
        StartFailure::Other(_) => "see whether the image starts with --backend engine".to_owned(),
    }
}

pub(super) fn stays_up(terms: &Terms, seen: &Observations) -> Judged {
    let ruling = Ruling::on(Clause::StaysUp, "the process stays up");
    let Some(exit) = &seen.exit else {
        return if seen.ended == Ended::Not && seen.busy.is_none() && seen.health.is_empty() {
            ruling.unknown(None, "it was not watched to an end")
        } else {
            ruling.held("it ran until it was stopped")
        };
    };
    let after = seconds(exit.at);
    let judged = match &exit.how {
        Ending::NotStarted(_) => return ruling.not_reached("it never started"),
        Ending::Signal(9) if seen.usage.out_of_memory > 0 => ruling
            .broken(Reason::OutOfMemory, format!("killed after {after}: out of memory{}", peak(seen)))
            .advise("a session has 8 GB by default: load less at start, or ask for more memory"),
        Ending::Code(137) if seen.usage.out_of_memory > 0 => ruling
            .broken(
                Reason::OutOfMemory,
                format!("exited with code 137 after {after}: out of memory{}", peak(seen)),
            )
            .advise("a session has 8 GB by default: load less at start, or ask for more memory"),
        how if seen.usage.process_limit_met => ruling
            .broken(
                Reason::ProcessLimit,
                format!("{} after {after}, having met the limit of processes", ending(how)),
            )
            .advise("start fewer processes and threads"),
        how if terms.speed == Speed::Emulated && may_be_the_emulator(how) => {
            let note =
                format!("{} after {after}; under emulation that may be the emulator's fault", ending(how));
            ruling
                .unknown(Some(reason_of(how)), note)
                .advise("rehearse it on a machine of its own architecture")
        }
        Ending::Signal(number) => ruling
            .broken(
                Reason::Signalled,
                format!("ended by {} after {after}{}", signal(*number), last_words(seen)),
            )
            .advise(signal_advice(*number)),
        Ending::Code(code) => exited(ruling, terms, seen, *code),
    };
    judged.at(exit.at)
}

fn exited(ruling: Ruling, terms: &Terms, seen: &Observations, code: i32) -> Judged {
    let at = seen.exit.as_ref().map(|exit| exit.at).unwrap_or_default();
    let when = match (seen.first_healthy, &seen.busy) {
        (_, Some(busy)) if at >= busy.from => ", during or after the first request",
        (Some(_), _) => ", after it had been healthy",
        (None, _) => "",
    };
    let note = format!("{} after {}{when}{}", exit(code), seconds(at), last_words(seen));
    let traceback = traceback::find(&seen.output).pop();
    let by_network = match &traceback {
        Some(traceback) => speaks_of_network(&traceback.headline()) || speaks_of_network(&traceback.text),
        None => seen.output.trim().is_empty() || speaks_of_network(&seen.output),
    };
    let unseen =
        || (seen.attempts.is_none() && speaks_of_network(&seen.output)).then(|| "the network".to_owned());
    if let Some(targets) = out_of_reach(terms, seen, at).or_else(unseen).filter(|_| by_network) {
        let note = format!(
            "{note}; before that it tried to reach {targets}, which is out of reach in this rehearsal"
        );
        return ruling.unknown(Some(Reason::Exited), note).advise(network_advice(terms));
    }
    ruling.broken(Reason::Exited, note).advise(exit_advice(traceback.as_ref(), code))
}

fn exit_advice(traceback: Option<&Traceback>, code: i32) -> String {
    let missing = traceback.and_then(Traceback::missing_variable);
    match (traceback, missing, signal_of(code)) {
        (_, Some(name), _) => {
            format!("set {name} on the runtime (here: --env {name}=VALUE), or give it a default in the code")
        }
        (Some(_), None, _) => "mend what the traceback in its output says".to_owned(),
        (None, _, Some(number)) => signal_advice(number).to_owned(),
        (None, ..) if code == 0 => {
            "the command must be a server that stays in the foreground; this one finished its work".to_owned()
        }
        (None, ..) => "its output below says why, or run its command in a shell of the image".to_owned(),
    }
}

/// Emulators crash on their own now and then.
fn may_be_the_emulator(how: &Ending) -> bool {
    let number = match how {
        Ending::Signal(number) => Some(*number),
        Ending::Code(code) => signal_of(*code),
        Ending::NotStarted(_) => None,
    };
    matches!(number, Some(4 | 5 | 7 | 11))
}

fn reason_of(how: &Ending) -> Reason {
    if matches!(how, Ending::Code(_)) { Reason::Exited } else { Reason::Signalled }
}

/// The headline of the last traceback, or the last line printed.
fn last_words(seen: &Observations) -> String {
    if let Some(traceback) = traceback::find(&seen.output).pop() {
        return format!(": {}", short(&traceback.headline()));
    }
    match seen.output.lines().map(str::trim).rfind(|line| !line.is_empty()) {
        Some(line) => format!("; its last line is {:?}", short(line)),
        None => ", having printed nothing".to_owned(),
    }
}

fn short(text: &str) -> String {
    let cut: String = text.chars().take(240).collect();
    if cut.len() < text.len() { format!("{cut}…") } else { cut }
}

fn peak(seen: &Observations) -> String {
    seen.usage
        .peak_memory
        .map(|bytes| format!(" (it used {} MiB)", bytes / (1024 * 1024)))
        .unwrap_or_default()
}

/// Limits that killed a child, or kept one from starting, explain what broke later; of a process that works they are a
/// remark.
pub(super) fn attribute_limits(clauses: &mut [Judged], seen: &Observations) {
    let went_wrong = clauses.iter().any(|judged| matches!(judged.state, State::Broken | State::Unknown));
    let Some(stays_up) = clauses.iter_mut().find(|judged| judged.clause == Clause::StaysUp) else { return };
    if stays_up.state != State::Held {
        return;
    }
    let (reason, note) = if seen.usage.out_of_memory > 0 {
        (Reason::OutOfMemory, format!("the memory limit killed a process of it{}", peak(seen)))
    } else if seen.usage.process_limit_met {
        (Reason::ProcessLimit, "it met the limit of processes".to_owned())
    } else {
        return;
    };
    stays_up.reason = Some(reason);
    stays_up.note = note;
    if went_wrong {
        stays_up.state = State::Broken;
        stays_up.advice = Some(match reason {
            Reason::OutOfMemory => {
                "a session has 8 GB by default: load less at start, or ask for more memory".to_owned()
            }
            _ => "start fewer processes and threads".to_owned(),
        });
    }
}

/// The signal that an exit code stands for: a shell exits with 128 and the number of what ended the program it ran.
fn signal_of(code: i32) -> Option<i32> {
    code.checked_sub(128).filter(|number| matches!(number, 4..=9 | 11 | 15))
}

/// An exit in words.
fn exit(code: i32) -> String {
    match signal_of(code) {
        Some(number) => format!("exited with code {code}, as a shell does for {}", signal(number)),
        None => format!("exited with code {code}"),
    }
}

fn signal_advice(number: i32) -> &'static str {
    match number {
        4 => {
            "a native library uses instructions that this processor does not have: install a build for a plain one"
        }
        // The kernel keeps SIGABRT from a process 1, and abort() then ends itself otherwise.
        5..=8 | 11 => {
            "a native library or the interpreter crashed, or called abort() (as process 1 that shows as SIGSEGV): install \
             releases built for this interpreter and platform; PYTHONFAULTHANDLER=1 makes Python print where"
        }
        _ => "see what in the image ends it: its start script, or a supervisor that gives up",
    }
}

fn signal(number: i32) -> String {
    let name = match number {
        1 => "SIGHUP",
        2 => "SIGINT",
        3 => "SIGQUIT",
        4 => "SIGILL",
        5 => "SIGTRAP",
        6 => "SIGABRT",
        7 => "SIGBUS",
        8 => "SIGFPE",
        9 => "SIGKILL",
        11 => "SIGSEGV",
        13 => "SIGPIPE",
        15 => "SIGTERM",
        31 => "SIGSYS",
        other => return format!("signal {other}"),
    };
    format!("signal {number} ({name})")
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::{ending, stays_up};
    use crate::contract::clause::{Judged, Reason, State};
    use crate::contract::observation::Observations;
    use crate::contract::protocol::Protocol;
    use crate::contract::terms::{Artifact, Speed, Terms};
    use crate::subject::{Ending, Exit};

    fn judged(how: Ending, speed: Speed, output: &str) -> Judged {
        let mut terms = Terms::of(Protocol::Http, Artifact::Container, "a-session");
        terms.speed = speed;
        let exit = Some(Exit { at: Duration::from_millis(40), how });
        stays_up(&terms, &Observations { exit, output: output.to_owned(), ..Observations::default() })
    }

    #[test]
    fn a_crash_is_one_with_and_without_a_shell_and_none_under_emulation() {
        assert_eq!(
            ending(&Ending::Code(139)),
            "exited with code 139, as a shell does for signal 11 (SIGSEGV)"
        );
        assert_eq!(ending(&Ending::Code(129)), "exited with code 129");
        for (how, reason) in [(Ending::Signal(11), Reason::Signalled), (Ending::Code(139), Reason::Exited)] {
            let native = judged(how.clone(), Speed::Native, "loading\n");
            assert_eq!((native.state, native.reason), (State::Broken, Some(reason)));
            assert!(native.advice.unwrap().contains("PYTHONFAULTHANDLER"));
            let emulated = judged(how, Speed::Emulated, "loading\n");
            assert_eq!((emulated.state, emulated.reason), (State::Unknown, Some(reason)));
        }
        let killed = judged(Ending::Signal(15), Speed::Emulated, "loading\n");
        assert_eq!(killed.state, State::Broken, "no emulator sends that");
    }

    #[test]
    fn a_missing_variable_is_named_in_what_to_do() {
        let output = "Traceback (most recent call last):\n  File \"/app/agent.py\", line 7, in <module>\n    x\nKeyError: 'MEMORY_TABLE'\n";
        let advice = judged(Ending::Code(1), Speed::Native, output).advice.unwrap();
        assert!(advice.contains("--env MEMORY_TABLE=VALUE"), "{advice}");
    }
}

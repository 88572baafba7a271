//! What a container does once it runs, and what it prints while it does.

/// A process, as the service and the log see it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Process {
    /// What it prints: seconds before (negative) the end of the call or of the build, and the line.
    pub(crate) printed: Vec<(i64, String)>,
    pub(crate) does: Does,
}

/// What a process does.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Does {
    /// It answers its probe, and then the request.
    Answers,
    /// It exits.
    Exits,
    /// It runs, and its probe is not answered as it should be.
    FailsItsProbe,
    /// It answers its probe, too late.
    StartsLate,
    /// It answers its probe, and the request with this status.
    AnswersWith(u16),
    /// It answers its probe; the first request of a session gets a server error, and the service sends it again and again.
    FailsEveryFirstRequest,
    /// It answers its probe until a request keeps it busy.
    StopsAnsweringAtWork,
    /// It takes longer for a request than the caller waits.
    OutlastsTheCaller,
}

impl Process {
    pub(crate) fn sound() -> Self {
        Self::new(Does::Answers, &[(0, "INFO: handled one request")])
    }

    pub(crate) fn new(does: Does, printed: &[(i64, &str)]) -> Self {
        Self { printed: printed.iter().map(|(at, line)| (*at, (*line).to_owned())).collect(), does }
    }

    /// A Python process that dies of a traceback.
    pub(crate) fn dies(lines: &[&str]) -> Self {
        let lines = [&["Traceback (most recent call last):"], lines].concat();
        Self { printed: lines.iter().map(|line| (0, (*line).to_owned())).collect(), does: Does::Exits }
    }

    /// Whether a probe at start is answered in time: then a V2 runtime is built.
    pub(crate) fn boots(&self) -> bool {
        !matches!(self.does, Does::Exits | Does::FailsItsProbe | Does::StartsLate)
    }
}

/// The line of an access log.
pub(crate) fn accessed(request: &str, status: &str) -> String {
    format!(r#"INFO:     127.0.0.1:41022 - "{request} HTTP/1.1" {status}"#)
}

//! A live collection, shared by `diagnose` and `collect`: settings, progress on standard error, Ctrl-C.

use std::io::{IsTerminal, Write};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use anyhow::Context;
use launchpath_aws::{Outcome, Progress, Request, Settings};
use serde_json::Value;

use crate::cli::{AwsArguments, SubjectArguments};
use crate::failure::Failure;

/// The request of a command line.
pub(crate) fn request(runtime: &str, subject: &SubjectArguments) -> Request {
    Request {
        runtime: runtime.to_owned(),
        endpoint: subject.endpoint.clone(),
        against: subject.against.clone(),
        invoke: subject.invoke.as_ref().map(|payload| payload.clone().into_bytes()),
        saw: subject.saw.clone(),
    }
}

/// Collects a bundle.
pub(crate) fn collect(aws: &AwsArguments, request: Request) -> Result<Value, Failure> {
    let settings = Settings {
        profile: aws.profile.clone(),
        region: aws.region.clone(),
        endpoint_url: aws.endpoint_url.clone(),
        call_timeout: Duration::from_secs(aws.call_timeout),
        deadline: Duration::from_secs(aws.deadline),
        ..Settings::default()
    };
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build()
        .context("the asynchronous runtime")
        .map_err(Failure::environment)?;
    let progress = StatusLine::new();
    let collected = runtime.block_on(async {
        tokio::select! {
            bundle = launchpath_aws::collect(settings, request, &progress) => bundle.map_err(Failure::from),
            _ = tokio::signal::ctrl_c() => Err(Failure::interrupted()),
        }
    });
    progress.clear();
    // A call in flight must not hold up the exit after an interruption.
    runtime.shutdown_background();
    collected
}

/// One line on standard error that is overwritten, and only on a terminal.
struct StatusLine {
    shown: bool,
    begun: AtomicUsize,
    ended: AtomicUsize,
    refused: AtomicUsize,
}

impl StatusLine {
    fn new() -> Self {
        Self {
            shown: std::io::stderr().is_terminal(),
            begun: AtomicUsize::new(0),
            ended: AtomicUsize::new(0),
            refused: AtomicUsize::new(0),
        }
    }

    fn show(&self, what: &str) {
        if !self.shown {
            return;
        }
        let (ended, begun) = (self.ended.load(Ordering::Relaxed), self.begun.load(Ordering::Relaxed));
        let refused = match self.refused.load(Ordering::Relaxed) {
            0 => String::new(),
            count => format!(", {count} refused"),
        };
        let _ = write!(std::io::stderr(), "\r\x1b[K{ended}/{begun} calls{refused}  {what}");
    }

    fn clear(&self) {
        if self.shown {
            let _ = write!(std::io::stderr(), "\r\x1b[K");
        }
    }
}

impl Progress for StatusLine {
    fn started(&self, service: &str, operation: &str) {
        self.begun.fetch_add(1, Ordering::Relaxed);
        self.show(&format!("{service} {operation}"));
    }

    fn finished(&self, service: &str, operation: &str, outcome: Outcome, _took: Duration) {
        self.ended.fetch_add(1, Ordering::Relaxed);
        if !matches!(outcome, Outcome::Ok | Outcome::NotFound) {
            self.refused.fetch_add(1, Ordering::Relaxed);
        }
        self.show(&format!("{service} {operation}"));
    }
}

//! How own code serves: which server it runs, on which address, and what its health answer says.

use ruff_python_ast::{Expr, ExprCall};

use super::Outcome;
use super::condition::dotted;
use crate::inspect::{Certainty, Finding, FindingKind};

/// What one file of own code says about serving.
#[derive(Debug, Default)]
pub(super) struct Serving {
    /// Names given to what a class made: `app = BedrockAgentCoreApp()`.
    objects: Vec<(Box<str>, Box<str>)>,
    /// Calls that serve.
    pub(super) runs: Vec<Run>,
    /// The lines where `time_of_last_update` is set to the present time.
    pub(super) moving_timestamps: Vec<u32>,
    /// The text sets `DOCKER_CONTAINER`.
    pub(super) sets_container: bool,
    /// Classes whose `host` was given to their constructor.
    hosted: Vec<Box<str>>,
    /// What shows which protocol is served.
    speaks: Vec<Speaks>,
    /// Sockets are listened on by hand: `asyncio.start_server`.
    by_hand: bool,
}

/// A call that serves a protocol of the service.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Speaks {
    protocol: Protocol,
    /// What is called.
    what: Box<str>,
    line: u32,
    /// The call itself serves; else its server may be a part of another.
    itself: bool,
}

/// A protocol of the service, or the one of a process that somebody talks to through its standard input.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Protocol {
    Http,
    Mcp,
    A2a,
    StandardInput,
}

impl Protocol {
    /// Whether a runtime of a protocol is served by it. AG-UI is HTTP with a stream of events.
    fn fits(self, protocol: &str) -> bool {
        match self {
            Self::Http => ["HTTP", "AGUI"].contains(&protocol),
            Self::Mcp => protocol == "MCP",
            Self::A2a => protocol == "A2A",
            Self::StandardInput => false,
        }
    }

    fn name(self) -> &'static str {
        match self {
            Self::Http => "HTTP",
            Self::Mcp => "MCP",
            Self::A2a => "A2A",
            Self::StandardInput => "standard input",
        }
    }
}

/// Classes of MCP servers.
const MCP_SERVERS: &[&str] = &["FastMCP", "MCPServer"];

/// One call that serves.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Run {
    /// What is called: `BedrockAgentCoreApp.run`, `uvicorn.run`, `Flask.run`.
    pub(super) what: Box<str>,
    /// The line.
    pub(super) line: u32,
    /// The address it is told.
    pub(super) host: Host,
}

/// The address a server is told.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Host {
    /// None: its default.
    Default,
    /// This one.
    Literal(Box<str>),
    /// A computed one.
    Computed,
}

impl Serving {
    /// `name = Class(…)`.
    pub(super) fn made(&mut self, name: &str, call: &ExprCall) {
        let Some(class) = dotted(&call.func) else { return };
        let class = class.rsplit('.').next().unwrap_or_default();
        if ["BedrockAgentCoreApp", "Flask"].contains(&class) || MCP_SERVERS.contains(&class) {
            self.objects.push((name.into(), class.into()));
            if call.arguments.find_keyword("host").is_some() {
                self.hosted.push(class.into());
            }
        }
    }

    /// Any call.
    pub(super) fn called(&mut self, call: &ExprCall, line: u32) {
        if let Some(name) = dotted(&call.func)
            && name.rsplit('.').next() == Some("serve_a2a")
        {
            self.speaks.push(Speaks { protocol: Protocol::A2a, what: name.into(), line, itself: true });
            return;
        }
        let Expr::Attribute(function) = &*call.func else { return };
        let method = function.attr.as_str();
        self.by_hand |= ["start_server", "create_server", "listen", "serve_forever"].contains(&method);
        self.protocol(call, &function.value, method, line);
        if method != "run" {
            return;
        }
        let what: Box<str> = match &*function.value {
            Expr::Name(name) if name.id.as_str() == "uvicorn" => "uvicorn.run".into(),
            Expr::Name(name) => {
                let made = self.objects.iter().find(|(object, _)| **object == *name.id.as_str());
                let Some((_, class)) = made.filter(|(_, class)| !MCP_SERVERS.contains(&&**class)) else {
                    return;
                };
                if self.hosted.contains(class) {
                    return;
                }
                format!("{class}.run").into()
            }
            _ => return,
        };
        // `BedrockAgentCoreApp.run(port, host)`, `Flask.run(host, port)`, `uvicorn.run(app, *, host)`.
        let position = match &*what {
            "BedrockAgentCoreApp.run" => 1,
            "Flask.run" => 0,
            _ => usize::MAX,
        };
        let spread = call.arguments.keywords.iter().any(|keyword| keyword.arg.is_none())
            || call.arguments.args.iter().any(Expr::is_starred_expr);
        let host = match call.arguments.find_argument_value("host", position) {
            Some(Expr::StringLiteral(text)) => Host::Literal(text.value.to_str().into()),
            Some(_) => Host::Computed,
            None if spread => Host::Computed,
            None => Host::Default,
        };
        self.runs.push(Run { what, line, host });
    }
}

impl Serving {
    /// Which protocol a method of a known server's object serves.
    fn protocol(&mut self, call: &ExprCall, object: &Expr, method: &str, line: u32) {
        let Expr::Name(name) = object else { return };
        let made = self.objects.iter().find(|(known, _)| **known == *name.id.as_str());
        let Some((_, class)) = made else { return };
        let (protocol, itself) = match (&**class, method) {
            ("BedrockAgentCoreApp", "run") => (Protocol::Http, true),
            (class, "run") if MCP_SERVERS.contains(&class) => {
                match call.arguments.find_argument_value("transport", 0) {
                    Some(Expr::StringLiteral(text)) if text.value.to_str() != "stdio" => {
                        (Protocol::Mcp, true)
                    }
                    // Both SDKs talk over standard input unless they are told otherwise.
                    Some(Expr::StringLiteral(_)) => (Protocol::StandardInput, true),
                    None if call.arguments.keywords.iter().all(|keyword| keyword.arg.is_some()) => {
                        (Protocol::StandardInput, true)
                    }
                    _ => (Protocol::Mcp, false),
                }
            }
            (class, "streamable_http_app" | "http_app" | "sse_app") if MCP_SERVERS.contains(&class) => {
                (Protocol::Mcp, false)
            }
            _ => return,
        };
        let what = format!("{class}.{method}").into();
        self.speaks.push(Speaks { protocol, what, line, itself });
    }
}

/// What is started serves another protocol than the runtime's; only where nothing serves the runtime's own.
pub fn other_protocol(outcome: &Outcome, protocol: &str) -> Option<Finding> {
    let spoken = || {
        let files = outcome.serving.iter();
        files.flat_map(|(file, source)| source.serving.speaks.iter().map(move |speaks| (file, speaks)))
    };
    if spoken().any(|(_, speaks)| speaks.protocol.fits(protocol)) {
        return None;
    }
    let (file, speaks) = spoken().max_by_key(|(_, speaks)| speaks.itself)?;
    let certainty = if speaks.itself { Certainty::Likely } else { Certainty::Possible };
    let what = &speaks.what;
    let (kind, text) = match speaks.protocol {
        Protocol::StandardInput => (
            FindingKind::NoHttpServer,
            format!(
                "{what} talks over standard input unless it is told another transport: it listens on no port"
            ),
        ),
        spoken => (
            FindingKind::OtherProtocol,
            format!(
                "{what} serves {}, and the runtime is taken to be of protocol {protocol} (another: --protocol)",
                spoken.name()
            ),
        ),
    };
    let finding = Finding::new(kind, certainty, text).in_file(file).at_line(speaks.line);
    Some(finding.with("serves", speaks.protocol.name()).with("protocol", protocol))
}

/// Whether an address is one that only the machine itself reaches.
pub fn is_loopback(host: &str) -> bool {
    host == "localhost" || host == "::1" || host.starts_with("127.")
}

/// Packages and modules that answer requests, or that bring one that does.
const SERVERS: &[&str] = &[
    "BaseHTTPServer",
    "a2a",
    "ag_ui",
    "aiohttp",
    "asgiref",
    "bedrock_agentcore",
    "blacksheep",
    "bottle",
    "cherrypy",
    "chainlit",
    "django",
    "falcon",
    "fastapi",
    "fastmcp",
    "flask",
    "gevent",
    "gradio",
    "granian",
    "grpc",
    "gunicorn",
    "hypercorn",
    "litestar",
    "mcp",
    "quart",
    "robyn",
    "sanic",
    "starlette",
    "streamlit",
    "tornado",
    "twisted",
    "uvicorn",
    "waitress",
    "websockets",
    "werkzeug",
];
/// The same in the standard library.
const STANDARD_SERVERS: &[&str] = &["http.server", "socketserver", "wsgiref.simple_server", "xmlrpc.server"];

/// What the environment of the process says that matters here.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ContainerMark {
    /// `DOCKER_CONTAINER` is set, or the image has `/.dockerenv`.
    Present,
    /// Neither.
    Absent,
}

/// What own code says about serving that does not fit the service.
pub fn serving(outcome: &Outcome, mark: ContainerMark) -> Vec<Finding> {
    let mut findings = Vec::new();
    let sets_mark = outcome.serving.iter().any(|(_, source)| source.serving.sets_container);
    let marked = mark == ContainerMark::Present || sets_mark;
    for (file, source) in &outcome.serving {
        for run in &source.serving.runs {
            if let Some(text) = loopback(run, marked) {
                let finding = Finding::new(FindingKind::BindsLoopbackOnly, Certainty::Likely, text)
                    .in_file(file)
                    .at_line(run.line)
                    .with("call", &*run.what);
                findings.push(finding);
            }
        }
        for line in &source.serving.moving_timestamps {
            let text = "time_of_last_update is set to the present time: if every health answer says so, no session is ever idle";
            let finding = Finding::new(FindingKind::TimestampMoves, Certainty::Possible, text)
                .in_file(file)
                .at_line(*line);
            findings.push(finding);
        }
    }
    findings
}

/// The sentence about a call that listens on the loopback address only.
fn loopback(run: &Run, marked: bool) -> Option<String> {
    let what = &run.what;
    match &run.host {
        Host::Literal(host) if is_loopback(host) => {
            Some(format!("{what} listens on {host}, which the service does not reach"))
        }
        // AWS: the SDK listens on every address only when it sees that it runs in a container (bedrock-agentcore,
        // runtime/app.py).
        Host::Default if **what == *"BedrockAgentCoreApp.run" => (!marked).then(|| {
            format!("{what} without host listens on 127.0.0.1 unless DOCKER_CONTAINER is set, and the image does not set it")
        }),
        Host::Default => Some(format!("{what} without host listens on 127.0.0.1, which the service does not reach")),
        Host::Literal(_) | Host::Computed => None,
    }
}

/// Nothing that is imported answers requests; only when something was followed at all.
pub fn no_server(outcome: &Outcome) -> Option<Finding> {
    let (file, _) = outcome.start.as_ref()?;
    let by_hand = outcome.serving.iter().any(|(_, source)| source.serving.by_hand);
    let serves = by_hand
        || outcome.imported.iter().any(|module| {
            STANDARD_SERVERS.contains(&module.as_str())
                || SERVERS.contains(&module.split('.').next().unwrap_or_default())
        });
    let followed =
        outcome.modules > 0 && outcome.findings.iter().all(|finding| finding.certainty < Certainty::Certain);
    (followed && !serves).then(|| {
        let text = "nothing that is imported is an HTTP server or a framework for one";
        Finding::new(FindingKind::NoHttpServer, Certainty::Possible, text).in_file(file)
    })
}

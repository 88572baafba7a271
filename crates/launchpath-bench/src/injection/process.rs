//! Faults of the process in the container, and of the contract between it and the service.

use super::Shows::Happening;
use super::{Injection, anywhere, by_http, container};
use crate::deployment::Deployment;
use crate::process::{Does, Process, accessed};

/// Seen in the log alone.
const LOG: &[&[&str]] = &[&["FilterLogEvents"]];

/// A server that has started on the port that the service calls.
fn listening(d: &Deployment) -> String {
    format!("INFO:     Uvicorn running on http://0.0.0.0:{} (Press CTRL+C to quit)", d.port())
}

/// A process that prints lines of an access log, at these seconds before the end.
fn serving(d: &Deployment, does: Does, lines: &[(i64, String)]) -> Process {
    let mut printed = vec![(-700, listening(d))];
    printed.extend_from_slice(lines);
    Process { printed, does }
}

pub(super) const ALL: &[Injection] = &[
    Injection {
        fault: "app.dependency_drift",
        with: &[],
        shows: Happening,
        fits: anywhere,
        named: "",
        seen_in: LOG,
        make: |d, _| {
            d.process = Process::dies(&[
                r#"  File "/app/main.py", line 4, in <module>"#,
                "    from langchain.callbacks import get_openai_callback",
                "ModuleNotFoundError: No module named 'langchain.callbacks'",
            ]);
        },
    },
    Injection {
        fault: "app.dependency_not_packaged",
        with: &[],
        shows: Happening,
        fits: anywhere,
        named: "",
        seen_in: LOG,
        make: |d, random| {
            let module = random.one_of(&["boto3", "fastapi", "pydantic"]);
            d.process = Process::dies(&[
                r#"  File "/app/main.py", line 1, in <module>"#,
                &format!("    import {module}"),
                &format!("ModuleNotFoundError: No module named '{module}'"),
            ]);
        },
    },
    Injection {
        fault: "app.missing_source_file",
        with: &[],
        shows: Happening,
        fits: anywhere,
        named: "",
        seen_in: LOG,
        make: |d, _| {
            d.process = Process::dies(&[
                r#"  File "/app/src/main.py", line 2, in <module>"#,
                "    from src.tools import search",
                "ModuleNotFoundError: No module named 'src.tools'",
            ]);
        },
    },
    Injection {
        fault: "app.startup_exception",
        with: &[],
        shows: Happening,
        fits: anywhere,
        named: "",
        seen_in: LOG,
        make: |d, random| {
            let variable = random.one_of(&["KNOWLEDGE_BASE_ID", "TABLE_NAME", "MEMORY_ID"]);
            d.process = Process::dies(&[
                r#"  File "/app/main.py", line 11, in <module>"#,
                &format!(r#"    table = os.environ["{variable}"]"#),
                r#"  File "<frozen os>", line 714, in __getitem__"#,
                &format!("KeyError: '{variable}'"),
            ]);
        },
    },
    Injection {
        fault: "app.slow_init",
        with: &[],
        shows: Happening,
        fits: anywhere,
        named: "",
        seen_in: LOG,
        make: |d, _| {
            let lines = [
                (-190, "INFO: loading shard 1 of 9".to_owned()),
                (-100, "INFO: loading shard 5 of 9".to_owned()),
                (-4, listening(d)),
            ];
            d.process = Process { printed: lines.to_vec(), does: Does::StartsLate };
        },
    },
    Injection {
        fault: "app.wedged_state",
        with: &["contract.non2xx_masked"],
        shows: Happening,
        fits: anywhere,
        named: "",
        seen_in: LOG,
        make: |d, _| {
            let mut lines = vec![(-600, accessed(d.request(), "200 OK"))];
            for before in [-300, -240, -170, -90, 0] {
                lines.push((before, accessed(d.request(), "500 Internal Server Error")));
            }
            d.process = serving(d, Does::AnswersWith(500), &lines);
        },
    },
    Injection {
        fault: "contract.protocol_mismatch",
        with: &[],
        shows: Happening,
        fits: |d| d.protocol == "HTTP" && container(d),
        named: "",
        seen_in: LOG,
        make: |d, _| {
            let lines = [(0, accessed("GET /ping", "405 Method Not Allowed"))];
            d.process = serving(d, Does::FailsItsProbe, &lines);
        },
    },
    Injection {
        fault: "contract.wrong_port",
        with: &[],
        shows: Happening,
        fits: anywhere,
        named: "",
        seen_in: LOG,
        make: |d, random| {
            let port = *random.one_of(&[3000, 5000, 7860]);
            let line = format!("INFO:     Uvicorn running on http://0.0.0.0:{port} (Press CTRL+C to quit)");
            d.process = Process { printed: vec![(-100, line)], does: Does::FailsItsProbe };
        },
    },
    Injection {
        fault: "contract.wrong_path",
        with: &[],
        shows: Happening,
        fits: by_http,
        named: "",
        seen_in: LOG,
        make: |d, _| {
            let lines = [-8, -6, -4].map(|at| (at, accessed("GET /ping", "404 Not Found")));
            d.process = serving(d, Does::FailsItsProbe, &lines);
        },
    },
    Injection {
        fault: "contract.host_header_421",
        with: &[],
        shows: Happening,
        fits: by_http,
        named: "",
        seen_in: LOG,
        make: |d, _| {
            let lines = [-8, -6, -4].map(|at| (at, accessed("GET /ping", "421 Misdirected Request")));
            d.process = serving(d, Does::FailsItsProbe, &lines);
        },
    },
    Injection {
        fault: "contract.blocked_event_loop",
        with: &[],
        shows: Happening,
        fits: by_http,
        named: "",
        seen_in: LOG,
        make: |d, _| {
            let lines: Vec<_> = (0..8).map(|n| (-80 + 2 * n, accessed("GET /ping", "200 OK"))).collect();
            d.process = serving(d, Does::StopsAnsweringAtWork, &lines);
        },
    },
    Injection {
        fault: "contract.first_request_5xx",
        with: &[],
        shows: Happening,
        fits: anywhere,
        named: "",
        seen_in: LOG,
        make: |d, _| {
            let lines: Vec<_> =
                (0..20).map(|n| (-40 + 2 * n, accessed(d.request(), "500 Internal Server Error"))).collect();
            d.process = serving(d, Does::FailsEveryFirstRequest, &lines);
        },
    },
    Injection {
        fault: "contract.non2xx_masked",
        with: &[],
        shows: Happening,
        fits: anywhere,
        named: "from runtime",
        seen_in: &[],
        make: |d, random| {
            let (status, words) =
                *random.one_of(&[(422, "422 Unprocessable Entity"), (400, "400 Bad Request")]);
            let lines = [(0, accessed(d.request(), words))];
            d.process = serving(d, Does::AnswersWith(status), &lines);
        },
    },
    Injection {
        fault: "contract.mcp_session",
        with: &["contract.non2xx_masked"],
        shows: Happening,
        fits: |d| d.protocol == "MCP",
        named: "",
        seen_in: LOG,
        make: |d, _| {
            let lines = [
                (-1, accessed("POST /mcp", "400 Bad Request")),
                (0, "Bad Request: No valid session ID provided".to_owned()),
            ];
            d.process = serving(d, Does::AnswersWith(400), &lines);
        },
    },
    Injection {
        fault: "client.timeout",
        with: &[],
        shows: Happening,
        fits: anywhere,
        named: "Read timeout",
        seen_in: &[],
        make: |d, random| {
            // Its access log has a line when the answer begins, long after the caller went away.
            let done = 120 + i64::try_from(random.below(600)).unwrap_or_default();
            d.process = serving(d, Does::OutlastsTheCaller, &[(done, accessed(d.request(), "200 OK"))]);
        },
    },
];

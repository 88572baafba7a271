//! Files of every tool, small and large.

use launchpath_logs::{Report, Scanner};

pub(crate) fn scan(text: &[u8]) -> Report {
    let mut scanner = Scanner::default();
    scanner.read("log", text).unwrap();
    scanner.finish()
}

/// Enough lines that the file is not handed on whole, and that it takes many buffers.
fn filler(bytes: usize) -> String {
    let mut text = String::with_capacity(bytes + 200);
    let mut n = 0;
    while text.len() < bytes {
        n += 1;
        text.push_str(&format!(
            "2026-10-20T09:{:02}:{:02}.000Z INFO step {n} of the plan, nothing to see\n",
            n / 60 % 60,
            n % 60
        ));
    }
    text
}

const PYTHON: &str = "Traceback (most recent call last):\n  File \"/app/main.py\", line 3, in <module>\n    import x\nModuleNotFoundError: No module named 'x'\n";

fn traceback_at(time: &str) -> String {
    PYTHON.lines().map(|line| format!("{time} {line}\n")).collect()
}

#[test]
fn a_traceback_deep_in_a_large_file_is_put_together() {
    let text = format!(
        "{}{}{}{}{}",
        filler(5_000_000),
        traceback_at("2026-10-20T10:00:00.000Z"),
        filler(3_000_000),
        traceback_at("2026-10-20T11:00:00.000Z"),
        filler(2_000_000)
    );
    let report = scan(text.as_bytes());
    assert_eq!(report.bytes, text.len() as u64);
    assert_eq!(report.lines, text.lines().count() as u64);
    assert!(!report.whole);
    let [group] = report.tracebacks.as_slice() else { panic!("{:?}", report.tracebacks) };
    assert_eq!((group.count, group.headline.as_str()), (2, "ModuleNotFoundError: No module named 'x'"));
    assert_eq!(group.first.event.at.unwrap().to_string(), "2026-10-20T10:00:00Z");
    assert_eq!(group.last.event.at.unwrap().to_string(), "2026-10-20T11:00:00Z");
    let line = text.lines().position(|line| line.contains("Traceback")).unwrap() as u64 + 1;
    assert_eq!(group.first.event.line, line);
    let handed: Vec<&str> = report.events.iter().map(|event| event.text.as_str()).collect();
    assert!(handed.contains(&"    import x") && handed.len() < 1_000);
    let found = report.found.iter().find(|found| found.signature == "python_module").unwrap();
    assert_eq!((found.count, found.fault.as_deref()), (2, Some("app.dependency_not_packaged")));
}

#[test]
fn a_small_file_is_handed_on_whole() {
    let report = scan(b"one\ntwo\nthree");
    assert!(report.whole);
    assert_eq!(report.lines, 3);
    assert_eq!(report.events.iter().map(|e| e.text.as_str()).collect::<Vec<_>>(), ["one", "two", "three"]);
    assert!(report.found.is_empty());
}

#[test]
fn streams_that_a_tail_mixes_are_told_apart() {
    let line = |second: usize, stream: &str, text: &str| {
        format!("2026-10-20T09:10:{second:02}+00:00 2026/10/20/[runtime-logs]{stream} {text}\n")
    };
    let mut text = String::new();
    for (n, python) in PYTHON.lines().enumerate() {
        text += &line(n, "a", python);
        text += &line(n, "b", "INFO working");
    }
    let report = scan(text.as_bytes());
    assert_eq!(report.tracebacks.len(), 1, "{:?}", report.tracebacks);
    assert_eq!(report.tracebacks[0].first.event.stream.as_deref(), Some("2026/10/20/[runtime-logs]a"));
}

#[test]
fn a_message_of_several_lines_keeps_its_time() {
    let text = format!(
        "2026-10-20T09:10:00+00:00 2026/10/20/[runtime-logs]a {PYTHON}2026-10-20T09:11:00+00:00 2026/10/20/[runtime-logs]a next\n"
    );
    let report = scan(text.as_bytes());
    assert_eq!(report.tracebacks.len(), 1);
    let import = report.events.iter().find(|event| event.text.contains("import x")).unwrap();
    assert_eq!(import.at.unwrap().to_string(), "2026-10-20T09:10:00Z");
    assert_eq!(import.stream.as_deref(), Some("2026/10/20/[runtime-logs]a"));
}

#[test]
fn the_answer_of_filter_log_events_is_read() {
    let mut text = "{\n    \"events\": [\n".to_owned();
    for (n, line) in PYTHON.lines().enumerate() {
        text += &format!(
            "        {{\n            \"logStreamName\": \"s\",\n            \"timestamp\": {},\n            \"message\": {},\n            \"ingestionTime\": 1,\n            \"eventId\": \"{n}\"\n        }},\n",
            1_792_487_400_000_u64 + n as u64,
            serde_json::to_string(line).unwrap()
        );
    }
    text += "        {}\n    ]\n}\n";
    let report = scan(text.as_bytes());
    assert_eq!(report.tracebacks.len(), 1, "{:?}", report.tracebacks);
    assert_eq!(report.tracebacks[0].first.event.stream.as_deref(), Some("s"));
    assert!(report.tracebacks[0].first.event.at.is_some());
    assert_eq!(report.events.len(), 4);
}

#[test]
fn tracebacks_of_every_language_are_found() {
    for (language, text) in [
        ("Python", PYTHON.to_owned()),
        ("Node.js", "Error: Cannot find module 'express'\nRequire stack:\n- /app/server.js\n    at Module._load (node:internal/modules/cjs/loader:1225:15)\n    at Object.<anonymous> (/app/server.js:1:17)\n".to_owned()),
        ("Java", "Exception in thread \"main\" java.lang.IllegalStateException: no\n\tat com.example.Main.main(Main.java:12)\nCaused by: java.io.IOException: gone\n\tat com.example.Main.read(Main.java:20)\n\t... 1 more\n".to_owned()),
        ("Go", "panic: no config\n\ngoroutine 1 [running]:\nmain.main()\n\t/app/main.go:12 +0x1d\nexit status 2\n".to_owned()),
        (".NET", "Unhandled exception. System.IO.FileNotFoundException: Could not load file or assembly 'Agent'.\n   at Program.Main(String[] args) in /app/Program.cs:line 7\n".to_owned()),
        ("Ruby", "/app/main.rb:3:in 'Kernel#require': cannot load such file -- sinatra (LoadError)\n\tfrom /app/main.rb:3:in '<main>'\n".to_owned()),
    ] {
        let report = scan(text.as_bytes());
        let languages: Vec<&str> = report.tracebacks.iter().map(|group| group.language.as_str()).collect();
        assert_eq!(languages, [language], "{text}");
    }
}

#[test]
fn a_log_that_begins_with_a_bracket_or_with_json_is_no_document() {
    for first in [
        "[2026-10-20 09:10:00 +0000] [1] [INFO] Starting gunicorn 23.0.0",
        "{\"time\": \"2026-10-20T09:10:00Z\", \"level\": \"info\", \"message\": \"starting\"}",
        "{not json at all",
    ] {
        let report = scan(format!("{first}\r\n{PYTHON}").as_bytes());
        assert_eq!(report.tracebacks.len(), 1, "{first}");
        assert_eq!(report.events.len(), 5, "{first}");
    }
}

#[test]
fn many_short_lines_are_not_kept_whole_because_they_are_few_bytes() {
    let report = scan("\n".repeat(2_000_000).as_bytes());
    assert_eq!(report.lines, 2_000_000);
    assert!(!report.whole && report.events.len() <= 1_000, "{}", report.events.len());
}

#[test]
fn the_end_of_a_small_file_is_kept_when_a_later_one_is_large() {
    let mut scanner = Scanner::default();
    let small = format!("{}the last words\n", filler(1_000_000));
    scanner.read("small", small.as_bytes()).unwrap();
    scanner.read("large", filler(5_000_000).as_bytes()).unwrap();
    let report = scanner.finish();
    assert!(!report.whole && report.events.iter().any(|event| event.text == "the last words"));
}

//! `launchpath logs`, and `diagnose --logs`: files of every kind, and what they change in a diagnosis.

use std::io::Write;

use flate2::Compression;
use flate2::write::GzEncoder;

use crate::program::{launchpath, scenario};

/// An export of the base world's runtime: the process dies at import, thousands of lines later.
fn export(lines: usize) -> String {
    let mut text = String::new();
    for n in 0..lines {
        text += &format!(
            "2026-10-20T09:05:{:02}.000Z loading shard {n} of the index, which takes its time\n",
            n % 60
        );
    }
    for line in [
        "Traceback (most recent call last):",
        "  File \"/app/main.py\", line 3, in <module>",
        "    from langchain.callbacks import get_openai_callback",
        "ModuleNotFoundError: No module named 'langchain.callbacks'",
    ] {
        text += &format!("2026-10-20T09:10:00.000Z {line}\n");
    }
    text
}

#[test]
fn logs_a_traceback_in_a_file_decides_a_diagnosis() {
    let folder = tempfile::tempdir().expect("a folder");
    let bundle = scenario("base/nat");
    let words = |file: &str| {
        launchpath(&[
            "diagnose",
            "--bundle",
            &bundle,
            "--saw",
            "Runtime health check failed or timed out",
            "--logs",
            file,
            "--format",
            "json",
        ])
    };
    for (name, lines) in [("small.log", 10), ("large.log", 100_000)] {
        let plain = folder.path().join(name);
        std::fs::write(&plain, export(lines)).expect("a log");
        let gzipped = folder.path().join(format!("{name}.gz"));
        let mut packed =
            GzEncoder::new(std::fs::File::create(&gzipped).expect("a file"), Compression::fast());
        packed
            .write_all(export(lines).as_bytes())
            .and_then(|()| packed.finish().map(drop))
            .expect("a gzipped log");
        for file in [plain, gzipped] {
            let run = words(&file.display().to_string());
            assert_eq!(run.code, 1, "{}", run.stderr);
            let primary = &run.json()["causes"][0];
            assert_eq!(
                (&primary["fault"], &primary["status"]),
                (&"app.dependency_drift".into(), &"confirmed".into())
            );
            let json = run.json();
            let commands: Vec<&str> = json["evidence"]
                .as_array()
                .into_iter()
                .flatten()
                .filter_map(|call| call["command"].as_str())
                .collect();
            assert!(commands.iter().any(|command| command.starts_with("launchpath logs ")), "{commands:?}");
        }
    }
}

#[test]
fn logs_are_reported_as_text_and_as_json() {
    let folder = tempfile::tempdir().expect("a folder");
    let file = folder.path().join("a.log");
    std::fs::write(&file, format!("{}\x1b]0;evil\x07ECONNREFUSED\n", export(5))).expect("a log");
    let file = file.display().to_string();
    let text = launchpath(&["logs", &file]);
    assert_eq!(text.code, 0, "{}", text.stderr);
    for expected in [
        "10 lines",
        "1 time, Python: ModuleNotFoundError: No module named 'langchain.callbacks'",
        "app.dependency_not_packaged",
        "a.log:6 at 2026-10-20T09:10:00Z",
    ] {
        assert!(text.stdout.contains(expected), "{expected} in\n{}", text.stdout);
    }
    assert!(!text.stdout.contains('\x1b'));
    let json = launchpath(&["logs", &file, "--format", "json", "--query", "tracebacks[0].count"]);
    assert_eq!(json.stdout.trim(), "1", "{}", json.stderr);
}

#[test]
fn logs_of_nobody_and_files_that_are_not_there_are_refused() {
    let folder = tempfile::tempdir().expect("a folder");
    let gone = folder.path().join("gone.log").display().to_string();
    let run = launchpath(&["logs", &gone]);
    assert_eq!(run.code, 252);
    assert!(run.stderr.contains("gone.log"), "{}", run.stderr);
    let bundle = folder.path().join("empty.json");
    std::fs::write(&bundle, r#"{"format":"launchpath-bundle/1","calls":[]}"#).expect("a bundle");
    let log = folder.path().join("a.log");
    std::fs::write(&log, "x\n").expect("a log");
    let words = ["diagnose", "--bundle", &bundle.display().to_string(), "--logs", &log.display().to_string()];
    let run = launchpath(&words);
    assert_eq!(run.code, 252, "{}", run.stderr);
    assert!(run.stderr.contains("describes no runtime"), "{}", run.stderr);
}

#[test]
fn logs_belong_to_the_runtime_that_is_named_and_not_to_the_bundle_s_own() {
    let folder = tempfile::tempdir().expect("a folder");
    let file = folder.path().join("agent.log");
    std::fs::write(&file, export(3).replace("2026-10-20", "2025-10-18")).expect("a log file");
    let bundle = scenario("incident/as-collected");
    let headlines = |runtime: &str| {
        let run = launchpath(&[
            "diagnose",
            runtime,
            "--bundle",
            &bundle,
            "--logs",
            file.to_str().expect("a path"),
            "--format",
            "json",
        ]);
        run.json()["timeline"].to_string().contains("langchain.callbacks")
            || run.json()["causes"].to_string().contains("No module named 'langchain.callbacks'")
    };
    assert!(headlines("bedrock_manus_runtime-E8I6oFGlTA"), "the lines are of the runtime that was named");
    assert!(headlines("bedrock_manus_runtime_vpc_final-7XCALx4Xuw"), "and of the other when that one is");
}

#[test]
fn logs_what_looks_like_a_secret_in_a_file_is_in_no_evidence() {
    let folder = tempfile::tempdir().expect("a folder");
    let bundle = scenario("base/nat");
    let file = folder.path().join("agent.log");
    let failed = "2026-10-20T09:11:00.000Z ModuleNotFoundError: No module named 'x' (AKIAIOSFODNN7EXAMPLE, token=hunter2hunter2)";
    std::fs::write(&file, format!("{}{failed}\n", export(3))).expect("a log file");
    let repaired = folder.path().join("repaired.json");
    let run = launchpath(&[
        "diagnose",
        "--bundle",
        &bundle,
        "--saw",
        "Runtime health check failed or timed out",
        "--logs",
        file.to_str().expect("a path"),
        "--format",
        "json",
        "--detail",
        "full",
        "--apply-fixes-to",
        repaired.to_str().expect("a path"),
    ]);
    let kept = std::fs::read_to_string(&repaired).unwrap_or_default();
    let all = format!("{}{kept}", run.stdout);
    assert!(all.contains("token=***"), "{all}");
    assert!(!all.contains("AKIAIOSFODNN7EXAMPLE") && !all.contains("hunter2"), "{all}");
}

//! The command line itself: help, mistakes, output files, exit codes.

use crate::program::{launchpath, scenario};

#[test]
fn help_and_version_are_answers() {
    for words in [["--help"], ["--version"]] {
        assert_eq!(launchpath(&words).code, 0);
    }
    let help = launchpath(&["--help"]).stdout;
    for command in ["diagnose", "collect", "explain", "permissions"] {
        assert!(help.contains(command), "{command}");
    }
}

#[test]
fn a_wrong_word_is_a_usage_error() {
    for words in [
        &["diagnos"][..],
        &["diagnose"],
        &["diagnose", "--bundle", "x", "--region", "y"],
        &["explain", "net.nonsense"],
    ] {
        let run = launchpath(words);
        assert_eq!(run.code, 252, "{words:?}: {}", run.stderr);
        assert!(!run.stderr.is_empty());
        assert!(run.stdout.is_empty());
    }
}

#[test]
fn malformed_input_names_file_place_and_expectation() {
    let folder = tempfile::tempdir().expect("a temporary directory");
    let path = folder.path().join("bad.json");
    let good = std::fs::read_to_string(scenario("incident/as-collected")).expect("the bundle");
    std::fs::write(&path, good.replace("\"10.100.1.0/24\"", "\"10.100.1.0/240\"")).expect("written");
    let run = launchpath(&["diagnose", "--bundle", &path.display().to_string()]);
    assert_eq!(run.code, 2, "{}", run.stderr);
    for part in ["bad.json", "calls[3].response.Subnets[0].CidrBlock", "10.100.1.0/240"] {
        assert!(run.stderr.contains(part), "{part} in {}", run.stderr);
    }
    assert!(run.stdout.is_empty(), "nothing half-read is reported");
    std::fs::write(&path, "{ not json").expect("written");
    assert_eq!(launchpath(&["diagnose", "--bundle", &path.display().to_string()]).code, 2);
    assert_eq!(launchpath(&["diagnose", "--bundle", "/nonexistent/bundle.json"]).code, 252);
}

#[test]
fn a_runtime_to_compare_with_that_is_not_there_is_named() {
    let bundle = scenario("incident/as-collected");
    let run = launchpath(&["diagnose", "--bundle", &bundle, "--against", "nothere-0000000000"]);
    assert_eq!(run.code, 252, "{}", run.stderr);
    assert!(run.stderr.contains("nothere-0000000000"), "{}", run.stderr);
    assert!(run.stdout.is_empty(), "no report that looks as if it had compared");
}

#[test]
fn a_list_of_calls_never_replaces_a_bundle() {
    let folder = tempfile::tempdir().expect("a temporary directory");
    let path = folder.path().join("keep.json");
    std::fs::write(&path, "precious").expect("written");
    let run = launchpath(&["collect", "agent", "--dry-run", "-o", &path.display().to_string()]);
    assert_eq!(run.code, 0, "{}", run.stderr);
    assert!(run.stdout.contains("GetAgentRuntime"), "{}", run.stdout);
    assert_eq!(std::fs::read_to_string(&path).expect("still there"), "precious");
}

#[test]
fn a_report_file_appears_whole() {
    let folder = tempfile::tempdir().expect("a temporary directory");
    let path = folder.path().join("report.md");
    let bundle = scenario("incident/as-rehearsed");
    let run = launchpath(&[
        "diagnose",
        "--bundle",
        &bundle,
        "--format",
        "markdown",
        "-o",
        &path.display().to_string(),
    ]);
    assert_eq!((run.code, run.stdout.as_str()), (1, ""));
    let report = std::fs::read_to_string(&path).expect("the report");
    assert!(report.starts_with('#') && report.contains("langchain"));
    let left: Vec<_> = std::fs::read_dir(folder.path()).expect("the directory").flatten().collect();
    assert_eq!(left.len(), 1, "no temporary file is left: {left:?}");
    let nowhere = folder.path().join("no/such/folder/report.md").display().to_string();
    assert_eq!(launchpath(&["diagnose", "--bundle", &bundle, "-o", &nowhere]).code, 253);
}

#[test]
fn what_the_user_saw_narrows_and_proves_nothing() {
    let bundle = scenario("base/isolated");
    let saw = "RuntimeClientError: Runtime health check failed or timed out.";
    let run = launchpath(&["diagnose", "--bundle", &bundle, "--saw", saw, "--format", "json"]);
    assert_eq!(run.code, 3);
    let diagnosis = run.json();
    assert!(
        diagnosis["causes"]
            .as_array()
            .is_some_and(|causes| causes.iter().all(|cause| cause["status"] == "possible"))
    );
    let health = diagnosis["chain"]
        .as_array()
        .into_iter()
        .flatten()
        .find(|s| s["stage"] == "health")
        .map(|s| &s["state"]);
    assert_eq!(health, Some(&"unknown".into()));
    assert!(diagnosis["statements"].to_string().contains("health check failed"));
}

#[test]
fn colour_comes_when_asked_and_on_a_terminal_that_wants_it() {
    let bundle = scenario("incident/as-rehearsed");
    let always = launchpath(&["--color", "always", "diagnose", "--bundle", &bundle]);
    assert!(always.stdout.contains("\u{1b}["));
    assert!(
        !launchpath(&["diagnose", "--bundle", &bundle]).stdout.contains('\u{1b}'),
        "a pipe is no terminal"
    );
    let command = format!("{} diagnose --bundle {bundle}", env!("CARGO_BIN_EXE_launchpath"));
    let on_a_terminal = |words: &str, variables: &[(&str, &str)]| {
        // util-linux's script gives a program a terminal.
        let mut script = std::process::Command::new("script");
        script.args(["-qec", &format!("{command}{words}"), "/dev/null"]).env_clear();
        script.env("PATH", "/usr/bin:/bin").env("TERM", "xterm").envs(variables.iter().copied());
        match script.stdin(std::process::Stdio::null()).output() {
            Ok(output) => Some(String::from_utf8_lossy(&output.stdout).into_owned()),
            Err(error) => {
                assert!(std::env::var_os("CI").is_none(), "no script in CI: {error}");
                println!("skipped: no script here");
                None
            }
        }
    };
    let Some(plain) = on_a_terminal("", &[]) else { return };
    assert!(plain.contains("\u{1b}["), "{plain}");
    for (words, variables) in [
        ("", &[("NO_COLOR", "1")][..]),
        ("", &[("TERM", "dumb")]),
        (" --color never", &[]),
        (" --format json", &[]),
    ] {
        let shown = on_a_terminal(words, variables).unwrap_or_default();
        assert!(shown.contains("app.dependency_drift"), "{words} {variables:?}: {shown}");
        assert!(!shown.contains('\u{1b}'), "{words} {variables:?}");
    }
    // An empty NO_COLOR counts as none: https://no-color.org
    assert!(on_a_terminal("", &[("NO_COLOR", "")]).unwrap_or_default().contains("\u{1b}["));
}

#[test]
fn text_keeps_to_its_width_but_for_commands() {
    for width in ["60", "80", "120"] {
        let run = launchpath(&["--width", width, "diagnose", "--bundle", &scenario("incident/as-collected")]);
        let columns: usize = width.parse().expect("a number");
        for line in run.stdout.lines() {
            let command =
                line.trim_start().starts_with("aws ") || line.trim_start().starts_with("launchpath ");
            assert!(command || line.chars().count() <= columns, "{width}: {line}");
        }
    }
}

#[test]
fn every_fault_is_explained() {
    let catalogue = launchpath(&["explain"]);
    assert_eq!(catalogue.code, 0);
    for fault in launchpath_diagnose::faults::all() {
        assert!(catalogue.stdout.contains(fault.code), "{}", fault.code);
        let page = launchpath(&["explain", fault.code]);
        assert_eq!(page.code, 0);
        for heading in ["What happens", "Why", "How launchpath knows", "Confirm by hand", "Fix", "References"]
        {
            assert!(page.stdout.contains(heading), "{}: {heading}", fault.code);
        }
    }
}

#[test]
fn the_minimum_policy_prints_in_every_form() {
    let json = launchpath(&["permissions"]);
    assert_eq!(json.code, 0);
    let policy = json.json();
    let text = policy.to_string();
    assert!(text.contains("bedrock-agentcore:GetAgentRuntime") && text.contains("cloudtrail:LookupEvents"));
    for write in ["Create", "Delete", "Put", "Update", "Invoke"] {
        assert!(!text.contains(&format!(":{write}")), "collection never writes: {write}");
    }
    assert!(
        launchpath(&["permissions", "--format", "cloudformation"]).stdout.contains("AWS::IAM::ManagedPolicy")
    );
    assert!(launchpath(&["permissions", "--format", "terraform"]).stdout.contains("aws_iam_policy"));
}

#[test]
fn a_collection_can_be_read_before_it_is_run() {
    let run = launchpath(&["collect", "agent-abcdefghij", "--dry-run"]);
    assert_eq!(run.code, 0);
    assert!(run.stdout.contains("DescribeSubnets") && run.stdout.contains("ec2:DescribeSubnets"));
    let script = launchpath(&["collect", "agent-abcdefghij", "--script"]);
    assert_eq!(script.code, 0);
    assert!(script.stdout.starts_with("#!") && script.stdout.contains("aws "));
}

#[test]
fn without_credentials_the_environment_is_to_blame() {
    let run = launchpath(&["diagnose", "agent-abcdefghij", "--region", "us-east-1"]);
    assert_eq!(run.code, 253, "{}", run.stderr);
    assert!(run.stderr.contains("credentials"), "{}", run.stderr);
}

#[test]
fn a_query_selects_from_the_json_of_every_answer() {
    let bundle = scenario("incident/as-rehearsed");
    let run = launchpath(&["diagnose", "--bundle", &bundle, "--query", "causes[?primary].fault | [0]"]);
    assert_eq!((run.code, run.stdout.as_str()), (1, "\"app.dependency_drift\"\n"), "{}", run.stderr);
    let run = launchpath(&["explain", "--query", "[?fault == 'net.nacl'].stage | [0]"]);
    assert_eq!((run.code, run.stdout.as_str()), (0, "\"artifact_fetch\"\n"), "{}", run.stderr);
    let run = launchpath(&["permissions", "--query", "Version"]);
    assert_eq!(run.stdout, "\"2012-10-17\"\n", "{}", run.stderr);
    let nat = scenario("base/nat");
    let run = launchpath(&["reach", "agent-abcdefghij", "ecr.api", "--bundle", &nat, "--query", "reachable"]);
    assert_eq!((run.code, run.stdout.as_str()), (0, "true\n"), "{}", run.stderr);
    let words =
        ["can", "agent-role", "ecr:GetAuthorizationToken", "*", "--bundle", &nat, "--query", "decision"];
    let run = launchpath(&words);
    // No control policy was seen.
    assert_eq!((run.code, run.stdout.as_str()), (3, "\"Unknown\"\n"), "{}", run.stderr);
    let run = launchpath(&["compare", &bundle, &nat, "--query", "here.verdict"]);
    assert_eq!(run.stdout, "\"blocked\"\n", "{}", run.stderr);
    let run = launchpath(&["permissions", "--check", "--bundle", &nat, "--query", "type(@)"]);
    assert_eq!(run.stdout, "\"object\"\n", "{}", run.stderr);
    let folder = tempfile::tempdir().expect("a folder");
    let code = folder.path().join("code.zip");
    let mut archive = zip::ZipWriter::new(std::fs::File::create(&code).expect("a file"));
    archive.start_file("main.py", zip::write::SimpleFileOptions::default()).expect("an entry");
    std::io::Write::write_all(&mut archive, b"import gone\n").expect("written");
    archive.finish().expect("an archive");
    let words = ["inspect", &code.display().to_string(), "--entry-point", "main.py", "--query", "kind"];
    assert_eq!(launchpath(&words).stdout, "\"code_zip\"\n");
    for words in [
        &["diagnose", "--bundle", &bundle, "--query", "causes["][..],
        &["diagnose", "--bundle", &bundle, "--query", "a", "--format", "html"],
        &["collect", "x", "--script", "--query", "a"],
        &["permissions", "--format", "terraform", "--query", "a"],
    ] {
        let run = launchpath(words);
        assert_eq!(run.code, 252, "{words:?}: {}", run.stderr);
        assert!(run.stdout.is_empty(), "{words:?}");
    }
}

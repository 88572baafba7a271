//! What is made from the declared command line: completions, man pages, and `docs/cli.md`.

use std::process::{Command, Stdio};

use crate::program::{launchpath, repository};

/// Every command that help names.
fn commands() -> Vec<String> {
    let help = launchpath(&["--help"]).stdout;
    let (_, list) = help.split_once("Commands:\n").expect("commands");
    let lines = list.lines().take_while(|line| !line.is_empty());
    // A command's name stands two columns in, its words further.
    let names = lines.filter_map(|line| line.strip_prefix("  ").filter(|line| !line.starts_with(' ')));
    let names = names.filter_map(|line| line.split_whitespace().next()).filter(|name| *name != "help");
    let names: Vec<String> = names.map(str::to_owned).collect();
    for known in ["diagnose", "verify", "completions", "man"] {
        assert!(names.iter().any(|name| name == known), "{known}: {names:?}");
    }
    names
}

/// Runs a program of this machine; `None` where it is missing, which is no way out in CI.
fn other(program: &str, words: &[&str]) -> Option<std::process::Output> {
    let output = Command::new(program).args(words).stdin(Stdio::null()).output().ok();
    let needed = std::env::var_os("CI").is_some() && matches!(program, "bash" | "groff");
    assert!(output.is_some() || !needed, "{program} is missing: .ci/setup installs it");
    output
}

#[test]
fn every_shell_gets_a_script_that_knows_every_command() {
    let folder = tempfile::tempdir().expect("a folder");
    for shell in ["bash", "zsh", "fish", "powershell", "elvish"] {
        let run = launchpath(&["completions", shell]);
        assert_eq!(run.code, 0, "{shell}: {}", run.stderr);
        for command in &commands() {
            assert!(run.stdout.contains(command.as_str()), "{shell}: {command}");
        }
        let path = folder.path().join(shell);
        std::fs::write(&path, &run.stdout).expect("written");
        // Only these shells can check without running.
        if !matches!(shell, "bash" | "zsh" | "fish") {
            continue;
        }
        match other(shell, &["-n", &path.display().to_string()]) {
            Some(checked) => {
                assert!(checked.status.success(), "{shell}: {}", String::from_utf8_lossy(&checked.stderr));
            }
            None => println!("not checked by {shell}, which is not here"),
        }
    }
    assert_eq!(launchpath(&["completions", "tcsh"]).code, 252);
}

#[test]
fn bash_completes_commands_options_and_values() {
    let folder = tempfile::tempdir().expect("a folder");
    let script = folder.path().join("launchpath.bash");
    std::fs::write(&script, launchpath(&["completions", "bash"]).stdout).expect("written");
    let complete = |words: &[&str]| {
        let typed = words.iter().map(|word| format!("'{word}'")).collect::<Vec<_>>().join(" ");
        let program = format!(
            "source {}; COMP_WORDS=(launchpath {typed}); COMP_CWORD={}; \
             _launchpath launchpath '{}' '{}'; printf '%s\\n' \"${{COMPREPLY[@]}}\"",
            script.display(),
            words.len(),
            words[words.len() - 1],
            if words.len() > 1 { words[words.len() - 2] } else { "launchpath" },
        );
        let output = other("bash", &["-c", &program])?;
        Some(String::from_utf8_lossy(&output.stdout).into_owned())
    };
    let Some(commands) = complete(&["di"]) else {
        println!("skipped: no bash here");
        return;
    };
    assert_eq!(commands.trim(), "diagnose");
    assert_eq!(complete(&["diagnose", "--appl"]).unwrap_or_default().trim(), "--apply-fixes-to");
    let formats = complete(&["diagnose", "--format", "s"]).unwrap_or_default();
    assert!(formats.lines().any(|line| line == "sarif"), "{formats}");
}

#[test]
fn there_is_a_man_page_for_every_command() {
    let folder = tempfile::tempdir().expect("a folder");
    let run = launchpath(&["man", "--out", &folder.path().display().to_string()]);
    assert_eq!(run.code, 0, "{}", run.stderr);
    let mut names: Vec<String> = std::fs::read_dir(folder.path())
        .expect("the folder")
        .map(|entry| entry.expect("an entry").file_name().to_string_lossy().into_owned())
        .collect();
    names.sort();
    let mut expected: Vec<String> = commands().iter().map(|name| format!("launchpath-{name}.1")).collect();
    expected.push("launchpath.1".to_owned());
    expected.sort();
    assert_eq!(names, expected);
    for name in names {
        let path = folder.path().join(&name);
        let page = std::fs::read_to_string(&path).expect("the page");
        let title = name.trim_end_matches(".1");
        assert!(page.contains(&format!(".TH {title} 1")), "{name}: {}", &page[..200]);
        let path = path.display().to_string();
        match other("groff", &["-man", "-Tutf8", "-ww", "-z", &path]) {
            Some(checked) => {
                let said = String::from_utf8_lossy(&checked.stderr);
                assert!(checked.status.success() && said.is_empty(), "{name}: {said}");
            }
            None => println!("not checked by groff, which is not here"),
        }
    }
    assert_eq!(
        launchpath(&["man"]).stdout,
        std::fs::read_to_string(folder.path().join("launchpath.1")).expect("a page")
    );
}

#[test]
fn the_reference_of_commands_is_current() {
    let run = launchpath(&["man", "--format", "markdown"]);
    assert_eq!(run.code, 0, "{}", run.stderr);
    for command in &commands() {
        assert!(run.stdout.contains(&format!("\n## launchpath {command}\n")), "{command}");
    }
    let path = repository("docs/cli.md");
    if std::env::var_os("LAUNCHPATH_UPDATE").is_some() {
        std::fs::write(&path, &run.stdout).expect("written");
    }
    let kept = std::fs::read_to_string(&path).unwrap_or_default();
    assert!(
        kept == run.stdout,
        "docs/cli.md is not what `launchpath man --format markdown` prints: LAUNCHPATH_UPDATE=1 cargo test -p launchpath \
         --test it manual"
    );
}

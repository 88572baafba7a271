//! Code zips under rehearsal, laid into a base that the user names: never into this machine's own interpreter.

use std::io::{Read as _, Write as _};
use std::net::TcpStream;
use std::path::{Path, PathBuf};
use std::process::Command;

use serde_json::Value;

use crate::emulator::Emulator;
use crate::images::{self, skipped};
use crate::program::{Run, launchpath, repository, scenario};

/// A folder of files, zipped by Python.
fn zip(folder: &Path, name: &str, files: &[(&str, Vec<u8>)]) -> PathBuf {
    let source = folder.join(name);
    for (path, content) in files {
        let path = source.join(path);
        std::fs::create_dir_all(path.parent().expect("a folder")).expect("made");
        std::fs::write(path, content).expect("written");
    }
    let zip = folder.join(format!("{name}.zip"));
    let entries = std::fs::read_dir(&source).expect("a folder").flatten().map(|entry| entry.path());
    let status = Command::new("python3").args(["-m", "zipfile", "-c"]).arg(&zip).args(entries).status();
    assert!(status.expect("Python runs").success());
    zip
}

fn agent(name: &str) -> (&str, Vec<u8>) {
    let path = repository(&format!("tests/images/agents/{name}"));
    (name, std::fs::read(path).expect("an agent"))
}

fn rehearse(zip: &Path, words: &[&str]) -> Option<Run> {
    let zip = zip.display().to_string();
    let run = launchpath(&[&["rehearse", &zip, "--format", "json"], words].concat());
    if run.code == 253 && run.stderr.contains("no sandbox") && std::env::var_os("CI").is_none() {
        skipped(&run.stderr);
        return None;
    }
    Some(run)
}

#[test]
fn a_code_zip_runs_on_the_base_that_the_user_names_and_the_record_says_so() {
    let Some(images) = images::built(&["sound"]) else { return };
    let base = images[0].path.as_str();
    let folder = tempfile::tempdir().expect("a folder");

    let sound = zip(folder.path(), "sound", &[agent("sound.py"), agent("web.py")]);
    let words = ["--base", base, "--runtime", "PYTHON_3_11", "--entry-point", "sound.py"];
    let Some(run) = rehearse(&sound, &words) else { return };
    let record = run.json();
    assert_eq!((run.code, &record["passed"]), (0, &Value::Bool(true)), "{record:#}\n{}", run.stderr);
    assert_eq!(record["base"]["image"], base);
    assert_eq!(record["base"]["interpreter"], "/usr/bin/python3.11");
    assert_eq!(record["digest"], Value::Null, "the digest of a base is none of the code");
    let gaps = record["not_checked"].to_string();
    assert!(gaps.contains("which is not AWS's"), "{gaps}");
    assert!(record["clauses"].to_string().contains("within 30 s"), "the limit of code: {record:#}");

    let broken = zip(folder.path(), "broken", &[("main.py", b"import nothing_of_the_kind\n".to_vec())]);
    let run = rehearse(&broken, &["--base", base, "--entry-point", "main.py"]).expect("it ran before");
    let record = run.json();
    assert_eq!((run.code, &record["reason"]), (1, &Value::from("exited")), "{record:#}");
    let output = record["output"].as_str().unwrap_or_default();
    assert!(output.contains("/code/main.py") && output.contains("nothing_of_the_kind"), "{output}");
    assert!(record["not_checked"].to_string().contains("was not said"), "{record:#}");
}

#[test]
fn a_code_zip_in_s3_comes_from_where_the_command_line_says() {
    let Some(images) = images::built(&["sound"]) else { return };
    let Some(emulator) = Emulator::start() else { return };
    let folder = tempfile::tempdir().expect("a folder");
    let sound = zip(folder.path(), "sound", &[agent("sound.py"), agent("web.py")]);
    put(&emulator, "/code-bucket", b"");
    put(&emulator, "/code-bucket/agents/sound.zip", &std::fs::read(sound).expect("a zip"));

    let code = "s3://code-bucket/agents/sound.zip";
    let how = ["--base", &images[0].path, "--entry-point", "sound.py", "--region", "us-east-1"];
    let run = emulator.launchpath(&[&["rehearse", code, "--format", "json"], &how[..]].concat());
    if run.code == 253 && run.stderr.contains("no sandbox") && std::env::var_os("CI").is_none() {
        skipped(&run.stderr);
        return;
    }
    let record = run.json();
    assert_eq!((run.code, &record["passed"]), (0, &Value::Bool(true)), "{record:#}\n{}", run.stderr);
    assert_eq!(record["image"], code);
    assert!(record["clauses"].to_string().contains("within 30 s"), "the limit of code: {record:#}");

    let run = emulator.launchpath(&["rehearse", "s3://code-bucket/none.zip", "--base", &images[0].path]);
    assert_eq!(run.code, 253, "{}", run.stdout);
    assert!(run.stderr.contains("s3://code-bucket/none.zip was refused"), "{}", run.stderr);
}

/// Puts a bucket, or an object, into the emulator's S3.
fn put(emulator: &Emulator, path: &str, body: &[u8]) {
    let host = emulator.url.trim_start_matches("http://");
    let mut stream = TcpStream::connect(host).expect("the emulator answers");
    let length = body.len();
    write!(
        stream,
        "PUT {path} HTTP/1.1\r\nhost: {host}\r\ncontent-length: {length}\r\nconnection: close\r\n\r\n"
    )
    .expect("sent");
    stream.write_all(body).expect("sent");
    let mut answer = String::new();
    stream.read_to_string(&mut answer).expect("an answer");
    assert!(answer.starts_with("HTTP/1.1 200"), "{answer}");
}

#[test]
fn what_would_make_a_code_zip_s_rehearsal_untrue_is_refused() {
    let Some(images) = images::built(&["sound"]) else { return };
    let base = images[0].path.as_str();
    let folder = tempfile::tempdir().expect("a folder");
    let plain = zip(folder.path(), "plain", &[("main.py", b"print()\n".to_vec())]);
    let mut library = b"\x7fELF\x02\x01\x01".to_vec();
    library.resize(18, 0);
    library.extend([0xb7, 0, 1, 0, 0, 0]);
    library.resize(64, 0);
    let native =
        zip(folder.path(), "native", &[("main.py", b"print()\n".to_vec()), ("fast/_fast.so", library)]);
    let entry = ["--entry-point", "main.py"];
    for (zip, words, code, said) in [
        (&plain, &entry[..], 253, "--base"),
        (&plain, &["--base", base][..], 252, "--entry-point"),
        (&plain, &["--base", base, "--runtime", "PYTHON_3_12"][..], 252, "no python3.12"),
        (&plain, &["--base", base, "--runtime", "COBOL_85"][..], 252, "no runtime known"),
        (&native, &["--base", base][..], 252, "fast/_fast.so is for arm64"),
    ] {
        let mut words = words.to_vec();
        if said != "--entry-point" {
            words.extend(entry);
        }
        let Some(run) = rehearse(zip, &words) else { return };
        assert_eq!(run.code, code, "{words:?}: {}", run.stderr);
        assert!(run.stderr.contains(said), "{words:?}: {}", run.stderr);
    }
    // Only code zips have a base.
    let run = launchpath(&["rehearse", base, "--base", base]);
    assert_eq!(run.code, 252, "{}", run.stderr);
    // A diagnosis with a code zip at hand inspects it, and says that it was not rehearsed.
    let bundle = scenario("incident/as-collected");
    let plain = plain.display().to_string();
    let run = launchpath(&["diagnose", "--bundle", &bundle, "--image", &plain, "--format", "json"]);
    assert!(run.stderr.contains("not rehearsed"), "{}", run.stderr);
    assert!(run.code == 1 || run.code == 3, "{}: {}", run.code, run.stderr);
}

//! A process from its start to its removal.

use std::io::{Read as _, Write as _};
use std::net::SocketAddr;
use std::time::{Duration, Instant};

use launchpath_rehearse::subject::{Ending, StartFailure, Subject as _};

use super::image::{Image, PATIENCE, run, start};

#[test]
fn a_static_server_answers_and_is_seen_listening() {
    let Some(image) = Image::new() else { return };
    image.file("www/ping", "{\"status\":\"Healthy\"}");
    let mut sandbox = start(&image.plan(&["httpd", "-f", "-p", "8080", "-h", "/www"]));
    let begun = Instant::now();
    let mut stream = loop {
        match sandbox.connect(8080, Duration::from_secs(1)) {
            Ok(stream) => break stream,
            Err(error) => assert!(begun.elapsed() < PATIENCE, "{error}"),
        }
    };
    stream.write_all(b"GET /ping HTTP/1.0\r\n\r\n").unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).unwrap();
    assert!(answer.contains("200 OK") && answer.contains("Healthy"), "{answer}");
    let listeners: Vec<SocketAddr> =
        sandbox.listeners().unwrap().into_iter().map(|listener| listener.at).collect();
    assert_eq!(listeners, ["[::]:8080".parse().unwrap()]);
    assert_eq!(sandbox.exited(), None);
    sandbox.stop();
    sandbox.stop();
    assert!(sandbox.connect(8080, Duration::from_secs(1)).is_err());
}

#[test]
fn output_and_exit_code_are_the_process_s_own() {
    let Some(image) = Image::new() else { return };
    let outcome = image.run("echo out; echo error >&2; exit 7");
    assert_eq!((outcome.output.as_str(), outcome.error.as_str()), ("out\n", "error\n"));
    assert_eq!(outcome.exit.how, Ending::Code(7));
    // Without a handler, the first process of a namespace is immune to signals from within, as in a session.
    assert_eq!(image.run("kill -TERM 1; echo alive").ok(), "alive\n");
}

#[test]
fn what_it_finds_is_the_image_s_and_nothing_of_this_machine() {
    let Some(image) = Image::new() else { return };
    let mut plan = image.script("echo $$; hostname; pwd; id -u; id -G; env; ls /; ls /proc/self/fd; cat /proc/self/cgroup; ls /.dockerenv");
    plan.environment = vec!["GREETING=hello".to_owned()];
    plan.user = Some("app".to_owned());
    plan.working_directory = Some("/opt/app".to_owned());
    let outcome = run(&plan);
    let lines: Vec<&str> = outcome.output.lines().collect();
    assert_eq!(lines[..5], ["1", "localhost", "/opt/app", "1000", "1000 44"], "{outcome:?}");
    for wanted in ["GREETING=hello", "HOME=/opt/app"] {
        assert!(lines.contains(&wanted), "{wanted} in {outcome:?}");
    }
    assert_eq!(
        lines.iter().filter(|line| line.starts_with(char::is_uppercase) && line.contains('=')).count(),
        5,
        "the image's, PATH, HOME, and the shell's own: {outcome:?}"
    );
    assert!(outcome.error.contains("/.dockerenv"), "{outcome:?}");
}

#[test]
fn the_machine_it_sees_has_the_size_of_a_session() {
    let Some(image) = Image::new() else { return };
    let mut plan = image.script("grep MemTotal /proc/meminfo; grep -c ^processor /proc/cpuinfo; nproc; cat /sys/devices/system/cpu/online");
    plan.limits.processors = 1;
    assert_eq!(run(&plan).ok(), "MemTotal:        8388608 kB\n1\n1\n0\n");
}

#[test]
fn what_keeps_a_program_from_starting_is_told_apart() {
    let Some(image) = Image::new() else { return };
    image.file("bin/broken", "no program");
    image.file("bin/locked", "#!/bin/sh\n");
    image.file("bin/script", "#!/usr/bin/python3\n");
    for name in ["broken", "script"] {
        let path = image.path().join("bin").join(name);
        std::fs::set_permissions(path, std::os::unix::fs::PermissionsExt::from_mode(0o755)).unwrap();
    }
    let failure = |argv: &[&str]| match run(&image.plan(argv)).exit.how {
        Ending::NotStarted(failure) => failure,
        other => panic!("{other:?}"),
    };
    assert_eq!(failure(&[]), StartFailure::NoCommand);
    assert_eq!(failure(&["agent"]), StartFailure::NotFound("agent".to_owned()));
    assert_eq!(failure(&["/bin/broken"]), StartFailure::ExecFormat("/bin/broken".to_owned()));
    assert_eq!(failure(&["locked"]), StartFailure::PermissionDenied("/bin/locked".to_owned()));
    let interpreter = "/usr/bin/python3".to_owned();
    assert_eq!(
        failure(&["script"]),
        StartFailure::InterpreterMissing { program: "/bin/script".to_owned(), interpreter }
    );
    let mut plan = image.plan(&["true"]);
    plan.user = Some("agent".to_owned());
    assert_eq!(run(&plan).exit.how, Ending::NotStarted(StartFailure::UnknownUser("agent".to_owned())));
    plan.user = None;
    plan.working_directory = Some("/srv".to_owned());
    assert_eq!(run(&plan).exit.how, Ending::NotStarted(StartFailure::WorkingDirectory("/srv".to_owned())));
}

#[test]
fn what_it_writes_never_reaches_the_image() {
    let Some(image) = Image::new() else { return };
    image
        .run("echo new > /etc/passwd && rm -r /www && touch /made && chmod 700 /bin && cat /etc/passwd")
        .ok();
    assert!(image.path().join("www").is_dir());
    assert!(!image.path().join("made").exists());
    assert!(std::fs::read_to_string(image.path().join("etc/passwd")).unwrap().contains("root"));
    assert!(!image.path().join("etc/resolv.conf").exists());
}

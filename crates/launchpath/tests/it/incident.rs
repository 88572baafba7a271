//! The founding incident through the binary: the three answers, in every format.

use crate::program::{codes, launchpath, scenario};

#[test]
fn as_reported_nothing_decides_and_the_blind_query_is_named() {
    let run = launchpath(&["diagnose", "--bundle", &scenario("incident/as-reported"), "--format", "json"]);
    assert_eq!(run.code, 3, "{}", run.stderr);
    let diagnosis = run.json();
    assert_eq!(diagnosis["verdict"], "undecided");
    let trap =
        diagnosis["warnings"].as_array().into_iter().flatten().find(|w| w["code"] == "trap.eni_evidence");
    let command = trap.and_then(|trap| trap["command"].as_str()).unwrap_or_default();
    assert!(command.contains("describe-network-interfaces") && command.contains("subnet-id"), "{command}");
    assert_eq!(diagnosis["statements"][0]["by"], "engineer");
    assert!(
        !codes(&diagnosis["ruled_out"]).contains(&"iam.slr_missing_or_denied"),
        "nobody looked at the role"
    );
}

#[test]
fn as_collected_the_network_is_right_and_the_image_is_the_suspect() {
    let run = launchpath(&["diagnose", "--bundle", &scenario("incident/as-collected"), "--format", "json"]);
    assert_eq!(run.code, 3, "{}", run.stderr);
    let diagnosis = run.json();
    let attach =
        diagnosis["chain"].as_array().into_iter().flatten().find(|stage| stage["stage"] == "network_attach");
    assert_eq!(attach.map(|stage| stage["state"].clone()), Some("reached".into()));
    for suspect in codes(&diagnosis["causes"]).iter().take(3) {
        assert!(
            suspect.starts_with("app.") || suspect.starts_with("contract.") || suspect.starts_with("image."),
            "{suspect}"
        );
    }
    let probe = &diagnosis["next_probes"][0];
    assert!(probe["what"].as_str().unwrap_or_default().contains("Rehearse"), "{probe}");
    let image =
        diagnosis["comparison"]["differences"].as_array().into_iter().flatten().any(|d| d["what"] == "image");
    assert!(image, "the comparison names the image");
}

#[test]
fn as_rehearsed_the_dependency_is_confirmed() {
    let run = launchpath(&["diagnose", "--bundle", &scenario("incident/as-rehearsed"), "--format", "json"]);
    assert_eq!(run.code, 1, "{}", run.stderr);
    let diagnosis = run.json();
    assert_eq!(diagnosis["verdict"], "blocked");
    let cause = &diagnosis["causes"][0];
    assert_eq!(
        (&cause["fault"], &cause["status"], &cause["primary"]),
        (&"app.dependency_drift".into(), &"confirmed".into(), &true.into())
    );
    assert_eq!(cause["fix"]["verified"]["reaches"], "response");
}

#[test]
fn every_citation_resolves() {
    for name in ["as-reported", "as-collected", "as-rehearsed"] {
        let run =
            launchpath(&["diagnose", "--bundle", &scenario(&format!("incident/{name}")), "--format", "json"]);
        let diagnosis = run.json();
        let known: Vec<&str> = diagnosis["evidence"]
            .as_array()
            .into_iter()
            .flatten()
            .filter_map(|call| call["id"].as_str())
            .collect();
        let mut cited = Vec::new();
        citations(&diagnosis, &mut cited);
        assert!(!cited.is_empty());
        for id in cited {
            assert!(known.contains(&id.as_str()), "{name}: {id} does not resolve");
        }
        for cause in diagnosis["causes"].as_array().into_iter().flatten() {
            let lines = cause["because"].as_array().into_iter().flatten();
            assert!(
                lines.into_iter().any(|line| line["evidence"].as_array().is_some_and(|ids| !ids.is_empty())),
                "{cause}"
            );
        }
        for ruled in diagnosis["ruled_out"].as_array().into_iter().flatten() {
            assert!(ruled["evidence"].as_array().is_some_and(|ids| !ids.is_empty()), "{ruled}");
        }
    }
}

fn citations(value: &serde_json::Value, cited: &mut Vec<String>) {
    match value {
        serde_json::Value::Object(members) => {
            for (name, member) in members {
                if let (true, Some(ids)) = (matches!(name.as_str(), "evidence" | "calls"), member.as_array())
                {
                    cited.extend(ids.iter().filter_map(|id| id.as_str().map(str::to_owned)));
                }
                citations(member, cited);
            }
        }
        serde_json::Value::Array(items) => items.iter().for_each(|item| citations(item, cited)),
        _ => {}
    }
}

#[test]
fn the_same_bundle_gives_the_same_bytes_in_every_format() {
    for format in ["text", "markdown", "json"] {
        let words = ["diagnose", "--bundle", &scenario("incident/as-collected"), "--format", format];
        let (first, second) = (launchpath(&words), launchpath(&words));
        assert_eq!(first.stdout, second.stdout, "{format}");
        assert_eq!(first.code, 3, "{format}: the exit code is the same for every format");
        assert!(!first.stdout.contains('\u{1b}'), "{format}: no colour when nobody looks");
    }
}

#[test]
fn a_zip_and_a_directory_say_the_same_as_the_file() {
    let folder = tempfile::tempdir().expect("a temporary directory");
    let bytes = std::fs::read(scenario("incident/as-collected")).expect("the bundle");
    std::fs::write(folder.path().join("bundle.json"), &bytes).expect("written");
    let archive = folder.path().join("case.zip");
    let mut writer = zip::ZipWriter::new(std::fs::File::create(&archive).expect("a file"));
    writer.start_file("bundle.json", zip::write::SimpleFileOptions::default()).expect("an entry");
    std::io::Write::write_all(&mut writer, &bytes).expect("written");
    writer.finish().expect("an archive");
    let inside = folder.path().join("case");
    std::fs::create_dir(&inside).expect("a directory");
    std::fs::write(inside.join("bundle.json"), &bytes).expect("written");
    let of = |path: &str| launchpath(&["diagnose", "--bundle", path, "--format", "json"]).stdout;
    let file = of(&scenario("incident/as-collected"));
    assert_eq!(of(&archive.display().to_string()), file);
    assert_eq!(of(&inside.display().to_string()), file);
}

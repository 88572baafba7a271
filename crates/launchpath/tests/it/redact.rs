//! Redaction through the binary: nothing that tells who is left, in any format, and the answer stays.

use crate::program::{launchpath, scenario};

/// Identities of the incident.
const WHO: [&str; 8] = [
    "111122223333",
    "7XCALx4Xuw",
    "manus",
    "vpc-05975448296a22c21",
    "subnet-0b2fb367d6e823a79",
    "eni-0a38f435c9aac51ea",
    "sg-0affaea9ac4dc26b1",
    "10.100.1.",
];

#[test]
fn no_format_of_a_redacted_diagnosis_names_anybody() {
    for name in ["incident/as-reported", "incident/as-collected", "incident/as-rehearsed"] {
        let bundle = scenario(name);
        let code = launchpath(&["diagnose", "--bundle", &bundle]).code;
        for format in [
            "text",
            "markdown",
            "html",
            "json",
            "jsonl",
            "sarif",
            "junit",
            "github",
            "step-summary",
            "support-case",
        ] {
            let words = ["diagnose", "--bundle", &bundle, "--redact", "--format", format, "--detail", "full"];
            let run = launchpath(&words);
            assert_eq!(run.code, code, "{name} {format}: {}", run.stderr);
            for who in WHO {
                assert!(!run.stdout.contains(who), "{who} in {format} of {name}");
            }
        }
    }
}

#[test]
fn a_redacted_bundle_is_the_same_each_time_and_reads_the_same() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = |name: &str| folder.path().join(name).display().to_string();
    let bundle = scenario("incident/as-rehearsed");
    std::fs::write(folder.path().join("key"), "a secret").expect("a key");
    let (one, two, keyed) = (path("one.json"), path("two.json"), path("keyed.json"));
    for (out, key) in [(&one, None), (&two, None), (&keyed, Some(path("key")))] {
        let mut words = vec!["redact", &bundle, "--output", out];
        words.extend(key.iter().flat_map(|key| ["--redact-key", key.as_str()]));
        let run = launchpath(&words);
        assert_eq!(run.code, 0, "{}", run.stderr);
    }
    let read = |path: &str| std::fs::read_to_string(path).expect("a bundle");
    assert_eq!(read(&one), read(&two));
    assert_ne!(read(&one), read(&keyed), "another key, other pseudonyms");
    let query = "[verdict, causes[0].fault, causes[0].fix.verified.reaches]";
    let answer = |bundle: &str| launchpath(&["diagnose", "--bundle", bundle, "--query", query]).stdout;
    assert_eq!(answer(&one), answer(&bundle));
    assert_eq!(answer(&keyed), answer(&bundle));
}

//! Inputs that want to harm the reader, or that are simply broken.

use std::io::{Cursor, Write};

use launchpath_intake::documents::{MAX_DOCUMENTS, MAX_RATIO, RATIO_FREE_BYTES};
use launchpath_intake::{
    Documents, IntakeError, MemoryDocuments, Problem, ReadError, ZipDocuments, open, open_bytes,
};
use zip::write::{SimpleFileOptions, ZipWriter};

/// An archive of these entries.
pub(crate) fn zip(entries: &[(&str, &[u8])]) -> Vec<u8> {
    let mut writer = ZipWriter::new(Cursor::new(Vec::new()));
    for (name, bytes) in entries {
        writer.start_file(*name, SimpleFileOptions::default()).unwrap();
        writer.write_all(bytes).unwrap();
    }
    writer.finish().unwrap().into_inner()
}

/// The archive with every `from` in its bytes replaced by `to` of the same length.
fn patched(mut archive: Vec<u8>, from: &[u8], to: &[u8]) -> Vec<u8> {
    assert_eq!(from.len(), to.len());
    let places: Vec<usize> = archive
        .windows(from.len())
        .enumerate()
        .filter(|(_, window)| *window == from)
        .map(|(at, _)| at)
        .collect();
    assert!(!places.is_empty());
    for at in places {
        archive[at..at + to.len()].copy_from_slice(to);
    }
    archive
}

fn refused(archive: &[u8]) -> IntakeError {
    let error = open_bytes("case.zip", archive).unwrap_err();
    assert_eq!(error.problem(), Problem::Refused, "{error}");
    error
}

const BUNDLE: &[u8] = br#"{"format":"launchpath-bundle/1","calls":[]}"#;

#[test]
fn names_that_leave_the_archive_are_refused() {
    for name in ["../x", "/etc/x", "a/../../x", "C:/xxx", "C:\\xx", "a\\..\\x", "a\nb"] {
        let placeholder = "q".repeat(name.len());
        let archive = patched(zip(&[(&placeholder, BUNDLE)]), placeholder.as_bytes(), name.as_bytes());
        let error = refused(&archive);
        assert!(error.to_string().contains("relative name"), "{name}: {error}");
    }
}

#[test]
fn a_link_is_refused() {
    let mut writer = ZipWriter::new(Cursor::new(Vec::new()));
    writer.add_symlink("bundle.json", "/etc/passwd", SimpleFileOptions::default()).unwrap();
    let archive = writer.finish().unwrap().into_inner();
    assert!(refused(&archive).found().contains("symbolic link"));
}

#[test]
fn a_name_that_occurs_twice_is_refused() {
    let archive = zip(&[("a.json", BUNDLE), ("b.json", BUNDLE)]);
    assert!(refused(&patched(archive, b"b.json", b"a.json")).found().contains("twice"));
    // The same file under two spellings.
    let archive = zip(&[("x/a.json", BUNDLE), ("x//.json", BUNDLE)]);
    assert!(ZipDocuments::new(&archive).is_ok());
    let archive = zip(&[("a.json", BUNDLE), ("./a.json", BUNDLE)]);
    assert!(refused(&archive).found().contains("twice"));
}

#[test]
fn a_bomb_is_refused_before_it_is_unpacked() {
    let zeros = vec![b' '; 8 * usize::try_from(RATIO_FREE_BYTES).unwrap()];
    let error = refused(&zip(&[("bundle.json", &zeros)]));
    assert!(error.found().contains(&MAX_RATIO.to_string()), "{error}");
}

#[test]
fn a_bomb_with_a_lying_header_is_refused_while_it_is_unpacked() {
    let size = 8 * usize::try_from(RATIO_FREE_BYTES).unwrap();
    let archive = zip(&[("bundle.json", &vec![b' '; size])]);
    // The header promises 512 KiB.
    let lie = u32::try_from(RATIO_FREE_BYTES / 2).unwrap().to_le_bytes();
    let truth = u32::try_from(size).unwrap().to_le_bytes();
    let archive = patched(archive, &truth, &lie);
    let documents = ZipDocuments::new(&archive).unwrap();
    match documents.read("bundle.json", u64::MAX) {
        // Whatever the reader underneath makes of the lie, more than the free size never comes out.
        Ok(bytes) => assert!(bytes.len() as u64 <= RATIO_FREE_BYTES),
        Err(error) => assert!(matches!(error, ReadError::Refused(_) | ReadError::Failed(_)), "{error}"),
    }
    assert!(open_bytes("case.zip", &archive).is_err());
}

#[test]
fn too_many_entries_are_refused() {
    let names: Vec<String> = (0..=MAX_DOCUMENTS).map(|n| format!("{n}.json")).collect();
    let documents: MemoryDocuments = names.iter().map(|name| (name.as_str(), "{}")).collect();
    assert_eq!(open(&documents).unwrap_err().problem(), Problem::Refused);
    let entries: Vec<(&str, &[u8])> = names.iter().map(|name| (name.as_str(), &b"{}"[..])).collect();
    refused(&zip(&entries));
}

#[test]
fn a_document_over_the_limit_is_refused() {
    struct Endless;
    impl Documents for Endless {
        fn list(&self) -> Result<Vec<String>, IntakeError> {
            Ok(vec!["bundle.json".to_owned()])
        }
        fn read(&self, _: &str, limit: u64) -> Result<Vec<u8>, ReadError> {
            Err(ReadError::TooLarge { limit })
        }
    }
    let error = open(&Endless).unwrap_err();
    assert_eq!((error.problem(), error.file()), (Problem::Refused, Some("bundle.json")));
}

#[test]
fn many_documents_that_are_too_large_together_are_refused() {
    struct Many;
    impl Documents for Many {
        fn list(&self) -> Result<Vec<String>, IntakeError> {
            Ok((0..9).map(|n| format!("{n}.txt")).collect())
        }
        fn read(&self, _: &str, _: u64) -> Result<Vec<u8>, ReadError> {
            Ok(vec![b'x'; 32 << 20])
        }
    }
    let error = open(&Many).unwrap_err();
    assert_eq!(error.problem(), Problem::Refused, "{error}");
}

#[test]
fn many_documents_with_too_many_values_together_are_refused() {
    let wide = format!("{{\"Tags\":[0{}]}}", ",0".repeat(1_000_000));
    let documents: MemoryDocuments = (0..5).map(|n| (format!("{n}.json"), wide.as_str())).collect();
    assert_eq!(open(&documents).unwrap_err().problem(), Problem::Refused);
}

#[test]
fn a_large_file_beside_the_answers_is_passed_over() {
    struct Beside;
    impl Documents for Beside {
        fn list(&self) -> Result<Vec<String>, IntakeError> {
            Ok(vec!["image.tar".to_owned(), "vpcs.json".to_owned()])
        }
        fn read(&self, name: &str, limit: u64) -> Result<Vec<u8>, ReadError> {
            if name == "image.tar" {
                Err(ReadError::TooLarge { limit })
            } else {
                Ok(b"{\"Vpcs\":[]}".to_vec())
            }
        }
    }
    let world = open(&Beside).unwrap();
    assert_eq!((world.evidence.len(), world.not_understood.len()), (1, 1));
}

#[test]
fn a_file_outside_the_bundle_is_never_asked_for() {
    for file in ["../secret.json", "/etc/passwd", "C:/x", "calls\\x", "missing.json", ""] {
        let call = serde_json::json!({ "id": "c1", "service": "ec2", "operation": "DescribeVpcs", "outcome": "ok", "file": file });
        let bundle = serde_json::json!({ "format": "launchpath-bundle/1", "calls": [call] }).to_string();
        let error = open_bytes("bundle.json", bundle.as_bytes()).unwrap_err();
        assert_eq!(error.place(), Some("calls[0].file"), "{file}: {error}");
    }
}

#[test]
fn broken_text_names_the_file_and_the_place() {
    for (bytes, found) in [
        (&b"{\"format\":\"launchpath-bundle/1\",\"calls\":["[..], "end of the file"),
        (b"", "empty"),
        (b"nonsense", "expected"),
        (b"\xff\xfe{\0}\0", "UTF-16"),
        (b"{\"a\":\"\xc3\"}", "encoding"),
    ] {
        let error = open_bytes("dir/case.json", bytes).unwrap_err();
        assert!(error.to_string().contains(found), "{error}");
        assert!(error.to_string().contains("case.json"), "{error}");
    }
    let deep = [vec![b'['; 100_000], vec![b']'; 100_000]].concat();
    assert_eq!(open_bytes("deep.json", &deep).unwrap_err().problem(), Problem::Refused);
    let cut = &zip(&[("bundle.json", BUNDLE)])[..60];
    assert_eq!(open_bytes("case.zip", cut).unwrap_err().problem(), Problem::Malformed);
}

#[test]
fn a_wrong_member_names_its_place_in_bundle_and_file() {
    let call =
        r#"{"id":"c1","service":"ec2","operation":"DescribeSubnets","outcome":"ok","file":"calls/c1.json"}"#;
    let bundle = format!(r#"{{"format":"launchpath-bundle/1","calls":[{call}]}}"#);
    let documents = MemoryDocuments::from_iter([
        ("bundle.json", bundle),
        ("calls/c1.json", r#"{"Subnets":[{"SubnetId":"s","CidrBlock":"10.0.0.0/99"}]}"#.to_owned()),
    ]);
    let error = open(&documents).unwrap_err();
    assert_eq!((error.file(), error.place()), (Some("calls/c1.json"), Some("Subnets[0].CidrBlock")));
    let call = r#"{"id":"c1","service":"ec2","operation":"DescribeSubnets","outcome":"ok","response":{"Subnets":"none"}}"#;
    let bundle = format!(r#"{{"format":"launchpath-bundle/1","calls":[{call}]}}"#);
    let error = open_bytes("x.json", bundle.as_bytes()).unwrap_err();
    assert_eq!((error.file(), error.place()), (Some("x.json"), Some("calls[0].response.Subnets")));
    assert_eq!((error.expected(), error.found()), ("a sequence", "\"none\""));
}

#[test]
fn what_is_unknown_is_kept_and_ignored() {
    let bundle = serde_json::json!({
        "format": "launchpath-bundle/1", "new_header": 1,
        "calls": [
            { "id": "c1", "service": "quantum", "operation": "DescribeCats", "outcome": "ok", "response": [1] },
            { "id": "c2", "service": "ec2", "operation": "DescribeFlowLogs", "outcome": "denied", "request": {} },
            { "id": "c3", "service": "ec2", "operation": "DescribeNetworkInterfaces", "outcome": "ok", "request": {},
              "response": { "NetworkInterfaces": [{ "NetworkInterfaceId": "eni-1", "InterfaceType": "agentic_ai_2",
                "Status": "dreaming", "NewMember": { "a": [null] }, "Groups": null }], "NextToken": null } },
        ]
    });
    let world = open_bytes("bundle.json", bundle.to_string().as_bytes()).unwrap();
    assert_eq!(world.evidence.len(), 3);
    let ids: Vec<&str> = world.not_understood.keys().map(launchpath_model::EvidenceId::as_str).collect();
    assert_eq!(ids, ["c1", "c2"]);
    let (_, row) = world.network.network_interfaces.iter().next().unwrap();
    assert_eq!(row.value.interface_type.as_deref(), Some("agentic_ai_2"));
}

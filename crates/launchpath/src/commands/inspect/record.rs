//! The public record of an inspection: the call `launchpath` / `InspectImage` of a bundle.

use std::collections::BTreeMap;

use launchpath_fetch::{Artifact, CodeZip};
use launchpath_image::document::ImageDocuments;
use launchpath_image::inspect::{Finding, Inspection, NotChecked};
use launchpath_image::tree::{Oddity, Tree};
use serde_json::{Map, Value, json};

use crate::failure::Failure;

/// Members of an image's layers that are named in one line.
const NAMED: usize = 5;

/// A record, and the parts of it that have types.
pub(super) struct Record {
    response: Value,
    findings: Vec<Finding>,
    not_checked: Vec<NotChecked>,
}

impl Record {
    /// What the artifact is, and what was found in it.
    pub(super) fn new(
        image: &str,
        artifact: &mut Artifact,
        tree: &Tree,
        inspection: Inspection,
    ) -> Result<Self, Failure> {
        let mut response = Map::new();
        response.insert("image".to_owned(), image.into());
        response.extend(match artifact {
            Artifact::Container(container) => container_facts(container.documents()),
            Artifact::CodeZip(zip) => zip_facts(zip)?,
            Artifact::RootFs(_) => facts("root_fs"),
        });
        response.insert("uncompressed_bytes".to_owned(), tree.bytes().into());
        let mut inspection = inspection;
        inspection.not_checked.extend(odd_members(tree));
        let Inspection { findings, not_checked, .. } = &inspection;
        let (findings, not_checked) = (findings.clone(), not_checked.clone());
        if let Ok(Value::Object(members)) = serde_json::to_value(&inspection) {
            response.extend(members);
        }
        Ok(Self { response: Value::Object(response), findings, not_checked })
    }

    /// The public record.
    pub(super) fn response(&self) -> &Value {
        &self.response
    }

    pub(super) fn findings(&self) -> &[Finding] {
        &self.findings
    }

    pub(super) fn not_checked(&self) -> &[NotChecked] {
        &self.not_checked
    }

    /// Whether what is started was found, so that finding nothing wrong says something.
    pub(super) fn knows_its_start(&self) -> bool {
        ["file", "module", "program"].iter().any(|name| self.response["start"][name].is_string())
    }
}

/// The members that every kind of artifact has.
fn facts(kind: &str) -> Map<String, Value> {
    let members = json!({
        "kind": kind, "digest": null, "config_digest": null, "index_digest": null, "media_type": null,
        "platform": null, "compressed_bytes": null, "uncompressed_bytes": null, "layers": 0, "config": null,
    });
    members.as_object().cloned().unwrap_or_default()
}

fn container_facts(documents: &ImageDocuments) -> Map<String, Value> {
    let mut members = facts("container");
    let platform = documents.platform();
    let config = documents.config.value.config.clone().unwrap_or_default();
    // Values of variables may be secrets; their names are not.
    let names: Vec<&str> = config
        .env
        .iter()
        .flatten()
        .map(|variable| variable.split_once('=').map_or(variable.as_str(), |(name, _)| name))
        .collect();
    let index = documents.indexes.first();
    for (name, value) in [
        ("digest", json!(documents.manifest.as_ref().map(|manifest| manifest.digest.as_str()))),
        ("config_digest", json!(documents.config.digest.as_str())),
        ("index_digest", json!(index.map(|index| index.digest.as_str()))),
        ("media_type", json!(documents.media_type())),
        (
            "platform",
            json!({ "os": platform.os, "architecture": platform.architecture, "variant": platform.variant }),
        ),
        ("compressed_bytes", json!(documents.compressed_bytes())),
        ("layers", json!(documents.layers)),
        (
            "config",
            json!({
                "user": config.user.unwrap_or_default(),
                "entrypoint": config.entrypoint.unwrap_or_default(),
                "cmd": config.cmd.unwrap_or_default(),
                "working_dir": config.working_dir.unwrap_or_default(),
                "environment_names": names,
                "exposed_ports": config.exposed_ports.unwrap_or_default().into_keys().collect::<Vec<_>>(),
            }),
        ),
    ] {
        members.insert(name.to_owned(), value);
    }
    members
}

fn zip_facts(zip: &mut CodeZip) -> Result<Map<String, Value>, Failure> {
    let mut members = facts("code_zip");
    members.insert("digest".to_owned(), zip.digest()?.as_str().into());
    members.insert("media_type".to_owned(), "application/zip".into());
    members.insert("compressed_bytes".to_owned(), zip.bytes().into());
    Ok(members)
}

/// Members of layers that were passed over or read differently, by what is odd about them.
fn odd_members(tree: &Tree) -> Vec<NotChecked> {
    let mut odd: BTreeMap<&str, (Oddity, Vec<&str>)> = BTreeMap::new();
    for note in tree.notes() {
        odd.entry(note.oddity.text()).or_insert((note.oddity, Vec::new())).1.push(&note.path);
    }
    let mut gaps: Vec<NotChecked> = odd
        .into_iter()
        .map(|(text, (_, paths))| {
            let more = paths.len().saturating_sub(NAMED);
            let more = if more == 0 { String::new() } else { format!(" and {more} more") };
            let named = paths.iter().take(NAMED).copied().collect::<Vec<_>>().join(", ");
            NotChecked::new(format!("{named}{more}"), format!("each {text}"))
        })
        .collect();
    if tree.notes_dropped() > 0 {
        let count = tree.notes_dropped();
        gaps.push(NotChecked::new(format!("{count} more odd members"), "only the first thousand are named"));
    }
    gaps
}

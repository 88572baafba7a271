//! What the documents of an image say: its shape, its platform, its size, its layers, its ports, its environment.

use launchpath_model::aws::image::ProcessConfig;

use super::limit::{architecture, limit, port};
use super::{Certainty, Finding, FindingKind};
use crate::document::ImageDocuments;

/// Findings of an image's documents. `protocol` as the runtime is configured, when that is known.
pub(super) fn shape(documents: &ImageDocuments, protocol: Option<&str>) -> Vec<Finding> {
    let mut findings = Vec::new();
    index(documents, &mut findings);
    platform(documents, &mut findings);
    size(documents, &mut findings);
    let config = documents.config.value.config.clone().unwrap_or_default();
    layers(documents, &config, &mut findings);
    ports(&config, protocol, &mut findings);
    environment(&config, &mut findings);
    findings
}

fn index(documents: &ImageDocuments, findings: &mut Vec<Finding>) {
    let attestations: usize = documents.indexes.iter().map(|index| index.value.attestations()).sum();
    if attestations > 0 {
        let entries = if attestations == 1 {
            "an attestation".to_owned()
        } else {
            format!("{attestations} attestations")
        };
        let text = format!(
            "the name leads to an index with {entries} beside the image; creation has failed on such in the field"
        );
        findings.push(
            Finding::new(FindingKind::AttestationIndex, Certainty::Possible, text)
                .with("attestations", attestations),
        );
    }
    let mut platforms: Vec<String> =
        documents.indexes.iter().flat_map(|index| index.value.platforms()).collect();
    platforms.sort();
    platforms.dedup();
    if platforms.len() > 1 {
        let text = format!("the name leads to an index for {}", platforms.join(", "));
        findings.push(
            Finding::new(FindingKind::MultiArchitectureIndex, Certainty::Possible, text)
                .with("platforms", platforms),
        );
    }
    // Docker's media types are no finding: what fails in the field, seldom, is an OCI manifest where Docker's was expected.
}

fn platform(documents: &ImageDocuments, findings: &mut Vec<Finding>) {
    let platform = documents.platform();
    let (wanted, source) = architecture();
    let Some(found) = platform.architecture.as_deref() else { return };
    let os = platform.os.as_deref().unwrap_or("linux");
    if os == "linux" && found == wanted {
        return;
    }
    let text = format!(
        "the image is for {os}/{found}; runtimes on microVMs need linux/{wanted} (only a capacity provider of x86-64 instances runs others)"
    );
    findings.push(
        Finding::new(FindingKind::WrongArchitecture, Certainty::Certain, text)
            .with("architecture", found)
            .with("wanted", wanted)
            .with("source", source),
    );
}

fn size(documents: &ImageDocuments, findings: &mut Vec<Finding>) {
    let (Some(bytes), Some(limit)) = (documents.compressed_bytes(), limit("container_image_bytes")) else {
        return;
    };
    if bytes > limit.value {
        let text = format!(
            "the image has {} MB compressed; the service takes {}",
            bytes / 1_000_000,
            limit.in_words
        );
        findings.push(
            Finding::new(FindingKind::ImageTooLarge, Certainty::Certain, text)
                .with("bytes", bytes)
                .with("limit", limit.value)
                .with("source", limit.source.as_str()),
        );
    }
}

fn layers(documents: &ImageDocuments, config: &ProcessConfig, findings: &mut Vec<Finding>) {
    let Some(limit) = limit("layers_with_named_user") else { return };
    let user = config.user.as_deref().unwrap_or_default();
    let name = user.split(':').next().unwrap_or_default();
    let named = !name.is_empty() && !name.bytes().all(|byte| byte.is_ascii_digit());
    if named && documents.layers as u64 > limit.value {
        let text = format!(
            "the image has {} layers and USER {user}; beyond {} the service mounts it only with a numeric user",
            documents.layers, limit.in_words
        );
        findings.push(
            Finding::new(FindingKind::TooManyLayersForNamedUser, Certainty::Certain, text)
                .with("layers", documents.layers)
                .with("user", user)
                .with("source", limit.source.as_str()),
        );
    }
}

fn ports(config: &ProcessConfig, protocol: Option<&str>, findings: &mut Vec<Finding>) {
    let Some(declared) = config.exposed_ports.as_ref().filter(|ports| !ports.is_empty()) else { return };
    let Some(protocol) = protocol else { return };
    let Some(wanted) = port(protocol) else { return };
    let numbers: Vec<u64> = declared.keys().filter_map(|port| port.split('/').next()?.parse().ok()).collect();
    if numbers.contains(&wanted) {
        return;
    }
    let listed = declared.keys().cloned().collect::<Vec<_>>();
    let text = format!("the image declares {}; the port of {protocol} is {wanted}", listed.join(", "));
    findings.push(
        Finding::new(FindingKind::OtherPortExposed, Certainty::Possible, text)
            .with("ports", listed)
            .with("wanted", wanted),
    );
}

fn environment(config: &ProcessConfig, findings: &mut Vec<Finding>) {
    let variables = config.env.as_deref().unwrap_or_default();
    let bytes: usize = variables.iter().map(String::len).sum();
    let too_many = limit("environment_variables").filter(|limit| variables.len() as u64 > limit.value);
    let too_large = limit("environment_bytes").filter(|limit| bytes as u64 > limit.value);
    if let Some(limit) = too_many.or(too_large) {
        // AWS: the limits are those of the runtime's own variables; whether the image's count is not documented.
        let text = format!(
            "the image sets {} variables of {bytes} bytes; a runtime may set {} (whether the image's own count is not documented)",
            variables.len(),
            limit.in_words
        );
        findings.push(
            Finding::new(FindingKind::EnvironmentTooLarge, Certainty::Possible, text)
                .with("bytes", bytes)
                .with("variables", variables.len())
                .with("source", limit.source.as_str()),
        );
    }
}

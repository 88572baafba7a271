//! What is run: the image in ECR, or the code zip in S3.

use serde_json::{Value, json};

use super::Calls;
use crate::deployment::{ACCOUNT, Artifact, Deployment};

/// What is run, as ECR or S3 knows it, and the latest build of it where there is one.
pub(super) fn artifact(d: &Deployment, calls: &mut Calls) {
    if d.artifact == Artifact::CodeZip {
        let asked = json!({ "Bucket": d.bucket(), "Key": "agent.zip" });
        calls.ok("s3", "HeadObject", asked, json!({ "ContentLength": 48_000_000 }));
        return;
    }
    if d.story.build_failed {
        calls.ok(
            "codebuild",
            "BatchGetBuilds",
            json!({ "ids": [format!("{}:1", d.name)] }),
            json!({ "builds": [{
                "id": format!("{}:1", d.name), "buildStatus": "FAILED", "startTime": "2026-10-20T07:00:00Z",
                "phases": [{ "phaseType": "BUILD", "phaseStatus": "FAILED", "contexts": [
                    { "statusCode": "COMMAND_EXECUTION_ERROR", "message": "Error while executing command: docker build ." },
                ] }],
            }] }),
        );
    }
    image(d, calls);
}

fn image(d: &Deployment, calls: &mut Calls) {
    let (digest, config) = (format!("sha256:{}", "1a".repeat(32)), format!("sha256:{}", "2b".repeat(32)));
    let asked = json!({ "repositoryName": d.name, "imageIds": [{ "imageTag": "v3" }] });
    if !d.image_there {
        calls.not_found("ecr", "DescribeImages", asked, "ImageNotFoundException");
        calls.not_found(
            "ecr",
            "GetRepositoryPolicy",
            json!({ "repositoryName": d.name }),
            "RepositoryPolicyNotFoundException",
        );
        return;
    }
    let pushed = match (d.pushed_again, d.old) {
        (true, _) => "2026-10-20T08:40:00Z",
        (false, true) => "2026-03-10T17:00:00Z",
        (false, false) => "2026-10-19T17:00:00Z",
    };
    let plain = "application/vnd.oci.image.manifest.v1+json";
    let media = if d.image_index { "application/vnd.oci.image.index.v1+json" } else { plain };
    calls.ok("ecr", "DescribeImages", asked, json!({ "imageDetails": [{
        "registryId": ACCOUNT, "repositoryName": d.name, "imageDigest": digest, "imageTags": ["v3"], "imageSizeInBytes": 465_000_000,
        "imagePushedAt": pushed, "imageManifestMediaType": media,
    }] }));
    let layers: Vec<Value> = (0..d.image_layers)
        .map(|n| {
            let digest = format!("sha256:{}", format!("{n:02x}").repeat(32));
            json!({ "mediaType": "application/vnd.oci.image.layer.v1.tar+gzip", "digest": digest, "size": 9_000_000 })
        })
        .collect();
    let manifest = if d.image_index {
        let attested = json!({ "vnd.docker.reference.type": "attestation-manifest" });
        let entry = |digest: &str, os: &str, architecture: &str| {
            json!({
                "mediaType": "application/vnd.oci.image.manifest.v1+json", "digest": format!("sha256:{}", digest.repeat(32)), "size": 1200,
                "platform": { "os": os, "architecture": architecture },
            })
        };
        let mut attestation = entry("5e", "unknown", "unknown");
        attestation["annotations"] = attested;
        json!({ "schemaVersion": 2, "mediaType": media, "manifests": [entry("4d", "linux", d.image_arch), attestation] })
    } else {
        json!({
            "schemaVersion": 2, "mediaType": media,
            "config": { "mediaType": "application/vnd.oci.image.config.v1+json", "digest": config, "size": 2000 },
            "layers": layers,
        })
    };
    calls.ok("ecr", "BatchGetImage", json!({ "repositoryName": d.name, "imageIds": [{ "imageDigest": digest }] }), json!({
        "images": [{ "registryId": ACCOUNT, "repositoryName": d.name, "imageId": { "imageDigest": digest }, "imageManifest": manifest.to_string(), "imageManifestMediaType": media }],
        "failures": [],
    }));
    calls.not_found(
        "ecr",
        "GetRepositoryPolicy",
        json!({ "repositoryName": d.name }),
        "RepositoryPolicyNotFoundException",
    );
    if d.image_index {
        return;
    }
    let mut exposed = serde_json::Map::new();
    exposed.insert(format!("{}/tcp", d.port()), json!({}));
    calls.ok("launchpath", "GetImageConfig", json!({ "repositoryName": d.name, "digest": config }), json!({
        "architecture": d.image_arch, "os": "linux", "created": pushed,
        "config": {
            "User": d.image_user, "Env": ["PATH=/usr/local/bin:/usr/bin:/bin"], "Entrypoint": d.entry_point, "WorkingDir": "/app",
            "ExposedPorts": exposed,
        },
    }));
}

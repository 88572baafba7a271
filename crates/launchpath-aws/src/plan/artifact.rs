//! The artifact: the image in ECR down to its configuration, or the code archive in S3.
//!
//! Only private ECR repositories are asked; their account and Region are those of the image URI.

use serde_json::{Value, json};

use super::{Known, Planned, Step, text};
use crate::record::Record;

const URI: &str = "/agentRuntimeArtifact/containerConfiguration/containerUri";
const CODE: &str = "/agentRuntimeArtifact/codeConfiguration/code/s3";
const IN_ECR: &str = "the image is in a private ECR repository";

/// Every manifest form that a registry may hold; ECR answers with the one it has.
const MANIFESTS: &[&str] = &[
    "application/vnd.oci.image.index.v1+json",
    "application/vnd.oci.image.manifest.v1+json",
    "application/vnd.docker.distribution.manifest.list.v2+json",
    "application/vnd.docker.distribution.manifest.v2+json",
    "application/vnd.docker.distribution.manifest.v1+json",
];

pub(super) fn steps() -> Vec<Step> {
    let runtime = || vec!["runtime", "live version"];
    vec![
        Step {
            name: "repository",
            needs: runtime(),
            operations: &[("ecr", "DescribeRepositories")],
            when: IN_ECR,
            asks: |known| {
                of_each_image(
                    known,
                    "DescribeRepositories",
                    |image| json!({"registryId": image.account, "repositoryNames": [image.repository]}),
                )
            },
        },
        Step {
            name: "repository policy",
            needs: runtime(),
            operations: &[("ecr", "GetRepositoryPolicy")],
            when: IN_ECR,
            asks: |known| {
                of_each_image(
                    known,
                    "GetRepositoryPolicy",
                    |image| json!({"registryId": image.account, "repositoryName": image.repository}),
                )
            },
        },
        Step {
            name: "image",
            needs: runtime(),
            operations: &[("ecr", "DescribeImages")],
            when: IN_ECR,
            asks: |known| {
                of_each_image(
                    known,
                    "DescribeImages",
                    |image| json!({"registryId": image.account, "repositoryName": image.repository, "imageIds": [image.id]}),
                )
            },
        },
        Step {
            name: "manifest",
            needs: runtime(),
            operations: &[("ecr", "BatchGetImage")],
            when: IN_ECR,
            asks: |known| of_each_image(known, "BatchGetImage", |image| manifest_request(image, &image.id)),
        },
        Step {
            name: "manifest of the platform",
            needs: vec!["manifest"],
            operations: &[("ecr", "BatchGetImage")],
            when: "the image is an index of several platforms",
            asks: platform_manifests,
        },
        Step {
            name: "image configuration",
            needs: vec!["manifest", "manifest of the platform"],
            operations: &[("ecr", "GetDownloadUrlForLayer"), ("launchpath", "GetImageConfig")],
            when: "a manifest could be read",
            asks: configurations,
        },
        Step {
            name: "code archive",
            needs: runtime(),
            operations: &[("s3", "HeadObject")],
            when: "the code is a zip archive in S3",
            asks: archives,
        },
    ]
}

/// An image in a private ECR repository.
#[derive(Debug, Clone, PartialEq)]
struct Image {
    account: String,
    region: String,
    repository: String,
    /// `{"imageTag": …}` or `{"imageDigest": …}`.
    id: Value,
}

impl Image {
    /// `<account>.dkr.ecr.<region>.amazonaws.com[.cn]/<repository>[:tag][@digest]`
    fn parse(uri: &str) -> Option<Self> {
        let (host, path) = uri.split_once('/')?;
        let labels: Vec<&str> = host.split('.').collect();
        let [account, "dkr", "ecr" | "ecr-fips", region, ..] = labels[..] else { return None };
        if account.len() != 12 || !account.bytes().all(|b| b.is_ascii_digit()) {
            return None;
        }
        let (name, digest) = path.split_once('@').map_or((path, None), |(name, digest)| (name, Some(digest)));
        let (repository, tag) = name.split_once(':').map_or((name, None), |(name, tag)| (name, Some(tag)));
        let id = match digest {
            Some(digest) => json!({"imageDigest": digest}),
            None => json!({"imageTag": tag.unwrap_or("latest")}),
        };
        Some(Self {
            account: account.to_owned(),
            region: region.to_owned(),
            repository: repository.to_owned(),
            id,
        })
    }
}

fn of_each_image(known: &Known, operation: &'static str, request: impl Fn(&Image) -> Value) -> Vec<Planned> {
    let images = known.of_configurations(URI);
    let images = images.iter().filter_map(|uri| Image::parse(uri));
    images.map(|image| Planned::new("ecr", operation, request(&image)).in_region(&image.region)).collect()
}

fn manifest_request(image: &Image, id: &Value) -> Value {
    json!({
        "registryId": image.account, "repositoryName": image.repository,
        "imageIds": [id], "acceptedMediaTypes": MANIFESTS,
    })
}

/// The manifests that were read, with the request that brought each.
fn manifests(known: &Known) -> Vec<(&Record, Value)> {
    let mut found = Vec::new();
    for (record, answer) in known.answers("ecr", "BatchGetImage") {
        for image in answer.get("images").and_then(Value::as_array).into_iter().flatten() {
            let manifest = text(image, "/imageManifest").and_then(|text| serde_json::from_str(text).ok());
            found.extend(manifest.map(|manifest: Value| (record, manifest)));
        }
    }
    found
}

/// Of an index, the manifest that AgentCore would run: linux/arm64, else the first that is a platform.
fn platform_manifests(known: &Known) -> Vec<Planned> {
    let mut asks = Vec::new();
    for (record, index) in manifests(known) {
        let Some(entries) = index.get("manifests").and_then(Value::as_array) else { continue };
        let arm = |entry: &&Value| {
            text(entry, "/platform/architecture") == Some("arm64")
                && text(entry, "/platform/os") == Some("linux")
        };
        // Attestations are entries of platform unknown/unknown.
        let real = |entry: &&Value| text(entry, "/platform/os").is_none_or(|os| os != "unknown");
        let chosen = entries.iter().find(arm).or_else(|| entries.iter().find(real));
        let Some(digest) = chosen.and_then(|entry| text(entry, "/digest")) else { continue };
        let mut request = record.request.clone();
        request["imageIds"] = json!([{"imageDigest": digest}]);
        asks.push(Planned::new("ecr", "BatchGetImage", request).in_region(&record.region));
    }
    asks
}

fn configurations(known: &Known) -> Vec<Planned> {
    let mut asks = Vec::new();
    for (record, manifest) in manifests(known) {
        let Some(digest) = text(&manifest, "/config/digest") else { continue };
        let mut request = json!({"digest": digest});
        for name in ["registryId", "repositoryName"] {
            request[name] = record.request.get(name).cloned().unwrap_or_default();
        }
        asks.push(Planned::new("launchpath", "GetImageConfig", request).in_region(&record.region));
    }
    asks
}

fn archives(known: &Known) -> Vec<Planned> {
    let mut asks = Vec::new();
    for runtime in known.configurations() {
        let (Some(bucket), Some(key)) =
            (text(runtime, &format!("{CODE}/bucket")), text(runtime, &format!("{CODE}/prefix")))
        else {
            continue;
        };
        let mut request = json!({"Bucket": bucket, "Key": key});
        if let Some(version) = text(runtime, &format!("{CODE}/versionId")) {
            request["VersionId"] = version.into();
        }
        asks.push(Planned::new("s3", "HeadObject", request));
    }
    asks
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn image_uris_give_account_region_repository_and_tag_or_digest() {
        let image = Image::parse("111122223333.dkr.ecr.eu-west-1.amazonaws.com/team/agent:v2").unwrap();
        assert_eq!((image.account.as_str(), image.region.as_str()), ("111122223333", "eu-west-1"));
        assert_eq!((image.repository.as_str(), &image.id), ("team/agent", &json!({"imageTag": "v2"})));
        let image =
            Image::parse("111122223333.dkr.ecr.cn-north-1.amazonaws.com.cn/agent:v2@sha256:ab").unwrap();
        assert_eq!((image.repository.as_str(), &image.id), ("agent", &json!({"imageDigest": "sha256:ab"})));
        let image = Image::parse("111122223333.dkr.ecr.us-east-1.amazonaws.com/agent").unwrap();
        assert_eq!(image.id, json!({"imageTag": "latest"}));
    }

    #[test]
    fn other_registries_are_not_asked() {
        for uri in [
            "public.ecr.aws/x/agent:1",
            "docker.io/library/python:3",
            "agent",
            "x.dkr.ecr.us-east-1.amazonaws.com/a",
        ] {
            assert_eq!(Image::parse(uri), None, "{uri}");
        }
    }
}

//! The runtime that the certificate is about, as the bundle describes it.
//!
//! Evidence of another runtime, another role or another subnet proves nothing here: every rule asks this module whose a call is.
//! Start with [`Subject::new`].

use serde_json::Value;

use crate::bundle::Bundle;
use crate::report::{Found, Notes, fails, holds, not_checked};
use crate::{list, text};

/// The runtime.
pub(crate) struct Subject<'a> {
    claimed: &'a Value,
    described: Option<&'a Value>,
    /// Whether the bundle describes no other runtime.
    alone: bool,
}

impl<'a> Subject<'a> {
    pub(crate) fn new(certificate: &'a Value, bundle: &Bundle<'a>) -> Self {
        let claimed = &certificate["runtime"];
        let id = text(claimed, "id");
        let all: Vec<&Value> = bundle.answers("GetAgentRuntime").map(|call| &call["response"]).collect();
        let version = |description: &&Value| text(description, "agentRuntimeVersion").parse::<u64>().ok();
        let own = all.iter().copied().filter(|description| text(description, "agentRuntimeId") == id);
        Self {
            claimed,
            described: own.max_by_key(version),
            alone: all.iter().all(|description| text(description, "agentRuntimeId") == id),
        }
    }

    /// What the certificate says of the runtime, held against the description of it.
    pub(crate) fn check(&self, notes: &mut Notes) {
        let name = text(self.claimed, "id");
        notes.decisive(
            "/runtime",
            format!("it is about {name}, as the bundle describes it"),
            self.compared(),
        );
    }

    fn compared(&self) -> Found {
        let Some(described) = self.described else {
            return not_checked("the bundle holds no description of this runtime");
        };
        let members = [
            ("arn", "/agentRuntimeArn"),
            ("name", "/agentRuntimeName"),
            ("status", "/status"),
            ("network_mode", "/networkConfiguration/networkMode"),
            ("platform_version", "/platformVersion"),
            ("artifact", "/agentRuntimeArtifact/containerConfiguration/containerUri"),
        ];
        for (member, pointer) in members {
            let (said, found) = (self.claimed[member].as_str(), described.pointer(pointer));
            if let (Some(said), Some(found)) = (said, found.and_then(Value::as_str))
                && said != found
            {
                return fails(format!("its {member} is {found:?}, not {said:?}"));
            }
        }
        let parts: Vec<&str> = text(described, "agentRuntimeArn").split(':').collect();
        for (member, at) in [("region", 3), ("account", 4)] {
            if let (Some(said), Some(found)) = (self.claimed[member].as_str(), parts.get(at))
                && said != *found
            {
                return fails(format!("its {member} is {found:?}, not {said:?}"));
            }
        }
        holds("its description says the same")
    }

    /// Its id.
    pub(crate) fn id(&self) -> &'a str {
        text(self.claimed, "id")
    }

    /// A value of its description.
    pub(crate) fn configured(&self, pointer: &str) -> Option<&'a Value> {
        self.described?.pointer(pointer)
    }

    fn ids(&self, member: &str) -> Option<Vec<&'a str>> {
        let all = self.configured("/networkConfiguration/networkModeConfig")?.get(member)?.as_array()?;
        Some(all.iter().filter_map(Value::as_str).collect())
    }

    /// Its subnets.
    pub(crate) fn subnets(&self) -> Option<Vec<&'a str>> {
        self.ids("subnets")
    }

    /// Its security groups.
    pub(crate) fn groups(&self) -> Option<Vec<&'a str>> {
        self.ids("securityGroups")
    }

    /// Its execution role.
    pub(crate) fn role(&self) -> Option<&'a str> {
        self.configured("/roleArn")?.as_str()
    }

    /// Its image.
    pub(crate) fn image(&self) -> Option<Image<'a>> {
        Image::read(self.configured("/agentRuntimeArtifact/containerConfiguration/containerUri")?.as_str()?)
    }

    /// Whether the call is an invocation of this runtime and endpoint. One that names no runtime is when the bundle is about no
    /// other.
    pub(crate) fn invoked(&self, call: &Value) -> bool {
        let request = &call["request"];
        let own = match request["agentRuntimeArn"].as_str() {
            Some(named) => self.is_named(named),
            None => self.alone,
        };
        let endpoint = self.claimed["endpoint"].as_str().unwrap_or("DEFAULT");
        own && !self.id().is_empty() && request["qualifier"].as_str().unwrap_or("DEFAULT") == endpoint
    }

    /// Whether an ARN, or an id, is this runtime's.
    fn is_named(&self, named: &str) -> bool {
        named == self.id() || Some(named) == self.claimed["arn"].as_str()
    }

    /// Whether the call read a log group of this runtime.
    pub(crate) fn logged(&self, call: &Value) -> bool {
        let start = format!("/aws/bedrock-agentcore/runtimes/{}-", self.id());
        let request = &call["request"];
        let groups = list(request, "logGroupNames").iter().chain(list(request, "logGroupIdentifiers"));
        let one = ["logGroupName", "logGroupIdentifier"].into_iter().map(|member| &request[member]);
        !self.id().is_empty()
            && groups.chain(one).filter_map(Value::as_str).any(|group| group.contains(&start))
    }

    /// Whether the call looked at the runtime's own image: it names the image that the runtime names.
    pub(crate) fn rehearsed(&self, call: &Value) -> bool {
        let Some(image) = self.image() else { return false };
        [&call["request"]["image"], &call["response"]["image"]]
            .into_iter()
            .filter_map(Value::as_str)
            .filter_map(Image::read)
            .any(|named| named == image)
    }

    /// Whether a record of CloudTrail is of a call that made or changed this runtime.
    pub(crate) fn made(&self, event: &Value) -> bool {
        let (asked, answered) = (&event["requestParameters"], &event["responseElements"]);
        let id = answered["agentRuntimeId"].as_str().or(asked["agentRuntimeId"].as_str());
        match id.or(answered["agentRuntimeArn"].as_str()) {
            Some(named) => self.is_named(named),
            None => asked["agentRuntimeName"].as_str().is_some_and(|name| name == text(self.claimed, "name")),
        }
    }
}

/// A private image of ECR.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) struct Image<'a> {
    pub(crate) account: &'a str,
    pub(crate) region: &'a str,
    pub(crate) repository: &'a str,
    /// Tag or digest.
    pub(crate) version: &'a str,
}

impl<'a> Image<'a> {
    fn read(uri: &'a str) -> Option<Self> {
        let (registry, rest) = uri.split_once('/')?;
        let mut host = registry.split('.');
        let account = host.next()?;
        if (host.next()?, host.next()?) != ("dkr", "ecr") {
            return None;
        }
        let region = host.next()?;
        let (repository, version) = match rest.split_once('@') {
            Some((named, digest)) => (named.split(':').next()?, digest),
            None => rest.split_once(':').unwrap_or((rest, "latest")),
        };
        Some(Self { account, region, repository, version })
    }

    /// Whether an answer of ECR to a question about images holds this one.
    pub(crate) fn is_in(&self, call: &Value, images: &str) -> bool {
        let request = &call["request"];
        let repository = request["repositoryName"].as_str();
        let owner = request["registryId"].as_str();
        let asked = list(request, "imageIds").iter().any(|id| self.is_version(id));
        repository.is_none_or(|name| name == self.repository)
            && owner.is_none_or(|owner| owner == self.account)
            && list(&call["response"], images).iter().any(|image| {
                let named = image["repositoryName"].as_str().or(repository);
                let tags = list(image, "imageTags").iter().any(|tag| tag.as_str() == Some(self.version));
                named == Some(self.repository)
                    && (tags || asked || self.is_version(image) || self.is_version(&image["imageId"]))
            })
    }

    fn is_version(&self, image: &Value) -> bool {
        ["imageTag", "imageDigest"].into_iter().any(|member| image[member].as_str() == Some(self.version))
    }
}

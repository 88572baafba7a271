//! What is a name, and which networks there are: by the member or the ARN in which a value stands.

use std::collections::BTreeSet;
use std::net::IpAddr;

use regex_lite::Regex;
use serde_json::Value;

use super::vocabulary;

/// What was found.
#[derive(Default)]
pub(super) struct Gathered {
    /// Words that are to be replaced wherever they stand.
    pub(super) words: BTreeSet<String>,
    /// The blocks of VPCs and subnets.
    pub(super) blocks: Vec<(IpAddr, u8)>,
}

/// Members whose value is a name that somebody gave, in lower case.
const NAMES: [&str; 30] = [
    "agentruntimename",
    "agentruntimeid",
    "allowedaudience",
    "allowedclients",
    "alias",
    "bucket",
    "by",
    "description",
    "discoveryurl",
    "endpointname",
    "functionname",
    "groupdescription",
    "groupname",
    "instanceprofilename",
    "keyname",
    "logstreamname",
    "policyname",
    "prefix",
    "principalid",
    "qualifier",
    "repositoryname",
    "rolename",
    "rolesessionname",
    "sessionname",
    "sourceidentity",
    "stackname",
    "userid",
    "username",
    "workloadidentityname",
    "containeruri",
];

/// Members whose value is a host or a zone.
const HOSTS: [&str; 4] = ["hostedzonename", "domainname", "privatednsname", "servername"];

/// Gathers from a whole bundle.
pub(super) fn gather(bundle: &Value) -> Gathered {
    let mut gatherer = Gatherer {
        gathered: Gathered::default(),
        kept: vocabulary::fixed(),
        // AWS: arn:partition:service:region:account:resource
        arn: Regex::new(r#"arn:aws[a-z-]*:([a-z0-9-]*):[a-z0-9-]*:([0-9]{12}|aws|):([^\s"'\\,;\]})]+)"#)
            .expect("a pattern of the source"),
    };
    gatherer.vocabulary(bundle);
    gatherer.value("", "", bundle);
    gatherer.gathered
}

struct Gatherer {
    gathered: Gathered,
    kept: BTreeSet<String>,
    arn: Regex,
}

impl Gatherer {
    /// What the members are called names nobody: `networkConfiguration` keeps `network` and `configuration`.
    fn vocabulary(&mut self, value: &Value) {
        match value {
            Value::Object(members) => {
                for (name, value) in members {
                    for word in camel_words(name) {
                        self.kept.insert(word);
                    }
                    if matches!(
                        name.as_str(),
                        "service" | "operation" | "region" | "outcome" | "format" | "partition"
                    ) {
                        for text in value.as_str().into_iter().flat_map(camel_words) {
                            self.kept.insert(text);
                        }
                    }
                    self.vocabulary(value);
                }
            }
            Value::Array(items) => items.iter().for_each(|item| self.vocabulary(item)),
            _ => {}
        }
    }

    fn value(&mut self, outer: &str, member: &str, value: &Value) {
        match value {
            Value::Object(members) => {
                let tag = text(members.get("Key")).zip(text(members.get("Value")));
                if let Some((key, value)) = tag {
                    self.tag(key, value);
                }
                for (name, value) in members {
                    if tag.is_none() || !matches!(name.as_str(), "Key" | "Value") {
                        self.value(member, name, value);
                    }
                }
            }
            Value::Array(items) => items.iter().for_each(|item| self.value(outer, member, item)),
            Value::String(text) => self.string(outer, member, text),
            _ => {}
        }
    }

    fn tag(&mut self, key: &str, value: &str) {
        if !key.starts_with("aws:") && !key.starts_with("Amazon") && key != "domain-name-servers" {
            self.name(value);
        }
    }

    fn string(&mut self, outer: &str, member: &str, text: &str) {
        let member = member.to_ascii_lowercase();
        if text.starts_with(['{', '['])
            && let Ok(inner) = serde_json::from_str::<Value>(text)
        {
            self.value(outer, &member, &inner);
            return;
        }
        let arns: Vec<(String, String)> = self
            .arn
            .captures_iter(text)
            .filter(|found| &found[2] != "aws" && !found[3].contains("aws-service-role"))
            .map(|found| (found[1].to_owned(), found[3].to_owned()))
            .collect();
        let has_arn = !arns.is_empty();
        for (service, resource) in arns {
            self.resource(&service, &resource);
        }
        let is_tag = matches!(outer.to_ascii_lowercase().as_str(), "tags" | "tag");
        let is_zone = member == "name" && outer.to_ascii_lowercase().contains("hostedzone");
        if !has_arn && (NAMES.contains(&member.as_str()) || is_tag && member != "key") {
            self.name(text);
        } else if HOSTS.contains(&member.as_str()) || is_zone {
            self.host(text);
        } else if matches!(outer, "subject") && matches!(member.as_str(), "runtime" | "against" | "endpoint")
        {
            self.name(text);
        } else if matches!(member.as_str(), "cidrblock" | "ipv6cidrblock") {
            self.block(text);
        }
    }

    /// The resource part of an ARN: what follows its type is named by somebody. Log groups are found by what they are named after.
    fn resource(&mut self, service: &str, resource: &str) {
        if service == "logs" {
            return;
        }
        let mut parts: Vec<&str> = resource.split(['/', ':']).collect();
        if parts.len() > 1 && service != "s3" {
            parts.remove(0);
        }
        for part in parts {
            self.name(part);
        }
    }

    fn host(&mut self, host: &str) {
        if !vocabulary::is_public_host(host) {
            let host = host.trim_end_matches('.');
            self.name(host.rsplit_once('.').map_or(host, |(name, _)| name));
        }
    }

    fn block(&mut self, text: &str) {
        let Some((address, length)) = text.split_once('/') else { return };
        if let (Ok(address), Ok(length)) = (address.parse::<IpAddr>(), length.parse::<u8>())
            && length > 0
            && length <= if address.is_ipv4() { 32 } else { 128 }
        {
            self.gathered.blocks.push((address, length));
        }
    }

    /// The words of a name that tell it apart.
    fn name(&mut self, name: &str) {
        for word in name.split(|c: char| !c.is_alphanumeric()) {
            let digits = word.chars().all(|c| c.is_ascii_digit());
            let own = word.starts_with("AWS") || word.starts_with("Amazon");
            if word.chars().count() >= 3 && !digits && !own && !self.kept.contains(&word.to_lowercase()) {
                self.gathered.words.insert(word.to_owned());
            }
        }
    }
}

fn text(value: Option<&Value>) -> Option<&str> {
    value.and_then(Value::as_str)
}

/// `agentRuntimeId` as `agent`, `runtime`, `id`, and the whole.
fn camel_words(name: &str) -> Vec<String> {
    let mut words = vec![String::new()];
    for c in name.chars() {
        if !c.is_alphanumeric() {
            words.push(String::new());
            continue;
        }
        if c.is_uppercase() {
            words.push(String::new());
        }
        if let Some(word) = words.last_mut() {
            word.extend(c.to_lowercase());
        }
    }
    words.push(name.to_lowercase());
    words.retain(|word| !word.is_empty());
    words
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::gather;

    #[test]
    fn names_are_known_by_their_member_or_their_arn() {
        let bundle = json!({
            "subject": { "runtime": "zebra_bot-7XCALx4Xuw" },
            "calls": [{
                "service": "iam", "operation": "GetRole",
                "response": {
                    "Role": { "Arn": "arn:aws:iam::111122223333:role/team/orchid-runner" },
                    "Tags": [{ "Key": "Owner", "Value": "mallory" }, { "Key": "aws:x", "Value": "kept1" }],
                    "Policy": "{\"Resource\": \"arn:aws:s3:::tulip-data/*\"}",
                    "AttachedPolicies": [{ "PolicyArn": "arn:aws:iam::aws:policy/ReadOnlyAccess" }],
                    "state": "unrelated"
                }
            }]
        });
        let words: Vec<String> = gather(&bundle).words.into_iter().collect();
        assert_eq!(words, ["7XCALx4Xuw", "bot", "mallory", "orchid", "runner", "tulip", "zebra"]);
    }
}

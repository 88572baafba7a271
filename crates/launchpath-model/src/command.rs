//! Renders a call as the AWS CLI command that repeats it.
//!
//! One place for every command this program prints: evidence, gaps, probes, the collection script.

use serde_json::Value;

/// The command for `service`/`operation` with `request`, for example
/// `aws ec2 describe-subnets --region us-east-1 --subnet-ids subnet-1`.
///
/// Calls of service `launchpath` become commands of this program.
pub fn aws_cli(service: &str, operation: &str, region: Option<&str>, request: &Value) -> String {
    if service == "launchpath" {
        return own_command(operation, request);
    }
    // The CLI writes the answer of these to a file that it wants named.
    let outfile =
        if service == "bedrock-agentcore" && operation == "InvokeAgentRuntime" { " /dev/stdout" } else { "" };
    // AWS: `aws s3api` is the CLI's name for the plain S3 API.
    let cli_service = if service == "s3" { "s3api" } else { service };
    let mut command = format!("aws {cli_service} {}", kebab(operation));
    if let Some(region) = region.filter(|_| !matches!(service, "iam" | "route53" | "organizations")) {
        command.push_str(" --region ");
        command.push_str(&quote(region));
    }
    if let Value::Object(members) = request {
        for (name, value) in members {
            command.push_str(&argument(name, value));
        }
    }
    command + outfile
}

fn own_command(operation: &str, request: &Value) -> String {
    let member = |name: &str| request.get(name).and_then(Value::as_str).unwrap_or_default();
    match operation {
        "Rehearse" => format!("launchpath rehearse {}", quote(member("image"))),
        "InspectImage" => format!("launchpath inspect {}", quote(member("image"))),
        "GetImageConfig" => format!(
            "aws ecr get-download-url-for-layer --repository-name {} --layer-digest {} --query downloadUrl --output text | xargs curl -s",
            quote(member("repositoryName")),
            quote(member("digest"))
        ),
        "ReadLogs" => {
            let files: Vec<String> = request
                .get("files")
                .and_then(Value::as_array)
                .into_iter()
                .flatten()
                .filter_map(Value::as_str)
                .map(|file| format!(" {}", quote(file)))
                .collect();
            format!("launchpath logs{}", files.concat())
        }
        "Statement" => "(a person's statement)".to_owned(),
        other => format!("launchpath {}", kebab(other)),
    }
}

fn argument(name: &str, value: &Value) -> String {
    let flag = kebab(name);
    match value {
        Value::Bool(true) => format!(" --{flag}"),
        Value::Bool(false) => format!(" --no-{flag}"),
        Value::Array(items) if items.iter().all(|item| item.is_string() || item.is_number()) => {
            let words: Vec<String> = items.iter().map(scalar).collect();
            format!(" --{flag} {}", words.join(" "))
        }
        Value::Array(items) => {
            let words: Vec<String> = items.iter().map(structure).collect();
            format!(" --{flag} {}", words.join(" "))
        }
        Value::Object(_) => format!(" --{flag} {}", structure(value)),
        Value::Null => String::new(),
        other => format!(" --{flag} {}", scalar(other)),
    }
}

/// The CLI's shorthand (`Name=vpc-id,Values=a,b`) where it can express the value, JSON where it cannot.
fn structure(value: &Value) -> String {
    shorthand(value).map_or_else(|| quote(&value.to_string()), |text| quote(&text))
}

fn shorthand(value: &Value) -> Option<String> {
    let members = value.as_object()?;
    let mut parts = Vec::with_capacity(members.len());
    for (name, member) in members {
        let text = match member {
            Value::Array(items) => {
                let words: Option<Vec<String>> = items.iter().map(plain).collect();
                words.filter(|words| !words.is_empty())?.join(",")
            }
            other => plain(other)?,
        };
        parts.push(format!("{name}={text}"));
    }
    (!parts.is_empty()).then(|| parts.join(","))
}

fn plain(value: &Value) -> Option<String> {
    let text = match value {
        Value::String(text) => text.clone(),
        Value::Number(_) | Value::Bool(_) => value.to_string(),
        _ => return None,
    };
    (!text.is_empty() && !text.contains([',', '=', '[', ']', '{', '}', '"', '\'', ' '])).then_some(text)
}

fn scalar(value: &Value) -> String {
    match value {
        Value::String(text) => quote(text),
        other => other.to_string(),
    }
}

/// Quotes `text` for a POSIX shell when it needs it.
pub fn quote(text: &str) -> String {
    let safe = |c: char| c.is_ascii_alphanumeric() || "-_./:=,@+%".contains(c);
    if !text.is_empty() && text.chars().all(safe) {
        return text.to_owned();
    }
    format!("'{}'", text.replace('\'', "'\\''"))
}

/// `DescribeVpcEndpoints` becomes `describe-vpc-endpoints`, `enableDNSSupport` becomes `enable-dns-support`.
pub fn kebab(name: &str) -> String {
    let chars: Vec<char> = name.chars().collect();
    let mut text = String::with_capacity(name.len() + 8);
    for (index, &c) in chars.iter().enumerate() {
        if c.is_ascii_uppercase() && index > 0 {
            let before = chars[index - 1];
            let after_is_lower = chars.get(index + 1).is_some_and(char::is_ascii_lowercase);
            if before.is_ascii_lowercase()
                || before.is_ascii_digit()
                || (before.is_ascii_uppercase() && after_is_lower)
            {
                text.push('-');
            }
        }
        text.push(c.to_ascii_lowercase());
    }
    text
}

#[cfg(test)]
mod tests {
    use super::aws_cli;
    use serde_json::json;

    #[test]
    fn a_filter_uses_the_shorthand() {
        let request = json!({ "Filters": [{ "Name": "vpc-id", "Values": ["vpc-1", "vpc-2"] }] });
        assert_eq!(
            aws_cli("ec2", "DescribeRouteTables", Some("us-east-1"), &request),
            "aws ec2 describe-route-tables --region us-east-1 --filters Name=vpc-id,Values=vpc-1,vpc-2"
        );
    }

    #[test]
    fn a_tag_filter_is_quoted_for_the_shell() {
        let request = json!({ "Filters": [{ "Name": "tag:A B", "Values": ["*x*"] }] });
        assert_eq!(
            aws_cli("ec2", "DescribeNetworkInterfaces", None, &request),
            r#"aws ec2 describe-network-interfaces --filters '{"Name":"tag:A B","Values":["*x*"]}'"#
        );
    }

    #[test]
    fn names_are_spelled_as_the_cli_spells_them() {
        let request = json!({ "agentRuntimeId": "a-1", "includeAll": true });
        assert_eq!(
            aws_cli("bedrock-agentcore-control", "GetAgentRuntime", None, &request),
            "aws bedrock-agentcore-control get-agent-runtime --agent-runtime-id a-1 --include-all"
        );
        assert_eq!(super::kebab("GetWorkloadAccessTokenForJWT"), "get-workload-access-token-for-jwt");
    }
}

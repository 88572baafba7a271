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
    // AWS: `aws s3api` is the CLI's name for the plain S3 API.
    let cli_service = if service == "s3" { "s3api" } else { service };
    let mut command = String::with_capacity(160);
    for word in ["aws ", cli_service, " "] {
        command.push_str(word);
    }
    push_kebab(&mut command, operation);
    if let Some(region) = region.filter(|_| !matches!(service, "iam" | "route53" | "organizations")) {
        command.push_str(" --region ");
        push_quoted(&mut command, region);
    }
    for (name, value) in request.as_object().into_iter().flatten() {
        push_argument(&mut command, name, value);
    }
    if service == "bedrock-agentcore" && operation == "InvokeAgentRuntime" {
        // The CLI writes the answer of this one to a file that it wants named.
        command.push_str(" /dev/stdout");
    }
    command
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

fn push_argument(command: &mut String, name: &str, value: &Value) {
    let flag = match value {
        Value::Null => return,
        Value::Bool(false) => " --no-",
        _ => " --",
    };
    command.push_str(flag);
    push_kebab(command, name);
    match value {
        Value::Null | Value::Bool(_) => {}
        Value::Array(items) => {
            let plain = items.iter().all(|item| item.is_string() || item.is_number());
            for item in items {
                command.push(' ');
                if plain { push_scalar(command, item) } else { push_structure(command, item) }
            }
        }
        Value::Object(_) => {
            command.push(' ');
            push_structure(command, value);
        }
        scalar => {
            command.push(' ');
            push_scalar(command, scalar);
        }
    }
}

/// The CLI's shorthand (`Name=vpc-id,Values=a,b`) where it can express the value, JSON where it cannot.
fn push_structure(command: &mut String, value: &Value) {
    let begun = command.len();
    if push_shorthand(command, value).is_none() {
        command.truncate(begun);
        push_quoted(command, &value.to_string());
    } else if !command[begun..].chars().all(needs_no_quotes) {
        let text = command.split_off(begun);
        push_quoted(command, &text);
    }
}

/// `None` where the shorthand cannot express it; what was written until then stays.
fn push_shorthand(command: &mut String, value: &Value) -> Option<()> {
    let members = value.as_object().filter(|members| !members.is_empty())?;
    for (at, (name, member)) in members.iter().enumerate() {
        if at > 0 {
            command.push(',');
        }
        command.push_str(name);
        command.push('=');
        match member {
            Value::Array(items) if items.is_empty() => return None,
            Value::Array(items) => {
                for (at, item) in items.iter().enumerate() {
                    if at > 0 {
                        command.push(',');
                    }
                    push_plain(command, item)?;
                }
            }
            other => push_plain(command, other)?,
        }
    }
    Some(())
}

fn push_plain(command: &mut String, value: &Value) -> Option<()> {
    match value {
        Value::String(text) => {
            let special = |c: char| matches!(c, ',' | '=' | '[' | ']' | '{' | '}' | '"' | '\'' | ' ');
            if text.is_empty() || text.contains(special) {
                return None;
            }
            command.push_str(text);
        }
        Value::Number(_) | Value::Bool(_) => command.push_str(&value.to_string()),
        _ => return None,
    }
    Some(())
}

fn push_scalar(command: &mut String, value: &Value) {
    match value {
        Value::String(text) => push_quoted(command, text),
        other => command.push_str(&other.to_string()),
    }
}

fn needs_no_quotes(c: char) -> bool {
    c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.' | '/' | ':' | '=' | ',' | '@' | '+' | '%')
}

/// Quotes `text` for a POSIX shell when it needs it.
pub fn quote(text: &str) -> String {
    let mut quoted = String::with_capacity(text.len() + 2);
    push_quoted(&mut quoted, text);
    quoted
}

fn push_quoted(command: &mut String, text: &str) {
    if !text.is_empty() && text.chars().all(needs_no_quotes) {
        command.push_str(text);
        return;
    }
    command.push('\'');
    command.push_str(&text.replace('\'', "'\\''"));
    command.push('\'');
}

/// `DescribeVpcEndpoints` becomes `describe-vpc-endpoints`, `enableDNSSupport` becomes `enable-dns-support`.
pub fn kebab(name: &str) -> String {
    let mut text = String::with_capacity(name.len() + 8);
    push_kebab(&mut text, name);
    text
}

fn push_kebab(text: &mut String, name: &str) {
    let mut before = None;
    let mut chars = name.chars().peekable();
    while let Some(c) = chars.next() {
        let begins_word = |before: char| {
            before.is_ascii_lowercase()
                || before.is_ascii_digit()
                || (before.is_ascii_uppercase() && chars.peek().is_some_and(char::is_ascii_lowercase))
        };
        if c.is_ascii_uppercase() && before.is_some_and(begins_word) {
            text.push('-');
        }
        text.push(c.to_ascii_lowercase());
        before = Some(c);
    }
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

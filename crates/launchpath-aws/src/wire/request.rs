//! A request in the AWS CLI's shape to an unsigned HTTP request.
//!
//! Only members that the wire facts know are accepted: a misspelt member is a bug of the plan, not
//! something to send.

use std::fmt::Write as _;

use aws_smithy_runtime_api::client::orchestrator::HttpRequest;
use aws_smithy_types::body::SdkBody;
use jiff::Timestamp;
use serde_json::{Map, Value, json};

use crate::endpoint::Endpoint;
use crate::facts::{Kind, Member, Members, OperationFacts, Place, Protocol, ServiceFacts, Shape};

/// Why a request could not be written.
#[derive(Debug, thiserror::Error)]
pub(crate) enum RequestError {
    /// The operation has no such member.
    #[error("the request has no member {0}")]
    UnknownMember(String),
    /// A value does not fit the member's type.
    #[error("the value of {0} does not fit its type")]
    BadValue(String),
    /// A part of the path is missing.
    #[error("the path needs {0}")]
    MissingPath(String),
    /// The HTTP request is malformed.
    #[error("the HTTP request cannot be built")]
    Http(#[source] aws_smithy_runtime_api::http::HttpError),
}

/// Writes the request. `payload` is the raw body of an operation that has one.
pub(crate) fn build(
    service: &ServiceFacts,
    (name, operation): (&str, &OperationFacts),
    endpoint: &Endpoint,
    request: &Value,
    payload: Option<&[u8]>,
) -> Result<HttpRequest, RequestError> {
    let mut rest = Rest::default();
    let empty = Map::new();
    let mut body = Map::new();
    for (key, value) in request.as_object().unwrap_or(&empty) {
        let member = operation
            .input
            .iter()
            .find(|member| member.name == *key)
            .ok_or_else(|| RequestError::UnknownMember(key.clone()))?;
        if member.place == Place::Body {
            body.insert(key.clone(), value.clone());
        } else {
            rest.place(member, value)?;
        }
    }
    let path = rest.path(&operation.path, endpoint.bucket_in_host)?;
    let (content_type, target, bytes) = match &service.protocol {
        Protocol::Ec2 | Protocol::Query => {
            let form = form(service, name, &operation.input, &body)?;
            (Some("application/x-www-form-urlencoded; charset=utf-8".to_owned()), None, form)
        }
        Protocol::Json { version, target } => {
            let bytes = json_body(&operation.input, &body)?;
            (Some(format!("application/x-amz-json-{version}")), Some(format!("{target}.{name}")), bytes)
        }
        Protocol::RestJson | Protocol::RestXml => match payload {
            Some(bytes) => (None, None, bytes.to_vec()),
            None if body.is_empty() => (None, None, Vec::new()),
            None => (Some("application/json".to_owned()), None, json_body(&operation.input, &body)?),
        },
    };
    let mut http = HttpRequest::new(SdkBody::from(bytes));
    http.set_method(&operation.method).map_err(RequestError::Http)?;
    http.set_uri(format!("{}{path}", endpoint.url)).map_err(RequestError::Http)?;
    let headers = http.headers_mut();
    if let Some(content_type) = content_type {
        headers.try_insert("content-type", content_type).map_err(RequestError::Http)?;
    }
    if let Some(target) = target {
        headers.try_insert("x-amz-target", target).map_err(RequestError::Http)?;
    }
    for (name, value) in rest.headers {
        headers.try_insert(name.to_lowercase(), value).map_err(RequestError::Http)?;
    }
    Ok(http)
}

/// What of a REST request is not in its body.
#[derive(Default)]
struct Rest {
    labels: Vec<(String, String)>,
    query: Vec<(String, String)>,
    headers: Vec<(String, String)>,
}

impl Rest {
    fn place(&mut self, member: &Member, value: &Value) -> Result<(), RequestError> {
        let text = scalar(member, value)?;
        let pair = (member.wire.clone(), text);
        match member.place {
            Place::Path => self.labels.push(pair),
            Place::Query => self.query.push(pair),
            Place::Header => self.headers.push(pair),
            Place::Body | Place::Headers | Place::Status => {
                return Err(RequestError::BadValue(member.name.clone()));
            }
        }
        Ok(())
    }

    fn path(&self, template: &str, bucket_in_host: bool) -> Result<String, RequestError> {
        let mut path = String::new();
        for part in template.split('/').skip(1) {
            let label = part.strip_prefix('{').and_then(|part| part.strip_suffix('}'));
            if bucket_in_host && label == Some("Bucket") {
                continue;
            }
            path.push('/');
            let Some(label) = label else {
                path.push_str(part);
                continue;
            };
            let greedy = label.ends_with('+');
            let label = label.trim_end_matches('+');
            let (_, value) = self
                .labels
                .iter()
                .find(|(name, value)| name == label && !value.is_empty())
                .ok_or_else(|| RequestError::MissingPath(label.to_owned()))?;
            path.push_str(&if greedy {
                value.split('/').map(percent_encode).collect::<Vec<_>>().join("/")
            } else {
                percent_encode(value)
            });
        }
        for (position, (name, value)) in self.query.iter().enumerate() {
            path.push(if position == 0 { '?' } else { '&' });
            let _ = write!(path, "{}={}", percent_encode(name), percent_encode(value));
        }
        Ok(path)
    }
}

/// The form of the two query protocols.
fn form(
    service: &ServiceFacts,
    name: &str,
    members: &Members,
    body: &Map<String, Value>,
) -> Result<Vec<u8>, RequestError> {
    let mut fields =
        vec![("Action".to_owned(), name.to_owned()), ("Version".to_owned(), service.version.clone())];
    let nested = if service.protocol == Protocol::Ec2 { "" } else { ".member" };
    flatten(&mut fields, "", nested, members, body)?;
    let text: Vec<_> = fields
        .iter()
        .map(|(name, value)| format!("{}={}", percent_encode(name), percent_encode(value)))
        .collect();
    Ok(text.join("&").into_bytes())
}

fn flatten(
    fields: &mut Vec<(String, String)>,
    prefix: &str,
    nested: &str,
    members: &Members,
    values: &Map<String, Value>,
) -> Result<(), RequestError> {
    for (key, value) in values {
        let member = members
            .iter()
            .find(|member| member.name == *key)
            .ok_or_else(|| RequestError::UnknownMember(key.clone()))?;
        let name = format!("{prefix}{}", member.wire);
        let Shape::List { item, .. } = &member.shape else {
            fields.push((name, scalar(member, value)?));
            continue;
        };
        let items = value.as_array().ok_or_else(|| RequestError::BadValue(key.clone()))?;
        for (position, value) in items.iter().enumerate() {
            let name = format!("{name}{nested}.{}", position + 1);
            match (item.as_ref(), value) {
                (Shape::Struct(members), Value::Object(values)) => {
                    flatten(fields, &format!("{name}."), nested, members, values)?;
                }
                _ => fields.push((name, scalar(member, value)?)),
            }
        }
    }
    Ok(())
}

fn scalar(member: &Member, value: &Value) -> Result<String, RequestError> {
    match value {
        Value::String(text) => Ok(text.clone()),
        Value::Bool(_) | Value::Number(_) => Ok(value.to_string()),
        _ => Err(RequestError::BadValue(member.name.clone())),
    }
}

/// A JSON body: as the request, with times as the epoch seconds that the JSON protocols want.
fn json_body(members: &Members, body: &Map<String, Value>) -> Result<Vec<u8>, RequestError> {
    let mut wire = Map::new();
    for (key, value) in body {
        let member = members.iter().find(|member| member.name == *key);
        let value = match member {
            Some(Member { shape: Shape::Scalar(Kind::Time), .. }) => epoch(key, value)?,
            _ => value.clone(),
        };
        wire.insert(key.clone(), value);
    }
    Ok(Value::Object(wire).to_string().into_bytes())
}

fn epoch(key: &str, value: &Value) -> Result<Value, RequestError> {
    let Some(text) = value.as_str() else { return Ok(value.clone()) };
    let time: Timestamp = text.parse().map_err(|_| RequestError::BadValue(key.to_owned()))?;
    Ok(json!(time.as_second()))
}

/// Encodes everything but RFC 3986's unreserved characters.
pub(crate) fn percent_encode(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for byte in text.bytes() {
        match byte {
            b'A'..=b'Z' | b'a'..=b'z' | b'0'..=b'9' | b'-' | b'_' | b'.' | b'~' => out.push(char::from(byte)),
            _ => {
                let _ = write!(out, "%{byte:02X}");
            }
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{endpoint, facts};

    fn write(service: &str, name: &str, request: &Value) -> Result<HttpRequest, RequestError> {
        let (service_facts, operation) = facts::operation(service, name).unwrap();
        let bucket = request.get("Bucket").and_then(Value::as_str);
        let endpoint = endpoint::resolve(service, service_facts, "us-east-1", bucket, None);
        build(service_facts, (name, operation), &endpoint, request, None)
    }

    fn body(request: &HttpRequest) -> String {
        String::from_utf8(request.body().bytes().unwrap().to_vec()).unwrap()
    }

    #[test]
    fn ec2_lists_are_numbered_in_ec2s_dialect() {
        let request =
            json!({"Filters": [{"Name": "subnet-id", "Values": ["subnet-1", "subnet-2"]}], "MaxResults": 5});
        let http = write("ec2", "DescribeNetworkInterfaces", &request).unwrap();
        assert_eq!(
            body(&http),
            "Action=DescribeNetworkInterfaces&Version=2016-11-15&Filter.1.Name=subnet-id\
             &Filter.1.Value.1=subnet-1&Filter.1.Value.2=subnet-2&MaxResults=5"
        );
        let http = write("ec2", "DescribeSubnets", &json!({"SubnetIds": ["subnet-1"]})).unwrap();
        assert!(body(&http).ends_with("&SubnetId.1=subnet-1"));
    }

    #[test]
    fn json_services_name_the_operation_in_a_header_and_count_seconds() {
        let request = json!({"StartTime": "2025-10-18T04:00:00Z", "MaxResults": 50});
        let http = write("cloudtrail", "LookupEvents", &request).unwrap();
        assert_eq!(
            http.headers().get("x-amz-target").unwrap(),
            "com.amazonaws.cloudtrail.v20131101.CloudTrail_20131101.LookupEvents"
        );
        assert_eq!(body(&http), r#"{"StartTime":1760760000,"MaxResults":50}"#);
    }

    #[test]
    fn rest_paths_are_encoded_and_greedy_labels_keep_their_slashes() {
        let http = write(
            "bedrock-agentcore-control",
            "GetAgentRuntime",
            &json!({"agentRuntimeId": "a/b c", "agentRuntimeVersion": "2"}),
        )
        .unwrap();
        assert_eq!(
            http.uri(),
            "https://bedrock-agentcore-control.us-east-1.amazonaws.com/runtimes/a%2Fb%20c/?version=2"
        );
        let http = write("s3", "HeadObject", &json!({"Bucket": "code", "Key": "a/b c.zip"})).unwrap();
        assert_eq!(
            (http.method(), http.uri()),
            ("HEAD", "https://code.s3.us-east-1.amazonaws.com/a/b%20c.zip")
        );
    }

    #[test]
    fn a_member_the_service_does_not_have_is_not_sent() {
        let error = write("iam", "GetRole", &json!({"Role": "x"})).unwrap_err();
        assert!(matches!(error, RequestError::UnknownMember(name) if name == "Role"));
        let error = write("s3", "HeadObject", &json!({"Bucket": "code"})).unwrap_err();
        assert!(matches!(error, RequestError::MissingPath(name) if name == "Key"));
    }
}

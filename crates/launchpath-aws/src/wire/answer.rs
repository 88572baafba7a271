//! A successful HTTP answer to the AWS CLI's JSON.

use aws_smithy_runtime_api::client::orchestrator::HttpResponse;
use aws_smithy_types::date_time::{DateTime, Format};
use serde_json::{Map, Value};

use super::refusal::Refusal;
use super::xml;
use crate::facts::{Kind, OperationFacts, Place, Protocol, ServiceFacts, Shape};

/// Reads an answer: the document, or the service's refusal.
pub(crate) fn read(
    service: &ServiceFacts,
    operation: &OperationFacts,
    response: &HttpResponse,
) -> Result<Value, Refusal> {
    let status = response.status().as_u16();
    let body = response.body().bytes().unwrap_or_default();
    if !response.status().is_success() {
        let type_header = response.headers().get("x-amzn-errortype");
        let mut refusal = Refusal::read(&service.protocol, status, type_header, body);
        // AWS: https://docs.aws.amazon.com/AmazonS3/latest/API/API_HeadBucket.html
        if status == 301 || status == 400 {
            refusal.bucket_region = response.headers().get("x-amz-bucket-region").map(str::to_owned);
        }
        return Err(refusal);
    }
    let unreadable =
        || Refusal::new("UnreadableAnswer", "the answer is not in the service's format", Some(status));
    let text = std::str::from_utf8(body).map_err(|_| unreadable())?;
    match service.protocol {
        Protocol::Json { .. } | Protocol::RestJson if text.trim().is_empty() => Ok(Value::Object(Map::new())),
        Protocol::Json { .. } | Protocol::RestJson => {
            let document: Value = serde_json::from_str(text).map_err(|_| unreadable())?;
            if document.is_object() { Ok(document) } else { Err(unreadable()) }
        }
        Protocol::Ec2 | Protocol::Query => {
            xml::read(&service.protocol, operation, text).ok_or_else(unreadable)
        }
        Protocol::RestXml if text.trim().is_empty() => Ok(headers(operation, response)),
        Protocol::RestXml => xml::read(&service.protocol, operation, text).ok_or_else(unreadable),
    }
}

/// The answer of a HEAD request.
fn headers(operation: &OperationFacts, response: &HttpResponse) -> Value {
    let mut out = Map::new();
    for member in &operation.output {
        let value = match member.place {
            Place::Header => response
                .headers()
                .get(member.wire.to_lowercase())
                .map(|text| header_value(&member.shape, text)),
            Place::Headers => {
                let prefix = member.wire.to_lowercase();
                let found: Map<_, _> = response
                    .headers()
                    .iter()
                    .filter_map(|(name, value)| Some((name.strip_prefix(&prefix)?.to_owned(), value.into())))
                    .collect();
                Some(Value::Object(found))
            }
            Place::Body | Place::Path | Place::Query | Place::Status => None,
        };
        if let Some(value) = value {
            out.insert(member.name.clone(), value);
        }
    }
    Value::Object(out)
}

fn header_value(shape: &Shape, text: &str) -> Value {
    match shape {
        Shape::Scalar(Kind::Int) => text.parse::<i64>().map_or_else(|_| text.into(), Value::from),
        Shape::Scalar(Kind::Bool) => text.parse::<bool>().map_or_else(|_| text.into(), Value::from),
        Shape::Scalar(Kind::Time) => DateTime::from_str(text, Format::HttpDate)
            .ok()
            .and_then(|time| time.fmt(Format::DateTime).ok())
            .map_or_else(|| text.into(), Value::from),
        _ => text.into(),
    }
}

#[cfg(test)]
mod tests {
    use aws_smithy_runtime_api::http::StatusCode;
    use aws_smithy_types::body::SdkBody;
    use serde_json::json;

    use super::*;
    use crate::facts;

    fn response(status: u16, body: &'static str) -> HttpResponse {
        HttpResponse::new(StatusCode::try_from(status).unwrap(), SdkBody::from(body))
    }

    #[test]
    fn a_head_answer_is_its_headers() {
        let (service, operation) = facts::operation("s3", "HeadObject").unwrap();
        let mut http = response(200, "");
        http.headers_mut().insert("content-length", "42");
        http.headers_mut().insert("last-modified", "Sat, 18 Oct 2025 04:23:46 GMT");
        http.headers_mut().insert("x-amz-meta-team", "blue");
        assert_eq!(
            read(service, operation, &http).unwrap(),
            json!({"LastModified": "2025-10-18T04:23:46Z", "ContentLength": 42, "Metadata": {"team": "blue"}})
        );
        let refusal = read(service, operation, &response(404, "")).unwrap_err();
        assert_eq!((refusal.code.as_str(), refusal.http), ("404", Some(404)));
    }

    #[test]
    fn json_is_kept_as_received() {
        let (service, operation) = facts::operation("bedrock-agentcore-control", "GetAgentRuntime").unwrap();
        let http = response(200, r#"{"platformVersion":"V3","createdAt":1760760290.5}"#);
        assert_eq!(
            read(service, operation, &http).unwrap(),
            json!({"platformVersion": "V3", "createdAt": 1_760_760_290.5})
        );
        assert_eq!(read(service, operation, &response(200, "[]")).unwrap_err().code, "UnreadableAnswer");
    }
}

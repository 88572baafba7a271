//! How each operation looks on the wire, read once from `data/operations.json`.
//!
//! The file is written by `tests/moto/wire_facts.py` from the public API models; its grammar is
//! described there. Which operations may be sent, and why, is in [`crate::operation`].

use std::collections::BTreeMap;
use std::sync::LazyLock;

use serde_json::{Map, Value};

/// The protocols of the services in the table.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Protocol {
    /// Form in, XML out, EC2's dialect.
    Ec2,
    /// Form in, XML out.
    Query,
    /// JSON in and out; the operation is named in a header.
    Json {
        /// `1.0` or `1.1`.
        version: String,
        /// What precedes the operation's name in `X-Amz-Target`.
        target: String,
    },
    /// Paths and JSON.
    RestJson,
    /// Paths and XML.
    RestXml,
}

/// The type of a scalar as the AWS CLI prints it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    /// A string; also blobs, which stay as received.
    Text,
    /// `true` or `false`.
    Bool,
    /// A whole number.
    Int,
    /// A number.
    Float,
    /// A point in time; kept as received in answers.
    Time,
    /// A URL-encoded policy document, printed as an object.
    Policy,
}

/// Where a member of a request or answer travels.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Place {
    /// In the body.
    Body,
    /// In the path.
    Path,
    /// In the query string.
    Query,
    /// In a header.
    Header,
    /// In all headers that begin with the wire name.
    Headers,
    /// It is the HTTP status.
    Status,
}

/// The type of a member.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Shape {
    /// One value.
    Scalar(Kind),
    /// A list; `flat` when its items stand directly in the parent.
    List { item: Box<Shape>, flat: bool },
    /// Named members.
    Struct(Members),
    /// Free keys.
    Map,
}

/// A member of a structure.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Member {
    /// The name in the AWS CLI's JSON.
    pub(crate) name: String,
    /// The name on the wire.
    pub(crate) wire: String,
    /// Where it travels.
    pub(crate) place: Place,
    /// Its type.
    pub(crate) shape: Shape,
}

/// Members in the API model's order.
pub(crate) type Members = Vec<Member>;

/// How an operation pages.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Pages {
    /// The request's token member.
    pub(crate) input: String,
    /// The answer's token member.
    pub(crate) output: String,
    /// The members that are concatenated.
    pub(crate) results: Vec<String>,
    /// The member that says whether there is more; it disappears when pages are merged.
    pub(crate) more: Option<String>,
    /// The member that repeats how long a page may be; it disappears as well.
    pub(crate) limit: Option<String>,
}

/// One operation.
#[derive(Debug, Clone)]
pub(crate) struct OperationFacts {
    pub(crate) method: String,
    pub(crate) path: String,
    pub(crate) pages: Option<Pages>,
    pub(crate) input: Members,
    /// The element that wraps the result of the query protocol.
    pub(crate) wrapper: Option<String>,
    /// Only for answers in XML.
    pub(crate) output: Members,
}

/// One service.
#[derive(Debug, Clone)]
pub(crate) struct ServiceFacts {
    pub(crate) protocol: Protocol,
    pub(crate) version: String,
    /// The first label of the host name.
    pub(crate) endpoint: String,
    pub(crate) signing: String,
    /// The service's id, which names its section in the shared configuration.
    pub(crate) id: String,
    operations: BTreeMap<String, OperationFacts>,
}

static SERVICES: LazyLock<BTreeMap<String, ServiceFacts>> = LazyLock::new(|| {
    parse(include_str!("../data/operations.json")).expect("data/operations.json is well-formed")
});

/// Every service and operation of the file.
#[cfg(test)]
pub(crate) fn all() -> impl Iterator<Item = (&'static str, &'static str)> {
    SERVICES.iter().flat_map(|(s, facts)| facts.operations.keys().map(move |o| (s.as_str(), o.as_str())))
}

/// The facts of a service.
pub(crate) fn service(name: &str) -> Option<&'static ServiceFacts> {
    SERVICES.get(name)
}

/// The facts of an operation and its service.
pub(crate) fn operation(
    service_name: &str,
    operation: &str,
) -> Option<(&'static ServiceFacts, &'static OperationFacts)> {
    let service = service(service_name)?;
    Some((service, service.operations.get(operation)?))
}

fn parse(text: &str) -> Option<BTreeMap<String, ServiceFacts>> {
    let document: Value = serde_json::from_str(text).ok()?;
    let mut services = BTreeMap::new();
    for (name, facts) in document.get("services")?.as_object()? {
        let protocol = match text_of(facts, "protocol")? {
            "ec2" => Protocol::Ec2,
            "query" => Protocol::Query,
            "json" => Protocol::Json {
                version: text_of(facts, "json")?.to_owned(),
                target: text_of(facts, "target")?.to_owned(),
            },
            "rest-json" => Protocol::RestJson,
            "rest-xml" => Protocol::RestXml,
            _ => return None,
        };
        let mut operations = BTreeMap::new();
        for (operation, entry) in facts.get("operations")?.as_object()? {
            operations.insert(operation.clone(), parse_operation(entry)?);
        }
        let own = |key| text_of(facts, key).map(str::to_owned);
        services.insert(
            name.clone(),
            ServiceFacts {
                protocol,
                version: own("version")?,
                endpoint: own("endpoint")?,
                signing: own("signing")?,
                id: own("id")?,
                operations,
            },
        );
    }
    Some(services)
}

fn parse_operation(entry: &Value) -> Option<OperationFacts> {
    let pages = match entry.get("pages") {
        None => None,
        Some(pages) => Some(Pages {
            input: text_of(pages, "input")?.to_owned(),
            output: text_of(pages, "output")?.to_owned(),
            results: pages
                .get("results")?
                .as_array()?
                .iter()
                .map(|v| v.as_str().map(str::to_owned))
                .collect::<Option<_>>()?,
            more: text_of(pages, "more").map(str::to_owned),
            limit: text_of(pages, "limit").map(str::to_owned),
        }),
    };
    let members = |key| match entry.get(key) {
        None => Some(Vec::new()),
        Some(value) => parse_members(value.as_object()?),
    };
    Some(OperationFacts {
        method: text_of(entry, "method").unwrap_or("POST").to_owned(),
        path: text_of(entry, "path").unwrap_or("/").to_owned(),
        pages,
        input: members("input")?,
        wrapper: text_of(entry, "wrapper").map(str::to_owned),
        output: members("output")?,
    })
}

fn parse_members(members: &Map<String, Value>) -> Option<Members> {
    members.iter().map(|(name, facts)| parse_member(name, facts)).collect()
}

fn parse_member(name: &str, facts: &Value) -> Option<Member> {
    let (wire, place) = match facts {
        Value::String(text) => {
            let rest: Vec<&str> = text.split(' ').skip(1).collect();
            let place = rest.iter().find_map(|word| word.strip_prefix('@'));
            (rest.first().filter(|word| !word.starts_with('@')).copied(), place)
        }
        _ => (text_of(facts, "wire"), text_of(facts, "place")),
    };
    let place = match place {
        None => Place::Body,
        Some("uri") => Place::Path,
        Some("querystring") => Place::Query,
        Some("header") => Place::Header,
        Some("headers") => Place::Headers,
        Some("statusCode") => Place::Status,
        Some(_) => return None,
    };
    Some(Member {
        name: name.to_owned(),
        wire: wire.unwrap_or(name).to_owned(),
        place,
        shape: parse_shape(facts)?,
    })
}

fn parse_shape(facts: &Value) -> Option<Shape> {
    if let Some(text) = facts.as_str() {
        return Some(Shape::Scalar(match text.split(' ').next()? {
            "string" | "blob" => Kind::Text,
            "bool" => Kind::Bool,
            "int" => Kind::Int,
            "float" => Kind::Float,
            "time" => Kind::Time,
            "policy" => Kind::Policy,
            _ => return None,
        }));
    }
    if let Some(item) = facts.get("list") {
        let flat = facts.get("flat").and_then(Value::as_bool).unwrap_or(false);
        return Some(Shape::List { item: Box::new(parse_shape(item)?), flat });
    }
    if let Some(members) = facts.get("struct") {
        return Some(Shape::Struct(parse_members(members.as_object()?)?));
    }
    facts.get("map").map(|_| Shape::Map)
}

fn text_of<'a>(value: &'a Value, key: &str) -> Option<&'a str> {
    value.get(key)?.as_str()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_types_and_places_are_read() {
        let (service, subnets) = operation("ec2", "DescribeSubnets").unwrap();
        assert_eq!(service.protocol, Protocol::Ec2);
        let list = subnets.output.iter().find(|m| m.name == "Subnets").unwrap();
        assert_eq!(list.wire, "subnetSet");
        let Shape::List { item, flat: false } = &list.shape else { unreachable!() };
        let Shape::Struct(members) = item.as_ref() else { unreachable!() };
        let count = members.iter().find(|m| m.name == "AvailableIpAddressCount").unwrap();
        assert_eq!(
            (count.wire.as_str(), &count.shape),
            ("availableIpAddressCount", &Shape::Scalar(Kind::Int))
        );

        let (_, runtime) = operation("bedrock-agentcore-control", "GetAgentRuntime").unwrap();
        let version = runtime.input.iter().find(|m| m.name == "agentRuntimeVersion").unwrap();
        assert_eq!((version.wire.as_str(), version.place), ("version", Place::Query));
    }

    #[test]
    fn a_malformed_table_is_refused() {
        assert!(parse("{}").is_none());
        assert!(parse(r#"{"services": {"x": {"protocol": "carrier-pigeon"}}}"#).is_none());
    }
}

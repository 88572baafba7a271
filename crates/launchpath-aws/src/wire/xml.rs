//! XML answers to the AWS CLI's JSON.
//!
//! XML has neither types nor a difference between an empty list and an empty string; both come from
//! the wire facts. A member the facts do not know is kept, with the best guess at its form, so that
//! what AWS added last week survives.

use roxmltree::{Document, Node};
use serde_json::{Map, Number, Value};

use crate::facts::{Kind, Members, OperationFacts, Place, Protocol, Shape};

/// Deeper XML than any service answers is refused rather than walked.
const MAX_DEPTH: u32 = 64;

/// Reads the body of a successful answer, or `None` when it is not the XML expected.
pub(crate) fn read(protocol: &Protocol, operation: &OperationFacts, body: &str) -> Option<Value> {
    let document = Document::parse(body).ok()?;
    let root = document.root_element();
    let top = match &operation.wrapper {
        Some(wrapper) => child(root, wrapper)?,
        None => root,
    };
    let mut out = structure(protocol, top, &operation.output, 0);
    // Neither is part of the answer; the AWS CLI does not print them.
    for noise in ["RequestId", "requestId", "ResponseMetadata"] {
        out.remove(noise);
    }
    Some(Value::Object(out))
}

fn structure(protocol: &Protocol, node: Node, members: &Members, depth: u32) -> Map<String, Value> {
    let mut out = Map::new();
    if depth > MAX_DEPTH {
        return out;
    }
    let mut known: Vec<&str> = Vec::new();
    for member in members.iter().filter(|member| member.place == Place::Body) {
        known.push(&member.wire);
        let mut nodes = elements(node).filter(|e| e.tag_name().name() == member.wire).peekable();
        let Some(first) = nodes.peek().copied() else { continue };
        let value = match &member.shape {
            Shape::List { item, flat: true } => {
                Value::Array(nodes.map(|e| shaped(protocol, e, item, depth + 1)).collect())
            }
            shape => shaped(protocol, first, shape, depth + 1),
        };
        out.insert(member.name.clone(), value);
    }
    for element in elements(node) {
        let wire = element.tag_name().name();
        if known.contains(&wire) {
            continue;
        }
        let name = unknown_name(protocol, wire);
        // A later copy of a known member never replaces the known one.
        if !out.contains_key(&name) {
            out.insert(name, guessed(protocol, element, depth + 1));
        }
    }
    out
}

fn shaped(protocol: &Protocol, node: Node, shape: &Shape, depth: u32) -> Value {
    match shape {
        Shape::Scalar(kind) => scalar(text(node), *kind),
        Shape::List { item, .. } => {
            Value::Array(elements(node).map(|e| shaped(protocol, e, item, depth + 1)).collect())
        }
        Shape::Struct(members) => Value::Object(structure(protocol, node, members, depth)),
        Shape::Map => guessed(protocol, node, depth),
    }
}

fn scalar(text: &str, kind: Kind) -> Value {
    let as_is = || Value::String(text.to_owned());
    match kind {
        Kind::Text | Kind::Time => as_is(),
        Kind::Bool => match text {
            "true" => Value::Bool(true),
            "false" => Value::Bool(false),
            _ => as_is(),
        },
        Kind::Int => text.parse::<i64>().map_or_else(|_| as_is(), Value::from),
        Kind::Float => text.parse().ok().and_then(Number::from_f64).map_or_else(as_is, Value::Number),
        Kind::Policy => serde_json::from_str(&percent_decode(text)).unwrap_or_else(|_| as_is()),
    }
}

/// A member that the facts do not know: children all called `item` or `member` are a list.
fn guessed(protocol: &Protocol, node: Node, depth: u32) -> Value {
    let mut children = elements(node).peekable();
    if children.peek().is_none() || depth > MAX_DEPTH {
        return Value::String(text(node).to_owned());
    }
    if elements(node).all(|e| matches!(e.tag_name().name(), "item" | "member")) {
        return Value::Array(children.map(|e| guessed(protocol, e, depth + 1)).collect());
    }
    Value::Object(structure(protocol, node, &Vec::new(), depth + 1))
}

/// EC2 writes `subnetId` where the AWS CLI prints `SubnetId`; the other services write it as printed.
fn unknown_name(protocol: &Protocol, wire: &str) -> String {
    let mut letters = wire.chars();
    match letters.next() {
        Some(first) if *protocol == Protocol::Ec2 => first.to_uppercase().chain(letters).collect(),
        _ => wire.to_owned(),
    }
}

fn elements<'a, 'i: 'a>(node: Node<'a, 'i>) -> impl Iterator<Item = Node<'a, 'i>> {
    node.children().filter(Node::is_element)
}

/// The first child element of that name.
pub(super) fn child<'a, 'i: 'a>(node: Node<'a, 'i>, name: &str) -> Option<Node<'a, 'i>> {
    elements(node).find(|e| e.tag_name().name() == name)
}

pub(super) fn text<'a>(node: Node<'a, '_>) -> &'a str {
    node.text().unwrap_or_default()
}

fn percent_decode(text: &str) -> String {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.as_bytes();
    while let Some((&first, tail)) = rest.split_first() {
        let hex = |at: usize| tail.get(at).and_then(|b| char::from(*b).to_digit(16));
        if let (b'%', Some(high), Some(low)) = (first, hex(0), hex(1)) {
            bytes.push(u8::try_from(high * 16 + low).unwrap_or(b'?'));
            rest = &tail[2..];
        } else {
            bytes.push(first);
            rest = tail;
        }
    }
    String::from_utf8_lossy(&bytes).into_owned()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::facts;

    fn answer(service: &str, name: &str, body: &str) -> Value {
        let (service, operation) = facts::operation(service, name).unwrap();
        read(&service.protocol, operation, body).unwrap()
    }

    #[test]
    fn types_names_and_empty_lists_are_those_of_the_cli() {
        let body = r#"<DescribeSubnetsResponse xmlns="http://ec2.amazonaws.com/doc/2016-11-15/">
            <requestId>r</requestId><subnetSet><item><subnetId>subnet-1</subnetId>
            <availableIpAddressCount>242</availableIpAddressCount><defaultForAz>false</defaultForAz>
            <tagSet/></item></subnetSet></DescribeSubnetsResponse>"#;
        assert_eq!(
            answer("ec2", "DescribeSubnets", body),
            json!({"Subnets": [{"SubnetId": "subnet-1", "AvailableIpAddressCount": 242, "DefaultForAz": false, "Tags": []}]})
        );
    }

    #[test]
    fn members_and_values_newer_than_the_facts_survive() {
        let body = r"<R><networkInterfaceSet><item><interfaceType>agentic_ai</interfaceType>
            <quantumLink>on</quantumLink><laneSet><item><lane>1</lane></item></laneSet><empty/>
            </item></networkInterfaceSet></R>";
        assert_eq!(
            answer("ec2", "DescribeNetworkInterfaces", body),
            json!({"NetworkInterfaces": [{"InterfaceType": "agentic_ai", "QuantumLink": "on",
                "LaneSet": [{"Lane": "1"}], "Empty": ""}]})
        );
    }

    #[test]
    fn policies_become_objects_and_wrappers_disappear() {
        let body = "<GetRolePolicyResponse><GetRolePolicyResult><RoleName>r</RoleName><PolicyName>p</PolicyName>\
            <PolicyDocument>%7B%22Version%22%3A%20%222012-10-17%22%2C%22Statement%22%3A%5B%5D%7D</PolicyDocument>\
            </GetRolePolicyResult><ResponseMetadata><RequestId>x</RequestId></ResponseMetadata></GetRolePolicyResponse>";
        assert_eq!(
            answer("iam", "GetRolePolicy", body),
            json!({"RoleName": "r", "PolicyName": "p", "PolicyDocument": {"Version": "2012-10-17", "Statement": []}})
        );
    }

    #[test]
    fn hostile_depth_neither_overflows_nor_panics() {
        let deep = format!("<R>{}{}</R>", "<a>".repeat(3000), "</a>".repeat(3000));
        let (service, operation) = facts::operation("ec2", "DescribeVpcs").unwrap();
        let _ = read(&service.protocol, operation, &deep);
        assert_eq!(read(&service.protocol, operation, "not xml"), None);
        assert_eq!(percent_decode("%7B%zz%4"), "{%zz%4");
    }
}

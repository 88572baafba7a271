//! Server-sent events, and JSON-RPC in them.

use serde_json::Value;

/// The data of each whole event, in order.
pub(super) fn data(body: &[u8]) -> Vec<String> {
    let text = String::from_utf8_lossy(body);
    let mut found = Vec::new();
    let mut event: Option<String> = None;
    for line in text.lines() {
        if line.is_empty() {
            found.extend(event.take());
        } else if let Some(part) = line.strip_prefix("data:") {
            let part = part.strip_prefix(' ').unwrap_or(part);
            match &mut event {
                Some(data) => {
                    data.push('\n');
                    data.push_str(part);
                }
                None => event = Some(part.to_owned()),
            }
        }
    }
    // A stream that ends right after its last event may lack the blank line.
    found.extend(event);
    found
}

/// The data of each event that is JSON.
pub(super) fn values(body: &[u8]) -> Vec<Value> {
    data(body).iter().filter_map(|data| serde_json::from_str(data).ok()).collect()
}

/// Whether a body, JSON or events, holds an answer of JSON-RPC already.
pub(super) fn holds_json_rpc(body: &[u8]) -> bool {
    // Only a whole event, or a whole object, parses.
    super::json_rpc::answer(body).is_some()
}

#[cfg(test)]
mod tests {
    use super::{data, holds_json_rpc};

    #[test]
    fn events_are_read() {
        let body = b"event: message\ndata: {\"a\":\ndata: 1}\n\n: a comment\n\ndata:two\r\n\r\ndata: last";
        assert_eq!(data(body), ["{\"a\":\n1}", "two", "last"]);
        assert!(data(b"nothing\n\n").is_empty());
    }

    #[test]
    fn an_answer_is_seen_once_it_is_whole() {
        assert!(!holds_json_rpc(b"event: message\ndata: {\"jsonrpc\":\"2.0\",\"id\":1,\"res"));
        assert!(holds_json_rpc(b"data: {\"jsonrpc\":\"2.0\",\"id\":1,\"result\":{}}\n\n"));
        assert!(!holds_json_rpc(b"data: {\"jsonrpc\":\"2.0\",\"method\":\"notifications/x\"}\n\n"));
    }
}

//! Policy documents: an object, its JSON text, or its URL-encoded JSON text, depending on who printed it.
//!
//! AWS: IAM returns documents URL-encoded (RFC 3986), and the AWS CLI decodes them,
//! <https://docs.aws.amazon.com/IAM/latest/APIReference/API_GetRole.html>

use serde_json::Value;

/// The document as an object where it can be read as one, else as it was received.
pub(super) fn decode(document: Value) -> Value {
    let Value::String(text) = &document else {
        return document;
    };
    let as_object = |text: &str| serde_json::from_str::<Value>(text).ok().filter(Value::is_object);
    if let Some(object) = as_object(text) {
        return object;
    }
    let decoded = percent_decoded(text).and_then(|text| as_object(&text));
    decoded.unwrap_or(document)
}

fn percent_decoded(text: &str) -> Option<String> {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.as_bytes();
    while let Some((&byte, tail)) = rest.split_first() {
        rest = tail;
        if byte != b'%' {
            bytes.push(byte);
            continue;
        }
        let (digits, tail) = rest.split_at_checked(2)?;
        let digits = std::str::from_utf8(digits).ok().filter(|d| d.bytes().all(|b| b.is_ascii_hexdigit()))?;
        bytes.push(u8::from_str_radix(digits, 16).ok()?);
        rest = tail;
    }
    String::from_utf8(bytes).ok()
}

#[cfg(test)]
mod tests {
    use super::decode;
    use serde_json::json;

    #[test]
    fn every_form_is_the_same_document() {
        let document = json!({ "Version": "2012-10-17", "Statement": [] });
        let encoded = "%7B%22Version%22%3A%222012-10-17%22%2C%22Statement%22%3A%5B%5D%7D";
        for form in [document.clone(), json!(document.to_string()), json!(encoded)] {
            assert_eq!(decode(form), document);
        }
    }

    #[test]
    fn what_is_no_document_stays_as_received() {
        for form in
            [json!("%7"), json!("%zz"), json!("%ff"), json!("plain"), json!("[1]"), json!(3), json!("%+1")]
        {
            assert_eq!(decode(form.clone()), form);
        }
    }
}

//! JSON Lines: the diagnosis cut into one record per line, for tools that read streams.
//!
//! A record is `{"record": …, "runtime": …, "data": …}`: first `diagnosis` with every member that is no list, then one record for
//! each entry of each list, named after the member of the JSON format that holds it, in that order. So lines of many runtimes can
//! be put into one file.

use serde_json::{Map, Value, json};

use crate::diagnosis::Diagnosis;
use crate::outline;

/// The diagnosis as JSON Lines.
pub(crate) fn render(diagnosis: &Diagnosis) -> String {
    let runtime = outline::runtime_name(diagnosis);
    // INVARIANT: the type holds no map with keys that are no strings, the only reason for which this could fail.
    let whole = serde_json::to_value(diagnosis).expect("a diagnosis serialises");
    let Value::Object(members) = whole else { return String::new() };
    let (lists, mut head): (Map<String, Value>, Map<String, Value>) =
        members.into_iter().partition(|(_, value)| value.is_array());
    head.insert("exit_code".to_owned(), json!(diagnosis.exit_code()));
    let mut out = line("diagnosis", runtime, &Value::Object(head));
    for (name, list) in &lists {
        for entry in list.as_array().into_iter().flatten() {
            out.push_str(&line(name, runtime, entry));
        }
    }
    out
}

fn line(record: &str, runtime: &str, data: &Value) -> String {
    format!("{}\n", json!({ "record": record, "runtime": runtime, "data": data }))
}

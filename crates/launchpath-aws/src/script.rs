//! The collection as a bash script of AWS CLI commands, for accounts where this binary may not run.
//!
//! The script itself is `script.sh`; here it gets its runtime, endpoint and Region.

use crate::mask;
use crate::settings::{CollectError, Request};
use crate::target::Target;

const TEMPLATE: &str = include_str!("script.sh");

/// The script for a request; it writes the same bundle as [`crate::collect`], as a directory.
///
/// It never invokes the runtime, whatever the request says.
pub fn script(request: &Request) -> Result<String, CollectError> {
    let mut targets = vec![Target::parse(&request.runtime)?];
    if let Some(against) = &request.against {
        targets.push(Target::parse(against)?);
    }
    let region = targets.first().and_then(|target| target.region.clone()).unwrap_or_default();
    let runtimes: Vec<_> = targets.iter().map(|target| quoted(target.label())).collect();
    // A JSON string, so that the script can print it into the bundle as it is.
    let saw = request.saw.as_deref().map(|saw| serde_json::Value::from(mask::text(saw)).to_string());
    Ok(TEMPLATE
        .replace("@RUNTIMES@", &runtimes.join(" "))
        .replace("@ENDPOINT@", &quoted(request.endpoint()))
        .replace("@REGION@", &quoted(&region))
        .replace("@VERSION@", env!("CARGO_PKG_VERSION"))
        // Last: what a person said is not a template.
        .replace("@SAW@", &quoted(&saw.unwrap_or_default())))
}

/// A word that bash reads as it stands.
fn quoted(text: &str) -> String {
    format!("'{}'", text.replace('\'', r"'\''"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_the_user_typed_cannot_leave_its_quotes() {
        let request = Request {
            runtime: "agent-0123456789".to_owned(),
            endpoint: "x'; rm -rf /; '".to_owned(),
            saw: Some("it's \"broken\" $(date)".to_owned()),
            ..Request::default()
        };
        let script = script(&request).unwrap();
        assert!(script.contains(r"endpoint='x'\''; rm -rf /; '\'''"));
        assert!(script.contains(r#"saw='"it'\''s \"broken\" $(date)"'"#));
        assert!(!script.contains("@RUNTIMES@") && !script.contains("@SAW@"));
    }

    #[test]
    fn the_script_makes_no_call_outside_the_table() {
        for line in TEMPLATE.lines() {
            let mut words = line.split_whitespace().skip_while(|word| *word != "call");
            let (Some(_), Some(service), Some(operation)) = (words.next(), words.next(), words.next()) else {
                continue;
            };
            if operation.starts_with('$') || !operation.starts_with(char::is_uppercase) {
                continue;
            }
            let service = if service == "s3api" { "s3" } else { service };
            assert!(crate::operation::find(service, operation).is_some(), "{line}");
        }
        assert!(!TEMPLATE.contains("invoke-agent-runtime"));
    }
}

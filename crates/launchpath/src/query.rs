//! `--query`: JMESPath over the JSON of an answer, as the AWS CLI has it.
//!
//! The result is JSON, whatever the format would have been without a query. Members of objects come in alphabetical order.

use std::fmt::Display;

use crate::failure::Failure;

/// A query that can be read.
// Its compiled form may not cross threads, as the command line's values must.
#[derive(Clone, Debug)]
pub(crate) struct Query(String);

impl Query {
    /// Reads an expression.
    pub(crate) fn parse(text: &str) -> Result<Self, String> {
        jmespath::compile(text).map(|_| Self(text.to_owned())).map_err(|error| error.to_string())
    }

    /// What the expression selects from the document, indented and ending in a line feed.
    pub(crate) fn select(&self, json: &str) -> Result<String, Failure> {
        let failed = |error: &dyn Display| Failure::usage(anyhow::anyhow!("--query: {error}"));
        let document = jmespath::Variable::from_json(json).map_err(|error| failed(&error))?;
        let expression = jmespath::compile(&self.0).map_err(|error| failed(&error))?;
        let found = expression.search(document).map_err(|error| failed(&error))?;
        let text = serde_json::to_string_pretty(&*found).map_err(|error| failed(&error))?;
        Ok(format!("{text}\n"))
    }
}

/// What is shown of an answer: what the query selects from its JSON, else the form that was asked for.
pub(crate) fn shown(
    query: Option<&Query>,
    json: impl FnOnce() -> String,
    form: impl FnOnce() -> String,
) -> Result<String, Failure> {
    match query {
        Some(query) => query.select(&json()),
        None => Ok(form()),
    }
}

/// Refuses a query where there is no JSON document to ask.
pub(crate) fn refuse(query: Option<&Query>, what: &str) -> Result<(), Failure> {
    match query {
        None => Ok(()),
        Some(_) => Err(Failure::usage(anyhow::anyhow!("--query asks a JSON document, and {what} is none"))),
    }
}

#[cfg(test)]
mod tests {
    use super::Query;

    #[test]
    fn an_expression_selects() {
        let json = r#"{"causes": [{"fault": "a", "p": 0.9}, {"fault": "b", "p": 0.1}]}"#;
        let select = |text: &str| Query::parse(text).unwrap().select(json).unwrap();
        assert_eq!(select("causes[].fault"), "[\n  \"a\",\n  \"b\"\n]\n");
        assert_eq!(select("causes[?p > `0.5`].fault | [0]"), "\"a\"\n");
        assert_eq!(select("nothing"), "null\n");
    }

    #[test]
    fn what_cannot_be_read_or_asked_is_said() {
        assert!(Query::parse("causes[").is_err());
        assert!(Query::parse("length(`1`)").unwrap().select("{}").is_err());
    }
}

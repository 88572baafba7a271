//! Policy variables: `${key}`, `${key, 'default'}`, and the escapes `${*}`, `${?}`, `${$}`.
//!
//! Not the wildcards around them: a template gives tokens in which substituted text is always literal. A malformed
//! `${…}` is plain text.
//!
//! AWS: <https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_variables.html>

use crate::document::Version;
use crate::glob::Token;

/// A policy string cut at its variables.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Template {
    pieces: Vec<Piece>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum Piece {
    /// As written; wildcards count.
    Text(String),
    /// From an escape; wildcards do not count.
    Literal(char),
    /// A context key (lower case) and what to use when it has no value.
    Variable { key: String, default: Option<String> },
}

/// Why a template has no text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Unresolved {
    /// A variable's key is not in the request and has no default: the element matches nothing.
    NoValue,
    /// Whether the key has a value, or which, is not known.
    NotKnown(String),
}

/// The value of a context key for a variable.
pub(crate) enum VariableValue<'a> {
    Value(&'a str),
    NoValue,
    NotKnown,
}

impl Template {
    /// Cuts a string. Documents in the language of 2008 have no variables: there all is text.
    pub(crate) fn new(text: &str, language: Version) -> Self {
        if language == Version::V2008 || !text.contains("${") {
            return Self { pieces: vec![Piece::Text(text.to_owned())] };
        }
        let mut pieces = Vec::new();
        let mut plain = String::new();
        let mut rest = text;
        while let Some(start) = rest.find("${") {
            let (before, from) = rest.split_at(start);
            plain.push_str(before);
            if let Some((piece, length)) = variable(from) {
                if !plain.is_empty() {
                    pieces.push(Piece::Text(std::mem::take(&mut plain)));
                }
                pieces.push(piece);
                rest = from.get(length..).unwrap_or_default();
            } else {
                plain.push_str("${");
                rest = from.get(2..).unwrap_or_default();
            }
        }
        plain.push_str(rest);
        if !plain.is_empty() || pieces.is_empty() {
            pieces.push(Piece::Text(plain));
        }
        Self { pieces }
    }

    /// Whether its text does not depend on the request.
    pub(crate) fn is_fixed(&self) -> bool {
        !self.pieces.iter().any(|piece| matches!(piece, Piece::Variable { .. }))
    }

    /// The context keys it uses.
    pub(crate) fn keys(&self) -> impl Iterator<Item = &str> {
        self.pieces.iter().filter_map(|piece| match piece {
            Piece::Variable { key, .. } => Some(key.as_str()),
            _ => None,
        })
    }

    /// Its tokens for one request.
    pub(crate) fn tokens<'a>(
        &self,
        value_of: impl Fn(&str) -> VariableValue<'a>,
    ) -> Result<Vec<Token>, Unresolved> {
        let mut tokens = Vec::new();
        for piece in &self.pieces {
            match piece {
                Piece::Text(text) => tokens.extend(Token::of_pattern(text)),
                Piece::Literal(c) => tokens.push(Token::Literal(*c)),
                Piece::Variable { key, default } => {
                    let text = match (value_of(key), default) {
                        (VariableValue::Value(text), _) => text,
                        (VariableValue::NoValue, Some(default)) => default,
                        (VariableValue::NoValue, None) => return Err(Unresolved::NoValue),
                        (VariableValue::NotKnown, _) => return Err(Unresolved::NotKnown(key.clone())),
                    };
                    tokens.extend(text.chars().map(Token::Literal));
                }
            }
        }
        Ok(tokens)
    }

    /// Its text for one request, wildcards as they stand.
    pub(crate) fn text<'a>(
        &self,
        value_of: impl Fn(&str) -> VariableValue<'a>,
    ) -> Result<String, Unresolved> {
        let tokens = self.tokens(value_of)?;
        let text = tokens.into_iter().map(|token| match token {
            Token::Literal(c) => c,
            Token::One => '?',
            Token::Many => '*',
        });
        Ok(text.collect())
    }
}

/// Reads the variable at the start of a text that starts with `${`: the piece and its length in bytes.
fn variable(text: &str) -> Option<(Piece, usize)> {
    for escape in ['*', '?', '$'] {
        if text.get(2..4).is_some_and(|inner| inner.starts_with(escape) && inner.ends_with('}')) {
            return Some((Piece::Literal(escape), 4));
        }
    }
    let inner = text.get(2..)?;
    let name_length = inner.find(['}', ',', '$', '{', '\''])?;
    let key = inner.get(..name_length)?.trim();
    let well_formed = key.contains(':') && !key.contains(char::is_whitespace);
    if !well_formed {
        return None;
    }
    let key = key.to_ascii_lowercase();
    let after = inner.get(name_length..)?;
    if after.starts_with('}') {
        return Some((Piece::Variable { key, default: None }, 2 + name_length + 1));
    }
    let quoted = after.strip_prefix(',')?.trim_start().strip_prefix('\'')?;
    let (default, closing) = quoted.split_once('\'')?;
    let end = closing.trim_start().strip_prefix('}')?;
    let length = text.len() - end.len();
    Some((Piece::Variable { key, default: Some(default.to_owned()) }, length))
}

#[cfg(test)]
mod tests {
    use super::{Template, Unresolved, VariableValue};
    use crate::document::Version;

    fn expand(text: &str) -> Result<String, Unresolved> {
        Template::new(text, Version::V2012).text(|key| match key {
            "aws:username" => VariableValue::Value("Ann"),
            "aws:userid" => VariableValue::NotKnown,
            _ => VariableValue::NoValue,
        })
    }

    #[test]
    fn expands_variables_defaults_and_escapes() {
        assert_eq!(expand("home/${aws:UserName}/x").unwrap(), "home/Ann/x");
        assert_eq!(expand("${aws:username}${aws:username}").unwrap(), "AnnAnn");
        assert_eq!(expand("b-${aws:PrincipalTag/team, 'company-wide'}!").unwrap(), "b-company-wide!");
        assert_eq!(expand("${aws:PrincipalTag/team,'a b'}").unwrap(), "a b");
        assert_eq!(expand("${*}${?}${$}").unwrap(), "*?$");
        assert_eq!(expand("${aws:PrincipalTag/team}"), Err(Unresolved::NoValue));
        assert_eq!(expand("${aws:userid, 'x'}"), Err(Unresolved::NotKnown("aws:userid".into())));
    }

    #[test]
    fn leaves_what_is_no_variable() {
        for text in ["${}", "${", "$x", "${aws:username", "${no-key}", "${aws:x, y}", "a$${}b"] {
            assert_eq!(expand(text).unwrap(), text);
        }
        let old = Template::new("${aws:username}", Version::V2008);
        assert_eq!(old.text(|_| VariableValue::Value("Ann")).unwrap(), "${aws:username}");
    }
}

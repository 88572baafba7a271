//! SPDX licence expressions against the list of accepted licences.
//!
//! <https://spdx.github.io/spdx-spec/v3.0.1/annexes/spdx-license-expressions/>; the old `MIT/Apache-2.0` reads as OR.

/// Whether a choice offered by `expression` needs accepted licences only; else why not.
pub(super) fn permits(expression: &str, allowed: &[String]) -> Result<(), String> {
    if expression.trim().is_empty() {
        return Err("declares no licence".to_owned());
    }
    let spaced = expression.replace('(', " ( ").replace(')', " ) ").replace('/', " OR ");
    let mut words: Words = spaced.split_whitespace().peekable();
    let accepted = any(&mut words, allowed);
    match (accepted, words.next()) {
        (Some(true), None) => Ok(()),
        (Some(false), None) => Err(format!("`{expression}` offers no choice of accepted licences")),
        _ => Err(format!("`{expression}` is not a licence expression")),
    }
}

type Words<'a> = std::iter::Peekable<std::str::SplitWhitespace<'a>>;

/// Alternatives; `None` is a syntax error.
fn any(words: &mut Words<'_>, allowed: &[String]) -> Option<bool> {
    let mut accepted = all(words, allowed)?;
    while words.next_if_eq(&"OR").is_some() {
        accepted |= all(words, allowed)?;
    }
    Some(accepted)
}

/// Requirements that hold together; they bind tighter than alternatives.
fn all(words: &mut Words<'_>, allowed: &[String]) -> Option<bool> {
    let mut accepted = one(words, allowed)?;
    while words.next_if_eq(&"AND").is_some() {
        accepted &= one(words, allowed)?;
    }
    Some(accepted)
}

/// A parenthesis or one licence. An exception (`WITH …`) only adds permissions, so the licence alone decides.
fn one(words: &mut Words<'_>, allowed: &[String]) -> Option<bool> {
    if words.next_if_eq(&"(").is_some() {
        let accepted = any(words, allowed)?;
        return words.next_if_eq(&")").map(|_| accepted);
    }
    let name = words.next()?;
    if matches!(name, "AND" | "OR" | "WITH" | ")") {
        return None;
    }
    if words.next_if_eq(&"WITH").is_some() {
        words.next()?;
    }
    Some(allowed.iter().any(|licence| licence == name))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn accepted(expression: &str) -> bool {
        let allowed = ["Apache-2.0", "ISC", "MIT"].map(str::to_owned);
        permits(expression, &allowed).is_ok()
    }

    #[test]
    fn one_accepted_alternative_is_enough() {
        for expression in
            ["MIT", "MIT OR GPL-3.0-only", "GPL-3.0-only OR MIT", "GPL-2.0/MIT", "GPL-2.0 / MIT"]
        {
            assert!(accepted(expression), "{expression}");
        }
    }

    #[test]
    fn every_requirement_must_be_accepted() {
        assert!(accepted("ISC AND (Apache-2.0 OR GPL-3.0-only)"));
        assert!(accepted("GPL-3.0-only AND ISC OR MIT"));
        assert!(accepted("Apache-2.0 WITH LLVM-exception"));
        assert!(!accepted("ISC AND (GPL-2.0 OR GPL-3.0-only)"));
        assert!(!accepted("(MIT OR Apache-2.0) AND GPL-3.0-only"));
    }

    #[test]
    fn what_is_not_an_expression_is_not_accepted() {
        for expression in ["", "MIT AND", "OR MIT", "(MIT", "MIT)", "MIT Apache-2.0", "MIT WITH"] {
            assert!(!accepted(expression), "{expression}");
        }
    }
}

//! ARNs: their six parts, and matching them with patterns part by part.
//!
//! Not validation against what a service knows. Patterns in `Resource` and in ARN conditions differ in one rule,
//! see [`ArnRule`].

use crate::glob::{Glob, Token};

/// An ARN's parts; the resource part may hold further colons.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct ArnParts<'a> {
    pub(crate) partition: &'a str,
    pub(crate) service: &'a str,
    pub(crate) account: &'a str,
    pub(crate) resource: &'a str,
}

impl<'a> ArnParts<'a> {
    /// Splits a text that has the form of an ARN.
    pub(crate) fn split(text: &'a str) -> Option<Self> {
        let mut parts = text.splitn(6, ':');
        if parts.next()? != "arn" {
            return None;
        }
        let partition = parts.next()?;
        let service = parts.next()?;
        let _region = parts.next()?;
        let account = parts.next()?;
        Some(Self { partition, service, account, resource: parts.next()? })
    }
}

/// How far a star may reach.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum ArnRule {
    /// `Resource` and `NotResource`: a star that ends its segment may reach beyond the colon.
    ///
    /// AWS: <https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_elements_resource.html#reference_policies_elements_resource_wildcards>
    Resource,
    /// ARN conditions: each of the six components on its own. Only a pattern with fewer components may end with a star
    /// for all the rest, as in a resource, to whose wildcards the same page points.
    ///
    /// AWS: <https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_elements_condition_operators.html#Conditions_ARN>
    Condition,
}

/// A compiled ARN pattern.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct ArnPattern {
    rule: ArnRule,
    /// Up to six; fewer when the pattern has fewer colons.
    segments: Box<[Segment]>,
    /// Colons in the pattern, those of the last segment included: no match has fewer.
    colons: usize,
    /// The pattern as one wildcard pattern, for texts that are no ARN.
    whole: Glob,
}

#[derive(Debug, Clone, PartialEq, Eq)]
struct Segment {
    glob: Glob,
    ends_with_star: bool,
}

impl ArnPattern {
    pub(crate) fn new(tokens: &[Token], rule: ArnRule) -> Self {
        let whole = Glob::from_tokens(tokens.iter().copied());
        let colons = tokens.iter().filter(|token| **token == Token::Literal(':')).count();
        let segments = tokens.splitn(6, |token| *token == Token::Literal(':'));
        let segments = segments.map(|tokens| Segment {
            glob: Glob::from_tokens(tokens.iter().copied()),
            ends_with_star: tokens.last() == Some(&Token::Many),
        });
        Self { rule, segments: segments.collect(), colons, whole }
    }

    /// Whether the pattern covers the ARN (or, for what is no ARN, the text).
    pub(crate) fn matches(&self, text: &str, cuts: ArnCuts) -> bool {
        if self.whole.matches_everything() {
            return true;
        }
        let Some(parts) = cuts.parts(text) else {
            return self.segments.len() < 6 && self.whole.matches(text);
        };
        let ends_open = self.segments.last().is_some_and(|last| last.ends_with_star);
        if (self.segments.len() == 6 || ends_open)
            && self.segments.iter().zip(parts).all(|(segment, part)| segment.glob.matches(part))
        {
            return true;
        }
        if self.rule == ArnRule::Condition {
            return false;
        }
        // A star that leaves its segment swallows at least one colon more than the pattern spells.
        let may_leave = self.segments.len() < 6 || cuts.colons > self.colons;
        may_leave && self.matches_beyond_colons(text)
    }

    /// Segment by segment, where a star at a segment's end may swallow any number of further segments.
    fn matches_beyond_colons(&self, text: &str) -> bool {
        // Offsets at which the text for the next segment may start; one past the end stands for "nothing left".
        let mut starts = vec![0];
        let Some((last, before)) = self.segments.split_last() else {
            return false;
        };
        for segment in before {
            let mut next: Vec<usize> = Vec::new();
            for start in starts {
                let Some(rest) = text.get(start..) else { continue };
                let Some(colon) = rest.find(':') else { continue };
                if !rest.get(..colon).is_some_and(|part| segment.glob.matches(part)) {
                    continue;
                }
                next.push(start + colon + 1);
                if segment.ends_with_star {
                    let further = rest.match_indices(':').skip(1);
                    next.extend(further.map(|(at, _)| start + at + 1));
                    // Every later start is in by now.
                    break;
                }
            }
            next.sort_unstable();
            next.dedup();
            starts = next;
        }
        let whole_rest = self.segments.len() == 6;
        starts.into_iter().filter_map(|start| text.get(start..)).any(|rest| {
            if whole_rest || last.ends_with_star {
                // The resource part takes all that is left, and so does a star at the pattern's end, provided what
                // stands before it fits into the segment.
                let part = if whole_rest { rest } else { rest.split(':').next().unwrap_or(rest) };
                return last.glob.matches(part);
            }
            last.glob.matches(rest) && !rest.contains(':')
        })
    }
}

/// A text and the offsets of its ARN parts, found once.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct ArnCuts {
    /// Offsets just behind the first five colons, when it is an ARN.
    cuts: Option<[usize; 5]>,
    colons: usize,
}

impl ArnCuts {
    pub(crate) fn of(text: &str) -> Self {
        let mut cuts = [0; 5];
        let mut colons = 0;
        for (at, byte) in text.bytes().enumerate() {
            if byte == b':' {
                if let Some(cut) = cuts.get_mut(colons) {
                    *cut = at + 1;
                }
                colons += 1;
            }
        }
        let is_arn = colons >= cuts.len() && text.starts_with("arn:");
        Self { cuts: is_arn.then_some(cuts), colons }
    }

    /// The six parts of the text these were found in, `None` for what is no ARN.
    pub(crate) fn parts(self, text: &str) -> Option<[&str; 6]> {
        let cuts = self.cuts?;
        let mut start = 0;
        let mut parts = [""; 6];
        for (part, next) in parts.iter_mut().zip(cuts) {
            *part = text.get(start..next - 1)?;
            start = next;
        }
        if let Some(last) = parts.last_mut() {
            *last = text.get(start..)?;
        }
        Some(parts)
    }
}

#[cfg(test)]
mod tests {
    use super::{ArnCuts, ArnPattern, ArnRule};
    use crate::glob::Token;

    fn matches(pattern: &str, text: &str, rule: ArnRule) -> bool {
        let tokens: Vec<Token> = Token::of_pattern(pattern).collect();
        ArnPattern::new(&tokens, rule).matches(text, ArnCuts::of(text))
    }

    #[test]
    fn each_segment_on_its_own() {
        let group = "arn:aws:logs:us-east-1:111122223333:log-group:/aws/x:log-stream:s";
        let cases = [
            ("*", group, true),
            ("arn:aws:logs:*:*:log-group:/aws/*", group, true),
            ("arn:aws:logs:us-east-?:111122223333:*", group, true),
            ("arn:aws:logs:*:999900001111:*", group, false),
            // A star inside a segment stays there, one at its end need not.
            ("arn:aws:lo*s:us-east-1:111122223333:*", group, true),
            ("arn:aws:l*s:111122223333:log-group:/aws/x:log-stream:s", group, false),
            ("arn:aws:logs:*:log-group:/aws/x:log-stream:s", group, true),
            ("arn:aws:logs:*", group, true),
            ("arn:aws:log", group, false),
            ("arn:aws:ec2:*", group, false),
            ("arn:aws:logs:us-east-1:*:log-stream:s", group, true),
            ("arn:aws:s3:::bucket/*", "arn:aws:s3:::bucket/a:b", true),
            ("arn:aws:s3:::bucket", "arn:aws:s3:::bucket/a", false),
            ("arn:aws:s3:::*", "*", false),
            ("*", "*", true),
        ];
        for (pattern, text, expected) in cases {
            assert_eq!(matches(pattern, text, ArnRule::Resource), expected, "{pattern} on {text}");
        }
    }

    #[test]
    fn conditions_compare_six_components() {
        let role = "arn:aws:iam::111122223333:role/x";
        assert!(matches("arn:aws:iam::*:role/*", role, ArnRule::Condition));
        assert!(matches("arn:aws:iam::*", role, ArnRule::Condition));
        assert!(!matches("arn:aws:*:role/x", role, ArnRule::Condition));
        assert!(!matches("arn:aws:iam:*:role/x:y", "arn:aws:iam::1:role/x:y", ArnRule::Condition));
    }

    #[test]
    fn colons_do_not_explode() {
        let text = format!("arn:{}x", ":".repeat(5_000));
        assert!(!matches("arn:*:*:*:*:*y", &text, ArnRule::Resource));
    }
}

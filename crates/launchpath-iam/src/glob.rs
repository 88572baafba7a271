//! The wildcard matcher: `*` for any run of characters, `?` for one, nothing else special.
//!
//! Not the ARN rules (which segment a `*` may leave): those are in `arn.rs`. On a mismatch the matcher goes back to
//! the last `*` only, so time is at most text length times pattern length and there is no stack to overflow.

/// One element of a pattern after variables and escapes are resolved.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Token {
    /// This very character.
    Literal(char),
    /// `?`.
    One,
    /// `*`.
    Many,
}

impl Token {
    /// The tokens of a pattern without variables.
    pub(crate) fn of_pattern(text: &str) -> impl Iterator<Item = Self> {
        text.chars().map(|c| match c {
            '*' => Self::Many,
            '?' => Self::One,
            c => Self::Literal(c),
        })
    }
}

/// A compiled wildcard pattern.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Glob {
    shape: Shape,
}

/// The common shapes get by without the general matcher.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Shape {
    Everything,
    Exact(Box<str>),
    Prefix(Box<str>),
    General(Box<[Piece]>),
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum Piece {
    Text(Box<str>),
    One,
    Many,
}

impl Glob {
    /// Compiles a pattern in which only `*` and `?` are special.
    pub fn new(pattern: &str) -> Self {
        Self::from_tokens(Token::of_pattern(pattern))
    }

    pub(crate) fn from_tokens(tokens: impl IntoIterator<Item = Token>) -> Self {
        let mut pieces: Vec<Piece> = Vec::new();
        let mut text = String::new();
        for token in tokens {
            let piece = match token {
                Token::Literal(c) => {
                    text.push(c);
                    continue;
                }
                Token::One => Piece::One,
                Token::Many => Piece::Many,
            };
            if !text.is_empty() {
                pieces.push(Piece::Text(std::mem::take(&mut text).into_boxed_str()));
            }
            // Two stars in a row mean the same as one.
            if piece != Piece::Many || pieces.last() != Some(&Piece::Many) {
                pieces.push(piece);
            }
        }
        if !text.is_empty() {
            pieces.push(Piece::Text(text.into_boxed_str()));
        }
        let shape = match pieces.as_slice() {
            [] => Shape::Exact("".into()),
            [Piece::Many] => Shape::Everything,
            [Piece::Text(text)] => Shape::Exact(text.clone()),
            [Piece::Text(text), Piece::Many] => Shape::Prefix(text.clone()),
            _ => Shape::General(pieces.into_boxed_slice()),
        };
        Self { shape }
    }

    /// Whether the whole text matches.
    pub fn matches(&self, text: &str) -> bool {
        match &self.shape {
            Shape::Everything => true,
            Shape::Exact(exact) => **exact == *text,
            Shape::Prefix(prefix) => text.starts_with(&**prefix),
            Shape::General(pieces) => matches_pieces(pieces, text),
        }
    }

    /// Whether it matches every text.
    pub fn matches_everything(&self) -> bool {
        self.shape == Shape::Everything
    }

    /// The text every match starts with.
    pub(crate) fn literal_prefix(&self) -> &str {
        match &self.shape {
            Shape::Everything => "",
            Shape::Exact(text) | Shape::Prefix(text) => text,
            Shape::General(pieces) => match pieces.first() {
                Some(Piece::Text(text)) => text,
                _ => "",
            },
        }
    }
}

fn matches_pieces(pieces: &[Piece], text: &str) -> bool {
    let mut rest = text;
    let mut next = 0;
    // Where to go on after the last star: the piece behind it, and the text it has not swallowed yet.
    let mut retry: Option<(usize, &str)> = None;
    loop {
        let step = match pieces.get(next) {
            Some(Piece::Many) => {
                next += 1;
                if next == pieces.len() {
                    return true;
                }
                retry = Some((next, rest));
                continue;
            }
            Some(Piece::Text(wanted)) => rest.strip_prefix(&**wanted),
            Some(Piece::One) => skip_char(rest),
            None if rest.is_empty() => return true,
            None => None,
        };
        if let Some(after) = step {
            rest = after;
            next += 1;
            continue;
        }
        let Some((behind, unswallowed)) = retry else {
            return false;
        };
        // A text piece right behind the star can be searched for instead of tried at each character.
        let Some(shorter) = skip_char(unswallowed) else {
            return false;
        };
        let shorter = match pieces.get(behind) {
            Some(Piece::Text(wanted)) => match shorter.find(&**wanted) {
                Some(at) => shorter.get(at..).unwrap_or_default(),
                None => return false,
            },
            _ => shorter,
        };
        retry = Some((behind, shorter));
        rest = shorter;
        next = behind;
    }
}

fn skip_char(text: &str) -> Option<&str> {
    let mut chars = text.chars();
    chars.next()?;
    Some(chars.as_str())
}

#[cfg(test)]
mod tests {
    use super::Glob;

    #[test]
    fn matches_like_the_documentation_says() {
        let cases = [
            ("*", "", true),
            ("*", "anything", true),
            ("", "", true),
            ("", "a", false),
            ("?", "", false),
            ("?", "é", true),
            ("a*c", "abbbc", true),
            ("a*c", "abbb", false),
            ("a*b*c", "axbxbxc", true),
            ("a?c*", "abcd", true),
            ("*ab", "aab", true),
            ("*aab", "aaaab", true),
            ("**a**", "bab", true),
            ("a*?", "a", false),
            ("a*?", "ab", true),
            ("*.txt", "x.txt.txt", true),
        ];
        for (pattern, text, expected) in cases {
            assert_eq!(Glob::new(pattern).matches(text), expected, "{pattern} on {text}");
        }
    }

    #[test]
    fn many_stars_stay_cheap() {
        let pattern = "a*".repeat(500) + "b";
        let text = "a".repeat(20_000);
        assert!(!Glob::new(&pattern).matches(&text));
    }
}

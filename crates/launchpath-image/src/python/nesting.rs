//! How deeply a source may be nested, before it is parsed: whoever walks or drops a tree of that depth needs a stack for it.
//!
//! What it is: a lexer that counts what can nest (brackets, prefixes, chains of operators and calls, blocks), from above: what it
//! counts may be flat, and what is nested is counted. Strings are passed over; of formatted ones the fields are code. What it is
//! not: a check of the source. Start with [`nesting`].

/// Deeper than the interpreters' own compilers go.
pub(super) const LIMIT: usize = 10_000;

/// Words that nest what follows them.
const WORDS: &[&str] = &["not", "and", "or", "lambda", "if", "else", "await", "yield", "in", "is"];

/// The greatest depth, or a number above it.
pub(super) fn nesting(text: &str) -> usize {
    let mut lexer =
        Lexer { bytes: text.as_bytes(), at: 0, levels: vec![Level::default()], depth: 1, indent: 0, most: 1 };
    lexer.run();
    lexer.most
}

/// What is open at a place: the module, a bracket, the text or a field of a formatted string.
#[derive(Default)]
struct Level {
    kind: Kind,
    /// Operators since the last comma, and lambdas, whose parameters have commas.
    chain: usize,
    lambdas: usize,
}

#[derive(Clone, Copy, Default, PartialEq, Eq)]
enum Kind {
    #[default]
    Module,
    Bracket,
    /// The text of a formatted string that ends with this quote.
    Text {
        quote: u8,
        triple: bool,
    },
    /// A field of one: code up to a brace.
    Field,
    /// What follows the colon of a field: text up to a brace.
    Specification,
}

struct Lexer<'a> {
    bytes: &'a [u8],
    at: usize,
    levels: Vec<Level>,
    /// Levels and what is counted in them.
    depth: usize,
    indent: usize,
    most: usize,
}

impl Lexer<'_> {
    fn run(&mut self) {
        self.measure_indent();
        while let Some(&byte) = self.bytes.get(self.at) {
            match self.kind() {
                Kind::Text { .. } | Kind::Specification => self.text(byte),
                Kind::Module | Kind::Bracket | Kind::Field => self.code(byte),
            }
            self.most = self.most.max(self.depth + self.indent);
        }
    }

    fn kind(&self) -> Kind {
        self.levels.last().map_or(Kind::Module, |level| level.kind)
    }

    fn open(&mut self, kind: Kind) {
        self.levels.push(Level { kind, ..Level::default() });
        self.depth += 1;
    }

    fn close(&mut self) {
        if self.levels.len() > 1
            && let Some(level) = self.levels.pop()
        {
            self.depth -= 1 + level.chain + level.lambdas;
        }
    }

    fn count(&mut self) {
        if let Some(level) = self.levels.last_mut() {
            level.chain += 1;
            self.depth += 1;
        }
    }

    /// The end of a statement, or of one member of a list.
    fn reset(&mut self, lambdas_too: bool) {
        if let Some(level) = self.levels.last_mut() {
            self.depth -= std::mem::take(&mut level.chain);
            if lambdas_too {
                self.depth -= std::mem::take(&mut level.lambdas);
            }
        }
    }

    fn measure_indent(&mut self) {
        let rest = &self.bytes[self.at.min(self.bytes.len())..];
        self.indent = rest.iter().take_while(|byte| matches!(byte, b' ' | b'\t' | b'\x0c')).count();
    }

    fn code(&mut self, byte: u8) {
        self.at += 1;
        match byte {
            b'\n' if self.kind() == Kind::Module => {
                self.reset(true);
                self.measure_indent();
            }
            b'#' => {
                let rest = &self.bytes[self.at..];
                self.at += rest.iter().position(|byte| *byte == b'\n').unwrap_or(rest.len());
            }
            // A line goes on in the next one.
            b'\\' => self.at += 1,
            b'\'' | b'"' => self.string(byte),
            b'(' | b'[' | b'{' => {
                // A call or an index of what stands before is one more of its chain.
                self.count();
                self.open(Kind::Bracket);
            }
            b')' | b']' | b'}' => match self.kind() {
                Kind::Bracket | Kind::Field => self.close(),
                _ => {}
            },
            // The rest of a field is its specification: text in which fields are.
            b':' if self.kind() == Kind::Field => self.open(Kind::Specification),
            b',' => self.reset(false),
            b';' => self.reset(true),
            b'_' | b'a'..=b'z' | b'A'..=b'Z' | 0x80.. => self.word(),
            b'.' | b'+' | b'-' | b'*' | b'/' | b'%' | b'&' | b'|' | b'^' | b'~' | b'<' | b'>' | b'='
            | b'!' | b'@' | b':' => self.count(),
            _ => {}
        }
    }

    fn word(&mut self) {
        let start = self.at - 1;
        let is_part = |byte: &u8| *byte == b'_' || byte.is_ascii_alphanumeric() || *byte >= 0x80;
        self.at += self.bytes[self.at..].iter().take_while(|byte| is_part(byte)).count();
        let word = &self.bytes[start..self.at];
        if let Some(quote @ (b'\'' | b'"')) = self.bytes.get(self.at).copied()
            && word.len() <= 2
            && word.iter().all(|byte| b"rRbBuUfFtT".contains(byte))
        {
            self.at += 1;
            if word.iter().any(|byte| b"fFtT".contains(byte)) {
                let triple = self.bytes[self.at..].starts_with(&[quote, quote]);
                self.at += if triple { 2 } else { 0 };
                self.open(Kind::Text { quote, triple });
            } else {
                self.string(quote);
            }
        } else if word == b"lambda" {
            if let Some(level) = self.levels.last_mut() {
                level.lambdas += 1;
                self.depth += 1;
            }
        } else if WORDS.iter().any(|known| known.as_bytes() == word) {
            self.count();
        }
    }

    /// Passes over a plain string whose first quote was read.
    fn string(&mut self, quote: u8) {
        let triple = self.bytes[self.at..].starts_with(&[quote, quote]);
        self.at += if triple { 2 } else { 0 };
        while let Some(&byte) = self.bytes.get(self.at) {
            self.at += 1;
            match byte {
                b'\\' => self.at += 1,
                // It ends here, as a mistake.
                b'\n' if !triple => {
                    self.at -= 1;
                    return;
                }
                _ if byte == quote && !triple => return,
                _ if byte == quote && self.bytes[self.at..].starts_with(&[quote, quote]) => {
                    self.at += 2;
                    return;
                }
                _ => {}
            }
        }
    }

    /// The text of a formatted string that ends with `quote`, or a specification in it.
    fn text(&mut self, byte: u8) {
        let specification = self.kind() == Kind::Specification;
        let ends = self.levels.iter().rev().find_map(|level| match level.kind {
            Kind::Text { quote, triple } => Some((quote, triple)),
            _ => None,
        });
        let Some((quote, triple)) = ends else {
            self.close();
            return;
        };
        self.at += 1;
        let rest = &self.bytes[self.at..];
        let next = rest.first().copied();
        match byte {
            b'\\' if !matches!(next, Some(b'{' | b'}')) => self.at += 1,
            b'{' if !specification && next == Some(b'{') => self.at += 1,
            b'{' => self.open(Kind::Field),
            b'}' if specification => {
                // The end of the specification is the end of its field.
                self.close();
                self.close();
            }
            b'\n' if !triple => {
                self.at -= 1;
                self.end_text();
            }
            _ if byte == quote && !triple => self.end_text(),
            _ if byte == quote && rest.starts_with(&[quote, quote]) => {
                self.at += 2;
                self.end_text();
            }
            _ => {}
        }
    }

    /// Closes the innermost formatted string, with what is open in it.
    fn end_text(&mut self) {
        while self.levels.len() > 1 {
            let was_text = matches!(self.kind(), Kind::Text { .. });
            self.close();
            if was_text {
                return;
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{LIMIT, nesting};

    #[test]
    fn what_nests_is_counted() {
        for nested in [
            "(",
            "[",
            "{1:",
            "not ",
            "-",
            "lambda: ",
            "lambda a, b: ",
            "f(",
            "a.",
            "1+",
            "await ",
            "f'{",
            "f()",
            "a[0]",
            "-\\\n",
        ] {
            let text = format!("x = {}1", nested.repeat(20_000));
            assert!(nesting(&text) > LIMIT, "{nested}: {}", nesting(&text));
        }
        let inside = |before: &str, after: &str| nesting(&format!("{before}{}1{after}", "-".repeat(20_000)));
        for (before, after) in [
            ("x = (\n", "\n)"),
            ("x = f'{", "}'"),
            ("x = f'''{\n", "}'''"),
            ("x = f\"{'}' + ", "}\""),
            ("x = f'{x:{", "}}'"),
            ("x = f'{f'{", "}'}'"),
            ("x = f'''{'''a''' + '", "'}'''\nx = '' "),
            ("x = rf'{", "}'"),
            ("x = f'{x:\n", ""),
            ("x = f'{x:' + ", ""),
            ("x = 'it' 's' + ", ""),
        ] {
            let counted = inside(before, after);
            let hidden = before.ends_with("+ '");
            assert_eq!(counted > LIMIT, !hidden, "{before}: {counted}");
        }
        let blocks: String = (0..12_000).map(|depth| format!("{}if x:\n", " ".repeat(depth))).collect();
        assert!(nesting(&blocks) > LIMIT);
    }

    #[test]
    fn what_is_long_is_not_deep() {
        for flat in [
            format!("x = [{}]", "-1, a.b.c, f(x), ".repeat(50_000)),
            format!("x = {{{}}}", "'a': (1, 2), ".repeat(50_000)),
            "x = a + b\n".repeat(50_000),
            format!("x = '{}'", "+(-[".repeat(50_000)),
            format!("x = '''{}'''", "+(-[\n'".repeat(50_000)),
            format!("# {}", "(-".repeat(50_000)),
            format!("x = f'{}'", "{a} - {{".repeat(50_000)),
            format!("x = b'{}'", "\\'(".repeat(50_000)),
            "x = a; y = b.c\n".repeat(50_000),
        ] {
            assert!(nesting(&flat) < 50, "{}: {}", &flat[..40], nesting(&flat));
        }
    }

    #[test]
    fn odd_text_does_no_harm() {
        for text in
            ["", "'", "f'", "f'{", "f'{x:", "\\", "'\\", "f'\\", "}}}", "f'}'", "\u{e4}'", "f'''{'''", "rb"]
        {
            nesting(text);
        }
    }
}

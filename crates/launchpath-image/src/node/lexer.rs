//! The specifiers in JavaScript text: `require("x")`, `import … from "x"`, `export … from "x"`, `import("x")`.

use crate::inspect::Certainty;

/// How a specifier is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Form {
    /// `require("x")`.
    Require,
    /// `import … from "x"`, `export … from "x"`.
    Static,
    /// `import("x")`.
    Dynamic,
}

/// One specifier.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Specifier {
    pub(super) text: String,
    pub(super) form: Form,
    pub(super) line: u32,
    /// The most that can be said when it does not resolve.
    pub(super) most: Certainty,
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum Token {
    Word(String),
    Text(String),
    Sign(char),
    /// `=>`, `&&`, `||`, `??`.
    Branch,
}

/// The specifiers of a text in order.
pub(super) fn specifiers(text: &str) -> Vec<Specifier> {
    let tokens = tokens(text);
    let mut found = Vec::new();
    let mut braces = 0_usize;
    let mut inside = 0_usize;
    // Whether the statement at the top level has a condition or a function before what is read now.
    let mut branched = false;
    // The `import` or `export` of a declaration that goes on here.
    let mut declaration: Option<usize> = None;
    for (at, (token, line)) in tokens.iter().enumerate() {
        let next = |by: usize| tokens.get(at + by).map(|(token, _)| token);
        let before = at.checked_sub(1).and_then(|before| tokens.get(before)).map(|(token, _)| token);
        let declares = declaration.is_some_and(|began| {
            // One of types only is compiled away.
            !matches!(tokens.get(began + 1), Some((Token::Word(word), _)) if word == "type")
        });
        match token {
            Token::Word(word) if word == "import" || word == "export" => declaration = Some(at),
            Token::Word(_) | Token::Text(_) | Token::Sign('{' | '}' | ',' | '*') => {}
            _ => declaration = None,
        }
        match token {
            Token::Sign('{') => braces += 1,
            Token::Sign('}') => {
                braces = braces.saturating_sub(1);
            }
            Token::Sign('(' | '[') => inside += 1,
            Token::Sign(')' | ']') => inside = inside.saturating_sub(1),
            Token::Sign(';') if inside == 0 && braces == 0 => branched = false,
            Token::Sign('?') | Token::Branch => branched = true,
            Token::Word(word) => {
                let member = before == Some(&Token::Sign('.'));
                let starts = ["const", "let", "var", "import", "export"].contains(&word.as_str());
                if starts && inside == 0 && braces == 0 && !member {
                    branched = false;
                }
                if ["function", "if", "for", "while", "class", "do", "switch", "else"]
                    .contains(&word.as_str())
                    && !member
                {
                    branched = true;
                }
                let top = braces == 0;
                let mut add = |text: &String, form: Form, most: Certainty| {
                    found.push(Specifier { text: text.clone(), form, line: *line, most });
                };
                match (word.as_str(), next(1), next(2), next(3)) {
                    ("require", Some(Token::Sign('(')), Some(Token::Text(text)), Some(Token::Sign(')')))
                        if !member =>
                    {
                        let most = if top && !branched { Certainty::Certain } else { Certainty::Possible };
                        add(text, Form::Require, most);
                    }
                    (
                        "import",
                        Some(Token::Sign('(')),
                        Some(Token::Text(text)),
                        Some(Token::Sign(')' | ',')),
                    ) if !member => {
                        let most = if top && !branched { Certainty::Likely } else { Certainty::Possible };
                        add(text, Form::Dynamic, most);
                    }
                    ("import", Some(Token::Text(text)), ..) if top && !member => {
                        add(text, Form::Static, Certainty::Certain);
                    }
                    ("from", Some(Token::Text(text)), ..) if declares => {
                        add(text, Form::Static, Certainty::Certain);
                    }
                    _ => {}
                }
            }
            _ => {}
        }
    }
    found
}

fn tokens(text: &str) -> Vec<(Token, u32)> {
    let mut tokens: Vec<(Token, u32)> = Vec::new();
    let mut letters = text.chars().peekable();
    let mut line = 1_u32;
    // Braces that belong to the inside of a template, innermost last.
    let mut templates: Vec<usize> = Vec::new();
    while let Some(letter) = letters.next() {
        match letter {
            '\n' => line = line.saturating_add(1),
            '/' if letters.peek() == Some(&'/') => while letters.next_if(|next| *next != '\n').is_some() {},
            '/' if letters.peek() == Some(&'*') => {
                letters.next();
                let mut star = false;
                for next in letters.by_ref() {
                    line = line.saturating_add(u32::from(next == '\n'));
                    if star && next == '/' {
                        break;
                    }
                    star = next == '*';
                }
            }
            '/' if begins_pattern(tokens.last().map(|(token, _)| token)) => {
                let mut class = false;
                while let Some(next) = letters.next_if(|next| *next != '\n') {
                    match next {
                        '\\' => {
                            letters.next();
                        }
                        '[' => class = true,
                        ']' => class = false,
                        '/' if !class => break,
                        _ => {}
                    }
                }
                tokens.push((Token::Text(String::new()), line));
            }
            '"' | '\'' => {
                let mut string = String::new();
                while let Some(next) = letters.next() {
                    match next {
                        '\\' => string.extend(letters.next()),
                        '\n' => {
                            line = line.saturating_add(1);
                            break;
                        }
                        other if other == letter => break,
                        other => string.push(other),
                    }
                }
                tokens.push((Token::Text(string), line));
            }
            '`' => template(&mut letters, &mut tokens, &mut templates, &mut line),
            '{' => {
                if let Some(depth) = templates.last_mut() {
                    *depth += 1;
                }
                tokens.push((Token::Sign('{'), line));
            }
            '}' => match templates.last_mut() {
                Some(0) => {
                    templates.pop();
                    tokens.push((Token::Sign(')'), line));
                    template(&mut letters, &mut tokens, &mut templates, &mut line);
                }
                depth => {
                    if let Some(depth) = depth {
                        *depth -= 1;
                    }
                    tokens.push((Token::Sign('}'), line));
                }
            },
            '=' if letters.next_if_eq(&'>').is_some() => tokens.push((Token::Branch, line)),
            '&' | '|' | '?' if letters.next_if_eq(&letter).is_some() => tokens.push((Token::Branch, line)),
            letter if letter.is_alphanumeric() || letter == '_' || letter == '$' => {
                let mut word = String::from(letter);
                while let Some(next) =
                    letters.next_if(|next| next.is_alphanumeric() || *next == '_' || *next == '$')
                {
                    word.push(next);
                }
                tokens.push((Token::Word(word), line));
            }
            letter if letter.is_whitespace() => {}
            letter => tokens.push((Token::Sign(letter), line)),
        }
    }
    tokens
}

/// Reads a template up to its end or to the next `${`.
fn template(
    letters: &mut std::iter::Peekable<std::str::Chars<'_>>,
    tokens: &mut Vec<(Token, u32)>,
    templates: &mut Vec<usize>,
    line: &mut u32,
) {
    while let Some(next) = letters.next() {
        match next {
            '\\' => {
                letters.next();
            }
            '\n' => *line = line.saturating_add(1),
            '`' => {
                // A computed text: never a specifier.
                tokens.push((Token::Sign('`'), *line));
                return;
            }
            '$' if letters.next_if_eq(&'{').is_some() => {
                templates.push(0);
                tokens.push((Token::Sign('('), *line));
                return;
            }
            _ => {}
        }
    }
}

/// Whether a slash after `token` begins a regular expression, not a division.
fn begins_pattern(token: Option<&Token>) -> bool {
    match token {
        None | Some(Token::Branch) => true,
        Some(Token::Sign(sign)) => !matches!(sign, ')' | ']' | '}' | '`'),
        Some(Token::Word(word)) => {
            ["return", "typeof", "case", "in", "of", "do", "else", "void", "delete", "await"]
                .contains(&word.as_str())
        }
        Some(Token::Text(_)) => false,
    }
}

//! The simple part of the shell: words, quotes, variables, `&&`, `;`, `cd`, assignments.

use super::program::SCRIPT;
use super::wrapper::is_name;
use super::{By, Command, Image, Launch};
use crate::inspect::Certainty;

/// A simple command of a script, or the reason why it is none.
#[derive(Debug, PartialEq, Eq)]
enum Parsed {
    Words(Vec<Word>),
    /// `if`, `for`, a pipe, a subshell: not followed.
    Other,
}

/// A word after expansion; `None` when it holds something that is not known here.
type Word = Option<String>;

impl Launch {
    /// `sh [options] -c text [name arguments…]`, or `sh [options] file arguments…`.
    pub(super) fn shell(&mut self, image: &Image<'_>, arguments: &[String]) -> Option<Command> {
        let mut at = 0;
        let mut text_follows = false;
        while let Some(option) = arguments.get(at).filter(|argument| argument.starts_with('-')) {
            at += 1;
            if option == "--" {
                break;
            }
            text_follows |= !option.starts_with("--") && option.contains('c');
            if option == "-o" || (!option.starts_with("--") && option.ends_with('o')) {
                at += 1;
            }
        }
        let first = arguments.get(at)?.clone();
        let rest = arguments.get(at + 1..).unwrap_or_default();
        if text_follows {
            // After the text comes `$0`.
            return self.shell_text(&first, rest.get(1..).unwrap_or_default());
        }
        let path = self.absolute(&first);
        if image.tree.lookup(&path).is_none() {
            self.stop(format!("the script {path}"), "the image does not have it");
            return None;
        }
        if !self.files.contains(&path) {
            self.files.push(path.clone());
        }
        self.shell_script(image, &path, rest)
    }

    pub(super) fn shell_script(
        &mut self,
        image: &Image<'_>,
        path: &str,
        arguments: &[String],
    ) -> Option<Command> {
        let Ok(bytes) = image.tree.read(path, SCRIPT) else {
            self.stop(format!("the script {path}"), "it cannot be read");
            return None;
        };
        let text = String::from_utf8_lossy(&bytes).into_owned();
        self.shell_text(&text, arguments)
    }

    /// Runs the simple commands of a text up to its last one, which is what stays.
    pub(super) fn shell_text(&mut self, text: &str, arguments: &[String]) -> Option<Command> {
        let commands = self.parse(text, arguments);
        let mut last = None;
        let mut others = false;
        for command in commands {
            let Parsed::Words(words) = command else {
                others = true;
                continue;
            };
            let mut words = words;
            let mut assignments = Vec::new();
            while let Some(Some(word)) = words.first() {
                let Some((name, value)) = word.split_once('=').filter(|(name, _)| is_name(name)) else {
                    break;
                };
                assignments.push((name.to_owned(), value.to_owned()));
                words.remove(0);
            }
            let Some(Some(name)) = words.first().cloned() else {
                if words.is_empty() {
                    self.environment.extend(assignments);
                } else {
                    others = true;
                }
                continue;
            };
            let argument = words.get(1).cloned().flatten();
            match (name.as_str(), argument) {
                ("cd", Some(directory)) => self.working_directory = self.absolute(&directory),
                ("export", _) => {
                    for word in words.iter().skip(1).flatten() {
                        if let Some((name, value)) = word.split_once('=') {
                            self.environment.insert(name.to_owned(), value.to_owned());
                        }
                    }
                }
                ("." | "source", Some(file)) if file.ends_with("bin/activate") => {
                    let directory = self.absolute(file.trim_end_matches("/activate"));
                    let path = format!("{directory}:{}", self.path_variable());
                    self.environment.insert("PATH".to_owned(), path);
                }
                (
                    "set" | "umask" | "ulimit" | "trap" | "echo" | ":" | "true" | "mkdir" | "sleep" | "wait",
                    _,
                ) => {}
                _ => {
                    let leaves = name == "exec";
                    let argv: Option<Vec<String>> = words.into_iter().collect();
                    last = Some((argv, assignments));
                    if leaves {
                        break;
                    }
                }
            }
        }
        if others {
            self.most = self.most.min(Certainty::Likely);
        }
        if let Some((Some(argv), assignments)) = last {
            self.environment.extend(assignments);
            return Some(Command { argv, by: By::Shell });
        }
        self.stop(
            "the start script",
            "its last command is not a simple one, or holds values that are not known here",
        );
        None
    }

    /// The commands of a text, with words expanded as far as the environment is known.
    fn parse(&self, text: &str, arguments: &[String]) -> Vec<Parsed> {
        let mut commands = Vec::new();
        let mut words: Vec<Word> = Vec::new();
        let mut word: Option<(String, Knowledge)> = None;
        let mut simple = true;
        let mut letters = text.chars().peekable();
        let mut keyword_depth = 0_usize;
        let finish = |word: &mut Option<(String, Knowledge)>, words: &mut Vec<Word>| {
            if let Some((text, known)) = word.take() {
                match known {
                    Knowledge::Known => words.push(Some(text)),
                    Knowledge::Unknown => words.push(None),
                    Knowledge::Arguments => words.extend(arguments.iter().cloned().map(Some)),
                }
            }
        };
        let close =
            |words: &mut Vec<Word>, simple: &mut bool, depth: &mut usize, commands: &mut Vec<Parsed>| {
                let words = std::mem::take(words);
                let was_simple = std::mem::replace(simple, true);
                let first = words.first().cloned().flatten().unwrap_or_default();
                let opens = ["if", "for", "while", "until", "case", "{"].contains(&first.as_str())
                    || first.ends_with("()");
                let closes = ["fi", "done", "esac", "}"].contains(&first.as_str());
                if words.is_empty() && was_simple {
                    return;
                }
                if opens {
                    *depth += 1;
                }
                let inside = *depth > 0;
                if closes {
                    *depth = depth.saturating_sub(1);
                }
                commands.push(if inside || !was_simple { Parsed::Other } else { Parsed::Words(words) });
            };
        while let Some(letter) = letters.next() {
            match letter {
                '\\' => match letters.next() {
                    Some('\n') | None => {}
                    Some(next) => word.get_or_insert_default().0.push(next),
                },
                '\'' => {
                    let word = word.get_or_insert_default();
                    word.0.extend(letters.by_ref().take_while(|next| *next != '\''));
                }
                '"' => {
                    word.get_or_insert_default();
                    while let Some(next) = letters.next() {
                        match next {
                            '"' => break,
                            '\\' => word.get_or_insert_default().0.extend(letters.next()),
                            '$' => self.expand(&mut letters, word.get_or_insert_default()),
                            '`' => word.get_or_insert_default().1 = Knowledge::Unknown,
                            other => word.get_or_insert_default().0.push(other),
                        }
                    }
                }
                '$' => self.expand(&mut letters, word.get_or_insert_default()),
                '`' => {
                    word.get_or_insert_default().1 = Knowledge::Unknown;
                    for next in letters.by_ref() {
                        if next == '`' {
                            break;
                        }
                    }
                }
                '#' if word.is_none() => while letters.next_if(|next| *next != '\n').is_some() {},
                ' ' | '\t' | '\r' => finish(&mut word, &mut words),
                '\n' | ';' => {
                    finish(&mut word, &mut words);
                    close(&mut words, &mut simple, &mut keyword_depth, &mut commands);
                }
                '&' | '|' => {
                    finish(&mut word, &mut words);
                    let doubled = letters.next_if_eq(&letter).is_some();
                    // What runs in the background or behind `||` is not what stays.
                    if !doubled {
                        simple = false;
                    }
                    close(&mut words, &mut simple, &mut keyword_depth, &mut commands);
                    if letter == '|' {
                        simple = false;
                    }
                }
                '(' | ')' => simple = false,
                '>' | '<' => {
                    // A redirection: its number before, its target after.
                    if word.as_ref().is_some_and(|(text, _)| text.chars().all(|c| c.is_ascii_digit())) {
                        word = None;
                    }
                    finish(&mut word, &mut words);
                    while letters.next_if(|next| ['>', '<', '&', ' '].contains(next)).is_some() {}
                    while letters
                        .next_if(|next| !next.is_whitespace() && ![';', '|', '&'].contains(next))
                        .is_some()
                    {}
                }
                other => word.get_or_insert_default().0.push(other),
            }
        }
        finish(&mut word, &mut words);
        close(&mut words, &mut simple, &mut keyword_depth, &mut commands);
        commands
    }

    /// `$NAME`, `${NAME}`, `${NAME:-default}`, `$@`.
    fn expand(&self, letters: &mut std::iter::Peekable<std::str::Chars<'_>>, word: &mut (String, Knowledge)) {
        let mut name = String::new();
        match letters.peek() {
            Some('@' | '*') => {
                letters.next();
                word.1 = Knowledge::Arguments;
                return;
            }
            Some('{') => {
                letters.next();
                name.extend(letters.by_ref().take_while(|next| *next != '}'));
                if name == "@" {
                    word.1 = Knowledge::Arguments;
                    return;
                }
            }
            Some('(') => {
                let mut depth = 0_usize;
                for next in letters.by_ref() {
                    match next {
                        '(' => depth += 1,
                        ')' => depth = depth.saturating_sub(1),
                        _ => {}
                    }
                    if depth == 0 {
                        break;
                    }
                }
                word.1 = Knowledge::Unknown;
                return;
            }
            _ => {
                while let Some(next) = letters.next_if(|next| next.is_ascii_alphanumeric() || *next == '_') {
                    name.push(next);
                }
            }
        }
        let (plain, default) = match name.split_once(":-").or_else(|| name.split_once('-')) {
            Some((plain, default)) => (plain, Some(default)),
            None => (name.as_str(), None),
        };
        match (self.environment.get(plain), default) {
            (Some(value), _) => word.0.push_str(value),
            (None, Some(default)) if is_name(plain) => word.0.push_str(default),
            // The runtime's own environment may set it.
            (None, _) => word.1 = Knowledge::Unknown,
        }
    }
}

/// Whether a word's value is known.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum Knowledge {
    #[default]
    Known,
    Unknown,
    /// It stands for the script's arguments.
    Arguments,
}

//! `--env` and `--env-file`: variables by name, whose values are used and never kept.

use std::collections::BTreeMap;
use std::path::PathBuf;

use crate::disk;
use crate::failure::Failure;

/// Reads the variables; what the command line sets wins over files, later over earlier.
pub(crate) fn read(words: &[String], files: &[PathBuf]) -> Result<BTreeMap<String, String>, Failure> {
    let mut variables = BTreeMap::new();
    for path in files {
        let bytes = disk::bytes(path)?;
        let text = String::from_utf8(bytes).map_err(|_| {
            Failure::usage(anyhow::anyhow!("{}: not UTF-8; expected lines NAME=VALUE", path.display()))
        })?;
        for (index, line) in text.lines().enumerate() {
            let line = line.trim();
            if line.is_empty() || line.starts_with('#') {
                continue;
            }
            let line = line.strip_prefix("export ").unwrap_or(line);
            // The line itself may be a secret: it is not quoted.
            let Some((name, value)) = pair(line) else {
                return Err(Failure::usage(anyhow::anyhow!(
                    "{} line {}: expected NAME=VALUE",
                    path.display(),
                    index + 1
                )));
            };
            variables.insert(name.to_owned(), unquoted(value).to_owned());
        }
    }
    for (index, word) in words.iter().enumerate() {
        let Some((name, value)) = pair(word) else {
            return Err(Failure::usage(anyhow::anyhow!("--env number {}: expected NAME=VALUE", index + 1)));
        };
        variables.insert(name.to_owned(), value.to_owned());
    }
    Ok(variables)
}

fn pair(text: &str) -> Option<(&str, &str)> {
    let (name, value) = text.split_once('=')?;
    let is_name = !name.is_empty()
        && !name.starts_with(|c: char| c.is_ascii_digit())
        && name.chars().all(|c| c.is_ascii_alphanumeric() || matches!(c, '_' | '.' | '-'));
    (is_name && !value.contains('\0')).then_some((name, value))
}

/// The value without one pair of quotes around it, as in files that a shell reads.
fn unquoted(value: &str) -> &str {
    ['"', '\''].iter().find_map(|quote| value.strip_prefix(*quote)?.strip_suffix(*quote)).unwrap_or(value)
}

#[cfg(test)]
mod tests {
    use std::io::Write;

    use super::read;

    #[test]
    fn variables_come_from_files_and_words() {
        let mut file = tempfile::NamedTempFile::new().unwrap();
        writeln!(file, "# a comment\nA=1\nexport B=\"two words\"\n\nC='x'").unwrap();
        let path = file.path().to_owned();
        let read = read(&["A=2".to_owned(), "D==".to_owned()], &[path]).unwrap();
        let pairs: Vec<(&str, &str)> =
            read.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect();
        assert_eq!(pairs, [("A", "2"), ("B", "two words"), ("C", "x"), ("D", "=")]);
    }

    #[test]
    fn a_word_that_is_no_variable_is_not_quoted() {
        let failure = read(&["hunter2".to_owned()], &[]).unwrap_err();
        assert!(!failure.to_string().contains("hunter2"), "{failure}");
        let failure = read(&["1A=x".to_owned()], &[]).unwrap_err();
        assert!(failure.to_string().contains("NAME=VALUE"));
    }
}

//! The environment variable for want of which a process died.

use super::Traceback;

impl Traceback {
    /// The environment variable that `os.environ[…]` did not find (a KeyError with a name in capitals), or the first field that a
    /// settings class of pydantic misses; pydantic reads field names in any case.
    pub fn missing_variable(&self) -> Option<String> {
        let name = match self.exception.rsplit('.').next() {
            Some("KeyError") => self.message.trim_matches(['\'', '"']).to_owned(),
            Some("ValidationError") if self.message.ends_with("Settings") => {
                let mut lines = self.text.lines().skip_while(|line| !line.contains(" validation error"));
                let field = lines.nth(1)?.trim();
                lines.next().filter(|line| line.contains("Field required"))?;
                field.to_ascii_uppercase()
            }
            _ => return None,
        };
        let is_variable = !name.is_empty()
            && name.chars().all(|c| c.is_ascii_uppercase() || c.is_ascii_digit() || c == '_');
        is_variable.then_some(name)
    }
}

#[cfg(test)]
mod tests {
    use crate::traceback::find;

    #[test]
    fn a_key_in_capitals_is_a_variable_and_its_place_is_where_own_code_reads_it() {
        let text = "Traceback (most recent call last):\n  File \"/app/agent.py\", line 7, in <module>\n    TABLE = os.environ[\"MEMORY_TABLE\"]\n  \
                    File \"<frozen os>\", line 679, in __getitem__\nKeyError: 'MEMORY_TABLE'\n";
        let traceback = find(text).pop().unwrap();
        assert_eq!(traceback.missing_variable().as_deref(), Some("MEMORY_TABLE"));
        let place = traceback.place().unwrap();
        assert_eq!((place.file.as_str(), place.line), ("/app/agent.py", 7));
        let other = find(&text.replace("MEMORY_TABLE'", "messages'")).pop().unwrap();
        assert_eq!(other.missing_variable(), None);
    }

    #[test]
    fn without_own_code_the_place_is_in_what_is_installed() {
        let text = "Traceback (most recent call last):\n  File \"/usr/lib/python3/dist-packages/uvicorn/main.py\", line 3, in run\n    f()\n  \
                    File \"<frozen importlib._bootstrap>\", line 1204, in _gcd_import\nValueError: x\n";
        let traceback = find(text).pop().unwrap();
        assert_eq!(traceback.place().unwrap().file, "/usr/lib/python3/dist-packages/uvicorn/main.py");
    }
}

//! Names of documents: relative, inside the input, the same on every platform.

use crate::error::{IntakeError, Problem};

/// Longest name of a document, in bytes.
const MAX_NAME_BYTES: usize = 1024;

/// Accepts a relative name that stays inside the input, and gives it with `.` and doubled slashes removed.
///
/// Refused: empty names, absolute paths, `..`, drive letters, backslashes, control characters.
///
/// ```
/// use launchpath_intake::documents::check_name;
/// assert_eq!(check_name("calls/./c2.json").unwrap(), "calls/c2.json");
/// assert!(check_name("../../etc/passwd").is_err());
/// ```
pub fn check_name(name: &str) -> Result<String, IntakeError> {
    let refuse = |why: &str| {
        Err(IntakeError::new(
            Problem::Refused,
            "a relative name inside the input",
            format!("{name:?}, which {why}"),
        )
        .advise("pack the bundle again from inside its own folder"))
    };
    if name.len() > MAX_NAME_BYTES {
        return Err(IntakeError::new(
            Problem::Refused,
            format!("a name of at most {MAX_NAME_BYTES} bytes"),
            format!("one of {} bytes", name.len()),
        ));
    }
    if name.chars().any(char::is_control) {
        return refuse("holds a control character");
    }
    if name.contains('\\') {
        return refuse("holds a backslash");
    }
    if name.starts_with('/') {
        return refuse("is absolute");
    }
    let bytes = name.as_bytes();
    if bytes.len() >= 2 && bytes[0].is_ascii_alphabetic() && bytes[1] == b':' {
        return refuse("starts with a drive letter");
    }
    let mut parts = Vec::new();
    for part in name.split('/') {
        match part {
            "" | "." => {}
            ".." => return refuse("leaves the input"),
            part => parts.push(part),
        }
    }
    if parts.is_empty() {
        return refuse("names nothing");
    }
    Ok(parts.join("/"))
}

#[cfg(test)]
mod tests {
    use super::check_name;

    #[test]
    fn names_inside_the_input_are_accepted() {
        for (name, expected) in [
            ("bundle.json", "bundle.json"),
            ("./a//b.json", "a/b.json"),
            ("calls/c..2.json", "calls/c..2.json"),
            ("ünï/x y.json", "ünï/x y.json"),
        ] {
            assert_eq!(check_name(name).unwrap(), expected);
        }
    }

    #[test]
    fn names_that_leave_the_input_are_refused() {
        for name in [
            "",
            "/",
            ".",
            "/etc/passwd",
            "../x",
            "a/../../x",
            "a/..",
            "C:/x",
            "c:x",
            "a\\b",
            "..\\x",
            "a\0b",
            "a\nb",
            "//x",
        ] {
            assert!(check_name(name).is_err(), "{name:?}");
        }
        assert!(check_name(&"x".repeat(2000)).is_err());
    }
}

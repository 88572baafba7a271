//! Paths that a module writes down: `Path(__file__).parent / "x"`, `os.path.join(BASE, "x")`.

use std::collections::BTreeMap;

use ruff_python_ast::{Expr, Number, Operator};

use super::condition::dotted;

/// Module-level names that hold a path.
pub(super) type Paths = BTreeMap<Box<str>, String>;

/// The path that `expression` stands for, in a module of the file `file`; `None` when it cannot be read off.
pub(super) fn path(expression: &Expr, file: &str, names: &Paths) -> Option<String> {
    let inner = |expression: &Expr| path(expression, file, names);
    match expression {
        Expr::StringLiteral(text) => Some(text.value.to_str().to_owned()),
        Expr::Name(name) if name.id.as_str() == "__file__" => Some(file.to_owned()),
        Expr::Name(name) => names.get(name.id.as_str()).cloned(),
        Expr::BinOp(operation) if operation.op == Operator::Div => {
            Some(join(&inner(&operation.left)?, &inner(&operation.right)?))
        }
        Expr::Attribute(attribute) if attribute.attr.as_str() == "parent" => {
            Some(parent(&inner(&attribute.value)?))
        }
        Expr::Subscript(subscript) => {
            let Expr::Attribute(attribute) = &*subscript.value else { return None };
            if attribute.attr.as_str() != "parents" {
                return None;
            }
            let Expr::NumberLiteral(number) = &*subscript.slice else { return None };
            let Number::Int(levels) = &number.value else { return None };
            let from = inner(&attribute.value)?;
            let levels = usize::from(levels.as_u8()?);
            Some((0..=levels).fold(from, |path, _| parent(&path)))
        }
        Expr::Call(call) => {
            let arguments = &*call.arguments.args;
            if !call.arguments.keywords.is_empty() {
                return None;
            }
            if let Some(function) = dotted(&call.func) {
                match (function.as_str(), arguments) {
                    ("os.path.dirname" | "path.dirname" | "dirname", [of]) => {
                        return Some(parent(&inner(of)?));
                    }
                    (
                        "os.path.abspath" | "os.path.realpath" | "os.path.normpath" | "abspath" | "realpath"
                        | "Path" | "pathlib.Path" | "PurePath" | "str" | "os.fspath",
                        [of],
                    ) => return inner(of),
                    ("os.path.join" | "path.join" | "join" | "Path" | "pathlib.Path", [first, rest @ ..]) => {
                        return rest
                            .iter()
                            .try_fold(inner(first)?, |path, part| Some(join(&path, &inner(part)?)));
                    }
                    ("os.getcwd" | "Path.cwd" | "pathlib.Path.cwd", []) => return Some(String::new()),
                    _ => {}
                }
            }
            let Expr::Attribute(method) = &*call.func else { return None };
            let of = inner(&method.value)?;
            match (method.attr.as_str(), arguments) {
                ("resolve" | "absolute", []) => Some(of),
                ("joinpath", parts) => {
                    parts.iter().try_fold(of, |path, part| Some(join(&path, &inner(part)?)))
                }
                _ => None,
            }
        }
        _ => None,
    }
}

/// `right` below `left`; an absolute `right` stands alone.
pub(super) fn join(left: &str, right: &str) -> String {
    if right.starts_with('/') || left.is_empty() {
        right.to_owned()
    } else {
        format!("{}/{right}", left.trim_end_matches('/'))
    }
}

/// The directory of a path; of a relative name, the working directory.
fn parent(path: &str) -> String {
    match path.trim_end_matches('/').rsplit_once('/') {
        Some(("", _)) => "/".to_owned(),
        Some((directory, _)) => directory.to_owned(),
        None => String::new(),
    }
}

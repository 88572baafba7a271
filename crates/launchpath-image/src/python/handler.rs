//! Exception handlers: whether a failing import is caught, and what happens then.

use ruff_python_ast::{Expr, Stmt};

use super::condition::dotted;

/// Whether a handler catches a failing import.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Catches {
    Nothing,
    /// The handler names an exception that is not known here.
    Perhaps,
    /// It catches it and raises again.
    AndRaises,
    Surely,
}

/// Exceptions that no failing import is.
const OTHERS: &[&str] = &[
    "ArithmeticError",
    "AssertionError",
    "AttributeError",
    "BlockingIOError",
    "EOFError",
    "FileExistsError",
    "FileNotFoundError",
    "IOError",
    "IndexError",
    "KeyError",
    "KeyboardInterrupt",
    "LookupError",
    "MemoryError",
    "NameError",
    "NotImplementedError",
    "OSError",
    "PermissionError",
    "PackageNotFoundError",
    "RecursionError",
    "RuntimeError",
    "StopIteration",
    "SyntaxError",
    "SystemExit",
    "TimeoutError",
    "TypeError",
    "UnicodeDecodeError",
    "UnicodeError",
    "ValueError",
    "ZeroDivisionError",
    "JSONDecodeError",
];

pub(super) fn catches_import_errors(exceptions: Option<&Expr>) -> Catches {
    let Some(exceptions) = exceptions else { return Catches::Surely };
    if let Expr::Tuple(tuple) = exceptions {
        let each: Vec<Catches> =
            tuple.elts.iter().map(|element| catches_import_errors(Some(element))).collect();
        for answer in [Catches::Surely, Catches::Perhaps] {
            if each.contains(&answer) {
                return answer;
            }
        }
        return Catches::Nothing;
    }
    let Some(name) = dotted(exceptions) else { return Catches::Perhaps };
    match name.rsplit('.').next().unwrap_or_default() {
        "ImportError" | "ModuleNotFoundError" | "Exception" | "BaseException" => Catches::Surely,
        other if OTHERS.contains(&other) => Catches::Nothing,
        _ => Catches::Perhaps,
    }
}

/// Whether a handler ends by raising or by leaving the process.
pub(super) fn raises(body: &[Stmt]) -> bool {
    match body.last() {
        Some(Stmt::Raise(_)) => true,
        Some(Stmt::Expr(expression)) => match &*expression.value {
            Expr::Call(call) => dotted(&call.func)
                .is_some_and(|name| ["sys.exit", "exit", "quit", "os._exit"].contains(&name.as_str())),
            _ => false,
        },
        _ => false,
    }
}

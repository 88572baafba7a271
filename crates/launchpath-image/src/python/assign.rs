//! What assignments say: names, `__all__`, conditions and paths that are kept for later.

use std::collections::BTreeSet;

use ruff_python_ast::{Expr, StmtAssign};
use ruff_text_size::Ranged;

use super::condition::{Truth, dotted};
use super::literal;
use super::scan::{Depth, Place, Scan, Scope};
use super::source::{All, Getattr};
use crate::inspect::Certainty;

impl Scan<'_> {
    pub(super) fn assign(&mut self, assign: &StmtAssign, place: &Place) {
        for target in &assign.targets {
            self.target(target, place);
        }
        self.value(&assign.targets, &assign.value, place);
        self.expression(&assign.value, place);
    }

    /// What the value of an assignment says, when that is of use later.
    pub(super) fn value(&mut self, targets: &[Expr], value: &Expr, place: &Place) {
        for target in targets {
            let Expr::Name(name) = target else {
                if let Expr::Subscript(subscript) = target {
                    self.set_item(&subscript.slice, value);
                }
                continue;
            };
            let name = name.id.as_str();
            if self.depth == Depth::Whole
                && let Expr::Call(call) = value
            {
                self.source.serving.made(name, call);
            }
            if place.scope != Scope::Module {
                continue;
            }
            match name {
                "__all__" => {
                    self.source.all = All::Names(BTreeSet::new());
                    self.extend_all(value);
                }
                "__path__" => self.source.own_path = true,
                "__getattr__" => self.source.getattr = Getattr::Value,
                _ => {}
            }
            let truth = self.setting.evaluate(value, &self.flags);
            // A name assigned twice, or under a condition, is not known.
            let truth = if place.reach.most == Certainty::Certain && !self.flags.contains_key(name) {
                truth
            } else {
                Truth::Unknown
            };
            if truth != Truth::Unknown || self.flags.contains_key(name) {
                self.flags.insert(name.into(), truth);
            }
            match literal::path(value, self.file, &self.paths) {
                Some(path) if place.reach.most == Certainty::Certain => {
                    self.paths.insert(name.into(), path);
                }
                _ => {
                    self.paths.remove(name);
                }
            }
        }
        // `a, __getattr__, b = lazy.attach(…)`
        if place.scope == Scope::Module {
            for target in targets {
                if let Expr::Tuple(tuple) = target {
                    for element in &tuple.elts {
                        match element {
                            Expr::Name(name) if name.id.as_str() == "__getattr__" => {
                                self.source.getattr = Getattr::Value;
                            }
                            Expr::Name(name) if name.id.as_str() == "__all__" => {
                                self.source.all = All::Computed;
                            }
                            _ => {}
                        }
                    }
                }
            }
        }
    }

    /// `answer["time_of_last_update"] = time.time()`, `os.environ["DOCKER_CONTAINER"] = "1"`.
    pub(super) fn set_item(&mut self, key: &Expr, value: &Expr) {
        let Expr::StringLiteral(key) = key else { return };
        match key.value.to_str() {
            "DOCKER_CONTAINER" => self.source.serving.sets_container = true,
            "time_of_last_update" if is_now(value) && self.depth == Depth::Whole => {
                let line = self.line(value.start());
                self.source.serving.moving_timestamps.push(line);
            }
            _ => {}
        }
    }

    pub(super) fn extend_all(&mut self, value: &Expr) {
        match value {
            Expr::List(list) => self.extend_all_with(&list.elts),
            Expr::Tuple(tuple) => self.extend_all_with(&tuple.elts),
            _ => self.source.all = All::Computed,
        }
    }

    pub(super) fn extend_all_with(&mut self, elements: &[Expr]) {
        let All::Names(names) = &mut self.source.all else {
            self.source.all = All::Computed;
            return;
        };
        for element in elements {
            let Expr::StringLiteral(text) = element else {
                self.source.all = All::Computed;
                return;
            };
            names.insert(text.value.to_str().into());
        }
    }
}

/// `time.time()`, `int(time.time())`, `datetime.now().timestamp()`.
fn is_now(value: &Expr) -> bool {
    let Expr::Call(call) = value else { return false };
    if let Some(function) = dotted(&call.func) {
        return match function.as_str() {
            "int" | "round" | "float" => call.arguments.args.first().is_some_and(is_now),
            "time.time" | "time" => call.arguments.is_empty(),
            _ => false,
        };
    }
    let Expr::Attribute(method) = &*call.func else { return false };
    let Expr::Call(inner) = &*method.value else { return false };
    method.attr.as_str() == "timestamp"
        && dotted(&inner.func)
            .and_then(|name| name.rsplit('.').next().map(|last| last == "now" || last == "utcnow"))
            == Some(true)
}

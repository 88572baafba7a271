//! Whether a module has a name.

use std::rc::Rc;

use super::find::Form;
use super::graph::Graph;
use super::module::{ModuleId, Resolved};
use super::source::{All, Getattr, Source, Step, What};

/// Whether a module has a name.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Answer {
    /// It binds it.
    Bound,
    /// It is a submodule.
    Submodule(ModuleId),
    /// It cannot be told: the module makes names in ways that cannot be read off.
    Unclear,
    /// It has a `__getattr__` of its own which does not speak of the name.
    OnlyByGetattr {
        /// `__all__` is there and complete, the name is not in it, and no other module of the package speaks of it.
        unheard_of: bool,
    },
    /// It does not.
    No,
}

/// Names every module has.
const IMPLICIT: &[&str] = &[
    "__builtins__",
    "__cached__",
    "__dict__",
    "__doc__",
    "__file__",
    "__loader__",
    "__name__",
    "__package__",
    "__path__",
    "__spec__",
    "__annotations__",
    "__class__",
    "__annotate__",
];

/// How many star imports are followed from one to the next.
const STARS: usize = 20;

impl Graph<'_> {
    /// Whether `module` has `name` once it is imported.
    pub(super) fn exports(&mut self, module: ModuleId, name: &str) -> Answer {
        match self.bound(module, name, STARS) {
            Answer::No | Answer::OnlyByGetattr { .. } | Answer::Unclear if self.is_package(module) => {
                match self.submodule(module, name) {
                    Resolved::Module(submodule) => Answer::Submodule(submodule),
                    Resolved::Unknown => Answer::Unclear,
                    Resolved::Missing(_) => self.bound(module, name, STARS),
                }
            }
            answer => answer,
        }
    }

    fn bound(&mut self, module: ModuleId, name: &str, stars: usize) -> Answer {
        if IMPLICIT.contains(&name) {
            return Answer::Bound;
        }
        let (form, has_file) = self.form(module);
        if !has_file {
            // A namespace has nothing but submodules; a built-in module cannot be read.
            return if self.is_package(module) { Answer::No } else { Answer::Unclear };
        }
        if form != Form::Source || stars == 0 {
            return Answer::Unclear;
        }
        let Some(source) = self.source(module) else { return Answer::Unclear };
        if source.deleted.contains(name) || source.syntax_error.is_some() {
            return Answer::Unclear;
        }
        if source.names.contains(name) {
            return Answer::Bound;
        }
        if source.dynamic || source.getattr == Getattr::Value {
            return Answer::Unclear;
        }
        match self.by_star(module, &source, name, stars) {
            Answer::No => {}
            answer => return answer,
        }
        if self.attributes_set.contains(name) {
            return Answer::Unclear;
        }
        if source.getattr == Getattr::Function {
            if self.mentions(module, name) {
                return Answer::Unclear;
            }
            let outside = matches!(source.all, All::Names(_));
            return Answer::OnlyByGetattr { unheard_of: outside && !self.package_mentions(module, name) };
        }
        Answer::No
    }

    fn by_star(&mut self, module: ModuleId, source: &Rc<Source>, name: &str, stars: usize) -> Answer {
        for step in &source.steps {
            let Step::Import(import) = step else { continue };
            let What::Star { module: target, dots } = &import.what else { continue };
            let Some(target) = self.absolute(module, target, *dots) else { return Answer::Unclear };
            let Resolved::Module(target) = self.resolve(&target) else { return Answer::Unclear };
            if target == module {
                continue;
            }
            let exported = match self.source(target) {
                Some(from) => match &from.all {
                    All::Names(names) if names.contains(name) => return Answer::Bound,
                    All::Names(_) => continue,
                    All::Absent if name.starts_with('_') => continue,
                    All::Absent => self.bound(target, name, stars - 1),
                    All::Computed => match self.bound(target, name, stars - 1) {
                        Answer::No => Answer::No,
                        _ => Answer::Unclear,
                    },
                },
                None => Answer::Unclear,
            };
            match exported {
                // A star import does not ask `__getattr__`.
                Answer::No | Answer::OnlyByGetattr { .. } => {}
                answer => return answer,
            }
        }
        Answer::No
    }
}

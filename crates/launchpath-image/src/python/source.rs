//! What the text of one module shows: what it imports in which order, and the names it has.

use std::collections::BTreeSet;

use crate::inspect::Certainty;

/// A module, read.
#[derive(Debug, Default)]
pub(super) struct Source {
    /// What happens when the module is imported, in order.
    pub(super) steps: Vec<Step>,
    /// Names bound at module level, in whatever branch runs under this interpreter.
    pub(super) names: BTreeSet<Box<str>>,
    /// Names deleted at module level.
    pub(super) deleted: BTreeSet<Box<str>>,
    /// What `__all__` says.
    pub(super) all: All,
    /// Code makes names that cannot be read off: `globals()`, `exec`, `sys.modules`.
    pub(super) dynamic: bool,
    /// How the module answers for names it does not have.
    pub(super) getattr: Getattr,
    /// `__path__` is assigned or changed: submodules may be elsewhere.
    pub(super) own_path: bool,
    /// What the text does to the import system.
    pub(super) hazards: Hazards,
    /// Attributes set on other objects, which may be modules.
    pub(super) attributes: BTreeSet<Box<str>>,
    /// Why the interpreter refuses the text.
    pub(super) syntax_error: Option<SyntaxError>,
    /// What it says about serving, for own code.
    pub(super) serving: super::server::Serving,
}

/// One thing that happens when a module is imported.
#[derive(Debug)]
pub(super) enum Step {
    /// An import.
    Import(Import),
    /// A directory joins the search path.
    SearchPath {
        /// The directory.
        directory: String,
        /// Before the others, not after them.
        front: bool,
    },
    /// A file is read.
    Opens {
        /// Its path, as far as it is absolute or relative to the working directory.
        path: String,
        /// The line.
        line: u32,
    },
}

/// An import statement, or one name of it.
#[derive(Debug)]
pub(super) struct Import {
    /// What is imported.
    pub(super) what: What,
    /// The line, from 1.
    pub(super) line: u32,
    /// Under which circumstances.
    pub(super) reach: Reach,
}

/// What an import names.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum What {
    /// `import a.b`, or `importlib.import_module("a.b")`.
    Module(Box<str>),
    /// `from ..a import b, c`.
    From {
        /// The module; empty for `from . import`.
        module: Box<str>,
        /// How many dots.
        dots: u32,
        /// The names.
        names: Vec<Box<str>>,
    },
    /// `from ..a import *`.
    Star {
        /// The module; empty for `from . import *`.
        module: Box<str>,
        /// How many dots.
        dots: u32,
    },
}

/// Under which circumstances a statement runs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Reach {
    /// The most that can be said when it fails.
    pub(super) most: Certainty,
    /// The innermost `try` that would catch an import error.
    pub(super) guard: Option<u32>,
    /// Guards of which one import must have failed: the statement stands in the handler.
    pub(super) after_failure: Vec<u32>,
    /// Guards whose imports must have succeeded: the statement stands in `else`, or follows in the body.
    pub(super) after_success: Vec<u32>,
    /// It stands in a function.
    pub(super) in_function: bool,
}

impl Reach {
    /// Whenever the module is imported.
    pub(super) fn always() -> Self {
        Self {
            most: Certainty::Certain,
            guard: None,
            after_failure: Vec::new(),
            after_success: Vec::new(),
            in_function: false,
        }
    }

    pub(super) fn at_most(mut self, most: Certainty) -> Self {
        self.most = self.most.min(most);
        self
    }
}

/// What `__all__` says.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) enum All {
    /// There is none.
    #[default]
    Absent,
    /// These names.
    Names(BTreeSet<Box<str>>),
    /// It is computed.
    Computed,
}

/// How a module answers for names it does not have.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
pub(super) enum Getattr {
    /// It does not.
    #[default]
    Absent,
    /// A function in this file.
    Function,
    /// A value from elsewhere, as lazy loaders give.
    Value,
}

/// What a module's text does to the import system; by its words, wherever they stand.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
pub(super) struct Hazards {
    /// It speaks of `sys.path`.
    pub(super) search_path: bool,
    /// It speaks of `sys.modules`.
    pub(super) modules: bool,
    /// It installs import hooks.
    pub(super) hooks: bool,
}

/// Why the interpreter refuses a text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct SyntaxError {
    /// The line, from 1.
    pub(super) line: u32,
    /// What is wrong.
    pub(super) message: String,
}

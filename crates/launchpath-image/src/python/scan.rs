//! From a module's text to what it shows ([`Source`]).
//!
//! The walk follows the order of execution: a block is read until it surely ends, branches that this interpreter does not take are
//! left out, and every statement carries the circumstances under which it runs ([`Reach`]).
//!
//! The parser is ruff's: it is the one that is kept up with every new release of the language, knows which syntax came with
//! which release, and recovers from errors. Its price was measured: 35 s of processor time for a build without optimisation.

use std::collections::{BTreeMap, BTreeSet};

use ruff_python_ast::visitor::Visitor;
use ruff_python_ast::{
    ExceptHandler, Expr, ExprCall, Pattern, PythonVersion, Stmt, StmtIf, StmtTry, StmtWith,
};
use ruff_python_parser::{Mode, ParseOptions, parse_unchecked};
use ruff_text_size::{Ranged, TextRange, TextSize};

use super::condition::{Flags, Setting, Truth, dotted};
use super::handler::{Catches, catches_import_errors, raises};
use super::literal::{self, Paths};
use super::nesting::{LIMIT, nesting};
use super::source::{All, Getattr, Hazards, Import, Reach, Source, Step, SyntaxError, What};
use super::visit::{Calls, Captures, Found, Globals, Walrus};
use crate::inspect::Certainty;

/// How much of a module is read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Depth {
    /// Own code: functions and calls too.
    Whole,
    /// An installed package: what happens when it is imported.
    Import,
}

/// Stack for one level of nesting: walking and dropping it. Without optimisation frames are large.
const STACK_PER_LEVEL: usize = if cfg!(debug_assertions) { 24 << 10 } else { 4 << 10 };
const STACK_BESIDES: usize = 512 << 10;

/// Reads a module; `None` when it is nested more deeply than any interpreter takes. `file` is its path in the image.
pub(super) fn scan(text: &str, file: &str, depth: Depth, setting: &Setting<'_>) -> Option<Source> {
    let levels = nesting(text);
    if levels > LIMIT {
        return None;
    }
    let stack = STACK_BESIDES + levels * STACK_PER_LEVEL;
    Some(stacker::maybe_grow(stack, stack * 2, || scan_here(text, file, depth, setting)))
}

fn scan_here(text: &str, file: &str, depth: Depth, setting: &Setting<'_>) -> Source {
    let text = text.strip_prefix('\u{feff}').unwrap_or(text);
    let version = PythonVersion { major: setting.version.major, minor: setting.version.minor };
    let options = ParseOptions::from(Mode::Module).with_target_version(version);
    let parsed = parse_unchecked(text, options);
    let mut scan = Scan {
        text,
        file,
        depth,
        setting,
        lines: text.bytes().enumerate().filter(|(_, byte)| *byte == b'\n').map(|(at, _)| at).collect(),
        source: Source { hazards: hazards(text), ..Source::default() },
        flags: Flags::new(),
        paths: Paths::new(),
        guards: 0,
        called: BTreeSet::new(),
        calls: BTreeMap::new(),
        function: None,
        in_functions: Vec::new(),
    };
    let error = parsed.errors().first().map(|error| (error.location, error.error.to_string()));
    let unsupported = || {
        let error = parsed.unsupported_syntax_errors().first()?;
        Some((error.range, error.to_string()))
    };
    if let Some((range, message)) = error.or_else(unsupported) {
        scan.source.syntax_error = Some(SyntaxError { line: scan.line(range.start()), message });
    }
    let module = parsed.into_syntax();
    let Some(module) = module.as_module() else { return scan.source };
    scan.block(&module.body, &Place { reach: Reach::always(), scope: Scope::Module });
    if text.contains(":=") {
        Walrus(&mut scan.source.names).visit_body(&module.body);
    }
    scan.source.dynamic |= is_dynamic(text, &module.body);
    scan.settle_functions();
    scan.source
}

/// What the words of a text say about the import system.
fn hazards(text: &str) -> Hazards {
    Hazards {
        search_path: text.contains("sys.path") || text.contains("addsitedir") || text.contains("import path"),
        modules: text.contains("sys.modules"),
        hooks: text.contains("meta_path") || text.contains("path_hooks"),
    }
}

/// Words of code that gives its module names which cannot be read off.
const MAKES_NAMES: &[&str] = &[
    "globals()",
    "exec(",
    "modules[__name__]",
    "modules.get(__name__",
    "modules.setdefault(",
    "_convert_(",
    "_convert(",
    "global_enum",
    "vars()",
    "locals()",
    "lazy_loader",
    "_LazyModule",
    "setattr(sys",
    "__dict__.update",
];

/// Whether code beside a module's `__getattr__` makes names.
fn is_dynamic(text: &str, body: &[Stmt]) -> bool {
    if !MAKES_NAMES.iter().any(|words| text.contains(words)) {
        return false;
    }
    body.iter().any(|statement| {
        let answers = matches!(statement, Stmt::FunctionDef(function) if ["__getattr__", "__dir__"].contains(&function.name.as_str()));
        let part = slice(text, statement.range());
        !answers && MAKES_NAMES.iter().any(|words| part.contains(words))
    })
}

fn slice(text: &str, range: TextRange) -> &str {
    text.get(range.start().to_usize()..range.end().to_usize()).unwrap_or_default()
}

/// How a block goes on.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Flow {
    Continues,
    MayEnd,
    Ends,
}

#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Scope {
    Module,
    Class,
    Function,
}

#[derive(Clone)]
pub(super) struct Place {
    pub(super) reach: Reach,
    pub(super) scope: Scope,
}

impl Place {
    fn at_most(&self, most: Certainty) -> Self {
        Self { reach: self.reach.clone().at_most(most), scope: self.scope }
    }
}

pub(super) struct Scan<'a> {
    text: &'a str,
    pub(super) file: &'a str,
    pub(super) depth: Depth,
    pub(super) setting: &'a Setting<'a>,
    /// Offsets of line feeds.
    lines: Vec<usize>,
    pub(super) source: Source,
    pub(super) flags: Flags,
    pub(super) paths: Paths,
    guards: u32,
    /// Functions called when the module is imported.
    called: BTreeSet<Box<str>>,
    /// What each function of the module calls.
    calls: BTreeMap<Box<str>, BTreeSet<Box<str>>>,
    /// The function that is being read.
    function: Option<Box<str>>,
    /// Steps that stand in functions: their place and the outermost function.
    in_functions: Vec<(usize, Box<str>)>,
}

impl Scan<'_> {
    pub(super) fn line(&self, offset: TextSize) -> u32 {
        let line = self.lines.partition_point(|feed| *feed < offset.to_usize());
        u32::try_from(line).unwrap_or(u32::MAX).saturating_add(1)
    }

    fn block(&mut self, body: &[Stmt], place: &Place) -> Flow {
        let mut place = place.clone();
        let mut flow = Flow::Continues;
        for statement in body {
            match self.statement(statement, &place) {
                Flow::Continues => {}
                Flow::MayEnd => {
                    place = place.at_most(Certainty::Likely);
                    flow = Flow::MayEnd;
                }
                Flow::Ends => return Flow::Ends,
            }
        }
        flow
    }

    fn statement(&mut self, statement: &Stmt, place: &Place) -> Flow {
        match statement {
            Stmt::Import(import) => {
                let place = if import.is_lazy { &place.at_most(Certainty::Likely) } else { place };
                for alias in &import.names {
                    let module: &str = alias.name.as_str();
                    let first = module.split('.').next().unwrap_or(module);
                    let bound = alias.asname.as_ref().map_or(first, |name| name.as_str());
                    self.bind(bound, place);
                    self.import(What::Module(module.into()), import.range, place);
                }
                Flow::Continues
            }
            Stmt::ImportFrom(import) => {
                let module: Box<str> = import.module.as_ref().map_or("", |name| name.as_str()).into();
                let dots = import.level;
                if &*module == "__future__" && dots == 0 {
                    return Flow::Continues;
                }
                let place = if import.is_lazy { &place.at_most(Certainty::Likely) } else { place };
                if import.names.iter().any(|alias| alias.name.as_str() == "*") {
                    self.import(What::Star { module, dots }, import.range, place);
                    return Flow::Continues;
                }
                // In a package's own file this asks for a submodule: it makes the name only if that is there.
                let own = dots == 1 && module.is_empty() && self.file.ends_with("/__init__.py");
                for alias in &import.names {
                    if !own || alias.asname.as_ref().is_some_and(|name| *name.id != *alias.name.id) {
                        self.bind(alias.asname.as_ref().unwrap_or(&alias.name).as_str(), place);
                    }
                }
                let names = import.names.iter().map(|alias| alias.name.as_str().into()).collect();
                self.import(What::From { module, dots, names }, import.range, place);
                Flow::Continues
            }
            Stmt::FunctionDef(function) => {
                self.bind(function.name.as_str(), place);
                if place.scope == Scope::Module && function.name.as_str() == "__getattr__" {
                    self.source.getattr = Getattr::Function;
                }
                for decorator in &function.decorator_list {
                    self.expression(&decorator.expression, place);
                }
                self.function_body(function.name.as_str(), &function.body, place);
                Flow::Continues
            }
            Stmt::ClassDef(class) => {
                self.bind(class.name.as_str(), place);
                for decorator in &class.decorator_list {
                    self.expression(&decorator.expression, place);
                }
                let scope = if place.scope == Scope::Function { Scope::Function } else { Scope::Class };
                // What ends a class body ends the module: it runs at once.
                self.block(&class.body, &Place { reach: place.reach.clone(), scope })
            }
            Stmt::Assign(assign) => {
                self.assign(assign, place);
                Flow::Continues
            }
            Stmt::AnnAssign(assign) => {
                if let Some(value) = &assign.value {
                    self.target(&assign.target, place);
                    self.value(std::slice::from_ref(&*assign.target), value, place);
                    self.expression(value, place);
                }
                Flow::Continues
            }
            Stmt::AugAssign(assign) => {
                if let Expr::Name(name) = &*assign.target
                    && place.scope == Scope::Module
                {
                    match name.id.as_str() {
                        "__all__" => self.extend_all(&assign.value),
                        "__path__" => self.source.own_path = true,
                        _ => {}
                    }
                }
                self.target(&assign.target, place);
                self.expression(&assign.value, place);
                Flow::Continues
            }
            Stmt::TypeAlias(alias) => {
                self.target(&alias.name, place);
                Flow::Continues
            }
            Stmt::For(a_loop) => {
                self.expression(&a_loop.iter, place);
                self.target(&a_loop.target, place);
                let inside = place.at_most(Certainty::Possible);
                let body = self.block(&a_loop.body, &inside);
                let after = self.block(&a_loop.orelse, &inside);
                weaker(body, after)
            }
            Stmt::While(a_loop) => {
                self.expression(&a_loop.test, place);
                let truth = self.setting.evaluate(&a_loop.test, &self.flags);
                if truth == Truth::False {
                    return self.block(&a_loop.orelse, place);
                }
                let inside = place.at_most(Certainty::Possible);
                let body = self.block(&a_loop.body, &inside);
                let after = self.block(&a_loop.orelse, &inside);
                if truth == Truth::True { Flow::MayEnd } else { weaker(body, after) }
            }
            Stmt::If(branch) => self.branch(branch, place),
            Stmt::With(with) => self.with(with, place),
            Stmt::Match(a_match) => {
                self.expression(&a_match.subject, place);
                let inside = place.at_most(Certainty::Possible);
                let mut flow = Flow::Continues;
                for case in &a_match.cases {
                    self.pattern(&case.pattern, place);
                    flow = weaker(flow, self.block(&case.body, &inside));
                }
                flow
            }
            Stmt::Try(a_try) => self.attempt(a_try, place),
            Stmt::Return(answer) => {
                if let Some(value) = &answer.value {
                    self.expression(value, place);
                }
                Flow::Ends
            }
            Stmt::Raise(_) => Flow::Ends,
            Stmt::Delete(delete) => {
                for target in &delete.targets {
                    if let (Expr::Name(name), Scope::Module) = (target, place.scope) {
                        self.source.deleted.insert(name.id.as_str().into());
                    }
                }
                Flow::Continues
            }
            Stmt::Global(global) => {
                for name in &global.names {
                    self.source.names.insert(name.as_str().into());
                }
                Flow::Continues
            }
            Stmt::Expr(expression) => {
                self.expression(&expression.value, place);
                match &*expression.value {
                    Expr::Call(call) => self.call_statement(call, place),
                    _ => Flow::Continues,
                }
            }
            Stmt::Assert(assert) => {
                self.expression(&assert.test, place);
                Flow::Continues
            }
            Stmt::Nonlocal(_)
            | Stmt::Pass(_)
            | Stmt::Break(_)
            | Stmt::Continue(_)
            | Stmt::IpyEscapeCommand(_) => Flow::Continues,
        }
    }

    fn function_body(&mut self, name: &str, body: &[Stmt], place: &Place) {
        if self.depth == Depth::Import {
            // Only a name that a function makes the module's is of interest here.
            if self.text.contains("global ") {
                Globals(&mut self.source.names).visit_body(body);
            }
            return;
        }
        let outermost = self.function.is_none();
        if outermost {
            self.function = Some(name.into());
        }
        let mut reach = place.reach.clone().at_most(Certainty::Likely);
        reach.in_function = true;
        self.block(body, &Place { reach, scope: Scope::Function });
        if outermost {
            self.function = None;
        }
    }

    fn branch(&mut self, branch: &StmtIf, place: &Place) -> Flow {
        let mut clauses = vec![(Some(&*branch.test), &branch.body)];
        clauses.extend(branch.elif_else_clauses.iter().map(|clause| (clause.test.as_ref(), &clause.body)));
        let mut sure = true;
        let mut flows = Vec::new();
        let mut has_else = false;
        for (test, body) in clauses {
            let truth = match test {
                Some(test) => {
                    self.expression(test, place);
                    self.setting.evaluate(test, &self.flags)
                }
                None => Truth::True,
            };
            match truth {
                Truth::False => {}
                Truth::True => {
                    has_else = true;
                    let inside = if sure { place.clone() } else { place.at_most(Certainty::Possible) };
                    flows.push(self.block(body, &inside));
                    break;
                }
                Truth::Unknown => {
                    sure = false;
                    flows.push(self.block(body, &place.at_most(Certainty::Possible)));
                }
            }
        }
        if has_else && flows.iter().all(|flow| *flow == Flow::Ends) && !flows.is_empty() {
            return Flow::Ends;
        }
        if flows.iter().all(|flow| *flow == Flow::Continues) { Flow::Continues } else { Flow::MayEnd }
    }

    fn with(&mut self, with: &StmtWith, place: &Place) -> Flow {
        let mut inside = place.clone();
        for item in &with.items {
            self.expression(&item.context_expr, place);
            if let Some(target) = &item.optional_vars {
                self.target(target, place);
            }
            let name = match &item.context_expr {
                Expr::Call(call) => dotted(&call.func),
                _ => None,
            };
            match name.as_deref().and_then(|name| name.rsplit('.').next()) {
                Some("suppress") => inside.reach = self.guarded(&inside.reach, Certainty::Possible),
                // These let every exception through.
                Some(
                    "open"
                    | "catch_warnings"
                    | "Lock"
                    | "RLock"
                    | "TemporaryDirectory"
                    | "start_as_current_span",
                ) => {}
                _ => inside = inside.at_most(Certainty::Likely),
            }
        }
        let flow = self.block(&with.body, &inside);
        if flow == Flow::Ends { Flow::MayEnd } else { flow }
    }

    fn guarded(&mut self, reach: &Reach, most: Certainty) -> Reach {
        self.guards += 1;
        let mut reach = reach.clone().at_most(most);
        reach.guard = Some(self.guards);
        reach
    }

    fn attempt(&mut self, a_try: &StmtTry, place: &Place) -> Flow {
        let mut catches = Catches::Nothing;
        for handler in &a_try.handlers {
            let ExceptHandler::ExceptHandler(handler) = handler;
            let caught = catches_import_errors(handler.type_.as_deref());
            if caught != Catches::Nothing && catches == Catches::Nothing {
                catches = match (caught, raises(&handler.body)) {
                    (Catches::Surely, true) => Catches::AndRaises,
                    (caught, _) => caught,
                };
            }
        }
        let body_reach = match catches {
            Catches::Nothing => place.reach.clone(),
            Catches::Perhaps | Catches::AndRaises => self.guarded(&place.reach, Certainty::Likely),
            Catches::Surely => self.guarded(&place.reach, Certainty::Possible),
        };
        let guard = body_reach.guard.filter(|_| catches != Catches::Nothing);
        let body = self.block(&a_try.body, &Place { reach: body_reach, scope: place.scope });
        for handler in &a_try.handlers {
            let ExceptHandler::ExceptHandler(handler) = handler;
            if let Some(name) = &handler.name {
                self.bind(name.as_str(), place);
            }
            let caught = catches_import_errors(handler.type_.as_deref());
            let mut reach = place.reach.clone();
            match (caught, guard) {
                (Catches::Surely | Catches::Perhaps | Catches::AndRaises, Some(guard)) => {
                    reach = reach.at_most(Certainty::Likely);
                    reach.after_failure.push(guard);
                }
                _ => reach = reach.at_most(Certainty::Possible),
            }
            self.block(&handler.body, &Place { reach, scope: place.scope });
        }
        let mut after = place.clone();
        after.reach.after_success.extend(guard);
        let orelse = self.block(&a_try.orelse, &after);
        let finally = self.block(&a_try.finalbody, place);
        if finally == Flow::Ends || (a_try.handlers.is_empty() && body == Flow::Ends) {
            return Flow::Ends;
        }
        // A handler runs only after a failure, which is a finding of its own; what it does then is no reason to doubt what
        // follows.
        let body = if body == Flow::Ends { Flow::MayEnd } else { body };
        weaker(weaker(body, orelse), finally)
    }

    fn call_statement(&mut self, call: &ExprCall, place: &Place) -> Flow {
        let Some(function) = dotted(&call.func) else { return Flow::Continues };
        let arguments = &*call.arguments.args;
        if place.scope == Scope::Module {
            match (function.as_str(), arguments) {
                ("__all__.append", [name]) => self.extend_all_with(std::slice::from_ref(name)),
                ("__all__.extend", [names]) => self.extend_all(names),
                ("__all__.remove" | "__all__.insert", _) => self.source.all = All::Computed,
                ("__path__.append" | "__path__.extend" | "__path__.insert", _) => self.source.own_path = true,
                ("sys.path.append" | "site.addsitedir", [directory]) => {
                    self.search_path(directory, Side::Back);
                }
                ("sys.path.insert", [_, directory]) => self.search_path(directory, Side::Front),
                ("sys.path.extend", [Expr::List(directories)]) => {
                    for directory in &directories.elts {
                        self.search_path(directory, Side::Back);
                    }
                }
                _ => {}
            }
        }
        match function.as_str() {
            "sys.exit" | "exit" | "quit" | "os._exit" | "os.abort" => Flow::Ends,
            "asyncio.run" | "uvicorn.run" | "anyio.run" | "trio.run" => Flow::MayEnd,
            other => {
                let method = other.rsplit('.').next().unwrap_or_default();
                let serves = [
                    "run",
                    "serve",
                    "serve_forever",
                    "run_forever",
                    "main",
                    "run_server",
                    "execv",
                    "execve",
                    "execvp",
                    "execvpe",
                    "execl",
                    "execlp",
                ];
                if serves.contains(&method) { Flow::MayEnd } else { Flow::Continues }
            }
        }
    }

    fn search_path(&mut self, directory: &Expr, side: Side) {
        if let Some(directory) = literal::path(directory, self.file, &self.paths) {
            self.source.steps.push(Step::SearchPath { directory, front: side == Side::Front });
        }
    }

    fn bind(&mut self, name: &str, place: &Place) {
        if place.scope == Scope::Module {
            self.source.names.insert(name.into());
        }
    }

    pub(super) fn target(&mut self, target: &Expr, place: &Place) {
        match target {
            Expr::Name(name) => self.bind(name.id.as_str(), place),
            Expr::Tuple(tuple) => tuple.elts.iter().for_each(|element| self.target(element, place)),
            Expr::List(list) => list.elts.iter().for_each(|element| self.target(element, place)),
            Expr::Starred(starred) => self.target(&starred.value, place),
            Expr::Attribute(attribute) => {
                let own = matches!(&*attribute.value, Expr::Name(name) if ["self", "cls"].contains(&name.id.as_str()));
                if !own {
                    self.source.attributes.insert(attribute.attr.as_str().into());
                }
            }
            _ => {}
        }
    }

    fn pattern(&mut self, pattern: &Pattern, place: &Place) {
        let mut names = BTreeSet::new();
        Captures(&mut names).visit_pattern(pattern);
        for name in names {
            self.bind(&name, place);
        }
    }

    fn import(&mut self, what: What, range: TextRange, place: &Place) {
        let line = self.line(range.start());
        if place.reach.in_function
            && let Some(function) = &self.function
        {
            self.in_functions.push((self.source.steps.len(), function.clone()));
        }
        self.source.steps.push(Step::Import(Import { what, line, reach: place.reach.clone() }));
    }

    /// Calls inside an expression, for own code.
    pub(super) fn expression(&mut self, expression: &Expr, place: &Place) {
        if self.depth == Depth::Import {
            return;
        }
        let mut calls = Calls(Vec::new());
        calls.visit_expr(expression);
        for found in calls.0 {
            match found {
                Found::Call(call) => self.call(call, place),
                Found::Member(key, value) => self.set_item(key, value),
            }
        }
    }

    fn call(&mut self, call: &ExprCall, place: &Place) {
        let line = self.line(call.range().start());
        self.source.serving.called(call, line);
        let name = match &*call.func {
            Expr::Name(name) => name.id.as_str(),
            Expr::Attribute(attribute) => attribute.attr.as_str(),
            _ => return,
        };
        match &self.function {
            Some(function) => {
                self.calls.entry(function.clone()).or_default().insert(name.into());
            }
            None => {
                self.called.insert(name.into());
            }
        }
        let first = call.arguments.args.first();
        if let (Some(Expr::StringLiteral(text)), "import_module" | "__import__") = (first, name) {
            let text = text.value.to_str();
            if !text.starts_with('.') && !text.is_empty() {
                let place = place.at_most(Certainty::Likely);
                self.import(What::Module(text.into()), call.range(), &place);
            }
        }
        if place.reach.most == Certainty::Certain
            && let Some(path) = self.opened(call, name)
        {
            self.source.steps.push(Step::Opens { path, line });
        }
    }

    /// The path that a call reads.
    fn opened(&self, call: &ExprCall, name: &str) -> Option<String> {
        match (name, &*call.func) {
            ("open", Expr::Name(_)) => {
                let mode = call.arguments.find_argument_value("mode", 1);
                let reads = match mode {
                    None => true,
                    Some(Expr::StringLiteral(mode)) => {
                        let mode = mode.value.to_str();
                        mode.contains('r') && !mode.contains('+')
                    }
                    Some(_) => false,
                };
                reads.then(|| literal::path(call.arguments.args.first()?, self.file, &self.paths))?
            }
            ("read_text" | "read_bytes", Expr::Attribute(method)) => {
                literal::path(&method.value, self.file, &self.paths)
            }
            _ => None,
        }
    }

    /// Decides how sure what stands in functions is: likely when the module calls the function while it is imported.
    fn settle_functions(&mut self) {
        loop {
            let more: Vec<Box<str>> = self
                .called
                .iter()
                .filter_map(|name| self.calls.get(name))
                .flatten()
                .filter(|name| !self.called.contains(*name))
                .cloned()
                .collect();
            if more.is_empty() {
                break;
            }
            self.called.extend(more);
        }
        for (step, function) in &self.in_functions {
            if let Some(Step::Import(import)) = self.source.steps.get_mut(*step)
                && !self.called.contains(function)
            {
                import.reach.most = import.reach.most.min(Certainty::Possible);
            }
        }
    }
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Side {
    Front,
    Back,
}

fn weaker(one: Flow, other: Flow) -> Flow {
    if one == Flow::Continues && other == Flow::Continues { Flow::Continues } else { Flow::MayEnd }
}

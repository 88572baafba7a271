//! The directories an interpreter searches for modules: `sys.path` as its start makes it.

use std::collections::{BTreeMap, BTreeSet};

use ruff_python_ast::{Expr, Stmt};
use ruff_python_parser::parse_module;

use super::find::extension;
use super::literal::join;
use super::nesting::nesting;
use super::{Interpreter, Version};
use crate::tree::Tree;

/// Where modules are searched.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct SearchPath {
    /// The directories in order; the script's or the working directory is not among them.
    pub directories: Vec<String>,
    /// The directories for packages, in which distributions are looked for.
    pub sites: Vec<String>,
    /// Zip archives on the path, whose modules are not looked at.
    pub archives: Vec<String>,
    /// Packages that an editable installation puts elsewhere: name to directory or file.
    pub editable: BTreeMap<String, String>,
    /// Lines of `.pth` files that run code, with their files.
    pub code: Vec<(String, String)>,
}

/// What a search path depends on beside the interpreter.
#[derive(Clone, Copy, Debug, Default)]
pub struct Surroundings<'a> {
    /// `PYTHONPATH`, when it counts.
    pub python_path: &'a str,
    /// The working directory, for relative members of `PYTHONPATH`.
    pub working_directory: &'a str,
    /// The home directory of the user, for packages installed by the user.
    pub home: Option<&'a str>,
}

/// Deepest nesting of the module of an editable installation.
const FINDER: usize = 200;
/// Most bytes of a `.pth` file.
const PTH: u64 = 1 << 16;

/// The directories that `interpreter` searches.
pub fn search_path(tree: &Tree, interpreter: &Interpreter, surroundings: Surroundings<'_>) -> SearchPath {
    let mut path = SearchPath::default();
    let relative_to = surroundings.working_directory;
    for part in surroundings.python_path.split(':').filter(|part| !part.is_empty()) {
        path.add(tree, &join(relative_to, part));
    }
    let version = interpreter.version;
    if let Some(library) = &interpreter.standard_library {
        path.add(tree, library);
        path.add(tree, &format!("{library}/lib-dynload"));
    }
    let mut sites = Vec::new();
    let mut system = true;
    if let Some(environment) = &interpreter.environment {
        sites.extend(packages(&environment.directory, version));
        system = environment.system_packages;
    }
    if system {
        if let Some(home) = surroundings.home {
            sites.push(format!("{}/.local/lib/python{version}/site-packages", home.trim_end_matches('/')));
        }
        if let Some(library) = &interpreter.standard_library {
            sites.extend(
                library
                    .rsplit_once("/lib")
                    .map(|(prefix, _)| packages(prefix, version))
                    .into_iter()
                    .flatten(),
            );
            if library.starts_with("/usr/lib/") {
                // Debian's own order.
                sites.push(format!("/usr/local/lib/python{version}/dist-packages"));
                sites.push("/usr/lib/python3/dist-packages".to_owned());
            }
        }
    }
    for site in sites {
        path.add_site(tree, &site);
    }
    path
}

fn packages(prefix: &str, version: Version) -> Vec<String> {
    ["lib", "lib64"].iter().map(|lib| format!("{prefix}/{lib}/python{version}/site-packages")).collect()
}

impl SearchPath {
    /// The path of a code zip, whose files lie in `root`.
    pub fn of_zip(tree: &Tree, root: &str) -> Self {
        let mut path = Self::default();
        path.add(tree, root);
        path.sites.push(root.to_owned());
        path
    }

    fn add(&mut self, tree: &Tree, directory: &str) {
        let Some(entry) = tree.lookup(directory) else { return };
        if entry.is_directory() {
            // A link that leads to a directory that is there already adds nothing.
            if !self.directories.iter().any(|known| known == entry.path()) {
                self.directories.push(entry.path().to_owned());
            }
        } else {
            self.archives.push(directory.to_owned());
        }
    }

    fn add_site(&mut self, tree: &Tree, site: &str) {
        let Some(entry) = tree.lookup(site).filter(super::super::tree::Entry::is_directory) else { return };
        let site = entry.path().to_owned();
        if self.sites.contains(&site) {
            return;
        }
        self.add(tree, &site);
        self.sites.push(site.clone());
        let mut added = BTreeSet::new();
        for entry in tree.children(&site) {
            if extension(entry.name()) != "pth" || entry.name().starts_with('.') {
                continue;
            }
            let Ok(bytes) = tree.read(entry.path(), PTH) else { continue };
            let text = String::from_utf8_lossy(&bytes).into_owned();
            for line in text.lines().map(str::trim_end) {
                if line.is_empty() || line.starts_with('#') {
                    continue;
                }
                if line.starts_with("import ") || line.starts_with("import\t") {
                    self.code.push((entry.path().to_owned(), line.to_owned()));
                    self.read_editable(tree, &site, line);
                } else if added.insert(line.to_owned()) {
                    self.add(tree, &join(&site, line));
                }
            }
        }
    }

    /// `import __editable___agent_finder; …`: the module has a table of what lies where.
    fn read_editable(&mut self, tree: &Tree, site: &str, line: &str) {
        let name = line.trim_start_matches("import").trim().split([';', ' ', ',']).next().unwrap_or_default();
        if !name.starts_with("__editable__") {
            return;
        }
        let Ok(bytes) = tree.read(&format!("{site}/{name}.py"), 1 << 20) else { return };
        let text = String::from_utf8_lossy(&bytes);
        // A table of names is flat; what is not needs a stack of its own.
        if nesting(&text) > FINDER {
            return;
        }
        let Ok(module) = parse_module(&text) else { return };
        for statement in module.suite() {
            let (target, value) = match statement {
                Stmt::AnnAssign(assign) => (&*assign.target, assign.value.as_deref()),
                Stmt::Assign(assign) if assign.targets.len() == 1 => {
                    (&assign.targets[0], Some(&*assign.value))
                }
                _ => continue,
            };
            let (Expr::Name(name), Some(Expr::Dict(table))) = (target, value) else { continue };
            if name.id.as_str() != "MAPPING" {
                continue;
            }
            for item in table {
                if let (Some(Expr::StringLiteral(key)), Expr::StringLiteral(value)) = (&item.key, &item.value)
                {
                    self.editable.insert(key.value.to_str().to_owned(), value.value.to_str().to_owned());
                }
            }
        }
    }
}

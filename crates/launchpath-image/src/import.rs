//! Why an import fails: whose module is missing, and what that says about the image.
//!
//! Python imports parents first. So `No module named 'langchain.callbacks'` proves that `langchain` itself was found and
//! lost (or never had) that submodule, whereas `No module named 'langchain'` says that the package is not there at all.

use std::collections::BTreeMap;
use std::sync::LazyLock;

use serde::Deserialize;

use crate::traceback::{Language, Traceback};

/// Whose code a module is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Owner {
    /// A published distribution.
    ThirdParty,
    /// The agent's own source.
    Own,
    /// It cannot be told.
    Unclear,
}

/// Why the process could not import or open something.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ImportFailure {
    /// The package is there, the submodule is not.
    MissingSubmodule {
        /// The full name, `langchain.callbacks`.
        module: String,
        /// Whose it is.
        owner: Owner,
    },
    /// The top-level module is not there.
    MissingModule {
        /// Its name.
        module: String,
        /// Whose it is.
        owner: Owner,
    },
    /// The module is there, the name in it is not.
    MissingName {
        /// The name.
        name: String,
        /// The module.
        module: String,
        /// Whose it is.
        owner: Owner,
    },
    /// A compiled part of a package is not there or is for another platform: the package's own code misses it.
    MissingExtension {
        /// Its name, `pydantic_core._pydantic_core`, or its file.
        module: String,
    },
    /// A shared library of the system is not there.
    MissingLibrary {
        /// Its file, `libGL.so.1`.
        file: String,
    },
    /// A call passes an argument that the function does not take (any more).
    UnexpectedArgument {
        /// The function, as printed.
        function: String,
        /// The argument.
        argument: String,
    },
    /// A file that the code opens is not there.
    MissingFile {
        /// Its path, as printed.
        path: String,
    },
}

/// What the traceback, or the exception it was raised from, says about imports; `None` when it is about something else.
///
/// `distributions`: installed distributions and versions, empty when nobody looked.
pub fn classify(traceback: &Traceback, distributions: &BTreeMap<String, String>) -> Option<ImportFailure> {
    let own = match traceback.language {
        Language::Python => python(traceback, distributions),
        Language::Node => node(&traceback.message),
        // Their imports are resolved when they are built, or by class loaders that this does not read.
        Language::Java | Language::Go => None,
        Language::DotNet => dotnet(&traceback.message),
        Language::Ruby => ruby(&traceback.message),
    };
    own.or_else(|| classify(traceback.cause.as_deref()?, distributions))
}

fn python(traceback: &Traceback, distributions: &BTreeMap<String, String>) -> Option<ImportFailure> {
    let message = traceback.message.as_str();
    match traceback.exception.rsplit('.').next().unwrap_or_default() {
        // A circle of imports, or a file that hides a package of its name: the code's own, nothing is missing.
        "ModuleNotFoundError" | "ImportError" | "AttributeError"
            if message.contains("partially initialized module") || message.ends_with("is not a package") =>
        {
            None
        }
        "ModuleNotFoundError" | "ImportError" => shared_object(message).or_else(|| {
            if let Some(module) = between(message, "No module named '", "'") {
                return Some(missing_module(&module, traceback, distributions));
            }
            missing_name(message, traceback, distributions)
        }),
        "AttributeError" => {
            let module = between(message, "module '", "'")?;
            let name = between(message, "has no attribute '", "'")?;
            let owner = owner_of(top(&module), traceback, distributions);
            Some(ImportFailure::MissingName { name, module, owner })
        }
        "TypeError" => {
            let (function, rest) = message.split_once(" got an unexpected keyword argument '")?;
            let argument = rest.split('\'').next().unwrap_or_default().to_owned();
            Some(ImportFailure::UnexpectedArgument { function: function.to_owned(), argument })
        }
        "FileNotFoundError" => {
            let path = between(message, "No such file or directory: '", "'")?;
            Some(ImportFailure::MissingFile { path })
        }
        _ => None,
    }
}

fn node(message: &str) -> Option<ImportFailure> {
    let module = between(message, "Cannot find module '", "'")
        .or_else(|| between(message, "Cannot find package '", "'"))?;
    let own = module.starts_with(['.', '/']) && !in_site_packages(&module);
    let owner = if own { Owner::Own } else { Owner::ThirdParty };
    Some(ImportFailure::MissingModule { module, owner })
}

/// `Could not load file or assembly 'Name, Version=…'`: what was published holds no such assembly.
fn dotnet(message: &str) -> Option<ImportFailure> {
    let module = between(message, "Could not load file or assembly '", "'")?;
    let module = module.split(',').next().unwrap_or_default().to_owned();
    Some(ImportFailure::MissingModule { module, owner: Owner::Unclear })
}

/// `cannot load such file -- NAME`: a gem by its name, a file of the agent by a path.
fn ruby(message: &str) -> Option<ImportFailure> {
    let module = message.split_once("cannot load such file -- ")?.1.trim().to_owned();
    let owner = if module.starts_with(['.', '/']) { Owner::Own } else { Owner::ThirdParty };
    Some(ImportFailure::MissingModule { module, owner })
}

/// What the dynamic linker says: a library of the system that is absent, or an extension of another platform.
fn shared_object(message: &str) -> Option<ImportFailure> {
    let (file, why) = message.split_once(": ")?;
    let is_shared =
        file.rsplit('/').next().is_some_and(|name| name.split('.').skip(1).any(|part| part == "so"));
    if !is_shared || file.contains(' ') {
        return None;
    }
    let absent = why.starts_with("cannot open shared object file");
    if absent && !file.contains('/') {
        return Some(ImportFailure::MissingLibrary { file: file.to_owned() });
    }
    let foreign = ["invalid ELF header", "wrong ELF class", "not found (required by"];
    (absent || foreign.iter().any(|text| why.contains(text)))
        .then(|| ImportFailure::MissingExtension { module: file.to_owned() })
}

fn missing_name(
    message: &str,
    traceback: &Traceback,
    distributions: &BTreeMap<String, String>,
) -> Option<ImportFailure> {
    let name = between(message, "cannot import name '", "'")?;
    let module = between(message, " from '", "'").unwrap_or_default();
    if name.starts_with('_') && imports_itself(top(&module), traceback) {
        return Some(ImportFailure::MissingExtension { module: format!("{module}.{name}") });
    }
    // A module without a file is a folder: of a package's own compiled module only its stubs are left.
    let last = module.rsplit('.').next().unwrap_or_default();
    if message.ends_with("(unknown location)")
        && last.starts_with('_')
        && imports_itself(top(&module), traceback)
    {
        return Some(ImportFailure::MissingExtension { module });
    }
    let file = between(message, "' (", ")").unwrap_or_default();
    let owner = if in_site_packages(&file) {
        Owner::ThirdParty
    } else {
        match owner_of(top(&module), traceback, distributions) {
            Owner::Unclear if file.starts_with('/') && !is_standard_library(&file) => Owner::Own,
            owner => owner,
        }
    };
    Some(ImportFailure::MissingName { name, module, owner })
}

fn missing_module(
    module: &str,
    traceback: &Traceback,
    distributions: &BTreeMap<String, String>,
) -> ImportFailure {
    let top = top(module);
    let mut parts = module.rsplit('.');
    let last = parts.next().unwrap_or_default();
    let compiled = last.starts_with('_') || parts.next() == Some(last);
    let shared_name = NAMESPACES.contains(&top);
    if module.contains('.') && compiled && !shared_name && imports_itself(top, traceback) {
        return ImportFailure::MissingExtension { module: module.to_owned() };
    }
    let owner = owner_of(top, traceback, distributions);
    let module = module.to_owned();
    if module.contains('.') {
        ImportFailure::MissingSubmodule { module, owner }
    } else {
        ImportFailure::MissingModule { module, owner }
    }
}

/// Names under which many distributions put their modules: one of them that misses another's is no broken package.
const NAMESPACES: &[&str] = &["azure", "google", "opentelemetry"];

/// Top-level names that projects give their own folders; nothing in use on the package index claims them.
const PROJECT_NAMES: &[&str] = &[
    "agent",
    "api",
    "app",
    "common",
    "config",
    "core",
    "handlers",
    "helpers",
    "lib",
    "main",
    "nodes",
    "prompts",
    "server",
    "services",
    "shared",
    "src",
    "tools",
    "utils",
    "workflow",
    "workflows",
];

/// The file in which the import that failed stands; `None` for an import by a name that was computed.
fn importer(traceback: &Traceback) -> Option<&str> {
    let files = traceback.frames.iter().map(|frame| frame.file.as_str());
    files.rev().find(|file| !file.starts_with('<')).filter(|file| !file.contains("/importlib/"))
}

/// Whether the import that failed stands in the package itself.
fn imports_itself(top: &str, traceback: &Traceback) -> bool {
    importer(traceback).is_some_and(|file| file.split('/').any(|part| part == top))
}

fn owner_of(top: &str, traceback: &Traceback, distributions: &BTreeMap<String, String>) -> Owner {
    let frames = || traceback.frames.iter().map(|frame| frame.file.as_str());
    let inside =
        |file: &str| file.split('/').any(|part| part == top || part.strip_suffix(".py") == Some(top));
    if version_of(top, distributions).is_some() || frames().any(|file| in_site_packages(file) && inside(file))
    {
        return Owner::ThirdParty;
    }
    let known = distribution_of(top).is_some();
    // A frame of the agent's own code that lies under a folder of that name: the name is the agent's, unless it is also a
    // package's; a code zip keeps both side by side.
    if frames().any(|file| !in_site_packages(file) && !is_standard_library(file) && inside(file)) {
        return if known { Owner::Unclear } else { Owner::Own };
    }
    if known || importer(traceback).is_some_and(in_site_packages) {
        return Owner::ThirdParty;
    }
    if is_project_name(top) { Owner::Own } else { Owner::Unclear }
}

/// Whether a top-level name is one that projects give their own folders and no package claims.
pub(crate) fn is_project_name(top: &str) -> bool {
    PROJECT_NAMES.contains(&top)
}

fn top(module: &str) -> &str {
    module.split('.').next().unwrap_or(module)
}

fn in_site_packages(file: &str) -> bool {
    file.contains("/site-packages/") || file.contains("/dist-packages/") || file.contains("/node_modules/")
}

fn is_standard_library(file: &str) -> bool {
    file.starts_with('<')
        || (file.contains("/lib/python3") && !in_site_packages(file))
        || file.starts_with("node:")
}

fn between(text: &str, start: &str, end: &str) -> Option<String> {
    let (_, rest) = text.split_once(start)?;
    let (inside, _) = rest.split_once(end)?;
    Some(inside.to_owned())
}

#[derive(Deserialize)]
struct Tables {
    /// Import name to distribution name, for names that differ or are frequent.
    distributions: BTreeMap<String, String>,
    /// Modules that a release dropped.
    moved: Vec<MovedModule>,
}

/// A module that a release of its distribution dropped or moved.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
pub struct MovedModule {
    /// The module, for example `langchain.callbacks`.
    pub module: String,
    /// The distribution.
    pub distribution: String,
    /// The first release without it.
    pub gone_in: String,
    /// When that was released.
    pub released: String,
    /// Where its content is now.
    pub moved_to: Option<String>,
    /// A requirement under which the old import works.
    pub pin: String,
    /// Where this is from.
    pub source: String,
}

static TABLES: LazyLock<Tables> = LazyLock::new(|| {
    #[expect(clippy::expect_used, reason = "the file is part of the program and tests read it")]
    serde_json::from_str(include_str!("../data/python.json"))
        .expect("a data file of this crate is well formed")
});

/// The distribution that provides a top-level module, when the table knows it.
pub fn distribution_of(top: &str) -> Option<&'static str> {
    TABLES.distributions.get(top).map(String::as_str)
}

/// What is known of a module that a release dropped: the module itself or a parent of it.
pub fn moved(module: &str) -> Option<&'static MovedModule> {
    TABLES.moved.iter().find(|row| {
        module == row.module || module.strip_prefix(&row.module).is_some_and(|rest| rest.starts_with('.'))
    })
}

/// When a release of a distribution that dropped modules came out; `is` says which.
pub(crate) fn released(distribution: &str, is: impl Fn(&str) -> bool) -> Option<&'static str> {
    let wanted = normalise(distribution);
    let row = TABLES.moved.iter().find(|row| normalise(&row.distribution) == wanted && is(&row.gone_in))?;
    Some(&row.released)
}

/// The installed distribution that provides a top-level module, and its version.
pub fn version_of<'a>(top: &str, distributions: &'a BTreeMap<String, String>) -> Option<(&'a str, &'a str)> {
    let wanted = normalise(distribution_of(top).unwrap_or(top));
    let entry = distributions.iter().find(|(name, _)| normalise(name) == wanted)?;
    Some((entry.0.as_str(), entry.1.as_str()))
}

/// PyPI's name normalisation (PEP 503).
fn normalise(name: &str) -> String {
    name.to_lowercase().replace(['_', '.'], "-")
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::{ImportFailure, Owner, classify, moved, version_of};
    use crate::traceback::find;

    fn failure(text: &str, distributions: &[(&str, &str)]) -> Option<ImportFailure> {
        let distributions: BTreeMap<String, String> =
            distributions.iter().map(|(name, version)| ((*name).to_owned(), (*version).to_owned())).collect();
        classify(find(text).last()?, &distributions)
    }

    fn python(frames: &[&str], exception: &str) -> String {
        let frames: String =
            frames.iter().map(|f| format!("  File \"{f}\", line 1, in <module>\n    import x\n")).collect();
        format!("Traceback (most recent call last):\n{frames}{exception}\n")
    }

    #[test]
    fn a_submodule_of_an_installed_package_is_third_party() {
        let text = python(&["/app/main.py"], "ModuleNotFoundError: No module named 'langchain.callbacks'");
        let expected = ImportFailure::MissingSubmodule {
            module: "langchain.callbacks".into(),
            owner: Owner::ThirdParty,
        };
        assert_eq!(failure(&text, &[("langchain", "1.0.0")]), Some(expected.clone()));
        // The table of names knows it even when nobody listed the distributions.
        assert_eq!(failure(&text, &[]), Some(expected));
    }

    #[test]
    fn a_submodule_of_the_agents_own_package_is_its_own() {
        let text = python(&["/app/src/main.py"], "ModuleNotFoundError: No module named 'src.tools'");
        assert_eq!(
            failure(&text, &[]),
            Some(ImportFailure::MissingSubmodule { module: "src.tools".into(), owner: Owner::Own })
        );
    }

    #[test]
    fn a_package_that_misses_its_own_compiled_part_is_incomplete() {
        for (file, message) in [
            ("/var/task/pydantic_core/__init__.py", "No module named 'pydantic_core._pydantic_core'"),
            ("/usr/lib/python3/site-packages/rpds/__init__.py", "No module named 'rpds.rpds'"),
        ] {
            let text = python(&["/var/task/main.py", file], &format!("ModuleNotFoundError: {message}"));
            let found = failure(&text, &[("pydantic-core", "2.33.0")]);
            assert!(matches!(found, Some(ImportFailure::MissingExtension { .. })), "{found:?}");
        }
        let text = python(
            &["/app/main.py"],
            "ImportError: /var/task/numpy/core/_umath.cpython-312-x86_64-linux-gnu.so: invalid ELF header",
        );
        assert!(matches!(failure(&text, &[]), Some(ImportFailure::MissingExtension { .. })));
        let text = python(
            &["/site-packages/opentelemetry/instrumentation/x.py"],
            "ModuleNotFoundError: No module named 'opentelemetry.semconv._incubating'",
        );
        assert!(matches!(failure(&text, &[]), Some(ImportFailure::MissingSubmodule { .. })));
    }

    #[test]
    fn stubs_without_their_compiled_module_are_no_dropped_name() {
        let message = "ImportError: cannot import name 'ArgsKwargs' from 'pydantic_core._pydantic_core' (unknown location)";
        let file = "/usr/local/lib/python3.11/dist-packages/pydantic_core/__init__.py";
        let found = failure(&python(&["/app/agent.py", file], message), &[("pydantic_core", "2.50.5")]);
        let module = "pydantic_core._pydantic_core".to_owned();
        assert_eq!(found, Some(ImportFailure::MissingExtension { module }));
        // A folder that the code itself asks a name of is another matter.
        let found = failure(&python(&["/app/agent.py"], message), &[("pydantic_core", "2.50.5")]);
        assert!(matches!(found, Some(ImportFailure::MissingName { .. })), "{found:?}");
    }

    #[test]
    fn a_library_of_the_system_is_told_from_a_module() {
        let text = python(
            &["/usr/lib/python3.12/site-packages/cv2/__init__.py"],
            "ImportError: libGL.so.1: cannot open shared object file: No such file or directory",
        );
        assert_eq!(failure(&text, &[]), Some(ImportFailure::MissingLibrary { file: "libGL.so.1".into() }));
    }

    #[test]
    fn what_a_package_imports_is_not_the_agents_unless_a_launcher_imports_it() {
        let message = "ModuleNotFoundError: No module named 'zeppelin'";
        let owner = |frames: &[&str]| match failure(&python(frames, message), &[]) {
            Some(ImportFailure::MissingModule { owner, .. }) => owner,
            other => panic!("{other:?}"),
        };
        assert_eq!(owner(&["/app/main.py", "/venv/site-packages/strands/models/z.py"]), Owner::ThirdParty);
        let launcher =
            ["/venv/site-packages/uvicorn/importer.py", "/usr/lib/python3.12/importlib/__init__.py"];
        assert_eq!(owner(&launcher), Owner::Unclear);
    }

    #[test]
    fn a_circle_or_a_hidden_package_misses_nothing() {
        for message in [
            "ImportError: cannot import name 'a' from partially initialized module 'b' (most likely due to a circular import) (/app/b.py)",
            "ModuleNotFoundError: No module named 'mcp.server'; 'mcp' is not a package",
        ] {
            assert_eq!(failure(&python(&["/app/b.py"], message), &[]), None);
        }
    }

    #[test]
    fn a_name_the_module_lost_and_an_argument_the_function_lost() {
        let text = python(&["/app/main.py"], "AttributeError: module 'numpy' has no attribute 'float'");
        let found = failure(&text, &[]);
        assert!(
            matches!(found, Some(ImportFailure::MissingName { owner: Owner::ThirdParty, .. })),
            "{found:?}"
        );
        let text = python(
            &["/app/main.py"],
            "TypeError: Client.__init__() got an unexpected keyword argument 'proxies'",
        );
        let found = failure(&text, &[]);
        assert!(
            matches!(&found, Some(ImportFailure::UnexpectedArgument { argument, .. }) if argument == "proxies"),
            "{found:?}"
        );
    }

    #[test]
    fn the_cause_speaks_when_the_exception_does_not() {
        let text = format!(
            "{}\nThe above exception was the direct cause of the following exception:\n\n{}",
            python(&["/app/main.py"], "ModuleNotFoundError: No module named 'boto3'"),
            python(&["/app/main.py"], "RuntimeError: no client"),
        );
        assert!(matches!(failure(&text, &[]), Some(ImportFailure::MissingModule { .. })));
    }

    #[test]
    fn an_unheard_of_name_stays_unclear() {
        let text = python(&["/app/main.py"], "ModuleNotFoundError: No module named 'zeppelin'");
        assert_eq!(
            failure(&text, &[]),
            Some(ImportFailure::MissingModule { module: "zeppelin".into(), owner: Owner::Unclear })
        );
    }

    #[test]
    fn a_name_that_a_package_no_longer_exports() {
        let text = python(
            &["/app/main.py"],
            "ImportError: cannot import name 'Tool' from 'pkg.tools' (/usr/local/lib/python3.12/site-packages/pkg/tools.py)",
        );
        let found = failure(&text, &[]);
        assert!(
            matches!(found, Some(ImportFailure::MissingName { owner: Owner::ThirdParty, .. })),
            "{found:?}"
        );
    }

    #[test]
    fn names_are_compared_as_the_index_does() {
        let installed: BTreeMap<String, String> = [("Bedrock_AgentCore".to_owned(), "1.0".to_owned())].into();
        assert_eq!(version_of("bedrock_agentcore", &installed).map(|found| found.1), Some("1.0"));
    }

    #[test]
    fn the_incidents_module_is_known() {
        assert_eq!(
            moved("langchain.callbacks.manager").and_then(|m| m.moved_to.as_deref()),
            Some("langchain_core.callbacks")
        );
        assert!(moved("langchain.callbacksx").is_none());
    }
}

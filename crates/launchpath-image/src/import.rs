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
    /// A file that the code opens is not there.
    MissingFile {
        /// Its path, as printed.
        path: String,
    },
}

/// What the traceback says about imports; `None` when it is about something else.
///
/// `distributions`: installed distributions and versions, empty when nobody looked.
pub fn classify(traceback: &Traceback, distributions: &BTreeMap<String, String>) -> Option<ImportFailure> {
    let message = traceback.message.as_str();
    match traceback.exception.rsplit('.').next().unwrap_or_default() {
        "ModuleNotFoundError" | "ImportError" => {
            if let Some(module) = between(message, "No module named '", "'") {
                return Some(missing_module(&module, traceback, distributions));
            }
            let name = between(message, "cannot import name '", "'")?;
            let module = between(message, " from '", "'").unwrap_or_default();
            let file = between(message, "' (", ")").unwrap_or_default();
            let owner = if in_site_packages(&file) {
                Owner::ThirdParty
            } else if file.starts_with('/') && !is_standard_library(&file) {
                Owner::Own
            } else {
                owner_of(top(&module), traceback, distributions)
            };
            Some(ImportFailure::MissingName { name, module, owner })
        }
        "FileNotFoundError" => {
            let path = between(message, "No such file or directory: '", "'")?;
            Some(ImportFailure::MissingFile { path })
        }
        _ if traceback.language == Language::Node => {
            let module = between(message, "Cannot find module '", "'")
                .or_else(|| between(message, "Cannot find package '", "'"))?;
            let owner = if module.starts_with(['.', '/']) { Owner::Own } else { Owner::ThirdParty };
            Some(ImportFailure::MissingModule { module, owner })
        }
        _ => None,
    }
}

fn missing_module(
    module: &str,
    traceback: &Traceback,
    distributions: &BTreeMap<String, String>,
) -> ImportFailure {
    let owner = owner_of(top(module), traceback, distributions);
    let module = module.to_owned();
    if module.contains('.') {
        ImportFailure::MissingSubmodule { module, owner }
    } else {
        ImportFailure::MissingModule { module, owner }
    }
}

fn owner_of(top: &str, traceback: &Traceback, distributions: &BTreeMap<String, String>) -> Owner {
    let frames = || traceback.frames.iter().map(|frame| frame.file.as_str());
    let inside =
        |file: &str| file.split('/').any(|part| part == top || part.strip_suffix(".py") == Some(top));
    if version_of(top, distributions).is_some() || frames().any(|file| in_site_packages(file) && inside(file))
    {
        return Owner::ThirdParty;
    }
    // A frame of the agent's own code that lies under a folder of that name: the name is the agent's.
    if frames().any(|file| !in_site_packages(file) && !is_standard_library(file) && inside(file)) {
        return Owner::Own;
    }
    if distribution_of(top).is_some() { Owner::ThirdParty } else { Owner::Unclear }
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

//! A code zip (direct code deployment) under rehearsal: laid into a base that brings the interpreter.
//!
//! The service runs the zip on an image of its own that nobody else can have. So the user names a base, and the record says which
//! it was and that it is not AWS's. The interpreter of this machine is never taken in its place.

use std::fs;
use std::path::{Path, PathBuf};

use launchpath_fetch::Artifact;
use launchpath_fetch::unpack::unpack;
use launchpath_image::tree::{Limits, Tree};
use launchpath_model::aws::image::ProcessConfig;
use launchpath_rehearse::record::{Base, NotChecked};

use super::image::{Ready, of_documents, ownership};
use crate::commands::image::{self, Source};
use crate::failure::Failure;

/// Where the code lies. Where the service puts it is not documented; programs find their files relative to themselves.
const CODE: &str = "code";

/// Where interpreters are, when the base names no `PATH`.
const USUAL_PATH: &str = "/usr/local/bin:/usr/bin:/bin";

/// How a code zip is started.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Code {
    /// What brings the interpreter, as given.
    pub(crate) base: Option<String>,
    /// `entryPoint` of the runtime.
    pub(crate) entry_point: Vec<String>,
    /// `runtime` of its code configuration, such as `PYTHON_3_12`.
    pub(crate) runtime: Option<String>,
}

/// Lays the code into its base in `root`, which does not exist yet.
pub(crate) fn lay(code: &Code, source: &Source, tree: &Tree, root: &Path) -> Result<Ready, Failure> {
    let Some(base) = &code.base else {
        return Err(Failure::environment(anyhow::anyhow!(
            "{} is a code zip, and the image that the service runs it on cannot be had",
            source.image
        ))
        .advise(
            "name one that brings the same interpreter with --base, such as an arm64 image of that Python; or read the zip with \
             `launchpath inspect`",
        ));
    };
    let [entry, rest @ ..] = code.entry_point.as_slice() else {
        return Err(Failure::usage(anyhow::anyhow!("what the code zip starts is not known"))
            .advise("name it as in the runtime's codeConfiguration: --entry-point main.py"));
    };
    let base_source = Source { image: base.clone(), ..source.clone() };
    let mut artifact = image::open(&base_source)?;
    let mut ready = match &artifact {
        Artifact::Container(container) => of_documents(container.documents()),
        Artifact::RootFs(_) => Ready::default(),
        Artifact::CodeZip(_) => {
            return Err(Failure::usage(anyhow::anyhow!("--base: {base} is a code zip itself"))
                .advise("name an image or a root file system (rootfs:DIR)"));
        }
    };
    let base_tree = artifact.tree(Limits::default())?;
    let interpreter = interpreter(code, &ready.process, &base_tree).map_err(|why| {
        Failure::usage(anyhow::anyhow!("--base: {base} {why}"))
            .advise("name a base with the runtime's own interpreter, or another --runtime")
    })?;
    let architecture = machine(&base_tree, &interpreter);
    let libraries = libraries(tree);
    if let Some((path, _)) =
        libraries.iter().find(|(_, machine)| *machine == "arm64" && architecture != Some("arm64"))
    {
        return Err(Failure::usage(anyhow::anyhow!(
            "/{path} is for arm64, as the service runs it, and --base {base} is for {}",
            architecture.unwrap_or("another machine")
        ))
        .advise("name a base for linux/arm64; it is emulated where this machine is another"));
    }

    fs::create_dir(root).map_err(|error| at(root, &error))?;
    unpack(&base_tree, root, ownership(root)).map_err(Failure::environment)?;
    let folder = root.join(CODE);
    make_room(&folder)?;
    unpack(tree, &folder, ownership(root)).map_err(Failure::environment)?;

    let name = interpreter.rsplit('/').next().unwrap_or_default().to_owned();
    let mut words = vec![interpreter.clone()];
    // `opentelemetry-instrument main.py`: a program of the zip whose first line names an interpreter of another machine.
    if let [program] = rest {
        let tool = format!("bin/{entry}");
        if tree.lookup(&tool).is_some_and(|found| found.is_file()) {
            words.push(format!("/{CODE}/{tool}"));
            words.push(interpreter.clone());
        } else {
            words.push(entry.clone());
        }
        words.push(program.clone());
    } else {
        words.push(entry.clone());
        words.extend(rest.iter().cloned());
    }
    let mut environment = ready.process.env.take().unwrap_or_default();
    environment.push(format!("PYTHONPATH=/{CODE}:/{CODE}/lib"));
    ready.process = ProcessConfig {
        cmd: Some(words),
        working_dir: Some(format!("/{CODE}")),
        env: Some(environment),
        ..ProcessConfig::default()
    };
    root.clone_into(&mut ready.root);
    ready.is_code = true;
    ready.not_checked = gaps(code, base, &name, architecture, &libraries);
    ready.base = Some(Base {
        image: base.clone(),
        digest: ready.digest.take(),
        config_digest: ready.config_digest.take(),
        interpreter,
        runtime: code.runtime.clone(),
    });
    Ok(ready)
}

/// What the rehearsal of a code zip does not tell.
fn gaps(
    code: &Code,
    base: &str,
    interpreter: &str,
    architecture: Option<&str>,
    libraries: &[(String, &'static str)],
) -> Vec<NotChecked> {
    let runtime = code.runtime.as_deref().unwrap_or("the service's runtime");
    let mut gaps = vec![NotChecked {
        clause: "base".to_owned(),
        why: format!(
            "{interpreter} and the system libraries come from {base}, which is not AWS's: {runtime} may differ in its patch release, its \
             libraries, its user and the folder that the code lies in"
        ),
    }];
    if code.runtime.is_none() {
        gaps.push(NotChecked {
            clause: "runtime".to_owned(),
            why: format!(
                "which runtime the code is configured for was not said; {interpreter} of the base was taken"
            ),
        });
    }
    if let Some((path, machine)) = libraries.iter().find(|(_, machine)| *machine != "arm64") {
        gaps.push(NotChecked {
            clause: "platform".to_owned(),
            why: format!(
                "/{path} is for {machine}, and the service runs arm64: it will not load there, whatever this run on {} says",
                architecture.unwrap_or("this machine")
            ),
        });
    }
    gaps
}

/// The interpreter of the base that the runtime names, by path.
fn interpreter(code: &Code, process: &ProcessConfig, base: &Tree) -> Result<String, String> {
    let names = match code.runtime.as_deref() {
        Some(runtime) => vec![interpreter_name(runtime).ok_or_else(|| {
            format!("cannot be judged: {runtime} is no runtime known here; expected PYTHON_3_12 and the like, or NODE_22")
        })?],
        None if code.entry_point.last().is_some_and(|entry| entry.ends_with("js")) => vec!["node".to_owned()],
        None => vec!["python3".to_owned()],
    };
    let path =
        process.env.iter().flatten().find_map(|entry| entry.strip_prefix("PATH=")).unwrap_or(USUAL_PATH);
    let folders: Vec<&str> = path.split(':').filter(|folder| folder.starts_with('/')).collect();
    for name in &names {
        for folder in &folders {
            let at = format!("{}/{name}", folder.trim_end_matches('/'));
            if base.resolve(&at).is_ok_and(|entry| entry.is_file()) {
                return Ok(at);
            }
        }
    }
    Err(format!("has no {} in {path}", names.join(" or ")))
}

/// `PYTHON_3_12` is `python3.12`. Which Node a file called `node` is cannot be told by its name.
fn interpreter_name(runtime: &str) -> Option<String> {
    let mut parts = runtime.split('_');
    let digits = |part: &str| !part.is_empty() && part.bytes().all(|byte| byte.is_ascii_digit());
    match (parts.next()?, parts.next()?, parts.next(), parts.next()) {
        ("PYTHON", major, Some(minor), None) if digits(major) && digits(minor) => {
            Some(format!("python{major}.{minor}"))
        }
        ("NODE", major, None, None) if digits(major) => Some("node".to_owned()),
        _ => None,
    }
}

/// The machine of a program of the base.
fn machine(tree: &Tree, path: &str) -> Option<&'static str> {
    let entry = tree.resolve(path).ok()?;
    elf_machine(&tree.read_range(&entry, 0, 20).ok()?)
}

/// Shared libraries of the code, with their machines. Most code has few.
fn libraries(tree: &Tree) -> Vec<(String, &'static str)> {
    const MOST: usize = 200;
    let is_library = |name: &str| name.split('.').skip(1).any(|part| part == "so" || part == "node");
    tree.walk("/")
        .filter(|entry| entry.is_file() && is_library(entry.name()))
        .take(MOST)
        .filter_map(|entry| {
            let machine = elf_machine(&tree.read_range(&entry, 0, 20).ok()?)?;
            Some((entry.path().trim_start_matches('/').to_owned(), machine))
        })
        .collect()
}

fn elf_machine(head: &[u8]) -> Option<&'static str> {
    match head {
        [0x7f, b'E', b'L', b'F', rest @ ..] => Some(match rest.get(14..16)? {
            [0x3e, 0] => "amd64",
            [0xb7, 0] => "arm64",
            _ => "another machine",
        }),
        _ => None,
    }
}

/// An empty folder at `folder`. What the base has there is in the way: nothing of it is followed or replaced.
fn make_room(folder: &Path) -> Result<(), Failure> {
    match fs::create_dir(folder) {
        Err(error) if error.kind() == std::io::ErrorKind::AlreadyExists => {
            let empty = fs::symlink_metadata(folder).is_ok_and(|metadata| metadata.is_dir())
                && fs::read_dir(folder).is_ok_and(|mut entries| entries.next().is_none());
            if empty {
                return Ok(());
            }
            Err(Failure::usage(anyhow::anyhow!(
                "--base: it has something at /{CODE}, where the code is to lie"
            ))
            .advise("name a base that has nothing there: a plain image of the interpreter"))
        }
        made => made.map_err(|error| at(folder, &error)),
    }
}

fn at(path: &Path, error: &std::io::Error) -> Failure {
    Failure::environment(anyhow::anyhow!("{}: {error}", PathBuf::from(path).display()))
}

#[cfg(test)]
mod tests {
    use launchpath_image::tree::TreeBuilder;
    use launchpath_model::aws::image::ProcessConfig;

    use super::{Code, elf_machine, interpreter, interpreter_name};

    #[test]
    fn runtimes_name_their_interpreters() {
        assert_eq!(interpreter_name("PYTHON_3_12").as_deref(), Some("python3.12"));
        assert_eq!(interpreter_name("NODE_22").as_deref(), Some("node"));
        for other in ["PYTHON_3", "PYTHON_3_x", "RUBY_3_4", "PYTHON_3_12_1", ""] {
            assert_eq!(interpreter_name(other), None, "{other}");
        }
    }

    #[test]
    fn a_base_with_another_interpreter_is_no_base() {
        let base = TreeBuilder::in_memory()
            .executable("usr/bin/python3.11", "")
            .symlink("usr/bin/python3", "python3.11")
            .finish()
            .unwrap();
        let find = |runtime: Option<&str>| {
            let code = Code { runtime: runtime.map(str::to_owned), ..Code::default() };
            interpreter(&code, &ProcessConfig::default(), &base)
        };
        assert_eq!(find(Some("PYTHON_3_11")).unwrap(), "/usr/bin/python3.11");
        assert!(find(Some("PYTHON_3_12")).unwrap_err().contains("no python3.12"));
        assert_eq!(find(None).unwrap(), "/usr/bin/python3");
    }

    #[test]
    fn machines_are_read_from_the_header() {
        let mut head = vec![0x7f, b'E', b'L', b'F'];
        head.resize(18, 0);
        head.extend([0xb7, 0]);
        assert_eq!(elf_machine(&head), Some("arm64"));
        assert_eq!(elf_machine(b"\x7fELF"), None);
        assert_eq!(elf_machine(b"#!/bin/sh\n0123456789"), None);
    }
}

//! `launchpath reach`: one reachability question, or a file of them.
//!
//! What is decided is decided in `launchpath-net`. Here: what the words of the command line mean (`question`), and how the
//! answers look (`answer`). Start with [`run`].

mod answer;
mod question;

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use launchpath_model::World;
use launchpath_net::Engine;
use launchpath_net::batch::answer_line;

use self::answer::Answered;
use self::question::Question;
use super::batch::Lines;
use crate::cli::{AnswerFormat, Global, HowMuch, ReachArguments};
use crate::failure::Failure;
use crate::{disk, output, query};

/// Evidence, and how far it is trusted to be complete.
pub(crate) struct Evidence {
    world: World,
    /// Loose answers of describe calls: what they do not hold does not exist.
    snapshot: bool,
}

impl Evidence {
    fn open(path: &Path) -> Result<Self, Failure> {
        let world = disk::open(path)?;
        let snapshot = is_loose(&world);
        Ok(Self { world, snapshot })
    }

    fn engine<'a>(&self, world: &'a World) -> Engine<'a> {
        if self.snapshot { Engine::of_snapshot(&world.network) } else { Engine::new(&world.network) }
    }
}

/// Whether the world was read from loose answers and not from a bundle: those are numbered by their files.
fn is_loose(world: &World) -> bool {
    let numbered = |id: &str| id.strip_prefix('f').is_some_and(|number| number.parse::<usize>().is_ok());
    world.collected_at.is_none()
        && !world.evidence.is_empty()
        && world.evidence.values().all(|call| call.file.is_some() && numbered(call.id.as_str()))
}

/// Runs the command and returns the exit code of the answer.
pub(crate) fn run(global: &Global, arguments: &ReachArguments) -> Result<u8, Failure> {
    if let Some(path) = &arguments.flows {
        query::refuse(global.query.as_ref(), "a file of answers")?;
        return many(path, arguments);
    }
    let bundle = arguments.bundle.as_deref().unwrap_or(Path::new("."));
    let evidence = Evidence::open(bundle)?;
    let question = Question::read(&evidence.world, arguments)?;
    let answered = Answered::to(&question, &evidence);
    let options = output::options(global, arguments.output.is_some(), HowMuch::Normal);
    let text = query::shown(
        global.query.as_ref(),
        || answered.json(),
        || match arguments.format {
            AnswerFormat::Text => answered.text(&options),
            AnswerFormat::Json => answered.json(),
        },
    )?;
    output::deliver(&text, arguments.output.as_deref())?;
    Ok(answered.exit_code())
}

/// Answers a file of records, each on the evidence of `--bundle` or on its own.
fn many(path: &Path, arguments: &ReachArguments) -> Result<u8, Failure> {
    let lines = Lines::read(path)?;
    if let Some(bundle) = &arguments.bundle {
        let evidence = Evidence::open(bundle)?;
        let engine = evidence.engine(&evidence.world);
        return lines.answer(arguments.output.as_deref(), |record| Ok(answer_line(&engine, record.text)));
    }
    let folder = match path.parent() {
        Some(folder) if path != Path::new("-") => folder.to_owned(),
        _ => PathBuf::new(),
    };
    let mut all: BTreeMap<String, Result<Evidence, String>> = BTreeMap::new();
    for data in lines.data() {
        all.entry(data).or_insert_with_key(|data| {
            Evidence::open(&folder.join(data)).map_err(|failure| format!("data: {failure}"))
        });
    }
    let engines: BTreeMap<&str, Result<Engine<'_>, &str>> = all
        .iter()
        .map(|(data, evidence)| {
            let engine =
                evidence.as_ref().map(|evidence| evidence.engine(&evidence.world)).map_err(String::as_str);
            (data.as_str(), engine)
        })
        .collect();
    lines.answer(arguments.output.as_deref(), |record| {
        let data = record.data.as_deref();
        match data.and_then(|data| engines.get(data)) {
            Some(Ok(engine)) => Ok(answer_line(engine, record.text)),
            Some(Err(error)) => Err((*error).to_owned()),
            None => Err("data: missing, and no --bundle says where the evidence is".to_owned()),
        }
    })
}

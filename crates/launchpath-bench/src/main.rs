//! How often the diagnosis is right: `cargo run --release -p launchpath-bench`.
//!
//! The suite builds labelled worlds with a simulator of the service that shares no code with the diagnosis ([`service`]),
//! writes their evidence as bundles ([`documents`]) and holds the diagnosis against the labels ([`score`]). What it cannot
//! show: that the simulator is right about AWS. It is written from what is documented and observed, like the diagnosis, and
//! was run against no account.
//!
//! Start with [`suite`].

mod baseline;
mod deployment;
mod documents;
mod fleet;
mod injection;
mod process;
mod random;
mod score;
mod service;
mod suite;
mod table;
mod template;

use std::io::Write as _;

use anyhow::Context as _;
use clap::Parser;

/// As in the binary `launchpath`.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

/// Scores the diagnosis over labelled worlds.
#[derive(Debug, Parser)]
struct Arguments {
    /// How often the random parts of the worlds are drawn anew
    #[arg(long, default_value_t = 1)]
    rounds: usize,
    /// Seed of the random parts
    #[arg(long, default_value_t = 20_251_018)]
    seed: u64,
    /// Print every world that was not judged as it should be
    #[arg(long)]
    misses: bool,
    /// Write each missed world's bundle into this folder, to diagnose it by hand
    #[arg(long, value_name = "FOLDER")]
    keep: Option<std::path::PathBuf>,
    /// Instead: write the faults that a CloudFormation template shows, each beside its sound twin, into this folder
    #[arg(long, value_name = "FOLDER")]
    templates: Option<std::path::PathBuf>,
    /// Instead: how fast the runtimes of many VPCs are diagnosed, from the bytes of one bundle per VPC
    #[arg(long)]
    fleet: bool,
    /// VPCs of the fleet
    #[arg(long, default_value_t = 100)]
    vpcs: usize,
    /// Runtimes in each VPC of the fleet
    #[arg(long, default_value_t = 100)]
    runtimes: usize,
}

fn main() -> anyhow::Result<()> {
    let arguments = Arguments::parse();
    if let Some(folder) = &arguments.templates {
        for (fault, sound, broken) in suite::templates(arguments.seed) {
            let folder = folder.join(fault);
            std::fs::create_dir_all(&folder).context("the folder for templates")?;
            std::fs::write(folder.join("sound.json"), format!("{sound:#}\n")).context("a template")?;
            std::fs::write(folder.join("broken.json"), format!("{broken:#}\n")).context("a template")?;
        }
        return Ok(());
    }
    if arguments.fleet {
        let fleet = fleet::Fleet::of(arguments.seed, arguments.vpcs, arguments.runtimes);
        write!(std::io::stdout().lock(), "{}", fleet.timed().map_err(anyhow::Error::msg)?)?;
        return Ok(());
    }
    let worlds = suite::worlds(arguments.seed, arguments.rounds);
    let outcomes = score::all(&worlds).map_err(anyhow::Error::msg)?;
    if let Some(folder) = &arguments.keep {
        std::fs::create_dir_all(folder).context("the folder for missed worlds")?;
        let missed =
            outcomes.iter().zip(&worlds).enumerate().filter(|(_, (outcome, _))| table::is_miss(outcome));
        for (number, (_, world)) in missed {
            let name = format!("{number}-{}.json", world.faults.join("+"));
            std::fs::write(folder.join(name), format!("{:#}\n", world.bundle)).context("a missed world")?;
        }
    }
    let mut out = std::io::stdout().lock();
    if arguments.misses {
        write!(out, "{}", table::misses(&outcomes))?;
    }
    write!(out, "{}", table::render(&outcomes))?;
    anyhow::ensure!(
        outcomes.iter().all(|outcome| outcome.wrong_confirmed.is_empty()),
        "a cause that is not there was confirmed"
    );
    Ok(())
}

#[cfg(test)]
#[path = "../../launchpath-diagnose/tests/scenario/property.rs"]
mod property;

#[cfg(test)]
mod tests {
    use super::{property, score, suite, table};
    use crate::deployment::Shape;

    #[test]
    fn no_wrong_cause_is_confirmed_and_no_healthy_world_alarms() {
        // Every seventh shape: of every topology, platform and protocol some.
        let shapes: Vec<_> = Shape::all().into_iter().step_by(7).collect();
        let worlds = suite::worlds_in(&shapes, 7, 1);
        assert!(worlds.len() >= 1000, "{} worlds", worlds.len());
        let worlds = suite::sample(worlds, 4);
        let outcomes = score::all(&worlds).expect("readable worlds");
        let wrong: Vec<_> = outcomes
            .iter()
            .filter(|outcome| !outcome.wrong_confirmed.is_empty())
            .map(|outcome| format!("{}: {:?}", outcome.name, outcome.wrong_confirmed))
            .collect();
        assert!(wrong.is_empty(), "{}", wrong.join("\n"));
        let alarms =
            outcomes.iter().filter(|outcome| outcome.faults.is_empty() && !outcome.is_honest()).count();
        assert_eq!(alarms, 0, "{}", table::misses(&outcomes));
    }

    /// The properties of every scenario, over worlds of the simulator.
    #[test]
    fn what_holds_for_every_bundle_holds_for_simulated_ones() {
        let shapes: Vec<_> = Shape::all().into_iter().skip(3).step_by(7).collect();
        for world in suite::sample(suite::worlds_in(&shapes, 11, 1), 61) {
            let held = property::withholding_creates_nothing(&world.bundle)
                .and_then(|()| property::order_means_nothing(&world.bundle))
                .and_then(|()| score::diagnosis_of(&world))
                .and_then(|diagnosis| {
                    property::undecided_says_what_next(&diagnosis)?;
                    property::likely_weighs_no_less(&diagnosis)
                });
            assert_eq!(held, Ok(()), "{}", world.name);
        }
    }
}

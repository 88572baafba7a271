//! How fast the runtimes of many VPCs are diagnosed.
//!
//! One bundle per VPC, as somebody would collect it who looks after an account: the network once, and every runtime in it with its
//! role, image, log and trail. Most work; in every tenth VPC something of the network is broken for all of them, and every twentieth
//! runtime is broken by itself. Reading the bytes counts.

use std::fmt::Write as _;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Instant;

use launchpath_diagnose::diagnosis::Verdict;
use launchpath_intake::open_bytes;

use crate::deployment::{Artifact, Deployment, Shape, Topology};
use crate::documents;
use crate::injection::{self, Injection, Shows};
use crate::random::Random;
use crate::service::{Launch, When, launch};

/// Bundles of one VPC each.
pub(crate) struct Fleet {
    bundles: Vec<Vec<u8>>,
    runtimes: usize,
}

impl Fleet {
    pub(crate) fn of(seed: u64, vpcs: usize, runtimes: usize) -> Self {
        let mut random = Random::new(seed);
        let bundles = (0..vpcs).map(|number| bundle(&mut random, number, runtimes)).collect();
        Self { bundles, runtimes }
    }

    /// Diagnoses everything on all processors and says how long it took.
    ///
    /// # Errors
    /// A bundle cannot be read: a defect of the suite.
    pub(crate) fn timed(&self) -> Result<String, String> {
        let threads = std::thread::available_parallelism().map_or(1, usize::from);
        let next = AtomicUsize::new(0);
        let begun = Instant::now();
        let work = || {
            let mut verdicts = Vec::new();
            while let Some(bytes) = self.bundles.get(next.fetch_add(1, Ordering::Relaxed)) {
                let world = open_bytes("bundle.json", bytes).map_err(|error| error.to_string())?;
                let all = launchpath_diagnose::diagnose_all(&world);
                verdicts.extend(all.iter().map(|diagnosis| diagnosis.verdict));
            }
            Ok::<_, String>(verdicts)
        };
        let verdicts = std::thread::scope(|scope| {
            let parts: Vec<_> = (0..threads).map(|_| scope.spawn(work)).collect();
            let mut verdicts = Vec::new();
            for part in parts {
                verdicts.extend(part.join().map_err(|_| "a diagnosing thread panicked".to_owned())??);
            }
            Ok::<_, String>(verdicts)
        })?;
        let seconds = begun.elapsed().as_secs_f64();
        let megabytes = self.bundles.iter().map(Vec::len).sum::<usize>() / 1_000_000;
        let of = |verdict: Verdict| verdicts.iter().filter(|other| **other == verdict).count();
        let mut out = String::new();
        let _ = writeln!(
            out,
            "{} runtimes of {} VPCs ({} each), {megabytes} MB of bundles, {threads} threads\n{seconds:.2} s, {:.0} diagnoses per second\n{} launch, {} are blocked, {} undecided",
            verdicts.len(),
            self.bundles.len(),
            self.runtimes,
            f64::from(u32::try_from(verdicts.len()).unwrap_or(u32::MAX)) / seconds,
            of(Verdict::Launches),
            of(Verdict::Blocked),
            of(Verdict::Undecided) + of(Verdict::NoFaultFound),
        );
        Ok(out)
    }
}

fn bundle(random: &mut Random, number: usize, runtimes: usize) -> Vec<u8> {
    documents::fleet(&launches(random, number, runtimes)).to_string().into_bytes()
}

/// The runtimes of one VPC.
fn launches(random: &mut Random, number: usize, runtimes: usize) -> Vec<(Deployment, Launch)> {
    let topology = [Topology::Nat, Topology::Endpoints, Topology::Both, Topology::TransitGateway][number % 4];
    let shape = |v2| Shape { topology, v2, old: false, protocol: "HTTP", artifact: Artifact::Container };
    let mut network = Deployment::sound(random, shape(false));
    if number.is_multiple_of(10) {
        // Where no interface can be made, no runtime of the VPC starts, and those that do would say otherwise.
        let of_interfaces = ["net.unsupported_az", "net.eni_create_failed", "net.eni_lingering"];
        break_one(&mut network, random, |fault| fault.starts_with("net.") && !of_interfaces.contains(&fault));
    }
    (0..runtimes.max(1))
        .map(|at| {
            let own = Deployment::sound(random, shape(at % 3 == 0));
            let mut d = Deployment {
                name: own.name,
                suffix: own.suffix,
                v2: own.v2,
                trust: own.trust,
                policy: own.policy,
                ..network.clone()
            };
            if at % 20 == 3 {
                break_one(&mut d, random, |fault| !fault.starts_with("net.") && !fault.starts_with("tool."));
            }
            let when = if d.v2 { When::AtCreation } else { When::Later };
            let ended = launch(&d, when, random);
            (d, ended)
        })
        .collect()
}

fn break_one(d: &mut Deployment, random: &mut Random, wanted: impl Fn(&str) -> bool) {
    let fits: Vec<&Injection> = injection::all()
        .filter(|injection| {
            wanted(injection.fault) && injection.shows != Shows::Beside && (injection.fits)(d)
        })
        .collect();
    if !fits.is_empty() {
        (random.one_of(&fits).make)(d, random);
    }
}

#[cfg(test)]
mod tests {
    use launchpath_diagnose::diagnosis::Diagnosis;
    use launchpath_diagnose::{diagnose, diagnose_all};
    use launchpath_intake::open_bytes;

    use super::{documents, launches};
    use crate::random::Random;

    fn gist(diagnosis: &Diagnosis) -> String {
        let causes = diagnosis.causes.iter().chain(&diagnosis.also_blocking);
        let causes: Vec<String> =
            causes.map(|cause| format!("{} {:?} {:?}", cause.fault, cause.status, cause.subjects)).collect();
        format!("{:?} {:?} {causes:#?}", diagnosis.runtime.id, diagnosis.verdict)
    }

    /// Each is judged by what is about it: as if it had been collected alone.
    #[test]
    fn a_runtime_of_a_fleet_is_diagnosed_as_alone() {
        let mut random = Random::new(3);
        for number in [10, 1, 2] {
            let mut fleet = launches(&mut random, number, 24);
            fleet.retain(|(_, launch)| !matches!(launch.ending, crate::service::Ending::Refused { .. }));
            let bytes = documents::fleet(&fleet).to_string();
            let mut together: Vec<String> =
                diagnose_all(&open_bytes("fleet.json", bytes.as_bytes()).expect("a world"))
                    .iter()
                    .map(gist)
                    .collect();
            let mut alone: Vec<String> = fleet
                .iter()
                .map(|one| {
                    let bytes = documents::fleet(std::slice::from_ref(one)).to_string();
                    gist(&diagnose(&open_bytes("one.json", bytes.as_bytes()).expect("a world")))
                })
                .collect();
            together.sort();
            alone.sort();
            assert_eq!(together, alone);
        }
    }
}

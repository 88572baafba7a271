//! How fast the engine answers, and against what: a naive evaluator and z3 on the same questions.
//!
//! Run with `cargo bench -p launchpath-net`. The comparison with z3 is `benches/z3/compare.sh`, which installs z3 for
//! itself and reads the questions this program writes when it is given a file name.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::print_stdout,
    clippy::disallowed_methods,
    clippy::cast_precision_loss,
    unreachable_pub,
    dead_code,
    missing_docs,
    reason = "a benchmark prints, measures time and reads files"
)]

mod estate;
#[path = "../../tests/it/simulator.rs"]
mod simulator;
#[path = "../../tests/it/snapshot.rs"]
mod snapshot;

use std::cell::Cell;
use std::hint::black_box;
use std::time::{Duration, Instant};

use launchpath_model::world::Network;
use launchpath_net::{Destination, Engine, Flow, Source, Verdict};
use simulator::{Datagram, Simulator};

const ENOUGH: Duration = Duration::from_millis(700);

/// How long this thread has run on a processor: what other programs do at the same time does not count.
fn clock() -> Duration {
    static START: std::sync::LazyLock<Instant> = std::sync::LazyLock::new(Instant::now);
    let stat = std::fs::read_to_string("/proc/thread-self/schedstat").unwrap_or_default();
    match stat.split(' ').next().and_then(|nanoseconds| nanoseconds.parse().ok()) {
        Some(nanoseconds) => Duration::from_nanos(nanoseconds),
        None => START.elapsed(),
    }
}

/// Runs `work` for a while; the processor time of one run.
fn time_of(mut work: impl FnMut()) -> Duration {
    work();
    let mut runs = 1u32;
    loop {
        let start = clock();
        for _ in 0..runs {
            work();
        }
        let spent = clock().saturating_sub(start);
        if spent > ENOUGH {
            return spent / runs;
        }
        runs = runs.saturating_mul(2);
    }
}

fn source(number: usize, subnet: usize) -> Source {
    let subnet = format!("subnet-{number}-{subnet}");
    Source::runtime(subnet.as_str().into(), vec![format!("sg-{number}-runtime").as_str().into()])
}

fn main() {
    let arguments: Vec<String> = std::env::args().collect();
    if let Some(at) = arguments.iter().position(|argument| argument == "--questions-for-z3") {
        questions_for_z3(&arguments[at + 1]);
        return;
    }
    let ordinary = ordinary_vpc("ordinary VPC", estate::Acls::Default);
    ordinary_vpc("the same with ACLs that deny a port (answers in parts)", estate::Acls::DenyOnePort);
    against_naive(ordinary);
    many_rules();
    many_endpoints();
    large_account();
}

fn ordinary_vpc(what: &str, acls: estate::Acls) -> Duration {
    let mut network = estate::empty();
    estate::add_vpc(&mut network, 1, 6, 5, acls);
    let engine = Engine::of_snapshot(&network);
    let questions: Vec<(Source, Destination)> = (0..5)
        .flat_map(|n| {
            let places = [
                Destination::Address("10.1.0.30".parse().unwrap()),
                Destination::Address("52.216.0.5".parse().unwrap()),
                Destination::Address("10.1.4.200".parse().unwrap()),
                Destination::Address("8.8.8.8".parse().unwrap()),
            ];
            places.map(|place| (source(1, n), place))
        })
        .collect();
    let mut counts = [0usize; 4];
    for (source, destination) in &questions {
        let verdict = engine.reach(source, destination, &Flow::tcp(443)).verdict;
        counts[match verdict {
            Verdict::All => 0,
            Verdict::None => 1,
            Verdict::Part => 2,
            Verdict::Unknown => 3,
        }] += 1;
    }
    let one = time_of(|| {
        for (source, destination) in &questions {
            black_box(engine.reach(source, destination, &Flow::tcp(443)));
        }
    }) / u32::try_from(questions.len()).unwrap();
    println!(
        "{what}: {one:?} per verdict with trace, {:.0} verdicts/s (of {}: all {}, none {}, part {}, unknown {})",
        1.0 / one.as_secs_f64(),
        questions.len(),
        counts[0],
        counts[1],
        counts[2],
        counts[3]
    );
    let named = time_of(|| {
        black_box(engine.reach(&source(1, 0), &Destination::service("ecr.api"), &Flow::tcp(443)));
    });
    println!("a service by name (DNS, two endpoint interfaces): {named:?}");
    let layers = time_of(|| {
        black_box(engine.reach(&source(1, 0), &Destination::service("s3"), &Flow::tcp(443)));
    });
    println!("S3 by name (four blocks of its list): {layers:?}");
    one
}

/// Writes worlds, questions, and the engine's own verdicts and times: z3 answers the same afterwards.
fn questions_for_z3(file: &str) {
    let mut worlds = Vec::new();
    for (rules, acls) in [
        (5, estate::Acls::Default),
        (5, estate::Acls::DenyOnePort),
        (100, estate::Acls::Default),
        (1_000, estate::Acls::Default),
    ] {
        estate::DOCUMENTS.take();
        let mut network = estate::empty();
        estate::add_vpc(&mut network, 1, 6, rules, acls);
        let documents = estate::DOCUMENTS.take();
        let engine = Engine::of_snapshot(&network);
        let mut questions = Vec::new();
        for (interface, address, port) in [
            ("eni-vpce-1-ecr.api-1", "10.1.1.30", 443),
            ("eni-vpce-1-ecr.api-1", "10.1.1.30", 80),
            ("", "52.216.0.5", 443),
        ] {
            let destination = Destination::Address(address.parse().unwrap());
            let verdict = engine.reach(&source(1, 0), &destination, &Flow::tcp(port)).verdict;
            let one = time_of(|| {
                black_box(engine.reach(&source(1, 0), &destination, &Flow::tcp(port)));
            });
            questions.push(serde_json::json!({
                "subnet": "subnet-1-0", "groups": ["sg-1-runtime"], "interface": interface, "address": address, "port": port,
                "verdict": format!("{verdict:?}"), "microseconds": one.as_secs_f64() * 1e6
            }));
        }
        worlds.push(serde_json::json!({ "rules": rules, "documents": documents, "questions": questions }));
    }
    std::fs::write(file, serde_json::to_string(&worlds).unwrap()).unwrap();
}

/// The naive evaluator decides one packet; the symbolic answer covers all of a question's packets.
fn against_naive(symbolic: Duration) {
    let mut network = estate::empty();
    estate::add_vpc(&mut network, 1, 6, 5, estate::Acls::Default);
    estate::put(
        &mut network,
        "NetworkInterfaces",
        &serde_json::json!({
            "NetworkInterfaceId": "eni-source", "VpcId": "vpc-1", "SubnetId": "subnet-1-0", "PrivateIpAddress": "10.1.0.9",
            "Groups": [{ "GroupId": "sg-1-runtime" }], "Status": "in-use"
        }),
    );
    let packet = |from: u16| Datagram {
        protocol: 6,
        source: "10.1.0.9".parse().unwrap(),
        destination: "52.216.0.5".parse().unwrap(),
        from,
        to: 443,
    };
    let simulator = Simulator {
        network: &network,
        nat_port: 1024,
        port_used: Cell::new(false),
        out_of_sight: Cell::new(false),
    };
    assert!(simulator.works("eni-source", packet(5000)));
    let one = time_of(|| {
        black_box(simulator.works("eni-source", black_box(packet(5000))));
    });
    // One source address, ports 1024-65535: what an exact answer without sets has to try.
    let packets = 64512.0;
    let naive = one.as_secs_f64() * packets;
    println!(
        "naive evaluator: {one:?} per packet without trace, {:.1} ms for the {packets} packets of one question: {:.0} times the symbolic answer",
        naive * 1e3,
        naive / symbolic.as_secs_f64()
    );
}

fn many_rules() {
    println!(
        "rules per group: time per verdict (endpoint, the deciding rule last; refused; any public address)"
    );
    let mut first: Option<f64> = None;
    for rules in [10usize, 100, 1_000, 10_000] {
        let mut network = estate::empty();
        estate::add_vpc(&mut network, 1, 4, rules, estate::Acls::Default);
        let engine = Engine::of_snapshot(&network);
        let timed = |destination: &Destination, port| {
            time_of(|| {
                black_box(engine.reach(&source(1, 0), destination, &Flow::tcp(port)));
            })
        };
        let endpoint = timed(&Destination::Address("10.1.0.30".parse().unwrap()), 443);
        let refused = timed(&Destination::Address("10.1.0.30".parse().unwrap()), 80);
        let public = timed(&Destination::Internet, 443);
        let growth = endpoint.as_secs_f64() / *first.get_or_insert(endpoint.as_secs_f64());
        println!("  {rules:>6}: {endpoint:?} (x{growth:.1}); {refused:?}; {public:?}");
    }
}

fn many_endpoints() {
    for endpoints in [10usize, 100, 1_000] {
        let mut network = estate::empty();
        estate::add_vpc(&mut network, 1, 20, 5, estate::Acls::Default);
        for n in 0..endpoints {
            estate::add_endpoint(&mut network, 1, &format!("service{n}"), 30 + n);
        }
        let build = time_of(|| {
            black_box(Engine::of_snapshot(&network));
        });
        let engine = Engine::of_snapshot(&network);
        let one = time_of(|| {
            black_box(engine.reach(&source(1, 0), &Destination::service("ecr.api"), &Flow::tcp(443)));
        });
        println!("{endpoints:>6} endpoints: preparing {build:?}, {one:?} per service");
    }
}

/// 1,000 subnets, 5,000 groups, 500 runtimes in three subnets each, four needs each.
fn large_account() {
    let mut network = estate::empty();
    for number in 0..50 {
        estate::add_vpc(&mut network, number, 20, 5, estate::Acls::Default);
    }
    for n in 0..4_900 {
        estate::put(
            &mut network,
            "SecurityGroups",
            &serde_json::json!({
                "GroupId": format!("sg-other-{n}"), "VpcId": format!("vpc-{}", n % 50), "IpPermissions": [
                    { "IpProtocol": "tcp", "FromPort": 443, "ToPort": 443, "IpRanges": [{ "CidrIp": "10.0.0.0/8" }] },
                    { "IpProtocol": "tcp", "FromPort": 22, "ToPort": 22, "IpRanges": [{ "CidrIp": "10.0.0.0/8" }] }
                ], "IpPermissionsEgress": [{ "IpProtocol": "-1", "IpRanges": [{ "CidrIp": "0.0.0.0/0" }] }]
            }),
        );
    }
    let subnets = network.subnets.len();
    let groups = network.security_groups.len();
    let (build, ask, answers, open) = run_account(&network);
    println!(
        "account of {subnets} subnets, {groups} groups, 500 runtimes: {:?} ({build:?} to prepare, {ask:?} for {answers} answers, {open} open)",
        build + ask
    );
}

fn run_account(network: &Network) -> (Duration, Duration, usize, usize) {
    let start = clock();
    let engine = Engine::of_snapshot(network);
    let build = clock().saturating_sub(start);
    let start = clock();
    let (mut answers, mut open) = (0, 0);
    for runtime in 0..500 {
        let number = runtime % 50;
        let groups = vec![
            format!("sg-{number}-runtime").as_str().into(),
            format!("sg-other-{}", runtime * 9).as_str().into(),
        ];
        for subnet in 0..3 {
            let id = format!("subnet-{number}-{}", (runtime / 50 + subnet) % 19);
            let source = Source::runtime(id.as_str().into(), groups.clone());
            for service in ["ecr.api", "ecr.dkr", "s3", "logs"] {
                let answer = engine.reach(&source, &Destination::service(service), &Flow::tcp(443));
                answers += 1;
                open += usize::from(answer.verdict == Verdict::All);
            }
        }
    }
    (build, clock().saturating_sub(start), answers, open)
}

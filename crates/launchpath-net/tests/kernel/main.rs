//! The Linux kernel as oracle: a small VPC of network namespaces, real TCP connections, and the engine's answers.
//!
//! Bridges are subnets, a router namespace holds route tables (policy routing) and ACLs (nftables without connection
//! tracking), every host's nftables with connection tracking is its security groups, a namespace that masquerades is the NAT
//! gateway. Needs root, `ip` (iproute2) and `nft` (nftables); says why when it is skipped. Start with [`world`].
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::print_stdout,
    clippy::print_stderr,
    clippy::disallowed_methods,
    unreachable_pub,
    dead_code,
    missing_docs,
    reason = "a test that drives ip, nft and itself"
)]

#[path = "../it/random_vpc.rs"]
mod random_vpc;
#[path = "../it/snapshot.rs"]
mod snapshot;

mod lab;
mod traffic;
mod world;

use std::process::{Command, Stdio};

use launchpath_net::{Destination, Engine, Flow, Start, Verdict};
use random_vpc::Dice;

/// Worlds and connections in each: at least 200 cases in all.
const WORLDS: u64 = 16;
const CASES: usize = 20;

fn main() {
    let arguments: Vec<String> = std::env::args().collect();
    match arguments.get(1).map(String::as_str) {
        Some("serve") => return traffic::serve(),
        Some("connect") => return traffic::connect(&arguments[2..]),
        // What test runners ask a test program; they ask a second time for ignored tests, and there are none.
        Some("--list") => {
            if !arguments.iter().any(|argument| argument == "--ignored") {
                println!("kernel: test");
            }
            return;
        }
        _ => {}
    }
    if let Some(reason) = missing() {
        // `.ci/setup` installs the programs; privileges it cannot give.
        assert!(std::env::var_os("CI").is_none() || !reason.ends_with("installed"), "{reason}");
        println!("skipped: {reason}");
        return;
    }
    let (mut agreed, mut open, mut either_way, mut wrong) = (0, 0, 0, Vec::new());
    for seed in 0..WORLDS {
        let mut dice = Dice::new(7_000 + seed);
        let plan = world::plan(&mut dice);
        let jobs: Vec<traffic::Job> = (0..CASES).map(|_| world::job(&mut dice)).collect();
        let engine = Engine::of_snapshot(&plan.network);
        let lab = lab::Lab::build(&plan);
        let results = lab.run(&jobs);
        for (job, got_through) in jobs.iter().zip(results) {
            let start = Start::Known(format!("eni-{}", job.host).as_str().into());
            let flow = Flow::tcp(job.port).from_ports(launchpath_net::span::Span::one(job.source_port));
            let answer = engine.reach_from(&start, &Destination::Address(job.address.into()), &flow);
            match (answer.verdict, got_through) {
                (Verdict::All, true) => {
                    agreed += 1;
                    open += 1;
                }
                (Verdict::None, false) => agreed += 1,
                // The NAT gateway picks a port, and ACLs treat its ports differently.
                (Verdict::Part, _) => either_way += 1,
                (verdict, _) => {
                    let blockers: Vec<_> = answer.blocked_by.iter().map(|b| b.text.clone()).collect();
                    wrong.push(format!(
                        "seed {seed} {job:?}: engine {verdict:?}, kernel {got_through}: {blockers:?}"
                    ));
                }
            }
        }
    }
    println!("{agreed} connections agree ({open} open), {either_way} depend on the port a NAT gateway picks");
    assert!(wrong.is_empty(), "{} differ:\n{}", wrong.len(), wrong.join("\n"));
    assert!(agreed >= 200 && open >= 30, "too few cases: {agreed}, {open} open");
}

fn missing() -> Option<String> {
    let runs = |program: &str, arguments: &[&str]| {
        Command::new(program)
            .args(arguments)
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .status()
            .is_ok_and(|status| status.success())
    };
    if !runs("ip", &["-V"]) {
        return Some("ip (package iproute2) is not installed".to_owned());
    }
    if !runs("nft", &["-v"]) {
        return Some("nft (package nftables) is not installed".to_owned());
    }
    let probe = format!("lp{}probe", std::process::id());
    if !runs("ip", &["netns", "add", &probe]) {
        return Some("no permission to make network namespaces (run as root)".to_owned());
    }
    let works = runs("ip", &["netns", "exec", &probe, "nft", "add table inet probe"]);
    runs("ip", &["netns", "delete", &probe]);
    (!works).then(|| "nft does not work in a network namespace here".to_owned())
}

//! How long a process takes from nothing to its first healthy answer: this sandbox, crun and runc, with the same root file
//! system, in turns, in one run.
//!
//! `cargo bench -p launchpath-rehearse --bench start`, as root on Linux, with a C compiler and iproute2. The peers are looked for
//! and left out with a word when they are missing (`benches/start/peers.sh` installs Debian's). Figures for the reader, not a test.
//!
//! What is counted: for the sandbox everything, its network and metadata service included; for the peers one `run`, in a
//! network namespace that was made before and is used again, without seccomp filter and without a copy-on-write root.

#![cfg_attr(target_os = "linux", expect(clippy::print_stdout, reason = "a benchmark prints its figures"))]

#[cfg(target_os = "linux")]
mod peer;

#[cfg(target_os = "linux")]
fn main() {
    linux::main();
}

#[cfg(not(target_os = "linux"))]
fn main() {}

#[cfg(target_os = "linux")]
mod linux {
    use std::io::{Read, Write};
    use std::net::TcpStream;
    use std::os::unix::fs::PermissionsExt;
    use std::path::Path;
    use std::process::Command;
    use std::time::{Duration, Instant};

    use launchpath_rehearse::sandbox::{Plan, start};
    use launchpath_rehearse::subject::Subject;

    use crate::peer::{Peer, Runtime};

    const ROUNDS: usize = 25;
    /// Before these nothing is counted: files come into memory.
    const WARM_UP: usize = 3;
    const PORT: u16 = 8080;
    /// Set in the copy of this program that runs in namespaces of its own.
    const INSIDE: &str = "LAUNCHPATH_BENCH_INSIDE";

    pub(crate) fn main() {
        // Interfaces and mounts of the peers go away with the namespaces, whatever happens.
        if std::env::var_os(INSIDE).is_none() {
            let me = std::env::current_exe().expect("this program");
            let status = Command::new("unshare")
                .args(["--net", "--mount", "--propagation", "private"])
                .arg(me)
                .args(std::env::args_os().skip(1))
                .env(INSIDE, "1")
                .status()
                .expect("unshare (util-linux) runs");
            assert!(status.success(), "{status}");
            return;
        }
        let folder = tempfile::tempdir().expect("a folder");
        let root = folder.path().join("root");
        image(&root);
        let mut peers: Vec<Peer> = [Runtime::Crun, Runtime::Runc]
            .into_iter()
            .enumerate()
            .filter_map(|(number, runtime)| match Peer::new(runtime, number, folder.path(), &root) {
                Ok(peer) => Some(peer),
                Err(why) => {
                    println!("{} is left out: {why}", runtime.name());
                    None
                }
            })
            .collect();
        let mut own = Vec::new();
        for round in 0..WARM_UP + ROUNDS {
            let time = sandbox(&root);
            if round >= WARM_UP {
                own.push(time);
            }
            for peer in &mut peers {
                let time = peer.time(|address| healthy(TcpStream::connect((address, PORT))));
                if round >= WARM_UP {
                    peer.times.push(time);
                }
            }
        }
        println!("first healthy /ping of a static server, {ROUNDS} rounds in turns, ms\n");
        println!("{:<12} {:>8} {:>8} {:>8} {:>8}", "", "least", "median", "p90", "ratio");
        let ours = row("launchpath", &mut own, None);
        for peer in &mut peers {
            let name = peer.runtime.name();
            let theirs = row(name, &mut peer.times, Some(ours));
            let verdict = if ours <= 1.2 * theirs { "within" } else { "over" };
            println!("  {:.2} of {name}'s median: {verdict} 1.2", ours / theirs);
        }
    }

    /// Prints a row; its median in milliseconds.
    fn row(name: &str, times: &mut [Duration], ours: Option<f64>) -> f64 {
        times.sort();
        let at = |share: f64| {
            #[expect(
                clippy::cast_possible_truncation,
                clippy::cast_sign_loss,
                clippy::cast_precision_loss,
                reason = "a small index"
            )]
            let index = ((times.len() - 1) as f64 * share).round() as usize;
            times[index].as_secs_f64() * 1000.0
        };
        let median = at(0.5);
        let ratio = ours.map_or(String::new(), |ours| format!("{:.2}", median / ours));
        println!("{name:<12} {:>8.1} {median:>8.1} {:>8.1} {ratio:>8}", at(0.0), at(0.9));
        median
    }

    /// Start to first healthy answer in the sandbox.
    fn sandbox(root: &Path) -> Duration {
        let mut plan = Plan::new(root, ["/server"]);
        plan.user = Some("1000".to_owned());
        let begun = Instant::now();
        let mut subject = start(&plan).expect("a sandbox");
        while !healthy(subject.connect(PORT, Duration::from_secs(1))) {
            assert!(
                subject.exited().is_none() && begun.elapsed() < Duration::from_secs(20),
                "it never answered"
            );
            pause();
        }
        let time = begun.elapsed();
        subject.stop();
        time
    }

    /// Between two attempts, the same for everybody.
    pub(crate) fn pause() {
        std::thread::sleep(Duration::from_micros(500));
    }

    fn healthy(connection: std::io::Result<TcpStream>) -> bool {
        let Ok(mut connection) = connection else { return false };
        let mut answer = [0; 512];
        connection.write_all(b"GET /ping HTTP/1.1\r\nHost: localhost\r\n\r\n").is_ok()
            && connection.read(&mut answer).is_ok_and(|length| answer[..length].starts_with(b"HTTP/1.1 200 "))
    }

    /// A root file system with one static program.
    fn image(root: &Path) {
        for folder in ["", "etc", "tmp", "proc", "dev", "sys"] {
            std::fs::create_dir_all(root.join(folder)).expect("a folder");
        }
        std::fs::set_permissions(root.parent().expect("a folder"), PermissionsExt::from_mode(0o755))
            .expect("readable");
        std::fs::write(root.join("etc/passwd"), "root:x:0:0:root:/root:/bin/sh\n").expect("written");
        let source = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../tests/images/programs/server.c");
        let built = Command::new("cc")
            .args(["-static", "-O2", "-s", "-o"])
            .arg(root.join("server"))
            .arg(source)
            .arg("-lpthread")
            .status()
            .expect("a C compiler runs");
        assert!(built.success(), "the server compiles");
    }
}

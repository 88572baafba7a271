//! Collection of an emulator's world against boto3 making the same calls, in the same run.
//!
//! `cargo bench -p launchpath-aws`. Twice: straight to the emulator, which is then the bottleneck,
//! and through a delay of 40 ms per request, about the distance to a Region. No retries, because the
//! emulator answers 500 to what it lacks.

#![expect(clippy::print_stdout, clippy::print_stderr, reason = "a benchmark prints its figures")]

use std::io::Write as _;
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::path::Path;
use std::process::Command;
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result, ensure};
use launchpath_aws::Request;
use serde_json::Value;

#[path = "../tests/it/moto.rs"]
#[expect(dead_code, reason = "the tests use more of it")]
mod moto;

use moto::{Moto, collect, script, settings, text, venv};

const RUNS: usize = 5;
const DELAY: Duration = Duration::from_millis(40);

fn main() -> Result<()> {
    // Configuration is read from the environment, which a program cannot change safely for itself.
    if std::env::var_os("AWS_MAX_ATTEMPTS").is_none() {
        let again = std::env::current_exe()?;
        let status = Command::new(again).env("AWS_MAX_ATTEMPTS", "1").status()?;
        ensure!(status.success(), "the benchmark failed");
        return Ok(());
    }
    let Some(moto) = Moto::start()? else { return Ok(()) };
    let world = moto.world(&[])?;
    let runtime = text(&world, "/runtime")?;
    let bundle = moto.collect(request(runtime))?;
    let calls = bundle["calls"].as_array().map_or(0, Vec::len);
    let file = std::env::temp_dir().join(format!("launchpath-bench-{}.json", std::process::id()));
    std::fs::write(&file, bundle.to_string())?;

    println!("{calls} calls, median of {RUNS} runs, seconds");
    println!("{:<18} {:>10} {:>18} {:>18}", "", "launchpath", "boto3, one by one", "boto3, 8 threads");
    let port = moto.url.rsplit(':').next().context("port")?.parse()?;
    let delayed = delay(SocketAddr::from(([127, 0, 0, 1], port)))?;
    for (name, url) in [("emulator", &moto.url), ("with 40 ms delay", &delayed)] {
        let ours = median(|| {
            let begun = Instant::now();
            collect(settings(url), request(runtime))?;
            Ok(begun.elapsed().as_secs_f64())
        })?;
        let one = median(|| boto3(url, &file, 1))?;
        let eight = median(|| boto3(url, &file, 8))?;
        println!(
            "{name:<18} {ours:>10.3} {one:>10.3} ({:>4.1}x) {eight:>10.3} ({:>4.1}x)",
            one / ours,
            eight / ours
        );
    }
    std::fs::remove_file(&file)?;
    Ok(())
}

fn request(runtime: &str) -> Request {
    Request { runtime: runtime.to_owned(), ..Request::default() }
}

fn median(mut run: impl FnMut() -> Result<f64>) -> Result<f64> {
    let mut times = (0..RUNS).map(|_| run()).collect::<Result<Vec<_>>>()?;
    times.sort_by(f64::total_cmp);
    Ok(times[RUNS / 2])
}

fn boto3(url: &str, bundle: &Path, threads: usize) -> Result<f64> {
    let output = Command::new(venv().join("bin/python"))
        .arg(script("boto3_collect.py"))
        .args([url, &bundle.display().to_string(), &threads.to_string()])
        .output()?;
    ensure!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let printed: Value = serde_json::from_slice(&output.stdout)?;
    printed.as_f64().context("seconds")
}

/// A proxy that holds every connection back; the emulator closes each after one answer.
fn delay(server: SocketAddr) -> Result<String> {
    let listener = TcpListener::bind("127.0.0.1:0")?;
    let url = format!("http://{}", listener.local_addr()?);
    std::thread::spawn(move || {
        for client in listener.incoming().flatten() {
            std::thread::spawn(move || -> Result<()> {
                std::thread::sleep(DELAY);
                let upstream = TcpStream::connect(server)?;
                let (mut from, mut to) = (client.try_clone()?, upstream.try_clone()?);
                std::thread::spawn(move || std::io::copy(&mut from, &mut to));
                let (mut from, mut to) = (upstream, client);
                std::io::copy(&mut from, &mut to)?;
                to.flush()?;
                Ok(to.shutdown(std::net::Shutdown::Both)?)
            });
        }
    });
    Ok(url)
}

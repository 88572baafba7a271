//! How fast a gigabyte is scanned, beside `grep -F` with the same signatures: `cargo bench -p launchpath-logs`.
//!
//! Makes its own file below the target directory and keeps it for the next run. Prints both times, their ratio and the most memory
//! this process ever held; ends with an error when the scan is slower than half of grep's speed or holds 100 MB.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::print_stdout,
    clippy::disallowed_methods,
    clippy::cast_precision_loss,
    reason = "a benchmark reads files and the clock, and prints"
)]

use std::fs::{self, File};
use std::io::{BufWriter, Write};
use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode};
use std::time::{Duration, Instant};

use launchpath_logs::{Report, Scanner, signature};

const SIZE: u64 = 1_000_000_000;

fn main() -> ExitCode {
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR"));
    let log = file(folder);
    let patterns = folder.join("signatures.txt");
    let texts: Vec<&str> = signature::all().iter().map(|signature| signature.text.as_str()).collect();
    fs::write(&patterns, texts.join("\n")).unwrap();
    // Once for the page cache, which then serves both.
    let _ = grep(&patterns, &log);
    let grep = (0..3).map(|_| grep(&patterns, &log)).min_by_key(|run| run.0).unwrap();
    let scan = (0..3).map(|_| scan(&log)).min_by_key(|run| run.0).unwrap();
    let ratio = grep.0.as_secs_f64() / scan.0.as_secs_f64();
    let most = most_memory();
    println!("file       {} bytes, {} lines", scan.1.bytes, scan.1.lines);
    println!(
        "grep -F    {:.2} s, {:.2} GB/s, {} lines with a signature",
        grep.0.as_secs_f64(),
        speed(grep.0),
        grep.1
    );
    println!(
        "scan       {:.2} s, {:.2} GB/s, {} signatures, {} kinds of traceback",
        scan.0.as_secs_f64(),
        speed(scan.0),
        scan.1.found.len(),
        scan.1.tracebacks.len()
    );
    println!("ratio      {ratio:.2} of grep's speed (at least 0.5)");
    println!("memory     {most} kB at most (less than 100000)");
    if ratio < 0.5 || most >= 100_000 { ExitCode::FAILURE } else { ExitCode::SUCCESS }
}

fn speed(time: Duration) -> f64 {
    SIZE as f64 / 1e9 / time.as_secs_f64()
}

fn grep(patterns: &Path, log: &Path) -> (Duration, u64) {
    let begun = Instant::now();
    let output = Command::new("grep")
        .args(["-c", "-F", "-f"])
        .arg(patterns)
        .arg(log)
        .env("LC_ALL", "C")
        .output()
        .unwrap();
    let count = String::from_utf8_lossy(&output.stdout).trim().parse().unwrap();
    (begun.elapsed(), count)
}

fn scan(log: &Path) -> (Duration, Report) {
    let begun = Instant::now();
    let mut scanner = Scanner::default();
    scanner.read("log", File::open(log).unwrap()).unwrap();
    (begun.elapsed(), scanner.finish())
}

fn most_memory() -> u64 {
    let status = fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"));
    line.and_then(|line| line.trim().trim_end_matches(" kB").trim().parse().ok()).unwrap_or(0)
}

/// An agent's log: access lines, steps, a traceback now and then, a line of JSON, a failing call.
fn file(folder: &Path) -> PathBuf {
    let path = folder.join("gigabyte.log");
    if fs::metadata(&path).is_ok_and(|file| file.len() >= SIZE) {
        return path;
    }
    let mut out = BufWriter::with_capacity(1 << 20, File::create(&path).unwrap());
    let (mut written, mut n) = (0u64, 0u64);
    while written < SIZE {
        n += 1;
        let time = format!(
            "2026-10-{:02}T{:02}:{:02}:{:02}.{:03}Z",
            1 + n / 8_640_000 % 28,
            n / 360_000 % 24,
            n / 6_000 % 60,
            n / 100 % 60,
            n * 10 % 1000
        );
        let line = match n % 100_000 {
            0 => format!(
                "{time} Traceback (most recent call last):\n{time}   File \"/app/tools/t{}.py\", line {}, in run\n{time}     return call()\n{time} ValueError: no answer for {}\n",
                n % 7,
                n % 300,
                n % 11
            ),
            50_000 => format!(
                "{time} ERROR botocore: Connect timeout on endpoint URL: \"https://bedrock-runtime.us-east-1.amazonaws.com/\"\n"
            ),
            n if n % 10 < 5 => format!(
                "{time} INFO:     127.0.0.1:{} - \"GET /ping HTTP/1.1\" 200 OK\n",
                30_000 + n % 20_000
            ),
            n if n % 10 < 8 => format!(
                "{time} INFO agent step {n}: tool search returned {} documents in {} ms\n",
                n % 17,
                n % 900
            ),
            n => format!(
                "{time} {{\"level\":\"info\",\"session\":\"{n:032x}\",\"message\":\"model answered\",\"tokens\":{}}}\n",
                n % 4000
            ),
        };
        written += line.len() as u64;
        out.write_all(line.as_bytes()).unwrap();
    }
    out.flush().unwrap();
    path
}

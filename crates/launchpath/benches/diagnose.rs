//! How long a bundle takes from bytes to report: median, in milliseconds.
//!
//! `cargo bench -p launchpath --bench diagnose`. A figure for the reader, not a test: nothing fails on a slow machine.

#![expect(clippy::print_stdout, reason = "a benchmark prints its figures")]

use std::path::Path;
use std::time::{Duration, Instant};

use launchpath_diagnose::diagnose;
use launchpath_intake::open_bytes;
use launchpath_report::{Format, Options, render};

const ROUNDS: usize = 200;

fn main() {
    println!("{:<24} {:>10} {:>10} {:>10} {:>10}", "bundle", "open ms", "diagnose", "render", "all");
    for name in [
        "incident/as-reported",
        "incident/as-collected",
        "incident/as-rehearsed",
        "base/isolated",
        "base/nat",
    ] {
        let path = Path::new(env!("CARGO_MANIFEST_DIR")).join(format!("../../scenarios/{name}.json"));
        let bytes = std::fs::read(path).expect("the scenario");
        let mut times = [Vec::new(), Vec::new(), Vec::new(), Vec::new()];
        for _ in 0..ROUNDS {
            let begun = Instant::now();
            let world = open_bytes("bundle.json", &bytes).expect("a world");
            let opened = begun.elapsed();
            let begun = Instant::now();
            let diagnosis = diagnose(&world);
            let diagnosed = begun.elapsed();
            let begun = Instant::now();
            let text = render(&diagnosis, Format::Text, &Options::default());
            let rendered = begun.elapsed();
            assert!(!text.is_empty());
            let all = opened + diagnosed + rendered;
            for (list, time) in times.iter_mut().zip([opened, diagnosed, rendered, all]) {
                list.push(time);
            }
        }
        let medians: Vec<String> = times.iter_mut().map(|list| format!("{:10.3}", median(list))).collect();
        println!("{name:<24} {}", medians.join(" "));
    }
}

/// The median in milliseconds.
fn median(times: &mut [Duration]) -> f64 {
    times.sort();
    times[times.len() / 2].as_secs_f64() * 1000.0
}

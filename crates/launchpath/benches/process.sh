#!/usr/bin/env bash
# Time and memory of the whole program, from a saved bundle to its text report: the median of 51 runs, and the largest memory.
set -euo pipefail
cd "$(dirname "$0")/../../.."
cargo build --quiet --release -p launchpath
python3 - "${CARGO_TARGET_DIR:-target}/release/launchpath" scenarios/incident/*.json scenarios/base/*.json <<'PYTHON'
import os, statistics, subprocess, sys, time

program, bundles = sys.argv[1], sys.argv[2:]
print(f"{'bundle':<42} {'median ms':>10} {'largest MB':>10}")
for bundle in bundles:
    times, largest = [], 0
    for _ in range(51):
        begun = time.perf_counter()
        child = subprocess.Popen([program, "diagnose", "--bundle", bundle], stdout=subprocess.DEVNULL)
        _, _, usage = os.wait4(child.pid, 0)
        times.append((time.perf_counter() - begun) * 1000)
        largest = max(largest, usage.ru_maxrss)
    print(f"{bundle:<42} {statistics.median(times):10.1f} {largest / 1024:10.1f}")
PYTHON

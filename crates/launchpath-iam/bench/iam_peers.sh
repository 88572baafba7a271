#!/bin/sh
# Compares this engine with others on the same policy and requests, one after the other on one core.
#
# usage: bench/iam_peers.sh [DIRECTORY [SECONDS]]
#
# Installs the peers (crate iam-rs, npm @cloud-copilot/iam-simulate, PyPI principalmapper) into DIRECTORY, a new
# temporary one when none is given. A peer that cannot be installed is skipped with a line. Nothing of the peers is
# part of this repository. Needs cargo; npm and python3 for their peers; taskset if there.
set -eu

here=$(cd "$(dirname "$0")" && pwd)
work=${1:-$(mktemp -d)}
seconds=${2:-3}
policy=$here/data/policy.json
requests=$here/data/requests.json
one_core=
if command -v taskset >/dev/null 2>&1; then one_core='taskset -c 0'; fi
mkdir -p "$work"

echo "== launchpath-iam"
(cd "$here/.." && cargo build --release --quiet --bench decide -p launchpath-iam)
(cd "$here/.." && $one_core cargo bench --quiet -p launchpath-iam --bench decide -- "$((seconds * 40000))" 2>/dev/null)

echo "== iam-rs"
mkdir -p "$work/iam-rs/src"
cp "$here/peers/iam_rs.rs" "$work/iam-rs/src/main.rs"
cat >"$work/iam-rs/Cargo.toml" <<'TOML'
[package]
name = "peer"
version = "0.0.0"
edition = "2024"
[dependencies]
iam-rs = "=0.8.0"
serde_json = "1"
[workspace]
TOML
if (cd "$work/iam-rs" && cargo build --release --quiet --target-dir "$work/iam-rs/target"); then
    $one_core "$work/iam-rs/target/release/peer" "$policy" "$requests" "$seconds"
else
    echo "skipped: iam-rs does not build here"
fi

echo "== @cloud-copilot/iam-simulate"
if command -v npm >/dev/null 2>&1 &&
    (mkdir -p "$work/npm" && cd "$work/npm" && npm install --silent --no-audit --no-fund --prefix . \
        @cloud-copilot/iam-simulate >/dev/null 2>&1); then
    cp "$here/peers/iam_simulate.mjs" "$work/npm/"
    $one_core node "$work/npm/iam_simulate.mjs" "$policy" "$requests" "$seconds"
else
    echo "skipped: no npm, or the package cannot be installed"
fi

echo "== principalmapper"
if command -v python3 >/dev/null 2>&1 &&
    { [ -x "$work/venv/bin/python" ] || python3 -m venv "$work/venv"; } &&
    "$work/venv/bin/python" -m pip install --quiet principalmapper 2>/dev/null; then
    $one_core "$work/venv/bin/python" "$here/peers/pmapper.py" "$policy" "$requests" "$seconds"
else
    echo "skipped: no python3, or the package cannot be installed"
fi

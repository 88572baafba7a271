#!/bin/sh
# The engine against a z3 encoding of the same questions, in one run on one machine.
# z3 is installed into a virtual environment under target/, nowhere else.
set -eu
cd "$(dirname "$0")/../../../.."
venv=target/z3-venv
questions=$PWD/target/z3-questions.json
if ! [ -x $venv/bin/python ]; then
    python3 -m venv $venv
    $venv/bin/pip install --quiet z3-solver==5.4.1.0
fi
cargo bench --quiet -p launchpath-net --bench reach -- --questions-for-z3 "$questions"
$venv/bin/python crates/launchpath-net/benches/z3/encode.py "$questions"

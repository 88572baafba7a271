#!/usr/bin/env bash
# How many of the faults that a CloudFormation template shows do cfn-lint and checkov see? Installs both from PyPI into a folder.
#
# What counts as seen is written at the head of peers.py. cfn-guard is not run: it brings no rules of its own, and the collection of
# rules that AWS publishes for it is in no package registry.
set -euo pipefail
cd "$(dirname "$0")/../.."
folder="${1:-$(mktemp -d)}"
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet cfn-lint checkov
cargo run --quiet --release -p launchpath-bench -- --templates "$folder/templates"
"$folder/venv/bin/python" crates/launchpath-bench/peers.py "$folder/templates" "$folder/venv/bin"

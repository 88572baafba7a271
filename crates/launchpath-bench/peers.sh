#!/usr/bin/env bash
# How many of the faults that a CloudFormation template shows do cfn-lint, checkov and cfn-guard see? Installs the first two from PyPI
# into a folder, and cfn-guard, which brings no rules of its own, with the rules of AWS Control Tower that the CDK's validator ships (npm);
# none of them names a type of AWS::BedrockAgentCore. Without npm it is not run.
#
# What counts as seen is written at the head of peers.py.
set -euo pipefail
cd "$(dirname "$0")/../.."
folder="${1:-$(mktemp -d)}"
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet cfn-lint checkov
if command -v npm >/dev/null; then
    (cd "$folder" && npm pack --silent @cdklabs/cdk-validator-cfnguard@0.0.62 >/dev/null && tar xzf cdklabs-cdk-validator-cfnguard-*.tgz)
    cp "$folder/package/bin/ubuntu/$(uname -m)/cfn-guard" "$folder/venv/bin/cfn-guard"
    cp -r "$folder/package/rules" "$folder/venv/bin/cfn-guard-rules"
fi
cargo run --quiet --release -p launchpath-bench -- --templates "$folder/templates"
"$folder/venv/bin/python" crates/launchpath-bench/peers.py "$folder/templates" "$folder/venv/bin"

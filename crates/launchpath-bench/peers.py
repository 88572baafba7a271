"""Holds linters and policy checkers of templates against the faults that a template shows.

`peers.py FOLDER BIN`: FOLDER holds, for each fault, a sound and a broken template that differ in nothing else
(`launchpath-bench --templates FOLDER`); BIN is where the programs are. A program has seen a fault when it says something of the broken
template that it does not say of the sound one, about a resource in which the two differ; where the fault is that a resource is
missing, anything new counts. Findings are compared by rule and resource. No rule is switched off, every severity counts.
"""

import json
import pathlib
import subprocess
import sys


def cfn_lint(program, template):
    """cfn-lint with every rule, experimental and informational ones too."""
    run = subprocess.run(
        [program, "--format", "json", "--include-checks", "I", "--include-experimental", "--regions", "us-east-1", "--", template],
        capture_output=True, text=True, check=False,
    )
    if run.returncode == 1 or (run.stderr and not run.stdout):
        raise SystemExit(f"cfn-lint failed: {run.stderr}")
    found = set()
    for finding in json.loads(run.stdout or "[]"):
        path = finding["Location"].get("Path") or []
        found.add((finding["Rule"]["Id"], str(path[1]) if len(path) > 1 else ""))
    return found


def checkov(program, template):
    """checkov with every built-in check for CloudFormation."""
    run = subprocess.run(
        [program, "-f", template, "--framework", "cloudformation", "-o", "json", "--compact", "--quiet", "--skip-download"],
        capture_output=True, text=True, check=False,
    )
    report = json.loads(run.stdout)
    reports = report if isinstance(report, list) else [report]
    found = set()
    for one in reports:
        for finding in one.get("results", {}).get("failed_checks", []):
            found.add((finding["check_id"], finding["resource"].rsplit(".", 1)[-1]))
    return found


def cfn_guard(program, template):
    """cfn-guard with every rule of the collection that lies beside it (AWS Control Tower's, as the CDK's validator ships them)."""
    rules = pathlib.Path(program).parent / "cfn-guard-rules"
    run = subprocess.run(
        [program, "validate", "--rules", str(rules), "--data", template, "--structured", "--show-summary", "none",
         "--output-format", "json"],
        capture_output=True, text=True, check=False,
    )
    if run.returncode not in (0, 19):
        raise SystemExit(f"cfn-guard failed: {run.stderr}")
    found = set()

    def walk(node, rule):
        if isinstance(node, list):
            for item in node:
                walk(item, rule)
        if not isinstance(node, dict):
            return
        if isinstance(node.get("Rule"), dict):
            rule = node["Rule"].get("name", rule)
        for key, value in node.items():
            if key == "path" and isinstance(value, str) and value.startswith("/Resources/"):
                found.add((rule, value.split("/")[2]))
            walk(value, rule)

    for report in json.loads(run.stdout):
        walk(report.get("not_compliant", []), "")
    return found


def main():
    folder, programs = pathlib.Path(sys.argv[1]), pathlib.Path(sys.argv[2])
    faults = sorted(path for path in folder.iterdir() if (path / "broken.json").exists())
    print(f"{len(faults)} faults that a template shows: {', '.join(fault.name for fault in faults)}\n")
    print("| program | faults a template shows | seen | which |\n|---|--:|--:|---|")
    for name, run in [("cfn-lint", cfn_lint), ("checkov", checkov), ("cfn-guard", cfn_guard)]:
        program = programs / name
        if not program.exists():
            print(f"| {name} | {len(faults)} | not run | not installed |")
            continue
        seen = []
        for fault in faults:
            sound, broken = ((fault / f"{kind}.json") for kind in ("sound", "broken"))
            before, after = (json.loads(path.read_text())["Resources"] for path in (sound, broken))
            differ = {key for key in before.keys() | after.keys() if before.get(key) != after.get(key)}
            missing = any(key not in after for key in differ)
            new = run(str(program), str(broken)) - run(str(program), str(sound))
            if any(missing or resource in differ for _, resource in new):
                seen.append(f"{fault.name} ({', '.join(sorted({rule for rule, _ in new}))})")
        print(f"| {name} | {len(faults)} | {len(seen)} | {'; '.join(seen) or 'none'} |")


main()

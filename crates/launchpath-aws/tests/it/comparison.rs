//! Our documents against those of the real AWS CLI, for the same state of the emulator.

use std::io::{BufRead as _, BufReader, Write as _};
use std::process::{Command, Stdio};

use anyhow::{Context as _, Result, ensure};
use launchpath_aws::Request;
use launchpath_aws::operation::READ;
use serde_json::{Value, json};

use crate::moto::{Moto, script, text, venv};

/// Calls whose answer moves with the clock, or that no AWS CLI command makes.
const NOT_COMPARED: &[&str] = &["GetImageConfig", "LookupEvents"];

/// A service that the emulator does not have; `wire.rs` scripts its answers.
const NOT_EMULATED: &str = "route53profiles";

#[test]
fn every_answer_is_what_the_aws_cli_prints() -> Result<()> {
    let Some(moto) = Moto::start()? else { return Ok(()) };
    let world = moto.world(&[])?;
    let other = moto.extras(&world)?;
    let bundle = moto.collect(Request {
        runtime: text(&world, "/runtime")?.to_owned(),
        against: Some(other),
        ..Request::default()
    })?;
    // Together the two worlds reach every row of the table.
    let calls = bundle["calls"].as_array().context("calls")?;
    let reached =
        READ.iter().filter(|row| row.name != "GetDownloadUrlForLayer" && row.service != NOT_EMULATED);
    for row in reached {
        let asked = calls.iter().any(|call| call["operation"] == row.name && call["service"] == row.service);
        assert!(asked, "{} was not asked", row.name);
    }
    let lines = calls.iter().filter(|call| call["operation"] == "FilterLogEvents");
    let lines = lines.map(Value::to_string).collect::<String>();
    assert!(lines.contains("No module named 'x'") && lines.contains("api_key=***"), "{lines}");

    let mut cli = Command::new(venv().join("bin/python"))
        .arg(script("aws_cli.py"))
        .args(["--endpoint-url", &moto.url, "--region", "us-east-1"])
        .envs([("AWS_ACCESS_KEY_ID", "testing"), ("AWS_SECRET_ACCESS_KEY", "testing")])
        .env("AWS_CONFIG_FILE", "/nonexistent")
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()?;
    let mut ask = cli.stdin.take().context("standard input")?;
    let mut answers = BufReader::new(cli.stdout.take().context("standard output")?).lines();

    let mut compared = 0;
    let mut different = Vec::new();
    for call in calls {
        let operation = text(call, "/operation")?;
        if NOT_COMPARED.contains(&operation) || call["service"] == NOT_EMULATED {
            continue;
        }
        writeln!(
            ask,
            "{}",
            json!({"service": call["service"], "operation": operation, "request": call["request"]})
        )?;
        let answer: Value =
            serde_json::from_str(&answers.next().context("an answer")??.replace("sk-12345678", "***"))?;
        let ok = call["outcome"] == "ok";
        ensure!(ok == (answer["code"] == 0), "{operation}: {call} but the CLI says {answer}");
        if !ok {
            let code = text(call, "/error/code")?;
            ensure!(text(&answer, "/err")?.contains(code), "{operation}: {code} but {answer}");
        } else if normal(&call["response"]) != normal(&answer["out"]) {
            different.push(format!(
                "{operation}\n  ours {}\n  cli  {}",
                normal(&call["response"]),
                normal(&answer["out"])
            ));
        }
        compared += 1;
    }
    drop(ask);
    cli.wait()?;
    assert!(different.is_empty(), "{}", different.join("\n"));
    assert!(compared >= 30, "only {compared} answers compared");
    eprintln!("{compared} answers are equal to the AWS CLI's");
    Ok(())
}

/// Sorted members, times in one form, environment values masked as we mask them.
fn normal(value: &Value) -> Value {
    match value {
        Value::Object(members) => {
            let mut sorted: Vec<_> = members.iter().collect();
            sorted.sort_by_key(|(name, _)| *name);
            let each = sorted.into_iter().map(|(name, value)| {
                let value = if name == "environmentVariables" { masked(value) } else { normal(value) };
                (name.clone(), if is_time(name) { time(&value) } else { value })
            });
            Value::Object(each.collect())
        }
        Value::Array(items) => Value::Array(items.iter().map(normal).collect()),
        _ => value.clone(),
    }
}

fn masked(value: &Value) -> Value {
    let names = value.as_object().into_iter().flat_map(serde_json::Map::keys);
    Value::Object(names.map(|name| (name.clone(), "***".into())).collect())
}

fn is_time(name: &str) -> bool {
    ["Time", "Timestamp", "Date", "At", "LastModified"].iter().any(|end| name.ends_with(end))
}

/// Whole seconds since the epoch.
fn time(value: &Value) -> Value {
    #[expect(clippy::cast_possible_truncation, reason = "whole seconds are compared")]
    match value {
        Value::String(text) => {
            // Version 1 of the CLI prints times of headers as HTTP does.
            let http = || jiff::fmt::rfc2822::parse(text).map(|time| time.timestamp());
            let time = text.parse::<jiff::Timestamp>().or_else(|_| http());
            time.map_or_else(|_| value.clone(), |time| time.as_second().into())
        }
        Value::Number(number) => number.as_f64().map_or_else(|| value.clone(), |time| (time as i64).into()),
        _ => value.clone(),
    }
}

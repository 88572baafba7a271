//! What a process can reach, what it finds there, and what of it is recorded.

use std::net::Ipv4Addr;
use std::time::Duration;

use launchpath_rehearse::sandbox::{Allowed, Credentials, Network};
use launchpath_rehearse::subject::{Attempt, AttemptOutcome, Reach, Subject as _};

use super::image::{Image, Outcome, start, wait};

/// Runs a script and gives what was attempted, too.
fn attempts(image: &Image, network: Network, script: &str) -> (Outcome, Vec<Attempt>) {
    let mut plan = image.script(script);
    plan.network = network;
    let mut sandbox = start(&plan);
    let exit = wait(&mut sandbox);
    let outcome = Outcome::new(exit, &sandbox.take_output().unwrap());
    // The last packet may still be on its way to the record.
    std::thread::sleep(Duration::from_millis(50));
    (outcome, sandbox.attempts().unwrap())
}

fn seen(attempts: &[Attempt]) -> Vec<(String, AttemptOutcome)> {
    let what = |attempt: &Attempt| match &attempt.what {
        Reach::Name(name) => name.clone(),
        Reach::Address { to, protocol, name } => {
            format!("{protocol} {to} {}", name.as_deref().unwrap_or("-"))
        }
    };
    attempts.iter().map(|attempt| (what(attempt), attempt.outcome)).collect()
}

#[test]
fn without_a_network_everything_is_dropped_and_recorded() {
    let Some(image) = Image::new() else { return };
    let script = "nc -w 1 10.9.8.7 443 </dev/null; echo $?; nc -w 1 1.1.1.1 80 </dev/null; echo $?; \
                  timeout 2 nslookup sts.us-east-1.amazonaws.com; echo done";
    let (outcome, attempts) = attempts(&image, Network::Nothing, script);
    assert!(outcome.output.starts_with("1\n1\n"), "{outcome:?}");
    let dropped = |what: &str| (what.to_owned(), AttemptOutcome::Dropped);
    let seen = seen(&attempts);
    for wanted in ["tcp 10.9.8.7:443 -", "tcp 1.1.1.1:80 -", "sts.us-east-1.amazonaws.com"] {
        assert!(seen.contains(&dropped(wanted)), "{wanted} in {seen:?}");
    }
    assert_eq!(seen.len(), 3, "{seen:?}");
    assert_eq!(attempts[0].times, 1, "a packet that is sent again is no further attempt");
}

#[test]
fn where_the_host_is_blocked_no_name_exists() {
    let Some(image) = Image::new() else { return };
    let (outcome, attempts) =
        attempts(&image, Network::HostBlocked, "nslookup api.example.com; nslookup api.example.com");
    assert!(outcome.output.contains("NXDOMAIN") || outcome.error.contains("NXDOMAIN"), "{outcome:?}");
    assert_eq!(seen(&attempts), [("api.example.com".to_owned(), AttemptOutcome::NoSuchName)]);
    assert_eq!(attempts[0].times, 2);
}

#[test]
fn with_a_bundle_only_what_it_allows_is_reached() {
    let Some(image) = Image::new() else { return };
    let network = Network::Bundle(vec![
        Allowed {
            name: "sts.amazonaws.com".to_owned(),
            addresses: vec![Ipv4Addr::new(10, 0, 1, 5)],
            ports: vec![80, 443],
        },
        Allowed { name: "logs.amazonaws.com".to_owned(), addresses: vec![], ports: vec![] },
    ]);
    let script = "wget -q -O - http://sts.amazonaws.com/; echo; nc -w 1 10.0.1.5 8443 </dev/null; echo $?; \
                  printf '\\026\\003\\001' | nc -w 2 sts.amazonaws.com 443 | head -c 1 | wc -c; \
                  nc -w 1 logs.amazonaws.com 443 </dev/null; nslookup s3.amazonaws.com; echo done";
    let (outcome, attempts) = attempts(&image, network, script);
    assert!(outcome.error.contains("503"), "{outcome:?}");
    assert!(outcome.output.starts_with("\n1\n1\n"), "{outcome:?}");
    let seen = seen(&attempts);
    for (what, outcome) in [
        ("sts.amazonaws.com", AttemptOutcome::Answered),
        ("tcp 10.0.1.5:80 sts.amazonaws.com", AttemptOutcome::Answered),
        ("tcp 10.0.1.5:443 sts.amazonaws.com", AttemptOutcome::Answered),
        ("tcp 10.0.1.5:8443 sts.amazonaws.com", AttemptOutcome::Dropped),
        ("tcp 198.18.0.2:443 logs.amazonaws.com", AttemptOutcome::Dropped),
        ("s3.amazonaws.com", AttemptOutcome::NoSuchName),
    ] {
        assert!(seen.contains(&(what.to_owned(), outcome)), "{what} in {seen:?}");
    }
}

#[test]
fn the_metadata_service_asks_for_a_token_and_gives_what_it_was_given() {
    let Some(image) = Image::new() else { return };
    // busybox's wget sends no PUT; nc does.
    let ask = |request: &str| format!("printf '{request}' | nc -w 5 169.254.169.254 80");
    let token = "PUT /latest/api/token HTTP/1.1\\r\\nX-aws-ec2-metadata-token-ttl-seconds: 60\\r\\n\\r\\n";
    let path = "/latest/meta-data/iam/security-credentials/agent";
    let script = format!(
        "{}; t=$({} | grep -v : | grep -E '^[0-9a-f]{{32}}$'); {}",
        ask(&format!("GET {path} HTTP/1.1\\r\\n\\r\\n")),
        ask(token),
        ask(&format!("GET {path} HTTP/1.1\\r\\nX-aws-ec2-metadata-token: '$t'\\r\\n\\r\\n")),
    );
    let mut plan = image.script(&script);
    plan.credentials = Some(Credentials {
        role: "agent".to_owned(),
        access_key_id: "ASIAEXAMPLE".to_owned(),
        secret_access_key: "secret".to_owned(),
        session_token: "token".to_owned(),
        expiration: "2030-01-01T00:00:00Z".to_owned(),
    });
    assert!(!format!("{plan:?}").contains("secret"));
    let mut sandbox = start(&plan);
    let exit = wait(&mut sandbox);
    let outcome = Outcome::new(exit, &sandbox.take_output().unwrap());
    assert!(outcome.output.contains("401 Unauthorized"), "{outcome:?}");
    assert!(outcome.output.contains("ASIAEXAMPLE"), "{outcome:?}");
    assert_eq!(
        seen(&sandbox.attempts().unwrap()),
        [("tcp 169.254.169.254:80 -".to_owned(), AttemptOutcome::Answered)]
    );
}

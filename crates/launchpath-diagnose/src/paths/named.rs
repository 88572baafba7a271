//! The way to an AWS service that the process calls itself, as its log names it.
//!
//! Not a way of the launch: nobody knows what a process calls until it says so. Where it says that it could not reach a service of
//! the Region, and no way leads there from any subnet, what stands in the way is a fault of the network and not of the process.
//! Start with [`in_the_way`].

use launchpath_model::EvidenceId;
use launchpath_net::dns::service_of_name;
use launchpath_net::needs::{Level, Need, Required};
use launchpath_net::{Engine, runtime_paths};

use super::assumption::with_default_resolver;
use super::culprit::{self, Culprit};
use super::repair;
use crate::case::{Case, Mode};
use crate::repair::{Change, Repair};

/// A service that the process could not reach, and what keeps it from every subnet of the runtime.
pub(crate) struct InTheWay {
    /// The fault that each blocked element is.
    pub(crate) code: &'static str,
    /// The full name of the endpoint service.
    pub(crate) endpoint_service: String,
    /// One sentence.
    pub(crate) text: String,
    /// The calls that show it.
    pub(crate) evidence: Vec<EvidenceId>,
    /// What is taken for granted, in a sentence.
    pub(crate) granted: Option<String>,
    culprits: Vec<Culprit>,
}

/// What stands in the way to the service of the Region that `line` names; `None` where it names none, or some packet may get there.
pub(crate) fn in_the_way(case: &Case, line: &str) -> Option<InTheWay> {
    if case.combination.mode != Some(Mode::Vpc) || case.combination.capacity_provider {
        return None;
    }
    let config = case.vpc_config()?;
    let region = case.world.region.as_ref()?;
    let (host, port) = https_host(line)?;
    let service = service_of_name(&host, region.as_str())?;
    let (network, _) = with_default_resolver(&case.world.network);
    let need = Need {
        id: "named_in_the_log",
        stage: "",
        service: "",
        name: host.clone(),
        port,
        purpose: "",
        required: Required::Yes,
        level: Level::Observed,
        source: "",
    };
    let paths = runtime_paths(
        &Engine::new(&network),
        &config.subnets,
        &config.security_groups,
        std::slice::from_ref(&need),
    );
    let paths = paths.first().filter(|paths| !paths.by_subnet.is_empty())?;
    let mut culprits = Vec::new();
    for (subnet, answer) in &paths.by_subnet {
        culprits.push(culprit::of_service(case, &network, paths, subnet, answer, &service)?);
    }
    let first = culprits.first()?;
    let code = first.code;
    // Where some route leaves the VPC, a private zone that nobody listed could lead somewhere that is reached.
    if culprits.iter().any(|culprit| culprit.code != code || culprit.zone_might_help) {
        return None;
    }
    let mut evidence: Vec<EvidenceId> = culprits.iter().flat_map(|c| c.evidence.clone()).collect();
    evidence.sort();
    evidence.dedup();
    let granted = first.unlisted_zone.as_ref().map(|zone| format!("taken for granted: {zone}"));
    let text = format!("no way leads to {host} from any subnet: {}", first.text);
    let endpoint_service = culprit::service_name(case, &service);
    Some(InTheWay { code, endpoint_service, text, evidence, granted, culprits })
}

impl InTheWay {
    /// The repairs of the network, the usual one first; what the process printed before no longer speaks then.
    pub(crate) fn repairs(&self, case: &Case) -> Vec<Repair> {
        let mut repairs = repair::repairs(case, self.code, &self.culprits);
        for repair in &mut repairs {
            repair.changes.extend(case.id.iter().map(|id| Change::RebuildImage { runtime: id.clone() }));
            repair.assumes = Some("the process then starts and answers its health probe".to_owned());
        }
        repairs
    }
}

/// The host and port of the first `https` address in a line.
fn https_host(line: &str) -> Option<(String, u16)> {
    let (_, rest) = line.split_once("https://")?;
    let end = rest.find(|c: char| !(c.is_ascii_alphanumeric() || "-.:".contains(c))).unwrap_or(rest.len());
    let authority = rest[..end].trim_end_matches([':', '.']);
    let (host, port) = match authority.split_once(':') {
        Some((host, port)) => (host, port.parse().ok()?),
        None => (authority, 443),
    };
    (!host.is_empty()).then(|| (host.to_ascii_lowercase(), port))
}

#[cfg(test)]
mod tests {
    use super::https_host;

    #[test]
    fn the_host_of_an_address_is_read_from_a_line() {
        let read = |line: &str| https_host(line).map(|(host, port)| format!("{host}:{port}"));
        let boto = r#"Connect timeout on endpoint URL: "https://Logs.us-east-1.amazonaws.com/x?y""#;
        assert_eq!(read(boto).as_deref(), Some("logs.us-east-1.amazonaws.com:443"));
        assert_eq!(read("see https://a.example:8443/.").as_deref(), Some("a.example:8443"));
        assert_eq!(read("see https://a.example."), Some("a.example:443".to_owned()));
        assert_eq!(read("https://a.example:99999/"), None);
        assert_eq!(read("https://"), None);
        assert_eq!(read("http://a.example/"), None);
    }
}

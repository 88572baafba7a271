//! Whether resource control policies have a say in a request.
//!
//! Not what they say. The list of services that honour them is data, with source and date; a service missing from it
//! is not known to be exempt.

use std::collections::BTreeSet;
use std::sync::LazyLock;

use serde::Deserialize;

use crate::compiled::CompiledPolicySet;
use crate::evaluate::needs_no_permission;
use crate::request::Request;
use crate::tri::Tri;

#[derive(Deserialize)]
struct Services {
    services: BTreeSet<String>,
}

static SERVICES: LazyLock<BTreeSet<String>> = LazyLock::new(|| {
    let list: Result<Services, _> = serde_json::from_str(include_str!("../data/rcp-services.json"));
    list.map(|list| list.services).unwrap_or_default()
});

/// AWS: <https://docs.aws.amazon.com/organizations/latest/userguide/orgs_manage_policies_rcps.html#actions-not-restricted-by-rcps>
pub(crate) fn applicability(set: &CompiledPolicySet, request: &Request) -> Tri {
    if set.rcps.is_empty() || request.principal().is_service_linked() {
        return Tri::False;
    }
    let managing = set.management_account.as_deref();
    if managing.is_some() && managing == request.resource_account() {
        return Tri::False;
    }
    if request.action_lower() == "kms:retiregrant" || needs_no_permission(request) {
        return Tri::False;
    }
    let assumes_service_linked =
        request.service() == "sts" && request.resource().contains(":role/aws-service-role/");
    if assumes_service_linked {
        return Tri::False;
    }
    if SERVICES.contains(request.service()) { Tri::True } else { Tri::Unknown }
}

#[cfg(test)]
mod tests {
    use super::SERVICES;

    #[test]
    fn the_list_is_read() {
        assert!(SERVICES.contains("s3") && SERVICES.contains("ecr") && !SERVICES.contains("ec2"));
    }
}

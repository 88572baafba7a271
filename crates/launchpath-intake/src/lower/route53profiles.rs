//! Route 53 Profiles: which a VPC uses and what they hold.
//!
//! AWS: <https://docs.aws.amazon.com/Route53/latest/APIReference/API_route53profiles_ListProfileResourceAssociations.html>

use launchpath_model::aws::dns_profile::{DnsProfileAssociation, DnsProfileResource};
use launchpath_model::ids::DnsProfileId;
use launchpath_model::world::Network;

use super::{Lowered, Recorded, fill};
use crate::error::IntakeError;

pub(super) fn lower(net: &mut Network, call: &Recorded) -> Result<Lowered, IntakeError> {
    match call.evidence.operation.as_str() {
        "ListProfileAssociations" => fill(
            &mut net.dns_profiles,
            call,
            "ProfileAssociations",
            "ProfileId",
            |row: &DnsProfileAssociation| (row.resource_id.clone(), row.profile_id.clone()),
        ),
        "ListProfileResourceAssociations" => resources(net, call),
        _ => Ok(Lowered::UnknownOperation),
    }
}

fn resources(net: &mut Network, call: &Recorded) -> Result<Lowered, IntakeError> {
    let Some(rows) = call.rows::<DnsProfileResource>("ProfileResourceAssociations", "ResourceArn")? else {
        net.dns_profile_resources.record(call.read_without("ProfileResourceAssociations"));
        return Ok(Lowered::Done);
    };
    net.dns_profile_resources.record(call.read(rows.len()));
    let known = net.dns_profiles.iter().map(|((_, id), _)| id.as_str());
    let named = call.asked("ProfileId").map(DnsProfileId::from);
    let told = named.or_else(|| rows.iter().find_map(|row| row.profile_id.clone()));
    let Some(profile) = told.or_else(|| call.only_one_of(known).map(DnsProfileId::from)) else {
        return Ok(Lowered::NoKey("which profile the resources belong to"));
    };
    let mut all = net.dns_profile_resources.seen(&profile).map(|row| row.value.clone()).unwrap_or_default();
    for row in rows {
        if row.profile_id.as_ref().is_none_or(|of| *of == profile) && !all.contains(&row) {
            all.push(row);
        }
    }
    net.dns_profile_resources.insert(profile, all, call.evidence.id.clone());
    Ok(Lowered::Done)
}

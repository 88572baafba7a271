//! What the header of the input left open, taken from the evidence where all of it agrees.

use std::collections::BTreeSet;

use launchpath_model::World;
use launchpath_model::arn::Arn;
use launchpath_model::ids::{AccountId, Region};

/// Completes account, Region and partition; what the evidence does not agree on stays unknown.
pub(super) fn complete(world: &mut World) {
    let arns: Vec<Arn> = arns(world);
    if world.region.is_none() {
        world.region =
            only(arns.iter().map(|arn| &arn.region)).map(Region::from).or_else(|| zone_region(world));
    }
    if world.account.is_none() {
        world.account = only(arns.iter().map(|arn| &arn.account)).map(AccountId::from);
    }
    if world.partition.is_none() {
        world.partition = only(arns.iter().map(|arn| &arn.partition)).map(str::to_owned);
    }
    world.network.region.clone_from(&world.region);
}

/// ARNs of the runtime asked about, else of every runtime.
fn arns(world: &World) -> Vec<Arn> {
    let subject = world.subject_id();
    let described = world.runtimes.iter().chain(world.runtime_list.iter());
    let mine = |id: &launchpath_model::ids::RuntimeId| subject.as_ref().is_none_or(|subject| subject == id);
    let texts =
        described.filter(|(id, _)| mine(id)).filter_map(|(_, row)| row.value.agent_runtime_arn.as_deref());
    texts.chain(world.subject.runtime.as_deref()).filter_map(|text| text.parse().ok()).collect()
}

fn only<'a>(values: impl Iterator<Item = &'a String>) -> Option<&'a str> {
    let values: BTreeSet<&str> = values.map(String::as_str).filter(|text| !text.is_empty()).collect();
    values.first().copied().filter(|_| values.len() == 1)
}

/// The Region of all subnets, for network snapshots without any runtime.
fn zone_region(world: &World) -> Option<Region> {
    let subnets = world.network.subnets.iter();
    let zones =
        subnets.filter_map(|(_, row)| row.value.availability_zone.as_deref()).filter_map(region_of_zone);
    let asked = world.evidence.values().filter_map(|call| call.region.as_ref().map(Region::as_str));
    let regions: BTreeSet<&str> = zones.chain(asked).collect();
    regions.first().filter(|_| regions.len() == 1).map(|region| Region::from(*region))
}

/// The Region of a zone name. A Local Zone (`us-west-2-lax-1a`) tells it too, by its first part.
///
/// AWS: <https://docs.aws.amazon.com/AWSEC2/latest/UserGuide/using-regions-availability-zones.html>
fn region_of_zone(zone: &str) -> Option<&str> {
    let digit = zone.find(|c: char| c.is_ascii_digit())?;
    let region = &zone[..=digit];
    let words = region.split('-').count();
    (words == 3 || words == 4).then_some(region)
}

#[cfg(test)]
mod tests {
    use super::region_of_zone;

    #[test]
    fn a_zone_names_its_region() {
        for (zone, region) in [
            ("us-east-1a", Some("us-east-1")),
            ("us-gov-west-1b", Some("us-gov-west-1")),
            ("us-west-2-lax-1a", Some("us-west-2")),
            ("nowhere", None),
            ("1", None),
        ] {
            assert_eq!(region_of_zone(zone), region);
        }
    }
}

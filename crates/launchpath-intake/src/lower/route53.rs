//! Route 53: private zones of a VPC.
//!
//! AWS: <https://docs.aws.amazon.com/Route53/latest/APIReference/API_ListHostedZonesByVPC.html>

use launchpath_model::aws::hosted_zone::{HostedZone, ResourceRecordSet};
use launchpath_model::ids::{HostedZoneId, VpcId};
use launchpath_model::world::Network;

use super::{Lowered, Recorded};
use crate::error::IntakeError;

pub(super) fn lower(net: &mut Network, call: &Recorded) -> Result<Lowered, IntakeError> {
    match call.evidence.operation.as_str() {
        "ListHostedZonesByVPC" => zones(net, call),
        "ListResourceRecordSets" => record_sets(net, call),
        _ => Ok(Lowered::UnknownOperation),
    }
}

/// Zone ids come with and without `/hostedzone/` before them.
fn zone_id(text: &str) -> HostedZoneId {
    HostedZoneId::from(text.rsplit('/').next().unwrap_or(text))
}

fn zones(net: &mut Network, call: &Recorded) -> Result<Lowered, IntakeError> {
    let Some(rows) = call.rows::<HostedZone>("HostedZoneSummaries", "HostedZoneId")? else {
        net.hosted_zones.record(call.read_without("HostedZoneSummaries"));
        return Ok(Lowered::Done);
    };
    let known = net.vpcs.iter().map(|(id, _)| id.as_str());
    net.hosted_zones.record(call.read(rows.len()));
    let Some(vpc) = call.asked("VPCId").or_else(|| call.only_one_of(known)).map(VpcId::from) else {
        return Ok(Lowered::NoKey("which VPC the zones are associated with"));
    };
    for mut row in rows {
        row.hosted_zone_id = zone_id(row.hosted_zone_id.as_str());
        net.hosted_zones.insert((vpc.clone(), row.hosted_zone_id.clone()), row, call.evidence.id.clone());
    }
    Ok(Lowered::Done)
}

fn record_sets(net: &mut Network, call: &Recorded) -> Result<Lowered, IntakeError> {
    let Some(rows) = call.rows::<ResourceRecordSet>("ResourceRecordSets", "Name")? else {
        net.record_sets.record(call.read_without("ResourceRecordSets"));
        return Ok(Lowered::Done);
    };
    let known = net.hosted_zones.iter().map(|((_, id), _)| id.as_str());
    net.record_sets.record(call.read(rows.len()));
    let Some(zone) = call.asked("HostedZoneId").or_else(|| call.only_one_of(known)).map(zone_id) else {
        return Ok(Lowered::NoKey("which zone the records belong to"));
    };
    let mut all = net.record_sets.seen(&zone).map(|row| row.value.clone()).unwrap_or_default();
    for row in rows {
        if !all.contains(&row) {
            all.push(row);
        }
    }
    net.record_sets.insert(zone, all, call.evidence.id.clone());
    Ok(Lowered::Done)
}

//! Rules of the Route 53 Resolver, and which of them a VPC uses.
//!
//! AWS: <https://docs.aws.amazon.com/Route53/latest/APIReference/API_route53resolver_ListResolverRuleAssociations.html>

use launchpath_model::aws::resolver_rule::{ResolverRule, ResolverRuleAssociation};
use launchpath_model::world::Network;

use super::{Lowered, Recorded, fill};
use crate::error::IntakeError;

pub(super) fn lower(net: &mut Network, call: &Recorded) -> Result<Lowered, IntakeError> {
    match call.evidence.operation.as_str() {
        "ListResolverRules" => {
            fill(&mut net.resolver_rules, call, "ResolverRules", "Id", |row: &ResolverRule| row.id.clone())
        }
        "ListResolverRuleAssociations" => fill(
            &mut net.resolver_rule_associations,
            call,
            "ResolverRuleAssociations",
            "ResolverRuleId",
            |row: &ResolverRuleAssociation| (row.vpc_id.clone(), row.resolver_rule_id.clone()),
        ),
        _ => Ok(Lowered::UnknownOperation),
    }
}

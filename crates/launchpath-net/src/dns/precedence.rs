//! Who answers for a name: of the zones, endpoints and rules that hold it, those that nothing surely comes before.
//!
//! What AWS documents: the most specific name wins, among the settings of a VPC, of a profile, and between both. Among equal names
//! the VPC's own settings win over those of a profile, and a rule wins over a zone beside it. Profiles are asked in the order of
//! their associations' priorities, the lowest number first
//! (<https://docs.aws.amazon.com/Route53/latest/DeveloperGuide/profiles.html#profiles-priority>,
//! <https://docs.aws.amazon.com/Route53/latest/DeveloperGuide/profiles-vpc-update-priority.html>,
//! <https://docs.aws.amazon.com/Route53/latest/DeveloperGuide/hosted-zone-private-considerations.html>,
//! <https://docs.aws.amazon.com/Route53/latest/DeveloperGuide/resolver-overview-forward-vpc-to-network-domain-name-matches.html>).
//!
//! What it does not say stays open, and every answer that is left is possible: whether a longer name in a profile asked later
//! wins over a shorter one in a profile asked before it, and whether a rule of a profile wins over a zone of the same name that
//! the VPC itself, or a profile asked before, has.

use launchpath_model::Gap;
use launchpath_model::ids::DnsProfileId;

use super::Possibility;

/// Where a setting is made.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Place {
    /// In the VPC itself.
    Own,
    /// In a profile that the VPC uses.
    Profile(DnsProfileId, Option<i64>),
}

/// What a setting says of the name.
#[derive(Clone, Debug)]
pub(super) enum Says {
    /// A zone, or an endpoint that a profile shares, answers so.
    Answers(Vec<Possibility>),
    /// Private DNS of an endpoint of the VPC answers.
    OwnEndpoint,
    /// A rule sends the query to other resolvers.
    Forwarded(Possibility),
    /// A rule leaves the name to the resolver itself: zones, endpoints, and what is public.
    ResolverItself,
    /// A rule of a kind that is not known.
    Untold(Gap),
}

/// A setting that holds the name.
#[derive(Clone, Debug)]
pub(super) struct Holder {
    /// Of its own name: the longer, the more specific.
    pub(super) length: usize,
    pub(super) place: Place,
    pub(super) says: Says,
}

impl Holder {
    pub(super) fn is_rule(&self) -> bool {
        matches!(self.says, Says::Forwarded(_) | Says::ResolverItself | Says::Untold(_))
    }

    /// Whether it surely comes before the other.
    fn beats(&self, other: &Self) -> bool {
        let rule_over_zone = self.is_rule() && !other.is_rule();
        let zone_under_rule = !self.is_rule() && other.is_rule();
        let longer = self.length > other.length;
        let equal = self.length == other.length;
        match (&self.place, &other.place) {
            (Place::Own, Place::Own) => longer || (equal && rule_over_zone),
            (Place::Own, Place::Profile(..)) => longer || (equal && !zone_under_rule),
            (Place::Profile(..), Place::Own) => longer,
            (Place::Profile(one, _), Place::Profile(two, _)) if one == two => {
                longer || (equal && rule_over_zone)
            }
            (Place::Profile(_, Some(first)), Place::Profile(_, Some(second))) if first < second => {
                longer || (equal && !zone_under_rule)
            }
            (Place::Profile(..), Place::Profile(..)) => false,
        }
    }
}

fn unbeaten(holders: &[Holder]) -> Vec<&Holder> {
    let beaten = |one: &Holder| holders.iter().any(|other| other.beats(one));
    holders.iter().filter(|holder| !beaten(holder)).collect()
}

/// What may be said of the name: one thing where what AWS documents decides; never nothing.
pub(super) fn say(holders: &[Holder]) -> Vec<Says> {
    let first = unbeaten(holders);
    // A rule that leaves the name to the resolver itself, or may, hands it on to what is no rule.
    let hands_on = |holder: &&Holder| matches!(holder.says, Says::ResolverItself | Says::Untold(_));
    if !first.is_empty() && !first.iter().any(hands_on) {
        return first.into_iter().map(|holder| holder.says.clone()).collect();
    }
    let rules =
        first.into_iter().filter(|holder| matches!(holder.says, Says::Forwarded(_) | Says::Untold(_)));
    let mut said: Vec<Says> = rules.map(|holder| holder.says.clone()).collect();
    let zones: Vec<Holder> = holders.iter().filter(|holder| !holder.is_rule()).cloned().collect();
    let before = said.len();
    said.extend(unbeaten(&zones).into_iter().map(|holder| holder.says.clone()));
    if said.len() == before {
        said.push(Says::ResolverItself);
    }
    said
}

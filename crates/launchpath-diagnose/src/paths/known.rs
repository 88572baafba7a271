//! Paths that are worked out once for all who ask the same of the same network.
//!
//! Thousands of runtimes share a VPC, and the proof of a fix asks the same network again and again. Two ask the same when subnets,
//! groups and needs are the same, and nothing that was seen of the network differs.

use std::sync::{Arc, Mutex, PoisonError};

use launchpath_model::ids::{SecurityGroupId, SubnetId};
use launchpath_model::world::Network;
use launchpath_net::needs::Need;

use super::{Paths, wanted};
use crate::case::Case;

/// What has been worked out so far.
#[derive(Default)]
pub(crate) struct KnownPaths {
    known: Mutex<Vec<(Question, Arc<Paths>)>>,
}

#[derive(PartialEq)]
struct Question {
    subnets: Vec<SubnetId>,
    security_groups: Vec<SecurityGroupId>,
    wanted: Vec<Need>,
    network: Network,
}

impl KnownPaths {
    /// The paths of a case.
    pub(crate) fn paths(&self, case: &Case) -> Arc<Paths> {
        let Some(config) = case.vpc_config() else {
            return Arc::new(Paths::of(case));
        };
        let question = Question {
            subnets: config.subnets.clone(),
            security_groups: config.security_groups.clone(),
            wanted: wanted(case),
            network: case.world.network.clone(),
        };
        // A thread that panicked while it held the list left it whole: entries are only added.
        let known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some((_, paths)) = known.iter().find(|(other, _)| *other == question) {
            return Arc::clone(paths);
        }
        drop(known);
        let paths = Arc::new(Paths::of(case));
        self.known.lock().unwrap_or_else(PoisonError::into_inner).push((question, Arc::clone(&paths)));
        paths
    }
}

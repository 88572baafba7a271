//! EC2 instances: only sources and destinations of reachability questions.
//!
//! AWS: <https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_Instance.html>

use serde::Deserialize;

use super::network_interface::NetworkInterface;
use crate::ids::{InstanceId, SubnetId, VpcId};

/// An instance.
#[derive(Clone, Debug, Default, PartialEq, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
pub struct Instance {
    /// Its id.
    pub instance_id: InstanceId,
    /// Its VPC.
    pub vpc_id: Option<VpcId>,
    /// Its subnet.
    pub subnet_id: Option<SubnetId>,
    /// Its interfaces.
    pub network_interfaces: Option<Vec<NetworkInterface>>,
    /// Its state.
    pub state: Option<InstanceState>,
}

/// State of an instance.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
pub struct InstanceState {
    /// `running`, `stopped`, …
    pub name: Option<String>,
}

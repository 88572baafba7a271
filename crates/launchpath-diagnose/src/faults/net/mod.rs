//! Faults of the network in VPC mode.
//!
//! Those about paths share one analysis ([`crate::paths`]): each path's blockers fall to exactly one fault kind each, so that
//! one broken element is one fault.

mod central_egress_path;
mod dns_off;
mod downstream_unreachable;
mod endpoint_sg_blocks;
mod eni_create_failed;
mod eni_lingering;
mod missing_vpc_endpoint;
mod nacl;
mod no_egress_route;
mod public_subnet_no_nat;
mod runtime_sg_egress_blocks;
mod s3_path_missing;
mod unsupported_az;

use super::Fault;
pub(in crate::faults) use downstream_unreachable::says_unreachable;

pub(super) const FAULTS: &[&Fault] = &[
    &central_egress_path::FAULT,
    &dns_off::FAULT,
    &downstream_unreachable::FAULT,
    &endpoint_sg_blocks::FAULT,
    &eni_create_failed::FAULT,
    &eni_lingering::FAULT,
    &missing_vpc_endpoint::FAULT,
    &nacl::FAULT,
    &no_egress_route::FAULT,
    &public_subnet_no_nat::FAULT,
    &runtime_sg_egress_blocks::FAULT,
    &s3_path_missing::FAULT,
    &unsupported_az::FAULT,
];

//! Faults of the network in VPC mode.
//!
//! Those about paths share one analysis ([`crate::paths`]): each path's blockers fall to exactly one fault kind each, so that
//! one broken element is one fault.

mod dns_off;
mod endpoint_sg_blocks;
mod eni_create_failed;
mod missing_vpc_endpoint;
mod nacl;
mod no_egress_route;
mod public_subnet_no_nat;
mod runtime_sg_egress_blocks;
mod s3_path_missing;
mod unsupported_az;

use super::Fault;

pub(super) const FAULTS: &[&Fault] = &[
    &dns_off::FAULT,
    &endpoint_sg_blocks::FAULT,
    &eni_create_failed::FAULT,
    &missing_vpc_endpoint::FAULT,
    &nacl::FAULT,
    &no_egress_route::FAULT,
    &public_subnet_no_nat::FAULT,
    &runtime_sg_egress_blocks::FAULT,
    &s3_path_missing::FAULT,
    &unsupported_az::FAULT,
];

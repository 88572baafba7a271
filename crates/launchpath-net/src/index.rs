//! The network as the walk reads it: who guards what, which table a subnet uses, who holds an address.
//!
//! Built once per network and shared by all questions. It decides nothing about packets; what it cannot find it
//! hands out as a gap with the command that would tell.

use std::cell::{OnceCell, RefCell};
use std::collections::BTreeMap;
use std::sync::Arc;

use launchpath_model::aws::route_table::Route;
use launchpath_model::aws::vpc::CidrState;
use launchpath_model::aws::vpc_endpoint::VpcEndpoint;
use launchpath_model::command::aws_cli;
use launchpath_model::ids::{
    NatGatewayId, NetworkInterfaceId, PrefixListId, Region, SecurityGroupId, SubnetId, VpcEndpointId, VpcId,
};
use launchpath_model::query::prove_absent;
use launchpath_model::world::Network;
use launchpath_model::{EvidenceId, Gap, GapReason, Row, Table, Target};
use serde_json::json;

use crate::acl::{Acl, AclRule};
use crate::answer::{Hop, Leg};
use crate::dns::Resolution;
use crate::end::{End, EndKind, end_of_interface};
use crate::group::Group;
use crate::route::RouteList;
use crate::span::{Span, block, place, v4_block, v6_block};

/// How far a listing is trusted when nothing proves that it is complete.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Listing {
    /// What was not seen is absent only where a query proves it. For diagnoses.
    #[default]
    Proven,
    /// The network is a whole snapshot: what is not in it does not exist. For saved folders of describe outputs.
    /// Every use of this is disclosed in [`crate::Answer::assumed`].
    Snapshot,
}

/// Whether all things of a kind were seen.
#[derive(Clone, Debug)]
pub(crate) enum Coverage {
    Proven(Vec<EvidenceId>),
    Assumed(Box<Gap>),
    Unknown(Box<Gap>),
}

/// The entries of a prefix list, and the calls that show them.
pub(crate) type Entries = (Vec<Span<u128>>, Vec<EvidenceId>);

/// The route table of a subnet, and whether it is proven to be the one.
pub(crate) type TableOfSubnet<'a> = Result<(Arc<RouteList<'a>>, Coverage), Box<Gap>>;

/// The ACL of a subnet.
#[derive(Clone, Debug)]
pub(crate) enum AclOfSubnet<'a> {
    Seen(Arc<Acl<'a>>),
    /// A snapshot without ACLs: the default one, and what is assumed by that.
    Default(Box<Gap>),
    Unknown(Box<Gap>),
}

/// A subnet as the walk reads it.
#[derive(Debug)]
pub(crate) struct SubnetInfo<'a> {
    pub(crate) id: &'a SubnetId,
    pub(crate) vpc: &'a VpcId,
    /// Its blocks.
    pub(crate) spans: Vec<Span<u128>>,
    table: OnceCell<TableOfSubnet<'a>>,
    acl: OnceCell<AclOfSubnet<'a>>,
}

impl SubnetInfo<'_> {
    /// Its place in the index, for [`HopKey`].
    pub(crate) fn key(&self) -> usize {
        std::ptr::from_ref(self).addr()
    }
}

/// What makes a hop the same for every question: the deciding rule or route, the subnet, and the leg.
///
/// The first two are addresses of parts of the index or the network, which live as long as the index.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct HopKey(usize, usize, bool);

impl HopKey {
    pub(crate) fn acl(rule: &AclRule, subnet: usize, leg: Leg) -> Self {
        Self(std::ptr::from_ref(rule).addr(), subnet, leg == Leg::Reply)
    }

    pub(crate) fn route(route: &Route, subnet: usize, leg: Leg) -> Self {
        Self(std::ptr::from_ref(route).addr(), subnet, leg == Leg::Reply)
    }
}

/// The derived maps. See the module.
pub(crate) struct Index<'a> {
    pub(crate) network: &'a Network,
    pub(crate) listing: Listing,
    pub(crate) ends: Vec<End>,
    by_address: BTreeMap<VpcId, BTreeMap<u128, usize>>,
    by_public: BTreeMap<u128, usize>,
    members: BTreeMap<SecurityGroupId, Vec<usize>>,
    by_interface: BTreeMap<NetworkInterfaceId, usize>,
    nats: BTreeMap<NatGatewayId, usize>,
    subnets_of: BTreeMap<&'a VpcId, Vec<(Span<u128>, usize)>>,
    subnets: Vec<SubnetInfo<'a>>,
    by_subnet: BTreeMap<&'a SubnetId, usize>,
    lists_of_service: BTreeMap<String, Vec<PrefixListId>>,
    hops: RefCell<BTreeMap<HopKey, Arc<Hop>>>,
    group_hops: RefCell<BTreeMap<(usize, u32, u32), Arc<Hop>>>,
    member_gaps: RefCell<BTreeMap<(VpcId, SecurityGroupId), Option<Gap>>>,
    attachment_in: RefCell<BTreeMap<SubnetId, bool>>,
    resolutions: RefCell<BTreeMap<VpcId, BTreeMap<String, Arc<Resolution>>>>,
    table_of: BTreeMap<&'a SubnetId, Arc<RouteList<'a>>>,
    main_table: BTreeMap<&'a VpcId, Arc<RouteList<'a>>>,
    acl_of: BTreeMap<&'a SubnetId, Arc<Acl<'a>>>,
    edge_table: BTreeMap<&'a str, Arc<RouteList<'a>>>,
    pub(crate) groups: BTreeMap<&'a SecurityGroupId, Group>,
    lists: BTreeMap<PrefixListId, Entries>,
    list_service: BTreeMap<PrefixListId, String>,
    pub(crate) gateway_endpoints: BTreeMap<&'a str, &'a Row<VpcEndpoint>>,
}

impl<'a> Index<'a> {
    pub(crate) fn new(network: &'a Network, listing: Listing) -> Self {
        let mut index = Self {
            network,
            listing,
            ends: Vec::new(),
            by_address: BTreeMap::new(),
            by_public: BTreeMap::new(),
            members: BTreeMap::new(),
            by_interface: BTreeMap::new(),
            nats: BTreeMap::new(),
            subnets_of: BTreeMap::new(),
            subnets: Vec::new(),
            by_subnet: BTreeMap::new(),
            lists_of_service: BTreeMap::new(),
            hops: RefCell::default(),
            group_hops: RefCell::default(),
            member_gaps: RefCell::default(),
            attachment_in: RefCell::default(),
            resolutions: RefCell::default(),
            table_of: BTreeMap::new(),
            main_table: BTreeMap::new(),
            acl_of: BTreeMap::new(),
            edge_table: BTreeMap::new(),
            groups: BTreeMap::new(),
            lists: BTreeMap::new(),
            list_service: BTreeMap::new(),
            gateway_endpoints: BTreeMap::new(),
        };
        index.add_lists();
        index.sort_lists();
        index.add_topology();
        index.add_interfaces();
        index.add_nat_gateways();
        index
    }

    fn add_lists(&mut self) {
        let network = self.network;
        for (id, row) in network.prefix_lists.iter() {
            if let Some(blocks) = &row.value.cidrs {
                let spans = blocks.iter().map(|b| block(*b)).collect();
                self.lists.insert(id.clone(), (spans, row.evidence.clone()));
            }
            if let Some(name) = &row.value.prefix_list_name {
                self.list_service.insert(id.clone(), name.clone());
            }
        }
        for (id, row) in network.prefix_list_entries.iter() {
            let spans = row.value.iter().map(|entry| block(entry.cidr)).collect();
            self.lists.insert(id.clone(), (spans, row.evidence.clone()));
        }
        for (id, row) in network.vpc_endpoints.iter() {
            self.gateway_endpoints.insert(id.as_str(), row);
        }
        // A route to a gateway endpoint names the list of the endpoint's service.
        for (_, row) in network.route_tables.iter() {
            for route in row.value.routes.iter().flatten() {
                let (Some(list), Some(target)) = (&route.destination_prefix_list_id, &route.gateway_id)
                else {
                    continue;
                };
                if let Some(endpoint) = self.gateway_endpoints.get(target.as_str()) {
                    let name = endpoint.value.service_name.clone();
                    self.list_service.entry(list.clone()).or_insert(name);
                }
            }
        }
    }

    /// The services of lists, as `com.amazonaws.<region>.<service>` names them.
    fn sort_lists(&mut self) {
        for (id, name) in &self.list_service {
            let mut parts = name.splitn(4, '.');
            if (parts.next(), parts.next()) == (Some("com"), Some("amazonaws"))
                && let (Some(_), Some(service)) = (parts.next(), parts.next())
            {
                self.lists_of_service.entry(service.to_owned()).or_default().push(id.clone());
            }
        }
    }

    fn add_topology(&mut self) {
        let network = self.network;
        for (id, row) in network.subnets.iter() {
            let mut own: Vec<Span<u128>> = row.value.cidr_block.map(v4_block).into_iter().collect();
            for association in row.value.ipv6_cidr_block_association_set.iter().flatten() {
                let in_use = association.ipv6_cidr_block_state.as_ref().is_none_or(CidrState::is_associated);
                if let Some(b) = association.ipv6_cidr_block.filter(|_| in_use) {
                    own.push(v6_block(b));
                }
            }
            let position = self.subnets.len();
            let spans = self.subnets_of.entry(&row.value.vpc_id).or_default();
            spans.extend(own.iter().map(|span| (*span, position)));
            self.by_subnet.insert(id, position);
            self.subnets.push(SubnetInfo {
                id,
                vpc: &row.value.vpc_id,
                spans: own,
                table: OnceCell::new(),
                acl: OnceCell::new(),
            });
        }
        for spans in self.subnets_of.values_mut() {
            spans.sort();
        }
        for (id, row) in network.route_tables.iter() {
            let table = Arc::new(RouteList::new(id, row, &self.lists));
            for association in row.value.associations.iter().flatten() {
                let table = Arc::clone(&table);
                if let Some(subnet) = &association.subnet_id {
                    self.table_of.insert(subnet, table);
                } else if association.main == Some(true) {
                    self.main_table.insert(&row.value.vpc_id, table);
                } else if let Some(gateway) = &association.gateway_id {
                    self.edge_table.insert(gateway, table);
                }
            }
        }
        for (id, row) in network.network_acls.iter() {
            let acl = Arc::new(Acl::new(id, row));
            for association in row.value.associations.iter().flatten() {
                if let Some(subnet) = &association.subnet_id {
                    self.acl_of.insert(subnet, Arc::clone(&acl));
                }
            }
        }
        for (id, row) in network.security_groups.iter() {
            self.groups.insert(id, Group::new(&row.value));
        }
    }

    fn add_interfaces(&mut self) {
        let network = self.network;
        let mut endpoint_of: BTreeMap<&NetworkInterfaceId, &VpcEndpointId> = BTreeMap::new();
        for (id, row) in network.vpc_endpoints.iter() {
            for interface in row.value.network_interface_ids.iter().flatten() {
                endpoint_of.insert(interface, id);
            }
        }
        for (id, row) in network.network_interfaces.iter() {
            let kind = if let Some(endpoint) = endpoint_of.get(id) {
                EndKind::Endpoint((*endpoint).clone())
            } else if row.value.interface_type.as_deref() == Some("nat_gateway") {
                EndKind::NatGateway
            } else {
                EndKind::Plain
            };
            if let Some(end) = end_of_interface(&row.value, kind, None, &row.evidence) {
                self.add_end(end);
            }
        }
        // Instances describe their interfaces too; folders exist that hold nothing else.
        for (instance, row) in network.instances.iter() {
            for interface in row.value.network_interfaces.iter().flatten() {
                let known = self.by_interface.get(&interface.network_interface_id).map(|i| &self.ends[*i]);
                let address = interface.private_ip_address.map(|a| place(a.into()));
                if known.is_some_and(|end| address.is_none_or(|a| end.holds(a))) {
                    continue;
                }
                let vpc = row.value.vpc_id.as_ref();
                if let Some(mut end) = end_of_interface(interface, EndKind::Plain, vpc, &row.evidence) {
                    end.what = instance.into();
                    end.subnet = end.subnet.or_else(|| row.value.subnet_id.clone());
                    self.add_end(end);
                }
            }
        }
    }

    /// NAT gateways as ends: by what they say of themselves, so that their interfaces need not be seen.
    fn add_nat_gateways(&mut self) {
        let network = self.network;
        for (id, row) in network.nat_gateways.iter() {
            let nat = &row.value;
            let Some(vpc) = &nat.vpc_id else { continue };
            let mut addresses = Vec::new();
            let mut public = Vec::new();
            for address in nat.nat_gateway_addresses.iter().flatten() {
                let Some(private) = address.private_ip else {
                    public.extend(address.public_ip.map(|ip| (0, place(ip.into()))));
                    continue;
                };
                addresses.push(Span::one(place(private.into())));
                public.extend(address.public_ip.map(|ip| (place(private.into()), place(ip.into()))));
            }
            let what = nat.nat_gateway_addresses.iter().flatten().next().and_then(|a| a.private_ip);
            let position = self.ends.len();
            self.nats.insert(id.clone(), position);
            for (_, address) in &public {
                self.by_public.insert(*address, position);
            }
            let held = self.by_address.entry(vpc.clone()).or_default();
            for span in &addresses {
                held.entry(span.first).or_insert(position);
            }
            self.ends.push(End {
                kind: EndKind::NatGateway,
                what: what.map_or_else(|| id.into(), |ip| format!("{ip} ({id})").into()),
                interface: None,
                vpc: vpc.clone(),
                subnet: nat.subnet_id.clone(),
                groups: Some(Vec::new()),
                addresses,
                public,
                source_dest_check: Some(false),
                status: None,
                evidence: row.evidence.clone(),
            });
        }
    }

    /// The NAT gateway as an end.
    pub(crate) fn nat_end(&self, id: &NatGatewayId) -> Option<&End> {
        self.nats.get(id).map(|end| &self.ends[*end])
    }

    fn add_end(&mut self, end: End) {
        let position = self.ends.len();
        let addresses = self.by_address.entry(end.vpc.clone()).or_default();
        for span in &end.addresses {
            addresses.entry(span.first).or_insert(position);
        }
        for (_, public) in &end.public {
            self.by_public.insert(*public, position);
        }
        for group in end.groups.iter().flatten() {
            self.members.entry(group.clone()).or_default().push(position);
        }
        if let Some(id) = &end.interface {
            self.by_interface.entry(id.clone()).or_insert(position);
        }
        self.ends.push(end);
    }

    pub(crate) fn region(&self) -> Option<&str> {
        self.network.region.as_ref().map(Region::as_str)
    }

    /// Proof that `table` holds all there is of the target, or what stands in for it.
    pub(crate) fn coverage<K: Ord + Clone, T>(&self, table: &Table<K, T>, target: &Target) -> Coverage {
        match prove_absent(table.reads(), target) {
            Ok(absence) => Coverage::Proven(absence.evidence().to_vec()),
            Err(gap) if self.listing == Listing::Snapshot => Coverage::Assumed(Box::new(gap)),
            Err(gap) => Coverage::Unknown(Box::new(gap)),
        }
    }

    /// A target of an EC2 describe call with one filter.
    pub(crate) fn target(&self, what: String, operation: &str, filters: &[(&str, &str)]) -> Target {
        let filter_list: Vec<_> =
            filters.iter().map(|(name, value)| json!({ "Name": name, "Values": [value] })).collect();
        let command = aws_cli("ec2", operation, self.region(), &json!({ "Filters": filter_list }));
        let mut target = Target::new(what, command).in_region(self.network.region.as_ref());
        for (name, value) in filters {
            target = target.with(name, *value);
        }
        target
    }

    /// A gap for a thing that is named and was not seen.
    pub(crate) fn missing<K: Ord + Clone, T>(
        &self,
        table: &Table<K, T>,
        what: String,
        operation: &str,
        member: &str,
        id: &str,
    ) -> Gap {
        let command = aws_cli("ec2", operation, self.region(), &json!({ member: [id] }));
        let target = Target::new(what, command).in_region(self.network.region.as_ref()).with(member, id);
        match prove_absent(table.reads(), &target) {
            // It is named elsewhere, so it exists (or did): its absence here is a contradiction, not a fact.
            Ok(absence) => Gap {
                what: target.what,
                reason: GapReason::NotVisible { why: "it is named but not listed".to_owned() },
                evidence: absence.evidence().to_vec(),
                command: Some(target.command),
            },
            Err(gap) => gap,
        }
    }

    /// The route table of a subnet: its own, else the VPC's main table when no other can be its own.
    pub(crate) fn table_of<'i>(&self, subnet: &'i SubnetInfo<'a>) -> &'i TableOfSubnet<'a> {
        subnet.table.get_or_init(|| self.find_table(subnet.id))
    }

    /// [`Index::table_of`] for a subnet that was not seen itself.
    pub(crate) fn find_table(&self, subnet: &SubnetId) -> TableOfSubnet<'a> {
        if let Some(table) = self.table_of.get(subnet) {
            return Ok((Arc::clone(table), Coverage::Proven(Vec::new())));
        }
        let Some(row) = self.network.subnets.seen(subnet) else {
            return Err(Box::new(self.missing_subnet(subnet)));
        };
        let vpc = &row.value.vpc_id;
        let what = format!("the route table of {subnet}");
        let target = self
            .target(what, "DescribeRouteTables", &[("vpc-id", vpc.as_str())])
            .with("association.subnet-id", subnet.as_str());
        match (self.coverage(&self.network.route_tables, &target), self.main_table.get(vpc)) {
            (Coverage::Unknown(gap), _) | (Coverage::Assumed(gap), None) => Err(gap),
            (coverage, Some(main)) => Ok((Arc::clone(main), coverage)),
            (Coverage::Proven(evidence), None) => Err(Box::new(Gap {
                what: format!("the main route table of {vpc}"),
                reason: GapReason::NotVisible { why: "no listed table is the main one".to_owned() },
                evidence,
                command: Some(target.command.clone()),
            })),
        }
    }

    /// Whether this is a snapshot in which the VPC has no route table at all.
    pub(crate) fn has_no_table(&self, vpc: &VpcId) -> bool {
        self.listing == Listing::Snapshot
            && !self.network.route_tables.iter().any(|(_, row)| row.value.vpc_id == *vpc)
    }

    /// The table that traffic entering through an internet or VPN gateway is looked up in, when there is one.
    pub(crate) fn edge_table(&self, gateway: &str) -> Option<&RouteList<'a>> {
        self.edge_table.get(gateway).map(AsRef::as_ref)
    }

    /// Whether another VPC than `vpc` has a known interface with the address.
    pub(crate) fn held_elsewhere(&self, vpc: &VpcId, address: u128) -> bool {
        self.by_address.iter().any(|(other, addresses)| other != vpc && addresses.contains_key(&address))
    }

    /// The network ACL of a subnet.
    pub(crate) fn acl_of<'i>(&self, subnet: &'i SubnetInfo<'a>) -> &'i AclOfSubnet<'a> {
        subnet.acl.get_or_init(|| self.find_acl(subnet.id))
    }

    /// [`Index::acl_of`] for a subnet that was not seen itself.
    pub(crate) fn find_acl(&self, subnet: &SubnetId) -> AclOfSubnet<'a> {
        if let Some(acl) = self.acl_of.get(subnet) {
            return AclOfSubnet::Seen(Arc::clone(acl));
        }
        let target = self.target(
            format!("the network ACL of {subnet}"),
            "DescribeNetworkAcls",
            &[("association.subnet-id", subnet.as_str())],
        );
        let gap = match prove_absent(self.network.network_acls.reads(), &target) {
            Ok(absence) => Box::new(Gap {
                what: target.what.clone(),
                reason: GapReason::NotVisible { why: "no listed ACL names the subnet".to_owned() },
                evidence: absence.evidence().to_vec(),
                command: Some(target.command.clone()),
            }),
            Err(gap) => Box::new(gap),
        };
        // AWS: every subnet has an ACL, and the default one allows all
        // (https://docs.aws.amazon.com/vpc/latest/userguide/default-network-acl.html).
        if self.listing == Listing::Snapshot { AclOfSubnet::Default(gap) } else { AclOfSubnet::Unknown(gap) }
    }

    /// The subnets of a VPC that hold some of `span`, in address order.
    pub(crate) fn subnets_within(
        &self,
        vpc: &VpcId,
        span: Span<u128>,
    ) -> impl Iterator<Item = (Span<u128>, &SubnetInfo<'a>)> {
        let all = self.subnets_of.get(vpc).map(Vec::as_slice).unwrap_or_default();
        // Subnets of a VPC do not overlap, so sorted by start they are sorted by end.
        let start = all.partition_point(|(own, _)| own.last < span.first);
        let within = all[start..].iter().take_while(move |(own, _)| own.first <= span.last);
        within.map(|(own, position)| (*own, &self.subnets[*position]))
    }

    /// The known interfaces of a VPC with an address in `span`, by address.
    pub(crate) fn ends_within(&self, vpc: &VpcId, span: Span<u128>) -> impl Iterator<Item = (u128, &End)> {
        let addresses = self.by_address.get(vpc).into_iter();
        let within = addresses.flat_map(move |addresses| addresses.range(span.first..=span.last));
        within.map(|(at, end)| (*at, &self.ends[*end]))
    }

    pub(crate) fn publics_within(&self, span: Span<u128>) -> impl Iterator<Item = (u128, &End)> {
        self.by_public.range(span.first..=span.last).map(|(at, end)| (*at, &self.ends[*end]))
    }

    pub(crate) fn end_of(&self, interface: &NetworkInterfaceId) -> Option<&End> {
        self.by_interface.get(interface).map(|end| &self.ends[*end])
    }

    /// The known members of a group.
    pub(crate) fn members(&self, group: &SecurityGroupId) -> impl Iterator<Item = &End> {
        self.members.get(group).into_iter().flatten().map(|end| &self.ends[*end])
    }

    /// The entries of a prefix list, where known.
    pub(crate) fn list(&self, id: &PrefixListId) -> Option<&Entries> {
        self.lists.get(id)
    }

    /// The AWS service whose addresses the list holds, where known, as `com.amazonaws.<region>.<service>`.
    pub(crate) fn service_of_list(&self, id: &PrefixListId) -> Option<&str> {
        self.list_service.get(id).map(String::as_str).filter(|name| name.starts_with("com.amazonaws."))
    }

    /// The lists of a service (`s3`, `dynamodb`).
    pub(crate) fn lists_of(&self, service: &str) -> &[PrefixListId] {
        self.lists_of_service.get(service).map(Vec::as_slice).unwrap_or_default()
    }

    pub(crate) fn subnet(&self, id: &SubnetId) -> Option<&SubnetInfo<'a>> {
        self.by_subnet.get(id).map(|position| &self.subnets[*position])
    }

    /// The hop of a key, made once.
    pub(crate) fn hop(&self, key: HopKey, make: impl FnOnce() -> Hop) -> Arc<Hop> {
        Arc::clone(self.hops.borrow_mut().entry(key).or_insert_with(|| Arc::new(make())))
    }

    /// The hop of one deciding group rule at an interface: the last one made for the rule, when it is about the same.
    pub(crate) fn group_hop(
        &self,
        rule: (usize, u32, u32),
        at: &str,
        groups: &[SecurityGroupId],
        make: impl FnOnce() -> Hop,
    ) -> Arc<Hop> {
        let mut hops = self.group_hops.borrow_mut();
        if let Some(hop) = hops.get(&rule)
            && hop.at.as_deref() == Some(at)
            && hop.id.split(',').eq(groups.iter().map(SecurityGroupId::as_str))
        {
            return Arc::clone(hop);
        }
        let hop = Arc::new(make());
        hops.insert(rule, Arc::clone(&hop));
        hop
    }

    /// What a name means in a VPC, found out once.
    pub(crate) fn resolution(
        &self,
        vpc: &VpcId,
        name: &str,
        resolve: impl FnOnce() -> Resolution,
    ) -> Arc<Resolution> {
        if let Some(known) = self.resolutions.borrow().get(vpc).and_then(|names| names.get(name)) {
            return Arc::clone(known);
        }
        let resolution = Arc::new(resolve());
        let mut all = self.resolutions.borrow_mut();
        all.entry(vpc.clone()).or_default().insert(name.to_owned(), Arc::clone(&resolution));
        resolution
    }

    /// Why members of a group in the VPC may be unseen; `None` when all were seen.
    pub(crate) fn unseen_members(&self, vpc: &VpcId, group: &SecurityGroupId) -> Option<Gap> {
        if self.listing == Listing::Snapshot {
            return None;
        }
        let key = (vpc.clone(), group.clone());
        if let Some(known) = self.member_gaps.borrow().get(&key) {
            return known.clone();
        }
        let target = self
            .target(
                format!("the interfaces with group {group}"),
                "DescribeNetworkInterfaces",
                &[("group-id", group.as_str())],
            )
            .with("vpc-id", vpc.as_str());
        let gap = match self.coverage(&self.network.network_interfaces, &target) {
            Coverage::Unknown(gap) => Some(*gap),
            Coverage::Proven(_) | Coverage::Assumed(_) => None,
        };
        self.member_gaps.borrow_mut().insert(key, gap.clone());
        gap
    }

    /// Whether an interface of a transit gateway attachment may stand in the subnet.
    pub(crate) fn may_hold_attachment(&self, vpc: &VpcId, subnet: &SubnetId) -> bool {
        if let Some(known) = self.attachment_in.borrow().get(subnet) {
            return *known;
        }
        let network = self.network;
        let attached = network
            .transit_gateway_vpc_attachments
            .iter()
            .filter(|(_, row)| row.value.vpc_id == *vpc)
            .any(|(_, row)| row.value.subnet_ids.as_ref().is_none_or(|own| own.contains(subnet)));
        let stands = network.network_interfaces.iter().any(|(_, row)| {
            row.value.subnet_id.as_ref() == Some(subnet)
                && row.value.interface_type.as_deref() == Some("transit_gateway")
        });
        let what = || format!("a transit gateway attachment in {subnet}");
        let of_vpc = [("vpc-id", vpc.as_str())];
        let attachments = self.target(what(), "DescribeTransitGatewayVpcAttachments", &of_vpc);
        let in_subnet = [("subnet-id", subnet.as_str())];
        let interfaces =
            self.target(what(), "DescribeNetworkInterfaces", &in_subnet).with("vpc-id", vpc.as_str());
        let unseen = || {
            let by_attachment = self.coverage(&network.transit_gateway_vpc_attachments, &attachments);
            let by_interface = self.coverage(&network.network_interfaces, &interfaces);
            matches!((by_attachment, by_interface), (Coverage::Unknown(_), Coverage::Unknown(_)))
        };
        let may = attached || stands || unseen();
        self.attachment_in.borrow_mut().insert(subnet.clone(), may);
        may
    }

    /// The zone of a subnet: by id, which all accounts share, else by name.
    pub(crate) fn zone_of(&self, subnet: &SubnetId) -> Option<String> {
        let row = &self.network.subnets.seen(subnet)?.value;
        let id = row.availability_zone_id.as_ref().map(ToString::to_string);
        id.or_else(|| row.availability_zone.clone())
    }

    pub(crate) fn missing_subnet(&self, subnet: &SubnetId) -> Gap {
        self.missing(
            &self.network.subnets,
            format!("subnet {subnet}"),
            "DescribeSubnets",
            "SubnetIds",
            subnet.as_str(),
        )
    }

    /// The blocks of a VPC; `None` when it was not seen.
    pub(crate) fn vpc_blocks(&self, vpc: &VpcId) -> Option<Vec<Span<u128>>> {
        let row = self.network.vpcs.seen(vpc)?;
        let v4 = row.value.ipv4_blocks().into_iter().map(v4_block);
        Some(v4.chain(row.value.ipv6_blocks().into_iter().map(v6_block)).collect())
    }
}

/// The prefix list of an endpoint service (`com.amazonaws.<region>.s3`), by the list's name or a route that shows it.
pub(crate) fn list_of_service(network: &Network, service: &str) -> Option<PrefixListId> {
    let named =
        network.prefix_lists.iter().find(|(_, row)| row.value.prefix_list_name.as_deref() == Some(service));
    if let Some((id, _)) = named {
        return Some(id.clone());
    }
    for (_, table) in network.route_tables.iter() {
        for route in table.value.routes.iter().flatten() {
            let target = route.gateway_id.as_deref().map(VpcEndpointId::from);
            let endpoint = target.and_then(|id| network.vpc_endpoints.seen(&id));
            if endpoint.is_some_and(|row| row.value.service_name == service)
                && let Some(list) = &route.destination_prefix_list_id
            {
                return Some(list.clone());
            }
        }
    }
    None
}

//! Comparing the `Principal` or `NotPrincipal` of a statement with who makes a request.
//!
//! Not what follows from a match: how a grant is limited by the other layers depends on whether it names the
//! caller, its role or only its account, and `evaluate.rs` knows that. Start at [`CompiledPrincipals::reach`].

use crate::arn::ArnParts;
use crate::context::Lookup;
use crate::document::{PrincipalSpec, Principals};
use crate::principal::{Principal, PrincipalKind, is_account_id};
use crate::request::Request;
use crate::tri::Tri;

/// In which ways a statement names the caller.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Reach {
    /// The very caller: everyone, the user, the session, the service.
    pub(crate) direct: Tri,
    /// The role of the session, or the user behind a federated session.
    pub(crate) role: Tri,
    /// The caller's account, which may pass the permission on.
    pub(crate) account: Tri,
}

impl Reach {
    pub(crate) const NOWHERE: Self = Self { direct: Tri::False, role: Tri::False, account: Tri::False };
    pub(crate) const DIRECT: Self = Self { direct: Tri::True, ..Self::NOWHERE };

    fn direct(direct: Tri) -> Self {
        Self { direct, ..Self::NOWHERE }
    }

    fn role(role: Tri) -> Self {
        Self { role, ..Self::NOWHERE }
    }

    fn account(account: Tri) -> Self {
        Self { account, ..Self::NOWHERE }
    }

    fn or(self, other: Self) -> Self {
        Self {
            direct: self.direct.or(other.direct),
            role: self.role.or(other.role),
            account: self.account.or(other.account),
        }
    }

    /// In any way.
    pub(crate) fn any(self) -> Tri {
        self.direct.or(self.role).or(self.account)
    }
}

/// How a layer reads principals.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Reading {
    /// As resource-based policies do.
    Usual,
    /// As gateway endpoints do: only `*` names users and roles, an account means its root user.
    ///
    /// AWS: <https://docs.aws.amazon.com/vpc/latest/privatelink/vpc-endpoints-access.html#vpc-endpoint-policies-gateway>
    Gateway,
    /// One of the two, it is not known which.
    Either,
}

/// Facts beyond the request on which a match can depend.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Surroundings {
    /// Whether the principal has a permissions boundary.
    pub(crate) bounded: Tri,
    pub(crate) reading: Reading,
}

/// The principals of a statement, read once.
#[derive(Debug, Clone)]
pub(crate) struct CompiledPrincipals {
    specs: Box<[Spec]>,
    negated: bool,
}

#[derive(Debug, Clone)]
enum Spec {
    Everyone,
    Account {
        partition: Option<Box<str>>,
        id: Box<str>,
    },
    User(Box<str>),
    Role {
        account: Box<str>,
        name: Box<str>,
        arn: Box<str>,
    },
    Session {
        arn: Box<str>,
        account: Box<str>,
        role: Box<str>,
    },
    FederatedUser(Box<str>),
    /// The unique id of a user (`AIDA…`) or role (`AROA…`). AWS shows one where a principal was deleted.
    UniqueId(Box<str>),
    Service(Box<str>),
    AnyService,
    Federated(Box<str>),
    AnyFederated,
    Canonical(Box<str>),
    /// No principal AWS knows; names nobody.
    Nobody,
}

impl Spec {
    fn new(spec: &PrincipalSpec) -> Self {
        match spec {
            PrincipalSpec::Everyone => Self::Everyone,
            PrincipalSpec::Service(name) if name == "*" => Self::AnyService,
            PrincipalSpec::Service(name) => Self::Service(name.as_str().into()),
            PrincipalSpec::Federated(name) if name == "*" => Self::AnyFederated,
            PrincipalSpec::Federated(name) => Self::Federated(name.as_str().into()),
            PrincipalSpec::CanonicalUser(id) => Self::Canonical(id.as_str().into()),
            PrincipalSpec::Aws(text) => Self::aws(text),
        }
    }

    /// AWS: <https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_elements_principal.html>
    fn aws(text: &str) -> Self {
        if text == "*" {
            return Self::Everyone;
        }
        if is_account_id(text) {
            return Self::Account { partition: None, id: text.into() };
        }
        if text.len() >= 16 && text.starts_with('A') && text.bytes().all(|b| b.is_ascii_alphanumeric()) {
            return Self::UniqueId(text.into());
        }
        // AWS: a wildcard cannot stand for a part of a name or an ARN.
        let Some(arn) = ArnParts::split(text).filter(|_| !text.contains(['*', '?'])) else {
            return Self::Nobody;
        };
        match (arn.service, arn.resource.split_once('/')) {
            ("iam", None) if arn.resource == "root" => {
                Self::Account { partition: Some(arn.partition.into()), id: arn.account.into() }
            }
            ("iam", Some(("user", _))) => Self::User(text.into()),
            ("iam", Some(("role", name))) => Self::Role {
                account: arn.account.into(),
                name: name.rsplit('/').next().unwrap_or(name).into(),
                arn: text.into(),
            },
            ("sts", Some(("assumed-role", name))) => Self::Session {
                arn: text.into(),
                account: arn.account.into(),
                role: name.split('/').next().unwrap_or(name).into(),
            },
            ("sts", Some(("federated-user", _))) => Self::FederatedUser(text.into()),
            _ => Self::Nobody,
        }
    }

    fn reach(&self, request: &Request, reading: Reading) -> Reach {
        let usual = self.usual_reach(request);
        if reading == Reading::Usual || matches!(self, Self::Everyone) {
            return usual;
        }
        let is_root = *request.principal().kind() == PrincipalKind::Root;
        let gateway = match self {
            Self::Account { .. } if is_root => usual,
            Self::Account { .. } => Reach::NOWHERE,
            // Gateways cannot be limited to a user or role; what naming one does is not documented.
            _ if usual.any().is_false() => usual,
            _ => Reach::direct(Tri::Unknown),
        };
        if reading == Reading::Gateway || gateway == usual {
            return gateway;
        }
        Reach::direct(Tri::Unknown)
    }

    fn usual_reach(&self, request: &Request) -> Reach {
        let who = request.principal();
        let kind = who.kind();
        match self {
            Self::Everyone => Reach::DIRECT,
            Self::Account { partition, id } => {
                let same_partition =
                    partition.as_deref().is_none_or(|partition| partition == who.partition());
                if who.account() != Some(&**id) || !same_partition {
                    return Reach::NOWHERE;
                }
                if *kind == PrincipalKind::Root {
                    return Reach::DIRECT;
                }
                Reach::account(Tri::True)
            }
            Self::User(arn) => match kind {
                PrincipalKind::User => Reach::direct((**arn == *who.as_str()).into()),
                PrincipalKind::FederatedUser => Reach::role(match who.parent_user() {
                    Some(parent) => (parent == &**arn).into(),
                    None if same_account(arn, who) => Tri::Unknown,
                    None => Tri::False,
                }),
                _ => Reach::NOWHERE,
            },
            Self::Role { account, name, arn } => {
                let Some((role_arn, path_known)) = who.role() else {
                    return Reach::NOWHERE;
                };
                // A role's name is unique in its account whatever its path.
                let named = who.account() == Some(&**account) && who.name() == &**name;
                Reach::role((named && (!path_known || role_arn == &**arn)).into())
            }
            Self::Session { arn, account, role } => match kind {
                PrincipalKind::AssumedRole => Reach::direct((**arn == *who.as_str()).into()),
                PrincipalKind::Role => {
                    let same_role = who.account() == Some(&**account) && who.name() == &**role;
                    Reach::direct(if same_role { Tri::Unknown } else { Tri::False })
                }
                _ => Reach::NOWHERE,
            },
            Self::FederatedUser(arn) => {
                let named = *kind == PrincipalKind::FederatedUser && **arn == *who.as_str();
                Reach::direct(named.into())
            }
            Self::UniqueId(id) => {
                let Lookup::One(userid) = request.lookup("aws:userid") else {
                    return Reach::NOWHERE;
                };
                let named = userid.split(':').next() == Some(&**id);
                if who.role().is_some() { Reach::role(named.into()) } else { Reach::direct(named.into()) }
            }
            Self::Service(name) => {
                Reach::direct((*kind == PrincipalKind::Service && **name == *who.as_str()).into())
            }
            Self::Federated(name) => {
                Reach::direct((*kind == PrincipalKind::Federated && **name == *who.as_str()).into())
            }
            Self::AnyService if *kind == PrincipalKind::Service => Reach::direct(Tri::Unknown),
            Self::AnyFederated if *kind == PrincipalKind::Federated => Reach::direct(Tri::Unknown),
            Self::AnyService | Self::AnyFederated | Self::Nobody => Reach::NOWHERE,
            Self::Canonical(id) => match who.canonical_id() {
                Some(known) => Reach::account((known == &**id).into()),
                None if who.is_iam() => Reach::account(Tri::Unknown),
                None => Reach::NOWHERE,
            },
        }
    }
}

fn same_account(arn: &str, who: &Principal) -> bool {
    ArnParts::split(arn).is_some_and(|parts| who.account() == Some(parts.account))
}

impl CompiledPrincipals {
    pub(crate) fn new(principals: &Principals) -> Self {
        Self {
            specs: principals.items().iter().map(Spec::new).collect(),
            negated: matches!(principals, Principals::NoneOf(_)),
        }
    }

    /// How an `Allow` statement reaches the caller.
    pub(crate) fn reach(&self, request: &Request, around: Surroundings) -> Reach {
        let named = self.named(request, around.reading);
        if !self.negated {
            return named;
        }
        // AWS: NotPrincipal with Allow is not supported; what is stored grants to all but the named. Whether naming
        // the account excepts all its principals is not documented.
        let specific = named.direct.or(named.role);
        Reach::direct((!specific).and(if named.account.is_false() { Tri::True } else { Tri::Unknown }))
    }

    /// Whether a `Deny` statement meets the caller.
    pub(crate) fn meets(&self, request: &Request, around: Surroundings) -> Tri {
        let named = self.named(request, around.reading);
        if !self.negated {
            return named.any();
        }
        // AWS: such a statement always denies principals that have a permissions boundary, whomever it names.
        // https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_elements_notprincipal.html
        self.excepts(request, named).map_or(Tri::Unknown, |excepted| !Tri::from(excepted)).or(around.bounded)
    }

    fn named(&self, request: &Request, reading: Reading) -> Reach {
        let reaches = self.specs.iter().map(|spec| spec.reach(request, reading));
        reaches.fold(Reach::NOWHERE, Reach::or)
    }

    /// Whether a `NotPrincipal` excepts the caller: the caller itself must be named, and with it its account and
    /// its role, else AWS "might" deny. `None` where that is so.
    fn excepts(&self, request: &Request, named: Reach) -> Option<bool> {
        if self.specs.iter().any(|spec| matches!(spec, Spec::Everyone)) {
            return Some(true);
        }
        let kind = request.principal().kind();
        if matches!(kind, PrincipalKind::Service | PrincipalKind::Federated | PrincipalKind::Anonymous) {
            return definite(named.direct);
        }
        let itself = if *kind == PrincipalKind::Role { named.role } else { named.direct };
        let needs_role = *kind == PrincipalKind::AssumedRole;
        if itself.is_false() {
            // A session whose role is named, but not itself: the order of checks decides, which AWS leaves open.
            return if named.role.is_false() { Some(false) } else { None };
        }
        let complete = itself
            .and(if *kind == PrincipalKind::Root { Tri::True } else { named.account })
            .and(if needs_role { named.role } else { Tri::True });
        complete.is_true().then_some(true)
    }
}

fn definite(tri: Tri) -> Option<bool> {
    match tri {
        Tri::True => Some(true),
        Tri::False => Some(false),
        Tri::Unknown => None,
    }
}

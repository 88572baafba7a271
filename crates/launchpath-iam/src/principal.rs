//! Who makes a request.
//!
//! Not the `Principal` element of a policy: that is [`PrincipalSpec`](crate::PrincipalSpec), and
//! `principal_match.rs` compares the two.

use std::fmt;

use serde::Serialize;
use thiserror::Error;

use crate::arn::ArnParts;

/// Why a text names no principal that could make a request.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[error("`{text}` is no principal: {why}")]
pub struct PrincipalError {
    text: String,
    why: &'static str,
}

/// The kinds of principal.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum PrincipalKind {
    /// The root user of an account.
    Root,
    /// An IAM user.
    User,
    /// An IAM role, of which no particular session is meant.
    Role,
    /// A session of an IAM role.
    AssumedRole,
    /// A session from `GetFederationToken`.
    FederatedUser,
    /// An AWS service acting as itself, such as `bedrock-agentcore.amazonaws.com`.
    Service,
    /// A SAML or OIDC identity before it has assumed a role.
    Federated,
    /// Nobody: an unsigned request.
    Anonymous,
}

/// A principal, with all that its name tells.
///
/// A session's ARN has neither the path of its role nor the unique id; say them with
/// [`Principal::with_role_arn`] and, as a context key, `aws:userid`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Principal {
    kind: PrincipalKind,
    text: String,
    partition: String,
    account: String,
    /// User or federated-user name; the role's name for roles and sessions.
    name: String,
    session: String,
    /// The role's ARN: exact when `role_path_known`, else as it is if the role has no path.
    role_arn: String,
    role_path_known: bool,
    service_linked: bool,
    parent_user: Option<String>,
    canonical_id: Option<String>,
}

impl Principal {
    fn new(kind: PrincipalKind, text: &str) -> Self {
        Self {
            kind,
            text: text.to_owned(),
            partition: String::new(),
            account: String::new(),
            name: String::new(),
            session: String::new(),
            role_arn: String::new(),
            role_path_known: false,
            service_linked: false,
            parent_user: None,
            canonical_id: None,
        }
    }

    /// Reads an ARN (user, role, assumed role, federated user, root, identity provider), an account id (its root
    /// user), a service principal, or `anonymous`.
    pub fn parse(text: &str) -> Result<Self, PrincipalError> {
        let fail = |why| PrincipalError { text: text.to_owned(), why };
        if text.eq_ignore_ascii_case("anonymous") || text == "*" {
            return Ok(Self::anonymous());
        }
        if is_account_id(text) {
            return Ok(Self::root("aws", text));
        }
        let Some(arn) = ArnParts::split(text) else {
            let known = ["cognito-identity.amazonaws.com", "accounts.google.com", "graph.facebook.com"];
            if known.contains(&text) || text == "www.amazon.com" {
                return Ok(Self::federated(text));
            }
            if text.contains('.') && !text.contains([':', '/', ' ']) {
                return Ok(Self::service(text));
            }
            return Err(fail("neither an ARN nor an account id, a service or `anonymous`"));
        };
        if !is_account_id(arn.account) {
            return Err(fail("its ARN has no account id of twelve digits"));
        }
        let (kind, name) = match (arn.service, arn.resource.split_once('/')) {
            ("iam", None) if arn.resource == "root" => return Ok(Self::root(arn.partition, arn.account)),
            ("iam", Some((kind @ ("user" | "role"), name))) | ("sts", Some((kind, name))) => (kind, name),
            ("iam", Some(("saml-provider" | "oidc-provider", _))) => return Ok(Self::federated(text)),
            ("iam", Some(("group", _))) => return Err(fail("a group cannot make requests")),
            _ => return Err(fail("this ARN is not one of a user, role, session or root user")),
        };
        let kind = match kind {
            "user" => PrincipalKind::User,
            "role" => PrincipalKind::Role,
            "assumed-role" => PrincipalKind::AssumedRole,
            "federated-user" => PrincipalKind::FederatedUser,
            _ => return Err(fail("this ARN is not one of a session")),
        };
        let mut principal = Self::new(kind.clone(), text);
        arn.partition.clone_into(&mut principal.partition);
        arn.account.clone_into(&mut principal.account);
        match kind {
            PrincipalKind::AssumedRole => {
                let (role, session) = name.split_once('/').ok_or_else(|| fail("it names no session"))?;
                role.clone_into(&mut principal.name);
                session.clone_into(&mut principal.session);
                principal.role_arn = format!("arn:{}:iam::{}:role/{role}", arn.partition, arn.account);
                // AWS: service-linked roles are named so. A session does not tell the path that would prove it;
                // `with_role_arn` does.
                // https://docs.aws.amazon.com/IAM/latest/UserGuide/id_roles_create-service-linked-role.html
                principal.service_linked = role.starts_with("AWSServiceRoleFor");
            }
            PrincipalKind::Role => {
                name.rsplit('/').next().unwrap_or(name).clone_into(&mut principal.name);
                text.clone_into(&mut principal.role_arn);
                principal.role_path_known = true;
                principal.service_linked = name.starts_with("aws-service-role/");
            }
            _ => name.rsplit('/').next().unwrap_or(name).clone_into(&mut principal.name),
        }
        if principal.name.is_empty() {
            return Err(fail("it has no name"));
        }
        Ok(principal)
    }

    /// An AWS service as itself.
    pub fn service(name: &str) -> Self {
        Self::new(PrincipalKind::Service, name)
    }

    /// An identity of a SAML or OIDC provider, by the provider's ARN or host name.
    pub fn federated(provider: &str) -> Self {
        Self::new(PrincipalKind::Federated, provider)
    }

    /// An unsigned request.
    pub fn anonymous() -> Self {
        Self::new(PrincipalKind::Anonymous, "anonymous")
    }

    /// The root user of an account.
    pub fn root(partition: &str, account: &str) -> Self {
        let mut principal = Self::new(PrincipalKind::Root, &format!("arn:{partition}:iam::{account}:root"));
        partition.clone_into(&mut principal.partition);
        account.clone_into(&mut principal.account);
        principal
    }

    /// For a session: the full ARN of its role, path included. Ignored for others.
    #[must_use]
    pub fn with_role_arn(mut self, arn: &str) -> Self {
        if self.kind == PrincipalKind::AssumedRole {
            arn.clone_into(&mut self.role_arn);
            self.role_path_known = true;
            self.service_linked = arn.contains(":role/aws-service-role/");
        }
        self
    }

    /// For a federated user: the ARN of the IAM user whose credentials made the session.
    #[must_use]
    pub fn with_parent_user(mut self, arn: &str) -> Self {
        self.parent_user = Some(arn.to_owned());
        self
    }

    /// The canonical user id of the principal's account.
    #[must_use]
    pub fn with_canonical_id(mut self, id: &str) -> Self {
        self.canonical_id = Some(id.to_owned());
        self
    }

    /// What kind it is.
    pub fn kind(&self) -> &PrincipalKind {
        &self.kind
    }

    /// Its ARN, its service or provider name, or `anonymous`.
    pub fn as_str(&self) -> &str {
        &self.text
    }

    /// Its account; services, federated identities and anonymous callers have none.
    pub fn account(&self) -> Option<&str> {
        (!self.account.is_empty()).then_some(self.account.as_str())
    }

    /// Whether it is a service-linked role or a session of one.
    pub fn is_service_linked(&self) -> bool {
        self.service_linked
    }

    /// Whether it is a user, role, session or root user, thus belongs to an account.
    pub(crate) fn is_iam(&self) -> bool {
        !matches!(self.kind, PrincipalKind::Service | PrincipalKind::Federated | PrincipalKind::Anonymous)
    }

    pub(crate) fn partition(&self) -> &str {
        &self.partition
    }

    pub(crate) fn name(&self) -> &str {
        &self.name
    }

    /// The session's name, for assumed roles.
    pub fn session(&self) -> Option<&str> {
        (!self.session.is_empty()).then_some(self.session.as_str())
    }

    /// The role's ARN and whether its path is certain; `None` for others than roles and sessions.
    pub(crate) fn role(&self) -> Option<(&str, bool)> {
        matches!(self.kind, PrincipalKind::Role | PrincipalKind::AssumedRole)
            .then_some((self.role_arn.as_str(), self.role_path_known))
    }

    pub(crate) fn parent_user(&self) -> Option<&str> {
        self.parent_user.as_deref()
    }

    pub(crate) fn canonical_id(&self) -> Option<&str> {
        self.canonical_id.as_deref()
    }
}

impl fmt::Display for Principal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

/// Whether a text is twelve digits.
pub(crate) fn is_account_id(text: &str) -> bool {
    text.len() == 12 && text.bytes().all(|b| b.is_ascii_digit())
}

#[cfg(test)]
mod tests {
    use super::{Principal, PrincipalKind};

    #[test]
    fn reads_each_kind() {
        let cases = [
            ("arn:aws:iam::111122223333:user/a/b/Ann", PrincipalKind::User, "Ann"),
            ("arn:aws:iam::111122223333:role/service-role/R", PrincipalKind::Role, "R"),
            ("arn:aws:sts::111122223333:assumed-role/R/s", PrincipalKind::AssumedRole, "R"),
            ("arn:aws:sts::111122223333:federated-user/F", PrincipalKind::FederatedUser, "F"),
            ("arn:aws:iam::111122223333:root", PrincipalKind::Root, ""),
            ("111122223333", PrincipalKind::Root, ""),
            ("bedrock-agentcore.amazonaws.com", PrincipalKind::Service, ""),
            ("anonymous", PrincipalKind::Anonymous, ""),
            ("arn:aws:iam::111122223333:saml-provider/x", PrincipalKind::Federated, ""),
        ];
        for (text, kind, name) in cases {
            let principal = Principal::parse(text).unwrap();
            assert_eq!((principal.kind(), principal.name()), (&kind, name), "{text}");
        }
        for text in
            ["", "Ann", "arn:aws:iam::1:user/x", "arn:aws:iam::111122223333:group/g", "arn:aws:s3:::b"]
        {
            assert!(Principal::parse(text).is_err(), "{text}");
        }
    }

    #[test]
    fn knows_service_linked_roles() {
        let session = "arn:aws:sts::111122223333:assumed-role/AWSServiceRoleForBedrockAgentCoreNetwork/x";
        assert!(Principal::parse(session).unwrap().is_service_linked());
        let look_alike = "arn:aws:iam::111122223333:role/AWSServiceRoleForBedrockAgentCoreNetwork";
        assert!(!Principal::parse(session).unwrap().with_role_arn(look_alike).is_service_linked());
        let role = "arn:aws:iam::111122223333:role/aws-service-role/x.amazonaws.com/Custom";
        assert!(Principal::parse(role).unwrap().is_service_linked());
        assert!(!Principal::parse("arn:aws:iam::111122223333:role/x").unwrap().is_service_linked());
    }
}

//! The question: may this principal do this action on this resource in this context?
//!
//! Not the policies: those are [`Layers`](crate::Layers). Also here: the condition keys that follow from the
//! request itself, so that nobody has to repeat them in the context.

use std::fmt;

use thiserror::Error;

use crate::arn::{ArnCuts, ArnParts};
use crate::context::{Context, Lookup};
use crate::principal::{Principal, PrincipalKind};
use crate::tri::Tri;

/// Why a request cannot be put: its action is not one action of one service.
///
/// A request that no service can make has no decision; "implicitly denied" would be an answer about a question that
/// nobody can ask.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[error("`{action}` is not one action: {why}; expected a service and a name, such as `s3:GetObject`")]
pub struct RequestError {
    action: String,
    why: &'static str,
}

/// One request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Request {
    principal: Principal,
    action: Box<str>,
    action_lower: Box<str>,
    resource: Box<str>,
    cuts: ArnCuts,
    resource_account: Option<String>,
    context: Context,
}

impl Request {
    /// A request. `action` is `service:Name` in any case, `resource` an ARN or, for actions that know no resources,
    /// `*`. The resource's account is taken from its ARN or from `aws:ResourceAccount`; ARNs without account (S3
    /// buckets) need [`Request::in_account`], else sameness of accounts is not known.
    pub fn new(
        principal: Principal,
        action: &str,
        resource: &str,
        context: Context,
    ) -> Result<Self, RequestError> {
        check_action(action)?;
        let mut request = Self {
            principal,
            action: action.into(),
            action_lower: action.to_ascii_lowercase().into(),
            resource: resource.into(),
            cuts: ArnCuts::of(resource),
            resource_account: None,
            context,
        };
        request.resource_account = request.account_of_resource();
        Ok(request)
    }

    /// Says which account owns the resource.
    #[must_use]
    pub fn in_account(mut self, account: &str) -> Self {
        self.resource_account = Some(account.to_owned());
        self
    }

    fn account_of_resource(&self) -> Option<String> {
        if let Some(Lookup::One(account)) = self.context.stated("aws:resourceaccount") {
            return Some(account.to_owned());
        }
        // What has no resource acts on the caller's own account.
        if &*self.resource == "*" {
            return self.principal.account().map(ToOwned::to_owned);
        }
        let account = ArnParts::split(&self.resource)?.account;
        (!account.is_empty()).then(|| account.to_owned())
    }

    /// Who asks.
    pub fn principal(&self) -> &Principal {
        &self.principal
    }

    /// The action as given.
    pub fn action(&self) -> &str {
        &self.action
    }

    /// The resource as given.
    pub fn resource(&self) -> &str {
        &self.resource
    }

    /// The account that owns the resource, when known.
    pub fn resource_account(&self) -> Option<&str> {
        self.resource_account.as_deref()
    }

    /// The context.
    pub fn context(&self) -> &Context {
        &self.context
    }

    pub(crate) fn action_lower(&self) -> &str {
        &self.action_lower
    }

    pub(crate) fn resource_cuts(&self) -> ArnCuts {
        self.cuts
    }

    /// The service prefix of the action.
    pub(crate) fn service(&self) -> &str {
        self.action_lower.split_once(':').map_or("", |(service, _)| service)
    }

    /// Whether principal and resource are in one account.
    pub(crate) fn same_account(&self) -> Tri {
        match (self.principal.account(), self.resource_account()) {
            (Some(principal), Some(resource)) => (principal == resource).into(),
            _ => Tri::Unknown,
        }
    }

    /// What is known of a condition key given in lower case: what the context states, else what follows from the
    /// request, else what silence means.
    pub(crate) fn lookup(&self, key: &str) -> Lookup<'_> {
        self.context.stated(key).or_else(|| self.derived(key)).unwrap_or_else(|| self.context.unstated())
    }

    /// AWS: <https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_condition-keys.html> and the table
    /// of principal key values in
    /// <https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_variables.html>
    fn derived(&self, key: &str) -> Option<Lookup<'_>> {
        let who = &self.principal;
        let one = |text| Some(Lookup::One(text));
        match key {
            "aws:principalaccount" if who.is_iam() => who.account().map(Lookup::One),
            "aws:principalarn" => match (who.kind(), who.role()) {
                (_, Some((arn, path_known))) => {
                    // A session's name does not tell its role's path. Whoever states everything would have.
                    (path_known || self.context.is_complete()).then_some(Lookup::One(arn))
                }
                (PrincipalKind::Anonymous, _) => Some(Lookup::Absent),
                (PrincipalKind::Service | PrincipalKind::Federated, _) => None,
                _ => one(who.as_str()),
            },
            "aws:principaltype" => match who.kind() {
                PrincipalKind::Root => one("Account"),
                PrincipalKind::User => one("User"),
                PrincipalKind::Role | PrincipalKind::AssumedRole => one("AssumedRole"),
                PrincipalKind::FederatedUser => one("FederatedUser"),
                PrincipalKind::Anonymous => one("Anonymous"),
                PrincipalKind::Service | PrincipalKind::Federated => None,
            },
            "aws:username" => match who.kind() {
                PrincipalKind::User => one(who.name()),
                PrincipalKind::Service | PrincipalKind::Federated => None,
                _ => Some(Lookup::Absent),
            },
            "aws:userid" => match who.kind() {
                PrincipalKind::Root => who.account().map(Lookup::One),
                PrincipalKind::Anonymous => one("anonymous"),
                _ => None,
            },
            "aws:principalisawsservice" => {
                one(if *who.kind() == PrincipalKind::Service { "true" } else { "false" })
            }
            "aws:principalservicename" => {
                if *who.kind() == PrincipalKind::Service {
                    one(who.as_str())
                } else {
                    Some(Lookup::Absent)
                }
            }
            "aws:resourceaccount" => self.resource_account().map(Lookup::One),
            _ => None,
        }
    }
}

/// AWS: <https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_elements_action.html>: a namespace, a colon, a
/// name. Wildcards are for policies; a request is for one action.
fn check_action(action: &str) -> Result<(), RequestError> {
    let fail = |why| Err(RequestError { action: action.to_owned(), why });
    let Some((service, name)) = action.split_once(':') else {
        return fail("it names no service");
    };
    if service.is_empty() {
        return fail("it names no service");
    }
    if name.is_empty() {
        return fail("nothing stands behind the colon");
    }
    if action.contains(['*', '?']) {
        return fail("it has a wildcard, which stands for several");
    }
    let plain = |part: &str| part.chars().all(|c| c.is_ascii_alphanumeric() || matches!(c, '-' | '_'));
    if !plain(service) || !plain(name) {
        return fail("it has characters that no action has");
    }
    Ok(())
}

impl fmt::Display for Request {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {} on {}", self.principal, self.action, self.resource)
    }
}

#[cfg(test)]
mod tests {
    use super::Request;
    use crate::context::Context;
    use crate::principal::Principal;

    #[test]
    fn a_request_is_for_one_action_of_one_service() {
        let ask = |action| Request::new(Principal::anonymous(), action, "*", Context::complete());
        for action in ["s3:GetObject", "S3:getobject", "execute-api:Invoke", "apigateway:GET"] {
            assert!(ask(action).is_ok(), "{action}");
        }
        for (action, told) in [
            ("GetObject", "names no service"),
            ("", "names no service"),
            (":GetObject", "names no service"),
            ("s3:", "nothing stands behind"),
            ("s3:*", "wildcard"),
            ("s3:Get?bject", "wildcard"),
            ("s3:Get Object", "characters"),
            ("s3:Get:Object", "characters"),
            ("s3.amazonaws.com:GetObject", "characters"),
        ] {
            let error = ask(action).unwrap_err().to_string();
            assert!(error.contains(told) && error.contains("such as `s3:GetObject`"), "{action}: {error}");
        }
    }
}

//! `launchpath can`: one permission question, or a file of them.
//!
//! What is decided is decided in `launchpath-iam`. Here: which documents take part (`files`, `evidence`), and how the answer
//! looks (`answer`). Start with [`run`].

mod answer;
mod evidence;
mod files;

use std::path::Path;

use launchpath_iam::{Context, ContextValue, Layers, Principal, Request, evaluate};
use launchpath_model::{Arn, EvidenceId, Gap, World};

use self::answer::Answered;
use super::batch::Lines;
use crate::cli::{AnswerFormat, CanArguments, Global, HowMuch};
use crate::failure::Failure;
use crate::{disk, output, query};

/// The policies that take part, and where they come from.
struct Policies {
    layers: Layers,
    /// What keeps them from being complete.
    gaps: Vec<Gap>,
    /// What is taken for granted, in sentences.
    assumed: Vec<String>,
    /// The calls that show them.
    evidence: Vec<EvidenceId>,
}

/// Runs the command and returns the exit code of the answer.
pub(crate) fn run(global: &Global, arguments: &CanArguments) -> Result<u8, Failure> {
    if let Some(path) = &arguments.requests {
        query::refuse(global.query.as_ref(), "a file of answers")?;
        return many(path, arguments.output.as_deref());
    }
    let world = arguments.bundle.as_deref().map(disk::open).transpose()?;
    let request = request(arguments, world.as_ref())?;
    let mut given = files::read(&arguments.policies)?;
    let mut policies = match &world {
        Some(world) => evidence::policies(world, &request, &given),
        None => files::alone(&given),
    };
    let findings = std::mem::take(&mut given.findings);
    given.put_into(&mut policies.layers);
    let outcome = evaluate(&request, &policies.layers);
    let answered =
        Answered { request: &request, outcome: &outcome, policies: &policies, findings: &findings };
    let options = output::options(global, arguments.output.is_some(), HowMuch::Normal);
    let text = query::shown(
        global.query.as_ref(),
        || answered.json(),
        || match arguments.format {
            AnswerFormat::Text => answered.text(&options),
            AnswerFormat::Json => answered.json(),
        },
    )?;
    output::deliver(&text, arguments.output.as_deref())?;
    Ok(answered.exit_code())
}

fn many(path: &Path, to: Option<&Path>) -> Result<u8, Failure> {
    let lines = Lines::read(path)?;
    lines.answer(to, |record| Ok(launchpath_iam::batch::answer_line(record.text).to_string()))
}

fn request(arguments: &CanArguments, world: Option<&World>) -> Result<Request, Failure> {
    let principal = principal(arguments.principal.as_deref().unwrap_or_default(), world)?;
    let action = arguments.action.as_deref().unwrap_or_default();
    let resource = arguments.resource.as_deref().unwrap_or_default();
    if resource != "*" && resource.parse::<Arn>().is_err() {
        return Err(Failure::usage(anyhow::anyhow!("RESOURCE: `{resource}` is neither an ARN nor `*`")));
    }
    let mut request = Request::new(principal, action, resource, context(arguments)?)
        .map_err(|error| Failure::usage(anyhow::anyhow!("ACTION: {error}")))?;
    if let Some(account) = &arguments.resource_account {
        request = request.in_account(account);
    }
    Ok(request)
}

/// The principal; with evidence also a role by its name, and a session with its role's path.
fn principal(text: &str, world: Option<&World>) -> Result<Principal, Failure> {
    if let Some(world) = world {
        let is_name =
            !text.is_empty() && text.chars().all(|c| c.is_ascii_alphanumeric() || "_+=,.@-".contains(c));
        let described = world.roles.seen(&text.to_owned());
        if is_name && (described.is_some() || Principal::parse(text).is_err()) {
            let arn = described.and_then(|row| row.value.arn.clone()).or_else(|| {
                let partition = world.partition.as_deref().unwrap_or("aws");
                Some(format!("arn:{partition}:iam::{}:role/{text}", world.account.as_ref()?))
            });
            let arn = arn.ok_or_else(|| {
                Failure::usage(anyhow::anyhow!("PRINCIPAL: the evidence names no account for role `{text}`"))
                    .advise("give the role's ARN")
            })?;
            return Principal::parse(&arn).map_err(Failure::usage);
        }
    }
    let principal = Principal::parse(text).map_err(|error| {
        let failure = Failure::usage(anyhow::anyhow!("PRINCIPAL: {error}"));
        if world.is_none() { failure.advise("a role's name alone needs --bundle") } else { failure }
    })?;
    let role = evidence::role_name(&principal);
    let described = role.and_then(|role| world?.roles.seen(&role)?.value.arn.clone());
    let own = described
        .filter(|arn| arn.parse::<Arn>().is_ok_and(|arn| Some(arn.account.as_str()) == principal.account()));
    Ok(match own {
        Some(arn) => principal.with_role_arn(&arn),
        None => principal,
    })
}

fn context(arguments: &CanArguments) -> Result<Context, Failure> {
    let mut context = if arguments.complete_context {
        Context::complete()
    } else {
        Context::partial("not given with --context")
    };
    for word in &arguments.context {
        let (key, value) = match word.split_once('=') {
            Some((key, value)) => (key, Some(value)),
            None => (word.as_str(), None),
        };
        if key.is_empty() {
            return Err(Failure::usage(anyhow::anyhow!("--context: `{word}` names no key")));
        }
        let stated = context.iter().find(|(name, _)| name.eq_ignore_ascii_case(key)).map(|(_, value)| value);
        let value = match (stated, value) {
            (Some(ContextValue::Values(values)), Some(value)) => {
                let mut values = values.clone();
                values.push(value.to_owned());
                ContextValue::Values(values)
            }
            (_, Some(value)) => ContextValue::Values(vec![value.to_owned()]),
            (_, None) => ContextValue::Absent,
        };
        context.set(key, value);
    }
    Ok(context)
}

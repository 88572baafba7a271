//! Running the plan: every step as soon as what it needs is known, all calls at once, until done or
//! out of time.
//!
//! A refusal is recorded and the run goes on. Start reading at [`collect`].

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

use jiff::Timestamp;
use serde_json::{Value, json};
use tokio::task::JoinSet;
use tokio::time::Instant;

use crate::client::{Ask, Client};
use crate::plan::{self, Known, Planned, Step};
use crate::progress::Progress;
use crate::record::{self, Heading, Record};
use crate::settings::{CollectError, Request, Settings};
use crate::target::Target;
use crate::wire::refusal::Refusal;
use crate::{image_config, invoke, mask};

/// Collects the evidence for one runtime and returns the bundle (`launchpath-bundle/1`).
///
/// Fails only when nothing could be asked at all; afterwards every refusal is part of the bundle.
pub async fn collect(
    settings: Settings,
    request: Request,
    progress: &dyn Progress,
) -> Result<Value, CollectError> {
    let target = Target::parse(&request.runtime)?;
    let mut targets = vec![target.clone()];
    if let Some(against) = &request.against {
        targets.push(Target::parse(against)?);
    }
    let client = Arc::new(Client::connect(&settings, target.region.as_deref()).await?);
    let now = Timestamp::now();
    let known = Known {
        endpoint: request.endpoint().to_owned(),
        region: client.region().to_owned(),
        records: Vec::new(),
        targets,
        now,
    };
    let steps = plan::steps(&known.targets);
    let mut run = Run { client, known, progress, sent: BTreeSet::new(), done: BTreeSet::new() };
    let mut left = settings.deadline;
    if let Some(payload) = &request.invoke {
        // The invocation needs the runtime's ARN; what it leaves behind is collected afterwards.
        left = run.steps(&steps, |step| matches!(step.name, "caller" | "runtimes"), left).await;
        run.invoke(&target, payload).await;
        // The windows of what follows must hold the invocation.
        run.known.now = Timestamp::now();
    }
    run.steps(&steps, |_| true, left).await;
    if let Some(saw) = &request.saw {
        run.statement(saw);
    }
    let heading = Heading {
        collected_at: run.known.now,
        account: run.known.account(),
        partition: run.known.partition().name,
        runtime: run.known.id_of(&target).unwrap_or_else(|| target.label().to_owned()),
        endpoint: run.known.endpoint,
        region: run.known.region,
    };
    Ok(record::bundle(&heading, run.known.records))
}

/// Calls that are no step of the plan stand after it.
const AFTER_THE_PLAN: usize = usize::MAX;

struct Run<'a> {
    client: Arc<Client>,
    known: Known,
    progress: &'a dyn Progress,
    /// Requests that went out, so that none goes out twice.
    sent: BTreeSet<String>,
    done: BTreeSet<&'static str>,
}

/// A call under way.
#[derive(Debug, Clone)]
struct Flight {
    order: (usize, usize),
    planned: Planned,
    region: String,
    at: Timestamp,
    started: Instant,
}

type Landed = (Flight, Result<Value, Refusal>);

impl Run<'_> {
    /// Runs the chosen steps and returns what is left of the time.
    async fn steps(&mut self, steps: &[Step], chosen: impl Fn(&Step) -> bool, time: Duration) -> Duration {
        let deadline = Instant::now() + time;
        let mut calls: JoinSet<Landed> = JoinSet::new();
        let mut flying: Vec<Flight> = Vec::new();
        let mut begun = self.done.clone();
        loop {
            self.start_ready(steps, &chosen, &mut begun, &mut calls, &mut flying);
            if flying.is_empty() {
                break;
            }
            let Ok(landed) = tokio::time::timeout_at(deadline, calls.join_next()).await else {
                calls.abort_all();
                self.out_of_time(&mut flying);
                break;
            };
            if let Some(Ok((flight, result))) = landed {
                flying.retain(|other| other.order != flight.order);
                self.land(flight, result);
            } else {
                // A call that panicked has no answer; every other one still counts.
                flying.retain(|flight| flight.started + time > Instant::now());
            }
            self.finish_steps(steps, &begun, &flying);
        }
        deadline.saturating_duration_since(Instant::now())
    }

    /// Sends the calls of every step that has what it needs. A step without calls ends at once,
    /// which may make the next one ready.
    fn start_ready(
        &mut self,
        steps: &[Step],
        chosen: &impl Fn(&Step) -> bool,
        begun: &mut BTreeSet<&'static str>,
        calls: &mut JoinSet<Landed>,
        flying: &mut Vec<Flight>,
    ) {
        // Steps stand after those they need, so one pass is enough.
        for (number, step) in steps.iter().enumerate() {
            let ready = step.needs.iter().all(|need| self.done.contains(need));
            if begun.contains(step.name) || !ready || !chosen(step) {
                continue;
            }
            begun.insert(step.name);
            let mut any = false;
            for (position, planned) in (step.asks)(&self.known).into_iter().enumerate() {
                let region = planned.region.clone().unwrap_or_else(|| self.known.region.clone());
                let key = format!("{} {} {region} {}", planned.service, planned.operation, planned.request);
                if !self.sent.insert(key) {
                    continue;
                }
                any = true;
                let flight = Flight {
                    order: (number, position),
                    planned,
                    region,
                    at: Timestamp::now(),
                    started: Instant::now(),
                };
                self.progress.started(flight.planned.service, flight.planned.operation);
                flying.push(flight.clone());
                calls.spawn(send(Arc::clone(&self.client), flight));
            }
            if !any {
                self.done.insert(step.name);
            }
        }
    }

    fn finish_steps(&mut self, steps: &[Step], begun: &BTreeSet<&'static str>, flying: &[Flight]) {
        for (number, step) in steps.iter().enumerate() {
            let busy = flying.iter().any(|flight| flight.order.0 == number);
            if begun.contains(step.name) && !busy {
                self.done.insert(step.name);
            }
        }
    }

    fn land(&mut self, flight: Flight, mut result: Result<Value, Refusal>) {
        let Planned { service, operation, request, .. } = flight.planned;
        if let Ok(document) = &mut result {
            mask::answer(service, operation, document);
        }
        let record = Record {
            order: flight.order,
            service,
            operation,
            region: flight.region,
            request,
            at: flight.at,
            result,
        };
        self.progress.finished(service, operation, record.outcome(), flight.started.elapsed());
        self.known.records.push(record);
        // The order of answers must not decide the order of the next requests.
        self.known.records.sort_by_key(|record| record.order);
    }

    fn out_of_time(&mut self, flying: &mut Vec<Flight>) {
        for flight in flying.drain(..) {
            let refusal = Refusal::new("TimedOut", "no answer before the collection's deadline", None);
            self.land(flight, Err(refusal));
        }
    }

    async fn invoke(&mut self, target: &Target, payload: &[u8]) {
        let arn =
            target.id.as_ref().map_or_else(|| self.known.id_of(target), |id| Some(id.clone())).and_then(
                |id| {
                    let account = self.known.account()?;
                    let (partition, region) = (self.known.partition().name, &self.known.region);
                    Some(format!("arn:{partition}:bedrock-agentcore:{region}:{account}:runtime/{id}"))
                },
            );
        let (service, operation) = ("bedrock-agentcore", "InvokeAgentRuntime");
        self.progress.started(service, operation);
        let (at, started) = (Timestamp::now(), Instant::now());
        let mut request = json!({"qualifier": self.known.endpoint});
        let result = match arn {
            Some(arn) => {
                request["agentRuntimeArn"] = arn.into();
                invoke::invoke(&self.client, &mut request, payload).await
            }
            None => Err(Refusal::new("NotSent", "the runtime's ARN is not known", None)),
        };
        let planned = Planned::new(service, operation, request);
        let region = self.known.region.clone();
        self.land(Flight { order: (AFTER_THE_PLAN, 0), planned, region, at, started }, result);
    }

    /// What a person says is kept as said, secrets excepted.
    fn statement(&mut self, saw: &str) {
        self.known.records.push(Record {
            order: (AFTER_THE_PLAN, 1),
            service: "launchpath",
            operation: "Statement",
            region: self.known.region.clone(),
            request: json!({"by": "user"}),
            at: self.known.now,
            result: Ok(json!({"text": mask::text(saw)})),
        });
    }
}

async fn send(client: Arc<Client>, flight: Flight) -> Landed {
    let planned = &flight.planned;
    let result = if planned.service == "launchpath" {
        image_config::fetch(&client, &flight.region, &planned.request).await
    } else {
        let ask = Ask {
            service: planned.service,
            operation: planned.operation,
            region: &flight.region,
            request: &planned.request,
            max_pages: planned.max_pages,
            max_items: planned.max_items,
        };
        client.ask(&ask).await
    };
    (flight, result)
}

//! Keeping each service within its rate.
//!
//! One bucket per service, as in [`crate::operation::RATES`]; a caller waits its turn before each
//! request. Waiting after a refusal is the retry strategy's work, not ours.

use std::collections::BTreeMap;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use tokio::time::Instant;

use crate::operation::{RATES, Rate};

/// The buckets of all services.
#[derive(Debug)]
pub(crate) struct Limits {
    /// When the next request of a service would be exactly on its average rate.
    due: Mutex<BTreeMap<&'static str, Instant>>,
    limited: bool,
}

impl Limits {
    /// Limits that hold AWS's rates.
    pub(crate) fn of_aws() -> Self {
        Self { due: Mutex::default(), limited: true }
    }

    /// No limits: for an emulator, whose rates are its own affair.
    pub(crate) fn none() -> Self {
        Self { due: Mutex::default(), limited: false }
    }

    /// Waits until the service may be asked once more.
    pub(crate) async fn turn(&self, service: &str) {
        let Some(rate) = RATES.iter().find(|rate| rate.service == service) else { return };
        if self.limited {
            tokio::time::sleep_until(self.reserve(rate, Instant::now())).await;
        }
    }

    /// Takes the next free moment of the service and returns it.
    fn reserve(&self, rate: &Rate, now: Instant) -> Instant {
        let interval = Duration::from_secs(1) / rate.per_second;
        let ahead = interval * rate.burst.saturating_sub(1);
        let mut due = self.due.lock().unwrap_or_else(PoisonError::into_inner);
        let slot = due.entry(rate.service).or_insert(now);
        let turn = slot.checked_sub(ahead).map_or(now, |earliest| earliest.max(now));
        *slot = (*slot).max(now) + interval;
        turn
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const TRAIL: Rate = Rate { service: "cloudtrail", per_second: 2, burst: 2 };

    #[test]
    fn a_burst_goes_at_once_and_then_the_rate_holds() {
        let limits = Limits::of_aws();
        let start = Instant::now() + Duration::from_mins(1);
        let waits: Vec<_> = (0..6).map(|_| (limits.reserve(&TRAIL, start) - start).as_millis()).collect();
        assert_eq!(waits, [0, 0, 500, 1000, 1500, 2000]);
    }

    #[test]
    fn a_pause_fills_the_bucket_again_but_never_above_the_burst() {
        let limits = Limits::of_aws();
        let start = Instant::now() + Duration::from_mins(1);
        for _ in 0..4 {
            limits.reserve(&TRAIL, start);
        }
        let later = start + Duration::from_mins(1);
        let waits: Vec<_> = (0..4).map(|_| (limits.reserve(&TRAIL, later) - later).as_millis()).collect();
        assert_eq!(waits, [0, 0, 500, 1000]);
    }
}

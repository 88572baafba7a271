//! How crowded this machine is: a slow answer on a crowded machine says little about the process.

use std::time::{Duration, Instant};

/// How often it is looked at.
const PACE: Duration = Duration::from_millis(50);

/// An average in the making.
#[derive(Debug, Default)]
pub(super) struct Crowd {
    last: Option<Instant>,
    sum: f64,
    count: u32,
}

impl Crowd {
    /// Looks, at most every fifty milliseconds.
    pub(super) fn look(&mut self) {
        if self.last.is_some_and(|last| last.elapsed() < PACE) {
            return;
        }
        self.last = Some(Instant::now());
        if let Some(running) = running() {
            self.sum += running;
            self.count += 1;
        }
    }

    /// Programs that wanted to run, for each processor.
    pub(super) fn average(&self) -> f64 {
        if self.count == 0 { 0.0 } else { self.sum / f64::from(self.count) / processors() }
    }
}

/// How long to wait for a program's turn, where it takes `alone` on a machine of one's own: longer by what wants to run now, up to
/// sixty times.
pub(super) fn turn(alone: Duration) -> Duration {
    let waiting = running().unwrap_or(0.0) / processors();
    alone.mul_f64(waiting.clamp(1.0, 60.0))
}

fn processors() -> f64 {
    let processors = std::thread::available_parallelism().map_or(1, std::num::NonZero::get);
    f64::from(u32::try_from(processors).unwrap_or(1))
}

/// Programs that run or wait to, this one left out. Only Linux says.
fn running() -> Option<f64> {
    let text = std::fs::read_to_string("/proc/loadavg").ok()?;
    let (running, _) = text.split(' ').nth(3)?.split_once('/')?;
    let running: u32 = running.parse().ok()?;
    Some(f64::from(running.saturating_sub(1)))
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::{Crowd, running, turn};

    #[test]
    fn a_turn_is_never_shorter_than_alone_and_has_an_end() {
        let alone = Duration::from_millis(50);
        assert!((alone..=alone * 60).contains(&turn(alone)));
    }

    #[test]
    fn the_average_is_of_looks() {
        assert!(Crowd::default().average().abs() < f64::EPSILON);
        let mut crowd = Crowd::default();
        crowd.look();
        crowd.look();
        assert!(crowd.count <= 1 && crowd.average() >= 0.0);
        if cfg!(target_os = "linux") {
            assert!(running().is_some());
        }
    }
}

//! Points in time as the AWS CLI prints them: ISO 8601 text or epoch numbers.
//!
//! Nothing here reads the clock: "now" of a diagnosis is the bundle's `collected_at`.

use std::fmt;
use std::str::FromStr;

use serde::de::{Error as _, Unexpected, Visitor};
use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// A point in time, whole milliseconds kept, printed as `2025-10-18T04:05:17Z`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Timestamp(jiff::Timestamp);

/// The text is neither ISO 8601 nor an epoch number in range.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NotATime(pub String);

impl fmt::Display for NotATime {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "`{}` is not a time: expected ISO 8601 or an epoch number", self.0)
    }
}

impl std::error::Error for NotATime {}

/// Above this an epoch number counts milliseconds, not seconds (the year 5138 in seconds, 1973 in milliseconds).
const MILLISECONDS_ABOVE: f64 = 1e11;

impl Timestamp {
    /// From seconds or, for large numbers, milliseconds since 1970.
    pub fn from_epoch(number: f64) -> Option<Self> {
        let milliseconds = if number.abs() > MILLISECONDS_ABOVE { number } else { number * 1000.0 };
        if !milliseconds.is_finite() || milliseconds.abs() > 2.5e14 {
            return None;
        }
        #[expect(clippy::cast_possible_truncation, reason = "bounded just above")]
        jiff::Timestamp::from_millisecond(milliseconds.round() as i64).ok().map(Self)
    }

    /// From milliseconds since 1970, as CloudWatch Logs counts.
    pub fn from_millis(milliseconds: i64) -> Option<Self> {
        jiff::Timestamp::from_millisecond(milliseconds).ok().map(Self)
    }

    /// Whole milliseconds since 1970.
    pub fn as_millis(self) -> i64 {
        self.0.as_millisecond()
    }

    /// Seconds from `earlier` to this point; negative when this point is the earlier one.
    pub fn seconds_since(self, earlier: Self) -> i64 {
        (self.as_millis() - earlier.as_millis()) / 1000
    }

    /// This point moved by `seconds`, clamped to the representable range.
    pub fn plus_seconds(self, seconds: i64) -> Self {
        let moved = self.as_millis().saturating_add(seconds.saturating_mul(1000));
        Self::from_millis(moved).unwrap_or(self)
    }

    /// The time of day, `04:05:17`.
    pub fn clock(self) -> String {
        self.to_string().get(11..19).unwrap_or_default().to_owned()
    }

    /// The date, `2025-10-18`.
    pub fn date(self) -> String {
        self.to_string().get(..10).unwrap_or_default().to_owned()
    }
}

impl fmt::Display for Timestamp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.as_millis() % 1000 == 0 { write!(f, "{:.0}", self.0) } else { write!(f, "{:.3}", self.0) }
    }
}

impl FromStr for Timestamp {
    type Err = NotATime;

    fn from_str(text: &str) -> Result<Self, NotATime> {
        let bad = || NotATime(text.to_owned());
        if let Ok(number) = text.parse::<f64>() {
            return Self::from_epoch(number).ok_or_else(bad);
        }
        if let Ok(time) = text.parse::<jiff::Timestamp>() {
            return Ok(Self(time));
        }
        // AWS: some documents print a time without an offset; all AWS times are UTC.
        if let Ok(time) = text.parse::<jiff::civil::DateTime>() {
            return time
                .to_zoned(jiff::tz::TimeZone::UTC)
                .map(|zoned| Self(zoned.timestamp()))
                .map_err(|_| bad());
        }
        Err(bad())
    }
}

impl Serialize for Timestamp {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

struct TimeVisitor;

impl Visitor<'_> for TimeVisitor {
    type Value = Timestamp;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a time (ISO 8601 text or an epoch number)")
    }

    fn visit_str<E: serde::de::Error>(self, text: &str) -> Result<Timestamp, E> {
        text.parse().map_err(|_| E::invalid_value(Unexpected::Str(text), &self))
    }

    #[expect(clippy::cast_precision_loss, reason = "epoch numbers are far below 2^53")]
    fn visit_i64<E: serde::de::Error>(self, number: i64) -> Result<Timestamp, E> {
        Timestamp::from_epoch(number as f64)
            .ok_or_else(|| E::invalid_value(Unexpected::Signed(number), &self))
    }

    #[expect(clippy::cast_precision_loss, reason = "epoch numbers are far below 2^53")]
    fn visit_u64<E: serde::de::Error>(self, number: u64) -> Result<Timestamp, E> {
        Timestamp::from_epoch(number as f64)
            .ok_or_else(|| E::invalid_value(Unexpected::Unsigned(number), &self))
    }

    fn visit_f64<E: serde::de::Error>(self, number: f64) -> Result<Timestamp, E> {
        Timestamp::from_epoch(number).ok_or_else(|| E::invalid_value(Unexpected::Float(number), &self))
    }
}

impl<'de> Deserialize<'de> for Timestamp {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(TimeVisitor).map_err(D::Error::custom)
    }
}

impl schemars::JsonSchema for Timestamp {
    fn schema_name() -> std::borrow::Cow<'static, str> {
        "Timestamp".into()
    }

    fn json_schema(_: &mut schemars::SchemaGenerator) -> schemars::Schema {
        schemars::json_schema!({ "type": "string", "format": "date-time" })
    }
}

#[cfg(test)]
mod tests {
    use super::Timestamp;

    #[test]
    fn every_form_the_cli_prints_is_the_same_time() {
        let forms = [
            "\"2025-10-18T04:05:17Z\"",
            "\"2025-10-18T04:05:17+00:00\"",
            "\"2025-10-18T06:05:17+02:00\"",
            "\"2025-10-18T04:05:17.000Z\"",
            "\"2025-10-18T04:05:17\"",
            "1760760317",
            "1760760317.0",
            "1760760317000",
        ];
        for form in forms {
            let time: Timestamp = serde_json::from_str(form).unwrap();
            assert_eq!(time.to_string(), "2025-10-18T04:05:17Z", "{form}");
        }
    }

    #[test]
    fn what_is_no_time_is_refused() {
        for form in ["\"yesterday\"", "1e300", "null", "[]", "\"\""] {
            assert!(serde_json::from_str::<Timestamp>(form).is_err(), "{form}");
        }
    }
}

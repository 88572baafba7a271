//! Single values: numbers, dates, addresses, booleans, bytes, strings, ARNs, and comparing a wanted with an actual
//! one.
//!
//! Not several values nor absent keys: that is `evaluate.rs`.

use std::cmp::Ordering;
use std::net::IpAddr;

use ipnet::IpNet;
use jiff::Timestamp;
use jiff::civil::Date;
use jiff::tz::TimeZone;

use super::operator::{Family, Test};
use crate::arn::{ArnCuts, ArnPattern, ArnRule};
use crate::document::Version;
use crate::glob::{Glob, Token};
use crate::template::{Template, Unresolved, VariableValue};
use crate::tri::Tri;

/// Whether a policy value fits its operator, judged without a request; else what the operator compares.
pub(crate) fn check_value(test: Test, text: &str) -> Result<(), &'static str> {
    let fits = |fits: bool, wanted| if fits { Ok(()) } else { Err(wanted) };
    match test.family() {
        Family::Numeric => fits(Number::parse(text).is_some(), "number"),
        Family::Date => fits(parse_date(text).is_some(), "date"),
        Family::Ip => fits(parse_network(text).is_some(), "IP address or CIDR block"),
        Family::Binary => fits(decode_base64(text).is_some(), "base64"),
        Family::Bool => fits(text.contains("${") || parse_bool(text).is_some(), "boolean"),
        Family::Null => fits(parse_bool(text).is_some(), "boolean"),
        Family::String | Family::Arn => Ok(()),
    }
}

/// A number, exact while it is a whole one.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) enum Number {
    Whole(i128),
    Decimal(f64),
}

impl Number {
    fn parse(text: &str) -> Option<Self> {
        let text = text.trim();
        if let Ok(whole) = text.parse() {
            return Some(Self::Whole(whole));
        }
        // `parse` would take "inf" and "nan".
        let numeric = |b: u8| b.is_ascii_digit() || b"+-.eE".contains(&b);
        if !text.bytes().all(numeric) {
            return None;
        }
        text.parse().ok().filter(|number: &f64| number.is_finite()).map(Self::Decimal)
    }

    fn compare(self, other: Self) -> Option<Ordering> {
        match (self, other) {
            (Self::Whole(a), Self::Whole(b)) => Some(a.cmp(&b)),
            (a, b) => a.decimal().partial_cmp(&b.decimal()),
        }
    }

    fn decimal(self) -> f64 {
        match self {
            #[expect(clippy::cast_precision_loss, reason = "only beside a decimal, which is no exacter")]
            Self::Whole(whole) => whole as f64,
            Self::Decimal(decimal) => decimal,
        }
    }
}

/// A date as nanoseconds since 1970: the W3C profile of ISO 8601, or epoch time.
///
/// Epoch time is in seconds; what would lie beyond the year 5138 as seconds is taken as milliseconds, which several
/// services send.
pub(crate) fn parse_date(text: &str) -> Option<i128> {
    const NANOS: i128 = 1_000_000_000;
    let text = text.trim();
    let digits = text.bytes().filter(u8::is_ascii_digit).count();
    // AWS: https://www.w3.org/TR/NOTE-datetime, to which the page on date operators points: a year stands alone.
    if digits == 4 && text.len() == 4 {
        return parse_date(&format!("{text}-01-01"));
    }
    match Number::parse(text) {
        Some(Number::Whole(epoch)) => {
            return if epoch.unsigned_abs() < 100_000_000_000 {
                Some(epoch * NANOS)
            } else {
                epoch.checked_mul(1_000_000)
            };
        }
        #[expect(
            clippy::cast_possible_truncation,
            reason = "an epoch time with decimals, to the millisecond"
        )]
        Some(Number::Decimal(epoch)) => return Some((epoch * 1000.0) as i128 * 1_000_000),
        None => {}
    }
    if let Ok(timestamp) = text.parse::<Timestamp>() {
        return Some(timestamp.as_nanosecond());
    }
    let day = match text.len() {
        7 => format!("{text}-01"),
        10 => text.to_owned(),
        _ => return None,
    };
    let day: Date = day.parse().ok()?;
    let midnight = day.to_zoned(TimeZone::UTC).ok()?;
    Some(midnight.timestamp().as_nanosecond())
}

fn parse_network(text: &str) -> Option<IpNet> {
    let text = text.trim();
    // AWS: an address without prefix stands for itself alone.
    text.parse().ok().or_else(|| text.parse::<IpAddr>().ok().map(IpNet::from))
}

fn parse_bool(text: &str) -> Option<bool> {
    if text.eq_ignore_ascii_case("true") {
        return Some(true);
    }
    text.eq_ignore_ascii_case("false").then_some(false)
}

fn decode_base64(text: &str) -> Option<Vec<u8>> {
    let body = text.trim_end_matches('=');
    if text.len() - body.len() > 2 || !text.len().is_multiple_of(4) {
        return None;
    }
    let mut bytes = Vec::with_capacity(text.len() / 4 * 3);
    let mut bits: u32 = 0;
    let mut held = 0;
    for symbol in body.bytes() {
        let sextet = match symbol {
            b'A'..=b'Z' => symbol - b'A',
            b'a'..=b'z' => symbol - b'a' + 26,
            b'0'..=b'9' => symbol - b'0' + 52,
            b'+' => 62,
            b'/' => 63,
            _ => return None,
        };
        bits = (bits << 6) | u32::from(sextet);
        held += 6;
        if held >= 8 {
            held -= 8;
            bytes.push(u8::try_from((bits >> held) & 0xff).ok()?);
        }
    }
    Some(bytes)
}

/// A policy value, read once.
#[derive(Debug, Clone)]
pub(crate) enum Wanted {
    Text(Box<str>),
    /// In lower case, for the operators that ignore it.
    Lower(Box<str>),
    Like(Glob),
    Arn(ArnPattern),
    Bool(bool),
    Number(Number),
    Date(i128),
    Network(IpNet),
    Bytes(Vec<u8>),
    /// Depends on the request through variables.
    Template(Template),
    /// Fits its operator not at all.
    Unusable,
}

impl Wanted {
    pub(crate) fn new(test: Test, text: &str, language: Version) -> Self {
        match test.family() {
            // AWS: variables count in string, ARN and boolean conditions only.
            Family::String | Family::Arn | Family::Bool => {
                let template = Template::new(text, language);
                if !template.is_fixed() {
                    return Self::Template(template);
                }
                Self::from_template(test, &template, |_| VariableValue::NoValue).unwrap_or(Self::Unusable)
            }
            Family::Null => parse_bool(text).map_or(Self::Unusable, Self::Bool),
            Family::Numeric => Number::parse(text).map_or(Self::Unusable, Self::Number),
            Family::Date => parse_date(text).map_or(Self::Unusable, Self::Date),
            Family::Ip => parse_network(text).map_or(Self::Unusable, Self::Network),
            Family::Binary => decode_base64(text).map_or(Self::Unusable, Self::Bytes),
        }
    }

    fn from_template<'a>(
        test: Test,
        template: &Template,
        value_of: impl Fn(&str) -> VariableValue<'a>,
    ) -> Result<Self, Unresolved> {
        Ok(match test {
            Test::StringLike | Test::StringNotLike => {
                Self::Like(Glob::from_tokens(template.tokens(value_of)?))
            }
            Test::StringEqualsIgnoreCase | Test::StringNotEqualsIgnoreCase => {
                Self::Lower(template.text(value_of)?.to_lowercase().into())
            }
            Test::Bool => parse_bool(&template.text(value_of)?).map_or(Self::Unusable, Self::Bool),
            _ if test.family() == Family::Arn => {
                let tokens: Vec<Token> = template.tokens(value_of)?;
                Self::Arn(ArnPattern::new(&tokens, ArnRule::Condition))
            }
            _ => Self::Text(template.text(value_of)?.into()),
        })
    }

    /// Whether an actual value is the wanted one, negation left aside. For values the operator cannot use the
    /// answer is no, or unknown under a negated operator, where a no would become a yes.
    pub(crate) fn covers<'a>(
        &self,
        test: Test,
        actual: &str,
        value_of: impl Fn(&str) -> VariableValue<'a>,
    ) -> Tri {
        let unusable = if test.is_negated() { Tri::Unknown } else { Tri::False };
        match self {
            Self::Text(text) => (**text == *actual).into(),
            Self::Lower(text) => (**text == actual.to_lowercase()).into(),
            Self::Like(glob) => glob.matches(actual).into(),
            Self::Arn(pattern) => pattern.matches(actual, ArnCuts::of(actual)).into(),
            Self::Bool(wanted) => parse_bool(actual).map_or(unusable, |actual| (actual == *wanted).into()),
            Self::Number(wanted) => Number::parse(actual)
                .and_then(|actual| actual.compare(*wanted))
                .map_or(unusable, |order| ordered(test, order)),
            Self::Date(wanted) => {
                parse_date(actual).map_or(unusable, |actual| ordered(test, actual.cmp(wanted)))
            }
            Self::Network(network) => {
                actual.trim().parse().map_or(unusable, |actual| within(network, actual))
            }
            Self::Bytes(wanted) => match decode_base64(actual) {
                Some(bytes) => (bytes == *wanted).into(),
                // Whether a context may give the bytes themselves is not documented.
                None if actual.as_bytes() == wanted => Tri::Unknown,
                None => Tri::False,
            },
            Self::Template(template) => match Self::from_template(test, template, &value_of) {
                Ok(wanted) => wanted.covers(test, actual, value_of),
                // AWS: a variable without value equals nothing, so negated operators hold.
                Err(Unresolved::NoValue) => Tri::False,
                Err(Unresolved::NotKnown(_)) => Tri::Unknown,
            },
            Self::Unusable => unusable,
        }
    }
}

/// `order` is that of the actual value to the wanted one.
fn ordered(test: Test, order: Ordering) -> Tri {
    let holds = match test {
        Test::NumericLessThan | Test::DateLessThan => order.is_lt(),
        Test::NumericLessThanEquals | Test::DateLessThanEquals => order.is_le(),
        Test::NumericGreaterThan | Test::DateGreaterThan => order.is_gt(),
        Test::NumericGreaterThanEquals | Test::DateGreaterThanEquals => order.is_ge(),
        _ => order.is_eq(),
    };
    holds.into()
}

fn within(network: &IpNet, address: IpAddr) -> Tri {
    if network.contains(&address) {
        return Tri::True;
    }
    // Whether an IPv4 address in IPv6 clothing counts as IPv4 is not documented.
    let canonical = address.to_canonical();
    if canonical != address && network.contains(&canonical) { Tri::Unknown } else { Tri::False }
}

#[cfg(test)]
mod tests {
    use super::{Number, decode_base64, parse_date};

    #[test]
    fn dates_in_every_documented_form() {
        let noon = parse_date("2016-06-30T12:00:00Z").unwrap();
        for same in [
            "2016-06-30T12:00Z",
            "2016-06-30T14:00:00+02:00",
            "2016-06-30T12:00:00.000Z",
            "1467288000",
            "1467288000000",
        ] {
            assert_eq!(parse_date(same), Some(noon), "{same}");
        }
        assert_eq!(parse_date("2016"), parse_date("2016-01-01T00:00:00Z"));
        assert_eq!(parse_date("2016-06"), parse_date("2016-06-01T00:00:00Z"));
        assert_eq!(parse_date("2016-06-30"), parse_date("2016-06-30T00:00:00Z"));
        for wrong in ["", "tomorrow", "2016-13", "2016-06-31", "30.06.2016"] {
            assert_eq!(parse_date(wrong), None, "{wrong}");
        }
    }

    #[test]
    fn numbers_and_bytes() {
        assert!(Number::parse("10").unwrap().compare(Number::parse("9.5").unwrap()).unwrap().is_gt());
        assert!(Number::parse("1e2").unwrap().compare(Number::parse("100").unwrap()).unwrap().is_eq());
        assert_eq!(Number::parse("inf"), None);
        assert_eq!(Number::parse("0x10"), None);
        assert_eq!(decode_base64("QmluYXJ5").unwrap(), b"Binary");
        assert_eq!(decode_base64("QQ==").unwrap(), b"A");
        assert_eq!(decode_base64("Q"), None);
    }
}

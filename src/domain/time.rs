//! Time. Nobody asks the operating system for the hour but through a [`Clock`].

use std::{
    fmt,
    sync::atomic::{AtomicI64, Ordering},
};

use time::{OffsetDateTime, format_description::well_known::Rfc3339, macros::format_description};

/// A moment, in whole milliseconds since 1970 in UTC.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Timestamp(i64);

/// A calendar day (dag), in UTC.
pub type Day = time::Date;

/// The text is not a moment or a day.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("must be a time as in 2026-11-23T09:30:00.000Z, or a day as in 2026-11-23")]
pub struct TimeFault;

impl Timestamp {
    /// From milliseconds since 1970.
    #[must_use]
    pub const fn from_millis(millis: i64) -> Self {
        Self(millis)
    }

    /// Milliseconds since 1970.
    #[must_use]
    pub const fn millis(self) -> i64 {
        self.0
    }

    /// The first moment of a day.
    #[must_use]
    pub fn start_of(day: Day) -> Self {
        Self(day.midnight().assume_utc().unix_timestamp().saturating_mul(1000))
    }

    /// The day it lies in.
    #[must_use]
    pub fn day(self) -> Day {
        self.date_time().date()
    }

    /// The year it lies in.
    #[must_use]
    pub fn year(self) -> i32 {
        self.date_time().year()
    }

    /// This moment and so many milliseconds.
    #[must_use]
    pub const fn plus_millis(self, millis: i64) -> Self {
        Self(self.0.saturating_add(millis))
    }

    /// Reads `2026-11-23T09:30:00.000Z`.
    ///
    /// # Errors
    /// If the text is no such moment.
    pub fn parse(text: &str) -> Result<Self, TimeFault> {
        let moment = OffsetDateTime::parse(text, &Rfc3339).map_err(|_| TimeFault)?;
        i64::try_from(moment.unix_timestamp_nanos() / 1_000_000).map(Self).map_err(|_| TimeFault)
    }

    fn date_time(self) -> OffsetDateTime {
        OffsetDateTime::from_unix_timestamp_nanos(i128::from(self.0) * 1_000_000)
            .unwrap_or(OffsetDateTime::UNIX_EPOCH)
    }

    /// The protobuf form.
    #[must_use]
    pub fn to_proto(self) -> prost_types::Timestamp {
        let nanos = i32::try_from(self.0.rem_euclid(1000)).unwrap_or(0) * 1_000_000;
        prost_types::Timestamp { seconds: self.0.div_euclid(1000), nanos }
    }

    /// From the protobuf form, dropping what is finer than a millisecond.
    #[must_use]
    pub fn from_proto(time: &prost_types::Timestamp) -> Self {
        Self(time.seconds.saturating_mul(1000).saturating_add(i64::from(time.nanos / 1_000_000)))
    }
}

impl fmt::Display for Timestamp {
    /// Always with three decimals and `Z`, so that text order is time order.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let format =
            format_description!("[year]-[month]-[day]T[hour]:[minute]:[second].[subsecond digits:3]Z");
        f.write_str(&self.date_time().format(&format).map_err(|_| fmt::Error)?)
    }
}

/// Reads a day, `2026-11-23`.
///
/// # Errors
/// If the text is no such day.
pub fn parse_day(text: &str) -> Result<Day, TimeFault> {
    Day::parse(text, &format_description!("[year]-[month]-[day]")).map_err(|_| TimeFault)
}

/// Where time comes from.
pub trait Clock: Send + Sync + fmt::Debug {
    /// The moment it is now.
    fn now(&self) -> Timestamp;
}

/// The operating system's clock.
#[derive(Clone, Copy, Debug, Default)]
pub struct SystemClock;

impl Clock for SystemClock {
    fn now(&self) -> Timestamp {
        let nanos = OffsetDateTime::now_utc().unix_timestamp_nanos();
        Timestamp(i64::try_from(nanos / 1_000_000).unwrap_or(i64::MAX))
    }
}

/// A clock that stands until it is moved, for tests of what happens over months.
#[derive(Debug)]
pub struct ManualClock(AtomicI64);

impl ManualClock {
    /// A clock that shows this moment.
    #[must_use]
    pub const fn new(now: Timestamp) -> Self {
        Self(AtomicI64::new(now.millis()))
    }

    /// Moves it, back as well as forth.
    pub fn set(&self, now: Timestamp) {
        self.0.store(now.millis(), Ordering::SeqCst);
    }
}

impl Clock for ManualClock {
    fn now(&self) -> Timestamp {
        Timestamp(self.0.load(Ordering::SeqCst))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn prints_and_reads_the_same() {
        let time = Timestamp::from_millis(1_795_426_200_007);
        assert_eq!(Timestamp::parse(&time.to_string()), Ok(time));
        assert!(time.to_string().ends_with(".007Z"));
        assert_eq!(Timestamp::from_proto(&time.to_proto()), time);
    }
}

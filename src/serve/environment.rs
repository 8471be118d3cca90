//! The clock and the random source, which tests replace.

use std::sync::Arc;
use std::time::SystemTime;

use crate::app::Environment;
use crate::domain::time::Timestamp;

/// Returns the clock and the random source of the operating system.
#[must_use]
pub fn system_environment() -> Environment {
    Environment { now: Arc::new(now), random: Arc::new(random) }
}

#[expect(clippy::disallowed_methods, reason = "the one place that asks the clock")]
fn now() -> Timestamp {
    let elapsed = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default();
    Timestamp::from_micros(i64::try_from(elapsed.as_micros()).unwrap_or(i64::MAX))
}

fn random() -> [u8; 32] {
    let mut bytes = [0; 32];
    #[expect(clippy::disallowed_methods, reason = "the one place that asks for randomness")]
    getrandom::fill(&mut bytes).expect("the operating system has a random source");
    bytes
}

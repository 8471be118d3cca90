//! The rate limit of the forms that a link sends.
//!
//! Only existing links are counted, so a client that guesses links cannot fill the table. The
//! counts are per whole minute, so the table empties by itself.

use std::collections::HashMap;
use std::hash::{BuildHasher as _, RandomState};
use std::sync::{Mutex, PoisonError};

use crate::domain::link::Held;
use crate::domain::time::Timestamp;

/// The most forms that one link sends in a minute. The script saves while the participant types,
/// and the button sends each page once more.
const POSTS_PER_MINUTE_MAX: u32 = 120;
/// The most links that are counted in one minute; further links are not limited.
const LINKS_MAX: usize = 100_000;
const MINUTE_SECONDS: i64 = 60;

/// The counts of one minute.
#[derive(Debug, Default)]
struct Minute {
    number: i64,
    counts: HashMap<u64, u32>,
}

/// Counts the forms that links send.
#[derive(Debug, Default)]
pub(super) struct Limit {
    /// Hashes links with a secret of this process, so that the table contains no usable link.
    digest: RandomState,
    minute: Mutex<Minute>,
}

impl Limit {
    /// Counts a form, or returns the seconds until the link may send again.
    pub(super) fn count(&self, held: &Held, now: Timestamp) -> Result<(), i64> {
        let seconds = now.unix_seconds();
        let number = seconds.div_euclid(MINUTE_SECONDS);
        let mut minute = self.minute.lock().unwrap_or_else(PoisonError::into_inner);
        if minute.number != number {
            *minute = Minute { number, ..Minute::default() };
        }
        let link = self.digest.hash_one(held);
        if minute.counts.len() >= LINKS_MAX && !minute.counts.contains_key(&link) {
            return Ok(());
        }
        let count = minute.counts.entry(link).or_default();
        *count = count.saturating_add(1);
        if *count > POSTS_PER_MINUTE_MAX {
            return Err(MINUTE_SECONDS - seconds.rem_euclid(MINUTE_SECONDS));
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_link_is_limited_by_itself_and_for_a_minute_at_most() {
        let limit = Limit::default();
        let at = |seconds: i64| Timestamp::from_micros(seconds * 1_000_000);
        let [one, two] = ["one", "two"].map(|slug| Held::Slug(slug.into()));
        for _ in 0..POSTS_PER_MINUTE_MAX {
            assert_eq!(limit.count(&one, at(610)), Ok(()));
        }
        assert_eq!(limit.count(&one, at(610)), Err(50));
        assert_eq!(limit.count(&one, at(659)), Err(1));
        assert_eq!(limit.count(&two, at(659)), Ok(()));
        assert_eq!(limit.count(&one, at(660)), Ok(()));
    }

    #[test]
    fn the_table_is_bounded() {
        let limit = Limit::default();
        for number in 0..=LINKS_MAX {
            let held = Held::Slug(number.to_string());
            assert_eq!(limit.count(&held, Timestamp::from_micros(0)), Ok(()));
        }
        let counted = limit.minute.lock().expect("it is whole").counts.len();
        assert_eq!(counted, LINKS_MAX);
    }
}

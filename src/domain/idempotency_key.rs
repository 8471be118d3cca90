//! The idempotency key of a submission: `request_id` in the contract, `Idempotency-Key` over REST.
//! In code, a request id is the id of one call in the log.

/// The longest idempotency key, in bytes.
pub const IDEMPOTENCY_KEY_MAX_BYTES: usize = 128;
/// How long a key is stored, in seconds: two days, so that a caller can retry for a day.
pub const IDEMPOTENCY_KEY_KEPT_SECONDS: i64 = 2 * 24 * 60 * 60;

/// Checks that a text is an idempotency key, or returns the reason why not.
pub fn check_idempotency_key(text: &str) -> Result<(), String> {
    let is_plain = text.bytes().all(|byte| byte.is_ascii_graphic());
    if text.is_empty() || text.len() > IDEMPOTENCY_KEY_MAX_BYTES || !is_plain {
        return Err(format!(
            "Must have 1 to {IDEMPOTENCY_KEY_MAX_BYTES} visible ASCII characters."
        ));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_has_1_to_128_visible_characters() {
        for good in ["k", "!~", "a-key-of-your-own", &"k".repeat(128)] {
            assert!(check_idempotency_key(good).is_ok(), "{good}");
        }
        for bad in ["", "a key", "k\n", "ü", &"k".repeat(129)] {
            assert!(check_idempotency_key(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn a_key_is_kept_for_two_days() {
        assert_eq!(IDEMPOTENCY_KEY_KEPT_SECONDS, 172_800);
    }
}

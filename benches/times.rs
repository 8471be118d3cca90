//! The durations of calls, as the load generators print them.

use std::time::Duration;

/// Returns the time that so many hundredths of the calls do not exceed, in milliseconds.
fn percentile(sorted: &[Duration], hundredths: usize) -> f64 {
    let place = (sorted.len() * hundredths / 100).min(sorted.len().saturating_sub(1));
    sorted.get(place).map_or(0.0, |it| it.as_secs_f64() * 1000.0)
}

/// Returns members of a JSON object.
pub(crate) fn summary(took: &mut [Duration]) -> String {
    took.sort_unstable();
    let [median, p99, longest] = [50, 99, 100].map(|it| percentile(took, it));
    format!(r#""median_ms":{median:.3},"p99_ms":{p99:.3},"longest_ms":{longest:.3}"#)
}

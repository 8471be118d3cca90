//! Printed instants: microseconds since 1970, in the year 2024.

/// The days from 1970 to 2023.
const DAYS_BEFORE_2024: i64 = 54 * 365 + 13;
const DAYS_OF_MONTHS: [i64; 12] = [31, 29, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31];

pub(super) fn seconds(micros: i64) -> i64 {
    micros.div_euclid(1_000_000)
}

/// Prints an instant with whole seconds.
pub(super) fn whole(micros: i64) -> String {
    let seconds = seconds(micros);
    let (mut day, second) = (seconds / 86_400 - DAYS_BEFORE_2024, seconds % 86_400);
    let mut month = 0;
    while day >= DAYS_OF_MONTHS[month] {
        day -= DAYS_OF_MONTHS[month];
        month += 1;
    }
    let (hour, minute, second) = (second / 3600, second / 60 % 60, second % 60);
    format!("2024-{:02}-{:02}T{hour:02}:{minute:02}:{second:02}Z", month + 1, day + 1)
}

/// Prints an instant with as many digits as necessary.
pub(super) fn precise(micros: i64) -> String {
    let fraction = format!("{:06}", micros.rem_euclid(1_000_000));
    let fraction = fraction.trim_end_matches('0');
    let whole = whole(micros);
    if fraction.is_empty() { whole } else { whole.replace('Z', &format!(".{fraction}Z")) }
}

/// Parses a printed instant with whole seconds.
pub(super) fn micros(text: &str) -> i64 {
    let numbers = text.split(['-', 'T', ':', 'Z']).filter_map(|part| part.parse::<i64>().ok());
    let numbers: Vec<_> = numbers.collect();
    let [2024, month, day, hour, minute, second] = numbers[..] else {
        panic!("not of 2024: {text}")
    };
    let months = usize::try_from(month - 1).expect("a month");
    let days = DAYS_OF_MONTHS[..months].iter().sum::<i64>() + day - 1 + DAYS_BEFORE_2024;
    (((days * 24 + hour) * 60 + minute) * 60 + second) * 1_000_000
}

#[test]
fn instants_are_printed_and_read() {
    for (text, number) in [
        ("2024-01-01T00:00:00Z", 1_704_067_200),
        ("2024-06-01T12:00:00Z", 1_717_243_200),
        ("2024-12-31T23:59:59Z", 1_735_689_599),
    ] {
        assert_eq!((whole(number * 1_000_000), micros(text)), (text.into(), number * 1_000_000));
    }
    assert_eq!(precise(1_717_243_200_050_000), "2024-06-01T12:00:00.05Z");
}

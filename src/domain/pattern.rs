//! Patterns that texts must match.
//!
//! A pattern is text until it is compiled. Compiling costs time and memory, so it is a separate
//! step: an author's patterns are compiled once to be checked, and then dropped. A cached
//! publication keeps compiled patterns up to [`PATTERNS_COMPILED_MAX_BYTES`]. Matching compiles any
//! other pattern for the one text.

use std::mem::size_of;
use std::sync::OnceLock;

use regex_automata::meta::{self, Regex};
use regex_automata::util::syntax;
use regex_automata::{Anchored, Input};
use regex_syntax::ast::{self, Ast, ClassPerl, ClassPerlKind, ClassSetItem};
use regex_syntax::hir::{Hir, Look};

/// The longest pattern, in characters.
pub const PATTERN_MAX_CHARS: usize = 500;
/// The size limit of one compiled pattern, in bytes. Repetitions multiply its size.
const COMPILED_MAX_BYTES: usize = 1 << 18;
/// The limit for a stored pattern: larger, because the version that stored it has checked it.
const STORED_COMPILED_MAX_BYTES: usize = 4 * COMPILED_MAX_BYTES;
/// The size limit of a publication's compiled patterns, in bytes: twice the size of 500 patterns
/// such as `[A-Z]{2}[0-9]{2,4}`, and an eighth of the publication cache.
pub const PATTERNS_COMPILED_MAX_BYTES: usize = 8 << 20;
/// The uncounted overhead of a compiled pattern, as measured on 500 small ones.
const COMPILED_OVERHEAD_BYTES: usize = 6 << 10;
/// The size limit of the automaton that one match builds, in bytes. It is dropped with the match,
/// so threads and patterns do not add up.
const MATCH_CACHE_MAX_BYTES: usize = 1 << 20;

/// A regular expression that a whole text must match. Matching takes time linear in the text: the
/// syntax has no look-around and no back references.
#[derive(Clone, Debug)]
pub struct Pattern {
    source: String,
    compiled: OnceLock<Regex>,
}

impl PartialEq for Pattern {
    fn eq(&self, other: &Self) -> bool {
        self.source == other.source
    }
}

impl Pattern {
    /// Checks the length of a pattern. Its syntax is checked by `check_compiled`.
    pub fn parse(source: &str) -> Result<Self, String> {
        if source.is_empty() || source.chars().count() > PATTERN_MAX_CHARS {
            return Err(format!("Must have 1 to {PATTERN_MAX_CHARS} characters."));
        }
        if source.contains('\0') {
            return Err("Must not contain the character U+0000.".into());
        }
        Ok(Self { source: source.to_owned(), compiled: OnceLock::new() })
    }

    /// Returns the pattern as its author wrote it.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.source
    }

    /// Returns whether the whole text matches. A pattern that does not compile matches nothing.
    pub(super) fn matches(&self, text: &str) -> bool {
        match self.compiled.get() {
            Some(regex) => is_match(regex, text),
            None => compile(&self.source, STORED_COMPILED_MAX_BYTES)
                .is_ok_and(|regex| is_match(&regex, text)),
        }
    }

    /// Returns the most that a match may cost: the bytes of the compiled pattern times those of the
    /// text. The greatest value for a pattern that is not kept compiled.
    #[must_use]
    pub fn match_effort(&self, text: &str) -> u64 {
        let effort = |regex: &Regex| u64::try_from(regex.memory_usage().saturating_mul(text.len()));
        self.compiled.get().map_or(u64::MAX, |regex| effort(regex).unwrap_or(u64::MAX))
    }

    /// Compiles a stored pattern and keeps it if it fits. Returns the bytes that are kept.
    fn keep_compiled(&self, max_bytes: usize) -> Result<usize, String> {
        if let Some(regex) = self.compiled.get() {
            return Ok(occupied_bytes(regex));
        }
        let regex = compile(&self.source, STORED_COMPILED_MAX_BYTES)?;
        let bytes = occupied_bytes(&regex);
        if bytes > max_bytes {
            return Ok(0);
        }
        // Another thread may have been first, with the same result.
        let _ = self.compiled.set(regex);
        Ok(bytes)
    }
}

/// Compiles the patterns of a questionnaire to check them. Returns the position and the reason of
/// each refused one. Stops at the pattern that exceeds the common limit, which bounds the work: a
/// pattern that does not compile counts as the largest one.
pub(super) fn check_compiled<'a>(
    patterns: impl Iterator<Item = &'a Pattern>,
) -> Vec<(usize, String)> {
    let mut refused = Vec::new();
    let mut total_bytes = 0;
    for (place, pattern) in patterns.enumerate() {
        total_bytes += match compile(&pattern.source, COMPILED_MAX_BYTES) {
            Ok(regex) => occupied_bytes(&regex),
            Err(reason) => {
                refused.push((place, reason));
                COMPILED_MAX_BYTES
            }
        };
        if total_bytes > PATTERNS_COMPILED_MAX_BYTES {
            if refused.last().is_none_or(|(last, _)| *last != place) {
                let mib = PATTERNS_COMPILED_MAX_BYTES >> 20;
                let reason = format!(
                    "The patterns up to this one compile to more than {mib} MiB. Use fewer patterns, or smaller repetitions."
                );
                refused.push((place, reason));
            }
            break;
        }
    }
    refused
}

/// Compiles stored patterns, keeps as many as fit into [`PATTERNS_COMPILED_MAX_BYTES`], and returns
/// the bytes that are kept. The first version of the server stored larger publications. Their other
/// patterns are compiled for each match, which never happens inline ([`Pattern::match_effort`]).
pub(super) fn keep_compiled<'a>(
    patterns: impl Iterator<Item = &'a Pattern>,
) -> Result<usize, String> {
    let mut kept_bytes = 0;
    for pattern in patterns {
        let left_bytes = PATTERNS_COMPILED_MAX_BYTES - kept_bytes;
        if left_bytes < COMPILED_OVERHEAD_BYTES {
            break;
        }
        kept_bytes += pattern.keep_compiled(left_bytes)?;
    }
    Ok(kept_bytes)
}

fn compile(source: &str, max_bytes: usize) -> Result<Regex, String> {
    let refused =
        "Must be a regular expression without look-around and back references, of a moderate size.";
    let hir =
        ascii_classes(source).and_then(|source| syntax::parse(&source).ok()).ok_or(refused)?;
    let whole = Hir::concat(vec![Hir::look(Look::Start), hir, Hir::look(Look::End)]);
    let config = meta::Config::new()
        .nfa_size_limit(Some(max_bytes))
        .hybrid_cache_capacity(MATCH_CACHE_MAX_BYTES)
        .onepass(false);
    meta::Builder::new().configure(config).build_from_hir(&whole).map_err(|_| refused.to_owned())
}

/// Replaces `\d`, `\s`, `\w` and their negations by the ASCII characters that authors mean.
fn ascii_classes(source: &str) -> Option<String> {
    let syntax = ast::parse::Parser::new().parse(source).ok()?;
    let spans = ast::visit(&syntax, PerlClasses::default()).ok()?;
    let mut written = String::with_capacity(source.len());
    let mut end = 0;
    for ClassPerl { span, kind, negated } in spans {
        let characters = match kind {
            ClassPerlKind::Digit => "0-9",
            ClassPerlKind::Space => r"\t\n\x0B\x0C\r\x20",
            ClassPerlKind::Word => "0-9A-Za-z_",
        };
        written.push_str(source.get(end..span.start.offset)?);
        written.push_str(if negated { "[^" } else { "[" });
        written.push_str(characters);
        written.push(']');
        end = span.end.offset;
    }
    written.push_str(source.get(end..)?);
    Some(written)
}

/// A collector of the classes that are named by a letter, in source order.
#[derive(Default)]
struct PerlClasses(Vec<ClassPerl>);

impl ast::Visitor for PerlClasses {
    type Output = Vec<ClassPerl>;
    type Err = ();

    fn finish(self) -> Result<Vec<ClassPerl>, ()> {
        Ok(self.0)
    }

    fn visit_pre(&mut self, part: &Ast) -> Result<(), ()> {
        if let Ast::ClassPerl(class) = part {
            self.0.push((**class).clone());
        }
        Ok(())
    }

    fn visit_class_set_item_pre(&mut self, item: &ClassSetItem) -> Result<(), ()> {
        if let ClassSetItem::Perl(class) = item {
            self.0.push(class.clone());
        }
        Ok(())
    }
}

fn occupied_bytes(regex: &Regex) -> usize {
    size_of::<Regex>() + regex.memory_usage() + COMPILED_OVERHEAD_BYTES
}

fn is_match(regex: &Regex, text: &str) -> bool {
    // The crate's own pool would keep a cache for each pattern and thread.
    let mut cache = regex.create_cache();
    let input = Input::new(text).anchored(Anchored::Yes).earliest(true);
    regex.search_half_with(&mut cache, &input).is_some()
}

impl AsRef<str> for Pattern {
    fn as_ref(&self) -> &str {
        &self.source
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn patterns(source: &str, count: usize) -> Vec<Pattern> {
        vec![Pattern::parse(source).expect("a pattern"); count]
    }

    #[test]
    fn a_pattern_is_held_against_the_whole_text() {
        let digits = patterns("[0-9]{3}|none", 1);
        for kept in [false, true] {
            for (text, fits) in [("123", true), ("none", true), ("1234", false), ("x123", false)] {
                assert_eq!(digits[0].matches(text), fits, "{text} {kept}");
            }
            assert!(keep_compiled(digits.iter()).is_ok_and(|bytes| bytes > 0));
        }
    }

    #[test]
    fn classes_named_by_a_letter_are_ascii() {
        for (source, fitting, other) in [
            (r"\d{5}", "10115", "١٠١١٥"),
            (r"[\d\-]+", "1-2", "１-２"),
            (r"(?:\w+)", "a_1", "é"),
            (r"[^\D]", "7", "٧"),
            (r"a\sb", "a\tb", "a\u{A0}b"),
            (r"\S", "\u{A0}", " "),
            (r"\W", "é", "e"),
            (r"(?x) \d \s \d", "1 2", "1\u{3000}2"),
            (r"\p{Nd}+", "١٠", "a"),
            (r"\\d", r"\d", "1"),
            (r"[\w&&[^_]]+", "a1", "a_"),
            ("ü+\\d", "üü1", "üü١"),
        ] {
            let pattern = &patterns(source, 1)[0];
            assert!(pattern.matches(fitting), "{source} {fitting}");
            assert!(!pattern.matches(other), "{source} {other}");
        }
    }

    #[test]
    fn what_is_no_pattern_is_refused() {
        for bad in ["", "a\0", &"a".repeat(PATTERN_MAX_CHARS + 1)] {
            assert!(Pattern::parse(bad).is_err(), "{bad}");
        }
        for bad in ["(", "a)(?:b", "(?=a)", "(a)\\1", "(.{1000}){1000}"] {
            let one = patterns(bad, 1);
            assert_eq!(check_compiled(one.iter()).len(), 1, "{bad}");
            assert!(!one[0].matches("a"), "{bad}");
        }
        assert_eq!(check_compiled(patterns("a{1,3000}", 1).iter()), []);
    }

    #[test]
    fn the_patterns_of_a_publication_are_bounded_together() {
        assert_eq!(check_compiled(patterns("[A-Z]{2}[0-9]{2,4}", 500).iter()), []);
        let large = patterns("a{1,3000}", 500);
        let [(place, reason)] = &check_compiled(large.iter())[..] else { panic!("one is named") };
        assert!((20..30).contains(place), "{place}");
        assert!(reason.contains("more than 8 MiB."), "{reason}");
        // A pattern that does not compile costs time, too.
        let endless = check_compiled(patterns("(.{1000}){1000}", 500).iter()).len();
        assert_eq!(endless, PATTERNS_COMPILED_MAX_BYTES / COMPILED_MAX_BYTES + 1);
        let kept = keep_compiled(large.iter()).expect("they compile");
        assert!((PATTERNS_COMPILED_MAX_BYTES / 2..=PATTERNS_COMPILED_MAX_BYTES).contains(&kept));
        let last = large.last().expect("500 patterns");
        assert!(last.compiled.get().is_none() && last.matches("aaa") && !last.matches("b"));
    }

    #[test]
    fn a_pattern_is_known_by_its_text_which_has_1_to_500_characters() {
        let of = |text: &str| Pattern::parse(text).expect("a pattern");
        assert_eq!(of("a+"), of("a+"));
        assert_ne!(of("a+"), of("a*"));
        let kept = of("a+");
        keep_compiled([&kept].into_iter()).expect("it compiles");
        assert_eq!(kept, of("a+"), "whether it is kept compiled makes no difference");
        assert_eq!((kept.as_str(), kept.as_ref()), ("a+", "a+"));
        assert!(Pattern::parse(&"ü".repeat(500)).is_ok());
    }

    #[test]
    fn matching_costs_as_much_as_the_text_is_long_and_most_without_a_compiled_pattern() {
        let [pattern] = &patterns("[a-z]+", 1)[..] else { panic!("one") };
        assert_eq!(pattern.match_effort("abc"), u64::MAX);
        keep_compiled([pattern].into_iter()).expect("it compiles");
        let one = pattern.match_effort("a");
        assert!((100..1_000_000).contains(&one), "{one}");
        assert_eq!(pattern.match_effort(""), 0);
        assert_eq!(pattern.match_effort(&"a".repeat(1_000)), 1_000 * one);
    }

    #[test]
    fn a_compiled_pattern_is_kept_if_all_that_it_occupies_fits() {
        let [small, other] = &patterns("[a-z]+", 2)[..] else { panic!("two") };
        let bytes = small.keep_compiled(usize::MAX).expect("it compiles");
        let regex = small.compiled.get().expect("it is kept");
        assert_eq!(bytes, size_of::<Regex>() + regex.memory_usage() + 6 * 1024);
        assert_eq!(small.keep_compiled(0), Ok(bytes), "what is kept stays kept");
        assert_eq!(other.keep_compiled(bytes - 1), Ok(0));
        assert!(other.compiled.get().is_none());
        assert_eq!(other.keep_compiled(bytes), Ok(bytes));
        assert!(other.compiled.get().is_some());
    }

    #[test]
    fn a_stored_pattern_still_matches_that_would_be_refused_as_a_new_one() {
        let large = patterns("a{1,9000}", 1);
        assert_eq!(check_compiled(large.iter()).len(), 1);
        assert!(large[0].matches("aaa") && !large[0].matches("b"));
    }
}

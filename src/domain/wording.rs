//! The author's texts on the participant's pages, in addition to the questions.

use super::answer::check_text;
use super::content_hash::Content;
use super::error::Violations;
use super::unicode::is_blank;

/// The longest introduction or thank-you text, in characters, because it is read on a phone.
pub const WORDING_MAX_CHARS: usize = 2_000;
/// The longest language tag, in bytes: the least buffer size that RFC 5646 recommends.
pub const LANGUAGE_MAX_BYTES: usize = 35;

/// The author's texts around the questions. Absent texts are replaced by the server's own.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct Wording {
    /// The language that the questions are written in, as a BCP 47 tag.
    pub language: Option<String>,
    /// The text before the first question.
    pub introduction: Option<String>,
    /// The thanks of participants who qualify, or of all if no question has a rule.
    pub thanks_qualified: Option<String>,
    /// The thanks of participants who do not qualify.
    pub thanks_disqualified: Option<String>,
}

/// The author's thanks to a participant who has completed a session.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Thanks {
    /// The text, if there is one.
    pub text: Option<String>,
    /// The language of the publication, if it is known.
    pub language: Option<String>,
}

impl Wording {
    /// Checks the texts below a path.
    pub(super) fn check(&self, path: &str, violations: &mut Violations) {
        let Self { language, introduction, thanks_qualified, thanks_disqualified } = self;
        if let Some(language) = language {
            violations.keep(&format!("{path}language"), check_language(language));
        }
        for (field, text) in [
            ("introduction", introduction),
            ("thanks_qualified", thanks_qualified),
            ("thanks_disqualified", thanks_disqualified),
        ] {
            let Some(text) = text else { continue };
            violations.keep(&format!("{path}{field}"), check_words(text));
        }
    }

    pub(super) fn digest(&self, content: &mut Content) {
        let Self { language, introduction, thanks_qualified, thanks_disqualified } = self;
        for text in [language, introduction, thanks_qualified, thanks_disqualified] {
            content.opt(text.as_deref(), Content::text);
        }
    }

    /// Returns the bytes of its texts.
    pub(super) fn text_bytes(&self) -> usize {
        let Self { language, introduction, thanks_qualified, thanks_disqualified } = self;
        let texts = [language, introduction, thanks_qualified, thanks_disqualified];
        texts.into_iter().flatten().map(String::len).sum()
    }
}

/// Checks that a text can be shown on a page, or returns the reason why not.
pub(super) fn check_words(text: &str) -> Result<(), String> {
    if is_blank(text) || text.chars().count() > WORDING_MAX_CHARS {
        return Err(format!("Must have 1 to {WORDING_MAX_CHARS} characters, not all blank."));
    }
    check_text(text)
}

/// Checks a language tag such as `de` or `pt-BR`, or returns the reason why it is invalid.
fn check_language(tag: &str) -> Result<(), String> {
    let mut subtags = tag.split('-');
    let is_subtag = |subtag: &str| {
        (1..=8).contains(&subtag.len()) && subtag.bytes().all(|it| it.is_ascii_alphanumeric())
    };
    let is_language = subtags.next().is_some_and(|first| {
        (2..=3).contains(&first.len()) && first.bytes().all(|it| it.is_ascii_alphabetic())
    });
    if is_language && tag.len() <= LANGUAGE_MAX_BYTES && subtags.all(is_subtag) {
        Ok(())
    } else {
        Err("Must be a BCP 47 language tag, such as de or pt-BR.".into())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::question::TextDraft;
    use crate::domain::questionnaire::{Draft, FormDraft, PageDraft, QuestionDraft};

    #[test]
    fn a_language_is_a_tag() {
        for tag in ["de", "en-GB", "pt-BR", "zh-Hant-TW", "gsw", "sl-rozaj-biske-1994"] {
            assert_eq!(check_language(tag), Ok(()), "{tag}");
        }
        let long = format!("de{}", "-abcdefgh".repeat(4));
        for tag in
            ["", "d", "deutsch", "de_DE", "de-", "-de", "1e", "d\u{e9}", "de-abcdefghi", &long]
        {
            assert!(check_language(tag).is_err(), "{tag}");
        }
    }

    #[test]
    fn every_word_changes_the_digest() {
        let asked = |hint: Option<&str>, wording: Wording| {
            let pattern = Some("[0-9]+".to_owned());
            let pattern_hint = hint.map(str::to_owned);
            let form = FormDraft::Text(TextDraft { pattern, pattern_hint, ..<_>::default() });
            let (id, prompt) = ("q".to_owned(), "Q?".to_owned());
            let question = QuestionDraft { id, prompt, required: false, form: Some(form) };
            let pages = vec![PageDraft { id: "p".into(), questions: vec![question] }];
            let draft = Draft { tags: Vec::new(), wording, pages };
            let mut violations = Violations::new();
            let questionnaire = draft.parse("", &mut violations).expect("it is valid");
            assert_eq!(violations.into_listed(), []);
            questionnaire.content_hash().to_string()
        };
        let word = || Some("Danke.".to_owned());
        let wordings = [
            Wording::default(),
            Wording { language: Some("de".into()), ..Wording::default() },
            Wording { introduction: word(), ..Wording::default() },
            Wording { thanks_qualified: word(), ..Wording::default() },
            Wording { thanks_disqualified: word(), ..Wording::default() },
        ];
        let mut digests: Vec<_> = wordings.map(|wording| asked(None, wording)).to_vec();
        digests.push(asked(Some("Danke."), Wording::default()));
        digests.sort();
        digests.dedup();
        assert_eq!(digests.len(), 6);
    }

    #[test]
    fn words_are_seen_and_bounded() {
        let longest = "ü".repeat(2_000);
        for text in ["Hello.", "Two\nlines", &longest] {
            assert_eq!(check_words(text), Ok(()));
        }
        let longer = "ü".repeat(2_001);
        for text in ["", " ", "\u{200B}", "a\0", &longer] {
            assert!(check_words(text).is_err(), "{text:?}");
        }
    }
}

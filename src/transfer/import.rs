//! The reader of import files, line by line.

use std::io::{BufRead, Read as _};
use std::sync::Arc;

use serde::Deserialize;
use sha2::{Digest as _, Sha256};

use super::record;
use crate::app::{App, FileDigest, Imported, Operator, Summary};
use crate::domain::error::{Error, Result, Violation};
use crate::receive::json::unmarked;

/// The version of the format.
pub const FORMAT_VERSION: u64 = 1;
/// The longest line. A publication of 500 questions fits.
const LINE_MAX_BYTES: u64 = 4 * 1024 * 1024;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Header {
    format: String,
    version: u64,
}

/// Imports every line of a file, or none of them. With `trust_links`, the links of its sessions can
/// be answered without a panelist key.
pub async fn import_lines<R>(
    app: &App,
    operator: &Operator,
    reader: R,
    trust_links: bool,
) -> Result<Summary>
where
    R: BufRead + Send + 'static,
{
    let digest = FileDigest::default();
    app.import(operator, records(reader, trust_links, Arc::clone(&digest)), Some(digest)).await
}

/// Returns the records of a file, up to the first error. Sets the file's digest at its end.
fn records<R: BufRead>(
    reader: R,
    trust_links: bool,
    digest: FileDigest,
) -> impl Iterator<Item = Result<Imported>> {
    let hasher = Sha256::new();
    let mut lines = Lines { reader, number: 0, has_header: false, trust_links, hasher, digest };
    let mut failed = false;
    std::iter::from_fn(move || {
        if failed {
            return None;
        }
        let next = lines.next_record().transpose()?;
        failed = next.is_err();
        Some(next)
    })
}

struct Lines<R> {
    reader: R,
    number: u64,
    has_header: bool,
    trust_links: bool,
    hasher: Sha256,
    digest: FileDigest,
}

impl<R: BufRead> Lines<R> {
    fn refuse(&self, reason: &str) -> Error {
        Error::invalid_field(format!("line {}", self.number), reason)
    }

    fn next_record(&mut self) -> Result<Option<Imported>> {
        let mut line = Vec::new();
        loop {
            line.clear();
            self.number += 1;
            if !self.read_line(&mut line)? {
                return if self.has_header {
                    self.digest.get_or_init(|| self.hasher.finalize_reset().into());
                    Ok(None)
                } else {
                    Err(self.refuse("The file must begin with a header line."))
                };
            }
            let line = if self.number == 1 { unmarked(&line) } else { &line };
            let text =
                str::from_utf8(line).map_err(|_| self.refuse("A line must be UTF-8."))?.trim();
            if !self.has_header {
                self.check_header(text)?;
                self.has_header = true;
            } else if !text.is_empty() {
                let record = record::parse(text, self.trust_links).map_err(|mut violations| {
                    for Violation { field, reason: _ } in &mut violations {
                        let separator = if field.is_empty() { "" } else { ": " };
                        *field = format!("line {}{separator}{field}", self.number);
                    }
                    Error::invalid(violations)
                })?;
                return Ok(Some((self.number, record)));
            }
        }
    }

    fn check_header(&self, text: &str) -> Result<()> {
        let reason = r#"Must be the header {"format":"screenerd-import","version":1}."#;
        let header: Header = serde_json::from_str(text).map_err(|_| self.refuse(reason))?;
        if header.format == "screenerd-import" && header.version == FORMAT_VERSION {
            Ok(())
        } else {
            Err(self.refuse(reason))
        }
    }

    /// Reads one line. Returns `false` at the end of the file.
    fn read_line(&mut self, line: &mut Vec<u8>) -> Result<bool> {
        let mut bounded = self.reader.by_ref().take(LINE_MAX_BYTES + 1);
        let length = bounded.read_until(b'\n', line).map_err(Error::internal)?;
        self.hasher.update(&line);
        if length as u64 > LINE_MAX_BYTES {
            return Err(self.refuse("A line must have at most 4194304 bytes."));
        }
        Ok(length > 0)
    }
}

#[cfg(test)]
mod tests {
    use std::io::Cursor;

    use super::*;
    use crate::app::tests::new_app;
    use crate::transfer::demo;

    /// Imports lines after the demo's. Returns the written and unchanged counts, or an error.
    async fn import_after_demo(app: &App, lines: &[String]) -> Result<(u64, u64), String> {
        let text = format!("{}{}\n", demo::FILE, lines.join("\n"));
        let reader = Cursor::new(text.into_bytes());
        match import_lines(app, &Operator::trusted(), reader, false).await {
            Ok(summary) => Ok((summary.written, summary.unchanged)),
            Err(error) => Err(match error.violations() {
                [] => error.to_string(),
                [violation, ..] => format!("{}: {}", violation.field, violation.reason),
            }),
        }
    }

    fn answer(session: &str, question: &str, answer: &str) -> String {
        format!(
            r#"{{"type":"screenerResponse","tenant":"acct_123","screenerSessionId":"{session}","screenerQuestionId":"{question}","answer":{answer}}}"#
        )
    }

    #[tokio::test]
    async fn an_answer_is_compared_with_those_of_its_run_and_with_those_before_it() {
        // The records of the demo are new each time.
        let demo = 74;
        let role = |answer_of_it: &str| answer("scses_789", "scq_role", answer_of_it);
        let years = |session: &str, number: &str| answer(session, "scq_years", number);
        for (lines, expected) in [
            (vec![role("\"VP of Research\"")], Ok((0, 1))),
            (vec![role("\"VP of Sales\"")], Err("answer")),
            (vec![years("scses_789", "7"), years("scses_789", "7")], Ok((1, 1))),
            (vec![years("scses_789", "7"), years("scses_789", "8")], Err("answer")),
            (
                vec![years("scses_789", "7"), years("scses_790", "5"), years("scses_789", "7")],
                Ok((1, 2)),
            ),
            (
                vec![years("scses_789", "7"), years("scses_790", "5"), years("scses_789", "8")],
                Err("answer"),
            ),
        ] {
            let (_folder, app) = new_app().await;
            match (import_after_demo(&app, &lines).await, expected) {
                (Ok(counts), Ok((written, unchanged))) => {
                    assert_eq!(counts, (demo + written, unchanged), "{lines:?}");
                    let again = import_after_demo(&app, &lines).await;
                    assert_eq!(again, Ok((0, demo + written + unchanged)), "{lines:?}");
                }
                (Err(reason), Err(word)) => assert!(reason.contains(word), "{lines:?}: {reason}"),
                (got, _) => panic!("{lines:?}: {got:?}"),
            }
        }
    }

    #[tokio::test]
    async fn a_byte_order_mark_is_passed_over_and_a_member_that_is_given_twice_is_refused() {
        let (_folder, app) = new_app().await;
        let file = Cursor::new(format!("\u{feff}{}", demo::FILE));
        import_lines(&app, &Operator::trusted(), file, false).await.expect("it imports");
        let twice = r#"{"optionId": "a", "optionId": "b"}"#;
        for (line, named) in [
            (
                answer("scses_789", "scqst_903", twice),
                "answer: The member optionId is given twice.",
            ),
            (r#"{"type": "tenant", "id": "a", "id": "b"}"#.to_owned(), "Duplicate field `id`."),
        ] {
            let refused = import_after_demo(&app, &[line]).await.expect_err(named);
            assert!(refused.ends_with(named), "{refused}");
        }
    }

    #[tokio::test]
    async fn what_must_be_unique_is_refused_by_its_field() {
        let (_folder, app) = new_app().await;
        for (line, reason) in [
            (
                r#"{"type":"participant","tenant":"acct_123","id":"ptp_new","externalUid":"crm-001"}"#,
                "externalUid: Must be unique",
            ),
            (
                r#"{"type":"participant","tenant":"acct_123","id":"ptp_001","externalUid":"crm-new"}"#,
                "externalUid: the same id",
            ),
            (
                r#"{"type":"screenerParticipant","tenant":"acct_123","id":"new","screenerId":"scr_123","participantId":"ptp_001"}"#,
                "participantId: Must be unique",
            ),
            (
                r#"{"type":"screenerParticipant","tenant":"acct_123","id":"scpar_123","screenerId":"scr_123","participantId":"ptp_002"}"#,
                "participantId: the same id",
            ),
            (
                r#"{"type":"screenerParticipant","tenant":"acct_123","id":"new","screenerId":"scr_123","participantId":"nobody"}"#,
                "participantId: There is no such",
            ),
            (
                r#"{"type":"screenerParticipant","tenant":"acct_123","id":"new","screenerId":"nothing","participantId":"ptp_001"}"#,
                "screenerId: There is no such",
            ),
        ] {
            let refused = import_after_demo(&app, &[line.to_owned()]).await;
            assert!(refused.as_ref().is_err_and(|it| it.contains(reason)), "{line}: {refused:?}");
        }
    }
}

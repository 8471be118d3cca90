//! NDJSON: an item of the list on each line, with its members in the same order.

use serde::Serialize;

use super::AnswerBody;
use super::lines::Form;
use crate::domain::answer::Answer;
use crate::domain::error::{Error, Result};

/// The NDJSON form.
pub(super) struct Ndjson;

impl Form for Ndjson {
    const LENGTH: usize = 512;
    const LINE_BEGINNING: &'static [u8] = b"{";

    fn header() -> String {
        String::new()
    }

    fn cell(line: &mut Vec<u8>, column: &str, text: Option<&str>) -> Result<()> {
        json(line, column)?;
        line.push(b':');
        json(line, &text)?;
        line.push(b',');
        Ok(())
    }

    fn answer(line: &mut Vec<u8>, answer: &Answer) -> Result<()> {
        line.extend(br#""answer":"#);
        json(line, &AnswerBody::from(answer))?;
        line.extend(b"}\n");
        Ok(())
    }
}

fn json(line: &mut Vec<u8>, value: &(impl Serialize + ?Sized)) -> Result<()> {
    serde_json::to_writer(line, value).map_err(Error::internal)
}

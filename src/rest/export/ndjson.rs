//! NDJSON: on each line an item of the list, with its members in the same order.

use serde::Serialize;

use super::COLUMNS;
use super::lines::Form;
use crate::domain::error::{Error, Result};
use crate::domain::response::Answer;
use crate::rest::response::AnswerBody;

/// The form.
pub(super) struct Ndjson;

impl Form for Ndjson {
    const LENGTH: usize = 512;

    fn header() -> String {
        String::new()
    }

    fn cell(line: &mut Vec<u8>, column: &str, text: Option<&str>) -> Result<()> {
        if column == COLUMNS[0] {
            line.push(b'{');
        }
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

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::super::{Encode as _, lines::Lines, tests::row};
    use super::*;
    use crate::domain::publication::QuestionKind;
    use crate::rest::response::ResponseBody;

    #[test]
    fn a_line_is_an_item_of_the_list() {
        let text = |text: &str| Answer::Text(text.to_owned());
        let mut rows = vec![
            row(0, QuestionKind::Text, text("say \"a\"\n")),
            row(1, QuestionKind::Numeric, Answer::Numeric(5.5)),
            row(2, QuestionKind::MultiSelect, Answer::MultiSelect(Vec::new())),
            row(3, QuestionKind::Text, Answer::Skipped),
        ];
        // One session and one question again, and another answer.
        let again = rows[0].clone();
        let (origin, asked) = (Arc::clone(&rows[1].origin), Arc::clone(&again.asked));
        rows.push(crate::domain::response::ScreenerResponse { origin, asked, ..again });
        let items = rows.iter().map(|row| serde_json::to_string(&ResponseBody::from(row)));
        let expected: Vec<String> = items.map(|item| item.expect("JSON") + "\n").collect();
        let lines = Lines::<Ndjson>::default().encode(rows).expect("it is encoded");
        assert_eq!(String::from_utf8(lines).expect("UTF-8"), expected.concat());
    }
}

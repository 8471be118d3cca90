//! Forms in which every row is a line, with the same cells in the same order.
//!
//! Cells that the rows of a session or of a question share are encoded once, and then copied.

use std::collections::HashMap;
use std::collections::hash_map::Entry;
use std::marker::PhantomData;
use std::mem;
use std::sync::Arc;

use super::Encode;
use super::columns::{COLUMNS, Column, Source};
use crate::domain::answer::Answer;
use crate::domain::error::Result;
use crate::domain::response::{Asked, Origin, ScreenerResponse};

/// The most memory of the cached cells of questions: enough for some thousand questions, and fewer
/// with long prompts.
const ASKED_MAX_BYTES: usize = 2 * 1024 * 1024;
/// The memory of a question in addition to its cells.
const ASKED_BYTES: usize = 256;

/// The encoding of a line.
pub(super) trait Form: Send + 'static {
    /// The approximate length of a line.
    const LENGTH: usize;
    /// The beginning of a line.
    const LINE_BEGINNING: &'static [u8];

    /// Returns the beginning of the file.
    fn header() -> String;
    /// Adds a cell and its separator.
    fn cell(line: &mut Vec<u8>, column: &str, text: Option<&str>) -> Result<()>;
    /// Adds the answer and the end of the line.
    fn answer(line: &mut Vec<u8>, answer: &Answer) -> Result<()>;
}

/// Cells of adjacent columns. Empty if they have another source.
type Run = Vec<u8>;

/// The encoder of a form.
pub(super) struct Lines<F> {
    has_header: bool,
    origin: Option<(Arc<Origin>, Vec<Run>)>,
    /// By address, which is unique while the entry holds the question.
    asked: HashMap<usize, (Arc<Asked>, Vec<Run>)>,
    asked_bytes: usize,
    form: PhantomData<F>,
}

impl<F> Default for Lines<F> {
    fn default() -> Self {
        Self {
            has_header: false,
            origin: None,
            asked: HashMap::new(),
            asked_bytes: 0,
            form: PhantomData,
        }
    }
}

impl<F: Form> Encode for Lines<F> {
    fn encode(&mut self, rows: Vec<ScreenerResponse>) -> Result<Vec<u8>> {
        let mut lines = Vec::with_capacity((rows.len() + 1) * F::LENGTH);
        if !mem::replace(&mut self.has_header, true) {
            lines.extend(F::header().as_bytes());
        }
        if self.asked_bytes > ASKED_MAX_BYTES {
            self.asked.clear();
            self.asked_bytes = 0;
        }
        for row in &rows {
            self.add(&mut lines, row)?;
        }
        Ok(lines)
    }
}

impl<F: Form> Lines<F> {
    fn add(&mut self, lines: &mut Vec<u8>, row: &ScreenerResponse) -> Result<()> {
        let ScreenerResponse { origin, asked, answer } = row;
        let (_, of_origin) = match &mut self.origin {
            Some(last) if Arc::ptr_eq(&last.0, origin) => last,
            other => other.insert((Arc::clone(origin), cells_of_origin::<F>(origin)?)),
        };
        let (_, of_asked) = match self.asked.entry(Arc::as_ptr(asked).addr()) {
            Entry::Occupied(known) => known.into_mut(),
            Entry::Vacant(new) => {
                let runs = cells_of_asked::<F>(asked)?;
                let bytes = asked.prompt.len() + runs.iter().map(Vec::len).sum::<usize>();
                self.asked_bytes += bytes + ASKED_BYTES;
                new.insert((Arc::clone(asked), runs))
            }
        };
        lines.extend_from_slice(F::LINE_BEGINNING);
        for (asked, origin) in of_asked.iter().zip(of_origin.iter()) {
            lines.extend_from_slice(asked);
            lines.extend_from_slice(origin);
        }
        F::answer(lines, answer)
    }
}

fn cells_of_asked<F: Form>(asked: &Asked) -> Result<Vec<Run>> {
    runs::<F>(|source| match source {
        Source::Asked(text) => Some(Some(text(asked))),
        Source::Origin(_) | Source::OriginIfAny(_) | Source::Answer(_) => None,
    })
}

fn cells_of_origin<F: Form>(origin: &Origin) -> Result<Vec<Run>> {
    runs::<F>(|source| match source {
        Source::Origin(text) => Some(Some(text(origin))),
        Source::OriginIfAny(text) => Some(text(origin)),
        Source::Asked(_) | Source::Answer(_) => None,
    })
}

/// Encodes the cells of the columns for which `value` returns a value, which itself may be absent.
fn runs<'v, F: Form>(value: impl Fn(Source) -> Option<Option<&'v str>>) -> Result<Vec<Run>> {
    let is_asked = |column: &Column| matches!(column.source, Source::Asked(_));
    let runs = COLUMNS.chunk_by(|one, next| is_asked(one) == is_asked(next));
    let cells = runs.map(|columns| {
        let mut run = Run::new();
        for column in columns {
            if let Some(text) = value(column.source) {
                F::cell(&mut run, column.name, text)?;
            }
        }
        Ok(run)
    });
    cells.collect()
}

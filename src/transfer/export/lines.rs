//! Forms in which every row is a line, with the same cells in the same order.
//!
//! What the rows of a session or of a question share is written once, and copied into their lines.

use std::collections::HashMap;
use std::collections::hash_map::Entry;
use std::marker::PhantomData;
use std::mem;
use std::sync::Arc;

use super::{COLUMNS, Encode, type_names};
use crate::domain::answer::Answer;
use crate::domain::error::Result;
use crate::domain::response::{Asked, Origin, ScreenerResponse};

/// What the cached cells of questions take before they are forgotten: those of some thousand questions,
/// and of fewer where prompts are long.
const ASKED_MAX_BYTES: usize = 2 * 1024 * 1024;
/// What a question takes besides its cells.
const ASKED_BYTES: usize = 256;

/// How a line is written.
pub(super) trait Form: Send + 'static {
    /// About the length of a line.
    const LENGTH: usize;

    /// What the file begins with.
    fn header() -> String;
    /// Adds a cell and what stands behind it; the first one begins the line.
    fn cell(line: &mut Vec<u8>, column: &str, text: Option<&str>) -> Result<()>;
    /// Adds the answer and the end of the line.
    fn answer(line: &mut Vec<u8>, answer: &Answer) -> Result<()>;
}

/// The encoder.
pub(super) struct Lines<F> {
    has_header: bool,
    origin: Option<(Arc<Origin>, [Vec<u8>; 2])>,
    /// By their addresses, which are theirs as long as they are held.
    asked: HashMap<usize, (Arc<Asked>, [Vec<u8>; 3])>,
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
        let (_, [session, rest]) = match &mut self.origin {
            Some(last) if Arc::ptr_eq(&last.0, origin) => last,
            other => other.insert((Arc::clone(origin), of_origin::<F>(origin)?)),
        };
        let (_, [types, question, prompt]) = match self.asked.entry(Arc::as_ptr(asked).addr()) {
            Entry::Occupied(known) => known.into_mut(),
            Entry::Vacant(new) => {
                let cells = of_asked::<F>(asked)?;
                let bytes = asked.prompt.len() + cells.iter().map(Vec::len).sum::<usize>();
                self.asked_bytes += bytes + ASKED_BYTES;
                new.insert((Arc::clone(asked), cells))
            }
        };
        for part in [types, session, question, rest, prompt] {
            lines.extend_from_slice(part);
        }
        F::answer(lines, answer)
    }
}

/// Cells that stand together, of the columns from the first of them on.
fn cells<F: Form, const N: usize>(first: usize, texts: [Option<&str>; N]) -> Result<Vec<u8>> {
    let mut line = Vec::new();
    for (column, text) in COLUMNS[first..].iter().zip(texts) {
        F::cell(&mut line, column, text)?;
    }
    Ok(line)
}

fn of_origin<F: Form>(origin: &Origin) -> Result<[Vec<u8>; 2]> {
    let Origin { session, screener, publication, participant, external_uid, assignment } = origin;
    let rest = [
        Some(screener.as_str()),
        Some(publication.as_str()),
        Some(participant.as_str()),
        external_uid.as_deref(),
        Some(assignment.as_str()),
    ];
    Ok([cells::<F, 1>(2, [Some(session.as_str())])?, cells::<F, 5>(5, rest)?])
}

fn of_asked<F: Form>(asked: &Asked) -> Result<[Vec<u8>; 3]> {
    let Asked { page, question, prompt, kind } = asked;
    let (item_type, question_type) = type_names(*kind);
    Ok([
        cells::<F, 2>(0, [Some(item_type), Some(question_type)])?,
        cells::<F, 2>(3, [Some(page.as_str()), Some(question.as_str())])?,
        cells::<F, 1>(10, [Some(prompt)])?,
    ])
}

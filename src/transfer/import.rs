//! Reading an import file, line by line.

use std::io::BufRead;

use serde::Deserialize;

use super::record;
use crate::app::{App, Imported, Operator, Summary};
use crate::domain::error::{Error, Result};

/// The version of the format that is written and read.
pub const FORMAT_VERSION: u64 = 1;
/// The longest line; a publication of 500 questions fits.
const LINE_MAX_BYTES: usize = 4 * 1024 * 1024;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Header {
    format: String,
    version: u64,
}

/// Imports every line of a file, or none of them. `trust_links` lets the links of its sessions be
/// answered without a panelist key.
pub async fn import_lines<R>(
    app: &App,
    operator: &Operator,
    reader: R,
    trust_links: bool,
) -> Result<Summary>
where
    R: BufRead + Send + 'static,
{
    app.import(operator, records(reader, trust_links)).await
}

/// The records of a file; ends after the first error.
pub fn records<R: BufRead>(reader: R, trust_links: bool) -> impl Iterator<Item = Result<Imported>> {
    let mut lines = Lines { reader, number: 0, has_header: false, trust_links };
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
                    Ok(None)
                } else {
                    Err(self.refuse("The file begins with a header line."))
                };
            }
            let text = str::from_utf8(&line).map_err(|_| self.refuse("A line is UTF-8."))?.trim();
            if !self.has_header {
                self.check_header(text)?;
                self.has_header = true;
            } else if !text.is_empty() {
                let record = record::parse(text, self.trust_links).map_err(|violations| {
                    let at = |field: &str| match field {
                        "" => format!("line {}", self.number),
                        field => format!("line {}: {field}", self.number),
                    };
                    let mut violations = violations;
                    for violation in &mut violations {
                        violation.field = at(&violation.field);
                    }
                    Error::invalid(violations)
                })?;
                return Ok(Some((self.number, record)));
            }
        }
    }

    fn check_header(&self, text: &str) -> Result<()> {
        let reason = r#"The header is {"format":"screenerd-import","version":1}."#;
        let header: Header = serde_json::from_str(text).map_err(|_| self.refuse(reason))?;
        if header.format == "screenerd-import" && header.version == FORMAT_VERSION {
            Ok(())
        } else {
            Err(self.refuse(reason))
        }
    }

    /// Reads one line; `false` at the end of the file.
    fn read_line(&mut self, line: &mut Vec<u8>) -> Result<bool> {
        loop {
            let available = self.reader.fill_buf().map_err(Error::internal)?;
            if available.is_empty() {
                return Ok(!line.is_empty());
            }
            let newline = available.iter().position(|byte| *byte == b'\n');
            let taken = newline.map_or(available.len(), |position| position + 1);
            line.extend_from_slice(&available[..taken]);
            self.reader.consume(taken);
            if line.len() > LINE_MAX_BYTES {
                return Err(self.refuse("A line has at most 4194304 bytes."));
            }
            if newline.is_some() {
                return Ok(true);
            }
        }
    }
}

//! README and the guides: links are valid, names exist, and generated parts are current.
//! `tests/docs/run` runs their command lines.

mod concepts;
mod configuration;
mod links;
mod markdown;
mod names;
mod readme;
mod rest;

use crate::support::written;

/// Compares the part of a document between two comments with the generated text.
fn compare_part(path: &str, name: &str, printed: &str) {
    let document = markdown::read(path);
    let begin = format!("<!-- the {name} begin -->\n");
    let end = format!("<!-- the {name} end -->\n");
    let (head, rest) = document.split_once(&begin).expect("the part begins somewhere");
    let (_, tail) = rest.split_once(&end).expect("the part ends somewhere");
    written::compare(path, &format!("{head}{begin}\n{printed}\n{end}{tail}"));
}

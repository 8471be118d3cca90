//! Links within the repository lead to a file and a heading, and every guide is linked.

use std::path::Path;

use super::markdown::{Markdown, documents, read, target};

/// Returns the fault of a link in a document, if it has one.
fn fault(document: &str, link: &str) -> Option<String> {
    if link.contains("://") {
        return None;
    }
    let (file, anchor) = link.split_once('#').unwrap_or((link, ""));
    let path = if file.is_empty() { document.into() } else { target(document, file) };
    if !Path::new(env!("CARGO_MANIFEST_DIR")).join(&path).exists() {
        return Some(format!("{document}: {link} is not there"));
    }
    let has = |text: &str| Markdown::parse(text).anchors().contains(anchor);
    let is_good = anchor.is_empty() || has(&read(&path.to_string_lossy()));
    (!is_good).then(|| format!("{document}: {link} names no heading"))
}

#[test]
fn every_link_and_anchor_leads_somewhere() {
    let mut faults = Vec::new();
    for document in documents() {
        let links = Markdown::parse(&read(&document)).targets();
        faults.extend(links.iter().filter_map(|link| fault(&document, link)));
    }
    assert!(faults.is_empty(), "{}", faults.join("\n"));
    assert!(fault("README.md", "docs/none.md").is_some());
    assert!(fault("docs/README.md", "concepts.md#none").is_some());
    assert_eq!(fault("docs/README.md", "../README.md#install"), None);
}

#[test]
fn the_index_names_every_document() {
    let index = Markdown::parse(&read("docs/README.md")).targets();
    let mut missing = documents();
    missing.retain(|path| {
        let name = path.strip_prefix("docs/").filter(|name| !name.contains('/'));
        name.is_some_and(|name| name != "README.md" && !index.iter().any(|link| link == name))
    });
    assert_eq!(missing, Vec::<String>::new());
}

//! The headings, links and code of documents.

use std::collections::{BTreeSet, HashMap};
use std::path::{Path, PathBuf};

/// Returns the Markdown files of every folder that has documents.
pub(super) fn documents() -> Vec<String> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let mut found = Vec::new();
    for folder in ["", "docs", "docs/api", "contract", ".github"] {
        let entries = std::fs::read_dir(root.join(folder)).expect("a folder");
        for entry in entries {
            let path = entry.expect("an entry").path();
            if path.extension().is_some_and(|it| it == "md") {
                let path = path.strip_prefix(root).expect("it is within the package");
                found.push(path.to_string_lossy().into_owned());
            }
        }
    }
    found.sort();
    assert!(found.contains(&"README.md".to_owned()) && found.len() > 30, "{found:?}");
    found
}

/// Reads a text file of the repository.
pub(super) fn read(path: &str) -> String {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join(path);
    std::fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

/// A parsed document.
pub(super) struct Markdown {
    /// The prose, without code blocks and comments.
    pub(super) prose: String,
    /// The code blocks, with their languages.
    pub(super) blocks: Vec<(String, String)>,
}

impl Markdown {
    pub(super) fn parse(text: &str) -> Self {
        let (mut prose, mut blocks) = (String::new(), Vec::new());
        let mut open: Option<(String, String)> = None;
        for line in text.lines() {
            let fence = line.trim_start().strip_prefix("```");
            match (&mut open, fence) {
                (None, Some(language)) => open = Some((language.trim().to_owned(), String::new())),
                (Some(_), Some(_)) => blocks.extend(open.take()),
                (Some((_, code)), None) => {
                    code.push_str(line);
                    code.push('\n');
                }
                (None, None) if line.starts_with("<!--") => {}
                (None, None) => {
                    prose.push_str(line);
                    prose.push('\n');
                }
            }
        }
        assert!(open.is_none(), "a block of code ends");
        Self { prose, blocks }
    }

    /// Returns the texts between backticks.
    pub(super) fn codes(&self) -> Vec<&str> {
        let lines = self.prose.lines().flat_map(|line| line.split('`').skip(1).step_by(2));
        lines.map(str::trim).filter(|code| !code.is_empty()).collect()
    }

    /// Returns the targets of its links and pictures.
    pub(super) fn targets(&self) -> Vec<String> {
        let mut targets = Vec::new();
        for line in self.prose.lines() {
            let mut outside = String::new();
            line.split('`').step_by(2).for_each(|part| {
                outside.push_str(part);
                outside.push('`');
            });
            for (begin, end) in [("](", ')'), ("src=\"", '"'), ("<http", '>')] {
                for part in outside.split(begin).skip(1) {
                    let target = part.split(end).next().unwrap_or_default();
                    let is_address = begin.starts_with('<');
                    targets.push(if is_address { format!("http{target}") } else { target.into() });
                }
            }
        }
        targets
    }

    /// Returns the anchors that GitHub creates for its headings.
    pub(super) fn anchors(&self) -> BTreeSet<String> {
        let mut seen = HashMap::<String, usize>::new();
        let headings = self.prose.lines().filter(|line| line.starts_with('#'));
        let anchors = headings.map(|line| {
            let heading = line.trim_start_matches('#').trim().to_lowercase();
            let is_kept = |it: &char| it.is_alphanumeric() || matches!(it, ' ' | '-' | '_');
            let anchor: String = heading.chars().filter(is_kept).collect();
            let anchor = anchor.replace(' ', "-");
            let times = seen.entry(anchor.clone()).or_default();
            *times += 1;
            if *times == 1 { anchor } else { format!("{anchor}-{}", *times - 1) }
        });
        anchors.collect()
    }
}

/// Returns the file that a link of a document leads to.
pub(super) fn target(document: &str, link: &str) -> PathBuf {
    let mut path = PathBuf::from(document);
    path.pop();
    for part in link.split('/') {
        match part {
            ".." => assert!(path.pop(), "{document}: {link} leads out of the repository"),
            "." | "" => {}
            part => path.push(part),
        }
    }
    path
}

#[test]
fn a_document_is_taken_apart() {
    let text = "# A `b` c\n\n[x](y.md#z) and `[no](link)` ![p](p.png) <http://a/>\n\n```sh extended\n\
                [no](link)\n```\n## A b c\n<img src=\"q.png\">\n";
    let document = Markdown::parse(text);
    assert_eq!(document.targets(), ["y.md#z", "p.png", "http://a/", "q.png"]);
    assert_eq!(document.codes(), ["b", "[no](link)"]);
    assert_eq!(document.blocks, [("sh extended".to_owned(), "[no](link)\n".to_owned())]);
    assert_eq!(document.anchors(), ["a-b-c".to_owned(), "a-b-c-1".to_owned()].into());
    assert_eq!(target("docs/api/a.md", "../b/c.md"), Path::new("docs/b/c.md"));
}

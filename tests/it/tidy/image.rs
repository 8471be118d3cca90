//! The files that the build of the image reads, which `.dockerignore` must not exclude.

use std::path::Path;

/// Whether a pattern of one segment, in which `*` matches any text, matches a name.
fn part_matches(pattern: &str, name: &str) -> bool {
    match pattern.split_once('*') {
        None => pattern == name,
        Some((start, end)) => {
            name.len() >= start.len() + end.len() && name.starts_with(start) && name.ends_with(end)
        }
    }
}

/// Whether a pattern matches a path or one of its parent folders.
fn matches(pattern: &str, path: &str) -> bool {
    let parts: Vec<_> = path.split('/').collect();
    if let Some(anywhere) = pattern.strip_prefix("**/") {
        return parts.iter().any(|part| part_matches(anywhere, part));
    }
    let patterns: Vec<_> = pattern.split('/').collect();
    patterns.len() <= parts.len()
        && patterns.iter().zip(&parts).all(|(pattern, part)| part_matches(pattern, part))
}

/// Whether the last matching pattern includes a path, or no pattern matches it.
pub(super) fn reaches_the_build(ignored: &str, path: &str) -> bool {
    let mut lines = ignored.lines().filter(|line| !line.is_empty() && !line.starts_with('#'));
    let last = lines.rfind(|line| matches(line.strip_prefix('!').unwrap_or(line), path));
    last.is_none_or(|line| line.starts_with('!'))
}

/// Returns every file of a folder, by its path from the root.
pub(super) fn files(root: &Path, folder: &str) -> Vec<String> {
    let mut found = Vec::new();
    for entry in std::fs::read_dir(root.join(folder)).expect("the folder can be read") {
        let entry = entry.expect("the folder can be read");
        let path = format!("{folder}/{}", entry.file_name().to_string_lossy());
        if entry.path().is_dir() {
            found.extend(files(root, &path));
        } else {
            found.push(path);
        }
    }
    found
}

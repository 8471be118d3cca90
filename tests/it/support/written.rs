//! Generated files of the repository.

use std::path::Path;

/// Compares a file with its expected content, or writes it if `UPDATE_DOCS` is set.
pub(crate) fn compare(path: &str, expected: &str) {
    let file = Path::new(env!("CARGO_MANIFEST_DIR")).join(path);
    let is_asked_for = std::env::var_os("UPDATE_DOCS").is_some();
    if is_asked_for {
        std::fs::create_dir_all(file.parent().expect("a folder")).expect("it can be made");
        std::fs::write(&file, expected).expect("it can be written");
    }
    let written = std::fs::read_to_string(&file).unwrap_or_default();
    if written == expected {
        return;
    }
    let lines = || written.lines().map(Some).chain(std::iter::repeat(None));
    let differs = expected.lines().zip(lines()).position(|(new, old)| Some(new) != old);
    let from = differs.unwrap_or(expected.lines().count()).saturating_sub(3);
    let show = |sign: &str, text: &str| {
        let lines = text.lines().skip(from).take(12);
        lines.map(|line| format!("{sign} {line}")).collect::<Vec<_>>().join("\n")
    };
    let (old, new) = (show("-", &written), show("+", expected));
    panic!("{path} differs from line {from} on; UPDATE_DOCS=1 writes it anew\n{old}\n{new}");
}

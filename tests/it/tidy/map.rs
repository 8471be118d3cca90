//! The code map of `ARCHITECTURE.md`, compared with the files.

/// Returns the files in the section "Code map", with repetitions.
///
/// A bold path begins a folder. Every other name in backticks is a file in it, without its
/// extension, or a folder with a `/`, which stands for its `mod.rs`.
pub(super) fn named(document: &str) -> Vec<String> {
    let section = document.split("\n## Code map\n").nth(1).unwrap_or_default();
    let section = section.split("\n## ").next().unwrap_or_default();
    let (mut room, mut files) = (String::new(), Vec::new());
    for (at, name) in section.split('`').enumerate().filter(|(at, _)| at % 2 == 1) {
        let is_bold = section.split('`').nth(at - 1).is_some_and(|before| before.ends_with("**"));
        let path = if is_bold { name.to_owned() } else { format!("{room}{name}") };
        if is_bold {
            name.clone_into(&mut room);
        }
        if path.starts_with("src/") {
            files.push(path.trim_end_matches('/').trim_end_matches(".rs").to_owned());
        }
    }
    files
}

/// Returns the name of a file in the map. `None` if the map need not name it.
pub(super) fn name_of(path: &str) -> Option<&str> {
    let is_test = |name: &str| name == "tests" || name.ends_with("_tests");
    let path = path.strip_suffix(".rs").filter(|path| path.starts_with("src/"))?;
    let path = path.strip_suffix("/mod").unwrap_or(path);
    (!path.split('/').any(is_test)).then_some(path)
}

#[test]
fn a_map_is_read() {
    let document = "# A\n\n## Code map\n\n**`proto/`** the contract.\n\n**`src/store/`** has `list/` \
                    with\n- `list/walk`; a type is Tx.\n\n**`src/lane.rs`** threads.\n\n## B\n`x`";
    let expected = ["src/store", "src/store/list", "src/store/list/walk", "src/lane"];
    assert_eq!(named(document), expected);
    assert_eq!(name_of("src/store/list/mod.rs"), Some("src/store/list"));
    assert_eq!(name_of("src/lane.rs"), Some("src/lane"));
    for path in ["src/rest/tests/data.rs", "src/app/slow_tests.rs", "tests/it/main.rs", "src/a.sql"]
    {
        assert_eq!(name_of(path), None, "{path}");
    }
}

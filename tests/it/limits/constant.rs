//! Constants of the sources, and the format of their values.

use std::path::Path;

#[derive(Debug)]
struct Constant {
    path: String,
    name: String,
    is_public: bool,
    /// The text after the equals sign.
    value: String,
}

/// Every constant of `src/` outside of tests.
#[derive(Debug)]
pub(super) struct Constants(Vec<Constant>);

impl Constants {
    pub(super) fn read() -> Self {
        let root = Path::new(env!("CARGO_MANIFEST_DIR"));
        let mut folders = vec![root.join("src")];
        let mut found = Vec::new();
        while let Some(folder) = folders.pop() {
            for entry in std::fs::read_dir(folder).expect("a folder of the package can be read") {
                let path = entry.expect("a folder of the package can be read").path();
                if path.is_dir() {
                    folders.push(path);
                } else if path.extension().is_some_and(|extension| extension == "rs") {
                    let text = std::fs::read_to_string(&path).expect("a source is readable text");
                    let name = path.strip_prefix(root).expect("it is within the package");
                    found.extend(declared(&name.to_string_lossy(), &text));
                }
            }
        }
        Self(found)
    }

    /// Returns the names of the public constants of a file.
    pub(super) fn public_in(&self, path: &str) -> Vec<&str> {
        let public = self.0.iter().filter(|it| it.path == path && it.is_public);
        public.map(|constant| constant.name.as_str()).collect()
    }

    /// Finds the only constant that a placeholder names.
    fn named(&self, placeholder: &str) -> &Constant {
        let (file, name) = match placeholder.rsplit_once(':') {
            Some((file, name)) => (format!("/{file}.rs"), name),
            None => (String::new(), placeholder),
        };
        let named = |it: &&Constant| it.name == name && it.path.ends_with(&file);
        let found: Vec<_> = self.0.iter().filter(named).collect();
        let [constant] = found[..] else {
            panic!("{{{placeholder}}} of tests/it/limits.rs is not one constant of src/: {found:?}")
        };
        constant
    }

    pub(super) fn printed(&self, placeholder: &str) -> String {
        let constant = self.named(placeholder);
        let (number, unit) = self.evaluate(&constant.value);
        print(number, unit.unwrap_or(constant.name.rsplit('_').next().unwrap_or_default()))
    }

    /// Returns the value of an expression, and the unit of a duration. An expression is a product
    /// or shift of numbers and other constants, or a `Duration` of one.
    fn evaluate(&self, value: &str) -> (u128, Option<&'static str>) {
        if let Some(argument) = value.strip_prefix("Duration::from_") {
            let units = [("secs(", 1_000), ("millis(", 1), ("mins(", 60_000)];
            let of = |(unit, factor)| Some((argument.strip_prefix(unit)?, factor));
            let (argument, factor) = units.into_iter().find_map(of).expect("a unit of a duration");
            let argument = argument.strip_suffix(')').expect("a call");
            return (self.evaluate(argument).0 * factor, Some("MS"));
        }
        if let Some((one, other)) = value.split_once(" << ") {
            return (self.evaluate(one).0 << self.evaluate(other).0, None);
        }
        if let Some((one, other)) = value.rsplit_once(" * ") {
            return (self.evaluate(one).0 * self.evaluate(other).0, None);
        }
        let name = value.rsplit("::").next().unwrap_or(value);
        if name.starts_with(char::is_alphabetic) {
            return self.evaluate(&self.named(name).value);
        }
        let digits = value.replace('_', "");
        (digits.parse().unwrap_or_else(|_| panic!("`{value}` is not a number")), None)
    }
}

/// Returns the constants that a source declares before its tests.
fn declared(path: &str, text: &str) -> Vec<Constant> {
    let text = text.split("#[cfg(test)]\nmod tests {").next().unwrap_or(text);
    let mut found = Vec::new();
    for (place, _) in text.match_indices("const ") {
        let line = text[..place].rsplit('\n').next().unwrap_or_default().trim_start();
        // Only the visibility may precede `const`, which excludes comments and `*const`.
        if !(line.is_empty() || line.starts_with("pub") && !line.contains("fn")) {
            continue;
        }
        let declaration = text[place + "const ".len()..].split(';').next().unwrap_or_default();
        let Some((name, value)) = declaration.split_once(" =") else { continue };
        let Some((name, _)) = name.split_once(':') else { continue };
        found.push(Constant {
            path: path.to_owned(),
            name: name.to_owned(),
            is_public: line == "pub ",
            value: value.split_whitespace().collect::<Vec<_>>().join(" "),
        });
    }
    found
}

/// Prints a number in the unit at the end of a constant's name.
fn print(number: u128, unit: &str) -> String {
    let scaled = |units: &[(u128, &str)]| {
        let fits = units.iter().find(|(size, _)| number >= *size && number.is_multiple_of(*size));
        let (size, name) = fits.expect("the least unit divides every number");
        format!("{} {name}", grouped(number / size))
    };
    match unit {
        "BYTES" => scaled(&[(1 << 20, "MiB"), (1 << 10, "KiB"), (1, "bytes")]),
        "SECONDS" => scaled(&[(3_600, "h"), (1, "s")]),
        "MS" => scaled(&[(1_000, "s"), (1, "ms")]),
        "CHARS" => format!("{} characters", grouped(number)),
        "ROWS" => format!("{} rows", grouped(number)),
        _ => grouped(number),
    }
}

/// Groups digits in threes from 10 000 on.
fn grouped(number: u128) -> String {
    let digits = number.to_string();
    if digits.len() < 5 {
        return digits;
    }
    let first = digits.len() % 3;
    let groups = (first..digits.len()).step_by(3).map(|at| &digits[at..at + 3]);
    let all = [&digits[..first]].into_iter().filter(|it| !it.is_empty()).chain(groups);
    all.collect::<Vec<_>>().join(" ")
}

#[test]
fn constants_are_read_with_their_visibility_and_evaluated() {
    let source = "/// const NOT: u8 = 1;\npub const WINDOW_BYTES: u32 = 256 * 1024;\n\
                  \x20   pub(super) const COMPILED_MAX_BYTES: usize = 1 << 18;\nconst TIMES: u64 =\n    3;\n\
                  const WAIT: Duration = Duration::from_secs(TIMES * 5);\npub const fn a() {}\n\
                  #[cfg(test)]\nmod tests {\n    const TIMES: u64 = 4;\n}\n";
    let constants = Constants(declared("src/a/b.rs", source));
    assert_eq!(constants.public_in("src/a/b.rs"), ["WINDOW_BYTES"]);
    for (name, printed) in [
        ("WINDOW_BYTES", "256 KiB"),
        ("a/b:COMPILED_MAX_BYTES", "256 KiB"),
        ("TIMES", "3"),
        ("WAIT", "15 s"),
    ] {
        assert_eq!(constants.printed(name), printed);
    }
}

#[test]
fn a_value_is_printed_in_the_largest_unit_that_divides_it() {
    for (number, unit, printed) in [
        (500, "MS", "500 ms"),
        (75_000, "MS", "75 s"),
        (3_600, "SECONDS", "1 h"),
        (172_800, "SECONDS", "48 h"),
        (4_096, "MAX", "4096"),
        (100_000, "MAX", "100 000"),
        (128, "BYTES", "128 bytes"),
        (4 << 20, "BYTES", "4 MiB"),
        (2_000, "CHARS", "2000 characters"),
        (1_024, "ROWS", "1024 rows"),
    ] {
        assert_eq!(print(number, unit), printed);
    }
}

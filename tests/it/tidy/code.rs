//! Just enough of Rust's syntax to read sources by: what is code, and where functions end.

/// The text with everything in comments and literals replaced by spaces, line for line.
pub(super) fn code_of(text: &str) -> String {
    let letters: Vec<char> = text.chars().collect();
    let mut code = String::with_capacity(text.len());
    let mut at = 0;
    while at < letters.len() {
        let end = skip(&letters, at);
        if end == at {
            code.push(letters[at]);
            at += 1;
            continue;
        }
        for letter in &letters[at..end] {
            code.push(if *letter == '\n' { '\n' } else { ' ' });
        }
        at = end;
    }
    code
}

/// Where the comment or literal ends that begins here; here, if none does.
fn skip(letters: &[char], at: usize) -> usize {
    let follows = |offset: usize, text: &str| {
        text.chars()
            .enumerate()
            .all(|(index, letter)| letters.get(at + offset + index) == Some(&letter))
    };
    if follows(0, "//") {
        return (at..letters.len()).find(|it| letters[*it] == '\n').unwrap_or(letters.len());
    }
    if follows(0, "/*") {
        return end_of_block_comment(letters, at);
    }
    let begins_word = at == 0 || !is_word(letters[at - 1]);
    if begins_word && matches!(letters[at], 'r' | 'b' | 'c') {
        let prefix = ["r", "br", "cr"].iter().find(|prefix| follows(0, prefix));
        if let Some(prefix) = prefix {
            let hashes = letters[at + prefix.len()..].iter().take_while(|it| **it == '#').count();
            if letters.get(at + prefix.len() + hashes) == Some(&'"') {
                return end_of_raw_string(letters, at + prefix.len() + hashes + 1, hashes);
            }
        }
    }
    match letters[at] {
        '"' => end_of_quoted(letters, at + 1, '"'),
        // A lifetime has no closing quote behind its first letter.
        '\'' if letters.get(at + 1) == Some(&'\\') || letters.get(at + 2) == Some(&'\'') => {
            end_of_quoted(letters, at + 1, '\'')
        }
        _ => at,
    }
}

fn end_of_block_comment(letters: &[char], from: usize) -> usize {
    let (mut at, mut depth) = (from, 0);
    while at < letters.len() {
        match (letters[at], letters.get(at + 1)) {
            ('/', Some('*')) => {
                depth += 1;
                at += 2;
            }
            ('*', Some('/')) => {
                depth -= 1;
                at += 2;
                if depth == 0 {
                    return at;
                }
            }
            _ => at += 1,
        }
    }
    at
}

fn end_of_raw_string(letters: &[char], from: usize, hashes: usize) -> usize {
    let closes = |at: &usize| {
        letters[*at] == '"'
            && letters[at + 1..].iter().take(hashes).filter(|it| **it == '#').count() == hashes
    };
    (from..letters.len()).find(closes).map_or(letters.len(), |at| at + 1 + hashes)
}

fn end_of_quoted(letters: &[char], from: usize, quote: char) -> usize {
    let mut at = from;
    while at < letters.len() {
        match letters[at] {
            '\\' => at += 2,
            letter if letter == quote => return at + 1,
            _ => at += 1,
        }
    }
    letters.len()
}

pub(super) fn is_word(letter: char) -> bool {
    letter.is_alphanumeric() || letter == '_'
}

/// The words of some code, each with the place where it begins.
pub(super) fn words(code: &str) -> impl Iterator<Item = (usize, &str)> {
    let mut rest = 0;
    std::iter::from_fn(move || {
        let begin = rest + code[rest..].find(is_word)?;
        let length = code[begin..].find(|letter| !is_word(letter)).unwrap_or(code.len() - begin);
        rest = begin + length;
        Some((begin, &code[begin..rest]))
    })
}

/// The number of the line in which a place is, from 1.
pub(super) fn line_of(code: &str, place: usize) -> usize {
    code[..place].matches('\n').count() + 1
}

/// Every function that has a body: its name, its first line and how many lines it has.
pub(super) fn functions(code: &str) -> Vec<(String, usize, usize)> {
    let mut found = Vec::new();
    for (place, word) in words(code) {
        if word != "fn" {
            continue;
        }
        // A function pointer's type has no name, and a macro's function may have `$name`.
        let rest = code[place + 2..].trim_start();
        let name: String = rest.chars().take_while(|it| is_word(*it) || *it == '$').collect();
        if name.is_empty() {
            continue;
        }
        if let Some(end) = end_of_body(code, place) {
            let lines = code[place..end].matches('\n').count() + 1;
            found.push((name, line_of(code, place), lines));
        }
    }
    found
}

/// Where the body ends of the function that begins here; `None` if it is declared only.
fn end_of_body(code: &str, from: usize) -> Option<usize> {
    let (mut depth, mut in_body) = (0_i32, false);
    for (offset, letter) in code[from..].char_indices() {
        match letter {
            ';' if depth == 0 && !in_body => return None,
            '(' | '[' | '{' => {
                in_body |= letter == '{' && depth == 0;
                depth += 1;
            }
            ')' | ']' | '}' => {
                depth -= 1;
                if depth == 0 && in_body {
                    return Some(from + offset + 1);
                }
            }
            _ => {}
        }
    }
    None
}

#[test]
fn comments_and_literals_are_no_code() {
    let text = r##"a // sqlx "
b /* { /* sqlx */ } */ c "sq\"lx {" d 'x' e '\'' f<'g> r#"sql"x"# h b"x" 'i: loop {}"##;
    let words: Vec<_> = words(&code_of(text)).map(|(_, word)| word.to_owned()).collect();
    assert_eq!(words, ["a", "b", "c", "d", "e", "f", "g", "h", "b", "i", "loop"]);
    assert_eq!(code_of(text).lines().count(), 2);
}

#[test]
fn functions_end_where_their_bodies_end() {
    let text = "trait T { fn a(&self); fn b(x: [u8; 2]) -> R {\n if x { y } \"}\" }\n}\n\
                fn c() where T: X {\n\n}\ntype F = fn(u8) -> u8;";
    let expected = [("b", 1, 2), ("c", 4, 3)].map(|(name, line, lines)| (name.into(), line, lines));
    assert_eq!(functions(&code_of(text)), expected);
}

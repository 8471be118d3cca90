//! The parts of a source that rules check: tokens without comments and literals, and functions.

use std::str::FromStr as _;

use proc_macro2::{Delimiter, Group, Span, TokenStream, TokenTree};

/// A word, a sign or a bracket.
#[derive(Debug)]
pub(super) struct Token {
    pub text: String,
    pub line: usize,
}

/// A function with a body.
#[derive(Debug, Eq, PartialEq)]
pub(super) struct Function {
    pub name: String,
    pub line: usize,
    pub lines: usize,
}

/// Returns the tokens and the functions of a source.
pub(super) fn read(text: &str) -> (Vec<Token>, Vec<Function>) {
    let stream = TokenStream::from_str(text).expect("a source is Rust");
    let (mut tokens, mut functions) = (Vec::new(), Vec::new());
    walk(stream, &mut tokens, &mut functions);
    (tokens, functions)
}

fn walk(stream: TokenStream, tokens: &mut Vec<Token>, functions: &mut Vec<Function>) {
    let trees: Vec<_> = stream.into_iter().collect();
    for (at, tree) in trees.iter().enumerate() {
        if let TokenTree::Ident(word) = tree
            && word == "fn"
        {
            functions.extend(function(word.span(), &trees[at + 1..]));
        }
        let mut add = |text: &str, span: Span| {
            tokens.push(Token { text: text.to_owned(), line: span.start().line });
        };
        match tree {
            TokenTree::Ident(word) => add(&word.to_string(), word.span()),
            TokenTree::Punct(sign) => add(&sign.to_string(), sign.span()),
            TokenTree::Literal(_) => {}
            TokenTree::Group(group) => {
                let (open, close) = brackets(group);
                add(open, group.span_open());
                walk(group.stream(), tokens, functions);
                tokens
                    .push(Token { text: close.to_owned(), line: group.span_close().start().line });
            }
        }
    }
}

fn brackets(group: &Group) -> (&'static str, &'static str) {
    match group.delimiter() {
        Delimiter::Parenthesis => ("(", ")"),
        Delimiter::Bracket => ("[", "]"),
        Delimiter::Brace => ("{", "}"),
        Delimiter::None => ("", ""),
    }
}

/// Returns the function of a signature. `None` for a pointer type or a mere declaration.
fn function(begin: Span, signature: &[TokenTree]) -> Option<Function> {
    let TokenTree::Ident(name) = signature.first()? else { return None };
    let line = begin.start().line;
    for tree in signature {
        match tree {
            TokenTree::Group(body) if body.delimiter() == Delimiter::Brace => {
                let lines = body.span_close().end().line - line + 1;
                return Some(Function { name: name.to_string(), line, lines });
            }
            TokenTree::Punct(sign) if sign.as_char() == ';' => return None,
            TokenTree::Group(_)
            | TokenTree::Ident(_)
            | TokenTree::Punct(_)
            | TokenTree::Literal(_) => {}
        }
    }
    None
}

#[test]
fn comments_and_literals_are_no_code() {
    let text = "a // sqlx \"\nb /* { /* sqlx */ } */ c \"sq\\\"lx {\" 'x' f<'g> r#\"sql\"x\"# h";
    let tokens: Vec<_> = read(text).0.into_iter().map(|it| (it.text, it.line)).collect();
    let expected = [("a", 1), ("b", 2), ("c", 2), ("f", 2), ("<", 2), ("'", 2), ("g", 2), (">", 2)];
    let expected = expected.into_iter().chain([("h", 2)]);
    assert_eq!(tokens, expected.map(|(text, line)| (text.to_owned(), line)).collect::<Vec<_>>());
}

#[test]
fn functions_end_where_their_bodies_end() {
    let text = "trait T { fn a(&self); fn b(x: [u8; 2]) -> R {\n if x { y } \"}\" }\n}\n\
                fn c() where T: X {\n\n}\ntype F = fn(u8) -> u8;\nmacro_rules! m { () => { fn d() {} } }";
    let names: Vec<_> = read(text).1.into_iter().map(|it| (it.name, it.line, it.lines)).collect();
    let expected = [("b", 1, 2), ("c", 4, 3), ("d", 8, 1)];
    assert_eq!(names, expected.map(|(name, line, lines)| (name.to_owned(), line, lines)));
}

//! The cookbook: lines to paste, each with its output. `tests/docs/run` runs them.

/// Lines and their output.
pub(crate) struct Block {
    /// The anchor of the heading above.
    pub(crate) anchor: String,
    pub(crate) lines: String,
    pub(crate) prints: String,
}

impl Block {
    /// Returns the lines that call an RPC, `Service/Method`, which is always the last word.
    pub(crate) fn calls(&self, rpc: &str) -> impl Iterator<Item = &str> {
        let rpc = format!("screener.v1.{rpc}");
        self.lines.lines().filter(move |line| line.ends_with(&rpc))
    }

    /// Whether it shows a successful call of an RPC, with its output.
    pub(crate) fn is_example_of(&self, rpc: &str) -> bool {
        self.calls(rpc).next().is_some() && self.prints.starts_with('{') && !self.is_refused()
    }

    /// Whether it shows a refusal in the format of Connect.
    fn is_refused(&self) -> bool {
        self.prints.lines().nth(1).is_some_and(|line| line.trim_start().starts_with("\"code\""))
    }
}

/// Returns the message in a line.
pub(crate) fn message(line: &str) -> &str {
    let rest = line.split_once(" -d '").map_or("", |(_, rest)| rest);
    rest.split_once('\'').map_or("", |(message, _)| message)
}

/// Returns every block of the cookbook.
pub(crate) fn blocks() -> Vec<Block> {
    let book = std::fs::read_to_string("docs/cookbook.md").expect("the cookbook");
    let mut blocks = Vec::new();
    for section in book.split("\n## ").skip(1) {
        let heading = section.lines().next().unwrap_or_default();
        for block in section.split("```sh\n").skip(1) {
            let (lines, rest) = block.split_once("```\n\n```text\n").expect("what they print");
            let (prints, _) = rest.split_once("```").expect("its end");
            blocks.push(Block {
                anchor: heading.to_lowercase().replace(' ', "-"),
                lines: lines.to_owned(),
                prints: prints.to_owned(),
            });
        }
    }
    blocks
}

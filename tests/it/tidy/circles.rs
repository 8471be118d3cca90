//! Circular imports between files of `src`.
//!
//! An import leads, through re-exports, to the file that defines the name. A folder's `mod.rs` is
//! assembled from the files below it: its imports from those do not count, but theirs from it do.
//! Code for tests does not count either.

use std::collections::{BTreeMap, BTreeSet};

use syn::visit::{self, Visit};
use syn::{Attribute, Item, ItemUse, UseTree};

/// The path of a module from the root of the crate, or of a name in a module.
type Path = Vec<String>;

/// The most re-exports of a name to follow.
const STEPS_MAX: usize = 16;

/// The imports of a file, and the paths that it mentions.
#[derive(Debug, Default)]
struct File {
    /// Each imported name, with its path.
    imports: BTreeMap<String, Path>,
    mentions: BTreeSet<Path>,
}

/// The files of the crate, by their modules.
pub(super) struct Files(BTreeMap<Path, File>);

impl File {
    fn import(&mut self, before: &[String], tree: &UseTree) {
        let path = |name: &syn::Ident| [before, &[name.to_string()]].concat();
        match tree {
            UseTree::Path(tree) => self.import(&path(&tree.ident), &tree.tree),
            UseTree::Group(group) => group.items.iter().for_each(|tree| self.import(before, tree)),
            UseTree::Name(tree) if tree.ident == "self" => {
                self.imports.extend(before.last().map(|name| (name.clone(), before.to_vec())));
            }
            UseTree::Name(tree) => {
                self.imports.insert(tree.ident.to_string(), path(&tree.ident));
            }
            UseTree::Rename(tree) => {
                self.imports.insert(tree.rename.to_string(), path(&tree.ident));
            }
            // Only tests import all names of a module, and other files only traits of other crates.
            UseTree::Glob(_) => {}
        }
    }
}

impl<'ast> Visit<'ast> for File {
    fn visit_item(&mut self, item: &'ast Item) {
        #[expect(clippy::wildcard_enum_match_arm, reason = "syn may add kinds of items")]
        let attributes: &[Attribute] = match item {
            Item::Fn(it) => &it.attrs,
            Item::Impl(it) => &it.attrs,
            Item::Mod(it) => &it.attrs,
            Item::Use(it) => &it.attrs,
            _ => &[],
        };
        let is_for_tests = attributes.iter().any(|it| {
            it.path().is_ident("cfg")
                && it.parse_args::<syn::Path>().is_ok_and(|condition| condition.is_ident("test"))
        });
        if !is_for_tests {
            visit::visit_item(self, item);
        }
    }

    fn visit_item_use(&mut self, item: &'ast ItemUse) {
        self.import(&[], &item.tree);
    }

    fn visit_path(&mut self, path: &'ast syn::Path) {
        self.mentions.insert(path.segments.iter().map(|it| it.ident.to_string()).collect());
        visit::visit_path(self, path);
    }
}

impl Files {
    /// Parses files from their paths and texts.
    pub(super) fn new<'s>(sources: impl Iterator<Item = (&'s str, &'s str)>) -> Self {
        let is_code =
            |path: &str| !path.split('/').any(|it| it.trim_end_matches(".rs").ends_with("tests"));
        let file = |(path, text): (&str, &str)| {
            let mut file = File::default();
            file.visit_file(&syn::parse_file(text).expect("a source is Rust"));
            let path = path.trim_start_matches("src/").trim_end_matches(".rs");
            let path = path.strip_suffix("/mod").unwrap_or(path);
            let module = path.split('/').filter(|name| *name != "lib").map(str::to_owned);
            (module.collect(), file)
        };
        Self(sources.filter(|(path, _)| is_code(path)).map(file).collect())
    }

    /// Returns the file that defines the target of a path. `None` if it is not in this crate.
    fn defining(&self, module: &[String], path: &[String], steps: usize) -> Option<Path> {
        let (first, mut rest) = path.split_first()?;
        let mut at = match first.as_str() {
            "crate" => Vec::new(),
            "self" => module.to_vec(),
            "super" => module.split_last()?.1.to_vec(),
            name => {
                let below = [module, &[name.to_owned()]].concat();
                if !self.0.contains_key(&below) {
                    return self.imported(module, path, steps);
                }
                below
            }
        };
        while let Some((name, after)) = rest.split_first() {
            let below = [&at, std::slice::from_ref(name)].concat();
            if name == "super" {
                at.pop();
            } else if self.0.contains_key(&below) {
                at = below;
            } else {
                return self.imported(&at, rest, steps).or(Some(at));
            }
            rest = after;
        }
        // A path to a module defines nothing itself.
        None
    }

    /// Does the same for a path that begins with a name that a module imports.
    fn imported(&self, module: &[String], path: &[String], steps: usize) -> Option<Path> {
        let (name, rest) = path.split_first()?;
        let import = self.0.get(module)?.imports.get(name)?;
        let path = [import, rest].concat();
        (steps < STEPS_MAX).then(|| self.defining(module, &path, steps + 1))?
    }

    /// Returns the files from which each file imports.
    fn arrows(&self) -> BTreeMap<&Path, BTreeSet<Path>> {
        let arrows = self.0.iter().map(|(module, file)| {
            let paths = file.mentions.iter().chain(file.imports.values());
            let targets = paths.filter_map(|path| self.defining(module, path, 0));
            (module, targets.filter(|target| !target.starts_with(module)).collect())
        });
        arrows.collect()
    }

    /// Returns the files that can be reached from each other along arrows, circle by circle.
    pub(super) fn circles(&self) -> Vec<Vec<String>> {
        let arrows = self.arrows();
        let reached = |from: &Path| {
            let (mut reached, mut next) = (BTreeSet::new(), vec![from.clone()]);
            while let Some(module) = next.pop() {
                for target in arrows.get(&module).into_iter().flatten() {
                    if reached.insert(target.clone()) {
                        next.push(target.clone());
                    }
                }
            }
            reached
        };
        let reached: BTreeMap<_, _> =
            self.0.keys().map(|module| (module, reached(module))).collect();
        let circle = |module: &Path| -> Vec<String> {
            let back =
                |other: &&Path| reached[module].contains(*other) && reached[other].contains(module);
            reached.keys().copied().filter(back).map(|module| module.join("::")).collect()
        };
        let circles: BTreeSet<_> = self.0.keys().map(circle).collect();
        circles.into_iter().filter(|circle| !circle.is_empty()).collect()
    }
}

#[test]
fn circles_are_seen_through_names_that_are_passed_on() {
    let circles = |files: &[(&str, &str)]| Files::new(files.iter().copied()).circles();
    let one = ("src/a/one.rs", "use super::Two; pub struct One(Two);");
    let two = ("src/a/two.rs", "use crate::a::one; pub struct Two(Box<one::One>);");
    let folder = ("src/a/mod.rs", "mod one; mod two; pub use one::One; pub use two::Two;");
    assert_eq!(circles(&[one, two, folder]), [["a::one", "a::two"]]);
    let tests =
        ("src/a/two.rs", "#[cfg(test)] mod tests { use super::super::One; } pub struct Two;");
    assert_eq!(circles(&[one, tests, folder]), Vec::<Vec<String>>::new());
    let upwards = ("src/a/mod.rs", "mod one; mod two; pub use one::One; pub struct Two(one::One);");
    assert_eq!(circles(&[one, tests, upwards]), Vec::<Vec<String>>::new());
    let inline = ("src/a/two.rs", "pub struct Two; fn two() { super::One::new() }");
    assert_eq!(circles(&[one, inline, folder]), [["a::one", "a::two"]]);
}

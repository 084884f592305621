//! Every public item of this crate stands in an example of its documentation, and those examples are run as tests.

use std::{collections::BTreeSet, fs, path::Path};

/// Beginnings of lines that declare something public.
const DECLARATIONS: [&str; 8] =
    ["pub fn ", "pub const fn ", "pub struct ", "pub enum ", "pub trait ", "pub type ", "pub const ", "pub static "];

#[derive(Default)]
struct Found {
    /// Public items, with the file that declares them.
    items: BTreeSet<(String, String)>,
    /// Words of examples.
    examples: BTreeSet<String>,
}

#[test]
fn every_public_item_stands_in_an_example() {
    let mut found = Found::default();
    collect(&Path::new(env!("CARGO_MANIFEST_DIR")).join("src"), &mut found);
    assert!(found.items.len() > 100, "{} items: the sources are read", found.items.len());
    let without: Vec<_> = found.items.iter().filter(|(item, _)| !found.examples.contains(item)).collect();
    assert!(without.is_empty(), "{} public items without an example: {without:#?}", without.len());
}

fn collect(folder: &Path, found: &mut Found) {
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            // What calls the host is nobody's but this crate's.
            if path.file_name().is_some_and(|name| name != "host") {
                collect(&path, found);
            }
            continue;
        }
        read(&fs::read_to_string(&path).unwrap(), &path.file_name().unwrap().to_string_lossy(), found);
    }
}

fn read(text: &str, file: &str, found: &mut Found) {
    let (mut in_example, mut is_hidden) = (false, false);
    for line in text.lines().map(str::trim) {
        let documented = line.strip_prefix("//!").or_else(|| line.strip_prefix("///"));
        if let Some(documented) = documented.map(str::trim) {
            if documented.starts_with("```") {
                in_example = !in_example && documented == "```";
            } else if in_example {
                found.examples.extend(words(documented));
            }
            continue;
        }
        if line.starts_with("#[") {
            is_hidden |= line == "#[doc(hidden)]";
            continue;
        }
        if !std::mem::take(&mut is_hidden) {
            let item = declared(line).or_else(|| accessor(line));
            found.items.extend(item.map(|item| (item, file.to_owned())));
        }
    }
}

fn declared(line: &str) -> Option<String> {
    let rest = DECLARATIONS.iter().find_map(|declaration| line.strip_prefix(declaration))?;
    words(rest).next()
}

/// A line of `view!`: `name: Type = |r: &Record| …;`
fn accessor(line: &str) -> Option<String> {
    let (name, rest) = line.split_once(": ")?;
    rest.contains(" = |r: &").then(|| name.to_owned())
}

fn words(text: &str) -> impl Iterator<Item = String> {
    let separates = |c: char| !c.is_alphanumeric() && c != '_';
    text.split(separates).filter(|word| !word.is_empty()).map(str::to_owned)
}

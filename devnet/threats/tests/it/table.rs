//! The tables of attacks in `SECURITY.md` and of promises in `docs/GUARD_VM.md` name tests and figures that are there.

use std::{
    fs,
    path::{Path, PathBuf},
};

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..")
}

fn read(path: &str) -> String {
    fs::read_to_string(root().join(path)).unwrap_or_else(|error| panic!("{path}: {error}"))
}

/// The texts in backticks.
fn quoted(cell: &str) -> Vec<&str> {
    cell.split('`').skip(1).step_by(2).collect()
}

/// The three cells of each row of the table in a section.
fn rows<'a>(text: &'a str, section: &str) -> Vec<[&'a str; 3]> {
    let section = text.split("\n## ").find(|found| found.starts_with(section)).unwrap();
    let rows = section.lines().filter(|line| line.starts_with('|')).skip(2);
    let cells = |row: &'a str| {
        let cells: Vec<_> = row.split('|').map(str::trim).collect();
        let [_, first, second, third, _] = cells[..] else { panic!("three cells: {row}") };
        [first, second, third]
    };
    rows.map(cells).collect()
}

fn assert_tests_are_there(rows: &[[&str; 3]]) {
    for [what, file, tests] in rows {
        let [file] = quoted(file)[..] else { panic!("one file: {what}") };
        let (source, tests) = (read(file), quoted(tests));
        assert!(!tests.is_empty(), "{what}");
        for test in tests {
            let is_there = ["", "    "].iter().any(|indent| {
                source.contains(&format!("#[test]\n{indent}fn {test}()"))
                    || source.contains(&format!("#[tokio::test(flavor = \"multi_thread\")]\n{indent}async fn {test}()"))
                    || source.contains(&format!("#[tokio::test]\n{indent}async fn {test}()"))
            });
            assert!(is_there, "{file} has no test {test}");
        }
    }
}

#[test]
fn every_attack_of_the_table_has_its_tests() {
    let text = read("SECURITY.md");
    let rows = rows(&text, "Attacks");
    assert!(rows.len() > 20, "{} rows", rows.len());
    assert_tests_are_there(&rows);
}

#[test]
fn every_promise_of_the_guard_vm_has_its_tests() {
    let text = read("docs/GUARD_VM.md");
    let rows = rows(&text, "Promises");
    assert!(rows.len() > 30, "{} rows", rows.len());
    assert_tests_are_there(&rows);
}

#[test]
fn every_figure_of_the_guard_vm_has_its_key_in_the_benchmark() {
    let folder = root().join("devnet/bench-guards/src");
    let files = [folder.clone(), folder.join("prices")].into_iter().flat_map(|folder| fs::read_dir(folder).unwrap());
    let sources = files.map(|file| file.unwrap().path()).filter(|path| path.is_file());
    let source: String = sources.map(|path| fs::read_to_string(path).unwrap()).collect();
    let text = read("docs/GUARD_VM.md");
    let rows = rows(&text, "Figures");
    assert!(rows.len() > 10, "{} rows", rows.len());
    for [what, _, keys] in rows {
        let keys = quoted(keys);
        assert!(!keys.is_empty(), "{what}");
        for key in keys {
            assert!(source.contains(&format!("\"{key}\"")), "the benchmark has no {key}");
        }
    }
}

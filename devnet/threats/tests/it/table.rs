//! The table of attacks in `SECURITY.md` names tests that are there.

use std::{fs, path::Path};

/// The texts in backticks.
fn quoted(cell: &str) -> Vec<&str> {
    cell.split('`').skip(1).step_by(2).collect()
}

#[test]
fn every_attack_of_the_table_has_its_tests() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
    let text = fs::read_to_string(root.join("SECURITY.md")).unwrap();
    let section = text.split("\n## ").find(|section| section.starts_with("Attacks")).unwrap();
    let rows: Vec<_> = section.lines().filter(|line| line.starts_with('|')).skip(2).collect();
    assert!(rows.len() > 20, "{} rows", rows.len());
    for row in rows {
        let cells: Vec<_> = row.split('|').map(str::trim).collect();
        let [_, _, file, tests, _] = cells[..] else { panic!("three cells: {row}") };
        let [file] = quoted(file)[..] else { panic!("one file: {row}") };
        let source = fs::read_to_string(root.join(file)).unwrap_or_else(|error| panic!("{file}: {error}"));
        let tests = quoted(tests);
        assert!(!tests.is_empty(), "{row}");
        for test in tests {
            assert!(
                source.contains(&format!("#[test]\n    fn {test}()"))
                    || source.contains(&format!("#[test]\nfn {test}()")),
                "{file} has no test {test}"
            );
        }
    }
}

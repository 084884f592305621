//! The table holds, and it can fail.

use std::{collections::BTreeMap, path::Path};

use parapet_proof::{
    Mutant, ProofError, Settings, prove,
    script::{Script, load_all},
    table::{Row, Table},
};

/// Honest transactions for each line: enough for every habit of a scenario, and no more than a test may take.
const HONEST: usize = 60;
/// Seconds between blocks of honest traffic, beside those that every block takes.
const PAUSE: u64 = 6 * 3_600;

fn scripts() -> Vec<Script> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../examples/attacks");
    load_all(&folder).expect("the scenarios can be read")
}

fn table(mutant: Option<Mutant>, honest: usize) -> Result<Table, ProofError> {
    prove(&scripts(), &Settings { honest, pause: PAUSE, filter: String::new(), modules: None, mutant }, |_| {})
}

#[test]
fn every_attack_is_a_theft_is_stopped_and_honest_traffic_passes() {
    let table = table(None, HONEST).unwrap_or_else(|error| panic!("{error}"));
    assert!(table.holds(), "\n{}", table.text());
}

#[test]
fn the_table_fails_when_guards_allow_everything() {
    let table = table(Some(Mutant::Toothless), 1).unwrap_or_else(|error| panic!("{error}"));
    assert!(!table.holds());
    for row in &table.rows {
        assert!(row.is_real() && !row.is_detected() && row.guarded.theft, "{} {}", row.guard, row.scenario);
    }
}

#[test]
fn the_table_fails_when_guards_veto_everything() {
    let table = table(Some(Mutant::Rabid), 1).unwrap_or_else(|error| panic!("{error}"));
    assert!(table.rows.iter().any(|row| !Row::is_quiet(row)), "\n{}", table.text());
    assert!(!table.holds());
}

#[test]
fn each_guard_whose_own_condition_is_broken_misses_the_attack_that_it_stops() {
    let table = table(Some(Mutant::Loosened), 1).unwrap_or_else(|error| panic!("{error}"));
    let is_unbroken = |row: &&Row| row.is_detected() || !row.guarded.theft;
    let unbroken = table.rows.iter().filter(is_unbroken);
    let named: Vec<_> = unbroken.map(|row| (&row.guard, &row.scenario, &row.guarded.words)).collect();
    assert!(named.is_empty(), "{named:#?}");
}

#[test]
fn every_shipped_guard_has_an_attack_to_stop() {
    let scripts = scripts();
    for guard in parapet_cli::shipped::NATIVE_NAMES {
        assert!(scripts.iter().any(|script| script.guards.contains_key(*guard)), "{guard} stands in no scenario");
    }
}

#[test]
fn a_scenario_whose_guard_is_not_shipped_fails() {
    let mut script = scripts().swap_remove(0);
    script.guards = BTreeMap::from([("no_such_guard".to_owned(), Vec::new())]);
    let settings = Settings { honest: 1, pause: PAUSE, filter: String::new(), modules: None, mutant: None };
    let table = prove(&[script], &settings, |_| {}).unwrap_or_else(|error| panic!("{error}"));
    assert!(!table.holds() && table.absent.len() == 1);
}

#[test]
fn every_attack_names_real_incidents() {
    for script in scripts() {
        assert!(!script.incidents.is_empty(), "{}", script.name);
    }
}

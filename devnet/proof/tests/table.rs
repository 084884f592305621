//! The table holds, and it can fail.

use std::{collections::BTreeMap, path::Path};

use parapet_proof::{
    Mutant, Pace, ProofError, Settings, prove,
    script::{Script, load_all},
    table::{Row, Table},
};

/// Honest transactions for each line: enough for every habit of a scenario, and no more than a test may take.
const HONEST: usize = 60;

fn scripts() -> Vec<Script> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../examples/attacks");
    load_all(&folder).expect("the scenarios can be read")
}

fn table(mutant: Option<Mutant>, honest: usize) -> Result<Table, ProofError> {
    prove(&scripts(), &Settings { honest, pace: Pace::Bursts, filter: String::new(), modules: None, mutant }, |_| {})
}

#[test]
fn every_attack_is_a_theft_is_stopped_and_honest_traffic_passes() {
    let table = table(None, HONEST).unwrap_or_else(|error| panic!("{error}"));
    assert!(table.holds(), "\n{}", table.text());
}

/// What `make proof` sends without being told otherwise: the median of less would be another habit's.
const HONEST_IN_ALL: usize = 5_000;
/// Guards change, and with them a little of what they take; a page may be so many times off.
const PAGE_OFF_MAX: u64 = 2;

#[test]
fn pages_tell_the_fuel_that_guards_take() {
    let lines: usize = scripts().iter().map(|script| script.guards.len()).sum();
    let table = table(None, HONEST_IN_ALL.div_ceil(lines)).unwrap_or_else(|error| panic!("{error}"));
    let guards = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../guards");
    for row in &table.rows {
        let page = std::fs::read_to_string(guards.join(&row.guard).join("README.md")).expect("a guard has a page");
        let line = page.lines().find(|line| line.starts_with("Median fuel of honest transactions in `make proof`: "));
        let line = line.unwrap_or_else(|| panic!("the page of {} tells no fuel", row.guard));
        let before = line.split(&format!(" (`{}`)", row.scenario)).next().filter(|before| before.len() < line.len());
        let told = before.and_then(|before| before.rsplit(' ').next()).map(|told| told.replace(',', "").parse::<u64>());
        let (measured, told) = (row.median_fuel(), told.and_then(Result::ok).unwrap_or_default());
        let is_near = measured <= told * PAGE_OFF_MAX && told <= measured * PAGE_OFF_MAX;
        assert!(is_near, "{} takes {measured} fuel in {}, and its page tells {told}", row.guard, row.scenario);
    }
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
    let settings = Settings { honest: 1, pace: Pace::Bursts, filter: String::new(), modules: None, mutant: None };
    let table = prove(&[script], &settings, |_| {}).unwrap_or_else(|error| panic!("{error}"));
    assert!(!table.holds() && table.absent.len() == 1);
}

#[test]
fn incidents_that_attacks_name_have_a_source_and_every_guard_has_one() {
    let list = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../guards/INCIDENTS.md");
    let list = std::fs::read_to_string(list).expect("the list can be read");
    let scripts = scripts();
    for guard in parapet_cli::shipped::NATIVE_NAMES {
        let mut attacks = scripts.iter().filter(|script| script.guards.contains_key(*guard));
        assert!(attacks.any(|script| !script.incidents.is_empty()), "no attack on {guard} names an incident");
    }
    for script in scripts {
        for incident in &script.incidents {
            let mut parts = incident.split([',', ':']).map(str::trim);
            let row = format!("| {} | {} |", parts.next().unwrap_or_default(), parts.next().unwrap_or_default());
            assert!(list.contains(&row), "{}: {row}", script.name);
        }
    }
}

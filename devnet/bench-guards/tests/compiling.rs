//! What vetting accepts can be compiled in bounded memory. Each module is compiled in a process of its own, whose peak the
//! system tells. Time is measured by `make bench-guards`, and not asserted here.
#![allow(clippy::unwrap_used, reason = "a test that cannot go on should panic")]

use std::process::Command;

use parapet_bench_guards::compiling::{MEMORY_MAX_MIB, names_of_bombs};
use parapet_hostile::Form;

/// Compiles all that is accepted of a form, and says how many kinds that are.
fn compiled(form: Form) -> usize {
    let mut compiled = 0;
    for name in names_of_bombs(form) {
        let output = Command::new(env!("CARGO_BIN_EXE_bench-guards")).args(["--compile", &name]).output().unwrap();
        let text = String::from_utf8(output.stdout).unwrap();
        if !output.status.success() {
            let why = String::from_utf8(output.stderr).unwrap();
            assert!(why.contains("none of that name is accepted"), "{name}: {why}");
            continue;
        }
        compiled += 1;
        let memory_mib: f64 = text.split_whitespace().nth(1).unwrap().parse().unwrap();
        assert!(memory_mib > 0.0 && memory_mib <= MEMORY_MAX_MIB, "{name}: {memory_mib} MiB");
    }
    compiled
}

#[test]
fn the_largest_accepted_module_of_each_kind_is_compiled_within_its_memory() {
    let kinds = compiled(Form::Native);
    assert!(kinds >= 50, "{kinds} kinds are accepted in some size");
}

#[test]
fn the_largest_accepted_contract_of_each_kind_is_compiled_within_its_memory() {
    let kinds = compiled(Form::Contract);
    assert!(kinds >= 50, "{kinds} kinds are accepted in some size");
}

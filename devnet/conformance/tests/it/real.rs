//! Blocks of real chains, by their pre-state or their witness.

use std::{collections::BTreeSet, fs, num::NonZeroUsize};

use parapet_conformance::{ConformanceError, Keep, Options, Skip, run};
use parapet_executor::{Mode, Workers, execute_block};
use parapet_fixtures::{FixtureError, LeftOut, RealBlocks, real_blocks};
use parapet_import::check_outcome;
use parapet_monitor::NoMonitor;
use parapet_types::{Era, Hardfork};
use serde_json::Value;

use crate::fixtures::{reasons, run_text, suite};

fn run_real(name: &str, passed: u64, too_old: Option<u64>) {
    let Some(folder) = suite(name) else { return };
    for (threads, keep) in [(1, Keep::Memory), (2, Keep::Memory), (8, Keep::Memory), (2, Keep::Disk)] {
        let options = Options { threads: NonZeroUsize::new(threads).unwrap(), filter: None, keep };
        let report = run(&folder, &options, |_| {}).unwrap();
        assert!(report.failures.is_empty(), "{threads} threads, {keep:?}: {:#?}", report.failures);
        let skipped = too_old.map(|blocks| (Skip::RealBlock(LeftOut::BeforeByzantium), blocks)).into_iter().collect();
        assert_eq!((report.passed, report.skipped), (passed, skipped), "{threads} threads, {keep:?}");
    }
}

#[test]
fn blocks_with_their_pre_state_have_the_receipts_they_announce() {
    run_real("prestate-blocks", 18, Some(4));
}

#[test]
fn blocks_with_a_witness_have_the_state_root_they_announce() {
    run_real("witness-blocks", 9, None);
}

#[test]
fn real_blocks_run_on_the_flat_state_that_benchmarks_are_given() {
    let Some(fixtures) = suite("") else { return };
    let RealBlocks { blocks, left_out } = real_blocks(&fixtures).unwrap();
    assert_eq!((blocks.len(), left_out.len()), (27, 4));
    let workers = Workers::new(NonZeroUsize::new(2).unwrap());
    for block in &blocks {
        let executed = execute_block(&block.input(), &NoMonitor, Mode::Parallel(&workers)).unwrap();
        check_outcome(&block.header, &executed).unwrap_or_else(|error| panic!("{}: {error}", block.name));
    }
    let forks: BTreeSet<_> = blocks.iter().map(|block| block.params.hardfork).collect();
    let mined = [Era::Byzantium, Era::Petersburg, Era::Istanbul, Era::Berlin, Era::London].map(Hardfork::ProofOfWork);
    let staked = [Hardfork::Paris, Hardfork::Shanghai, Hardfork::Cancun, Hardfork::Prague, Hardfork::BPO2];
    for fork in mined.into_iter().chain(staked) {
        assert!(forks.contains(&fork), "no block follows {fork:?}");
    }
}

/// A small real block with its witness.
fn witness() -> Option<Value> {
    let file = suite("witness-blocks")?.join("holesky-2971844.json");
    Some(serde_json::from_slice(&fs::read(file).unwrap()).unwrap())
}

#[test]
fn a_witness_without_one_of_its_nodes_fails_and_names_it() {
    let Some(whole) = witness() else { return };
    let nodes = whole["witness"]["state"].as_array().unwrap().len();
    let mut missing = 0;
    for index in 0..nodes {
        let mut part = whole.clone();
        part["witness"]["state"].as_array_mut().unwrap().remove(index);
        let report = run_text(part.to_string()).unwrap();
        match &reasons(&report)[..] {
            // A node that nobody asks for.
            [] => assert_eq!(report.passed, 1),
            [reason] => {
                assert!(reason.to_string().contains("the witness has no node 0x"), "{reason}");
                missing += 1;
            }
            more => panic!("{more:?}"),
        }
    }
    assert!(missing > nodes / 2, "only {missing} of {nodes} nodes are needed");
}

#[test]
fn a_witness_of_another_state_fails() {
    let Some(mut block) = witness() else { return };
    block["prev_state_root"] = "0x0101010101010101010101010101010101010101010101010101010101010101".into();
    let report = run_text(block.to_string()).unwrap();
    assert!(reasons(&report)[0].to_string().contains("the witness has no node 0x0101"), "{report}");
    block.as_object_mut().unwrap().remove("prev_state_root");
    let report = run_text(block.to_string()).unwrap();
    assert!(
        matches!(reasons(&report)[..], [ConformanceError::Fixture(FixtureError::Missing("parent's state root"))]),
        "{report}"
    );
}

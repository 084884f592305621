//! With no attachment, execution is Ethereum's (I6): the valid blocks of the execution-spec tests, through the one entry
//! point, with the roots that their headers announce.
//!
//! The suites lie beside the project (`../shared/fixtures`); where they are absent the test says so. They are unpacked
//! once, into `target/`.

use std::{
    collections::BTreeMap,
    fs,
    path::{Path, PathBuf},
    process::Command,
};

use alloy_consensus::{
    Block, Header, TxEnvelope, TxReceipt as _,
    proofs::calculate_receipt_root,
    transaction::{Recovered, SignerRecoverable as _},
};
use alloy_primitives::{Address, Bloom, Bytes, U256, keccak256};
use alloy_rlp::Decodable as _;
use parapet_executor::{Admission, BlockInput, Mode, Point, execute_block};
use parapet_monitor::NoMonitor;
use parapet_state::WorldState;
use parapet_types::{
    AccountChange, AccountInfo, Ancestors, BlockContext, ChainParams, Hardfork, StateChanges, Transaction,
};
use serde::Deserialize;

/// Folders of the archive whose valid blocks are run.
const SUITES: [&str; 5] = [
    "eest-stable-v5.4.0",
    "ethereum-tests-valid",
    "packed-multi-tx",
    "eest-benchmark-v0.0.7",
    "eest-worst-blocks-filled-here",
];

#[derive(Deserialize)]
struct Test {
    network: String,
    pre: BTreeMap<Address, PreAccount>,
    #[serde(rename = "genesisRLP")]
    genesis_rlp: Bytes,
    blocks: Vec<TestBlock>,
    /// Absent where the chain id is that of mainnet.
    config: Option<Config>,
}

#[derive(Deserialize)]
struct Config {
    chainid: U256,
}

#[derive(Deserialize)]
struct PreAccount {
    nonce: U256,
    balance: U256,
    code: Bytes,
    storage: BTreeMap<U256, U256>,
}

#[derive(Deserialize)]
struct TestBlock {
    rlp: Bytes,
    #[serde(rename = "expectException")]
    expect_exception: Option<String>,
}

fn unpacked() -> Option<PathBuf> {
    let root = Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/../.."));
    let archive = root.join("../shared/fixtures/fixtures.tar.xz");
    let target = root.join("target/fixtures");
    let done = target.join("unpacked");
    if !archive.is_file() {
        return None;
    }
    if !done.is_file() {
        fs::create_dir_all(&target).unwrap();
        let status = Command::new("tar").arg("-xJf").arg(&archive).arg("-C").arg(&target).status().unwrap();
        assert!(status.success(), "{} could not be unpacked", archive.display());
        fs::write(&done, "").unwrap();
    }
    Some(target.join("dev"))
}

fn json_files(folder: &Path, found: &mut Vec<PathBuf>) {
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            json_files(&path, found);
        } else if path.extension().is_some_and(|extension| extension == "json") {
            found.push(path);
        }
    }
}

fn world(pre: &BTreeMap<Address, PreAccount>) -> WorldState {
    let mut changes = StateChanges::default();
    for (address, account) in pre {
        let code_hash = keccak256(&account.code);
        changes.code.insert(code_hash, account.code.clone());
        let info = AccountInfo { nonce: account.nonce.to(), balance: account.balance, code_hash };
        let storage = account.storage.clone();
        changes.accounts.insert(*address, AccountChange { info: Some(info), wipe_storage: false, storage });
    }
    WorldState::new().apply(&changes)
}

/// Executes one block and compares all that its header announces of the result.
fn run_block(
    params: &ChainParams,
    world: &WorldState,
    ancestors: &Ancestors,
    block: &Block<TxEnvelope>,
) -> Result<WorldState, String> {
    let recover = |tx: &TxEnvelope| -> Result<Transaction, String> {
        let signer = tx.recover_signer().map_err(|error| error.to_string())?;
        Ok(Recovered::new_unchecked(tx.clone(), signer))
    };
    let transactions = block.body.transactions.iter().map(recover).collect::<Result<Vec<_>, _>>()?;
    let withdrawals = block.body.withdrawals.clone().unwrap_or_default().into_inner();
    let context = BlockContext::of(&block.header, withdrawals);
    let at = Point { params, world, ancestors, block: &context };
    let input = BlockInput { at, transactions: &transactions, admission: Admission::Import };
    let executed = execute_block(&input, &NoMonitor, Mode::Sequential).map_err(|error| error.to_string())?;
    let after = world.apply(&executed.changes);
    let receipts: Vec<_> = executed.included.iter().map(|included| included.receipt.clone()).collect();
    let bloom = receipts.iter().fold(Bloom::ZERO, |bloom, receipt| bloom | receipt.bloom());
    let header = &block.header;
    let same = [
        ("gas used", executed.gas_used == header.gas_used),
        ("receipts root", calculate_receipt_root(&receipts) == header.receipts_root),
        ("logs bloom", bloom == header.logs_bloom),
        ("blob gas used", header.blob_gas_used.is_none_or(|used| used == executed.blob_gas_used)),
        ("requests hash", header.requests_hash.is_none_or(|hash| hash == executed.requests.requests_hash())),
        ("state root", after.root() == header.state_root),
    ];
    match same.iter().find(|(_, same)| !same) {
        Some((what, _)) => Err(format!("block {}: {what} differs", header.number)),
        None => Ok(after),
    }
}

enum Verdict {
    Passed,
    Skipped(&'static str),
    Failed(String),
}

fn run(test: &Test) -> Verdict {
    let Ok(hardfork) = test.network.parse::<Hardfork>() else {
        return Verdict::Skipped("a fork before Paris, or one that changes on the way");
    };
    if test.blocks.iter().any(|block| block.expect_exception.is_some()) {
        return Verdict::Skipped("an invalid block: headers are not validated here");
    }
    let genesis = Block::<TxEnvelope>::decode(&mut &test.genesis_rlp[..]).expect("the suite's genesis is a block");
    let chain_id = test.config.as_ref().map_or(1, |config| config.chainid.to());
    let params = ChainParams { chain_id, hardfork, block_gas_limit: genesis.header.gas_limit };
    let mut world = world(&test.pre);
    if world.root() != genesis.header.state_root {
        return Verdict::Failed("the root of the genesis state differs".into());
    }
    let mut ancestors = Ancestors::from([(0, Header::hash_slow(&genesis.header))]);
    for block in &test.blocks {
        let block = match Block::<TxEnvelope>::decode(&mut &block.rlp[..]) {
            Ok(block) => block,
            Err(error) => return Verdict::Failed(format!("a valid block cannot be decoded: {error}")),
        };
        match run_block(&params, &world, &ancestors, &block) {
            Ok(after) => world = after,
            Err(failure) => return Verdict::Failed(failure),
        }
        ancestors.insert(block.header.number, block.header.hash_slow());
    }
    Verdict::Passed
}

#[test]
fn valid_blocks_of_the_execution_spec_tests_have_their_roots() {
    let Some(suites) = unpacked() else {
        println!("skipped: ../shared/fixtures is not there");
        return;
    };
    let mut files = Vec::new();
    for suite in SUITES {
        json_files(&suites.join(suite), &mut files);
    }
    files.sort();
    let (mut passed, mut failures, mut skipped) = (0, Vec::new(), BTreeMap::<_, u32>::new());
    for file in &files {
        let tests: BTreeMap<String, Test> = serde_json::from_slice(&fs::read(file).unwrap()).unwrap();
        for (name, test) in &tests {
            match run(test) {
                Verdict::Passed => passed += 1,
                Verdict::Skipped(reason) => *skipped.entry(reason).or_default() += 1,
                Verdict::Failed(reason) => failures.push(format!("{name}: {reason}")),
            }
        }
    }
    println!("{passed} passed, {} failed, skipped: {skipped:?}", failures.len());
    assert!(failures.is_empty(), "{} of {} failed:\n{}", failures.len(), passed + failures.len(), failures.join("\n"));
    assert!(passed > 1_000, "only {passed} tests were found");
}

//! Blocks of the fork that is to bring access lists (EIP-7928), executed as far as revm has its rules: the lists recorded
//! here are those that the specification's own client recorded, and a list that is followed is refused if it is wrong.

use std::{collections::BTreeMap, num::NonZeroUsize};

use alloy_consensus::{Block, TxEnvelope, transaction::SignerRecoverable as _};
use alloy_eip7928::{BlockAccessList, compute_block_access_list_hash};
use alloy_primitives::{Address, B256, Bytes, U64, U256, keccak256};
use alloy_rlp::Decodable as _;
use parapet_executor::{Admission, BlockError, BlockInput, Listing, Mode, Point, TxError, Workers, execute_block};
use parapet_monitor::NoMonitor;
use parapet_types::{
    AccountChange, AccountInfo, Ancestors, BlockContext, ChainParams, ExecutedBlock, FlatState, Hardfork, StateChanges,
    Transaction,
};
use serde::Deserialize;

use crate::{access_lists::json_files, fixtures::suite};

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Test {
    genesis_block_header: Genesis,
    pre: BTreeMap<Address, Account>,
    blocks: Vec<Listed>,
}

#[derive(Deserialize)]
struct Genesis {
    hash: B256,
}

#[derive(Deserialize)]
struct Account {
    nonce: U64,
    balance: U256,
    code: Bytes,
    storage: BTreeMap<U256, U256>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Listed {
    rlp: Bytes,
    expect_exception: Option<String>,
    block_access_list: Option<BlockAccessList>,
    #[serde(rename = "rlp_decoded")]
    decoded: Option<Decoded>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Decoded {
    block_access_list: Option<BlockAccessList>,
}

/// What was compared.
#[derive(Clone, Copy, Default)]
struct Tally {
    recorded: usize,
    refused: usize,
}

fn genesis(test: &Test) -> FlatState {
    let mut changes = StateChanges::default();
    for (address, account) in &test.pre {
        let code_hash = keccak256(&account.code);
        changes.code.insert(code_hash, account.code.clone());
        let info = AccountInfo { nonce: account.nonce.to(), balance: account.balance, code_hash };
        let storage = account.storage.clone();
        changes.accounts.insert(*address, AccountChange { info: Some(info), wipe_storage: false, storage });
    }
    FlatState::from(&changes)
}

/// The chain as far as it has come.
struct Chain {
    state: FlatState,
    ancestors: Ancestors,
}

impl Chain {
    fn execute(
        &self,
        block: &Block<TxEnvelope>,
        transactions: &[Transaction],
        mode: Mode<'_>,
        access_list: Listing<'_>,
    ) -> Result<ExecutedBlock<TxError>, BlockError> {
        let withdrawals = block.body.withdrawals.clone().unwrap_or_default().into_inner();
        let context = BlockContext::of(&block.header, withdrawals);
        let block_gas_limit = block.header.gas_limit;
        let params = ChainParams { chain_id: 1, hardfork: Hardfork::Amsterdam, block_gas_limit };
        let at = Point { params: &params, world: &self.state, ancestors: &self.ancestors, block: &context };
        execute_block(&BlockInput { at, transactions, admission: Admission::Import, access_list }, &NoMonitor, mode)
    }

    /// Records the block's list, follows it, and goes on to the next block.
    fn record(&mut self, name: &str, block: &Block<TxEnvelope>, transactions: &[Transaction], workers: &[Workers]) {
        let oracle = self.execute(block, transactions, Mode::Sequential, Listing::Record);
        let oracle = oracle.unwrap_or_else(|error| panic!("{name}: {error}"));
        let list = oracle.access_list.unwrap();
        assert_eq!(Some(compute_block_access_list_hash(&list)), block.header.block_access_list_hash, "{name}");
        assert_eq!(oracle.gas_used, block.header.gas_used, "{name}");
        for workers in workers {
            for listing in [Listing::Record, Listing::Follow(&list)] {
                let seen = self.execute(block, transactions, Mode::Parallel(workers), listing);
                let seen = seen.unwrap_or_else(|error| panic!("{name}: {error}"));
                assert_eq!(seen.access_list.as_ref(), Some(&list), "{name}");
                assert_eq!((&seen.included, &seen.changes), (&oracle.included, &oracle.changes), "{name}");
            }
        }
        self.state.apply(&oracle.changes);
        self.ancestors.insert(block.header.number, block.header.hash_slow());
    }
}

/// Whether the list is what is wrong with the block.
fn is_about_the_list(exception: &str) -> bool {
    exception.contains("INVALID_BLOCK_ACCESS_LIST") || exception.contains("INCORRECT_BLOCK_FORMAT")
}

fn run(name: &str, test: Test, workers: &[Workers], tally: &mut Tally) {
    let ancestors = Ancestors::from([(0, test.genesis_block_header.hash)]);
    let mut chain = Chain { state: genesis(&test), ancestors };
    for listed in test.blocks {
        let Ok(block) = Block::<TxEnvelope>::decode(&mut &listed.rlp[..]) else { continue };
        let transactions = block.body.transactions.iter().cloned().map(TxEnvelope::try_into_recovered);
        let Ok(transactions) = transactions.collect::<Result<Vec<_>, _>>() else { continue };
        let list = listed.block_access_list.or(listed.decoded.and_then(|decoded| decoded.block_access_list));
        match (listed.expect_exception, list) {
            (None, _) => {
                chain.record(name, &block, &transactions, workers);
                tally.recorded += 1;
            }
            (Some(exception), Some(list)) if is_about_the_list(&exception) => {
                for mode in workers.iter().map(Mode::Parallel).chain([Mode::Sequential]) {
                    let seen = chain.execute(&block, &transactions, mode, Listing::Follow(&list));
                    let refused = matches!(seen, Err(BlockError::AccessList(_) | BlockError::AccessListForm(_)));
                    assert!(refused, "{name}: {seen:?}");
                }
                tally.refused += 1;
            }
            (Some(_), _) => {}
        }
    }
}

#[test]
fn lists_are_those_of_the_specification() {
    let Some(folder) = suite("eest-amsterdam-bal-v5.7.0-alpha-passing-on-revm43") else { return };
    let workers = [1, 2, 8].map(|threads| Workers::new(NonZeroUsize::new(threads).unwrap()));
    let mut tally = Tally::default();
    json_files(&folder, &mut |text| {
        let tests: BTreeMap<String, Test> = serde_json::from_str(text).unwrap();
        tests.into_iter().for_each(|(name, test)| run(&name, test, &workers, &mut tally));
    });
    assert_eq!((tally.recorded, tally.refused), (174, 15), "blocks whose lists were recorded, and lists refused");
}

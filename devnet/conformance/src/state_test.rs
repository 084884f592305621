//! State tests: one transaction on a given state, without a block around it, hence without what a chain itself does in a
//! block. The state root and the hash of the logs are compared.

use std::collections::BTreeMap;

use alloy_consensus::{
    Header, TxEnvelope,
    transaction::{Recovered, SignerRecoverable as _},
};
use alloy_eips::eip2718::Decodable2718 as _;
use alloy_primitives::{Address, B256, Bytes, U256, keccak256};
use parapet_executor::{Admission, BlockError, BlockInput, Listing, Mode, Point, execute_transactions};
use parapet_fixtures::{Accounts, changes_of, number};
use parapet_monitor::NoMonitor;
use parapet_state::WorldState;
use parapet_types::{Ancestors, BlockContext, ChainParams, ExecutionLimits, GuardParams, StateChanges, Transaction};
use serde::Deserialize;

use crate::{
    ConformanceError,
    error::Stop,
    fields::{Fields, Indexes},
    keep::Folders,
    network::Config,
};

/// Hashes that BLOCKHASH can ask for.
const ANCESTORS_MAX: u64 = 256;

/// A state test as files have it: one transaction with variants, and what each leaves at each fork.
#[derive(Debug, Deserialize)]
pub(crate) struct StateTest {
    env: Env,
    pre: Accounts,
    transaction: Fields,
    post: BTreeMap<String, Vec<Post>>,
    #[serde(default)]
    config: Config,
}

/// The block's environment.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Env {
    current_coinbase: Address,
    current_gas_limit: U256,
    current_number: U256,
    current_timestamp: U256,
    current_random: Option<U256>,
    current_base_fee: Option<U256>,
    current_excess_blob_gas: Option<U256>,
}

/// What a variant leaves.
#[derive(Debug, Deserialize)]
struct Post {
    hash: B256,
    logs: B256,
    indexes: Indexes,
    txbytes: Option<Bytes>,
    #[serde(rename = "expectException")]
    expect_exception: Option<String>,
}

/// One variant at one fork.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Case<'t> {
    test: &'t StateTest,
    fork: &'t str,
    post: &'t Post,
}

impl StateTest {
    /// Every variant at every fork, with a name for it.
    pub(crate) fn cases(&self) -> impl Iterator<Item = (String, Case<'_>)> {
        self.post.iter().flat_map(move |(fork, posts)| {
            posts
                .iter()
                .enumerate()
                .map(move |(index, post)| (format!("{fork}/{index}"), Case { test: self, fork, post }))
        })
    }
}

/// Runs one variant at one fork.
pub(crate) fn run(case: Case<'_>, mode: Mode<'_>, folders: Option<&Folders>) -> Result<(), Stop> {
    let Case { test, fork, post } = case;
    let block = test.env.block()?;
    let hardfork = test.config.hardfork(fork)?;
    let params = ChainParams {
        chain_id: test.config.chain_id()?,
        hardfork,
        block_gas_limit: block.gas_limit,
        guards: GuardParams::DEFAULT,
        deposit_contract: ChainParams::MAINNET_DEPOSITS,
        limits: ExecutionLimits::ETHEREUM,
    };
    let world = WorldState::of(&changes_of(&test.pre)?);
    let executed = match transaction(test, &params, post) {
        Ok(transaction) => execute(&params, &world, &block, transaction, mode)?,
        Err(_) if post.expect_exception.is_some() => Err(None),
        Err(error) => return Err(error.into()),
    };
    let (changes, logs) = match (executed, &post.expect_exception) {
        (Ok(left), None) => left,
        (Ok(_), Some(expected)) => return Err(ConformanceError::TransactionAccepted(expected.clone()).into()),
        (Err(Some(error)), None) => return Err(ConformanceError::TransactionRefused(error).into()),
        (Err(_), _) => (StateChanges::default(), keccak256([alloy_rlp::EMPTY_LIST_CODE])),
    };
    let found = root_after(world, &changes, folders)?;
    if found != post.hash {
        return Err(ConformanceError::StateRoot { expected: post.hash, found }.into());
    }
    if logs != post.logs {
        return Err(ConformanceError::Logs { expected: post.logs, found: logs }.into());
    }
    Ok(())
}

/// The root of a state after a change set.
fn root_after(world: WorldState, changes: &StateChanges, folders: Option<&Folders>) -> Result<B256, ConformanceError> {
    let Some(folders) = folders else { return Ok(world.apply(changes)?.root()) };
    let header = Header { state_root: world.root(), ..Header::default() };
    let mut folder = folders.begin(header, world)?;
    let root = folder.root_after(changes)?;
    folders.give_back(folder);
    Ok(root)
}

/// What a transaction that was executed leaves: its changes, and the hash of its logs.
type Left = (StateChanges, B256);

/// Executes the transaction alone. The inner error is one of the transaction; it has none where it could not be read.
fn execute(
    params: &ChainParams,
    world: &WorldState,
    block: &BlockContext,
    transaction: Transaction,
    mode: Mode<'_>,
) -> Result<Result<Left, Option<BlockError>>, ConformanceError> {
    // Hashes of blocks that there are not: of their numbers in decimal, as all clients have it for these tests.
    let numbers = block.number.saturating_sub(ANCESTORS_MAX)..block.number;
    let ancestors: Ancestors = numbers.map(|number| (number, keccak256(number.to_string()))).collect();
    let at = Point { params, world, ancestors: &ancestors, block };
    let (admission, access_list) = (Admission::Import, Listing::Ignore);
    let input = BlockInput { at, transactions: &[transaction], admission, access_list, deadline: None };
    match execute_transactions(&input, &NoMonitor, mode) {
        Ok(executed) => {
            let logs: Vec<_> = executed.included.into_iter().flat_map(|included| included.executed.logs).collect();
            Ok(Ok((executed.changes, keccak256(alloy_rlp::encode(logs)))))
        }
        Err(error @ BlockError::Transaction { .. }) => Ok(Err(Some(error))),
        Err(fault) => Err(ConformanceError::Faulted(fault)),
    }
}

impl Env {
    fn block(&self) -> Result<BlockContext, ConformanceError> {
        let excess = self.current_excess_blob_gas.map(|excess| number(excess, "excess blob gas"));
        Ok(BlockContext {
            number: number(self.current_number, "block number")?,
            timestamp: number(self.current_timestamp, "timestamp")?,
            beneficiary: self.current_coinbase,
            gas_limit: number(self.current_gas_limit, "block gas limit")?,
            base_fee: number(self.current_base_fee.unwrap_or_default(), "base fee")?,
            prev_randao: self.current_random.unwrap_or_default().into(),
            parent_hash: B256::ZERO,
            parent_beacon_block_root: None,
            // A block of a fork with blobs has an excess, whether the file says so or not.
            excess_blob_gas: Some(excess.transpose()?.unwrap_or_default()),
            withdrawals: Vec::new(),
        })
    }
}

/// The transaction: as it was signed, or else of its fields.
fn transaction(test: &StateTest, params: &ChainParams, post: &Post) -> Result<Transaction, ConformanceError> {
    let fault = |text: String| ConformanceError::Transaction(text);
    let Some(bytes) = &post.txbytes else {
        return test.transaction.build(params.chain_id, post.indexes);
    };
    let mut rest = &bytes[..];
    let envelope = TxEnvelope::decode_2718(&mut rest).map_err(|error| fault(error.to_string()))?;
    if !rest.is_empty() {
        return Err(fault("bytes follow it".to_owned()));
    }
    let signer = envelope.recover_signer().map_err(|error| fault(error.to_string()))?;
    Ok(Recovered::new_unchecked(envelope, signer))
}

//! What reading ahead is worth to a node: blocks of token transfers between holders of whom nothing is in memory, through the pool
//! and the builder, with it and without it.

use std::{
    io::Write,
    path::Path,
    sync::Arc,
    time::{Duration, Instant},
};

use alloy_consensus::{SignableTransaction as _, TxEip1559, TxEnvelope};
use alloy_primitives::{Address, B256, Bytes, Signature, TxKind, U256, keccak256};
use parapet_builder::{BlockLog, Chain, MineRequest, Mining, Settings};
use parapet_monitor::NoMonitor;
use parapet_state::{ChainStore, StoreSettings, WorldState};
use parapet_types::{AccountChange, AccountInfo, StateChanges, Transaction};
use serde::Serialize;

use crate::{
    disk::chain,
    error::BenchError,
    reads::{Files, evict},
    roots::{address, median, timed},
};

/// Takes one from the caller's entry of the mapping at 0, and adds one to that of the first argument.
const TOKEN_CODE: &[u8] = &[
    0x33, 0x5f, 0x52, 0x5f, 0x60, 0x20, 0x52, 0x60, 0x40, 0x5f, 0x20, // hash of the caller and 0
    0x80, 0x54, 0x60, 1, 0x90, 0x03, 0x90, 0x55, // minus 1
    0x60, 4, 0x35, 0x5f, 0x52, 0x60, 0x40, 0x5f, 0x20, // hash of the argument and 0
    0x80, 0x54, 0x60, 1, 0x01, 0x90, 0x55, 0x00, // plus 1
];
/// Where that contract lies.
const TOKEN: Address = Address::repeat_byte(0x70);
/// Holders, who have an account each.
const HOLDERS: usize = 200_000;
/// Transfers of a block.
const TRANSFERS: usize = 500;
/// Blocks measured. Medians are told.
const BLOCKS: usize = 4;
/// Threads that read ahead.
const THREADS: [usize; 3] = [0, 4, 16];
/// From the last transaction's admission to its block.
const WAIT: Duration = Duration::from_millis(250);

/// What a block of transfers took.
#[derive(Clone, Copy, Debug, Serialize)]
pub(crate) struct BlockCost {
    /// Where the files were.
    pub(crate) files: Files,
    /// Threads that read ahead.
    pub(crate) threads: usize,
    /// Transfers of a block.
    pub(crate) transfers: usize,
    /// Admitting them to the pool, in milliseconds.
    pub(crate) admitted_ms: f64,
    /// From the order to build the block until it is stored, in milliseconds.
    pub(crate) mined_ms: f64,
}

/// Mines blocks, each over a folder that was opened anew.
pub(crate) fn run(progress: &mut impl Write) -> Result<Vec<BlockCost>, BenchError> {
    writeln!(progress, "blocks of token transfers among {HOLDERS} holders …")?;
    let dir = tempfile::tempdir()?;
    drop(chain(dir.path(), WorldState::of(&state()), StoreSettings::default())?);
    let mut costs = Vec::new();
    let mut turn = 0;
    for files in [Files::Memory, Files::Disk] {
        for threads in THREADS {
            let mut times = Vec::new();
            for block in 0..=BLOCKS {
                let took = one(dir.path(), (files, threads), turn)?;
                turn += 1;
                // From the first one it is learned what such calls change; a node that runs has long done so.
                times.extend((block > 0).then_some(took));
            }
            let [admitted_ms, mined_ms] = [0, 1].map(|of| median(times.iter().map(|times| times[of])));
            costs.push(BlockCost { files, threads, transfers: TRANSFERS, admitted_ms, mined_ms });
        }
    }
    Ok(costs)
}

/// Two blocks over a folder: the second one is measured, with nothing in memory but what the first has read.
fn one(dir: &Path, (files, threads): (Files, usize), turn: usize) -> Result<[Duration; 2], BenchError> {
    if files == Files::Disk {
        evict(&dir.join("chain"))?;
    }
    let store = ChainStore::open_existing(dir, StoreSettings::default())?;
    let settings = Settings { mining: Mining::Manual, prefetch_threads: threads, ..Settings::default() };
    let began = Instant::now();
    let time = store.head().header.timestamp;
    let clock = move || time + 1 + began.elapsed().as_secs();
    let chain = Chain::new(store, settings, Arc::new(NoMonitor), Arc::new(clock))?;
    chain.set_block_log(BlockLog::Off);
    let mut took = [Duration::ZERO; 2];
    for part in 0..2 {
        let transfers = transfers(&chain, 2 * turn + part)?;
        let (admitted, answers) = timed(|| chain.submit_all(transfers));
        answers.into_iter().try_for_each(|answer| answer.map(drop))?;
        std::thread::sleep(WAIT);
        let (mined, done) = timed(|| chain.mine(MineRequest::default()));
        done?;
        took = [admitted, mined];
    }
    Ok(took)
}

/// Transfers between holders who take part in no other block.
fn transfers(chain: &Chain, block: usize) -> Result<Vec<Transaction>, BenchError> {
    let (head, chain_id) = (chain.head(), chain.params().chain_id);
    let mut all = Vec::new();
    for index in 0..TRANSFERS {
        let at = (block * TRANSFERS + index) * 2;
        let (from, to) = (address(at % HOLDERS), address((at + 1) % HOLDERS));
        let nonce = head.world.account(&from)?.unwrap_or_default().nonce;
        let input = [&[0xa9, 0x05, 0x9c, 0xbb][..], to.into_word().as_slice()].concat().into();
        let max_fee_per_gas = u128::from(head.next_base_fee()) * 2;
        let tx = TxEip1559 {
            chain_id,
            nonce,
            gas_limit: 100_000,
            max_fee_per_gas,
            to: TxKind::Call(TOKEN),
            input,
            ..TxEip1559::default()
        };
        // Each has a hash of its own, though nobody looks at signatures any more.
        let signature = Signature::new(U256::from(at + 1), U256::from(1), false);
        all.push(Transaction::new_unchecked(TxEnvelope::from(tx.into_signed(signature)), from));
    }
    Ok(all)
}

/// Holders, each with an account, and the token.
fn state() -> StateChanges {
    let code = Bytes::from_static(TOKEN_CODE);
    let code_hash = keccak256(&code);
    let holder = |index: usize| {
        let balance = U256::from(10).pow(U256::from(20));
        (
            address(index),
            AccountChange { info: Some(AccountInfo { balance, ..AccountInfo::default() }), ..AccountChange::default() },
        )
    };
    let entry = |index: usize| {
        let word = keccak256([address(index).into_word(), B256::ZERO].concat());
        (U256::from_be_bytes(word.0), U256::from(1_000))
    };
    let info = Some(AccountInfo { nonce: 1, balance: U256::ZERO, code_hash });
    let token = AccountChange { info, wipe_storage: false, storage: (0..HOLDERS).map(entry).collect() };
    let mut accounts: std::collections::BTreeMap<_, _> = (0..HOLDERS).map(holder).collect();
    accounts.insert(TOKEN, token);
    StateChanges { accounts, code: [(code_hash, code)].into() }
}

//! Backtests that clients step through: guards that are tried out over a range of blocks, page by page over plain HTTP.
//!
//! What the guards keep from block to block stays here between two pages, so a backtest is bounded as a filter is: in
//! number, in what each may keep ([`TRIED_WORDS_MAX`](parapet_simulate::TRIED_WORDS_MAX)), and in how long it waits to be
//! asked. A page ends when its time is up, after the block at hand.
//!
//! Invariant: each block is executed on the state it was built on, and must come to what it came to then. A chain that was
//! taken back below it ends the backtest by an error: what the guards kept is of blocks that are no more.

use std::{
    collections::BTreeMap,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    time::{Duration, Instant},
};

use alloy_primitives::{B256, U64};
use parapet_monitor::Candidate;
use parapet_simulate::{Judged, Tried, backtest_block};
use parapet_state::StoredBlock;
use parking_lot::Mutex;

use crate::{
    Limits, RpcError,
    node::Node,
    wire::{BacktestPage, TriedBlock},
};

/// What a client steps through.
pub(crate) struct Backtest {
    tried: Vec<Tried>,
    next_block: u64,
    /// `None`: it follows the head.
    last_block: Option<u64>,
    /// Hash of the block that was executed last.
    parent: Option<B256>,
}

impl Backtest {
    /// Begins before a block.
    pub(crate) fn new(tried: Vec<Tried>, next_block: u64, last_block: Option<u64>) -> Self {
        Self { tried, next_block, last_block, parent: None }
    }

    /// Executes blocks until the page's time is up, it is full, or there is none left.
    fn page(&mut self, node: &Node) -> Result<BacktestPage, RpcError> {
        let (began, from_block) = (Instant::now(), self.next_block);
        let mut page = BacktestPage { from_block: U64::from(from_block), ..BacktestPage::default() };
        let (mut blocks, mut transactions) = (0_u64, 0_u64);
        let mut verdicts = 0;
        while !self.is_done() {
            let Some(block) = node.block(self.next_block.into())? else { break };
            let judged = self.step(node, &block)?;
            blocks += 1;
            transactions += judged.len() as u64;
            let told = TriedBlock::of(&block, judged);
            verdicts += told.count();
            page.blocks.extend(told.woke_somebody().then_some(told));
            let is_full = verdicts >= node.limits.verdicts_max || began.elapsed() >= node.limits.backtest_page_max;
            if is_full {
                break;
            }
        }
        (page.executed_blocks, page.executed_transactions) = (U64::from(blocks), U64::from(transactions));
        page.next_block = U64::from(self.next_block);
        page.done = self.is_done();
        Ok(page)
    }

    fn is_done(&self) -> bool {
        self.last_block.is_some_and(|last| self.next_block > last)
    }

    fn step(&mut self, node: &Node, block: &StoredBlock) -> Result<Vec<Judged>, RpcError> {
        let number = block.number();
        if self.parent.is_some_and(|parent| parent != block.header.parent_hash) {
            return Err(RpcError::Rewound(number));
        }
        let at = node.start_of(block)?;
        let judged = backtest_block(&at.point(), &block.transactions, node.monitor(), &mut self.tried)?;
        for (transaction, (now, then)) in block.transactions.iter().zip(judged.iter().zip(&block.executed)) {
            let (now, hash) = (&now.executed, transaction.hash());
            if (&now.destiny, now.gas_used) != (&then.destiny, then.gas_used) {
                return Err(RpcError::Internal(format!("transaction {hash} of block {number} does not repeat itself")));
            }
        }
        self.parent = Some(block.hash());
        self.next_block = number + 1;
        Ok(judged)
    }
}

/// All that are under way.
pub(crate) struct Backtests {
    max: usize,
    idle_max: Duration,
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    running: BTreeMap<u64, Arc<Running>>,
    made: u64,
}

struct Running {
    /// Wall clock, in seconds since 1970.
    asked: AtomicU64,
    /// Held while a page is made.
    backtest: Mutex<Backtest>,
}

impl Backtests {
    pub(crate) fn new(limits: &Limits) -> Self {
        Self { max: limits.backtests_max, idle_max: limits.backtest_idle_max, state: Mutex::default() }
    }

    /// Takes a backtest, and names it.
    pub(crate) fn begin(&self, node: &Node, backtest: Backtest) -> Result<U64, RpcError> {
        let now = node.chain.wall_clock();
        let mut state = self.state.lock();
        state.running.retain(|_, running| {
            let idle = now.saturating_sub(running.asked.load(Ordering::Relaxed)) > self.idle_max.as_secs();
            // One that works is not idle, however long it takes.
            !idle || running.backtest.is_locked()
        });
        if state.running.len() >= self.max {
            return Err(RpcError::TooManyBacktests(self.max));
        }
        state.made += 1;
        let handle = state.made;
        let running = Running { asked: AtomicU64::new(now), backtest: Mutex::new(backtest) };
        state.running.insert(handle, Arc::new(running));
        Ok(U64::from(handle))
    }

    /// Goes on for a page. One that fails is over.
    pub(crate) fn next(&self, node: &Node, handle: U64) -> Result<BacktestPage, RpcError> {
        let running = self.state.lock().running.get(&handle.to()).cloned().ok_or(RpcError::NoBacktest(handle))?;
        let Some(mut backtest) = running.backtest.try_lock() else { return Err(RpcError::BacktestBusy(handle)) };
        let page = backtest.page(node);
        running.asked.store(node.chain.wall_clock(), Ordering::Relaxed);
        if page.as_ref().map_or(true, |page| page.done) {
            self.end(handle);
        }
        page
    }

    /// Ends a backtest, and tells whether it was there.
    pub(crate) fn end(&self, handle: U64) -> bool {
        self.state.lock().running.remove(&handle.to()).is_some()
    }
}

impl Node {
    /// Guards that are to be tried out.
    pub(crate) fn try_out(&self, candidates: Vec<Candidate>) -> Result<Vec<Tried>, RpcError> {
        let max = self.limits.candidates_max;
        if candidates.len() > max {
            return Err(RpcError::TooMuch { what: format!("{} guards at once", candidates.len()), max: max as u64 });
        }
        let tried = candidates.into_iter().map(|candidate| Ok(Tried::new(self.monitor().try_out(candidate)?)));
        tried.collect()
    }
}

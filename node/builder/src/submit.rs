//! Takes transactions in. Where they are mined as they come, a transaction is in its block before its submission returns;
//! those that come together, and those that wait for them, are in one block as far as it holds them.

use std::collections::{BTreeMap, BTreeSet};

use alloy_consensus::{Header, Transaction as _};
use alloy_primitives::{Address, B256};
use parapet_executor::{Consequence, TxError, blob_params};
use parapet_pool::{Account, BlobRules, Candidate, Code, LowFees, PoolError, Rules};
use parapet_types::Transaction;

use crate::{
    Chain, ChainError, Head, Mining,
    ahead::{Ahead, Ticket},
    chain::Writer,
    header::{next_base_fee, next_excess_blob_gas},
    mine::{EmptyBlock, Unfit},
    outlook::Outlook,
};

/// Whether a transaction was admitted.
type Answer = Result<B256, ChainError>;

impl Chain {
    /// Admits a transaction to the pool and gives its hash. Where transactions are mined as they come it is mined at once, as
    /// far as its nonce allows, and so is what was waiting for it.
    ///
    /// # Errors
    /// [`ChainError`] when it is not admitted, or cannot be in any block; it is not in the pool then. A transaction
    /// that the guard engine could not judge stays in the pool and is no error.
    pub fn submit(&self, transaction: Transaction) -> Result<B256, ChainError> {
        self.submit_all(vec![transaction]).pop().expect("there is an answer for each transaction")
    }

    /// The same for transactions that came together: one answer for each, in their order.
    ///
    /// A fault that keeps their block from being stored is told with the first of them; all of them wait in the pool then.
    pub fn submit_all(&self, transactions: Vec<Transaction>) -> Vec<Answer> {
        self.begin_all(transactions).wait()
    }

    /// The same as far as others have to wait for it: what is left is that the last block is stored. The answers are to be had
    /// from [`Submission::wait`].
    pub fn begin_all(&self, transactions: Vec<Transaction>) -> Submission {
        if transactions.is_empty() {
            return Submission { answers: Vec::new(), ticket: None };
        }
        if !self.mining().is_instant() {
            return Submission { answers: self.admit_all(transactions, &BTreeMap::new()), ticket: None };
        }
        let writer = self.writer_ahead().and_then(|mut writer| Ok((self.base(&mut writer)?, writer)));
        let (base, mut writer) = match writer {
            Ok(both) => both,
            Err(error) => {
                let others = transactions.iter().skip(1).map(|_| Err(ChainError::Closed));
                return Submission { answers: std::iter::once(Err(error)).chain(others).collect(), ticket: None };
            }
        };
        let mut answers = self.admit_all(transactions, &base.nonces);
        if answers.iter().all(Result::is_err) {
            return Submission { answers, ticket: None };
        }
        match self.settle(&mut writer) {
            Ok(mut rejected) => {
                for answer in &mut answers {
                    let hash = answer.as_ref().ok().copied();
                    if let Some((hash, reason)) = hash.and_then(|hash| rejected.remove_entry(&hash)) {
                        *answer = Err(ChainError::Rejected { hash, reason });
                    }
                }
            }
            Err(error) => tell_first(&mut answers, error),
        }
        Submission { answers, ticket: writer.ahead.as_ref().map(Ahead::ticket) }
    }

    /// Admits transactions. `used` are nonces that are in blocks which are not stored yet.
    pub(crate) fn admit_all(&self, transactions: Vec<Transaction>, used: &BTreeMap<Address, u64>) -> Vec<Answer> {
        let head = self.head();
        let rules = self.rules(&head.block.header, &head.outlook);
        let admit = |transaction: Transaction| {
            let (sender, nonce) = (transaction.signer(), transaction.nonce());
            match used.get(&sender) {
                Some(used) if nonce < *used => {
                    Err(PoolError::NonceTooLow { sender, nonce, account_nonce: *used }.into())
                }
                _ => self.admit(transaction, &head, &rules),
            }
        };
        let answers = transactions.into_iter().map(admit).collect();
        self.rewrite_journal_if_long();
        answers
    }

    fn admit(&self, transaction: Transaction, head: &Head, rules: &Rules) -> Answer {
        self.0.pool.read().check_new(*transaction.tx_hash())?;
        let account = self.sender(head, &transaction.signer())?;
        let candidate = Candidate::check(transaction, &account.info, rules)?;
        let journalled = self.0.journal.is_some().then(|| candidate.whole().into_owned());
        let wanted = self.0.prefetch.is_some().then(|| candidate.transaction().clone());
        let added = self.0.pool.write().admit(candidate, &account, rules)?;
        for evicted in added.evicted {
            tracing::warn!("{evicted} was dropped: the pool is full of transactions that pay more");
        }
        if let Some(transaction) = journalled {
            self.note_in_journal(&transaction);
        }
        if let Some(transaction) = wanted {
            self.prefetch(&head.world, transaction);
        }
        // Having no listener is no fault.
        let _: Result<usize, _> = self.0.pending.send(added.hash);
        Ok(added.hash)
    }

    fn sender(&self, head: &Head, address: &Address) -> Result<Account, ChainError> {
        let account = Account::from(self.stored(head.world.account(address))?.unwrap_or_default());
        let code = match account.code {
            Code::None => Code::None,
            Code::Delegation | Code::Contract => {
                Code::of(&self.stored(head.world.code(account.info.code_hash))?.unwrap_or_default())
            }
        };
        Ok(Account { code, ..account })
    }

    /// What the next block asks of transactions.
    pub(crate) fn rules(&self, parent: &Header, outlook: &Outlook) -> Rules {
        let timestamp = outlook.time.timestamp(&*self.0.clock, parent.timestamp);
        let params = outlook.params(self.spec().at(parent.number + 1, timestamp));
        let blobs = blob_params(params.hardfork).zip(next_excess_blob_gas(&params, parent));
        Rules {
            chain_id: params.chain_id,
            hardfork: params.hardfork,
            block_gas_limit: params.block_gas_limit,
            base_fee: outlook.base_fee.unwrap_or_else(|| next_base_fee(parent)),
            limits: params.limits,
            blobs: blobs.map(|(params, excess)| BlobRules { params, fee: params.calc_blob_fee(excess) }),
            low_fees: match self.mining() {
                Mining::Instant => LowFees::Refuse,
                Mining::Interval(_) | Mining::Mixed(_) | Mining::Manual => LowFees::Wait,
            },
            balances: self.0.settings.balances,
        }
    }

    /// Mines what is ready, and gives those that can never be in a block, with the reasons. A sender whose transaction has to
    /// wait though there was room is passed over; so every turn takes a transaction or a sender out of the running, and the loop
    /// ends.
    pub(crate) fn settle(&self, writer: &mut Writer) -> Result<BTreeMap<B256, TxError>, ChainError> {
        let mut passed_over = BTreeSet::<Address>::new();
        let mut rejected = BTreeMap::new();
        loop {
            let base = self.base(writer)?;
            let ready = self.next_candidates(&base, &passed_over);
            if ready.is_empty() {
                return Ok(rejected);
            }
            let offered = ready.len();
            let unfit = self.build(writer, &base, ready, EmptyBlock::Skip)?;
            let some_are_in = unfit.len() < offered;
            for Unfit { transaction, reason } in unfit {
                if !(some_are_in && waits_for_room(&reason)) {
                    passed_over.insert(transaction.signer());
                }
                if reason.consequence() == Consequence::Reject {
                    rejected.insert(*transaction.tx_hash(), reason);
                }
            }
        }
    }
}

/// Transactions that are admitted, and perhaps in a block that is on its way to the store.
#[must_use = "nothing is acknowledged before it is stored"]
pub struct Submission {
    answers: Vec<Answer>,
    ticket: Option<Ticket>,
}

impl Submission {
    /// Waits until all is stored: an answer for each transaction, in their order.
    #[must_use]
    pub fn wait(mut self) -> Vec<Answer> {
        if let Some(Err(error)) = self.ticket.map(|ticket| ticket.wait()) {
            tell_first(&mut self.answers, error);
        }
        self.answers
    }
}

impl std::fmt::Debug for Submission {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Submission").field("answers", &self.answers).finish_non_exhaustive()
    }
}

/// Tells a fault that concerns all with the first of those that were admitted.
fn tell_first(answers: &mut [Answer], error: ChainError) {
    if let Some(first) = answers.iter_mut().find(|answer| answer.is_ok()) {
        *first = Err(error);
    }
}

/// Whether all that keeps a transaction from its block is what else is in it.
const fn waits_for_room(reason: &TxError) -> bool {
    match reason {
        TxError::BlockFull { .. }
        | TxError::GuardsFull { .. }
        | TxError::GuardsMayNotFit { .. }
        | TxError::Deadline
        | TxError::Interrupted => true,
        TxError::Invalid(_) | TxError::Fault(_) | TxError::State(_) | TxError::Evm(_) => false,
    }
}

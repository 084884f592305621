//! A block with everything that is known of it.

use alloy_consensus::{Block, BlockBody, Header, ReceiptEnvelope, Sealed, Transaction as _, TxEnvelope};
use alloy_eips::eip4895::Withdrawals;
use alloy_primitives::{B256, Log};
use parapet_monitor::Verdict;
use parapet_types::{BlockContext, ChainSpec, Executed, Hardfork, JudgedAct, Transaction};

use crate::WorldState;

/// What a chain begins with.
#[derive(Clone, Debug)]
pub struct GenesisBlock {
    /// Parameters of the chain.
    pub spec: ChainSpec,
    /// Header of the first block; its state root is that of `world`.
    pub header: Header,
    /// State after the first block.
    pub world: WorldState,
}

/// A block that is in the chain, or about to be. Transactions, receipts and `executed` have one length.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StoredBlock {
    /// Header and its hash.
    pub header: Sealed<Header>,
    /// In block order, with their senders.
    pub transactions: Vec<Transaction>,
    /// EIP-4895, from Shanghai on.
    pub withdrawals: Option<Withdrawals>,
    /// Headers of ommers; none since the merge.
    pub ommers: Vec<Header>,
    /// By transaction.
    pub receipts: Vec<ReceiptEnvelope<Log>>,
    /// What each transaction did and what guards said of it.
    pub executed: Vec<Executed>,
    /// What guards said of what the chain itself did.
    pub chain_acts: Vec<JudgedAct>,
}

impl StoredBlock {
    /// The genesis block: no transactions, and no withdrawals from Shanghai on.
    #[must_use]
    pub fn genesis(header: Header) -> Self {
        let withdrawals = header.withdrawals_root.map(|_| Withdrawals::default());
        Self {
            header: Sealed::new(header),
            transactions: Vec::new(),
            withdrawals,
            ommers: Vec::new(),
            receipts: Vec::new(),
            executed: Vec::new(),
            chain_acts: Vec::new(),
        }
    }

    /// Its number.
    #[must_use]
    pub fn number(&self) -> u64 {
        self.header.number
    }

    /// Its hash.
    #[must_use]
    pub fn hash(&self) -> B256 {
        self.header.seal()
    }

    /// What its header fixed before its transactions ran, and what was paid after them, by the rules of its fork.
    #[must_use]
    pub fn context(&self, hardfork: Hardfork) -> BlockContext {
        let withdrawals = self.withdrawals.as_ref().map_or(&[][..], |withdrawals| withdrawals);
        BlockContext::of_block(hardfork, &self.header, &self.ommers, withdrawals)
    }

    /// About how many bytes of memory it takes.
    pub(crate) fn memory_bytes(&self) -> usize {
        let transaction = |transaction: &Transaction| size_of::<Transaction>() + transaction.inner().input().len();
        let log = |log: &Log| size_of::<Log>() + log.data.data.len();
        let logs = |executed: &Executed| 2 * executed.logs.iter().map(log).sum::<usize>();
        let verdict = |verdict: &Verdict| size_of::<Verdict>() + verdict.detail.len();
        let verdicts = |executed: &Executed| executed.verdicts.iter().map(verdict).sum::<usize>();
        let executed = |executed: &Executed| {
            size_of::<Executed>()
                + size_of::<ReceiptEnvelope<Log>>()
                + executed.output.len()
                + logs(executed)
                + verdicts(executed)
        };
        size_of::<Self>()
            + self.transactions.iter().map(transaction).sum::<usize>()
            + self.executed.iter().map(executed).sum::<usize>()
    }

    /// The block as peers and RLP see it.
    #[must_use]
    pub fn to_consensus_block(&self) -> Block<TxEnvelope> {
        Block {
            header: self.header.inner().clone(),
            body: BlockBody {
                transactions: self.transactions.iter().map(|transaction| transaction.inner().clone()).collect(),
                ommers: self.ommers.clone(),
                withdrawals: self.withdrawals.clone(),
            },
        }
    }
}

//! Blockchain tests: a genesis, blocks that are valid and blocks that are not, and the block the chain ends in.

use std::collections::{BTreeMap, HashMap};

use alloy_consensus::{Block, Header, TxEnvelope};
use alloy_eip7928::BlockAccessList;
use alloy_primitives::{B256, Bytes, Sealed};
use parapet_executor::{BlockError, Mode, TxError};
use parapet_fixtures::{Accounts, changes_of};
use parapet_import::{Consequence, Field, ImportError, IncomingBlock, Parent, import_block};
use parapet_monitor::NoMonitor;
use parapet_state::{StoredBlock, WorldState};
use parapet_types::{Ancestors, ExecutedBlock, Hardfork, Included, JudgedAct, ReadError};
use serde::Deserialize;

use crate::{
    ConformanceError, Skip,
    error::Stop,
    expect,
    keep::{Appended, Folder, Folders},
    network::{Config, Schedule},
};

/// Hashes that BLOCKHASH can ask for.
const ANCESTORS_MAX: usize = 256;

/// A blockchain test as files have it.
#[derive(Debug, Deserialize)]
pub(crate) struct BlockchainTest {
    network: String,
    pre: Accounts,
    #[serde(rename = "genesisRLP")]
    genesis_rlp: Bytes,
    blocks: Vec<TestBlock>,
    #[serde(default)]
    config: Config,
    lastblockhash: B256,
}

#[derive(Debug, Deserialize)]
struct TestBlock {
    rlp: Bytes,
    #[serde(rename = "expectException")]
    expect_exception: Option<Expected>,
    /// The list that comes beside the block (EIP-7928); of an invalid one, among what it decodes to.
    #[serde(rename = "blockAccessList")]
    access_list: Option<BlockAccessList>,
    rlp_decoded: Option<Decoded>,
}

#[derive(Debug, Deserialize)]
struct Decoded {
    #[serde(rename = "blockAccessList")]
    access_list: Option<BlockAccessList>,
}

impl TestBlock {
    fn access_list(&self) -> Option<&BlockAccessList> {
        self.access_list.as_ref().or_else(|| self.rlp_decoded.as_ref()?.access_list.as_ref())
    }
}

/// What is wrong with a block: one name, or one for each network.
#[derive(Debug, Deserialize)]
#[serde(untagged)]
enum Expected {
    Always(String),
    ByNetwork(BTreeMap<String, String>),
}

impl Expected {
    fn on(&self, network: &str) -> Option<&str> {
        match self {
            Self::Always(name) => Some(name),
            Self::ByNetwork(names) => names.get(network).map(String::as_str),
        }
    }
}

/// A block that was accepted, with the state after it.
struct Tip {
    header: Sealed<Header>,
    world: WorldState,
    ancestors: Ancestors,
}

/// The chain as far as it has come.
struct Chain {
    schedule: Schedule,
    chain_id: u64,
    known: HashMap<B256, Tip>,
    head: B256,
    /// Where states lie, if not in memory.
    folder: Option<Folder>,
}

/// Runs one test. Of the fork that is not final there are tests of several versions, told by nothing but what their blocks
/// announce; a valid block of another version than the EVM's says nothing of this node.
///
/// States lie in one of the folders, if there are any.
pub(crate) fn run(test: &BlockchainTest, mode: Mode<'_>, folders: Option<&Folders>) -> Result<(), Stop> {
    match run_blocks(test, mode, folders) {
        Err(Stop::Fail(ConformanceError::Refused { source, .. }))
            if !is_final(test) && is_of_another_version(&source) =>
        {
            Err(Skip::OtherVersion.into())
        }
        outcome => outcome,
    }
}

fn is_final(test: &BlockchainTest) -> bool {
    !test.network.eq_ignore_ascii_case(Hardfork::Amsterdam.name())
}

/// Whether a valid block is refused for its gas, or for what it logs.
fn is_of_another_version(error: &ImportError) -> bool {
    match error {
        ImportError::Quantity { field, .. } => *field == Field::GasUsed,
        ImportError::Hash { field, .. } => *field == Field::ReceiptsRoot,
        ImportError::Execution(BlockError::Transaction { source, .. }) => matches!(source, TxError::Invalid(_)),
        _ => false,
    }
}

fn run_blocks(test: &BlockchainTest, mode: Mode<'_>, folders: Option<&Folders>) -> Result<(), Stop> {
    let schedule = Schedule::of_network(&test.network, &test.config)?;
    let mut chain = Chain::start(test, schedule, folders)?;
    for (number, block) in test.blocks.iter().enumerate() {
        let expected = block.expect_exception.as_ref().and_then(|expected| expected.on(&test.network));
        let fault = expected.map(|name| Fault { name, is_compared: is_final(test) });
        judge(number, chain.import(&block.rlp, None, mode), fault)?;
        // A list that comes with the block is followed: that changes nothing of what becomes of the block.
        if let Some(list) = block.access_list() {
            judge(number, chain.import(&block.rlp, Some(list), mode), fault)?;
        }
    }
    if let Some((folders, folder)) = folders.zip(chain.folder) {
        folder.verify().map_err(ConformanceError::from)?;
        folders.give_back(folder);
    }
    if chain.head == test.lastblockhash {
        Ok(())
    } else {
        Err(ConformanceError::Head { expected: test.lastblockhash, found: chain.head }.into())
    }
}

/// What is wrong with a block.
#[derive(Clone, Copy)]
struct Fault<'t> {
    name: &'t str,
    /// Whether it must be what the block is refused for. A block of another version of a fork shows other faults first.
    is_compared: bool,
}

/// Holds what became of a block against what the test says of it.
fn judge(number: usize, outcome: Result<(), ImportError>, fault: Option<Fault<'_>>) -> Result<(), Stop> {
    match (outcome, fault) {
        (Ok(()), None) => Ok(()),
        (Err(source), None) => Err(ConformanceError::Refused { number, source }.into()),
        (Ok(()), Some(Fault { name, .. })) => {
            Err(ConformanceError::Accepted { number, expected: name.to_owned() }.into())
        }
        (Err(source), Some(Fault { name, is_compared })) => {
            let explained =
                if is_compared { expect::explains(&source, name) } else { source.consequence() == Consequence::Refuse };
            if explained {
                return Ok(());
            }
            let (expected, source) = (name.to_owned(), Box::new(source));
            Err(ConformanceError::OtherReason { number, expected, source }.into())
        }
    }
}

impl Chain {
    fn start(test: &BlockchainTest, schedule: Schedule, folders: Option<&Folders>) -> Result<Self, ConformanceError> {
        let genesis = Block::<TxEnvelope>::decode_sealed(&mut &test.genesis_rlp[..]);
        let (genesis, hash) = genesis.map_err(ConformanceError::Genesis)?.into_parts();
        let world = WorldState::of(&changes_of(&test.pre)?);
        if world.root() != genesis.header.state_root {
            return Err(ConformanceError::GenesisRoot { expected: genesis.header.state_root, found: world.root() });
        }
        let begin = |folders: &Folders| folders.begin(genesis.header.clone(), world.clone());
        let folder = folders.map(begin).transpose()?;
        let ancestors = Ancestors::from([(genesis.header.number, hash)]);
        let tip = Tip { header: Sealed::new_unchecked(genesis.header, hash), world, ancestors };
        Ok(Self {
            schedule,
            chain_id: test.config.chain_id()?,
            known: HashMap::from([(hash, tip)]),
            head: hash,
            folder,
        })
    }

    /// Imports a block on the parent it names; where nobody knows that one, on the head, which it will not fit.
    fn import(&mut self, rlp: &[u8], list: Option<&BlockAccessList>, mode: Mode<'_>) -> Result<(), ImportError> {
        let mut block = IncomingBlock::decode(rlp)?;
        block.access_list = list.cloned();
        let parent = self.known.get(&block.header.parent_hash).or_else(|| self.known.get(&self.head));
        let parent = parent.expect("the head is known: a block becomes it when it is accepted");
        let params = self.schedule.params(self.chain_id, block.header.timestamp, block.header.gas_limit);
        let world = match &mut self.folder {
            Some(folder) => folder.go_to(parent.header.hash()).map_err(ReadError::from)?,
            None => parent.world.clone(),
        };
        let on = Parent { header: Some(&parent.header), world: &world, ancestors: &parent.ancestors };
        let imported = import_block(&params, on, &block, &NoMonitor, mode, |changes| {
            let after = world.apply(changes)?;
            Ok((after.root(), after))
        })?;
        let mut state = imported.state;
        if let Some(folder) = &mut self.folder {
            let ExecutedBlock { included, chain_acts, access_list, changes, .. } = imported.executed;
            let stored = stored(&block, included, chain_acts);
            folder.append(Appended { block: stored, access_list, changes }).map_err(ReadError::from)?;
            state = WorldState::new();
        }
        let mut ancestors = parent.ancestors.clone();
        ancestors.insert(block.header.number, block.header.hash());
        if ancestors.len() > ANCESTORS_MAX {
            ancestors.pop_first();
        }
        self.head = block.header.hash();
        self.known.insert(self.head, Tip { header: block.header, world: state, ancestors });
        Ok(())
    }
}

/// A block as it is stored.
fn stored(block: &IncomingBlock, included: Vec<Included>, chain_acts: Vec<JudgedAct>) -> StoredBlock {
    let (receipts, executed) = included.into_iter().map(|included| (included.receipt, included.executed)).unzip();
    StoredBlock {
        header: block.header.clone(),
        transactions: block.transactions.clone(),
        withdrawals: block.withdrawals.clone(),
        ommers: block.ommers.clone(),
        receipts,
        executed,
        chain_acts,
    }
}

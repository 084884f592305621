//! Blockchain tests: a genesis, blocks that are valid and blocks that are not, and the block the chain ends in.

use std::collections::{BTreeMap, HashMap};

use alloy_consensus::{Block, Header, TxEnvelope};
use alloy_primitives::{B256, Bytes, Sealed};
use parapet_executor::Mode;
use parapet_import::{ImportError, IncomingBlock, Parent, import_block};
use parapet_monitor::NoMonitor;
use parapet_state::WorldState;
use parapet_types::Ancestors;
use serde::Deserialize;

use crate::{
    ConformanceError,
    accounts::{self, Accounts},
    error::Stop,
    expect,
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
}

/// Runs one test.
pub(crate) fn run(test: &BlockchainTest, mode: Mode<'_>) -> Result<(), Stop> {
    let schedule = Schedule::of_network(&test.network, &test.config)?;
    let mut chain = Chain::start(test, schedule)?;
    for (number, block) in test.blocks.iter().enumerate() {
        let expected = block.expect_exception.as_ref().and_then(|expected| expected.on(&test.network));
        match (chain.import(&block.rlp, mode), expected) {
            (Ok(()), None) => {}
            (Err(source), None) => return Err(ConformanceError::Refused { number, source }.into()),
            (Ok(()), Some(expected)) => {
                return Err(ConformanceError::Accepted { number, expected: expected.to_owned() }.into());
            }
            (Err(source), Some(expected)) if !expect::explains(&source, expected) => {
                let (expected, source) = (expected.to_owned(), Box::new(source));
                return Err(ConformanceError::OtherReason { number, expected, source }.into());
            }
            (Err(_), Some(_)) => {}
        }
    }
    if chain.head == test.lastblockhash {
        Ok(())
    } else {
        Err(ConformanceError::Head { expected: test.lastblockhash, found: chain.head }.into())
    }
}

impl Chain {
    fn start(test: &BlockchainTest, schedule: Schedule) -> Result<Self, ConformanceError> {
        let genesis = Block::<TxEnvelope>::decode_sealed(&mut &test.genesis_rlp[..]);
        let (genesis, hash) = genesis.map_err(ConformanceError::Genesis)?.into_parts();
        let world = WorldState::new().apply(&accounts::changes(&test.pre)?);
        if world.root() != genesis.header.state_root {
            return Err(ConformanceError::GenesisRoot { expected: genesis.header.state_root, found: world.root() });
        }
        let ancestors = Ancestors::from([(genesis.header.number, hash)]);
        let tip = Tip { header: Sealed::new_unchecked(genesis.header, hash), world, ancestors };
        Ok(Self { schedule, chain_id: test.config.chain_id()?, known: HashMap::from([(hash, tip)]), head: hash })
    }

    /// Imports a block on the parent it names; where nobody knows that one, on the head, which it will not fit.
    fn import(&mut self, rlp: &[u8], mode: Mode<'_>) -> Result<(), ImportError> {
        let block = IncomingBlock::decode(rlp)?;
        let parent = self.known.get(&block.header.parent_hash).or_else(|| self.known.get(&self.head));
        let parent = parent.expect("the head is known: a block becomes it when it is accepted");
        let params = self.schedule.params(self.chain_id, block.header.timestamp, block.header.gas_limit);
        let on = Parent { header: &parent.header, world: &parent.world, ancestors: &parent.ancestors };
        let imported = import_block(&params, on, &block, &NoMonitor, mode, |changes| {
            let after = parent.world.apply(changes);
            Ok((after.root(), after))
        })?;
        let mut ancestors = parent.ancestors.clone();
        ancestors.insert(block.header.number, block.header.hash());
        if ancestors.len() > ANCESTORS_MAX {
            ancestors.pop_first();
        }
        self.head = block.header.hash();
        self.known.insert(self.head, Tip { header: block.header, world: imported.state, ancestors });
        Ok(())
    }
}

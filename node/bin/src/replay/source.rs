//! Where blocks to be replayed come from, and the state before each.

use std::{ops::RangeInclusive, path::Path};

use alloy_primitives::B256;
use parapet_builder::{Clock as _, SystemClock};
use parapet_executor::{Admission, BlockInput, Listing, Point};
use parapet_fixtures::RealBlock;
use parapet_genesis::DevGenesis;
use parapet_state::{ChainStore, StoreSettings};
use parapet_types::StateChanges;

use super::rerun::Case;
use crate::{args::ChainArgs, failure::Failure};

/// A file that is there wherever a chain is kept.
const CHAIN_FILE: &str = "chain/CURRENT";

/// A chain that `parapet dev --datadir` kept.
pub(crate) struct KeptChain<'a> {
    folder: &'a Path,
    store: ChainStore,
}

impl<'a> KeptChain<'a> {
    /// Opens a folder, and begins no chain there.
    pub(crate) fn open(folder: &'a Path, args: &ChainArgs) -> Result<Self, Failure> {
        if !folder.join(CHAIN_FILE).is_file() {
            return Err(Failure::NoChain(folder.to_owned()));
        }
        // A chain that is resumed has its own timestamp.
        let genesis = DevGenesis::build(&args.genesis(SystemClock.now())?)?;
        Ok(Self { folder, store: ChainStore::open(folder, genesis.block, StoreSettings::default())? })
    }

    /// The blocks that are meant: all but the first, unless told otherwise.
    pub(crate) fn numbers(&self, asked: Option<RangeInclusive<u64>>) -> Result<RangeInclusive<u64>, Failure> {
        let head = self.store.head().number();
        match asked {
            Some(range) if *range.end() > head => Err(Failure::NoBlock { asked: *range.end(), head }),
            Some(range) => Ok(range),
            None if head == 0 => Err(Failure::NoBlocks(self.folder.to_owned())),
            None => Ok(1..=head),
        }
    }

    /// Hands out a block that is there, on the state after its parent.
    pub(crate) fn with_block<T>(&self, number: u64, replay: impl FnOnce(&Case<'_>) -> T) -> Result<T, Failure> {
        let head = self.store.head().number();
        let missing = || Failure::NoBlock { asked: number, head };
        let block = self.store.block(number)?.ok_or_else(missing)?;
        let world = self.store.world(number - 1)?.ok_or_else(missing)?;
        let ancestors = self.store.ancestors(number)?;
        let params = self.store.spec().of(&block.header);
        let context = block.context(params.hardfork);
        let at = Point { params: &params, world: &world, ancestors: &ancestors, block: &context };
        let root = |changes: &StateChanges| Some(world.apply(changes).ok()?.root());
        let admission = Admission::Import;
        let input = BlockInput {
            at,
            transactions: &block.transactions,
            admission,
            access_list: Listing::Ignore,
            deadline: None,
        };
        Ok(replay(&Case {
            name: number.to_string(),
            input,
            header: block.header.inner(),
            root: &root,
            may_be_amended: true,
        }))
    }
}

/// Real blocks of a folder: of the fixtures as a whole, or of one kind.
pub(crate) fn real_blocks(path: &Path) -> Result<Vec<RealBlock>, Failure> {
    let found = parapet_fixtures::real_blocks(path)?;
    if found.blocks.is_empty() { Err(Failure::NoFixtures(path.to_owned())) } else { Ok(found.blocks) }
}

/// A real block as it is replayed. Most of the state is absent, so the root of the state after it cannot be told.
pub(crate) fn real_case(block: &RealBlock) -> Case<'_> {
    fn unknown(_: &StateChanges) -> Option<B256> {
        None
    }
    Case {
        name: block.name.clone(),
        input: block.input(),
        header: &block.header,
        root: &unknown,
        may_be_amended: false,
    }
}

//! The whole of an import: checks, execution, comparison. Generic over what computes the state root.

use alloy_consensus::Header;
use alloy_primitives::{B256, Sealed};
use parapet_executor::{Admission, BlockInput, Listing, Mode, Point, TxError, execute_block};
use parapet_monitor::Monitor;
use parapet_types::{Ancestors, ChainParams, ExecutedBlock, Hardfork, ReadError, StateChanges, StateReader};

use crate::{
    Field, ImportError, IncomingBlock, check_body, check_header, check_outcome, check_succession, error::same,
};

/// What a block is built on.
#[derive(Clone, Copy)]
pub struct Parent<'a> {
    /// Its header, and hash; where it is not at hand, that the block follows it is not checked.
    pub header: Option<&'a Sealed<Header>>,
    /// The state after it.
    pub world: &'a dyn StateReader,
    /// Hashes up to its own.
    pub ancestors: &'a Ancestors,
}

/// A block that is valid: everything its header announces came true.
#[derive(Debug)]
pub struct Imported<S> {
    /// What its execution gave.
    pub executed: ExecutedBlock<TxError>,
    /// What the caller made of the state above.
    pub state: S,
}

/// Checks a block on its parent, executes it, and compares what came of it. `post_state` is given the change set once,
/// after all but the state root has been compared, and gives the root of the state above with whatever the caller wants
/// to keep of it.
///
/// # Errors
/// [`ImportError`]; its consequence tells a block that is invalid from a node that could not tell.
pub fn import_block<S>(
    params: &ChainParams,
    parent: Parent<'_>,
    block: &IncomingBlock,
    monitor: &dyn Monitor,
    mode: Mode<'_>,
    post_state: impl FnOnce(&StateChanges) -> Result<(B256, S), ReadError>,
) -> Result<Imported<S>, ImportError> {
    check_header(params, &block.header)?;
    if let Some(header) = parent.header {
        check_succession(params, header, &block.header)?;
    }
    check_body(params, block)?;
    let context = block.context(params.hardfork);
    let at = Point { params, world: parent.world, ancestors: parent.ancestors, block: &context };
    let input = BlockInput {
        at,
        transactions: &block.transactions,
        admission: Admission::Import,
        access_list: listing(params, block),
        deadline: None,
    };
    let executed = execute_block(&input, monitor, mode)?;
    check_outcome(&block.header, &executed)?;
    let (root, state) = post_state(&executed.changes)?;
    same(Field::StateRoot, root, block.header.state_root)?;
    Ok(Imported { executed, state })
}

/// From Amsterdam on the header announces the block's access list: it is recorded, or, where it came with the block, it
/// is followed and must be what is recorded.
fn listing<'a>(params: &ChainParams, block: &'a IncomingBlock) -> Listing<'a> {
    match &block.access_list {
        Some(list) => Listing::Follow(list),
        None if params.hardfork >= Hardfork::Amsterdam => Listing::Record,
        None => Listing::Ignore,
    }
}

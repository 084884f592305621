//! Blocks of real chains: imported as a node imports them, as far as their files go.

use parapet_executor::Mode;
use parapet_fixtures::{OpenBlock, RealFile, StateBefore};
use parapet_import::{Parent, import_block};
use parapet_monitor::NoMonitor;
use parapet_types::{ReadError, StateChanges};

use crate::error::Stop;

/// Runs one block. With a witness the root of the state after it is compared; with a flat state, of which most is absent,
/// gas, receipts and bloom.
pub(crate) fn run(file: RealFile, mode: Mode<'_>) -> Result<(), Stop> {
    let OpenBlock { params, block, ancestors, parent, state } = file.open()?;
    let announced = block.header.state_root;
    let post_state = |changes: &StateChanges| match &state {
        StateBefore::Flat(_) => Ok((announced, ())),
        StateBefore::Witness(witness) => {
            witness.root_after(changes).map(|root| (root, ())).map_err(|error| ReadError(Box::new(error)))
        }
    };
    let on = Parent { header: parent.as_ref(), world: state.reader(), ancestors: &ancestors };
    import_block(&params, on, &block, &NoMonitor, mode, post_state)?;
    Ok(())
}

//! A monitor that does not say whom it waits for, so that everything is recorded: the oracle of one that does.

use parapet_abi::ContextRecord;
use parapet_monitor::{
    Allowance, AttachmentId, Attention, BlockEnd, Counts, Examination, Fault, Judging, Monitor, StateFault, StateView,
};

/// The same monitor, silent about its watchlist.
pub(crate) struct Unlisted<'a>(pub(crate) &'a dyn Monitor);

impl Monitor for Unlisted<'_> {
    fn attention(&self) -> Attention {
        self.0.attention()
    }

    fn open(&self, context: &ContextRecord, view: &mut dyn StateView) -> Result<Option<Box<dyn Judging + '_>>, Fault> {
        self.0.open(context, view)
    }

    fn admit(
        &self,
        context: &ContextRecord,
        allowance: Allowance,
        view: &mut dyn StateView,
    ) -> Result<Examination, Fault> {
        self.0.admit(context, allowance, view)
    }
    fn counts(&self, id: AttachmentId, next_block: u64, view: &mut dyn StateView) -> Result<Counts, StateFault> {
        self.0.counts(id, next_block, view)
    }

    fn end_block(&self, context: &ContextRecord, view: &mut dyn StateView) -> Result<BlockEnd, Fault> {
        self.0.end_block(context, view)
    }
}

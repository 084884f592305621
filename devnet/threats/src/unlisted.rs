//! A monitor that does not say whom it waits for, so that everything is recorded: the oracle of one that does.

use parapet_abi::ContextRecord;
use parapet_monitor::{Allowance, Attention, Examination, Fault, Judging, Monitor, StateView};

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
}

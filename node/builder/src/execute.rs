//! Executes the block that is being built, by all threads; where asked for, sequentially as well, and compares.

use parapet_executor::{Admission, BlockError, BlockInput, Deadline, Mode, TxError, execute_block, run_block};
use parapet_types::ExecutedBlock;

use crate::{Chain, ChainError, SequentialCheck, compare::first_difference, deadline::ByClock, measure::Measuring};

impl Chain {
    /// Executes a block, until its deadline if it has one, and tells the metrics how it went.
    ///
    /// # Errors
    /// [`ChainError::Block`]; with [`SequentialCheck::On`] also [`ChainError::Diverged`].
    pub(crate) fn execute(
        &self,
        input: &BlockInput<'_>,
        deadline: Option<&ByClock<'_>>,
    ) -> Result<ExecutedBlock<TxError>, ChainError> {
        let measuring = Measuring::start();
        let timed = BlockInput { deadline: deadline.map(|deadline| deadline as &dyn Deadline), ..*input };
        let run =
            run_block(&timed, self.monitor(), Mode::Parallel(&self.0.workers)).map_err(|error| self.met(error))?;
        let report = run.report().cloned().unwrap_or_default();
        let executed = run.finish().map_err(|error| self.met(error))?;
        measuring.end(&report, &executed);
        match self.0.settings.check {
            SequentialCheck::Off => {}
            // What was cut by the time is cut at the same place.
            SequentialCheck::On => {
                let cut = deadline.map(ByClock::same_cut);
                let cut = cut.as_ref().map(|cut| cut as &dyn Deadline);
                self.check(&BlockInput { deadline: cut, ..*input }, &executed)?;
            }
        }
        Ok(executed)
    }

    /// A block that cannot be executed because the store has failed is a failure of the store.
    fn met(&self, error: BlockError) -> ChainError {
        self.look_for_failure().err().unwrap_or_else(|| error.into())
    }

    /// The same on a chain that goes on from another one: where that cannot be read, the transactions that need it are left
    /// out, and the others are executed one after the other.
    ///
    /// # Errors
    /// As [`Self::execute`].
    pub(crate) fn execute_what_can_be(
        &self,
        input: &BlockInput<'_>,
        deadline: Option<&ByClock<'_>>,
    ) -> Result<ExecutedBlock<TxError>, ChainError> {
        match self.execute(input, deadline) {
            Err(ChainError::Block(BlockError::State(error))) if self.fork().is_some() => {
                tracing::warn!("{error}: what does not need it goes on");
                let salvaging = BlockInput { admission: Admission::Salvage, ..*input };
                Ok(execute_block(&salvaging, self.monitor(), Mode::Sequential)?)
            }
            executed => executed,
        }
    }

    /// Refuses a block that is another one when it is executed sequentially.
    fn check(&self, input: &BlockInput<'_>, executed: &ExecutedBlock<TxError>) -> Result<(), ChainError> {
        let sequential = execute_block(input, self.monitor(), Mode::Sequential)?;
        let Some(difference) = first_difference(&sequential, executed) else { return Ok(()) };
        let (number, threads) = (input.at.block.number, self.0.workers.threads().get());
        let error = ChainError::Diverged { number, threads, difference };
        tracing::error!("{error}");
        Err(error)
    }
}

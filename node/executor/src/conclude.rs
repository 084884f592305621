//! A transaction's last word: after its frames, before its fees.

use parapet_abi::FlowRecord;
use parapet_monitor::{FuelSpent, Subscriptions};
use parapet_types::REGISTRY;
use revm::{
    context::{ContextError, JournalTr as _},
    context_interface::journaled_state::{JournalCheckpoint, account::JournaledAccountTr as _},
    handler::FrameResult,
    interpreter::InstructionResult,
    primitives::Address,
};

use crate::{
    database::EvmDatabase,
    evm::{FrameError, MonitoredEvm},
    recorder::Stirred,
    watch::Moment,
};

impl<DB: EvmDatabase, INSP> MonitoredEvm<'_, DB, INSP> {
    /// Whether somebody who judges asked for fees.
    pub(crate) fn records_fees(&self) -> bool {
        let judging = self.inner.ctx.chain.judging.as_ref();
        !self.vetoed() && judging.is_some_and(|judging| judging.subscriptions().contains(Subscriptions::FEES))
    }

    /// A point in the journal to which a veto after execution can return.
    pub(crate) fn mark(&mut self) -> JournalCheckpoint {
        let journal = &mut self.inner.ctx.journaled_state;
        let checkpoint = journal.checkpoint();
        journal.checkpoint_commit();
        checkpoint
    }

    /// After execution, before fees are settled: the monitor's last word. A veto returns the journal to `start` and
    /// makes the result a revert with the veto's data; gas that was spent stays spent.
    pub(crate) fn conclude(
        &mut self,
        start: JournalCheckpoint,
        result: &mut FrameResult,
        fees: &[FlowRecord],
    ) -> Result<(), FrameError<DB>> {
        self.look_back()?;
        self.inner.ctx.chain.purse.executed(result);
        let changed = result.instruction_result().is_ok() && self.registry_changed();
        if !self.vetoed() && changed {
            self.consult(Moment::RegistryChanged)?;
        }
        let ctx = &mut self.inner.ctx;
        if ctx.chain.veto.is_none() && ctx.chain.judging.is_some() {
            let stirred = ctx.chain.complete(&ctx.journaled_state.inner, result.instruction_result(), fees);
            // Where nobody stirred, the trace is not complete.
            let repeatable =
                !changed && stirred == Stirred::Somebody && !ctx.chain.trace.overflowed && ctx.chain.is_repeatable();
            let sender = ctx.journaled_state.inner.state.get(&ctx.tx.caller);
            let balance = sender.map(|sender| sender.info.balance);
            if stirred == Stirred::Somebody {
                self.consult(Moment::Executed)?;
            }
            let chain = &mut self.inner.ctx.chain;
            chain.repeatable = balance.filter(|_| repeatable);
        }
        self.charge(result.instruction_result());
        if self.vetoed() {
            self.inner.ctx.chain.repeatable = None;
            self.revert_to(start)?;
            let output = self.veto_output();
            let outcome = result.interpreter_result_mut();
            outcome.result = InstructionResult::Revert;
            outcome.output = output;
            outcome.gas.set_refunded(0);
            if let FrameResult::Create(create) = result {
                create.address = None;
            }
        }
        Ok(())
    }

    /// Fixes what the transaction pays for its guards. One that cannot pay fails.
    fn charge(&mut self, result: InstructionResult) {
        let chain = &mut self.inner.ctx.chain;
        if chain.is_chains_own {
            return;
        }
        let spent = chain.judging.as_ref().map_or_else(FuelSpent::default, |judging| judging.spent());
        if chain.veto.is_none() && result.is_ok() {
            chain.veto = chain.purse.settle(spent, &self.guards);
        }
        chain.purse.charge(spent, chain.veto.as_ref(), &self.guards);
    }

    fn registry_changed(&self) -> bool {
        if !self.inner.ctx.chain.entered_registry {
            return false;
        }
        let registry = self.inner.ctx.journaled_state.inner.state.get(&REGISTRY);
        let now = self.inner.ctx.journaled_state.inner.transaction_id;
        // A slot that an earlier transaction on the same journal changed keeps its old original until it is read again.
        registry.is_some_and(|account| account.changed_storage_slots().any(|(_, slot)| slot.transaction_id == now))
    }

    /// Undoes everything since `start` but the nonce step of a creation, which the EVM takes inside its frame.
    fn revert_to(&mut self, start: JournalCheckpoint) -> Result<(), FrameError<DB>> {
        let ctx = &mut self.inner.ctx;
        let journal = &mut ctx.journaled_state;
        let _ = journal.checkpoint();
        journal.checkpoint_revert(start);
        if ctx.tx.kind.is_create() {
            let sender: Address = ctx.tx.caller;
            journal.load_account_mut(sender).map_err(ContextError::Db)?.data.bump_nonce();
        }
        Ok(())
    }
}

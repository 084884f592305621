//! revm's transaction phases, with the monitor's last word between execution and the settling of fees.

use std::marker::PhantomData;

use parapet_abi::FlowRecord;
use revm::{
    Inspector,
    context::{
        ContextTr as _, JournalTr as _,
        result::{EVMError, HaltReason, ResultGas},
    },
    context_interface::{Block as _, Cfg as _, Transaction as _, journaled_state::JournalCheckpoint},
    handler::{EvmTr as _, FrameResult, Handler, execution::runtime_oog_unwind, post_execution, pre_execution},
    inspector::InspectorHandler,
    interpreter::{
        FrameInput, GasTracker, InitialAndFloorGas, interpreter::EthInterpreter, interpreter_action::FrameInit,
    },
    primitives::U256,
};

use crate::{
    authorizations,
    database::EvmDatabase,
    evm::{EvmContext, MonitoredEvm},
    flows,
    identity::SenderRule,
    purse,
};

/// Mainnet's phases around a monitored execution.
pub(crate) struct MonitoredHandler<'m, DB, INSP>(PhantomData<(&'m (), DB, INSP)>);

impl<DB, INSP> MonitoredHandler<'_, DB, INSP> {
    pub(crate) const fn new() -> Self {
        Self(PhantomData)
    }
}

impl<'m, DB: EvmDatabase, INSP> MonitoredHandler<'m, DB, INSP> {
    /// The execution phase around a frame loop: first frame, loop, the monitor's last word, gas.
    fn execute(
        &mut self,
        evm: &mut MonitoredEvm<'m, DB, INSP>,
        checkpoint: JournalCheckpoint,
        gas: &mut GasTracker,
        run_frames: impl FnOnce(
            &mut Self,
            &mut MonitoredEvm<'m, DB, INSP>,
            FrameInit,
        ) -> Result<FrameResult, EVMError<DB::Error>>,
    ) -> Result<Option<FrameResult>, EVMError<DB::Error>> {
        let Some(first) = self.first_frame_input(evm, gas)? else {
            runtime_oog_unwind(evm.ctx(), checkpoint)?;
            return Ok(None);
        };
        evm.ctx().journal_mut().checkpoint_commit();
        let start = evm.mark();
        let mut result = run_frames(self, evm, first)?;
        let fees = if evm.records_fees() { self.fees(evm, &result, gas)? } else { Vec::new() };
        evm.conclude(start, &mut result, &fees)?;
        self.last_frame_result(evm, &mut result, gas)?;
        Ok(Some(result))
    }
}

impl<'m, DB: EvmDatabase, INSP> MonitoredHandler<'m, DB, INSP> {
    /// What the transaction has cost so far, as flows: all that remains to be charged is what guards spend from here on.
    fn fees(
        &mut self,
        evm: &mut MonitoredEvm<'m, DB, INSP>,
        result: &FrameResult,
        gas: &GasTracker,
    ) -> Result<Vec<FlowRecord>, EVMError<DB::Error>> {
        let (mut result, mut gas) = (result.clone(), *gas);
        self.last_frame_result(evm, &mut result, &mut gas)?;
        let initial = self.validate_initial_tx_gas(evm)?;
        let refund = i64::try_from(evm.ctx().chain.authorization_refund).unwrap_or(i64::MAX);
        self.refund(evm, &mut result, refund)?;
        self.eip7623_check_gas_floor(evm, &mut result, initial);
        let ctx = evm.ctx();
        let gas = result.gas();
        let used = U256::from(gas.used().saturating_sub(gas.reservoir()));
        let base_fee = u128::from(ctx.block.basefee);
        let tip = ctx.tx.effective_gas_price(base_fee).saturating_sub(base_fee);
        let blobs = U256::from(ctx.tx.total_blob_gas()) * U256::from(ctx.block.blob_gasprice().unwrap_or_default());
        let burned = used * U256::from(base_fee) + blobs;
        Ok(flows::fees(ctx.tx.caller, ctx.block.beneficiary, used * U256::from(tip), burned))
    }
}

impl<'m, DB: EvmDatabase, INSP> Handler for MonitoredHandler<'m, DB, INSP> {
    type Evm = MonitoredEvm<'m, DB, INSP>;
    type Error = EVMError<DB::Error>;
    type HaltReason = HaltReason;

    /// As mainnet's; what nobody signed may come from an account with code.
    fn validate_against_state_and_deduct_caller(
        &self,
        evm: &mut Self::Evm,
        _: &mut InitialAndFloorGas,
    ) -> Result<(), Self::Error> {
        let ctx = evm.ctx();
        let (rule, configured) = (ctx.chain.sender_rule, ctx.cfg.disable_eip3607);
        ctx.cfg.disable_eip3607 |= rule == SenderRule::Anybody;
        let validated = pre_execution::validate_against_state_and_deduct_caller(ctx);
        ctx.cfg.disable_eip3607 = configured;
        validated
    }

    fn apply_eip7702_auth_list(&self, evm: &mut Self::Evm, gas: &mut GasTracker) -> Result<Option<u64>, Self::Error> {
        let ctx = evm.ctx();
        ctx.chain.met_authorizations |= !ctx.tx.authorization_list.is_empty();
        if ctx.chain.judging.is_none() || ctx.tx.authorization_list.is_empty() {
            return pre_execution::apply_eip7702_auth_list(ctx, gas);
        }
        authorizations::recover(&mut ctx.tx);
        let refund: Option<u64> = pre_execution::apply_eip7702_auth_list::<_, Self::Error>(ctx, gas)?;
        if let Some(refund) = refund {
            ctx.chain.authorization_refund = refund;
            let records = authorizations::records(&ctx.tx, ctx.cfg.chain_id, &ctx.journaled_state.inner.state);
            records.into_iter().for_each(|record| ctx.chain.authorization(record));
        }
        Ok(refund)
    }

    /// As mainnet's; the gas that guards are paid from is what the transaction has beyond its execution and its floor.
    fn tx_gas(&self, evm: &mut Self::Evm, initial: &InitialAndFloorGas) -> GasTracker {
        let ctx = evm.ctx();
        let gas_limit = ctx.tx.gas_limit;
        ctx.chain.purse.open(gas_limit, initial.floor_gas());
        let (remaining, reservoir) = initial.initial_gas_and_reservoir(gas_limit, ctx.cfg.tx_gas_limit_cap());
        GasTracker::new(gas_limit, remaining, reservoir)
    }

    fn execution(
        &mut self,
        evm: &mut Self::Evm,
        checkpoint: JournalCheckpoint,
        gas: &mut GasTracker,
    ) -> Result<Option<FrameResult>, Self::Error> {
        self.execute(evm, checkpoint, gas, Self::run_exec_loop)
    }

    /// As mainnet's, and then guards are paid: refund and floor are those of the execution alone.
    fn post_execution(
        &self,
        evm: &mut Self::Evm,
        exec_result: &mut FrameResult,
        initial: InitialAndFloorGas,
        eip7702_refund: i64,
    ) -> Result<ResultGas, Self::Error> {
        self.refund(evm, exec_result, eip7702_refund)?;
        let is_halt = exec_result.instruction_result().is_halt();
        let execution = post_execution::build_result_gas(is_halt, exec_result.gas(), initial);
        self.eip7623_check_gas_floor(evm, exec_result, initial);
        let guard_gas = evm.ctx().chain.purse.charged.gas;
        purse::take(exec_result.gas_mut(), guard_gas);
        self.reimburse_caller(evm, exec_result)?;
        self.reward_beneficiary(evm, exec_result)?;
        Ok(execution
            .with_total_gas_spent(execution.total_gas_spent() + guard_gas)
            .with_floor_gas(execution.floor_gas() + guard_gas))
    }

    fn reward_beneficiary(&self, evm: &mut Self::Evm, exec_result: &mut FrameResult) -> Result<(), Self::Error> {
        let ctx = evm.ctx();
        if !ctx.chain.fee_apart {
            return post_execution::reward_beneficiary(ctx, exec_result.gas()).map_err(From::from);
        }
        let base_fee = u128::from(ctx.block.basefee);
        let tip = ctx.tx.effective_gas_price(base_fee).saturating_sub(base_fee);
        let gas = exec_result.gas();
        let used = gas.used().saturating_sub(gas.reservoir());
        ctx.chain.fee = U256::from(tip * u128::from(used));
        Ok(())
    }
}

impl<'m, DB, INSP> InspectorHandler for MonitoredHandler<'m, DB, INSP>
where
    DB: EvmDatabase,
    INSP: Inspector<EvmContext<'m, DB>, EthInterpreter, FrameInput, FrameResult>,
{
    type IT = EthInterpreter;

    fn inspect_execution(
        &mut self,
        evm: &mut Self::Evm,
        checkpoint: JournalCheckpoint,
        gas: &mut GasTracker,
    ) -> Result<Option<FrameResult>, Self::Error> {
        self.execute(evm, checkpoint, gas, Self::inspect_run_exec_loop)
    }
}

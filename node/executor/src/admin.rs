//! What the registry cannot know by itself: who the ERC-1967 admin of a proxy is. A contract sees no other contract's storage,
//! and proxies tell their admin to nobody but the admin, so the node answers.
//!
//! Invariant: only a static call of the registry's is answered. Everybody else meets an account without code there, as on any
//! chain, so execution is Ethereum's wherever the registry is not called (I6). The answer is read as SLOAD reads: from the
//! journal, through the database, so it is compared like every other read of the transaction.

use parapet_types::{ADMIN_READER, REGISTRY};
use revm::{
    Database,
    context::{ContextError, JournalTr as _},
    handler::FrameResult,
    interpreter::{FrameInput, InstructionResult, interpreter_action::FrameInit},
    primitives::{Address, B256, Bytes, U256, b256},
};

use crate::{
    database::EvmDatabase,
    evm::{MonitoredEvm, ended_at_once},
};

/// ERC-1967: keccak256("eip1967.proxy.admin") less one.
const ADMIN_SLOT: B256 = b256!("b53127684a568b3173ae13b9f8a6016e243e63b6e8ee1178d6a717850b5d6103");
/// What a cold SLOAD costs (EIP-2929); it is asked once per account and call.
const ANSWER_GAS: u64 = 2_100;

impl<DB: EvmDatabase, INSP> MonitoredEvm<'_, DB, INSP> {
    /// The end of a call in which the registry asks for an account's admin. `None`: it is another call.
    ///
    /// Calldata is an account in 32 bytes, the answer its admin slot. Anything else is answered with nothing.
    pub(crate) fn admin_asked(
        &mut self,
        init: &FrameInit,
    ) -> Result<Option<FrameResult>, ContextError<<DB as Database>::Error>> {
        let FrameInput::Call(inputs) = &init.frame_input else { return Ok(None) };
        let asked = inputs.caller == REGISTRY
            && inputs.target_address == ADMIN_READER
            && inputs.bytecode_address == ADMIN_READER
            && inputs.is_static;
        if !asked {
            return Ok(None);
        }
        let ctx = &mut self.inner.ctx;
        let question = <[u8; 32]>::try_from(&*inputs.input.as_bytes_local(&ctx.local));
        let Ok(account) = question else {
            return Ok(Some(ended_at_once(&init.frame_input, InstructionResult::Return, Bytes::new())));
        };
        if inputs.gas_limit < ANSWER_GAS {
            let mut result = ended_at_once(&init.frame_input, InstructionResult::OutOfGas, Bytes::new());
            result.interpreter_result_mut().gas.spend_all();
            return Ok(Some(result));
        }
        let account = Address::from_word(account.into());
        let journal = &mut ctx.journaled_state;
        journal.load_account(account).map_err(ContextError::Db)?;
        let admin = journal.sload(account, U256::from_be_bytes(ADMIN_SLOT.0)).map_err(ContextError::Db)?.data;
        let output = Bytes::from(admin.to_be_bytes::<32>());
        let mut result = ended_at_once(&init.frame_input, InstructionResult::Return, output);
        let paid = result.interpreter_result_mut().gas.record_regular_cost(ANSWER_GAS);
        debug_assert!(paid, "compared above");
        Ok(Some(result))
    }
}

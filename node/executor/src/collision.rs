//! Creations on accounts that have storage, and neither nonce nor code (EIP-7610). revm's journal looks at nonce and code
//! alone, because no journal knows what storage there is; the database does.
//!
//! Invariant: such a creation ends as one that meets a nonce or code, in all that can be seen of it: the creator's nonce
//! has stepped, the address is warm, and the frame's gas is gone.

use revm::{
    Database,
    context::{ContextError, JournalTr as _},
    context_interface::journaled_state::account::JournaledAccountTr as _,
    handler::FrameResult,
    interpreter::{FrameInput, InstructionResult, interpreter_action::FrameInit},
    primitives::{Bytes, KECCAK_EMPTY, constants::CALL_STACK_LIMIT},
};

use crate::{
    database::EvmDatabase,
    evm::{MonitoredEvm, ended_at_once},
};

impl<DB: EvmDatabase, INSP> MonitoredEvm<'_, DB, INSP> {
    /// The end of a creation that meets storage. `None`: it does not, or something else stops it before.
    pub(crate) fn collision(
        &mut self,
        init: &FrameInit,
    ) -> Result<Option<FrameResult>, ContextError<<DB as Database>::Error>> {
        let FrameInput::Create(inputs) = &init.frame_input else { return Ok(None) };
        let journal = &mut self.inner.ctx.journaled_state;
        let Some(creator) = journal.inner.state.get(&inputs.caller()) else { return Ok(None) };
        let nonce = creator.info.nonce;
        let ends_before =
            init.depth > CALL_STACK_LIMIT as usize || creator.info.balance < inputs.value() || nonce == u64::MAX;
        if ends_before {
            return Ok(None);
        }
        let created = inputs.created_address(nonce);
        let is_bare = |known: &revm::state::Account| known.info.nonce == 0 && known.info.code_hash == KECCAK_EMPTY;
        if !journal.inner.state.get(&created).is_none_or(is_bare) {
            return Ok(None);
        }
        if !journal.database.has_bare_storage(created).map_err(ContextError::Db)? {
            return Ok(None);
        }
        journal.load_account_mut(inputs.caller()).map_err(ContextError::Db)?.data.bump_nonce();
        journal.load_account(created).map_err(ContextError::Db)?;
        Ok(Some(ended_at_once(&init.frame_input, InstructionResult::CreateCollision, Bytes::new())))
    }
}

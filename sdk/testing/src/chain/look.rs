//! What a native guard looks at, asked of the executor.

use alloy_primitives::{Address, Bytes, U256};
use parapet_abi::{
    FrameStatus,
    import::{FORK_AFTER_FRAME, FORK_BEFORE_FRAME, FORK_PRE_TX},
};
use parapet_guest::mock::{Found, Look};
use parapet_monitor::{CallRequest, CallStatus, Fork, StateFault, StateView};

/// What a look finds.
pub(super) fn find(look: &Look, view: &mut dyn StateView) -> Result<Found, StateFault> {
    Ok(match look {
        Look::Storage(at, account, slot) => {
            let word = view.storage(fork(*at), Address::new(*account), U256::from_be_bytes(*slot))?;
            Found::Word(word.to_be_bytes())
        }
        Look::Balance(at, account) => Found::Word(view.balance(fork(*at), Address::new(*account))?.to_be_bytes()),
        Look::CodeHash(at, account) => Found::Word(view.code_hash(fork(*at), Address::new(*account))?.0),
        Look::Call((at, to, input), gas) => {
            let request = CallRequest { to: Address::new(*to), input: Bytes::copy_from_slice(input), gas: *gas };
            let outcome = view.call(fork(*at), &request)?;
            let status = match outcome.status {
                CallStatus::Succeeded => FrameStatus::Succeeded,
                CallStatus::Reverted => FrameStatus::Reverted,
                CallStatus::Halted => FrameStatus::Halted,
            };
            Found::Called(status, outcome.output.to_vec(), outcome.gas_used)
        }
    })
}

const fn fork([kind, frame]: [u32; 2]) -> Fork {
    match kind {
        FORK_PRE_TX => Fork::PreTx,
        FORK_BEFORE_FRAME => Fork::BeforeFrame(frame),
        FORK_AFTER_FRAME => Fork::AfterFrame(frame),
        _ => Fork::Now,
    }
}

//! What is recorded of a frame, from what the EVM says of it as it starts and ends.

use alloy_primitives::{Address, Bytes};
use parapet_abi::{FlowReason, FrameKind, FrameRecord, FrameStatus};
use revm::{
    context::CreateScheme,
    interpreter::{CallInputs, CallScheme, CreateInputs, FrameInput, InstructionResult},
};

/// What is known of a frame as it starts.
pub(crate) struct FrameStart<'a> {
    pub(crate) input: &'a FrameInput,
    /// Calldata or init code; empty when there is no more room.
    pub(crate) data: Bytes,
    /// Its whole length.
    pub(crate) input_len: usize,
    /// Its first four bytes, zero-filled.
    pub(crate) selector: [u8; 4],
    pub(crate) depth: usize,
    /// Nonce of the account that creates.
    pub(crate) creator_nonce: u64,
    /// The account whose code runs, if that is by a delegation.
    pub(crate) delegate: Option<Address>,
    /// Length of the journal.
    pub(crate) journal_len: usize,
}

impl FrameStart<'_> {
    /// The frame's record, as far as its input tells it.
    pub(crate) fn record(&self) -> FrameRecord {
        match self.input {
            FrameInput::Call(inputs) => call_record(inputs, self.selector),
            FrameInput::Create(inputs) => create_record(inputs, self.creator_nonce),
            FrameInput::Empty => FrameRecord::default(),
        }
    }
}

pub(crate) fn length(bytes: &Bytes) -> u32 {
    u32::try_from(bytes.len()).unwrap_or(u32::MAX)
}

pub(crate) fn status(result: InstructionResult) -> FrameStatus {
    if result.is_ok() {
        FrameStatus::Succeeded
    } else if result.is_revert() {
        FrameStatus::Reverted
    } else {
        FrameStatus::Halted
    }
}

fn call_record(inputs: &CallInputs, selector: [u8; 4]) -> FrameRecord {
    let kind = match inputs.scheme {
        CallScheme::Call => FrameKind::Call,
        CallScheme::CallCode => FrameKind::CallCode,
        CallScheme::DelegateCall => FrameKind::DelegateCall,
        CallScheme::StaticCall => FrameKind::StaticCall,
    };
    FrameRecord {
        kind: kind.into(),
        selector,
        is_static: u8::from(inputs.is_static),
        gas_limit: inputs.gas_limit,
        caller: inputs.caller.into_array().into(),
        target: inputs.target_address.into_array().into(),
        code_address: inputs.bytecode_address.into_array().into(),
        code_hash: inputs.known_bytecode.0.0,
        value: inputs.value.get().to_be_bytes(),
        ..FrameRecord::default()
    }
}

fn create_record(inputs: &CreateInputs, creator_nonce: u64) -> FrameRecord {
    let kind = match inputs.scheme() {
        CreateScheme::Create | CreateScheme::Custom { .. } => FrameKind::Create,
        CreateScheme::Create2 { .. } => FrameKind::Create2,
    };
    let created = inputs.created_address(creator_nonce).into_array().into();
    FrameRecord {
        kind: kind.into(),
        gas_limit: inputs.gas_limit(),
        caller: inputs.caller().into_array().into(),
        target: created,
        code_address: created,
        value: inputs.value().to_be_bytes(),
        ..FrameRecord::default()
    }
}

/// Why ether moves in a frame of this kind; `None` where no ether moves.
pub(crate) fn flow_reason(kind: u8) -> Option<FlowReason> {
    match FrameKind::from_u8(kind)? {
        FrameKind::Call => Some(FlowReason::Call),
        FrameKind::Create | FrameKind::Create2 => Some(FlowReason::Create),
        FrameKind::CallCode | FrameKind::DelegateCall | FrameKind::StaticCall | FrameKind::System => None,
    }
}

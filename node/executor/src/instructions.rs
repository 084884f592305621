//! Instructions that record what they do. Those of storage and KECCAK256 are in force only while somebody asked for it;
//! SELFDESTRUCT, BALANCE and SELFBALANCE, which are rare, always. And a KECCAK256 that remembers.

use parapet_abi::AccessKind;
use parapet_monitor::Subscriptions;
use revm::{
    bytecode::opcode,
    context_interface::Host as _,
    handler::instructions::EthInstructions,
    interpreter::{
        Instruction, InstructionContext, InstructionExecResult, InstructionResult, Interpreter,
        instructions::{host, system},
        interpreter::EthInterpreter,
        interpreter_types::InputsTr as _,
    },
    primitives::{Address, U256, hardfork::SpecId},
};

use crate::{database::EvmDatabase, evm::EvmContext, hashes::PREIMAGE_BYTES};

pub(crate) type Table<'m, DB> = EthInstructions<EthInterpreter, EvmContext<'m, DB>>;
pub(crate) type Frame<'a, 'm, DB> = InstructionContext<'a, EvmContext<'m, DB>, EthInterpreter>;

/// The table in force normally.
pub(crate) fn plain<'m, DB: EvmDatabase>(spec: SpecId) -> Table<'m, DB> {
    let mut table = EthInstructions::new_mainnet_with_spec(spec);
    replace(&mut table, opcode::SELFDESTRUCT, Instruction::new(selfdestruct));
    replace(&mut table, opcode::BALANCE, Instruction::new(balance));
    replace(&mut table, opcode::SELFBALANCE, Instruction::new(selfbalance));
    replace(&mut table, opcode::KECCAK256, Instruction::new(keccak256_once));
    table
}

/// The table in force while storage accesses or preimages are recorded.
pub(crate) fn recording<'m, DB: EvmDatabase>(spec: SpecId) -> Table<'m, DB> {
    let mut table = plain(spec);
    replace(&mut table, opcode::SLOAD, Instruction::new(sload));
    replace(&mut table, opcode::SSTORE, Instruction::new(sstore));
    replace(&mut table, opcode::TLOAD, Instruction::new(tload));
    replace(&mut table, opcode::TSTORE, Instruction::new(tstore));
    replace(&mut table, opcode::KECCAK256, Instruction::new(keccak256));
    table
}

/// Replaces an instruction, keeping its static gas.
pub(crate) fn replace<'m, DB: EvmDatabase>(
    table: &mut Table<'m, DB>,
    opcode: u8,
    instruction: Instruction<EthInterpreter, EvmContext<'m, DB>>,
) {
    table.instruction_table_mut()[opcode as usize] = instruction;
}

/// The word `depth` below the top of the stack, if it is there.
fn peek(interpreter: &Interpreter<EthInterpreter>, depth: usize) -> Option<U256> {
    let data = interpreter.stack.data();
    data.len().checked_sub(depth + 1).map(|index| data[index])
}

fn this(interpreter: &Interpreter<EthInterpreter>) -> Address {
    interpreter.input.target_address()
}

fn sload<DB: EvmDatabase>(context: Frame<'_, '_, DB>) -> InstructionExecResult {
    let InstructionContext { interpreter, host } = context;
    let slot = peek(interpreter, 0);
    host::sload(InstructionContext { interpreter: &mut *interpreter, host: &mut *host })?;
    if let (true, Some(slot), Some(value)) = (records_accesses(host), slot, peek(interpreter, 0)) {
        host.chain.access(AccessKind::StorageRead, this(interpreter), slot, value, value);
    }
    Ok(())
}

fn sstore<DB: EvmDatabase>(context: Frame<'_, '_, DB>) -> InstructionExecResult {
    let InstructionContext { interpreter, host } = context;
    let (slot, new) = (peek(interpreter, 0), peek(interpreter, 1));
    let address = this(interpreter);
    let before = slot.and_then(|slot| known(host, address, slot)).map(|known| known.0);
    host::sstore(InstructionContext { interpreter: &mut *interpreter, host: &mut *host })?;
    if let (true, Some(slot), Some(new)) = (records_accesses(host), slot, new) {
        // A slot that the journal did not know before held what the transaction found there.
        let old = before.or_else(|| known(host, address, slot).map(|known| known.1)).unwrap_or_default();
        host.chain.access(AccessKind::StorageWrite, address, slot, old, new);
    }
    Ok(())
}

/// Present and original value of a slot, if the journal has loaded it.
fn known<DB: EvmDatabase>(host: &EvmContext<'_, DB>, address: Address, slot: U256) -> Option<(U256, U256)> {
    let value = host.journaled_state.inner.state.get(&address)?.storage.get(&slot)?;
    Some((value.present_value, value.original_value))
}

fn tload<DB: EvmDatabase>(context: Frame<'_, '_, DB>) -> InstructionExecResult {
    let InstructionContext { interpreter, host } = context;
    let slot = peek(interpreter, 0);
    host::tload(InstructionContext { interpreter: &mut *interpreter, host: &mut *host })?;
    if let (true, Some(slot), Some(value)) = (records_accesses(host), slot, peek(interpreter, 0)) {
        host.chain.access(AccessKind::TransientRead, this(interpreter), slot, value, value);
    }
    Ok(())
}

fn tstore<DB: EvmDatabase>(context: Frame<'_, '_, DB>) -> InstructionExecResult {
    let InstructionContext { interpreter, host } = context;
    let (slot, new) = (peek(interpreter, 0), peek(interpreter, 1));
    let address = this(interpreter);
    let old = slot.map(|slot| host.journaled_state.inner.tload(address, slot)).unwrap_or_default();
    host::tstore(InstructionContext { interpreter: &mut *interpreter, host: &mut *host })?;
    if let (true, Some(slot), Some(new)) = (records_accesses(host), slot, new) {
        host.chain.access(AccessKind::TransientWrite, address, slot, old, new);
    }
    Ok(())
}

fn records_accesses<DB: EvmDatabase>(host: &EvmContext<'_, DB>) -> bool {
    host.chain.recorded.contains(Subscriptions::ACCESSES)
}

/// KECCAK256 of 64 bytes of memory that is there, by what is remembered of the last ones. Whatever else there is to it is
/// left to revm's own.
fn keccak256_once<DB: EvmDatabase>(context: Frame<'_, '_, DB>) -> InstructionExecResult {
    let InstructionContext { interpreter, host } = context;
    let Some(offset) = mapping_key(interpreter) else {
        return system::keccak256(InstructionContext { interpreter, host });
    };
    if !interpreter.gas.record_regular_cost(host.gas_params().keccak256_cost(PREIMAGE_BYTES)) {
        return Err(InstructionResult::OutOfGas);
    }
    let mut preimage = [0; PREIMAGE_BYTES];
    preimage.copy_from_slice(&interpreter.memory.slice_len(offset, PREIMAGE_BYTES));
    let hash = host.chain.hashes.of(&preimage);
    let Some(([_], length)) = interpreter.stack.popn_top() else { return Err(InstructionResult::StackUnderflow) };
    *length = hash.into();
    Ok(())
}

/// Where 64 bytes are to be hashed that lie in memory as it is: it need not grow, which would cost gas.
fn mapping_key(interpreter: &Interpreter<EthInterpreter>) -> Option<usize> {
    let (offset, length) = (peek(interpreter, 0)?, peek(interpreter, 1)?);
    let offset = usize::try_from(offset).ok()?;
    let is_there = offset.checked_add(PREIMAGE_BYTES)? <= interpreter.memory.len();
    (is_there && length == U256::from(PREIMAGE_BYTES)).then_some(offset)
}

/// Hashing 64 bytes is how Solidity and Vyper find the entry of a mapping: the key, then the mapping's own slot.
fn keccak256<DB: EvmDatabase>(context: Frame<'_, '_, DB>) -> InstructionExecResult {
    let InstructionContext { interpreter, host } = context;
    let (offset, length) = (peek(interpreter, 0), peek(interpreter, 1));
    system::keccak256(InstructionContext { interpreter: &mut *interpreter, host: &mut *host })?;
    if length == Some(U256::from(PREIMAGE_BYTES))
        && host.chain.recorded.contains(Subscriptions::PREIMAGES)
        && let (Some(offset), Some(hash)) =
            (offset.and_then(|offset| usize::try_from(offset).ok()), peek(interpreter, 0))
    {
        // Memory reaches that far: the instruction has just read it.
        let preimage = interpreter.memory.slice_len(offset, PREIMAGE_BYTES);
        let (words, _) = preimage.as_chunks::<32>();
        if let [key, base] = *words {
            drop(preimage);
            host.chain.preimage(key, base, hash.to_be_bytes());
        }
    }
    Ok(())
}

fn balance<DB: EvmDatabase>(context: Frame<'_, '_, DB>) -> InstructionExecResult {
    let InstructionContext { interpreter, host } = context;
    let address = peek(interpreter, 0).map(|word| Address::from_word(word.into()));
    let result = host::balance(InstructionContext { interpreter, host: &mut *host });
    if let Some(address) = address {
        host.journaled_state.database.balance_observed(address);
    }
    result
}

fn selfbalance<DB: EvmDatabase>(context: Frame<'_, '_, DB>) -> InstructionExecResult {
    let InstructionContext { interpreter, host } = context;
    host.journaled_state.database.balance_observed(this(interpreter));
    host::selfbalance(InstructionContext { interpreter, host })
}

fn selfdestruct<DB: EvmDatabase>(context: Frame<'_, '_, DB>) -> InstructionExecResult {
    let InstructionContext { interpreter, host } = context;
    let heir = peek(interpreter, 0).map(|word| Address::from_word(word.into()));
    let address = this(interpreter);
    let wei = host.journaled_state.inner.state.get(&address).map(|account| account.info.balance).unwrap_or_default();
    host.chain.structural = true;
    host.journaled_state.database.balance_observed(address);
    let result = host::selfdestruct(InstructionContext { interpreter: &mut *interpreter, host: &mut *host });
    if let (Some(heir), Err(InstructionResult::SelfDestruct)) = (heir, &result) {
        host.chain.destruction(address, heir, wei);
    }
    result
}

//! State at any fork, and static calls there: what a guard sees of the world.
//!
//! A fork inside of the transaction is rebuilt for whoever looks at it. A guard pays for that when it turns to another
//! fork than the one it looked at last in this hook, whether or not somebody else has had it rebuilt.

use alloy_primitives::Bytes;
use parapet_abi::{
    FrameStatus,
    import::{FORK_AFTER_FRAME, FORK_BEFORE_FRAME, FORK_NOW, FORK_PRE_TX, MODULE, VIEW_INPUT_BYTES_MAX, ViewOutcome},
};
use parapet_monitor::{CallRequest, CallStatus, Fork, VIEW_GAS_MAX};
use wasmtime::{Caller, Linker, Result};
use zerocopy::IntoBytes as _;

use super::{Host, Limit, Stop, guest::Guest, imports::copy_part};
use crate::metering;

type Call<'a> = Caller<'a, Host>;

/// `fork` as the first three functions have it: a number alone.
const NO_FRAME: u32 = 0;

pub(super) fn link(linker: &mut Linker<Host>) -> Result<()> {
    linker
        .func_wrap(MODULE, "state_storage", |call: Call<'_>, fork: u32, address: u32, slot: u32, out: u32| {
            Ok(storage(Guest::enter(call)?, tx_fork(fork)?, address, slot, out)?)
        })?
        .func_wrap(MODULE, "state_balance", |call: Call<'_>, fork: u32, address: u32, out: u32| {
            Ok(balance(Guest::enter(call)?, tx_fork(fork)?, address, out)?)
        })?
        .func_wrap(MODULE, "state_code_hash", |call: Call<'_>, fork: u32, address: u32, out: u32| {
            Ok(code_hash(Guest::enter(call)?, tx_fork(fork)?, address, out)?)
        })?
        .func_wrap(
            MODULE,
            "state_storage_at",
            |call: Call<'_>, kind: u32, frame: u32, address: u32, slot: u32, out: u32| {
                Ok(storage(Guest::enter(call)?, [kind, frame], address, slot, out)?)
            },
        )?
        .func_wrap(MODULE, "state_balance_at", |call: Call<'_>, kind: u32, frame: u32, address: u32, out: u32| {
            Ok(balance(Guest::enter(call)?, [kind, frame], address, out)?)
        })?
        .func_wrap(MODULE, "state_code_hash_at", |call: Call<'_>, kind: u32, frame: u32, address: u32, out: u32| {
            Ok(code_hash(Guest::enter(call)?, [kind, frame], address, out)?)
        })?
        .func_wrap(
            MODULE,
            "view_call",
            |call: Call<'_>, kind: u32, frame: u32, to: u32, input: u32, len: u32, gas: u64, out: u32| {
                Ok(view_call(Guest::enter(call)?, [kind, frame], to, [input, len], gas, out)?)
            },
        )?
        .func_wrap(MODULE, "view_output", |call: Call<'_>, offset: u32, out: u32, len: u32| {
            Ok(view_output(Guest::enter(call)?, offset, out, len)?)
        })?;
    Ok(())
}

/// The forks that need no frame.
fn tx_fork(number: u32) -> Result<[u32; 2], Stop> {
    match number {
        FORK_PRE_TX | FORK_NOW => Ok([number, NO_FRAME]),
        _ => Err(NO_SUCH_FORK),
    }
}

const NO_SUCH_FORK: Stop = Stop::Trap("a state function was asked about a fork that does not exist");

/// The fork that a guard names, which must be there.
fn fork(guest: &mut Guest<'_>, [kind, frame]: [u32; 2]) -> Result<Fork, Stop> {
    let status = guest.lent(|loan| loan.trace.frames.get(frame as usize).map(|frame| frame.status));
    match (kind, status) {
        (FORK_PRE_TX, _) => Ok(Fork::PreTx),
        (FORK_NOW, _) => Ok(Fork::Now),
        (FORK_BEFORE_FRAME, Some(_)) => Ok(Fork::BeforeFrame(frame)),
        (FORK_AFTER_FRAME, Some(status)) if status != u8::from(FrameStatus::Running) => Ok(Fork::AfterFrame(frame)),
        _ => Err(NO_SUCH_FORK),
    }
}

/// Charges for a look, and for rebuilding the fork if it is another one than before.
fn turn_to(guest: &mut Guest<'_>, fork: Fork, look: u64) -> Result<(), Stop> {
    guest.charge(look)?;
    if guest.host().fork_seen.replace(fork) != Some(fork) {
        let entries = guest.lent(|loan| loan.view.distance(fork));
        guest.charge(entries.saturating_mul(metering::FORK_ENTRY))?;
    }
    Ok(())
}

fn storage(mut guest: Guest<'_>, at: [u32; 2], address: u32, slot: u32, out: u32) -> Result<(), Stop> {
    let (fork, address, slot) = (fork(&mut guest, at)?, guest.address(address)?, guest.word(slot)?);
    guest.range(out, 32)?;
    turn_to(&mut guest, fork, metering::STATE_READ)?;
    let word = guest.lent(|loan| loan.view.storage(fork, address, slot))?;
    guest.write(out, &word.to_be_bytes::<32>())
}

fn balance(mut guest: Guest<'_>, at: [u32; 2], address: u32, out: u32) -> Result<(), Stop> {
    let (fork, address) = (fork(&mut guest, at)?, guest.address(address)?);
    guest.range(out, 32)?;
    turn_to(&mut guest, fork, metering::STATE_READ)?;
    let balance = guest.lent(|loan| loan.view.balance(fork, address))?;
    guest.write(out, &balance.to_be_bytes::<32>())
}

fn code_hash(mut guest: Guest<'_>, at: [u32; 2], address: u32, out: u32) -> Result<(), Stop> {
    let (fork, address) = (fork(&mut guest, at)?, guest.address(address)?);
    guest.range(out, 32)?;
    turn_to(&mut guest, fork, metering::STATE_READ)?;
    let code_hash = guest.lent(|loan| loan.view.code_hash(fork, address))?;
    guest.write(out, code_hash.as_slice())
}

/// The call may use what the guard asks for, as far as its fuel reaches. If fuel was what stopped it, the guard is out of
/// fuel: else it would take a shortage of its own for a failure of the contract.
fn view_call(
    mut guest: Guest<'_>,
    at: [u32; 2],
    to: u32,
    [input, len]: [u32; 2],
    gas: u64,
    out: u32,
) -> Result<u32, Stop> {
    if len > VIEW_INPUT_BYTES_MAX {
        return Err(Stop::Limit(Limit::ViewInput(len)));
    }
    if gas > VIEW_GAS_MAX {
        return Err(Stop::Limit(Limit::ViewGas(gas)));
    }
    let (fork, to) = (fork(&mut guest, at)?, guest.address(to)?);
    let input = guest.read(input, len)?.into();
    guest.range(out, size_of::<ViewOutcome>() as u64)?;
    turn_to(&mut guest, fork, metering::VIEW_CALL)?;
    let affordable = gas.min(guest.fuel_left() / metering::VIEW_GAS);
    let request = CallRequest { to, input, gas: affordable };
    let outcome = guest.lent(|loan| loan.view.call(fork, &request))?;
    guest.charge(outcome.gas_used.saturating_mul(metering::VIEW_GAS))?;
    if outcome.status == CallStatus::Halted && affordable < gas {
        return Err(Stop::OutOfFuel);
    }
    let status = match outcome.status {
        CallStatus::Succeeded => FrameStatus::Succeeded,
        CallStatus::Reverted => FrameStatus::Reverted,
        CallStatus::Halted => FrameStatus::Halted,
    };
    let output_len = u32::try_from(outcome.output.len()).unwrap_or(u32::MAX);
    let told = ViewOutcome { status: u8::from(status).into(), output_len, gas_used: outcome.gas_used };
    guest.host().view_output = outcome.output;
    guest.write(out, told.as_bytes())?;
    Ok(output_len)
}

fn view_output(mut guest: Guest<'_>, offset: u32, out: u32, len: u32) -> Result<u32, Stop> {
    let range = guest.range(out, len.into())?;
    let output: Bytes = guest.host().view_output.clone();
    copy_part(&mut guest, &output, offset, range)
}

//! States written into files account by account: memory holds one account and one slot of it, however large the state is.

use std::io::Write;

use alloy_consensus::Header;
use alloy_primitives::{Address, B256, Bytes, U64};
use parapet_state::{StoreError, WorldState};
use parapet_types::{AccountInfo, ChainSpec};
use serde::Serialize;
use serde_json::Value;

use crate::file::{anvil_frame, geth_frame};

/// How a state is written.
#[derive(Clone, Copy, Debug)]
pub enum StateForm<'a> {
    /// As geth's genesis files have it: a chain with these parameters that begins with this state.
    Geth(&'a ChainSpec),
    /// As anvil writes it with `--dump-state`.
    Anvil,
}

/// Why a state is not in its file.
#[derive(Debug, thiserror::Error)]
pub enum WriteError {
    /// It cannot be read.
    #[error(transparent)]
    State(#[from] StoreError),
    /// It cannot be written.
    #[error(transparent)]
    File(#[from] std::io::Error),
    /// It cannot be written, or not as JSON.
    #[error(transparent)]
    Json(#[from] serde_json::Error),
}

/// Writes the state after a block as JSON, in the order of the state's trie, and tells of each account. Gives their number.
///
/// # Errors
/// [`WriteError`]; part of it may have been written.
pub fn write_state(
    world: &WorldState,
    block: &Header,
    form: StateForm<'_>,
    out: &mut impl Write,
    mut tell: impl FnMut(),
) -> Result<u64, WriteError> {
    let (frame, accounts) = match form {
        StateForm::Geth(spec) => (geth_frame(block, spec), "alloc"),
        StateForm::Anvil => (anvil_frame(block), "accounts"),
    };
    open(&frame, accounts, out)?;
    let mut count = 0;
    for account in world.accounts() {
        let (address, info) = account?;
        out.write_all(if count == 0 { b"\n" } else { b",\n" })?;
        write_account(world, address, info, form, out)?;
        count += 1;
        tell();
    }
    out.write_all(b"\n}}\n")?;
    Ok(count)
}

/// An object but for its end, with another one at its end, but for what that holds.
fn open(frame: &Value, member: &str, out: &mut impl Write) -> Result<(), WriteError> {
    let text = serde_json::to_string(frame)?;
    let open = text.strip_suffix('}').expect("a frame is an object");
    write!(out, "{open},\"{member}\":{{")?;
    Ok(())
}

fn write_account(
    world: &WorldState,
    address: Address,
    info: AccountInfo,
    form: StateForm<'_>,
    out: &mut impl Write,
) -> Result<(), WriteError> {
    let AccountInfo { nonce, balance, code_hash } = info;
    let code: Bytes = world.code(code_hash)?.unwrap_or_default();
    match form {
        StateForm::Geth(_) => {
            json(out, "", &address)?;
            json(out, ":{\"nonce\":", &U64::from(nonce))?;
        }
        StateForm::Anvil => {
            json(out, "", &address.to_string())?;
            json(out, ":{\"nonce\":", &nonce)?;
        }
    }
    json(out, ",\"balance\":", &balance)?;
    json(out, ",\"code\":", &code)?;
    out.write_all(b",\"storage\":{")?;
    let mut between = "";
    world.each_slot(&address, |slot, value| {
        match form {
            StateForm::Geth(_) => json(out, between, &slot).and_then(|()| json(out, ":", &value))?,
            StateForm::Anvil => {
                json(out, between, &B256::from(slot)).and_then(|()| json(out, ":", &B256::from(value)))?;
            }
        }
        between = ",";
        Ok::<_, WriteError>(())
    })?;
    out.write_all(b"}}")?;
    Ok(())
}

fn json(out: &mut impl Write, before: &str, value: &impl Serialize) -> Result<(), WriteError> {
    out.write_all(before.as_bytes())?;
    serde_json::to_writer(out, value)?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use alloy_primitives::U256;

    use super::*;
    use crate::{DevGenesis, DevSettings, StateFile};

    #[test]
    fn what_is_written_piece_by_piece_is_what_is_written_at_once() {
        let genesis =
            DevGenesis::build(&DevSettings::at(1_700_000_000)).expect("the settings are the usual ones").block;
        let (world, header) = (&genesis.world, &genesis.header);
        let whole = StateFile::read(world, || {}).expect("it lies in memory");
        for (form, expected) in [
            (StateForm::Geth(&genesis.spec), whole.to_geth(header, &genesis.spec)),
            (StateForm::Anvil, whole.to_anvil(header)),
        ] {
            let (mut bytes, mut told) = (Vec::new(), 0);
            let count = write_state(world, header, form, &mut bytes, || told += 1).expect("memory takes it");
            let mut found: Value = serde_json::from_slice(&bytes).expect("it is JSON");
            if let Some(accounts) = found.get_mut("alloc").and_then(Value::as_object_mut) {
                // Whoever has no storage has it written all the same.
                for account in accounts.values_mut().filter_map(Value::as_object_mut) {
                    account.retain(|name, value| {
                        name != "storage" || value.as_object().is_some_and(|all| !all.is_empty())
                    });
                }
            }
            assert_eq!(found, expected, "{form:?}");
            assert_eq!((count, told), (whole.len() as u64, whole.len()));
        }
        let storage: U256 =
            world.slots(&parapet_types::REGISTRY).expect("in memory").iter().map(|(_, value)| value).sum();
        assert!(!storage.is_zero(), "some account has storage");
    }
}

//! The block-level access list (EIP-7928): recorded while a block runs, or followed by one that runs again.
//!
//! One rule for every mode. Listed is what the EVM's journal met, of transactions and of the chain's own calls, whether
//! or not it stayed; what the block pays to the fee recipient and by withdrawals; and guard state that transactions
//! leave. What guards only read is not listed: they read below the journal, and make nothing warm.
//!
//! Invariant: a list that is followed is a guess and nothing more. Every transaction is settled on settled state, the
//! list is recorded anew, and a block whose record is not the list it came with is refused.

mod compare;
mod footprint;
mod recording;

use alloy_eip7928::{
    AccountChanges, BlockAccessList, BlockAccessListGasError, ITEM_COST, total_bal_items, validate_block_access_list,
};
use parapet_types::ChainParams;
use revm::context_interface::Cfg as _;

pub(crate) use compare::part_ways;
pub use compare::{ListPart, Mislisted, WrongEntry};
pub(crate) use footprint::{Footprint, SlotStep};
pub(crate) use recording::Recording;

use crate::{BlockError, BlockInput, environment::cfg_env};

/// What becomes of a block's access list.
#[derive(Clone, Copy, Debug, Default)]
pub enum Listing<'a> {
    /// Nobody asks for it.
    #[default]
    Ignore,
    /// It is recorded.
    Record,
    /// The block came with one, from anywhere: transactions start from what it says, and it must be the block's own.
    Follow(&'a BlockAccessList),
}

impl<'a> Listing<'a> {
    pub(crate) fn recording(self) -> Option<Recording> {
        match self {
            Self::Ignore => None,
            Self::Record | Self::Follow(_) => Some(Recording::default()),
        }
    }

    pub(crate) const fn followed(self) -> Option<&'a BlockAccessList> {
        match self {
            Self::Ignore | Self::Record => None,
            Self::Follow(list) => Some(list),
        }
    }
}

/// Refuses a list that no block of this size could have, before anything is executed: order, uniqueness and indices as
/// EIP-7928 has them, its bound on items (each account and slot costs 2,000 of the block's gas limit), and code no longer
/// than an account may have.
///
/// # Errors
/// [`BlockError::AccessListSize`], [`BlockError::AccessListForm`], [`BlockError::AccessList`].
pub fn check_access_list(
    list: &BlockAccessList,
    transactions: usize,
    gas_limit: u64,
    params: &ChainParams,
) -> Result<(), BlockError> {
    let items = total_bal_items(list);
    if items > gas_limit / ITEM_COST as u64 {
        return Err(BlockError::AccessListSize(BlockAccessListGasError::new(items, gas_limit)));
    }
    validate_block_access_list(list, transactions)?;
    check_code(list, cfg_env(params).max_code_size())
}

/// Checks the list that a block came with, if it did.
pub(crate) fn check(input: &BlockInput<'_>) -> Result<(), BlockError> {
    let Some(list) = input.access_list.followed() else { return Ok(()) };
    check_access_list(list, input.transactions.len(), input.at.block.gas_limit, input.at.params)
}

fn check_code(list: &[AccountChanges], bytes_max: usize) -> Result<(), BlockError> {
    for account in list {
        for change in &account.code_changes {
            if change.new_code.len() > bytes_max {
                let index = Some(change.block_access_index);
                let (part, what) = (ListPart::Code, Mislisted::TooLong);
                return Err(WrongEntry { address: account.address, part, slot: None, index, what }.into());
            }
        }
    }
    Ok(())
}

/// Refuses a followed list that is not the recorded one.
pub(crate) fn compare(listing: Listing<'_>, recorded: Option<&BlockAccessList>) -> Result<(), BlockError> {
    match (listing.followed(), recorded) {
        (Some(listed), Some(recorded)) => part_ways(listed, recorded).map_or(Ok(()), |wrong| Err(wrong.into())),
        (None, _) | (_, None) => Ok(()),
    }
}

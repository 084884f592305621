//! Who takes part. Addresses and keys follow from a role and an index, so that roles never share an account.

use std::{num::NonZeroUsize, thread};

use alloy_primitives::{Address, B256, keccak256};
use alloy_signer_local::PrivateKeySigner;

/// Fewest items that are worth a thread of their own.
const ITEMS_PER_THREAD_MIN: usize = 64;

/// What an account is there for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Role {
    Sender,
    Recipient,
    Token,
    Pool,
    Router,
    Tally,
    Deployer,
}

/// A number for each account: the hash of its role's name and its index.
fn seed(role: Role, index: usize) -> B256 {
    keccak256(format!("parapet workload {role:?} {index}"))
}

/// The address of an account that needs no key.
pub(crate) fn address(role: Role, index: usize) -> Address {
    Address::from_word(seed(role, index))
}

/// Senders with keys, by index.
pub(crate) fn signers(count: usize) -> Vec<PrivateKeySigner> {
    let indices: Vec<usize> = (0..count).collect();
    in_parallel(&indices, |index| {
        PrivateKeySigner::from_bytes(&seed(Role::Sender, *index)).expect("a hash is zero or above the order for nobody")
    })
}

/// Applies a function to every item, on as many threads as the machine has; the answers are in the items' order.
pub(crate) fn in_parallel<T: Sync, R: Send>(items: &[T], apply: impl Fn(&T) -> R + Sync) -> Vec<R> {
    let threads = thread::available_parallelism().map_or(1, NonZeroUsize::get);
    let share = items.len().div_ceil(threads).max(ITEMS_PER_THREAD_MIN);
    let apply = &apply;
    thread::scope(|scope| {
        let shares: Vec<_> =
            items.chunks(share).map(|chunk| scope.spawn(move || chunk.iter().map(apply).collect::<Vec<R>>())).collect();
        shares.into_iter().flat_map(|share| share.join().expect("the function does not panic")).collect()
    })
}

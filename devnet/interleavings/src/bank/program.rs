//! What a model's transactions do, and the oracle: the same, one after the other, on plain numbers.

use shuttle::rand::Rng as _;

use crate::window::Plan;

/// Accounts of the world: senders first, then the contract, then the fee recipient.
pub const ACCOUNTS: usize = SENDERS + 2;
const SENDERS: usize = 2;
/// The account that has a slot.
pub const CONTRACT: u32 = SENDERS as u32;
/// Who is paid for every transaction that is included.
pub const FEE_RECIPIENT: u32 = SENDERS as u32 + 1;
/// What the fee recipient is paid. It comes from nowhere, so that a transfer's sums stay small.
pub(super) const FEE: u64 = 1;

/// What a transaction does.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Program {
    /// Sends wei.
    Transfer {
        /// Whom to.
        to: u32,
        /// How much.
        wei: u64,
    },
    /// Adds one to the slot.
    CountUp,
    /// Stores an account's balance in the slot.
    StoreBalance {
        /// Whose.
        of: u32,
    },
    /// Sends wei if the slot is odd, and counts it up.
    SendIfOdd {
        /// Whom to.
        to: u32,
        /// How much.
        wei: u64,
    },
    /// Adds to the slot within a bound, without looking at more than whether that is accepted.
    AddWithin {
        /// How much.
        amount: u64,
        /// Most that the slot may become.
        cap: u64,
    },
    /// Drops the contract's storage.
    Wipe,
}

/// A transaction.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Transaction {
    /// Who sends it: one of the first accounts.
    pub sender: u32,
    /// How many of the sender's come before it.
    pub nonce: u64,
    /// What it does.
    pub program: Program,
}

impl Transaction {
    /// The least that its sender must have.
    pub(super) const fn need(&self) -> u64 {
        match self.program {
            Program::Transfer { wei, .. } | Program::SendIfOdd { wei, .. } => wei,
            Program::CountUp | Program::StoreBalance { .. } | Program::AddWithin { .. } | Program::Wipe => 0,
        }
    }
}

/// What came of a transaction, with all that it could tell anybody.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// Its sender's nonce or balance is not as it must be.
    Refused {
        /// The sender's balance, as the refusal says.
        balance: u64,
    },
    /// It did what it does. What it found in the slot, if it looked; whether the slot accepted, if it asked.
    Included(Option<u64>),
}

impl Outcome {
    pub(super) const fn is_included(self) -> bool {
        matches!(self, Self::Included(_))
    }
}

/// State.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct World {
    /// By account.
    pub balances: [u64; ACCOUNTS],
    /// By account.
    pub nonces: [u64; ACCOUNTS],
    /// The contract's slot.
    pub slot: u64,
}

impl World {
    /// Senders with that much each.
    #[must_use]
    pub const fn with(wei: u64) -> Self {
        let mut balances = [0; ACCOUNTS];
        let mut sender = 0;
        while sender < SENDERS {
            balances[sender] = wei;
            sender += 1;
        }
        Self { balances, nonces: [0; ACCOUNTS], slot: 5 }
    }
}

/// The oracle.
pub(super) fn one_after_the_other(mut world: World, transactions: &[Transaction]) -> (Vec<Outcome>, World) {
    let outcomes = transactions.iter().map(|transaction| {
        let sender = transaction.sender as usize;
        let balance = world.balances[sender];
        if world.nonces[sender] != transaction.nonce || balance < transaction.need() {
            return Outcome::Refused { balance };
        }
        world.nonces[sender] += 1;
        world.balances[FEE_RECIPIENT as usize] += FEE;
        let found = world.slot;
        let mut send = |to: u32, wei: u64| {
            world.balances[sender] -= wei;
            world.balances[to as usize] += wei;
        };
        match transaction.program {
            Program::Transfer { to, wei } => {
                send(to, wei);
                return Outcome::Included(None);
            }
            Program::Wipe => {
                world.slot = 0;
                return Outcome::Included(None);
            }
            Program::StoreBalance { of } => {
                // Its own fee is not paid yet.
                let own_fee = if of == FEE_RECIPIENT { FEE } else { 0 };
                world.slot = world.balances[of as usize] - own_fee;
                return Outcome::Included(None);
            }
            Program::AddWithin { amount, cap } => {
                let accepted = world.slot + amount <= cap;
                if accepted {
                    world.slot += amount;
                }
                return Outcome::Included(Some(u64::from(accepted)));
            }
            Program::SendIfOdd { to, wei } if found % 2 == 1 => send(to, wei),
            Program::CountUp | Program::SendIfOdd { .. } => {}
        }
        world.slot += 1;
        Outcome::Included(Some(found))
    });
    (outcomes.collect(), world)
}

/// Transactions and a plan by the execution's own chance: every schedule meets another block.
#[must_use]
pub fn generated(count: u32) -> (World, Vec<Transaction>, Plan) {
    let mut random = shuttle::rand::thread_rng();
    let mut sent = [0; SENDERS];
    let mut transactions = Vec::new();
    for _ in 0..count {
        let sender = random.gen_range(0..SENDERS);
        // Now and then to itself's neighbour, the contract, or whoever is paid the fees.
        let to = (sender as u32 + random.gen_range(1..ACCOUNTS as u32)) % ACCOUNTS as u32;
        let program = match random.gen_range(0..11) {
            0..3 => Program::Transfer { to, wei: random.gen_range(1..8) },
            3 | 4 => Program::CountUp,
            5 => Program::StoreBalance { of: random.gen_range(0..ACCOUNTS as u32) },
            6 => Program::SendIfOdd { to, wei: random.gen_range(1..8) },
            7 => Program::Wipe,
            _ => Program::AddWithin { amount: random.gen_range(1..4), cap: random.gen_range(4..16) },
        };
        transactions.push(Transaction { sender: sender as u32, nonce: sent[sender], program });
        sent[sender] += 1;
    }
    let mut plan = Plan::plain(count);
    for index in 1..count {
        plan.after[index as usize] = random.gen_ratio(1, 3).then(|| random.gen_range(0..index));
    }
    plan.as_one = (0..count.div_ceil(plan.chunk)).map(|_| random.gen_ratio(1, 6)).collect();
    (World::with(random.gen_range(0..16)), transactions, plan)
}

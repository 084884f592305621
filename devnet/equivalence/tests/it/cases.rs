//! What named cases share: a block on which all executions agree, and questions to its outcome.

use alloy_primitives::{Address, B256, U256};
use parapet_equivalence::{Act, Authorization, Candidate, Observed, Place, Realised, Scenario, slot_key};
use parapet_types::{AccountChange, AccountInfo, Destiny, Executed, StateReader as _};

use crate::crews::{Crews, Disturbance, Seen, sequentially};

/// How often each case is run, under other pauses each time.
const SCHEDULES: u64 = 25;
/// How often its access list is recorded and followed.
const LISTED_SCHEDULES: u64 = 5;

/// A block, and what all executions make of it.
pub(crate) struct Agreed {
    block: Realised,
    seen: Seen,
}

/// Runs a block by any number of threads on many schedules. Panics where one differs from the sequential run.
pub(crate) fn agreed(scenario: &Scenario) -> Agreed {
    let crews = Crews::new();
    for schedule in 0..SCHEDULES {
        let disturbance = match schedule {
            0..5 => Disturbance::None,
            5..15 => Disturbance::Hesitant(schedule),
            _ => Disturbance::Overtaken(schedule),
        };
        if let Some(part) = crews.difference(scenario, disturbance) {
            panic!("on schedule {schedule}: {part}\n{scenario}");
        }
    }
    for schedule in 0..LISTED_SCHEDULES {
        if let Some(part) = crews.listed_difference(scenario, Disturbance::Hesitant(schedule)) {
            panic!("with its access list, on schedule {schedule}: {part}\n{scenario}");
        }
    }
    let block = scenario.realise();
    let seen = sequentially(&block, &block.state, scenario);
    Agreed { block, seen }
}

impl Agreed {
    pub(crate) fn seen(&self) -> &Observed {
        self.seen.as_ref().unwrap_or_else(|error| panic!("the block failed: {error}"))
    }

    pub(crate) fn error(&self) -> String {
        self.seen.as_ref().err().map(ToString::to_string).expect("the block fails")
    }

    pub(crate) fn address(&self, place: Place) -> Address {
        self.block.address(place)
    }

    /// What happens to an account, if anything does.
    pub(crate) fn change(&self, place: Place) -> Option<&AccountChange> {
        self.seen().changes.accounts.get(&self.address(place))
    }

    /// An account afterwards.
    pub(crate) fn info(&self, place: Place) -> Option<AccountInfo> {
        let below = || self.block.state.account(&self.address(place)).unwrap();
        self.change(place).map_or_else(below, |change| change.info)
    }

    /// Balance afterwards; zero if there is no account.
    pub(crate) fn balance(&self, place: Place) -> u64 {
        self.info(place).map(|info| info.balance).unwrap_or_default().try_into().unwrap()
    }

    pub(crate) fn nonce(&self, place: Place) -> u64 {
        self.info(place).expect("the account is there").nonce
    }

    pub(crate) fn code_hash(&self, place: Place) -> B256 {
        self.info(place).expect("the account is there").code_hash
    }

    /// What a slot holds afterwards.
    pub(crate) fn word(&self, place: Place, slot: u8) -> U256 {
        let (address, key) = (self.address(place), slot_key(slot));
        let below = || self.block.state.storage(&address, key).unwrap();
        match self.change(place) {
            None => below(),
            Some(AccountChange { storage, wipe_storage, .. }) => match storage.get(&key) {
                Some(written) => *written,
                None if *wipe_storage => U256::ZERO,
                None => below(),
            },
        }
    }

    pub(crate) fn number(&self, place: Place, slot: u8) -> u64 {
        self.word(place, slot).try_into().unwrap()
    }

    pub(crate) fn executed(&self, candidate: usize) -> &Executed {
        let mut included = self.seen().included.iter();
        let found = included.find(|included| included.candidate == candidate);
        &found.unwrap_or_else(|| panic!("{candidate} was left out: {:?}", self.seen().left_out)).executed
    }

    /// How each candidate ended: `+` succeeded, `r` reverted, `h` halted, `v` vetoed, `-` left out.
    pub(crate) fn destinies(&self) -> String {
        let mut destinies = vec!['-'; self.block.transactions.len()];
        for included in &self.seen().included {
            destinies[included.candidate] = match included.executed.destiny {
                Destiny::Succeeded => '+',
                Destiny::Reverted => 'r',
                Destiny::Halted { .. } => 'h',
                Destiny::Vetoed { .. } => 'v',
            };
        }
        destinies.into_iter().collect()
    }

    pub(crate) fn gas_used(&self, candidate: usize) -> u64 {
        self.executed(candidate).gas_used
    }

    /// Why a candidate was left out.
    pub(crate) fn reason(&self, candidate: usize) -> &str {
        let mut left_out = self.seen().left_out.iter();
        &left_out.find(|(index, _)| *index == candidate).expect("it was left out").1
    }
}

/// Enough for anything here.
pub(crate) const RICH: u64 = 1 << 60;
/// What a plain transfer must be able to pay for gas, at a price of 10.
pub(crate) const TRANSFER_RESERVE: u64 = 210_000;
/// What it does pay: a base fee of 7 and a tip of 1.
pub(crate) const TRANSFER_FEE: u64 = 168_000;

/// A call without calldata by a person.
pub(crate) fn poke(person: u8, to: Place) -> Candidate {
    Candidate::call(Place::Person(person), to, Vec::new())
}

/// A call by a person that carries authorizations.
pub(crate) fn set_code(person: u8, to: Place, authorizations: Vec<Authorization>) -> Candidate {
    Candidate { authorizations, ..poke(person, to) }
}

/// Adds a number to a slot.
pub(crate) const fn add(slot: u8, number: u64) -> Act {
    Act::Add { key: parapet_equivalence::Word::Key(slot), value: parapet_equivalence::Word::Literal(number) }
}

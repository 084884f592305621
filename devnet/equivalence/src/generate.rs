//! A scenario from a seed. Each seed switches features on or off by itself ("swarm testing", Groce et al. 2012), so that
//! blocks differ in kind and not only in detail, and the cast is kept small, so that transactions meet.

mod acts;
mod features;
mod watches;

use parapet_executor::Admission;
use parapet_types::{BLOCK_FUEL_MAX, Hardfork};

use crate::{
    AUTHORITIES, Account, Act, Argument, Authorization, Body, Candidate, ChainChoice, Child, Destination, Envelope,
    NonceChoice, Payout, Place, Price, Random, Scenario, System, Target, Word, realise::BASE_FEE,
};
use features::{Feature, Features};

/// Most transactions of a block.
const TRANSACTIONS_MAX: u64 = 28;
/// Most of one in twenty blocks: more than any window of speculation.
const TRANSACTIONS_MANY: u64 = 250;
/// Wei of those who can pay for everything.
const RICH: u64 = 1 << 60;
/// Most wei of those who cannot: about what one call reserves for its gas.
const POOR: u64 = 4_000_000;
/// Gas of a block that is full before its candidates are through.
const TIGHT_BLOCK_GAS: u64 = 450_000;
/// Most fuel of a block in which guards have too little.
const TIGHT_BLOCK_FUEL: u64 = 600_000;
/// Gas of one that is not.
const BLOCK_GAS: u64 = 60_000_000;

/// The scenario of a seed.
#[must_use]
pub fn generate(seed: u64) -> Scenario {
    let mut random = Random(seed);
    let hardfork = random.pick(&Hardfork::ALL);
    let features = Features::draw(&mut random, hardfork);
    let (people, contracts, children) = (2 + random.small(4), 1 + random.small(4), 1 + random.small(2));
    Generator { random, hardfork, features, people, contracts, children }.scenario()
}

struct Generator {
    random: Random,
    hardfork: Hardfork,
    features: Features,
    people: u8,
    contracts: u8,
    children: u8,
}

impl Generator {
    fn on(&self, feature: Feature) -> bool {
        self.features.has(feature)
    }

    fn scenario(mut self) -> Scenario {
        let children: Vec<_> = (0..self.children).map(|_| self.child()).collect();
        let accounts = self.accounts();
        let most = if self.random.percent(5) { TRANSACTIONS_MANY } else { TRANSACTIONS_MAX };
        let count = 1 + self.random.below(most);
        let transactions = (0..count).map(|_| self.candidate()).collect();
        let withdrawals = if self.on(Feature::Withdrawals) { self.payouts() } else { Vec::new() };
        let tight = self.on(Feature::FullBlock);
        let fuel_max =
            if self.on(Feature::FullGuards) { self.random.below(TIGHT_BLOCK_FUEL) } else { BLOCK_FUEL_MAX.0 };
        let deadline = self.on(Feature::Deadline).then(|| self.random.index(count as usize + 1));
        Scenario {
            hardfork: self.hardfork,
            admission: if self.random.percent(7) { Admission::Import } else { Admission::Build },
            beneficiary: self.beneficiary(),
            gas_limit: if tight { TIGHT_BLOCK_GAS + self.random.below(TIGHT_BLOCK_GAS) } else { BLOCK_GAS },
            accounts,
            children,
            transactions,
            withdrawals,
            watch: self.on(Feature::Watch).then(|| self.watch()),
            fuel_max,
            deadline,
        }
    }

    fn beneficiary(&mut self) -> Place {
        if !self.on(Feature::BusyBeneficiary) {
            return Place::Stranger(0);
        }
        match self.random.below(4) {
            0 => Place::Contract(self.random.small(self.contracts)),
            1 => Place::Authority(self.random.small(AUTHORITIES)),
            2 => self.child_place(),
            _ => Place::Person(self.random.small(self.people)),
        }
    }

    fn payouts(&mut self) -> Vec<Payout> {
        let count = 1 + self.random.below(4);
        (0..count).map(|_| Payout { to: self.place(), gwei: self.random.below(3) }).collect()
    }

    fn child(&mut self) -> Child {
        let (constructor, runtime) = (self.random.below(3), 1 + self.random.below(3));
        Child { constructor: self.acts(constructor, true), runtime: self.acts(runtime, true) }
    }

    fn accounts(&mut self) -> Vec<Account> {
        let mut accounts: Vec<_> = (0..self.people).map(Place::Person).map(|place| self.person(place)).collect();
        accounts.extend((0..AUTHORITIES).map(Place::Authority).map(|place| self.person(place)));
        if self.on(Feature::Delegations) {
            for account in accounts.iter_mut().filter(|account| matches!(account.place, Place::Authority(_))) {
                if self.random.percent(30) {
                    account.body = Body::Delegation(Place::Contract(self.random.small(self.contracts)));
                    account.nonce = 1;
                }
            }
        }
        for number in 0..self.contracts {
            let length = 1 + self.random.below(5);
            let mut account = Account::contract(Place::Contract(number), self.acts(length, false));
            account.balance = if self.random.percent(60) { self.random.below(POOR) } else { 0 };
            account.storage = self.storage();
            accounts.push(account);
        }
        if self.on(Feature::Creations) && self.random.percent(50) {
            let place = self.child_place();
            if let Place::Child { child, .. } = place {
                let balance = self.random.below(POOR);
                let storage = self.storage();
                accounts.push(Account { place, balance, nonce: 1, body: Body::Runtime(child), storage });
            }
        }
        if self.on(Feature::Watch) {
            let body = if self.random.percent(30) { Body::Program(self.acts(2, false)) } else { Body::Empty };
            accounts.push(Account { place: Place::Registry, balance: 0, nonce: 1, body, storage: self.storage() });
        }
        if self.on(Feature::System) {
            accounts.extend(System::ALL.map(|system| self.system_contract(system)));
        }
        accounts
    }

    /// One that never fails, for then the block would.
    fn system_contract(&mut self, system: System) -> Account {
        let word = self.random.pick(&[Word::Caller, Word::Slot(0), Word::Slot(1), Word::BalanceOf(Target::Coinbase)]);
        let store = Act::Store { key: Word::Key(1), value: word };
        let program = vec![Act::Increment(self.slot()), store, Act::Return(Word::Slot(self.slot()))];
        Account { storage: self.storage(), ..Account::contract(Place::System(system), program) }
    }

    fn person(&mut self, place: Place) -> Account {
        let poor = self.on(Feature::Poverty) && self.random.percent(40);
        let balance = if poor { self.random.below(POOR) } else { RICH };
        let nonce = if self.random.percent(20) { self.random.below(3) } else { 0 };
        Account { nonce, ..Account::funded(place, balance) }
    }

    fn storage(&mut self) -> Vec<(u8, u64)> {
        let count = self.random.below(4);
        (0..count).map(|_| (self.slot(), self.random.below(6))).collect()
    }

    fn slot(&mut self) -> u8 {
        if self.on(Feature::LookAlikes) { self.random.small(12) } else { self.random.small(3) }
    }

    fn child_place(&mut self) -> Place {
        Place::Child {
            factory: self.random.small(self.contracts.min(2)),
            salt: self.random.below(2),
            child: self.random.small(self.children),
        }
    }

    /// Anybody, but a child.
    fn elder(&mut self) -> Place {
        match self.random.below(20) {
            0..=4 => Place::Person(self.random.small(self.people)),
            5..=8 => Place::Authority(self.random.small(AUTHORITIES)),
            9..=14 => Place::Contract(self.random.small(self.contracts)),
            15..=16 => Place::Stranger(self.random.small(3)),
            17 => Place::Created { person: self.random.small(self.people), nonce: self.random.below(4) },
            18 if self.on(Feature::System) => Place::System(self.random.pick(&System::ALL)),
            18 => Place::Precompile(1 + self.random.small(9)),
            _ => Place::Registry,
        }
    }

    fn place(&mut self) -> Place {
        if self.on(Feature::Creations) && self.random.percent(25) { self.child_place() } else { self.elder() }
    }

    fn sender(&mut self) -> Place {
        if self.on(Feature::HotSender) && self.random.percent(60) {
            return Place::Person(0);
        }
        match self.random.below(100) {
            // Contracts cannot send (EIP-3607): left out.
            0 => Place::Contract(0),
            1..=40 => Place::Authority(self.random.small(AUTHORITIES)),
            _ => Place::Person(self.random.small(self.people)),
        }
    }

    fn candidate(&mut self) -> Candidate {
        let sender = self.sender();
        let mut tx = match self.random.below(10) {
            0..=2 if self.on(Feature::Transfers) => self.transfer(sender),
            3 if self.on(Feature::Creations) => {
                let create = Destination::Create(self.random.small(self.children));
                Candidate { to: create, ..Candidate::call(sender, sender, Vec::new()) }
            }
            _ => self.call(sender),
        };
        tx.price = self.price();
        tx.envelope = self.envelope();
        tx.nonce = if hopeless(&tx) { NonceChoice::Again } else { self.nonce() };
        if self.on(Feature::AccessLists) && self.random.percent(40) {
            let slots = self.random.below(3);
            tx.access_list = vec![(self.place(), (0..slots).map(|_| self.slot()).collect())];
            tx.gas_limit += 7_000;
        }
        if self.on(Feature::Delegations) && self.random.percent(40) {
            let count = 1 + self.random.below(3);
            tx.authorizations = (0..count).map(|_| self.authorization()).collect();
            tx.gas_limit += 30_000 * count;
        }
        tx
    }

    fn transfer(&mut self, sender: Place) -> Candidate {
        let to = if self.on(Feature::HotRecipient) { Place::Person(1) } else { self.place() };
        let mut tx = Candidate::transfer(sender, to, self.random.below(POOR));
        // Too little for whatever runs there; now and then for anything.
        tx.gas_limit = self.random.pick(&[21_000, 21_000, 60_000, 200_000, 20_999]);
        tx
    }

    fn call(&mut self, sender: Place) -> Candidate {
        let to =
            if self.random.percent(70) { Place::Contract(self.random.small(self.contracts)) } else { self.place() };
        let arguments = (0..2).map(|_| self.argument()).collect();
        let mut tx = Candidate::call(sender, to, arguments);
        tx.selector = self.random.small(6);
        tx.value = if self.random.percent(40) { self.random.below(POOR / 4) } else { 0 };
        tx.gas_limit = self.random.pick(&[50_000, 150_000, 300_000, 300_000, 400_000]);
        tx
    }

    fn argument(&mut self) -> Argument {
        if self.random.percent(50) { Argument::Number(self.random.below(5)) } else { Argument::Address(self.place()) }
    }

    fn nonce(&mut self) -> NonceChoice {
        match self.random.below(10) {
            0 if self.on(Feature::NonceGaps) => NonceChoice::Ahead,
            1 if self.on(Feature::NonceGaps) => NonceChoice::Again,
            // After one that was left out, it is the next.
            2..=3 if self.on(Feature::Poverty) => NonceChoice::Again,
            _ => NonceChoice::Next,
        }
    }

    fn price(&mut self) -> Price {
        match self.random.below(20) {
            // Below the base fee, and with a tip above the most: both are left out.
            0 => Price { max: 6, tip: 0 },
            1 => Price { max: 8, tip: 9 },
            2..=5 => Price { max: 7, tip: 0 },
            _ => Price { max: 10, tip: self.random.below(4) },
        }
    }

    fn envelope(&mut self) -> Envelope {
        match self.random.below(10) {
            0 if self.on(Feature::Blobs) => Envelope::Blobs(1 + self.random.small(3)),
            1..=3 => Envelope::Legacy,
            4 => Envelope::AccessList,
            _ => Envelope::Dynamic,
        }
    }

    fn authorization(&mut self) -> Authorization {
        let delegate = match self.random.below(10) {
            0..=2 => None,
            3 => Some(self.place()),
            _ => Some(Place::Contract(self.random.small(self.contracts))),
        };
        // Two authorities most of the time, so that transactions share them.
        let authority = if self.random.percent(70) { self.random.small(2) } else { self.random.small(AUTHORITIES) };
        Authorization {
            nonce: self.random.pick(&[
                NonceChoice::Next,
                NonceChoice::Next,
                NonceChoice::Next,
                NonceChoice::Next,
                NonceChoice::Again,
                NonceChoice::Ahead,
            ]),
            chain: self.random.pick(&[ChainChoice::This, ChainChoice::This, ChainChoice::Any, ChainChoice::Other]),
            forged: self.random.percent(5),
            ..Authorization::of(authority, delegate)
        }
    }
}

/// Whether it is left out whatever else happens, and so takes no nonce.
fn hopeless(tx: &Candidate) -> bool {
    let Price { max, tip } = tx.price;
    max < BASE_FEE || tip > max || tx.gas_limit < 21_000 || matches!(tx.sender, Place::Contract(_))
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn equal_seeds_give_equal_scenarios_and_others_do_not() {
        assert_eq!(generate(7), generate(7));
        let different: BTreeSet<_> = (0..50).map(|seed| generate(seed).to_string()).collect();
        assert_eq!(different.len(), 50);
    }

    #[test]
    fn scenarios_read_back_from_json() {
        for seed in 0..50 {
            let scenario = generate(seed);
            let text = scenario.to_json().unwrap_or_default();
            assert_eq!(Scenario::from_json(&text).ok(), Some(scenario), "seed {seed}");
        }
    }
}

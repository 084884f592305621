//! From a scenario that fails to the least of it that still does.

use parapet_types::BLOCK_FUEL_MAX;

use crate::{Act, Body, Scenario};

/// Drops whatever can go while `fails` holds, asking it at most `questions_max` times: runs of transactions first, then
/// single things, over and over until nothing more can go.
pub fn shrink(scenario: Scenario, questions_max: usize, fails: impl FnMut(&Scenario) -> bool) -> Scenario {
    let mut search = Search { best: scenario, left: questions_max, fails };
    search.transactions();
    loop {
        let before = search.best.clone();
        search.transactions();
        search.parts();
        search.programs();
        if search.best == before || search.left == 0 {
            return search.best;
        }
    }
}

struct Search<F> {
    best: Scenario,
    left: usize,
    fails: F,
}

impl<F: FnMut(&Scenario) -> bool> Search<F> {
    /// Keeps the change if it is one and the scenario still fails. Tells whether it did.
    fn attempt(&mut self, change: impl FnOnce(&mut Scenario)) -> bool {
        if self.left == 0 {
            return false;
        }
        let mut smaller = self.best.clone();
        change(&mut smaller);
        if smaller == self.best {
            return false;
        }
        self.left -= 1;
        let keeps = (self.fails)(&smaller);
        if keeps {
            self.best = smaller;
        }
        keeps
    }

    /// Drops runs of transactions: halves, quarters, down to single ones, from the back.
    fn transactions(&mut self) {
        let mut run = self.best.transactions.len().div_ceil(2);
        while run > 0 {
            let mut end = self.best.transactions.len();
            while end > 0 {
                let start = end.saturating_sub(run);
                self.attempt(|scenario| drop(scenario.transactions.drain(start..end)));
                end = start;
            }
            run /= 2;
        }
    }

    /// Drops what is not a transaction, and what transactions can do without.
    fn parts(&mut self) {
        self.attempt(|scenario| scenario.watch = None);
        self.attempt(|scenario| scenario.deadline = None);
        self.attempt(|scenario| scenario.fuel_max = BLOCK_FUEL_MAX.0);
        self.attempt(|scenario| scenario.watch.iter_mut().for_each(|watch| watch.thirst = None));
        self.attempt(|scenario| scenario.withdrawals.clear());
        self.each(|scenario| scenario.watch.as_mut().map(|watch| &mut watch.looks));
        self.each(|scenario| scenario.watch.as_mut().map(|watch| &mut watch.counters));
        self.each(|scenario| scenario.watch.as_mut().map(|watch| &mut watch.ledgers));
        self.each(|scenario| scenario.watch.as_mut().map(|watch| &mut watch.wrath));
        self.attempt(|scenario| scenario.watch.iter_mut().for_each(|watch| watch.unless_zero = None));
        self.attempt(|scenario| scenario.watch.iter_mut().for_each(|watch| watch.listed = None));
        self.each(|scenario| scenario.watch.as_mut().and_then(|watch| watch.listed.as_mut()));
        self.attempt(|scenario| scenario.watch.iter_mut().for_each(|watch| watch.accesses = false));
        self.attempt(|scenario| scenario.watch.iter_mut().for_each(|watch| watch.forks = false));
        self.each(|scenario| Some(&mut scenario.withdrawals));
        self.each(|scenario| Some(&mut scenario.accounts));
        for index in 0..self.best.accounts.len() {
            self.each(|scenario| Some(&mut scenario.accounts[index].storage));
        }
        for index in 0..self.best.transactions.len() {
            self.attempt(|scenario| scenario.transactions[index].access_list.clear());
            self.each(|scenario| Some(&mut scenario.transactions[index].authorizations));
            self.attempt(|scenario| scenario.transactions[index].arguments.clear());
            self.attempt(|scenario| scenario.transactions[index].value = 0);
            self.attempt(|scenario| scenario.transactions[index].price.tip = 0);
        }
    }

    /// Drops single elements of a list, from the back.
    fn each<T>(&mut self, list: impl Fn(&mut Scenario) -> Option<&mut Vec<T>>) {
        let length = list(&mut self.best.clone()).map_or(0, |list| list.len());
        for index in (0..length).rev() {
            self.attempt(|scenario| drop(list(scenario).map(|list| list.remove(index))));
        }
    }

    /// Drops acts of contracts and children.
    fn programs(&mut self) {
        for index in 0..self.best.accounts.len() {
            self.program(|scenario| match &mut scenario.accounts[index].body {
                Body::Program(acts) => Some(acts),
                Body::Empty | Body::Runtime(_) | Body::Delegation(_) => None,
            });
        }
        for index in 0..self.best.children.len() {
            self.program(|scenario| Some(&mut scenario.children[index].constructor));
            self.program(|scenario| Some(&mut scenario.children[index].runtime));
        }
    }

    fn program(&mut self, program: impl Fn(&mut Scenario) -> Option<&mut Vec<Act>>) {
        self.each(&program);
        let length = program(&mut self.best.clone()).map_or(0, |acts| acts.len());
        for index in (0..length).rev() {
            // What stands under a condition is tried without it.
            self.attempt(|scenario| {
                if let Some(acts) = program(scenario)
                    && let Some(Act::When(_, inner)) = acts.get(index).cloned()
                {
                    acts.splice(index..=index, inner);
                }
            });
        }
    }
}

#[cfg(test)]
mod tests {
    use parapet_types::Hardfork;

    use super::*;
    use crate::{Account, Candidate, Place, Word};

    #[test]
    fn what_the_failure_does_not_need_goes() {
        let mut scenario = Scenario::empty(Hardfork::Osaka);
        let condition = Act::When(Word::Slot(1), vec![Act::Increment(1), Act::Increment(2)]);
        scenario.accounts = vec![
            Account::funded(Place::Person(1), 7),
            Account::contract(Place::Contract(1), vec![Act::Stop, condition, Act::Invalid]),
        ];
        let transfer = |number| Candidate::transfer(Place::Person(1), Place::Person(2), number);
        scenario.transactions = (0..40).map(transfer).collect();
        // Needs transactions 11 and 29, and an increment of slot 2 in a contract.
        let fails = |scenario: &Scenario| {
            let has = |value| scenario.transactions.iter().any(|tx| tx.value == value);
            has(11) && has(29) && format!("{:?}", scenario.accounts).contains("Increment(2)")
        };
        let least = shrink(scenario, 1_000, fails);
        assert_eq!(least.transactions.iter().map(|tx| tx.value).collect::<Vec<_>>(), [11, 29]);
        assert_eq!(least.accounts, [Account::contract(Place::Contract(1), vec![Act::Increment(2)])]);
    }

    #[test]
    fn questions_are_bounded() {
        let mut scenario = Scenario::empty(Hardfork::Osaka);
        scenario.transactions = vec![Candidate::transfer(Place::Person(1), Place::Person(2), 1); 64];
        let mut asked = 0;
        let least = shrink(scenario, 5, |_| {
            asked += 1;
            asked % 2 == 0
        });
        assert_eq!(asked, 5);
        assert!(least.transactions.len() < 64);
    }
}

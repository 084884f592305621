//! What the monitor of a scenario watches.

use super::{Feature, Generator, POOR};
use crate::{Condition, Consequence, Counter, Keeping, Ledger, Look, Moment, Place, Subject, Thirst, Watch, Wrath};

impl Generator {
    pub(super) fn watch(&mut self) -> Watch {
        let (looks, counters) = (self.random.below(5), self.random.below(3));
        let mut watch = Watch {
            wrath: self.wrath(),
            looks: (0..looks).map(|_| self.look()).collect(),
            counters: (0..counters).map(|_| self.counter()).collect(),
            ledgers: (0..self.random.below(2)).map(|_| self.ledger()).collect(),
            accesses: self.random.percent(50),
            unless_zero: self.random.percent(40).then(|| {
                let place = if self.random.percent(50) { Place::Registry } else { self.place() };
                (place, self.slot())
            }),
            forks: looks >= 2,
            settled_only: self.random.percent(50),
            thirst: self.random.percent(50).then(|| self.thirst()),
            listed: None,
        };
        // Who looks at nobody waits for nobody.
        let is_listed = watch.accesses && watch.unless_zero.is_some();
        watch.listed = is_listed.then(|| watch.looks.iter().map(|look| look.subject.place()).collect());
        watch
    }

    /// From what nobody notices to what hardly any transaction can pay.
    fn thirst(&mut self) -> Thirst {
        Thirst {
            hook: self.random.pick(&[0, 1, 4_999, 60_000]),
            unit: self.random.pick(&[0, 7, 1_000, 20_000]),
            observing: self.random.percent(30),
        }
    }

    fn wrath(&mut self) -> Vec<Wrath> {
        match self.random.below(4) {
            0 => vec![Wrath::Selector(self.random.small(6))],
            1 => vec![Wrath::Multiple(2 + self.random.below(5))],
            _ => Vec::new(),
        }
    }

    fn look(&mut self) -> Look {
        let place = self.place();
        let subject = match self.random.below(8) {
            0..=3 => Subject::Slot(place, self.slot()),
            4..=5 => Subject::Balance(place),
            6 => Subject::CodeHash(place),
            _ => Subject::CodeSize(place),
        };
        let moment = match self.random.below(10) {
            0..=1 => Moment::Open,
            2..=3 => Moment::Call,
            4 => Moment::CallEnd,
            5 => Moment::Admit,
            _ => Moment::Executed,
        };
        let modulus = 2 + self.random.below(4);
        let consequence = match self.random.below(10) {
            0..=3 => Consequence::Nothing,
            4..=5 if self.on(Feature::Faults) => Consequence::Fault,
            _ => Consequence::Veto,
        };
        let condition = Condition { modulus, remainder: self.random.below(modulus) };
        Look { moment, before: self.random.percent(50), subject, condition, consequence }
    }

    /// Near its bound, most of the time; and sometimes not near at all.
    fn counter(&mut self) -> Counter {
        Counter {
            slot: self.slot(),
            step: 1 + self.random.below(2),
            bound: if self.random.percent(70) { 2 + self.random.below(20) } else { POOR },
            selector: self.random.percent(40).then(|| self.random.small(6)),
            keeping: match self.random.below(6) {
                0 | 1 => Keeping::Within,
                2 => Keeping::Window(1 + self.random.below(100)),
                3 => Keeping::Max,
                4 => Keeping::WithinAndLooked,
                _ => Keeping::Exact,
            },
        }
    }

    fn ledger(&mut self) -> Ledger {
        Ledger {
            keys: 2 + self.random.small(40),
            walk: self.random.small(4),
            selector: self.random.percent(40).then(|| self.random.small(6)),
        }
    }
}

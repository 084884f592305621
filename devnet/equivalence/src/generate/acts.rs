//! What the contracts of a scenario do.

use super::{Feature, Generator};
use crate::{Act, CallKind, Target, Word};

/// Kinds of acts, each with the feature it belongs to.
#[derive(Clone, Copy)]
enum Kind {
    Increment,
    Store,
    Add,
    Move,
    Transient,
    Log,
    Call,
    Create,
    Destroy,
    When,
    Fail,
}

const KINDS: [(Kind, Feature); 12] = [
    (Kind::Increment, Feature::HotSlots),
    (Kind::Add, Feature::HotSlots),
    (Kind::Store, Feature::BalanceReads),
    (Kind::Store, Feature::CodeReads),
    (Kind::Move, Feature::Tokens),
    (Kind::Transient, Feature::Transient),
    (Kind::Log, Feature::Logs),
    (Kind::Call, Feature::Calls),
    (Kind::Create, Feature::Creations),
    (Kind::Destroy, Feature::Destructions),
    (Kind::When, Feature::Branches),
    (Kind::Fail, Feature::Failures),
];

impl Generator {
    /// So many acts. Those of children create nothing and name no children.
    pub(super) fn acts(&mut self, count: u64, of_child: bool) -> Vec<Act> {
        (0..count).map(|_| self.act(of_child, true)).collect()
    }

    fn act(&mut self, of_child: bool, outermost: bool) -> Act {
        let features = self.features;
        let allowed: Vec<_> = KINDS
            .into_iter()
            .filter(|(kind, feature)| match kind {
                Kind::Create => features.has(*feature) && !of_child,
                Kind::When => features.has(*feature) && outermost,
                _ => features.has(*feature),
            })
            .collect();
        if allowed.is_empty() {
            return Act::Store { key: Word::Key(self.slot()), value: self.word(of_child) };
        }
        match self.random.pick(&allowed).0 {
            Kind::Increment => Act::Increment(self.slot()),
            Kind::Store => Act::Store { key: self.key(), value: self.word(of_child) },
            Kind::Add => Act::Add { key: self.key(), value: self.word(of_child) },
            Kind::Move => {
                let amount =
                    if self.random.percent(50) { Word::Argument(0) } else { Word::Literal(self.random.below(3)) };
                Act::Move { from: self.key(), to: self.key(), amount }
            }
            Kind::Transient => Act::StoreTransient { slot: self.slot(), value: self.word(of_child) },
            Kind::Log => Act::Log { topic: self.word(of_child), data: self.word(of_child) },
            Kind::Call => self.call_act(of_child),
            Kind::Create => self.create_act(),
            Kind::Destroy => {
                let destroy = Act::SelfDestruct(self.target(of_child));
                // Else nothing that destroys itself would live for long.
                Act::When(Word::Argument(0), vec![destroy])
            }
            Kind::When => {
                let count = 1 + self.random.below(2);
                let acts = (0..count).map(|_| self.act(of_child, false)).collect();
                Act::When(self.word(of_child), acts)
            }
            Kind::Fail => self.failure(of_child),
        }
    }

    fn failure(&mut self, of_child: bool) -> Act {
        let failure = match self.random.below(4) {
            0 => Act::BurnGas,
            1 => Act::Invalid,
            _ => Act::Revert(self.word(of_child)),
        };
        Act::When(self.word(of_child), vec![failure])
    }

    fn call_act(&mut self, of_child: bool) -> Act {
        let kinds = [
            CallKind::Call,
            CallKind::Call,
            CallKind::Call,
            CallKind::DelegateCall,
            CallKind::StaticCall,
            CallKind::CallCode,
        ];
        Act::Call {
            kind: self.random.pick(&kinds),
            target: self.target(of_child),
            value: match self.random.below(4) {
                0 => Word::SelfBalance,
                1 => Word::CallValue,
                // Often more than there is.
                2 => Word::Literal(self.random.below(1_000_000)),
                _ => Word::Literal(0),
            },
            selector: self.random.small(6),
            argument: self.word(of_child),
            gas: self.random.percent(40).then_some(50_000),
            remember: self.random.percent(60).then(|| self.slot()),
        }
    }

    fn create_act(&mut self) -> Act {
        Act::Create {
            child: self.random.small(self.children),
            salt: self.random.percent(80).then(|| Word::Literal(self.random.below(2))),
            value: if self.random.percent(30) { Word::CallValue } else { Word::Literal(0) },
            remember: self.random.percent(60).then(|| self.slot()),
        }
    }

    fn target(&mut self, of_child: bool) -> Target {
        match self.random.below(10) {
            0 => Target::Caller,
            1 => Target::Coinbase,
            2 => Target::Itself,
            3..=5 => Target::Argument(1),
            _ => Target::Place(if of_child { self.elder() } else { self.place() }),
        }
    }

    /// A slot's key: fixed, or by who calls, as in a token.
    fn key(&mut self) -> Word {
        match self.random.below(8) {
            0 => Word::Caller,
            1 => Word::Argument(1),
            2 => Word::Slot(self.slot()),
            _ => Word::Key(self.slot()),
        }
    }

    fn word(&mut self, of_child: bool) -> Word {
        match self.random.below(20) {
            0 => Word::Literal(0),
            1 => Word::Literal(self.random.below(4)),
            2..=3 => Word::Argument(self.random.small(2)),
            4 => Word::Caller,
            5 => Word::Origin,
            6 => Word::CallValue,
            7 => Word::GasLeft,
            8 => Word::BaseFee,
            9 => Word::BlockHash(self.random.small(3)),
            10 if self.on(Feature::Transient) => Word::Transient(self.slot()),
            11 if self.on(Feature::BalanceReads) => Word::SelfBalance,
            12..=13 if self.on(Feature::BalanceReads) => Word::BalanceOf(self.target(of_child)),
            14 if self.on(Feature::CodeReads) => Word::CodeHashOf(self.target(of_child)),
            15 if self.on(Feature::CodeReads) => Word::CodeSizeOf(self.target(of_child)),
            _ => Word::Slot(self.slot()),
        }
    }
}

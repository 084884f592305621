//! A monitor that is a pure function of what it sees, and tells all of it: each verdict's detail is a digest of the trace
//! and of every word that was read, so that a stale read shows even where it decides nothing.

use std::sync::Arc;

use alloy_primitives::{Address, B256, Bytes, Keccak256, U256, keccak256, map::AddressSet};
use parapet_abi::{ContextRecord, FlowRecord, FrameStatus, import::CODE_OUT_OF_GAS};
use parapet_monitor::{
    Allowance, Attention, CallRequest, Closing, Decision, Examination, Fault, Fork, FuelSpent, Hook, Judgement,
    Judging, Mode, Monitor, Outcome, Remote, StateView, Subscriptions, Trace, Verdict, Veto, Watchlist,
};
use parapet_types::REGISTRY;
use serde::{Deserialize, Serialize};

use crate::{Counter, Hesitation, Ledger, Place, Realised, keep::Kept, slot_key};

/// Gas of a call at a fork.
const CALL_GAS: u64 = 60_000;

/// What is watched, and what follows.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Watch {
    /// Frames that are vetoed as they start.
    pub wrath: Vec<Wrath>,
    /// What is looked at.
    pub looks: Vec<Look>,
    /// Guard state: numbers.
    pub counters: Vec<Counter>,
    /// Guard state: ordered entries.
    #[serde(default)]
    pub ledgers: Vec<Ledger>,
    /// Whether ordered accesses are recorded.
    pub accesses: bool,
    /// Nobody wakes while the slot of this number of this account is zero, and the executor is told so beforehand.
    pub unless_zero: Option<(Place, u8)>,
    /// Whether what is looked at is looked at once more in the end, before and after frames, and called there.
    #[serde(default)]
    pub forks: bool,
    /// Refuses to judge transactions that change the registry by what is not settled.
    pub settled_only: bool,
    /// Nobody but these is waited for, and with [`Watch::unless_zero`] the executor is told so beforehand; `None`: everybody
    /// is. Nothing is looked at as the judgement is opened then.
    #[serde(default)]
    pub listed: Option<Vec<Place>>,
    /// What judging costs; nothing if `None`.
    #[serde(default)]
    pub thirst: Option<Thirst>,
}

/// Fuel that is spent at each hook.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Thirst {
    /// At least.
    pub hook: u64,
    /// Up to 255 times more, by all that was read so far.
    pub unit: u64,
    /// Whether a transaction that cannot pay for it goes on.
    pub observing: bool,
}

/// A frame that is vetoed as it starts.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Wrath {
    /// Its selector ends in this byte.
    Selector(u8),
    /// It moves a multiple of so many wei, and not nothing.
    Multiple(u64),
}

/// When something is looked at.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Moment {
    /// As the judgement is opened.
    Open,
    /// As a frame starts.
    Call,
    /// As a frame ends.
    CallEnd,
    /// After the transaction.
    Executed,
    /// After a transaction that changed the registry.
    Admit,
}

/// What is looked at.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Subject {
    /// A slot of an account, by its number.
    Slot(Place, u8),
    /// A balance.
    Balance(Place),
    /// A code hash.
    CodeHash(Place),
    /// The size of code.
    CodeSize(Place),
}

impl Subject {
    /// The account of it.
    pub(crate) const fn place(self) -> Place {
        match self {
            Self::Slot(place, _) | Self::Balance(place) | Self::CodeHash(place) | Self::CodeSize(place) => place,
        }
    }
}

/// What follows if the condition holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Consequence {
    /// Nothing; it was read all the same.
    Nothing,
    /// A veto; as the judgement is opened: nobody wakes.
    Veto,
    /// A fault: no verdict can be reached.
    Fault,
}

/// Holds for words that leave `remainder` when divided by `modulus`; never, if that is zero.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Condition {
    /// Divisor.
    pub modulus: u64,
    /// What is left.
    pub remainder: u64,
}

/// A look at state.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Look {
    /// When.
    pub moment: Moment,
    /// At the state before the transaction, or as it is then.
    pub before: bool,
    /// At what.
    pub subject: Subject,
    /// When it has consequences.
    pub condition: Condition,
    /// Which.
    pub consequence: Consequence,
}

impl Condition {
    fn holds(self, word: U256) -> bool {
        self.modulus != 0 && word % U256::from(self.modulus) == U256::from(self.remainder)
    }
}

/// [`Watch`] at work on one block.
#[derive(Debug)]
pub struct Watcher<'a> {
    watch: &'a Watch,
    looks: Vec<(Look, Address)>,
    /// Resolved [`Watch::unless_zero`].
    unless_zero: Option<(Address, U256)>,
    /// Resolved [`Watch::listed`].
    listed: Option<AddressSet>,
    /// The same, if the executor is told.
    told: Option<Arc<Watchlist>>,
    hesitation: Option<Hesitation>,
}

impl<'a> Watcher<'a> {
    /// For the accounts of one block.
    #[must_use]
    pub fn new(watch: &'a Watch, block: &Realised, hesitation: Option<Hesitation>) -> Self {
        let address = |look: &Look| block.address(look.subject.place());
        let unless_zero = watch.unless_zero.map(|(place, slot)| (block.address(place), slot_key(slot)));
        let looks = watch.looks.iter().map(|look| (*look, address(look))).collect();
        let listed = watch.listed.as_ref();
        let listed: Option<AddressSet> =
            listed.map(|places| places.iter().map(|place| block.address(*place)).collect());
        let told = listed.clone().map(|listed| Watchlist::new(listed, Remote { tokens: true, fees: true }));
        Self { watch, looks, unless_zero, listed, told: told.map(Arc::new), hesitation }
    }

    /// The same, but the executor is not told who is waited for: the oracle.
    #[must_use]
    pub fn silent(self) -> Self {
        Self { told: None, ..self }
    }

    fn waits_for(&self, account: parapet_abi::Address) -> bool {
        self.listed.as_ref().is_none_or(|listed| listed.contains(&Address::from(account.bytes)))
    }

    /// Whether a frame enters somebody, or is entered by or runs the code of somebody who is waited for.
    fn waits_for_frame(&self, trace: &Trace, frame: u32) -> bool {
        let record = &trace.frames[frame as usize];
        let delegate = trace.delegate_of(frame).map(|record| record.delegate);
        [record.target, record.code_address, record.caller].into_iter().chain(delegate).any(|a| self.waits_for(a))
    }

    fn waits_for_flows(&self, flows: &[FlowRecord]) -> bool {
        flows.iter().any(|flow| self.waits_for(flow.from) || self.waits_for(flow.to))
    }

    fn look(&self, moment: Moment, view: &mut dyn StateView, digest: &mut Keccak256) -> Result<Decision, Fault> {
        if let Some(hesitation) = &self.hesitation {
            hesitation.hesitate();
        }
        let mut decision = Decision::Proceed;
        for (look, address) in self.looks.iter().filter(|(look, _)| look.moment == moment) {
            let word = read(look, *address, view)?;
            digest.update(word.to_be_bytes::<32>());
            match look.consequence {
                Consequence::Nothing => {}
                _ if !look.condition.holds(word) => {}
                Consequence::Veto => decision = veto(1, word),
                Consequence::Fault => return Err(fault(word)),
            }
        }
        Ok(decision)
    }
}

fn read(look: &Look, address: Address, view: &mut dyn StateView) -> Result<U256, Fault> {
    read_at(if look.before { Fork::PreTx } else { Fork::Now }, look, address, view)
}

fn read_at(fork: Fork, look: &Look, address: Address, view: &mut dyn StateView) -> Result<U256, Fault> {
    Ok(match look.subject {
        Subject::Slot(_, slot) => view.storage(fork, address, slot_key(slot))?,
        Subject::Balance(_) => view.balance(fork, address)?,
        Subject::CodeHash(_) => view.code_hash(fork, address)?.into(),
        Subject::CodeSize(_) => U256::from(view.code(fork, address)?.len()),
    })
}

pub(crate) fn attachment() -> B256 {
    keccak256(b"parapet equivalence")
}

fn veto(code: u16, word: U256) -> Decision {
    let detail = Bytes::copy_from_slice(&word.to_be_bytes::<32>());
    Decision::Veto(Veto { guard: REGISTRY, attachment: attachment(), code, detail })
}

fn fault(word: U256) -> Fault {
    Fault::Engine { attachment: attachment(), reason: format!("this word cannot be judged: {word}") }
}

impl Monitor for Watcher<'_> {
    fn attention(&self) -> Attention {
        self.unless_zero.map_or(Attention::Always, |(address, slot)| Attention::UnlessZero { address, slot })
    }

    fn watchlist(&self, _: U256, _: &mut dyn StateView) -> Result<Option<Arc<Watchlist>>, Fault> {
        Ok(self.told.clone())
    }

    fn open(&self, _: &ContextRecord, view: &mut dyn StateView) -> Result<Option<Box<dyn Judging + '_>>, Fault> {
        if let Some((address, slot)) = self.unless_zero
            && view.storage(Fork::PreTx, address, slot)?.is_zero()
        {
            return Ok(None);
        }
        let mut digest = Keccak256::new();
        if self.listed.is_none() && self.look(Moment::Open, view, &mut digest)? != Decision::Proceed {
            return Ok(None);
        }
        Ok(Some(Box::new(Judge {
            watcher: self,
            met: self.listed.is_none(),
            digest,
            outcome: Outcome::Allow,
            kept: Kept::default(),
            allowance: Allowance::UNBOUNDED,
            spent: FuelSpent::default(),
        })))
    }

    fn admit(&self, _: &ContextRecord, _: Allowance, view: &mut dyn StateView) -> Result<Examination, Fault> {
        if self.watch.settled_only && !view.is_settled() {
            return Err(Fault::Unsettled);
        }
        self.look(Moment::Admit, view, &mut Keccak256::new()).map(Examination::from)
    }
}

struct Judge<'a> {
    watcher: &'a Watcher<'a>,
    /// Somebody woke.
    met: bool,
    digest: Keccak256,
    outcome: Outcome,
    kept: Kept,
    allowance: Allowance,
    spent: FuelSpent,
}

impl Judge<'_> {
    fn look(&mut self, moment: Moment, view: &mut dyn StateView) -> Result<Decision, Fault> {
        let looked = self.watcher.look(moment, view, &mut self.digest)?;
        Ok(self.drink().unwrap_or(looked))
    }

    /// Spends what this hook costs, as far as it is allowed.
    fn drink(&mut self) -> Option<Decision> {
        let thirst = self.watcher.watch.thirst?;
        let read = self.digest.clone().finalize()[31];
        let fuel = thirst.hook + thirst.unit * u64::from(read);
        let left = self.allowance.fuel.0.saturating_sub(self.spent.total().0);
        let spent = if thirst.observing { &mut self.spent.observing } else { &mut self.spent.binding };
        spent.0 += fuel.min(left);
        (fuel > left && !thirst.observing).then(|| veto(CODE_OUT_OF_GAS, U256::from(fuel)))
    }

    /// Looks at everything before and after the first and the last frame, and calls it there.
    fn look_at_forks(&mut self, trace: &Trace, view: &mut dyn StateView) -> Result<(), Fault> {
        let last = u32::try_from(trace.frames.len()).unwrap_or(0).saturating_sub(1);
        let forks = [Fork::BeforeFrame(0), Fork::AfterFrame(0), Fork::BeforeFrame(last), Fork::AfterFrame(last)];
        for (look, address) in &self.watcher.looks {
            for fork in forks {
                self.digest.update(read_at(fork, look, *address, view)?.to_be_bytes::<32>());
                let request = CallRequest { to: *address, input: Bytes::new(), gas: CALL_GAS };
                let outcome = view.call(fork, &request)?;
                self.digest.update([outcome.status as u8]);
                self.digest.update(outcome.gas_used.to_be_bytes());
                self.digest.update(&outcome.output);
            }
        }
        Ok(())
    }

    fn says(&mut self, decision: Decision) -> Decision {
        if decision != Decision::Proceed {
            self.outcome = Outcome::Veto;
        }
        decision
    }

    fn keep(&mut self, trace: &Trace, view: &mut dyn StateView) -> Result<Decision, Fault> {
        let watch = self.watcher.watch;
        let refused = self.kept.keep((&watch.counters, &watch.ledgers), trace, view, &mut self.digest)?;
        Ok(refused.map_or(Decision::Proceed, |word| veto(2, word)))
    }
}

impl Judging for Judge<'_> {
    fn allow(&mut self, allowance: Allowance) {
        self.allowance = allowance;
    }

    fn spent(&self) -> FuelSpent {
        self.spent
    }

    fn subscriptions(&self) -> Subscriptions {
        let both = Subscriptions::ACCESSES.union(Subscriptions::FLOWS);
        let both = if self.watcher.listed.is_some() { both.union(Subscriptions::FEES) } else { both };
        if self.watcher.watch.accesses { both } else { Subscriptions::NONE }
    }

    fn on_call(&mut self, trace: &Trace, frame: u32, view: &mut dyn StateView) -> Result<Decision, Fault> {
        self.met |= self.watcher.waits_for_frame(trace, frame);
        if !self.met {
            return Ok(Decision::Proceed);
        }
        let looked = self.look(Moment::Call, view)?;
        let frame = &trace.frames[frame as usize];
        let value = U256::from_be_bytes(frame.value);
        let struck = self.watcher.watch.wrath.iter().any(|wrath| match wrath {
            Wrath::Selector(selector) => frame.input_len >= 4 && frame.selector[3] == *selector,
            Wrath::Multiple(of) => !value.is_zero() && *of != 0 && (value % U256::from(*of)).is_zero(),
        });
        let decision = if struck { veto(3, value) } else { looked };
        Ok(self.says(decision))
    }

    fn on_call_end(&mut self, _: &Trace, _: u32, view: &mut dyn StateView) -> Result<Decision, Fault> {
        if !self.met {
            return Ok(Decision::Proceed);
        }
        let decision = self.look(Moment::CallEnd, view)?;
        Ok(self.says(decision))
    }

    fn stirs(&mut self, closing: &mut dyn Closing) -> bool {
        self.met = self.met || self.watcher.waits_for_flows(closing.flows());
        self.met
    }

    fn on_tx(&mut self, trace: &Trace, view: &mut dyn StateView) -> Result<Decision, Fault> {
        self.met = self.met || self.watcher.waits_for_flows(&trace.flows);
        if !self.met {
            return Ok(Decision::Proceed);
        }
        self.digest.update(trace.to_region(&[]));
        let looked = self.look(Moment::Executed, view)?;
        if self.watcher.watch.forks {
            self.look_at_forks(trace, view)?;
        }
        let kept = self.keep(trace, view)?;
        if trace.context.status != u8::from(FrameStatus::Succeeded) {
            // What failed by itself is not vetoed.
            return Ok(Decision::Proceed);
        }
        Ok(self.says(if looked == Decision::Proceed { kept } else { looked }))
    }

    fn can_be_asked_again(&self) -> bool {
        self.watcher.looks.iter().all(|(look, _)| !matches!(look.moment, Moment::Call | Moment::CallEnd))
    }

    fn close(self: Box<Self>) -> Judgement {
        if !self.met {
            return Judgement::default();
        }
        let verdict = Verdict {
            attachment: attachment(),
            module: keccak256(b"watch"),
            guard: "watch".to_owned(),
            mode: Mode::Enforce,
            outcome: self.outcome,
            hook: Some(Hook::OnTx),
            frame: None,
            code: 0,
            detail: Bytes::copy_from_slice(self.digest.finalize().as_slice()),
            fuel: self.spent.total(),
            elapsed_ns: 0,
            origin: Default::default(),
        };
        Judgement { verdicts: vec![verdict], updates: self.kept.into_updates(), ..Judgement::default() }
    }
}

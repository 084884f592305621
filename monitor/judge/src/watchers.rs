//! Who waits for what, as a look-up: one step per account of a frame, whatever the number of attachments.
//!
//! Attachments with accounts stand under each of them. Chain-wide ones stand apart, those that name code under its
//! hash, so that a frame costs the same whoever else is attached. Positions are those of the index, and come out in order,
//! each once.
//!
//! Who wakes only at a transaction's end may have to read what is recorded while it runs. That recording starts with the
//! first frame that works on one of its accounts or runs its code ([`Touched::arms`]), so nobody else pays for it.

use std::sync::Arc;

use alloy_primitives::{
    Address, B256,
    map::{AddressMap, B256Map},
};
use parapet_abi::FrameRecord;
use parapet_monitor::{
    Closing, Remote, Subscriptions, Watchlist,
    trigger::{
        CallCondition, CodeCondition, Condition, FlowCondition, LogCondition, Moment, Preimages, Role, Side,
        SlotCondition,
    },
};

/// Conditions of one kind, each with the position of its attachment.
type List<T> = Vec<(usize, Arc<T>)>;

/// What attachments of one account wait for, or chain-wide ones.
#[derive(Debug, Default)]
struct Watching {
    calls: List<CallCondition>,
    ends: Ends,
    arms: Subscriptions,
}

/// What can only be seen when the transaction has executed.
#[derive(Debug, Default)]
struct Ends {
    flows: List<FlowCondition>,
    logs: List<LogCondition>,
    slots: List<SlotCondition>,
    codes: List<CodeCondition>,
    transients: List<SlotCondition>,
}

/// A condition that several accounts share.
#[derive(Clone)]
enum Shared {
    Call(Arc<CallCondition>),
    Flow(Arc<FlowCondition>),
    Log(Arc<LogCondition>),
    Slot(Arc<SlotCondition>),
    Code(Arc<CodeCondition>),
    Transient(Arc<SlotCondition>),
}

impl From<Condition> for Shared {
    fn from(condition: Condition) -> Self {
        match condition {
            Condition::Call(call) => Self::Call(Arc::new(call)),
            Condition::Flow(flow) => Self::Flow(Arc::new(flow)),
            Condition::Log(log) => Self::Log(Arc::new(log)),
            Condition::Slot(slot) => Self::Slot(Arc::new(slot)),
            Condition::Code(code) => Self::Code(Arc::new(code)),
            Condition::Transient(slot) => Self::Transient(Arc::new(slot)),
        }
    }
}

impl Watching {
    /// Whether nobody waits here for anything.
    const fn is_idle(&self) -> bool {
        let Ends { flows, logs, slots, codes, transients } = &self.ends;
        let nothing_at_ends = flows.is_empty() && logs.is_empty() && codes.is_empty();
        self.calls.is_empty() && nothing_at_ends && slots.is_empty() && transients.is_empty()
    }

    fn add(&mut self, position: usize, condition: Shared) {
        match condition {
            Shared::Call(call) => self.calls.push((position, call)),
            Shared::Flow(flow) => self.ends.flows.push((position, flow)),
            Shared::Log(log) => self.ends.logs.push((position, log)),
            Shared::Slot(slot) => self.ends.slots.push((position, slot)),
            Shared::Code(code) => self.ends.codes.push((position, code)),
            Shared::Transient(slot) => self.ends.transients.push((position, slot)),
        }
    }
}

/// Everybody who waits.
#[derive(Debug, Default)]
pub(crate) struct Watchers {
    by_account: AddressMap<Watching>,
    /// Chain-wide attachments that wait for code, by its hash.
    by_code: B256Map<List<CallCondition>>,
    /// All other chain-wide attachments.
    everywhere: Watching,
    /// Some condition looks at callers that send no ether.
    looks_at_callers: bool,
    /// Kinds of record that some account's condition waits for.
    flows: bool,
    fees: bool,
    logs: bool,
    slots: bool,
    codes: bool,
    transients: bool,
}

/// Who waits for a frame.
#[derive(Debug, Default)]
pub(crate) struct Touched {
    /// Positions in order. Nothing is allocated while there is none.
    pub(crate) positions: Vec<usize>,
    /// What must be recorded from here on for those who may wake at the end.
    pub(crate) arms: Subscriptions,
}

impl Watchers {
    /// Adds an attachment: whom it guards (nobody in particular: the whole chain), what it waits for, what it reads.
    pub(crate) fn add(
        &mut self,
        position: usize,
        accounts: impl ExactSizeIterator<Item = Address>,
        conditions: Vec<Condition>,
        subscriptions: Subscriptions,
    ) {
        let late = conditions.iter().any(|condition| !matches!(condition, Condition::Call(_)));
        let arms = if late { subscriptions.recorded_live() } else { Subscriptions::NONE };
        let conditions: Vec<Shared> = conditions.into_iter().map(Shared::from).collect();
        for condition in &conditions {
            match condition {
                Shared::Call(call) => self.looks_at_callers |= call.looks_at_callers(),
                Shared::Flow(flow) => (self.flows, self.fees) = (true, self.fees || flow.waits_for_fees()),
                Shared::Log(_) => self.logs = true,
                Shared::Slot(_) => self.slots = true,
                Shared::Code(_) => self.codes = true,
                Shared::Transient(_) => self.transients = true,
            }
        }
        if accounts.len() == 0 {
            return self.add_everywhere(position, conditions, arms);
        }
        for account in accounts {
            let watching = self.by_account.entry(account).or_default();
            watching.arms = watching.arms.union(arms);
            conditions.iter().for_each(|condition| watching.add(position, condition.clone()));
        }
    }

    fn add_everywhere(&mut self, position: usize, conditions: Vec<Shared>, arms: Subscriptions) {
        self.everywhere.arms = self.everywhere.arms.union(arms);
        for condition in conditions {
            match condition {
                Shared::Call(call) if !call.code_hashes().is_empty() => {
                    for hash in call.code_hashes() {
                        self.by_code.entry(*hash).or_default().push((position, call.clone()));
                    }
                }
                other => self.everywhere.add(position, other),
            }
        }
    }

    /// What must be recorded from a transaction's start, or drawn from it at its end, before anything woke.
    pub(crate) const fn standing(&self) -> Subscriptions {
        if self.fees { self.everywhere.arms.union(Subscriptions::FEES) } else { self.everywhere.arms }
    }

    /// Whom anything waits for. Of a frame's accounts the caller need not be looked at: it is the sender, or was the target
    /// of another frame.
    pub(crate) fn list(&self) -> Watchlist {
        if self.everywhere.is_idle() && self.by_code.is_empty() {
            let remote = Remote { tokens: self.flows, fees: self.fees };
            Watchlist::new(self.by_account.keys().copied().collect(), remote)
        } else {
            Watchlist::everybody()
        }
    }

    /// Who waits for a frame; `delegate` is the account whose code it runs by a delegation.
    pub(crate) fn of_frame(&self, frame: &FrameRecord, delegate: Option<Address>, moment: Moment) -> Touched {
        let mut touched = Touched::default();
        let (target, code) = (frame.target.bytes, frame.code_address.bytes);
        let as_target = if code == target { Role::TARGET.union(Role::CODE) } else { Role::TARGET };
        self.touch(&mut touched, Address::from(target), frame, as_target, moment);
        if code != target {
            self.touch(&mut touched, Address::from(code), frame, Role::CODE, moment);
        }
        if let Some(delegate) = delegate {
            self.touch(&mut touched, delegate, frame, Role::CODE, moment);
        }
        let as_caller = Role::of_caller(frame);
        if (self.looks_at_callers || as_caller.meets(Role::PAYER))
            && let Some(watching) = self.by_account.get(&Address::from(frame.caller.bytes))
        {
            touched.extend(&watching.calls, |call| call.holds(frame, as_caller, moment));
        }
        touched.extend(&self.everywhere.calls, |call| call.holds_for_any(frame, moment));
        if !self.by_code.is_empty()
            && let Some(calls) = self.by_code.get(&B256::from(frame.code_hash))
        {
            touched.extend(calls, |call| call.holds_for_any(frame, moment));
        }
        put_in_order(&mut touched.positions);
        touched
    }

    fn touch(&self, touched: &mut Touched, account: Address, frame: &FrameRecord, role: Role, moment: Moment) {
        if let Some(watching) = self.by_account.get(&account) {
            touched.arms = touched.arms.union(watching.arms);
            touched.extend(&watching.calls, |call| call.holds(frame, role, moment));
        }
    }

    /// Who waits for what an executed transaction left.
    pub(crate) fn of_end(&self, closing: &mut dyn Closing) -> Vec<usize> {
        let mut positions = Vec::new();
        if self.flows {
            self.of_flows(closing, &mut positions);
        }
        if self.logs {
            for log in closing.logs() {
                let of_emitter = self.ends(log.address.bytes.into()).map(|ends| &ends.logs);
                collect(&mut positions, of_emitter.into_iter().chain([&self.everywhere.ends.logs]), |condition| {
                    condition.holds(log)
                });
            }
        }
        if self.slots {
            self.of_slots(closing, &mut positions);
        }
        if self.transients {
            self.of_transients(closing, &mut positions);
        }
        if self.codes {
            let everywhere = &self.everywhere.ends.codes;
            let wanted =
                |account| !everywhere.is_empty() || self.ends(account).is_some_and(|ends| !ends.codes.is_empty());
            for change in closing.code_changes(&wanted) {
                let of_account = self.ends(change.address.bytes.into()).map(|ends| &ends.codes);
                collect(&mut positions, of_account.into_iter().chain([everywhere]), |condition| {
                    condition.holds(&change)
                });
            }
        }
        put_in_order(&mut positions);
        positions
    }

    fn of_flows(&self, closing: &mut dyn Closing, positions: &mut Vec<usize>) {
        for flow in closing.flows() {
            for (account, side) in [(flow.from, Side::Out), (flow.to, Side::In)] {
                let list = self.ends(account.bytes.into()).map(|ends| &ends.flows);
                collect(positions, list.into_iter(), |condition| condition.holds(flow, side));
            }
            collect(positions, [&self.everywhere.ends.flows].into_iter(), |condition| condition.holds_for_any(flow));
        }
    }

    fn of_slots(&self, closing: &mut dyn Closing, positions: &mut Vec<usize>) {
        let everywhere = &self.everywhere.ends.slots;
        let wanted = |account| !everywhere.is_empty() || self.ends(account).is_some_and(|ends| !ends.slots.is_empty());
        let changes = closing.slot_changes(&wanted);
        if changes.is_empty() {
            return;
        }
        let preimages = Preimages::new(closing.preimages());
        for change in changes {
            let slot = alloy_primitives::U256::from_be_bytes(change.slot);
            let of_account = self.ends(change.address.bytes.into()).map(|ends| &ends.slots);
            collect(positions, of_account.into_iter().chain([everywhere]), |condition| {
                condition.holds(slot, &preimages)
            });
        }
    }

    fn of_transients(&self, closing: &dyn Closing, positions: &mut Vec<usize>) {
        let everywhere = &self.everywhere.ends.transients;
        let wanted =
            |account| !everywhere.is_empty() || self.ends(account).is_some_and(|ends| !ends.transients.is_empty());
        let writes = closing.transient_writes(&wanted);
        if writes.is_empty() {
            return;
        }
        let preimages = Preimages::new(closing.preimages());
        for write in writes {
            let slot = alloy_primitives::U256::from_be_bytes(write.slot);
            let of_account = self.ends(write.address.bytes.into()).map(|ends| &ends.transients);
            collect(positions, of_account.into_iter().chain([everywhere]), |condition| {
                condition.holds(slot, &preimages)
            });
        }
    }

    fn ends(&self, account: Address) -> Option<&Ends> {
        self.by_account.get(&account).map(|watching| &watching.ends)
    }
}

impl Touched {
    fn extend(&mut self, calls: &List<CallCondition>, holds: impl Fn(&CallCondition) -> bool) {
        self.positions.extend(calls.iter().filter(|(_, call)| holds(call)).map(|(position, _)| position));
    }
}

fn collect<'a, T: 'a>(
    positions: &mut Vec<usize>,
    lists: impl Iterator<Item = &'a List<T>>,
    holds: impl Fn(&T) -> bool,
) {
    for list in lists {
        positions.extend(list.iter().filter(|(_, condition)| holds(condition)).map(|(position, _)| position));
    }
}

fn put_in_order(positions: &mut Vec<usize>) {
    if positions.len() > 1 {
        positions.sort_unstable();
        positions.dedup();
    }
}

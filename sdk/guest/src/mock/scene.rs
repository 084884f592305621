//! Plays a transaction event by event.

mod surroundings;

use std::marker::PhantomData;

use parapet_abi::{Asset, FlowReason, FlowRecord, FrameKind, FrameRecord, FrameStatus, LogRecord, NO_FRAME};

use super::{
    Enter, Hook, Outcome, Said, Stopped, Store, World,
    journal::{Ended, Journal},
    judge,
};
use crate::{Address, B256, Guard, U256, descriptor::Described};

/// Timestamp of the first scene's block, in seconds.
const TIMESTAMP: u64 = 1_700_000_000;
/// Sender of the transaction unless the test names another.
const SENDER: Address = Address([0x5e; 20]);

/// A transaction as it is played to a guard.
#[derive(Debug)]
pub struct Scene<G> {
    /// What the guard can see; tests may change it between events.
    pub world: World,
    open: Vec<u32>,
    seq: u32,
    committed: Store,
    outcome: Outcome,
    journal: Option<Journal>,
    guard: PhantomData<G>,
}

impl<G: Guard + Described> Scene<G> {
    /// Attaches a guard with these parameters to accounts, which runs `init`, and opens a transaction.
    #[must_use]
    pub fn new(guard: &G, accounts: &[Address]) -> Self {
        Self::with_configuration(guard.encode(), accounts)
    }

    /// The same, with configuration bytes of any kind.
    #[must_use]
    pub fn with_configuration(config: Vec<u8>, accounts: &[Address]) -> Self {
        let mut world = World { config, ..World::default() };
        world.accounts = accounts.iter().map(|a| parapet_abi::AccountRecord { address: (*a).into() }).collect();
        world.context.chain_id = 31_337;
        world.context.timestamp = TIMESTAMP;
        world.context.sender = SENDER.into();
        let outcome = Outcome { veto: None, alerts: Vec::new() };
        let mut scene = Self {
            world,
            open: Vec::new(),
            seq: 0,
            committed: Store::default(),
            outcome,
            journal: Journal::begin(G::DESCRIPTOR),
            guard: PhantomData,
        };
        scene.hook(Hook::Init);
        scene
    }

    /// Starts a frame inside the one that runs, or the transaction's own; its value moves after `on_call`.
    pub fn enter(&mut self, enter: Enter) -> &mut Self {
        if self.outcome.veto.is_some() {
            return self;
        }
        let frame = self.frame(&enter);
        let (id, value, kind) = (frame.id, frame.value, enter.kind);
        let (caller, target) = (Address::from(frame.caller), Address::from(frame.target));
        self.world.frames.push(frame);
        self.world.inputs.push(enter.input);
        self.world.outputs.push(Vec::new());
        self.open.push(id);
        if self.wakes(id) {
            self.hook(Hook::OnCall(id));
        }
        if value != [0; 32] && kind != FrameKind::DelegateCall {
            self.flow(Asset::Ether, Address::ZERO, caller, target, enter.value);
        }
        self
    }

    /// Ends the running frame with success.
    pub fn leave(&mut self) -> &mut Self {
        self.leave_as(FrameStatus::Succeeded, &[])
    }

    /// Ends the running frame; one that did not succeed takes its flows and logs with it.
    ///
    /// # Panics
    /// When no frame runs.
    pub fn leave_as(&mut self, status: FrameStatus, output: &[u8]) -> &mut Self {
        if self.outcome.veto.is_some() {
            return self;
        }
        let id = self.open.pop().expect("a frame runs: leave answers an enter");
        let end_seq = self.next_seq();
        let frame = &mut self.world.frames[id as usize];
        frame.status = status.into();
        frame.end_seq = end_seq;
        frame.output_len = output.len() as u32;
        self.world.outputs[id as usize] = output.to_vec();
        if status != FrameStatus::Succeeded {
            self.world.flows.retain(|flow| flow.frame < id);
            let kept = self.world.logs.partition_point(|log| log.frame < id);
            let reverted = self.world.logs[kept..].iter().position(|log| log.frame >= id);
            assert!(reverted.is_none() || reverted == Some(0), "logs of a frame lie behind those before it");
            self.world.logs.truncate(kept);
            self.world.log_data.truncate(kept);
        }
        if self.wakes(id) {
            self.hook(Hook::OnCallEnd(id));
        }
        self
    }

    /// An ERC-20 transfer in the running frame.
    pub fn token(&mut self, token: Address, from: Address, to: Address, amount: U256) -> &mut Self {
        self.flow(Asset::Erc20, token, from, to, amount);
        self
    }

    /// Any flow in the running frame.
    pub fn flow(&mut self, asset: Asset, token: Address, from: Address, to: Address, amount: U256) {
        if self.outcome.veto.is_some() {
            return;
        }
        let reason = if asset == Asset::Ether { FlowReason::Call } else { FlowReason::Log };
        let flow = FlowRecord {
            seq: self.next_seq(),
            frame: self.running(),
            asset: asset.into(),
            reason: reason.into(),
            token: token.into(),
            from: from.into(),
            to: to.into(),
            amount: amount.to_be_bytes(),
            ..FlowRecord::default()
        };
        self.world.flows.push(flow);
    }

    /// A log in the running frame.
    pub fn log(&mut self, address: Address, topics: &[B256], data: &[u8]) -> &mut Self {
        let mut log = LogRecord { seq: self.next_seq(), frame: self.running(), ..LogRecord::default() };
        log.address = address.into();
        log.topic_count = topics.len() as u32;
        log.data_len = data.len() as u32;
        for (to, topic) in log.topics.iter_mut().zip(topics) {
            *to = topic.0;
        }
        self.world.logs.push(log);
        self.world.log_data.push(data.to_vec());
        self
    }

    /// The veto so far.
    #[must_use]
    pub fn veto(&self) -> Option<&Said> {
        self.outcome.veto.as_ref()
    }

    /// Ends open frames with success, runs `on_tx`, and commits the guard's state if the transaction stands. The
    /// next transaction, `0` seconds later, can be played at once.
    pub fn finish(&mut self) -> Outcome {
        while self.outcome.veto.is_none() && !self.open.is_empty() {
            self.leave();
        }
        let status = self.world.frames.first().map_or(u8::from(FrameStatus::Succeeded), |frame| frame.status);
        self.world.context.status = status;
        if self.outcome.veto.is_none() {
            self.hook(Hook::OnTx);
        }
        let stands = self.outcome.veto.is_none() && status == u8::from(FrameStatus::Succeeded);
        if stands {
            self.committed = self.world.store.clone();
        }
        if let Some(journal) = &mut self.journal {
            journal.end(if stands { Ended::Committed } else { Ended::Dropped });
        }
        self.open_next();
        std::mem::replace(&mut self.outcome, Outcome { veto: None, alerts: Vec::new() })
    }

    /// Lets time pass before the next transaction.
    pub fn later(&mut self, seconds: u64) -> &mut Self {
        self.world.context.timestamp += seconds;
        self
    }

    fn open_next(&mut self) {
        self.committed.next_tx();
        let fresh = World {
            config: std::mem::take(&mut self.world.config),
            accounts: std::mem::take(&mut self.world.accounts),
            context: self.world.context,
            store: self.committed.clone(),
            ..World::default()
        };
        self.world = fresh;
        self.open.clear();
        self.seq = 0;
    }

    fn frame(&mut self, enter: &Enter) -> FrameRecord {
        let parent = self.open.last().map(|id| self.world.frames[*id as usize]);
        let running = parent.map_or(self.world.context.sender, |parent| parent.target);
        let delegates = enter.kind == FrameKind::DelegateCall;
        let mut selector = [0; 4];
        let known = enter.input.len().min(4);
        selector[..known].copy_from_slice(&enter.input[..known]);
        FrameRecord {
            id: self.world.frames.len() as u32,
            parent: parent.map_or(NO_FRAME, |parent| parent.id),
            start_seq: self.next_seq(),
            depth: self.open.len() as u32,
            selector,
            kind: enter.kind.into(),
            is_static: u8::from(
                enter.kind == FrameKind::StaticCall || parent.is_some_and(|parent| parent.is_static == 1),
            ),
            is_precompile: enter.is_precompile.into(),
            input_len: enter.input.len() as u32,
            gas_limit: 1_000_000,
            caller: running,
            target: if delegates { running } else { enter.address.into() },
            code_address: enter.address.into(),
            value: enter.value.to_be_bytes(),
            ..FrameRecord::default()
        }
    }

    /// The trigger `frame`: it runs a guarded account's code, has one as target, or moves ether from or to one.
    fn wakes(&self, id: u32) -> bool {
        let frame = &self.world.frames[id as usize];
        let guarded = |account| self.world.accounts.iter().any(|guarded| guarded.address == account);
        let moves = frame.value != [0; 32] && frame.kind != u8::from(FrameKind::DelegateCall);
        guarded(frame.target) || guarded(frame.code_address) || (moves && guarded(frame.caller))
    }

    fn hook(&mut self, hook: Hook) {
        let shown = self.journal.as_ref().map(|_| self.world.clone());
        let said = |(code, detail)| Said { hook, code, detail };
        let ended = judge::<G>(&mut self.world, hook);
        let alerts: Vec<Said> = self.world.alerts.drain(..).map(said).collect();
        let veto = ended.err().map(|stopped| match stopped {
            Stopped::Vetoed(code, detail) => said((code, detail)),
            Stopped::Asked(look) => unreachable!("a scene has an answer to everything, also to {look:?}"),
        });
        if let (Some(journal), Some(world)) = (&mut self.journal, &shown) {
            journal.hook(world, hook, &alerts, veto.as_ref());
        }
        self.outcome.alerts.extend(alerts);
        self.outcome.veto = veto;
    }

    fn next_seq(&mut self) -> u32 {
        self.seq += 1;
        self.seq
    }

    fn running(&self) -> u32 {
        self.open.last().copied().unwrap_or(NO_FRAME)
    }
}

//! Plays a transaction event by event.

use std::marker::PhantomData;

use parapet_abi::{Asset, FlowReason, FlowRecord, FrameKind, FrameRecord, FrameStatus, LogRecord, NO_FRAME};

use super::{
    Stopped, Store, World,
    journal::{Ended, Journal},
    judge,
};
use crate::{Address, B256, Bytes4, Fork, Guard, U256, descriptor::Described};

/// Timestamp of the first scene's block, in seconds.
const TIMESTAMP: u64 = 1_700_000_000;
/// Sender of the transaction unless the test names another.
const SENDER: Address = Address([0x5e; 20]);

/// Where a guard spoke.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Hook {
    /// At attachment.
    Init,
    /// As the frame with this id started.
    OnCall(u32),
    /// As the frame with this id ended.
    OnCallEnd(u32),
    /// After execution.
    OnTx,
}

/// One veto or alert.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Said {
    /// Where.
    pub hook: Hook,
    /// The guard's code.
    pub code: u16,
    /// The guard's words.
    pub detail: String,
}

/// What became of a scene.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Outcome {
    /// The veto, if there was one.
    pub veto: Option<Said>,
    /// Alerts, in order.
    pub alerts: Vec<Said>,
}

impl Outcome {
    /// Code of the veto.
    #[must_use]
    pub fn vetoed(&self) -> Option<u16> {
        self.veto.as_ref().map(|veto| veto.code)
    }
}

/// A frame that is to start.
#[derive(Clone, Debug)]
pub struct Enter {
    kind: FrameKind,
    /// Target, or for a DELEGATECALL the code.
    address: Address,
    input: Vec<u8>,
    value: U256,
    is_precompile: bool,
}

impl Enter {
    fn new(kind: FrameKind, address: Address) -> Self {
        Self { kind, address, input: Vec::new(), value: U256::ZERO, is_precompile: false }
    }

    /// CALL of an account, without input or value.
    #[must_use]
    pub fn call(target: Address) -> Self {
        Self::new(FrameKind::Call, target)
    }

    /// STATICCALL of an account.
    #[must_use]
    pub fn static_call(target: Address) -> Self {
        Self::new(FrameKind::StaticCall, target)
    }

    /// DELEGATECALL: runs another account's code on the account that runs.
    #[must_use]
    pub fn delegate_call(code: Address) -> Self {
        Self::new(FrameKind::DelegateCall, code)
    }

    /// CREATE of an account.
    #[must_use]
    pub fn create(created: Address) -> Self {
        Self::new(FrameKind::Create, created)
    }

    /// The input is a selector alone.
    #[must_use]
    pub fn selector(self, selector: Bytes4) -> Self {
        self.input(&selector.0)
    }

    /// The input.
    #[must_use]
    pub fn input(self, input: &[u8]) -> Self {
        Self { input: input.to_vec(), ..self }
    }

    /// The value, in wei.
    #[must_use]
    pub fn value(self, value: U256) -> Self {
        Self { value, ..self }
    }

    /// The code is a precompile.
    #[must_use]
    pub fn precompile(self) -> Self {
        Self { is_precompile: true, ..self }
    }
}

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

    /// Sets a storage word at a fork.
    pub fn storage(&mut self, fork: Fork, account: Address, slot: U256, value: U256) -> &mut Self {
        let state = match fork {
            Fork::PreTx => &mut self.world.pre_tx,
            Fork::Now => &mut self.world.now,
            Fork::Before(_) | Fork::After(_) => {
                let now = self.world.now.clone();
                self.world.forks.entry(fork.number()).or_insert(now)
            }
        };
        state.storage.insert((account.0, slot.to_be_bytes()), value.to_be_bytes());
        self
    }

    /// What a static call answers at a fork.
    pub fn answer(&mut self, fork: Fork, contract: Address, calldata: &[u8], output: &[u8]) -> &mut Self {
        let answer = (FrameStatus::Succeeded, output.to_vec());
        self.world.answers.insert((fork.number(), contract.0, calldata.to_vec()), answer);
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

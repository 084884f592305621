//! What scenes showed to a guard and what it said, as files: so that another host, the real one, can be shown the same.
//!
//! A scene writes its journal into the folder that the environment variable [`FOLDER_VAR`] names, if it does: `parapet guard
//! test` names one, and shows what it finds there to the guard's module. A file is a [`Played`]; its form is this
//! crate's own and changes with it.
//!
//! ```
//! use parapet_guest::mock::journal::{self, Ended, Entry, Fault, Played};
//!
//! # fn show(bytes: &[u8]) -> Result<(), Fault> {
//! assert!(bytes.len() <= journal::JOURNAL_BYTES_MAX && std::env::var(journal::FOLDER_VAR).is_ok());
//! let played = Played::read(bytes)?;
//! for entry in &played.entries {
//!     if let Entry::Hook { world, hook, alerts, veto } = entry {
//!         println!("{}: {hook:?} saw {} frames: {alerts:?}, {veto:?}", played.test, world.frames.len());
//!     }
//! }
//! let kept = played.entries.iter().filter(|entry| matches!(entry, Entry::End(Ended::Committed))).count();
//! println!("{kept} transactions stand");
//! # Ok(())
//! # }
//! assert_eq!(Played::read(b"something else").unwrap_err(), Fault::NoJournal);
//! ```

mod read;

use std::{
    path::PathBuf,
    sync::{
        OnceLock,
        atomic::{AtomicU32, Ordering::Relaxed},
    },
};

use zerocopy::IntoBytes as _;

use super::{Hook, Said, State, World};

/// Names the folder into which scenes write their journals.
pub const FOLDER_VAR: &str = "PARAPET_JOURNAL";
/// Most bytes of one journal; what a scene shows beyond that is left out, and said to be.
pub const JOURNAL_BYTES_MAX: usize = 8 * 1024 * 1024;

/// What a file of this form begins with.
const MAGIC: &[u8] = b"parapet journal 1\n";
/// Tags of entries.
const HOOK: u8 = 1;
const END: u8 = 2;
const CUT: u8 = 3;

/// A journal, read back.
#[derive(Clone, Debug, Default)]
pub struct Played {
    /// The guard's descriptor.
    pub descriptor: String,
    /// The test that played it, as the test's thread is named.
    pub test: String,
    /// What happened, in order.
    pub entries: Vec<Entry>,
    /// Whether there was more than a journal holds.
    pub is_cut: bool,
}

/// One thing that happened in a scene.
#[derive(Clone, Debug)]
pub enum Entry {
    /// A hook was called.
    Hook {
        /// What the guard could see.
        world: Box<World>,
        /// Which.
        hook: Hook,
        /// What it told.
        alerts: Vec<Said>,
        /// What it vetoed.
        veto: Option<Said>,
    },
    /// The transaction ended.
    End(Ended),
}

/// What became of a transaction.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Ended {
    /// The guard's own state is kept.
    Committed,
    /// It is not.
    Dropped,
}

/// Why bytes are no journal.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fault {
    /// They begin with something else, or are of another version of this crate.
    NoJournal,
    /// They end too early, or hold what no scene writes.
    Broken,
}

/// A journal while its scene is played. It is written when the scene is dropped, also by a test that fails.
#[derive(Debug)]
pub(super) struct Journal {
    folder: PathBuf,
    bytes: Vec<u8>,
    is_cut: bool,
}

impl Journal {
    /// None, unless a folder is named.
    pub(super) fn begin(descriptor: &str) -> Option<Self> {
        static FOLDER: OnceLock<Option<PathBuf>> = OnceLock::new();
        let folder = FOLDER.get_or_init(|| std::env::var_os(FOLDER_VAR).map(PathBuf::from)).clone()?;
        let mut journal = Self { folder, bytes: MAGIC.to_vec(), is_cut: false };
        journal.text(descriptor);
        journal.text(std::thread::current().name().unwrap_or("a test"));
        Some(journal)
    }

    pub(super) fn hook(&mut self, world: &World, hook: Hook, alerts: &[Said], veto: Option<&Said>) {
        if self.is_cut || self.bytes.len() > JOURNAL_BYTES_MAX {
            self.is_cut = true;
            return;
        }
        self.bytes.push(HOOK);
        let (number, frame) = match hook {
            Hook::Init => (0, 0),
            Hook::OnCall(frame) => (1, frame),
            Hook::OnCallEnd(frame) => (2, frame),
            Hook::OnTx => (3, 0),
        };
        self.bytes.push(number);
        self.number(frame);
        self.world(world);
        self.list(alerts, Self::said);
        self.list(&Vec::from_iter(veto), |journal, said| journal.said(said));
    }

    pub(super) fn end(&mut self, ended: Ended) {
        self.bytes.extend([END, u8::from(ended == Ended::Committed)]);
    }

    fn said(&mut self, said: &Said) {
        self.number(u32::from(said.code));
        self.text(&said.detail);
    }

    fn world(&mut self, world: &World) {
        self.bytes(&world.config);
        self.bytes(world.context.as_bytes());
        self.bytes(world.accounts.as_bytes());
        self.bytes(world.frames.as_bytes());
        self.bytes(world.accesses.as_bytes());
        self.bytes(world.flows.as_bytes());
        self.bytes(world.logs.as_bytes());
        self.bytes(world.code_changes.as_bytes());
        self.bytes(world.slot_changes.as_bytes());
        self.bytes(world.preimages.as_bytes());
        self.bytes(world.authorizations.as_bytes());
        self.bytes(world.delegates.as_bytes());
        for data in [&world.inputs, &world.outputs, &world.log_data] {
            self.list(data, |journal, bytes| journal.bytes(bytes));
        }
        self.state(&world.pre_tx);
        self.state(&world.now);
        self.list(&Vec::from_iter(&world.forks), |journal, (fork, state)| {
            journal.fork(**fork);
            journal.state(state);
        });
        self.list(&Vec::from_iter(&world.answers), |journal, ((fork, contract, input), (status, output))| {
            journal.fork(*fork);
            journal.bytes(contract);
            journal.bytes(input);
            journal.bytes.push((*status).into());
            journal.bytes(output);
        });
    }

    fn state(&mut self, state: &State) {
        self.list(&Vec::from_iter(&state.storage), |journal, ((account, slot), word)| {
            journal.bytes(account);
            journal.bytes(slot);
            journal.bytes(&word[..]);
        });
        for words in [&state.balances, &state.code_hashes] {
            self.list(&Vec::from_iter(words), |journal, (account, word)| {
                journal.bytes(&account[..]);
                journal.bytes(&word[..]);
            });
        }
    }

    fn fork(&mut self, [kind, frame]: [u32; 2]) {
        self.number(kind);
        self.number(frame);
    }

    fn list<T>(&mut self, items: &[T], mut write: impl FnMut(&mut Self, &T)) {
        self.number(items.len() as u32);
        for item in items {
            write(self, item);
        }
    }

    fn text(&mut self, text: &str) {
        self.bytes(text.as_bytes());
    }

    fn bytes(&mut self, bytes: &[u8]) {
        self.number(bytes.len() as u32);
        self.bytes.extend_from_slice(bytes);
    }

    fn number(&mut self, number: u32) {
        self.bytes.extend_from_slice(&number.to_le_bytes());
    }
}

impl Drop for Journal {
    fn drop(&mut self) {
        static WRITTEN: AtomicU32 = AtomicU32::new(0);
        if self.is_cut {
            self.bytes.push(CUT);
        }
        let name = format!("{}-{}.journal", std::process::id(), WRITTEN.fetch_add(1, Relaxed));
        // A test is not to fail because nobody can be shown what it played; who reads the journals misses this one.
        let _ = std::fs::write(self.folder.join(name), &self.bytes);
    }
}

#[cfg(test)]
mod tests {
    use super::{Ended, Entry, Fault, Journal, MAGIC, Played, World};
    use crate::{
        Address, Fork, U256,
        mock::{Enter, Hook, Said, Scene},
        prelude::*,
    };

    /// Stops everything.
    #[guard(name = "no", triggers(frame))]
    struct No;

    #[guard]
    impl Guard for No {}

    fn journal() -> Journal {
        Journal {
            folder: "/nowhere".into(),
            bytes: [MAGIC, &[2, 0, 0, 0, b'{', b'}', 0, 0, 0, 0]].concat(),
            is_cut: false,
        }
    }

    fn world() -> World {
        let mut scene = Scene::new(&No, &[Address([1; 20])]);
        scene.storage(Fork::PreTx, Address([1; 20]), U256::from(7), U256::from(8));
        scene.storage(Fork::After(0), Address([1; 20]), U256::from(7), U256::from(9));
        scene.answer(Fork::Now, Address([2; 20]), b"ask", b"answer");
        scene.enter(Enter::call(Address([1; 20])).input(b"hello").value(U256::from(3)));
        scene.log(Address([1; 20]), &[B256([4; 32])], b"data");
        scene.world.clone()
    }

    #[test]
    fn what_is_written_reads_back() {
        let (mut journal, world) = (journal(), world());
        let said = |code| Said { hook: Hook::OnCall(0), code, detail: "é".to_owned() };
        journal.hook(&world, Hook::OnCall(0), &[said(1), said(2)], Some(&said(3)));
        journal.end(Ended::Committed);
        let played = Played::read(&journal.bytes).expect("it was written so");
        let [Entry::Hook { world: read, hook, alerts, veto }, Entry::End(Ended::Committed)] = &played.entries[..]
        else {
            panic!("{played:?}");
        };
        assert_eq!(format!("{read:?}"), format!("{:?}", World { store: Default::default(), ..world }));
        assert_eq!((*hook, alerts.len(), veto.as_ref().map(|said| said.code)), (Hook::OnCall(0), 2, Some(3)));
    }

    #[test]
    fn what_is_cut_short_is_refused_and_never_a_panic() {
        let mut journal = journal();
        journal.hook(&world(), Hook::OnTx, &[], None);
        let whole = journal.bytes.clone();
        for len in MAGIC.len() + 10..whole.len() {
            let read = Played::read(&whole[..len]);
            assert!(len == MAGIC.len() + 10 || read.is_err(), "{len} of {} bytes", whole.len());
        }
        let mut damaged = whole;
        for at in MAGIC.len()..damaged.len() {
            damaged[at] ^= 0xff;
            let _ = Played::read(&damaged);
            damaged[at] ^= 0xff;
        }
        assert_eq!(Played::read(b"no").expect_err("no journal"), Fault::NoJournal);
    }
}

//! The state in a file while the node runs and when it stops, as anvil writes it. A file is replaced whole or not at all.

use std::{
    fs::{self, File},
    io::Write as _,
    path::PathBuf,
    sync::Arc,
    time::Duration,
};

use parapet_builder::Chain;
use parapet_genesis::StateFile;
use parking_lot::Mutex;
use tokio::time::{Instant, MissedTickBehavior, interval_at};

use crate::failure::Failure;

/// What the file is called while it is written.
const HALF: &str = "part";

/// Writes a chain's state into a file.
pub(crate) struct Dumper {
    chain: Chain,
    path: PathBuf,
    /// Held while it is written: one that is stopped in the middle of an interval is still at work when the last one begins.
    writing: Mutex<()>,
}

impl Dumper {
    pub(crate) fn new(chain: Chain, path: PathBuf) -> Arc<Self> {
        Arc::new(Self { chain, path, writing: Mutex::new(()) })
    }

    /// Writes the state as it is now.
    pub(crate) fn dump(&self) -> Result<(), Failure> {
        let _alone = self.writing.lock();
        let head = self.chain.head();
        let json = StateFile::read(&head.world, || ())?.to_anvil(&head.block.header);
        let failed = |source| Failure::File { path: self.path.clone(), source };
        let mut name = self.path.clone().into_os_string();
        name.push(".");
        name.push(HALF);
        let mut half = File::create(&name).map_err(failed)?;
        half.write_all(&serde_json::to_vec(&json)?).and_then(|()| half.sync_all()).map_err(failed)?;
        fs::rename(&name, &self.path).map_err(failed)
    }

    /// Does so again and again. A dump that fails is told, and tried again at its next time.
    pub(crate) async fn dump_at_intervals(self: Arc<Self>, every: Duration) {
        let mut ticks = interval_at(Instant::now() + every, every);
        ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
        loop {
            ticks.tick().await;
            let dumper = Arc::clone(&self);
            match tokio::task::spawn_blocking(move || dumper.dump()).await {
                Ok(Ok(())) => {}
                Ok(Err(failure)) => tracing::warn!("the state was not dumped: {failure}"),
                Err(panic) => tracing::error!("the state was not dumped: {panic}"),
            }
        }
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test that fails here has failed")]

    use alloy_primitives::Address;
    use parapet_builder::{Amendment, Settings, SystemClock};
    use parapet_genesis::{DevGenesis, DevSettings};
    use parapet_monitor::NoMonitor;
    use parapet_state::ChainStore;

    use super::*;

    #[test]
    fn a_file_is_whole_though_dumps_meet_and_nothing_else_is_left_beside_it() {
        let store = ChainStore::in_memory(DevGenesis::build(&DevSettings::at(0)).unwrap().block);
        let chain = Chain::new(store, Settings::default(), Arc::new(NoMonitor), Arc::new(SystemClock)).unwrap();
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("state.json");
        let dumper = Dumper::new(chain.clone(), path.clone());
        std::thread::scope(|scope| {
            for thread in 0..4_u8 {
                let (dumper, chain, path) = (&dumper, &chain, &path);
                scope.spawn(move || {
                    for turn in 0..5 {
                        // Each dump is longer than the one before.
                        let code = vec![thread; 1_000];
                        let account = Address::repeat_byte(16 * thread + turn + 1);
                        chain.amend(account, Amendment::Code(code.into())).unwrap();
                        dumper.dump().unwrap();
                        StateFile::parse(&fs::read(path).unwrap()).unwrap();
                    }
                });
            }
        });
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 1);
    }
}

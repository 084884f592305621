//! The state in a file while the node runs and when it stops, as anvil writes it. A file is replaced whole or not at all.

use std::{
    fs,
    path::{Path, PathBuf},
    time::Duration,
};

use parapet_builder::Chain;
use parapet_genesis::StateFile;
use tokio::time::{Instant, MissedTickBehavior, interval_at};

use crate::failure::Failure;

/// Writes the chain's state to a file.
pub(crate) fn dump(chain: &Chain, path: &Path) -> Result<(), Failure> {
    let head = chain.head();
    let json = StateFile::read(&head.world, || ())?.to_anvil(&head.block.header);
    let failed = |source| Failure::File { path: path.to_owned(), source };
    let half = path.with_extension("part");
    fs::write(&half, serde_json::to_vec(&json)?).map_err(failed)?;
    fs::rename(&half, path).map_err(failed)
}

/// Does so again and again. A dump that fails is told, and tried again at its next time.
pub(crate) async fn dump_at_intervals(chain: Chain, path: PathBuf, every: Duration) {
    let mut ticks = interval_at(Instant::now() + every, every);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    loop {
        ticks.tick().await;
        let (chain, path) = (chain.clone(), path.clone());
        match tokio::task::spawn_blocking(move || dump(&chain, &path)).await {
            Ok(Ok(())) => {}
            Ok(Err(failure)) => tracing::warn!("the state was not dumped: {failure}"),
            Err(panic) => tracing::error!("the state was not dumped: {panic}"),
        }
    }
}

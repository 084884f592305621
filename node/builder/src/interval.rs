//! Mines at intervals, for as long as the chain's mode says so.

use tokio::time::{Instant, MissedTickBehavior, interval_at};

use crate::{Chain, ChainError, Consequence, MineRequest};

impl Chain {
    /// Follows the mining mode and mines a block whenever an interval has passed. Ends with the node, or with the
    /// error that keeps it from storing blocks.
    ///
    /// # Errors
    /// [`ChainError`] whose consequence is [`Consequence::StopNode`].
    pub async fn mine_at_intervals(self) -> Result<(), ChainError> {
        let mut modes = self.0.mining.subscribe();
        loop {
            let mode = *modes.borrow_and_update();
            let changed = match mode.interval() {
                None => modes.changed().await,
                Some(every) => {
                    let mut ticks = interval_at(Instant::now() + every, every);
                    // A block that took longer than the interval is followed by one interval, not by a burst.
                    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
                    loop {
                        tokio::select! {
                            changed = modes.changed() => break changed,
                            _ = ticks.tick() => if !self.mine_off_the_runtime().await? {
                                return Ok(());
                            },
                        }
                    }
                }
            };
            if changed.is_err() {
                return Ok(());
            }
        }
    }

    /// Whether to go on.
    async fn mine_off_the_runtime(&self) -> Result<bool, ChainError> {
        let chain = self.clone();
        let mined = tokio::task::spawn_blocking(move || chain.mine(MineRequest::default())).await;
        match mined {
            Ok(Ok(())) => Ok(true),
            Ok(Err(ChainError::Closed)) => Ok(false),
            Ok(Err(error)) => match error.consequence() {
                Consequence::StopNode => Err(error),
                Consequence::Refuse => {
                    tracing::error!("no block at this interval: {error}");
                    Ok(true)
                }
            },
            Err(panic) => {
                tracing::error!("no block at this interval: {panic}");
                Ok(true)
            }
        }
    }
}

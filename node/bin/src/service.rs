//! What every node does once it is up: it serves until it is told to stop, or cannot go on, and then stops in order.
//!
//! Order: no more requests are taken, and those at hand are answered; the block at hand is finished and nothing after it is
//! begun; the store is closed. Each step has a deadline, and a second signal ends the process at once: what was announced is
//! stored already.

use std::{io, sync::Arc, time::Duration};

use parapet_builder::Chain;
use parapet_rpc::Running;
use tokio::{
    signal::unix::{Signal, SignalKind, signal},
    time::timeout,
};

use crate::{failure::Failure, health::Watch};

/// What a shell adds to a signal's number to make an exit code of it.
const SIGNAL_CODE: i32 = 128;

/// Open files that a node asks for: its database's, and one for each connection.
const OPEN_FILES: u64 = 65_536;

/// Signals that stop a node. They are heard from when this is made.
pub(crate) struct Signals {
    interrupt: Signal,
    terminate: Signal,
}

/// Raises the number of files that this process may open, as far as the system lets it.
pub(crate) fn raise_open_files() {
    if let Err(error) = rlimit::increase_nofile_limit(OPEN_FILES) {
        tracing::warn!("the number of open files stays as it is: {error}");
    }
}

impl Signals {
    pub(crate) fn hear() -> io::Result<Self> {
        Ok(Self { interrupt: signal(SignalKind::interrupt())?, terminate: signal(SignalKind::terminate())? })
    }

    /// Waits for the next one, and gives its number.
    async fn next(&mut self) -> i32 {
        tokio::select! {
            _ = self.interrupt.recv() => SignalKind::interrupt().as_raw_value(),
            _ = self.terminate.recv() => SignalKind::terminate().as_raw_value(),
        }
    }
}

/// A node that is up.
pub(crate) struct Service {
    pub(crate) chain: Chain,
    pub(crate) server: Running,
    /// For a consensus client, if there is to be one.
    pub(crate) engine: Option<Running>,
    pub(crate) watch: Arc<Watch>,
    /// For each step of stopping.
    pub(crate) stop_max: Duration,
}

impl Service {
    /// Serves until a signal comes, or nothing can be stored any more, and stops.
    pub(crate) async fn run(self, mut signals: Signals) -> Result<(), Failure> {
        let mut miner = tokio::spawn(self.chain.clone().mine_at_intervals());
        let ended = tokio::select! {
            _ = signals.next() => Ok(()),
            () = self.chain.storage_failed() => {
                self.watch.storage_failed();
                Err(Failure::Storage)
            }
            mined = &mut miner => {
                self.watch.builder_ended();
                match mined {
                    Ok(Err(error)) => Err(error.into()),
                    Ok(Ok(())) | Err(_) => Err(Failure::Storage),
                }
            }
        };
        tracing::info!("stopping");
        self.watch.stopping();
        tokio::select! {
            stopped = self.stop() => ended.and(stopped),
            number = signals.next() => {
                tracing::warn!("told to stop again: ending at once");
                std::process::exit(SIGNAL_CODE + number)
            }
        }
    }

    async fn stop(self) -> Result<(), Failure> {
        let Self { chain, server, engine, stop_max, .. } = self;
        let seconds = stop_max.as_secs_f64();
        let stopped = async {
            if let Some(engine) = engine {
                engine.stop().await;
            }
            server.stop().await;
        };
        if timeout(stop_max, stopped).await.is_err() {
            tracing::warn!("a request is still running after {seconds} s; stopping without it");
        }
        let closed = tokio::task::spawn_blocking(move || chain.close());
        match timeout(stop_max, closed).await {
            Ok(closed) => closed.map_err(|panic| Failure::System(std::io::Error::other(panic))),
            Err(_) => Err(Failure::Unfinished { seconds }),
        }
    }
}

//! `parapet replay`: blocks that were executed before are executed again, by all threads and one transaction after the
//! other, and compared with each other and with what their headers say.
//!
//! Path of a block: [`source`] finds it with the state before it, [`rerun()`] executes it both ways, [`waits`] listens to
//! it once more where it is to be explained, [`show`] prints what came of it.

mod rerun;
mod show;
mod source;
mod waits;

use std::process::ExitCode;

use parapet_executor::Workers;
use parapet_monitor::NoMonitor;

use crate::{args::ReplayArgs, dev, failure::Failure};
use rerun::{Rerun, rerun};
use show::Show;
use source::{KeptChain, real_blocks};

/// Replays what was asked for. Code 1 tells that a block is not what it was.
pub(crate) fn run(args: &ReplayArgs) -> Result<ExitCode, Failure> {
    let mut show = Show::new(args);
    match (&args.source.datadir, &args.source.fixtures) {
        (Some(folder), _) => {
            let chain = KeptChain::open(folder, &args.chain)?;
            let numbers = chain.numbers(args.block.map(|number| number..=number).or_else(|| args.blocks.clone()))?;
            let monitor = dev::monitor(Some(folder))?;
            let how = Rerun { workers: &Workers::new(args.threads), monitor: &*monitor, explain: args.explain };
            show.begin();
            for number in numbers {
                chain.with_block(number, |case| show.block(rerun(case, how)))?;
            }
        }
        (None, Some(path)) => {
            let blocks = real_blocks(path)?;
            let how = Rerun { workers: &Workers::new(args.threads), monitor: &NoMonitor, explain: args.explain };
            show.begin();
            for block in &blocks {
                show.block(rerun(&source::real_case(block), how));
            }
        }
        (None, None) => unreachable!("the command line asks for one of them"),
    }
    Ok(show.end())
}

//! Compares the engines for so many seconds, from a seed on: `parapet-differential [SECONDS [FIRST_SEED]]`. Says what it met,
//! and fails at the first difference.

use std::{
    env,
    io::{self, Write as _},
    process::ExitCode,
    time::{Duration, Instant},
};

use parapet_differential::{Campaign, Met, Source};

/// How long it runs if nothing is said.
const SECONDS: u64 = 600;

fn main() -> io::Result<ExitCode> {
    let mut numbers = env::args().skip(1).map(|argument| argument.parse::<u64>());
    let (Some(Ok(seconds)), Some(Ok(first))) = (numbers.next().or(Some(Ok(SECONDS))), numbers.next().or(Some(Ok(0))))
    else {
        writeln!(io::stderr(), "parapet-differential [SECONDS [FIRST_SEED]]")?;
        return Ok(ExitCode::FAILURE);
    };
    let end = Instant::now() + Duration::from_secs(seconds);
    let (mut drawn, mut scripts) = (Campaign::new(), Campaign::new());
    let mut seed = first;
    while Instant::now() < end {
        for (campaign, source) in [(&mut drawn, Source::Drawn), (&mut scripts, Source::Script)] {
            if let Err(difference) = campaign.try_seed(source, seed) {
                writeln!(io::stderr(), "{source:?}, {difference}")?;
                return Ok(ExitCode::FAILURE);
            }
        }
        seed += 1;
    }
    tell(Source::Drawn, &drawn.met)?;
    tell(Source::Script, &scripts.met)?;
    Ok(ExitCode::SUCCESS)
}

fn tell(source: Source, met: &Met) -> io::Result<()> {
    let mut out = io::stdout().lock();
    writeln!(out, "{source:?}: {} seeds, {} ran, {} called an import", met.seeds, met.ran, met.called)?;
    writeln!(out, "  ends: {:?}; refused: {:?}", met.ends, met.refusals)?;
    writeln!(out, "  exhausted on one of the engines only: {}", met.given_up_by_one)?;
    writeln!(out, "  fuel compared in {} runs of the guard VM", met.fuel_compared)?;
    writeln!(out, "  {} ran with less fuel, {} of them out of it", met.shortened, met.stopped)?;
    for (import, answers) in &met.calls {
        writeln!(out, "  {import}: {answers:?}")?;
    }
    writeln!(out, "  no difference")
}

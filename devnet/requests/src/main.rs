//! Asks a node drawn requests, and sends it drawn transactions, for so many seconds, from a seed on:
//! `parapet-requests [SECONDS [FIRST_SEED [strangers | developers]]]`. Says what it met, and fails at the first answer that is none.

use std::{
    env,
    io::{self, Write as _},
    process::ExitCode,
    time::{Duration, Instant},
};

use parapet_requests::{Edge, Whose, decode_seed};

/// How long it runs if nothing is said.
const SECONDS: u64 = 600;

#[tokio::main]
async fn main() -> io::Result<ExitCode> {
    let arguments: Vec<String> = env::args().skip(1).collect();
    let number = |index: usize, usual: u64| arguments.get(index).map_or(Ok(usual), |text| text.parse());
    let whose = match arguments.get(2).map(String::as_str) {
        None | Some("strangers") => Some(Whose::Strangers),
        Some("developers") => Some(Whose::Developers),
        Some(_) => None,
    };
    let (Ok(seconds), Ok(first), Some(whose)) = (number(0, SECONDS), number(1, 0), whose) else {
        writeln!(io::stderr(), "parapet-requests [SECONDS [FIRST_SEED [strangers | developers]]]")?;
        return Ok(ExitCode::FAILURE);
    };
    let end = Instant::now() + Duration::from_secs(seconds);
    let mut edge = Edge::start(whose).await;
    let mut seed = first;
    while Instant::now() < end {
        let tried = match decode_seed(seed, edge.next_nonce()) {
            Ok(decoded) => edge.try_transaction(seed, &decoded).await,
            Err(fault) => {
                writeln!(io::stderr(), "seed {seed}: {}: {}", fault.what, fault.bytes)?;
                return Ok(ExitCode::FAILURE);
            }
        };
        if let Err(fault) = match tried {
            Ok(()) => edge.try_seed(seed).await,
            Err(fault) => Err(fault),
        } {
            writeln!(io::stderr(), "{fault}")?;
            return Ok(ExitCode::FAILURE);
        }
        seed += 1;
    }
    let met = &edge.met;
    let mut out = io::stdout().lock();
    writeln!(
        out,
        "{} seeds, {} requests, {} results, {} transactions admitted",
        seed - first,
        met.asked,
        met.results,
        met.admitted
    )?;
    writeln!(out, "errors by code: {:?}", met.errors)?;
    writeln!(out, "no fault")?;
    Ok(ExitCode::SUCCESS)
}

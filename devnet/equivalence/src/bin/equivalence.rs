//! `equivalence [SEEDS]`: executes generated blocks on several threads and one after the other, and says where they part.
//!
//! It asks what the tests ask, without what the tests depend on (the guard VM), so that it can be compiled with a
//! sanitizer in a few minutes: see `make tsan`.

use std::{
    env,
    io::{self, Write as _},
    process::ExitCode,
};

use parapet_equivalence::{
    Random, Scenario,
    crews::{Crews, Disturbance},
    generate,
};
use parapet_types::Hardfork;

/// Seeds, unless the argument says otherwise.
const SEEDS: u64 = 50;

fn main() -> ExitCode {
    let seeds = env::args().nth(1).map_or(Ok(SEEDS), |text| text.parse());
    let Ok(seeds) = seeds else {
        // Where even this cannot be said, the exit code says it.
        let _ = writeln!(io::stderr(), "how many seeds is a number");
        return ExitCode::FAILURE;
    };
    let crews = Crews::new();
    for seed in 0..seeds {
        if let Some(part) = difference(&crews, seed) {
            let _ = writeln!(io::stderr(), "seed {seed}: {part}");
            return ExitCode::FAILURE;
        }
    }
    let _ = writeln!(io::stdout(), "{seeds} seeds: in parallel as one after the other");
    ExitCode::SUCCESS
}

/// Where any way to run a seed's block parts from the others.
fn difference(crews: &Crews, seed: u64) -> Option<String> {
    let scenario = generate(seed);
    let mut disturbances = Random(seed);
    let before_cancun = Scenario { hardfork: Hardfork::Shanghai, ..scenario.clone() };
    for scenario in [&scenario, &before_cancun] {
        let hesitant = Disturbance::Hesitant(disturbances.next());
        let found = [Disturbance::None, hesitant, Disturbance::Overtaken(disturbances.next())]
            .into_iter()
            .find_map(|disturbance| crews.difference(scenario, disturbance))
            .or_else(|| crews.listed_difference(scenario, hesitant));
        if found.is_some() {
            return found;
        }
    }
    None
}

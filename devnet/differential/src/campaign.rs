//! Runs modules on both engines, counts what comes of them, and stops at the first that is not told alike: what tests and
//! the command `parapet-differential` do.

use std::{collections::BTreeMap, fmt};

use parapet_monitor::Fuel;
use parapet_vm::{Engine, EngineSettings, Optimisation};

use crate::{
    Agreement, Calls, Case, End, FUEL, Run, Said, compare, generate, guard_vm_within, interpreter_run,
    interpreter_within, script,
};

/// Instances that each engine keeps.
const INSTANCES_MAX: u32 = 8;
/// Of what a module spends, a part of so many is given to it once more.
const PARTS: u64 = 64;

/// Which modules are drawn.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Source {
    /// By wasm-smith: [`generate`].
    Drawn,
    /// Calls that make sense: [`script`].
    Script,
}

/// What was told differently, or refused by one engine only.
#[derive(Clone, Debug)]
pub struct Difference {
    /// Whose module and case it is.
    pub seed: u64,
    /// What differs.
    pub what: String,
}

impl fmt::Display for Difference {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "seed {}: {}", self.seed, self.what)
    }
}

/// What came of modules so far.
#[derive(Clone, Debug, Default)]
pub struct Met {
    /// Seeds that were tried.
    pub seeds: u64,
    /// Seeds whose module passed vetting, and ran.
    pub ran: u64,
    /// Why others were refused.
    pub refusals: BTreeMap<String, u64>,
    /// Modules that called an import.
    pub called: u64,
    /// Ends of modules, by name.
    pub ends: BTreeMap<&'static str, u64>,
    /// Those of them that one engine only gave up.
    pub given_up_by_one: u64,
    /// How imports answered.
    pub calls: Calls,
    /// Runs of the guard VM whose fuel was compared with the specification's.
    pub fuel_compared: u64,
    /// Modules that ran once more with a part of what they spend, and those of them whom that stopped.
    pub shortened: u64,
    /// Those of them that were out of fuel.
    pub stopped: u64,
}

impl Met {
    fn note(&mut self, agreement: Agreement, said: &Said, before: &Case) {
        let entries_changed = || !said.entries.iter().map(|(key, value)| (key, value)).eq(before.entries.iter());
        let kind = match (agreement, said.ends.last()) {
            (Agreement::Exhausted, _) => "exhausted",
            (_, Some(End::Returned)) if entries_changed() => "changed entries",
            (_, Some(End::Returned)) if !said.writes.is_empty() => "wrote words",
            (_, Some(End::Returned)) => "returned",
            (_, Some(End::Vetoed { .. })) => "vetoed",
            (_, Some(End::Limit)) => "exceeded a limit",
            (_, _) => "trapped",
        };
        *self.ends.entry(kind).or_default() += 1;
    }

    /// How many modules ended in one of these ways.
    #[must_use]
    pub fn ended(&self, kinds: &[&str]) -> u64 {
        kinds.iter().filter_map(|kind| self.ends.get(kind)).sum()
    }
}

/// Two engines of the guard VM, and what was met.
pub struct Campaign {
    /// With either setting of the compiler.
    engines: [Engine; 2],
    /// What came of modules so far.
    pub met: Met,
}

impl fmt::Debug for Campaign {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Campaign").field("met", &self.met).finish_non_exhaustive()
    }
}

impl Campaign {
    /// One that has not begun.
    ///
    /// # Panics
    /// When the system has no room for engines.
    #[must_use]
    pub fn new() -> Self {
        Self { engines: [Optimisation::Speed, Optimisation::None].map(engine), met: Met::default() }
    }

    /// Tries the module of a seed; none if there is none.
    ///
    /// # Errors
    /// What the engines differ about.
    pub fn try_seed(&mut self, source: Source, seed: u64) -> Result<Option<Said>, Difference> {
        let module = match source {
            Source::Drawn => generate(seed),
            Source::Script => Some(script(seed)),
        };
        self.met.seeds += 1;
        let Some(module) = module else {
            *self.met.refusals.entry("nothing was drawn".into()).or_default() += 1;
            return Ok(None);
        };
        self.try_module(seed, &module).map_err(|what| Difference { seed, what })
    }

    /// Runs a module on both engines, on the guard VM twice and with either setting of its compiler.
    fn try_module(&mut self, seed: u64, module: &[u8]) -> Result<Option<Said>, String> {
        let case = Case::new(seed);
        let other = interpreter_run(module, &case);
        let mut last = None;
        // Twice on the first, so that one of them runs on an instance that was used before.
        for index in [0, 0, 1] {
            let (said, spent, other) = match (guard_vm_within(&self.engines[index], module, &case, FUEL), &other) {
                (Ok((said, spent)), Ok(other)) => (said, spent, other),
                (Err(refusal), _) => {
                    *self.met.refusals.entry(refusal).or_default() += 1;
                    return Ok(None);
                }
                (Ok(_), Err(refusal)) => return Err(format!("only the interpreter refuses it: {refusal}")),
            };
            let agreement = compare(&said, &other.said);
            if agreement == Agreement::Different {
                return Err(format!("the guard VM says {said:#?}\nthe interpreter {:#?}", other.said));
            }
            if let Some(by_the_text) = other.spent.filter(|_| agreement == Agreement::Same) {
                if spent != by_the_text {
                    return Err(format!("{spent:?} was spent, by the text {by_the_text:?}, up to {:?}", said.ends));
                }
                self.met.fuel_compared += 1;
                last = Some((said, Some(spent)));
            } else {
                last = Some((said, None));
            }
        }
        let (Some((said, spent)), Ok(other)) = (last, other) else { return Ok(None) };
        self.met.ran += 1;
        self.met.note(compare(&said, &other.said), &said, &case);
        self.met.given_up_by_one += u64::from(said.exhausted() != other.said.exhausted());
        self.met.called += u64::from(!other.calls.is_empty());
        for (name, answers) in other.calls {
            self.met.calls.entry(name).or_default().add(answers);
        }
        if let Some(spent) = spent {
            self.shorten(seed, module, &case, spent)?;
        }
        Ok(Some(said))
    }

    /// Runs a module with a part of what it spends, which stops it in the same hook on both.
    fn shorten(&mut self, seed: u64, module: &[u8], case: &Case, spent: Fuel) -> Result<(), String> {
        let part = Fuel(spent.0 / PARTS * (1 + seed.wrapping_mul(0x9e37_79b9) % PARTS));
        let (said, short) = guard_vm_within(&self.engines[(seed & 1) as usize], module, case, part)?;
        let Run { said: other, spent: by_the_text, .. } = interpreter_within(module, case, part)?;
        self.met.shortened += 1;
        self.met.stopped += u64::from(said.exhausted());
        // What ran out says nothing that counts, and may have been stopped at once or at the hook's end.
        let same = if said.exhausted() { said.ends == other.ends } else { said == other && by_the_text == Some(short) };
        if same {
            return Ok(());
        }
        let spent = format!("{part:?} of {spent:?}, of which {short:?} was spent, by the text {by_the_text:?}");
        Err(format!("with {spent} the guard VM says {said:#?}\nthe interpreter {other:#?}"))
    }
}

impl Default for Campaign {
    fn default() -> Self {
        Self::new()
    }
}

fn engine(optimisation: Optimisation) -> Engine {
    let settings = EngineSettings { instances_max: INSTANCES_MAX, optimisation, ..EngineSettings::default() };
    Engine::new(settings).expect("there is room for an engine")
}

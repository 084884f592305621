//! Plays a scenario three ways: its attack with nobody watching, its attack against the guard, and honest traffic past the
//! guard.

use std::collections::BTreeSet;

use alloy_primitives::{Bytes, U256};
use parapet_monitor::Outcome;
use parapet_random::Random;
use parapet_types::{Destiny, Executed};

use crate::{
    ProofError,
    attach::{Module, attach},
    chain::Call,
    scene::{Scene, USERS, user},
    script::{Habit, Script},
};

/// Most transactions of a block of honest traffic, about.
const BATCH: usize = 8;
/// Blocks of honest traffic come one upon the other, but for one in so many.
const QUIET_ONE_IN: u64 = 4;
/// After that one hours pass. A user acts about once a day so: nobody empties a protocol in minutes but a thief.
const QUIET_SECONDS: (u64, u64) = (6 * 3_600, 48 * 3_600);
/// More honest transactions than one in so many that revert by themselves make a scenario worthless.
const REVERTING_ONE_IN: usize = 5;

/// How an attack ended.
#[derive(Clone, Debug, Default)]
pub struct Raid {
    /// What it took, in the unit of the scenario's loss.
    pub taken: U256,
    /// Whether that is at least what the scenario says.
    pub theft: bool,
    /// Transactions of it that were vetoed.
    pub vetoes: usize,
    /// The first veto: its code and the guard's words.
    pub words: Option<String>,
    /// Fuel of each transaction that was judged.
    pub costs: Vec<Cost>,
}

/// What a judgement cost.
#[derive(Clone, Copy, Debug)]
pub struct Cost {
    /// Fuel.
    pub fuel: u64,
    /// Time on this machine.
    pub elapsed_ns: u64,
}

/// When blocks of honest traffic come.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Pace {
    /// Some one upon the other, every twelve seconds, and then none for hours.
    #[default]
    Bursts,
    /// So many seconds pass after each, beside those that every block takes.
    Steady(u64),
}

/// How honest traffic went.
#[derive(Clone, Debug, Default)]
pub struct Traffic {
    /// Transactions that did what they were sent for.
    pub passed: usize,
    /// Those that the guard looked at.
    pub judged: usize,
    /// Those that were vetoed: false alarms.
    pub vetoed: usize,
    /// The first of them, in words.
    pub first: Option<String>,
    /// Those that reverted by themselves, which are none of the above.
    pub reverted: usize,
    /// What judging cost.
    pub costs: Vec<Cost>,
}

fn cost(executed: &Executed) -> Option<Cost> {
    let verdicts = &executed.verdicts;
    (!verdicts.is_empty()).then(|| Cost {
        fuel: verdicts.iter().map(|verdict| verdict.fuel.0).sum(),
        elapsed_ns: verdicts.iter().map(|verdict| verdict.elapsed_ns).sum(),
    })
}

/// Who vetoed, with what words; `None` for a transaction that was not vetoed.
fn words(executed: &Executed) -> Option<String> {
    let Destiny::Vetoed { code, detail, .. } = &executed.destiny else { return None };
    let by = executed.verdicts.iter().find(|verdict| verdict.outcome == Outcome::Veto);
    let guard = by.map_or("the engine", |verdict| verdict.guard.as_str());
    Some(format!("{guard} code {code}: {}", said(detail)))
}

fn said(detail: &Bytes) -> String {
    String::from_utf8_lossy(detail).into_owned()
}

/// The attack, as the script has it, and the scene that it leaves.
pub(crate) fn raid<'a>(scene: &Scene<'a>) -> Result<(Raid, Scene<'a>), ProofError> {
    let mut scene = scene.clone();
    let script = scene.script;
    let before = scene.worth(&script.loss)?;
    let mut raid = Raid::default();
    for step in &script.attack {
        let executed = scene.play(step, "attacker")?;
        if let Some(words) = words(&executed) {
            raid.vetoes += 1;
            raid.words.get_or_insert(words);
        }
        raid.costs.extend(cost(&executed));
    }
    let after = scene.worth(&script.loss)?;
    raid.taken = before.saturating_sub(after);
    raid.theft = raid.taken >= scene.names.number(&script.loss.at_least)?;
    Ok((raid, scene))
}

/// So many honest transactions, at least.
pub(crate) fn traffic(scene: &Scene<'_>, count: usize, pace: Pace, seed: u64) -> Result<Traffic, ProofError> {
    let mut honest =
        Honest { scene: scene.clone(), random: Random(seed), pace, traffic: Traffic::default(), last: String::new() };
    while honest.traffic.passed + honest.traffic.vetoed < count {
        honest.round()?;
        let Traffic { passed, vetoed, reverted, .. } = honest.traffic;
        let all = passed + vetoed + reverted;
        if all > 4 * BATCH && reverted * REVERTING_ONE_IN > all {
            let (scenario, last) = (scene.script.name.clone(), honest.last);
            return Err(ProofError::Traffic { scenario, reverted, all, last });
        }
    }
    Ok(honest.traffic)
}

struct Honest<'a> {
    scene: Scene<'a>,
    random: Random,
    pace: Pace,
    traffic: Traffic,
    /// How the last one that reverted ended.
    last: String,
}

impl<'a> Honest<'a> {
    /// A block of habits of different users; a habit that waits has blocks of its own.
    fn round(&mut self) -> Result<(), ProofError> {
        self.rest();
        let (mut calls, mut busy) = (Vec::new(), BTreeSet::new());
        let many = 1 + usize::try_from(self.random.below(BATCH as u64)).unwrap_or_default();
        while calls.len() < many && busy.len() < USERS {
            let index = usize::try_from(self.random.below(USERS as u64)).unwrap_or_default();
            if !busy.insert(index) {
                continue;
            }
            let habit = self.habit(self.scene.script);
            self.prepare(index, habit)?;
            let alone = habit.steps.iter().any(|step| step.wait > 0);
            if alone {
                self.settle(&calls)?;
                // What is drawn depends on the state, which has changed.
                self.prepare(index, habit)?;
                return self.step_by_step(habit);
            }
            for step in &habit.steps {
                let from = self.scene.names.account(step.from.as_deref().unwrap_or("$user"))?;
                let before = calls.iter().filter(|(call, _): &&(Call, &str)| call.from == from).count() as u64;
                let call = self.scene.call(step, "$user", before)?;
                calls.push((call, habit.name.as_str()));
            }
        }
        self.settle(&calls)
    }

    /// Time passes between two blocks.
    fn rest(&mut self) {
        let seconds = match self.pace {
            Pace::Steady(seconds) => seconds,
            Pace::Bursts if self.random.below(QUIET_ONE_IN) > 0 => 0,
            Pace::Bursts => QUIET_SECONDS.0 + self.random.below(QUIET_SECONDS.1 - QUIET_SECONDS.0),
        };
        self.scene.chain.wait(seconds);
    }

    /// A habit that waits between its steps, each of which has a block of its own.
    fn step_by_step(&mut self, habit: &'a Habit) -> Result<(), ProofError> {
        for step in &habit.steps {
            self.scene.chain.wait(step.wait);
            let call = self.scene.call(step, "$user", 0)?;
            self.settle(&[(call, habit.name.as_str())])?;
        }
        Ok(())
    }

    fn habit(&mut self, script: &'a Script) -> &'a Habit {
        let all: u64 = script.honest.iter().map(|habit| habit.weight).sum();
        let mut at = self.random.below(all.max(1));
        let mut habits = script.honest.iter();
        habits
            .find(|habit| {
                let found = at < habit.weight;
                at = at.saturating_sub(habit.weight);
                found
            })
            .expect("the weights add up")
    }

    fn prepare(&mut self, index: usize, habit: &Habit) -> Result<(), ProofError> {
        let other = usize::try_from(self.random.below(USERS as u64 - 1)).unwrap_or_default();
        let other = (index + 1 + other) % USERS;
        let drawn = &mut self.scene.names.drawn;
        drawn.clear();
        drawn.insert("user".to_owned(), user(index));
        drawn.insert("other".to_owned(), user(other));
        self.scene.draw(&habit.draw, &mut self.random)
    }

    fn settle(&mut self, calls: &[(Call, &str)]) -> Result<(), ProofError> {
        if calls.is_empty() {
            return Ok(());
        }
        let transactions: Vec<_> = calls.iter().map(|(call, _)| call.clone()).collect();
        for (executed, (_, habit)) in self.scene.chain.block(&transactions)?.iter().zip(calls) {
            let traffic = &mut self.traffic;
            traffic.costs.extend(cost(executed));
            traffic.judged += usize::from(!executed.verdicts.is_empty());
            if let Some(words) = words(executed) {
                traffic.vetoed += 1;
                traffic.first.get_or_insert_with(|| format!("{habit}: {words}"));
            } else if executed.succeeded() {
                traffic.passed += 1;
            } else {
                traffic.reverted += 1;
                self.last = format!("{habit}: {:?}, {}", executed.destiny, executed.output);
            }
        }
        Ok(())
    }
}

/// A scenario with a guard attached to what the script says.
pub(crate) fn guarded<'a>(scene: &Scene<'a>, guard: &str, module: &Module) -> Result<Scene<'a>, ProofError> {
    let mut scene = scene.clone();
    let accounts = scene.script.guards.get(guard).cloned().unwrap_or_default();
    attach(&mut scene, module, &accounts)?;
    Ok(scene)
}

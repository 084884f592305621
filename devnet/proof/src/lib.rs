//! Proves the shipped guards on reproductions of real attacks (`examples/attacks`).
//!
//! ```text
//! scenario.toml → Script → Scene (deployed, funded) → raid, unguarded
//!                                                   → attach → raid, guarded
//!                                                            → honest traffic, guarded → Row → Table
//! ```
//!
//! Invariant: a guard is attached as a user attaches it: the shipped module, through the registry, with the accounts and
//! nothing else. The node's own executor and judge run everything.

mod amounts;
mod attach;
mod chain;
mod error;
mod mutant;
mod play;
mod scene;
pub mod script;
pub mod table;
mod values;

use attach::Module;
use std::path::PathBuf;

pub use error::ProofError;
pub use mutant::Mutant;
pub use play::{Cost, Pace, Raid, Traffic};
use scene::Scene;
use script::Script;
use table::{Row, Table};

/// What is played.
#[derive(Clone, Debug)]
pub struct Settings {
    /// Honest transactions for each line of the table.
    pub honest: usize,
    /// When blocks of honest traffic come.
    pub pace: Pace,
    /// Only guards or scenarios whose name contains this.
    pub filter: String,
    /// Modules in place of the shipped ones, by the guards' names.
    pub modules: Option<PathBuf>,
    /// In place of every guard, this one.
    pub mutant: Option<Mutant>,
}

/// Plays every scenario against each guard that has to stop it. `told` hears of each line.
///
/// # Errors
/// [`ProofError`] where a scenario cannot be played. What a guard does is in the table.
pub fn prove(scripts: &[Script], settings: &Settings, mut told: impl FnMut(&Row)) -> Result<Table, ProofError> {
    let mut table = Table::default();
    for script in scripts {
        let wanted = |guard: &str| guard.contains(&settings.filter) || script.name.contains(&settings.filter);
        let guards: Vec<_> = script.guards.keys().filter(|guard| wanted(guard)).collect();
        if guards.is_empty() {
            continue;
        }
        let scene = Scene::new(script)?;
        let (unguarded, raided) = play::raid(&scene)?;
        for guard in guards {
            let is_shipped = settings.modules.is_some() || parapet_cli::shipped::find(guard).is_some();
            if !is_shipped {
                table.absent.push(format!("{guard} against {}", script.name));
                continue;
            }
            let watched = play::guarded(&scene, guard, &module(settings, &raided, guard)?)?;
            let row = Row {
                guard: guard.clone(),
                scenario: script.name.clone(),
                title: script.title.clone(),
                unguarded: unguarded.clone(),
                guarded: play::raid(&watched)?.0,
                honest: play::traffic(&watched, settings.honest, settings.pace, table.rows.len() as u64)?,
            };
            told(&row);
            table.rows.push(row);
        }
    }
    Ok(table)
}

/// The module to be attached. What breaks a guard may name what the attack creates, so `raided` is the scene after it.
fn module(settings: &Settings, raided: &Scene<'_>, guard: &str) -> Result<Module, ProofError> {
    if let Some(module) = settings.mutant.and_then(Mutant::module) {
        return Ok(module);
    }
    let script = raided.script;
    let mut written = script.parameters.get(guard).cloned().unwrap_or_default();
    if settings.mutant == Some(Mutant::Loosened) {
        let unbroken = || ProofError::Unbroken { scenario: script.name.clone(), guard: guard.to_owned() };
        written.extend(script.broken.get(guard).ok_or_else(unbroken)?.clone());
    }
    let parameters: Result<Vec<_>, ProofError> =
        written.iter().map(|(name, value)| Ok((name.clone(), raided.parameter(value)?))).collect();
    Module::open(guard, settings.modules.as_deref(), &parameters?)
}

//! `parapet guard check`: vets a module as a node would, and estimates what it costs at worst. A crate is built first, so that
//! what is vetted is what its sources are now.

mod estimate;
mod scene;

use std::{borrow::Cow, path::Path};

use parapet_registry::{FUEL_DEFAULT, FUEL_MAX};
use parapet_types::FuelPerGas;
use serde_json::{Value, json};

use crate::{
    CheckArgs, CliError, Report, build,
    check::estimate::{Ended, Estimate},
    module::Module,
    parameters::ParameterError,
    report::{grouped, progress},
    shipped,
};

pub(crate) fn run(args: &CheckArgs) -> Result<Report, CliError> {
    let folder = Path::new(&args.module);
    let is_crate = folder.is_dir() && shipped::find(&args.module).is_none();
    let module = if is_crate { built(folder)? } else { Module::open(&args.module)? };
    let configuration = match module.encode(&args.parameters) {
        Ok(configuration) => Some(configuration),
        // Without it the module is vetted all the same; what is given wrongly is said.
        Err(ParameterError::Missing { .. }) => None,
        Err(wrong) => return Err(wrong.into()),
    };
    let estimate = configuration.map(|configuration| Estimate::of(&module, configuration)).transpose()?;
    let mut json = module.json();
    json["fuel"] = estimate.as_ref().map_or(Value::Null, json_of);
    let mut lines = vec![module.text()];
    lines.extend(match &estimate {
        Some(estimate) => lines_of(estimate),
        None => vec!["fuel       not estimated: give the required parameters by --param NAME=VALUE".to_owned()],
    });
    lines.push("vetted: this module can be a guard".to_owned());
    Ok(Report { text: lines.join("\n"), json })
}

fn built(folder: &Path) -> Result<Module, CliError> {
    let crate_dir = build::crate_root(folder)?;
    let toolchain = build::find(&crate_dir).map_err(CliError::NoToolchain)?;
    progress(&format!("building with {toolchain}"));
    let built = build::compile(&crate_dir, &toolchain, None)?;
    Module::vet(&built.path.display().to_string(), Cow::Owned(built.wasm))
}

fn gas(fuel: u64) -> u64 {
    FuelPerGas::DEFAULT.gas(parapet_monitor::Fuel(fuel))
}

fn lines_of(estimate: &Estimate) -> Vec<String> {
    let limit = FUEL_DEFAULT;
    let mut lines = vec![format!(
        "fuel       at most its attachment's limit: {} ({} gas) where none is set, {} at most",
        grouped(limit),
        grouped(gas(limit)),
        grouped(FUEL_MAX),
    )];
    for run in &estimate.runs {
        let ended = match &run.ended {
            Ended::Returned => String::new(),
            Ended::Vetoed { code, words } => format!("; there it vetoes with code {code}: {words}"),
            Ended::Broken(how) => format!("; there it breaks: {how}"),
        };
        lines.push(format!(
            "           {} ({} gas) on a transaction that calls its account {} {}{ended}",
            grouped(run.fuel),
            grouped(gas(run.fuel)),
            grouped(u64::from(run.calls)),
            if run.calls == 1 { "time" } else { "times" },
        ));
    }
    if let Some(per_call) = estimate.per_call() {
        lines.push(format!(
            "           {} for each further call with its flow, log and changed slot{}",
            grouped(per_call),
            if estimate.grows_faster() { ", and more the more there are" } else { "" },
        ));
    }
    if let Some(calls) = estimate.calls_within(limit) {
        lines.push(format!(
            "           {} calls, about, take all of {}; then it is out of fuel, and --failure decides",
            grouped(calls),
            grouped(limit)
        ));
    }
    lines.push(format!(
        "           estimated on a made-up trace, where static calls find no code; on a chain each takes {} and {} for each gas",
        grouped(parapet_vm::metering::VIEW_CALL),
        parapet_vm::metering::VIEW_GAS,
    ));
    lines
}

fn json_of(estimate: &Estimate) -> Value {
    let run = |run: &estimate::Run| {
        let (ended, code, words) = match &run.ended {
            Ended::Returned => ("returned", None, None),
            Ended::Vetoed { code, words } => ("vetoed", Some(*code), Some(words)),
            Ended::Broken(how) => ("broken", None, Some(how)),
        };
        json!({ "calls": run.calls, "fuel": run.fuel, "gas": gas(run.fuel), "ended": ended, "code": code, "words": words })
    };
    json!({
        "limit": FUEL_DEFAULT,
        "limitMax": FUEL_MAX,
        "runs": estimate.runs.iter().map(run).collect::<Vec<_>>(),
        "perCall": estimate.per_call(),
        "callsWithinLimit": estimate.calls_within(FUEL_DEFAULT),
    })
}

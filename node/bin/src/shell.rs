//! What shells and `man` know of the program, made from its own command line.

use std::{
    io::Write as _,
    path::{Path, PathBuf},
};

use clap::CommandFactory as _;
use clap_complete::Shell;

use crate::{args::Args, failure::Failure};

/// Name of the program.
const NAME: &str = "parapet";

/// Print what a shell needs to complete commands and options.
#[derive(Clone, Debug, clap::Args)]
#[command(after_help = "Example: parapet completions bash > /usr/share/bash-completion/completions/parapet")]
pub(crate) struct CompletionsArgs {
    /// The shell.
    #[arg(value_enum)]
    shell: Shell,
}

/// Print the manual page, or write one for every command into a folder.
#[derive(Clone, Debug, clap::Args)]
#[command(after_help = "Example: parapet man --out /usr/local/share/man/man1")]
pub(crate) struct ManArgs {
    /// The folder.
    #[arg(long, value_name = "FOLDER")]
    out: Option<PathBuf>,
}

/// Prints completions.
pub(crate) fn completions(args: &CompletionsArgs) -> Result<(), Failure> {
    let mut text = Vec::new();
    clap_complete::generate(args.shell, &mut Args::command(), NAME, &mut text);
    print(&text)
}

/// Prints or writes manual pages.
pub(crate) fn man(args: &ManArgs) -> Result<(), Failure> {
    match &args.out {
        None => {
            let mut text = Vec::new();
            clap_mangen::Man::new(Args::command()).render(&mut text)?;
            print(&text)
        }
        Some(folder) => write_all(folder).map_err(|source| Failure::File { path: folder.clone(), source }),
    }
}

fn write_all(folder: &Path) -> std::io::Result<()> {
    std::fs::create_dir_all(folder)?;
    clap_mangen::generate_to(Args::command(), folder)
}

fn print(bytes: &[u8]) -> Result<(), Failure> {
    let mut stdout = std::io::stdout().lock();
    Ok(stdout.write_all(bytes).and_then(|()| stdout.flush())?)
}

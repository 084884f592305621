//! The `parapet` program: a development node and a durable one, the commands with which guards are made and attached, and those that
//! execute blocks again to compare.
//!
//! Arguments are read once, into one struct per command; nothing reads the environment later. Exit code 0 is success,
//! 1 a refusal or failure, 2 wrong use.

mod args;
mod banner;
mod config;
mod conformance;
mod db;
mod dev;
mod dump;
mod engine;
mod failure;
mod forking;
mod health;
mod logging;
mod metrics;
mod node;
mod replay;
mod service;
mod shell;
mod version;

use std::{io::Write as _, process::ExitCode};

use clap::Parser as _;

use crate::{
    args::{Args, Command},
    failure::Failure,
};

fn main() -> ExitCode {
    report_panics();
    let args = Args::parse();
    match run(args) {
        Ok(code) => code,
        Err(failure) => {
            // Without a standard error there is nobody to tell.
            let _: Result<(), _> = writeln!(std::io::stderr(), "parapet: {failure}");
            failure.exit_code()
        }
    }
}

fn run(args: Args) -> Result<ExitCode, Failure> {
    match args.command {
        Command::Dev(dev) => {
            let filter = if dev.silent { Some(logging::SILENT_FILTER) } else { dev.log.as_deref() };
            logging::start(filter, dev.log_format)?;
            dev::run(&dev).map(|()| ExitCode::SUCCESS)
        }
        Command::Node(node) => node::run(&node).map(|()| ExitCode::SUCCESS),
        Command::Config(args) => config::run(&args).map(|()| ExitCode::SUCCESS),
        Command::Completions(shell) => shell::completions(&shell).map(|()| ExitCode::SUCCESS),
        Command::Man(man) => shell::man(&man).map(|()| ExitCode::SUCCESS),
        Command::Db(db) => db::run(&db).map(|()| ExitCode::SUCCESS),
        Command::Guard(guard) => Ok(parapet_cli::run(guard)),
        Command::Replay(replay) => replay::run(&replay),
        Command::Conformance(conformance) => conformance::run(conformance),
    }
}

/// A panic is a fault of this program: one readable line instead of a trace.
fn report_panics() {
    std::panic::set_hook(Box::new(|panic| {
        let text = panic.payload_as_str().unwrap_or("no message");
        let place = panic.location().map_or_else(String::new, |place| format!(" at {place}"));
        let line = format!("parapet: internal error{place}: {text}; this is a fault of parapet, please report it");
        // Without a standard error there is nobody to tell.
        let _: Result<(), _> = writeln!(std::io::stderr(), "{line}");
    }));
}

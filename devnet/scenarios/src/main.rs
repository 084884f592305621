//! `make demo`: starts a devnet, attacks a real contract, guards it, attacks again.
//!
//! What is printed is what happened: every line is read back from the node. The last line is one JSON object, and the
//! exit code is 0 only when the story ended as it should.

mod call_tree;
mod chain;
mod contracts;
mod error;
mod node;
mod reentrancy;
mod stage;

use std::{path::PathBuf, process::ExitCode};

use error::DemoError;
use node::Node;
use stage::Stage;

/// The program under demonstration lies beside this one.
fn parapet_program() -> Result<PathBuf, DemoError> {
    let beside = std::env::current_exe().map_err(DemoError::Program)?.with_file_name("parapet");
    if beside.is_file() { Ok(beside) } else { Err(DemoError::NoProgram(beside)) }
}

async fn play(stage: &Stage) -> Result<reentrancy::Ending, DemoError> {
    let program = parapet_program()?;
    let node = Node::start(&program).await?;
    let ending = reentrancy::play(stage, &node).await;
    node.stop().await?;
    ending
}

#[tokio::main(flavor = "current_thread")]
async fn main() -> ExitCode {
    let stage = Stage::new();
    match play(&stage).await {
        Ok(ending) => {
            stage.last_line(&ending);
            if ending.is_as_it_should_be() { ExitCode::SUCCESS } else { ExitCode::FAILURE }
        }
        Err(error) => {
            stage.failure(&error);
            ExitCode::FAILURE
        }
    }
}

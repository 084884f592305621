//! The book's commands, run as they stand on its pages.

use std::process::Command;

use crate::{process::Node, tryouts::history};

/// What stands behind `$ ` in the console blocks of a page.
fn commands(page: &str) -> Vec<String> {
    let mut is_console = false;
    let mut commands = Vec::new();
    for line in page.lines() {
        match (line, is_console) {
            ("```console", _) => is_console = true,
            (line, true) if line.starts_with("```") => is_console = false,
            (line, true) => commands.extend(line.strip_prefix("$ ").map(str::to_owned)),
            (_, false) => {}
        }
    }
    commands
}

#[tokio::test]
async fn the_page_on_backtests_does_what_it_says() {
    let page = include_str!("../../../../docs/book/src/backtest.md");
    let commands = commands(page);
    assert!(commands.len() >= 6, "{commands:?}");
    let node = Node::start(&[]);
    let (_, theft) = history(&node.provider()).await;
    let folder = tempfile::tempdir().unwrap();
    let program = std::path::Path::new(env!("CARGO_BIN_EXE_parapet")).parent().unwrap();
    let path = format!("{}:{}", program.display(), std::env::var("PATH").unwrap());
    for command in commands {
        let ran = Command::new("bash")
            .args(["-c", &command])
            .env("PATH", &path)
            .env("TX", theft.to_string())
            .env("PARAPET_RPC_URL", node.ready["http"].as_str().unwrap())
            .env_remove("RUST_LOG")
            .current_dir(folder.path())
            .output()
            .unwrap();
        // `timeout` tells that it had to end what watches.
        let ended = ran.status.code() == Some(0) || command.starts_with("timeout") && ran.status.code() == Some(124);
        assert!(ended, "{command}: {ran:?}");
        let (said, hash) = (String::from_utf8(ran.stdout).unwrap(), theft.to_string());
        match command.split(' ').nth(2) {
            Some("backtest") => assert!(said.contains("vetoes     1 ") && said.contains(&hash), "{said}"),
            Some("diff") => assert!(said.contains("they differ on") && said.contains(&hash), "{said}"),
            Some("simulate") => assert!(said.contains("would have vetoed"), "{said}"),
            Some("record") => assert!(said.contains("recording  theft.recording.json"), "{said}"),
            Some(_) => assert!(said.contains("watched"), "{said}"),
            None => panic!("{command} is no command of parapet"),
        }
    }
}

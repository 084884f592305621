//! Wrong use, and what is printed.

use std::{
    io::{BufRead as _, BufReader},
    process::Stdio,
};

use crate::process::parapet;

#[test]
fn wrong_use_ends_with_code_2_and_says_what_is_right() {
    for (args, expected) in [
        (&["dev", "--port", "99999"][..], "99999"),
        (&["dev", "--hardfork", "frontier"], "osaka"),
        (&["dev", "--accounts", "0"], "1 to 1000"),
        (&["dev", "--chain-id", "0"], "chain-id"),
        (&["dev", "--block-time", "0"], "block-time"),
        (&["dev", "--block-time", "1", "--no-mining"], "cannot be used with"),
        (&["dev", "--gas-limit", "5"], "gas-limit"),
        (&["dev", "--log", "info,=,"], "--log"),
        (&["dev", "--threads", "0"], "1 to 256"),
        (&["dev", "--threads", "257"], "1 to 256"),
        (&["fly"], "fly"),
        (&[], "Usage"),
    ] {
        let output = parapet(args).output().unwrap();
        let error = String::from_utf8(output.stderr).unwrap();
        assert_eq!(output.status.code(), Some(2), "{args:?}: {error}");
        assert!(error.contains(expected), "{args:?}: {error}");
    }
}

#[test]
fn a_folder_that_is_a_file_ends_with_code_1() {
    let file = tempfile::NamedTempFile::new().unwrap();
    let output = parapet(&["dev", "--port", "0", "--datadir", file.path().to_str().unwrap()]).output().unwrap();
    let error = String::from_utf8(output.stderr).unwrap();
    assert_eq!(output.status.code(), Some(1), "{error}");
    assert_eq!(error.lines().count(), 1, "{error}");
}

#[test]
fn the_version_is_printed_with_commit_and_features() {
    let short = parapet(&["-V"]).output().unwrap();
    assert_eq!(String::from_utf8(short.stdout).unwrap(), format!("parapet {}\n", env!("CARGO_PKG_VERSION")));
    let long = parapet(&["--version"]).output().unwrap();
    assert_eq!(long.status.code(), Some(0));
    let text = String::from_utf8(long.stdout).unwrap();
    let lines: Vec<_> = text.lines().collect();
    assert_eq!(lines[0], format!("parapet {}", env!("CARGO_PKG_VERSION")), "{text}");
    let commit = lines[1].strip_prefix("commit   ").unwrap();
    let is_commit = commit.len() == 12 && commit.bytes().all(|byte| byte.is_ascii_hexdigit());
    assert!(is_commit || commit == "unknown (built outside of git)", "{text}");
    assert!(lines[2].starts_with("features "), "{text}");
    assert!(lines[3].starts_with("profile  "), "{text}");
}

#[test]
fn help_names_every_command_and_shows_how_to_begin() {
    let output = parapet(&["--help"]).output().unwrap();
    let help = String::from_utf8(output.stdout).unwrap();
    assert_eq!(output.status.code(), Some(0));
    for part in [
        "  dev ",
        "  node ",
        "  config ",
        "  db ",
        "  guard ",
        "  replay ",
        "  conformance ",
        "Examples:",
        "--help",
        "Exit code 0",
    ] {
        assert!(help.contains(part), "{part:?} is not in\n{help}");
    }
    let help = String::from_utf8(parapet(&["replay", "--help"]).output().unwrap().stdout).unwrap();
    for part in ["--datadir", "--fixtures", "--blocks <FIRST..LAST>", "--explain", "as one", "stop the node first"] {
        assert!(help.contains(part), "{part:?} is not in\n{help}");
    }
}

#[test]
fn the_banner_tells_all_that_is_needed_to_begin() {
    let mut child = parapet(&["dev", "--port", "0"]).stdout(Stdio::piped()).stderr(Stdio::null()).spawn().unwrap();
    let mut lines = Vec::new();
    for line in BufReader::new(child.stdout.take().unwrap()).lines() {
        lines.push(line.unwrap());
        if lines.last().unwrap().starts_with("Listening on 127.0.0.1:") {
            break;
        }
    }
    child.kill().unwrap();
    child.wait().unwrap();
    let banner = lines.join("\n");
    for part in [
        env!("CARGO_PKG_VERSION"),
        "(0) 0xf39Fd6e51aad88F6F4ce6aB8827279cffFb92266 (10000 ether)",
        "(9) 0xa0Ee7A142d267C1f36714E4a8F75612F20a79720 (10000 ether)",
        "0xac0974bec39a17e36ba4a6b4d238ff944bacb478cbed5efcae784d7bf4f2ff80",
        "test test test test test test test test test test test junk",
        "Chain id   31337",
        "Hardfork   osaka",
        "Threads    ",
        "/metrics (for Prometheus)",
        "Registry   0x5061726170657400000000000000000000000001",
        "Guardian   0xf39Fd6e51aad88F6F4ce6aB8827279cffFb92266",
        "parapet guard deploy",
    ] {
        assert!(banner.contains(part), "{part:?} is not in\n{banner}");
    }
}

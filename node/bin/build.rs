//! Tells the program which commit it is built from, and with what. It asks nobody but git on this machine; a tree without
//! git, or a machine without it, is said to be one.

use std::{path::Path, process::Command};

fn main() {
    println!("cargo::rerun-if-env-changed=PARAPET_COMMIT");
    let commit = std::env::var("PARAPET_COMMIT").ok().filter(|given| !given.is_empty()).or_else(commit);
    println!(
        "cargo::rustc-env=PARAPET_COMMIT={}",
        commit.unwrap_or_else(|| "unknown (built outside of git)".to_owned())
    );
    let feature =
        |(name, _): (String, String)| Some(name.strip_prefix("CARGO_FEATURE_")?.to_lowercase().replace('_', "-"));
    let mut features: Vec<_> = std::env::vars().filter_map(feature).collect();
    features.sort_unstable();
    let features = if features.is_empty() { "none".to_owned() } else { features.join(", ") };
    println!("cargo::rustc-env=PARAPET_FEATURES={features}");
    println!("cargo::rustc-env=PARAPET_PROFILE={}", std::env::var("PROFILE").unwrap_or_default());
}

/// Of the tree that this crate stands in.
fn commit() -> Option<String> {
    let commit = git(&["rev-parse", "--short=12", "HEAD"])?;
    // Cargo asks again when another commit is checked out. It does not see when files change and nothing else does, so
    // whether they differ from the commit is not told.
    for name in ["HEAD", "packed-refs"].into_iter().map(str::to_owned).chain(git(&["symbolic-ref", "-q", "HEAD"])) {
        if let Some(path) = git(&["rev-parse", "--git-path", &name]).filter(|path| Path::new(path).exists()) {
            println!("cargo::rerun-if-changed={path}");
        }
    }
    Some(commit)
}

fn git(args: &[&str]) -> Option<String> {
    let output = Command::new("git").args(args).output().ok()?;
    let text = String::from_utf8(output.stdout).ok()?;
    (output.status.success() && !text.trim().is_empty()).then(|| text.trim().to_owned())
}

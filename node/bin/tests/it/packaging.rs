//! What the program is packaged with, as far as it can be checked where neither systemd nor a container engine runs.

use std::{
    path::{Path, PathBuf},
    process::Command,
};

use crate::process::parapet;

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).ancestors().nth(2).unwrap().to_owned()
}

fn read(path: &str) -> String {
    std::fs::read_to_string(root().join(path)).unwrap_or_else(|error| panic!("{path}: {error}"))
}

/// A file's logical lines: comments left out, continued ones joined.
fn lines(path: &str) -> Vec<String> {
    let text = read(path).replace("\\\n", " ");
    text.lines().map(str::trim).filter(|line| !line.is_empty() && !line.starts_with('#')).map(str::to_owned).collect()
}

/// Whether the program knows these options: it shows its help only if it has understood what stands before.
fn understands(args: &[String]) -> bool {
    let mut args: Vec<_> = args.iter().map(String::as_str).collect();
    args.push("--help");
    parapet(&args).output().unwrap().status.success()
}

#[test]
fn the_service_starts_the_program_with_options_that_it_knows() {
    let unit = lines("node/bin/packaging/parapet.service");
    let command = unit.iter().find_map(|line| line.strip_prefix("ExecStart=")).unwrap();
    let args: Vec<String> = command.split(' ').skip(1).map(str::to_owned).collect();
    assert!(understands(&args), "{command}");
    assert!(!understands(&["node".to_owned(), "--no-such-option".to_owned()]), "the check can fail");
}

#[test]
fn systemd_finds_nothing_wrong_with_the_service() {
    if Command::new("systemd-analyze").arg("--version").output().is_err() {
        println!("skipped: there is no systemd-analyze here");
        return;
    }
    // The program need not be installed here for the unit to be right.
    let unit =
        read("node/bin/packaging/parapet.service").replace("/usr/local/bin/parapet", env!("CARGO_BIN_EXE_parapet"));
    let dir = tempfile::tempdir().unwrap();
    let file = dir.path().join("parapet.service");
    std::fs::write(&file, unit.replace("Documentation=man:parapet(1)\n", "")).unwrap();
    let checked = Command::new("systemd-analyze").args(["verify", "--man=no"]).arg(&file).output().unwrap();
    let said = String::from_utf8_lossy(&checked.stderr);
    let ours: Vec<_> = said.lines().filter(|line| line.contains("parapet.service")).collect();
    assert!(checked.status.success() && ours.is_empty(), "{said}");
}

#[test]
fn the_image_copies_what_there_is_and_starts_the_program_with_options_that_it_knows() {
    let file = lines("node/bin/packaging/Dockerfile");
    for line in file.iter().filter(|line| line.starts_with("COPY ")) {
        let sources: Vec<_> = line.split_whitespace().skip(1).filter(|part| !part.starts_with("--")).collect();
        let (_, sources) = sources.split_last().unwrap();
        for source in sources {
            // Out of the first stage comes what is built there.
            match source.strip_prefix("/src/target/release/") {
                Some(binary) => assert!(file.iter().any(|line| line.ends_with(&format!("--bin {binary}"))), "{line}"),
                None => assert!(root().join(source).exists(), "{line}"),
            }
        }
    }
    let start = file.iter().find_map(|line| line.strip_prefix("CMD ")).unwrap();
    let args: Vec<String> = serde_json::from_str(start).unwrap();
    assert!(understands(&args), "{start}");
    let init = file.iter().find(|line| line.contains("parapet config init")).unwrap();
    assert!(init.contains("/etc/parapet/parapet.toml") && start.contains("/etc/parapet/parapet.toml"), "{init}");
    assert!(lines("Makefile").iter().any(|line| line.contains("--file node/bin/packaging/Dockerfile")));
}

#[test]
fn the_image_is_built_with_the_compiler_of_the_project() {
    let toolchain: toml::Table = read("rust-toolchain.toml").parse().unwrap();
    let expected = format!("ARG RUST_VERSION={}", toolchain["toolchain"]["channel"].as_str().unwrap());
    assert!(lines("node/bin/packaging/Dockerfile").contains(&expected), "{expected}");
}

/// The rules that linters of such files have, as far as this one could break them.
#[test]
fn the_image_runs_as_a_user_of_its_own_on_the_port_and_the_folder_that_the_settings_name() {
    let file = lines("node/bin/packaging/Dockerfile");
    let said = |word: &str| file.iter().filter_map(|line| line.strip_prefix(word)).map(str::trim).collect::<Vec<_>>();
    for image in said("FROM ") {
        let image = image.split(' ').next().unwrap();
        assert!(image.contains(':') && !image.ends_with(":latest"), "{image} is another one tomorrow");
    }
    let [user] = said("USER ")[..] else { panic!("one user runs it") };
    let users = file.iter().find(|line| line.contains("useradd")).unwrap();
    assert!(user != "root" && users.contains(&format!(" {user}")) && users.contains("--uid "), "{users}");
    let place = |line: &str| file.iter().position(|is| is.starts_with(line)).unwrap();
    assert!(place("USER ") > place("RUN useradd") && place("USER ") < place("ENTRYPOINT "), "nothing is run as root");

    let settings: toml::Table = read("node/bin/src/config/parapet.toml").parse().unwrap();
    let port = settings["rpc"]["port"].as_integer().unwrap().to_string();
    assert_eq!(said("EXPOSE "), [port.as_str()]);
    let health = file.iter().find(|line| line.starts_with("HEALTHCHECK ")).unwrap();
    assert!(health.contains(&format!("/127.0.0.1/{port};")) && health.contains("GET /health "), "{health}");
    let args: Vec<String> = serde_json::from_str(said("CMD ")[0]).unwrap();
    let folder = &args[args.iter().position(|arg| arg == "--datadir").unwrap() + 1];
    assert_eq!(said("VOLUME "), [folder.as_str()]);
    assert!(users.contains(&format!("--owner={user} --group={user} --mode=0700 {folder}")), "{users}");
    let entry: Vec<String> = serde_json::from_str(said("ENTRYPOINT ")[0]).unwrap();
    assert_eq!(entry, ["parapet"], "signals reach the program, for no shell stands before it");

    for line in file.iter().filter(|line| line.contains("apt-get install")) {
        assert!(
            line.contains("--yes --no-install-recommends") && line.contains("rm -rf /var/lib/apt/lists/*"),
            "{line}"
        );
    }
    assert!(read("node/bin/build.rs").contains("PARAPET_COMMIT"), "the commit that is told is read");
    let ignored = lines("node/bin/packaging/Dockerfile.dockerignore");
    for folder in [".git", "**/target", "**/node_modules"] {
        assert!(ignored.iter().any(|line| line == folder), "{folder} is sent to the engine");
    }
}

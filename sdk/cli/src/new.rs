//! `parapet guard new`: a guard that builds and passes its tests at once.
//!
//! It refers to the SDK by the path of a checkout: the one that `--sdk` names, or the one around the current folder, around
//! this program, or that this program was built from. The crates are not published, so without a checkout there is no guard
//! to make, which is said.

use std::{
    fs,
    path::{Component, Path, PathBuf},
};

use serde_json::json;

use crate::{CliError, NewArgs, Report};

/// Longest name of a guard, in bytes; hosts accept no longer one.
const NAME_BYTES_MAX: usize = 64;

/// Words that cannot be the name of a crate: Rust's own, and those of crates that a guard uses.
const RESERVED: [&str; 59] = [
    "abstract",
    "alloc",
    "as",
    "async",
    "await",
    "become",
    "box",
    "break",
    "const",
    "continue",
    "core",
    "cosmwasm_std",
    "crate",
    "do",
    "dyn",
    "else",
    "enum",
    "extern",
    "false",
    "final",
    "fn",
    "for",
    "gen",
    "if",
    "impl",
    "in",
    "let",
    "loop",
    "macro",
    "match",
    "mod",
    "move",
    "mut",
    "override",
    "parapet_guest",
    "parapet_testing",
    "priv",
    "proc_macro",
    "pub",
    "ref",
    "return",
    "self",
    "serde",
    "static",
    "std",
    "struct",
    "super",
    "test",
    "trait",
    "true",
    "try",
    "type",
    "typeof",
    "unsafe",
    "unsized",
    "use",
    "virtual",
    "where",
    "while",
];

/// What there is in a checkout, and nowhere else.
const MARK: &str = "sdk/guest/Cargo.toml";

/// A file of a new guard: where it lies, and its text.
type File = (&'static str, &'static str);

const NATIVE: [File; 5] = [
    ("Cargo.toml", include_str!("new/native/Cargo.toml.in")),
    ("src/lib.rs", include_str!("new/native/lib.rs.in")),
    ("src/tests.rs", include_str!("new/native/tests.rs.in")),
    ("README.md", include_str!("new/native/README.md.in")),
    (".gitignore", include_str!("new/gitignore.in")),
];
const CONTRACT: [File; 5] = [
    ("Cargo.toml", include_str!("new/contract/Cargo.toml.in")),
    ("src/lib.rs", include_str!("new/contract/lib.rs.in")),
    ("src/tests.rs", include_str!("new/contract/tests.rs.in")),
    ("README.md", include_str!("new/contract/README.md.in")),
    (".gitignore", include_str!("new/gitignore.in")),
];

pub(crate) fn run(args: &NewArgs) -> Result<Report, CliError> {
    let name = name_of(&args.path)?;
    if args.path.exists() {
        return Err(CliError::Exists { path: args.path.clone() });
    }
    let checkout = checkout(args.sdk.as_deref())?;
    // With the versions that the project itself is built with, nothing has to be looked up, and so no network is needed.
    let (files, lock) = if args.cosmwasm { (CONTRACT, "guards/contracts/Cargo.lock") } else { (NATIVE, "Cargo.lock") };
    let sdk = refer(&args.path, &checkout.join("sdk"))?;
    for (path, text) in files {
        let text = text.replace("{name}", &name).replace("{Name}", &camel(&name)).replace("{file}", &name);
        write(&args.path.join(path), &text.replace("{sdk}", &sdk))?;
    }
    let lock = checkout.join(lock);
    let text = fs::read_to_string(&lock).map_err(|source| CliError::Read { path: lock, source })?;
    write(&args.path.join("Cargo.lock"), &text)?;
    let folder = args.path.display().to_string();
    let text = format!(
        "guard      {name}\nfolder     {folder}\nsdk        {sdk}\nnext       cd {folder} && parapet guard test && parapet guard \
         build"
    );
    let form = if args.cosmwasm { "cosmwasm" } else { "native" };
    Ok(Report { text, json: json!({ "guard": name, "folder": folder, "sdk": sdk, "form": form }) })
}

/// The last part of the path, if a guard and its crate can be called so.
fn name_of(path: &Path) -> Result<String, CliError> {
    let name = match path.components().next_back() {
        Some(Component::Normal(name)) => name.to_str().unwrap_or_default(),
        _ => "",
    };
    let refuse = |reason: &str| Err(CliError::Name { name: name.to_owned(), reason: reason.to_owned() });
    let fits = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '_' || c == '-';
    if name.is_empty() || name.len() > NAME_BYTES_MAX || !name.chars().all(fits) {
        return refuse("a guard's name has 1 to 64 lower-case letters, digits, '_' or '-'");
    }
    if !name.starts_with(|c: char| c.is_ascii_lowercase()) {
        return refuse("it is a crate's name, too, so a letter comes first");
    }
    if RESERVED.contains(&name.replace('-', "_").as_str()) {
        return refuse("Rust has that word for itself");
    }
    Ok(name.to_owned())
}

fn camel(name: &str) -> String {
    let parts = name.split(['_', '-']).filter(|part| !part.is_empty());
    parts.map(|part| part[..1].to_ascii_uppercase() + &part[1..]).collect()
}

/// A folder in which the SDK lies.
fn checkout(named: Option<&Path>) -> Result<PathBuf, CliError> {
    let is_checkout = |folder: &Path| folder.join(MARK).is_file();
    if let Some(named) = named {
        let found = named.ancestors().find(|folder| is_checkout(folder));
        let found = found.ok_or_else(|| CliError::NoSdk { looked: vec![named.to_owned()] })?;
        return found.canonicalize().map_err(|source| CliError::Read { path: named.to_owned(), source });
    }
    let program = std::env::current_exe().ok();
    let built_from = Path::new(env!("CARGO_MANIFEST_DIR")).ancestors().nth(2).map(Path::to_owned);
    let starts: Vec<PathBuf> = [std::env::current_dir().ok(), program, built_from].into_iter().flatten().collect();
    let found = starts.iter().flat_map(|start| start.ancestors()).find(|folder| is_checkout(folder));
    found.map(Path::to_owned).ok_or(CliError::NoSdk { looked: starts })
}

/// How a new crate refers to the SDK: by a relative path from inside of its checkout, else by the whole.
fn refer(new: &Path, sdk: &Path) -> Result<String, CliError> {
    let whole = std::path::absolute(new).map_err(|source| CliError::Read { path: new.to_owned(), source })?;
    let checkout = sdk.parent().unwrap_or(sdk);
    let inside = whole.strip_prefix(checkout).ok().filter(|inside| inside.components().all(is_plain));
    Ok(match inside {
        Some(inside) => format!("{}sdk", "../".repeat(inside.components().count())),
        // A path in TOML and in Rust: separators are the same everywhere.
        None => sdk.display().to_string().replace('\\', "/"),
    })
}

fn is_plain(part: Component<'_>) -> bool {
    matches!(part, Component::Normal(_))
}

fn write(path: &Path, text: &str) -> Result<(), CliError> {
    let wrong = |source| CliError::Write { path: path.to_owned(), source };
    path.parent().map_or(Ok(()), fs::create_dir_all).and_then(|()| fs::write(path, text)).map_err(wrong)
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::{camel, name_of, refer};

    #[test]
    fn names_are_those_of_guards_and_of_crates() {
        for path in ["demo", "guards/share_cap", "./a-b2"] {
            assert!(name_of(Path::new(path)).is_ok(), "{path}");
        }
        for path in ["", ".", "..", "/", "Demo", "1st", "-x", "a b", "mod", "core", "é", "a/..", &"x".repeat(65)] {
            assert!(name_of(Path::new(path)).is_err(), "{path:?}");
        }
    }

    #[test]
    fn types_are_named_after_guards() {
        assert_eq!([camel("demo"), camel("share_cap"), camel("a-b2__c")], ["Demo", "ShareCap", "AB2C"]);
    }

    #[test]
    fn the_sdk_is_near_for_who_stands_inside_of_its_checkout() {
        let sdk = Path::new("/code/parapet/sdk");
        assert_eq!(refer(Path::new("/code/parapet/demo"), sdk).expect("absolute"), "../sdk");
        assert_eq!(refer(Path::new("/code/parapet/mine/demo"), sdk).expect("absolute"), "../../sdk");
        assert_eq!(refer(Path::new("/code/demo"), sdk).expect("absolute"), "/code/parapet/sdk");
    }
}

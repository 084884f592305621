//! A scenario as it stands in `scenario.toml`: who deploys what, the attack, what it costs the victim, and how honest
//! users behave. `examples/attacks/README.md` explains the form.

use std::{
    collections::BTreeMap,
    fs,
    path::{Path, PathBuf},
};

use serde::Deserialize;

use crate::ProofError;

/// Contracts that scenarios share lie in this folder, which is no scenario.
pub const SHARED: &str = "shared";

/// A scenario.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Script {
    /// The folder's name.
    #[serde(skip)]
    pub name: String,
    /// Where it lies.
    #[serde(skip)]
    pub folder: PathBuf,
    /// What it reproduces, in a line.
    pub title: String,
    /// Real incidents of this class, where an account of one was read: name, date, loss.
    #[serde(default)]
    pub incidents: Vec<String>,
    /// Whose names stand for accounts without code, beside `deployer`, `attacker` and the users.
    #[serde(default)]
    pub actors: Vec<String>,
    /// The guards that have to stop the attack, each alone, and what each is attached to.
    pub guards: BTreeMap<String, Vec<String>>,
    /// What a guard is attached with beside its accounts, by name, where the class is about a list that somebody has to write.
    #[serde(default)]
    pub parameters: BTreeMap<String, BTreeMap<String, String>>,
    /// Parameters that break a guard's condition, by name: so attached, it has to miss the attack.
    pub broken: BTreeMap<String, BTreeMap<String, String>>,
    /// Who attaches them; a contract is impersonated.
    #[serde(default = "deployer")]
    pub attach_by: String,
    /// What comes before everything else.
    #[serde(default)]
    pub setup: Vec<Step>,
    /// What every user does before.
    #[serde(default)]
    pub each_user: Vec<Step>,
    /// What comes after that and before anything is attached.
    #[serde(default)]
    pub prelude: Vec<Step>,
    /// The attack, transaction by transaction.
    pub attack: Vec<Step>,
    /// What the attack takes.
    pub loss: Loss,
    /// What honest users do.
    pub honest: Vec<Habit>,
}

/// One transaction.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Step {
    /// Who sends; whoever the part of the script is about, if not said.
    pub from: Option<String>,
    /// Whom it calls.
    pub to: Option<String>,
    /// In place of that: the contract it creates, with its constructor's signature.
    pub new: Option<String>,
    /// What the created contract is called from now on.
    pub name: Option<String>,
    /// The function's signature; none for a plain transfer.
    pub call: Option<String>,
    /// Its arguments.
    #[serde(default)]
    pub args: Vec<toml::Value>,
    /// Wei that go with it.
    pub value: Option<String>,
    /// An account's delegation that goes with it (EIP-7702), signed by the account.
    pub delegate: Option<Delegation>,
    /// Seconds that pass before it.
    #[serde(default)]
    pub wait: u64,
}

/// An account that delegates to a contract's code (EIP-7702).
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Delegation {
    /// The account.
    pub account: String,
    /// Whose code it runs from now on.
    pub to: String,
}

/// A number that an attack brings down.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Loss {
    /// The balance of an account, in wei.
    pub ether_of: Option<String>,
    /// In place of that: what a contract answers.
    pub to: Option<String>,
    /// To this function.
    pub call: Option<String>,
    /// With these arguments.
    #[serde(default)]
    pub args: Vec<toml::Value>,
    /// By how much, without a guard.
    pub at_least: String,
}

/// Something that honest users do again and again.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Habit {
    /// What it is.
    pub name: String,
    /// How often, among all.
    #[serde(default = "one")]
    pub weight: u64,
    /// Numbers and accounts that are drawn anew each time.
    #[serde(default)]
    pub draw: BTreeMap<String, Draw>,
    /// Its transactions.
    pub steps: Vec<Step>,
}

/// What is drawn.
#[derive(Clone, Debug, Deserialize)]
#[serde(untagged, deny_unknown_fields)]
pub enum Draw {
    /// A number between two, small ones as often as large ones.
    Between {
        /// The lowest.
        low: String,
        /// The highest.
        high: String,
    },
    /// One of these.
    OneOf {
        /// These.
        one_of: Vec<String>,
    },
    /// A part of what a contract answers.
    Part {
        /// Whom.
        of: String,
        /// The function.
        call: String,
        /// Its arguments.
        #[serde(default)]
        args: Vec<toml::Value>,
        /// Basis points of the answer, lowest and highest.
        #[serde(default = "all")]
        bp: [u64; 2],
    },
    /// A signature under what a contract answers; `NAME.v`, `NAME.r` and `NAME.s`.
    Signature {
        /// Whose.
        signer: String,
        /// Who says the digest.
        digest_of: String,
        /// The function.
        call: String,
        /// Its arguments.
        #[serde(default)]
        args: Vec<toml::Value>,
    },
}

fn deployer() -> String {
    "deployer".to_owned()
}

const fn one() -> u64 {
    1
}

const fn all() -> [u64; 2] {
    [10_000, 10_000]
}

/// All scenarios below a folder, by name.
///
/// # Errors
/// [`ProofError::Read`], [`ProofError::Script`].
pub fn load_all(folder: &Path) -> Result<Vec<Script>, ProofError> {
    let read = |source| ProofError::Read { path: folder.to_owned(), source };
    let mut names = Vec::new();
    for entry in fs::read_dir(folder).map_err(read)? {
        let entry = entry.map_err(read)?;
        if entry.path().join("scenario.toml").is_file() {
            names.push(entry.path());
        }
    }
    names.sort();
    names.iter().map(|path| load(path)).collect()
}

fn load(folder: &Path) -> Result<Script, ProofError> {
    let path = folder.join("scenario.toml");
    let text = fs::read_to_string(&path).map_err(|source| ProofError::Read { path: path.clone(), source })?;
    let script: Script =
        toml::from_str(&text).map_err(|source| ProofError::Script { path, source: Box::new(source) })?;
    let name = folder.file_name().unwrap_or_default().to_string_lossy().into_owned();
    Ok(Script { name, folder: folder.to_owned(), ..script })
}

//! A block and the state below it, in terms in which parts can be dropped and the rest still means the same: nonces are
//! relative, addresses are parts that are played, code is acts.

use parapet_executor::Admission;
use parapet_types::{BLOCK_FUEL_MAX, Hardfork};
use serde::{Deserialize, Serialize};

use crate::{Act, Place, Watch};

/// A block and the state below it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Scenario {
    /// Rules.
    pub hardfork: Hardfork,
    /// What becomes of transactions that cannot be included.
    #[serde(with = "admission")]
    pub admission: Admission,
    /// Fee recipient.
    pub beneficiary: Place,
    /// Gas limit of the block.
    pub gas_limit: u64,
    /// Accounts below, each place once; the last one of a place counts.
    pub accounts: Vec<Account>,
    /// Contracts that other contracts, or transactions, create.
    pub children: Vec<Child>,
    /// Candidates in order.
    pub transactions: Vec<Candidate>,
    /// Withdrawals (from Shanghai on).
    pub withdrawals: Vec<Payout>,
    /// Who watches; nobody if `None`.
    pub watch: Option<Watch>,
    /// Most fuel that guards may spend.
    #[serde(default = "fuel_max")]
    pub fuel_max: u64,
    /// The candidate at whose turn the deadline has passed.
    #[serde(default)]
    pub deadline: Option<usize>,
}

const fn fuel_max() -> u64 {
    BLOCK_FUEL_MAX.0
}

/// An account of the state below.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Account {
    /// Whose.
    pub place: Place,
    /// Wei.
    pub balance: u64,
    /// Nonce.
    pub nonce: u64,
    /// Code.
    pub body: Body,
    /// Slots by number, and what they hold.
    pub storage: Vec<(u8, u64)>,
}

/// Code of an account of the state below.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Body {
    /// None.
    Empty,
    /// A program.
    Program(Vec<Act>),
    /// The runtime of the child of that number.
    Runtime(u8),
    /// An EIP-7702 delegation.
    Delegation(Place),
}

/// A contract to be created. Its acts must not name a [`Place::Child`]: its address depends on its code.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Child {
    /// What its creation does.
    pub constructor: Vec<Act>,
    /// What it does afterwards.
    pub runtime: Vec<Act>,
}

/// A transaction.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Candidate {
    /// Who pays.
    pub sender: Place,
    /// Nonce, relative to the sender's earlier ones.
    pub nonce: NonceChoice,
    /// Where it goes.
    pub to: Destination,
    /// Wei.
    pub value: u64,
    /// Gas limit.
    pub gas_limit: u64,
    /// Fees.
    pub price: Price,
    /// Last byte of the selector.
    pub selector: u8,
    /// Words of calldata; if there are none, calldata is empty and there is no selector either.
    pub arguments: Vec<Argument>,
    /// Type; [`Candidate::authorizations`] decides where there are any.
    pub envelope: Envelope,
    /// EIP-2930, where the type has it.
    pub access_list: Vec<(Place, Vec<u8>)>,
    /// EIP-7702.
    pub authorizations: Vec<Authorization>,
}

/// A nonce by what came before.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum NonceChoice {
    /// The next one.
    Next,
    /// The last one that was given out, once more.
    Again,
    /// One beyond the next; the gap stays.
    Ahead,
}

/// Where a transaction goes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Destination {
    /// To an account.
    To(Place),
    /// It creates the child of that number.
    Create(u8),
}

/// Fees in wei per gas.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Price {
    /// At most.
    pub max: u64,
    /// For the fee recipient, at most.
    pub tip: u64,
}

/// A word of calldata.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Argument {
    /// A number.
    Number(u64),
    /// A slot's key, by its number.
    Key(u8),
    /// An address.
    Address(Place),
}

/// Type of a transaction.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Envelope {
    /// Type 0.
    Legacy,
    /// Type 1.
    AccessList,
    /// Type 2.
    Dynamic,
    /// Type 3 with so many blobs.
    Blobs(u8),
}

/// An EIP-7702 authorization.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Authorization {
    /// Number of the authority.
    pub authority: u8,
    /// Whom to; `None` clears.
    pub delegate: Option<Place>,
    /// Nonce, relative to what the authority has given out earlier.
    pub nonce: NonceChoice,
    /// For which chain.
    pub chain: ChainChoice,
    /// The signature is of another nonce, so that it recovers to nobody known.
    pub forged: bool,
}

/// For which chain an authorization is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum ChainChoice {
    /// This one.
    This,
    /// Every one.
    Any,
    /// Another one.
    Other,
}

/// A withdrawal (EIP-4895).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Payout {
    /// To whom.
    pub to: Place,
    /// Gwei.
    pub gwei: u64,
}

/// A scenario that cannot be read.
#[derive(Debug, thiserror::Error)]
pub enum ScenarioError {
    /// It is not the JSON of one.
    #[error("not a scenario: {0}")]
    Json(#[from] serde_json::Error),
}

impl Scenario {
    /// A block without anything, in which others can be put.
    #[must_use]
    pub const fn empty(hardfork: Hardfork) -> Self {
        Self {
            hardfork,
            admission: Admission::Build,
            beneficiary: Place::Stranger(0),
            gas_limit: 30_000_000,
            accounts: Vec::new(),
            children: Vec::new(),
            transactions: Vec::new(),
            withdrawals: Vec::new(),
            watch: None,
            fuel_max: fuel_max(),
            deadline: None,
        }
    }

    /// Reads what [`Scenario::to_json`] wrote.
    ///
    /// # Errors
    /// [`ScenarioError`] when it is something else.
    pub fn from_json(text: &str) -> Result<Self, ScenarioError> {
        Ok(serde_json::from_str(text)?)
    }

    /// As JSON on one line, from which the block can be run again.
    ///
    /// # Errors
    /// [`ScenarioError`] if serialisation fails.
    pub fn to_json(&self) -> Result<String, ScenarioError> {
        Ok(serde_json::to_string(self)?)
    }
}

impl std::fmt::Display for Scenario {
    /// One line for each account and transaction.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let Self { hardfork, admission, beneficiary, gas_limit, fuel_max, deadline, .. } = self;
        writeln!(
            f,
            "{hardfork}, {admission:?}, fees to {beneficiary:?}, {gas_limit} gas, {fuel_max} fuel, deadline {deadline:?}"
        )?;
        self.accounts.iter().try_for_each(|account| writeln!(f, "  {account:?}"))?;
        self.children.iter().enumerate().try_for_each(|(index, child)| writeln!(f, "  child {index}: {child:?}"))?;
        let mut transactions = self.transactions.iter().enumerate();
        transactions.try_for_each(|(index, transaction)| writeln!(f, "  {index}: {transaction:?}"))?;
        self.withdrawals.iter().try_for_each(|payout| writeln!(f, "  {payout:?}"))?;
        self.watch.iter().try_for_each(|watch| writeln!(f, "  {watch:?}"))
    }
}

impl Account {
    /// An account without code.
    #[must_use]
    pub const fn funded(place: Place, balance: u64) -> Self {
        Self { place, balance, nonce: 0, body: Body::Empty, storage: Vec::new() }
    }

    /// A contract.
    #[must_use]
    pub const fn contract(place: Place, program: Vec<Act>) -> Self {
        Self { place, balance: 0, nonce: 1, body: Body::Program(program), storage: Vec::new() }
    }
}

impl Candidate {
    /// A transfer, type 2, without calldata: 21,000 gas where nothing runs, at a price of 10 with a tip of 1.
    #[must_use]
    pub const fn transfer(sender: Place, to: Place, value: u64) -> Self {
        Self {
            sender,
            nonce: NonceChoice::Next,
            to: Destination::To(to),
            value,
            gas_limit: 21_000,
            price: Price { max: 10, tip: 1 },
            selector: 0,
            arguments: Vec::new(),
            envelope: Envelope::Dynamic,
            access_list: Vec::new(),
            authorizations: Vec::new(),
        }
    }

    /// A call with arguments and plenty of gas.
    #[must_use]
    pub fn call(sender: Place, to: Place, arguments: Vec<Argument>) -> Self {
        Self { gas_limit: 500_000, arguments, ..Self::transfer(sender, to, 0) }
    }
}

impl Authorization {
    /// One that holds.
    #[must_use]
    pub const fn of(authority: u8, delegate: Option<Place>) -> Self {
        Self { authority, delegate, nonce: NonceChoice::Next, chain: ChainChoice::This, forged: false }
    }
}

/// [`Admission`] as JSON.
mod admission {
    use parapet_executor::Admission;
    use serde::{Deserialize as _, Deserializer, Serializer};

    #[allow(clippy::trivially_copy_pass_by_ref, reason = "serde hands in references")]
    pub(super) fn serialize<S: Serializer>(admission: &Admission, to: S) -> Result<S::Ok, S::Error> {
        to.serialize_bool(*admission == Admission::Import)
    }

    pub(super) fn deserialize<'de, D: Deserializer<'de>>(from: D) -> Result<Admission, D::Error> {
        Ok(if bool::deserialize(from)? { Admission::Import } else { Admission::Build })
    }
}

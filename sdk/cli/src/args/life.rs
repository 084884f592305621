//! Arguments of the commands by which an attachment lives.

use alloy_primitives::{Address, B256, Selector, keccak256};
use clap::{Args, ValueEnum};

use super::{FailureArg, NodeArgs, SignerArgs, name_and_value};

/// What an attachment declares about its own life.
#[derive(Clone, Debug, Args)]
pub struct LifeArgs {
    /// Seconds that changes of the attachment wait, at most 2,592,000. What holds off a thief with the owner's key.
    #[arg(long, value_name = "SECONDS", default_value_t = 0)]
    pub delay: u32,
    /// Who runs the guard for the accounts, and may stop what a stolen owner key sets going.
    #[arg(long, value_name = "ADDRESS")]
    pub manager: Option<Address>,
    /// A function by which the accounts can be called without this guard's veto, as in 0x3ccfd60b or 'withdraw()'; up to 16
    /// times. It should call nobody whom the caller chooses.
    #[arg(long = "escape", value_name = "SELECTOR | SIGNATURE", value_parser = selector)]
    pub escapes: Vec<Selector>,
    /// Share of vetoes, in basis points, beyond which the guard drops to shadow by itself; 0: never.
    #[arg(long, value_name = "BASIS POINTS", default_value_t = 0)]
    pub demotion_share: u16,
    /// Number of a trigger that wakes the guard, from 0, in the order of its descriptor; all without it.
    #[arg(long = "trigger", value_name = "N", value_parser = clap::value_parser!(u8).range(0..32))]
    pub triggers: Vec<u8>,
}

/// `show`
#[derive(Debug, Args)]
pub struct ShowArgs {
    /// The attachment's id.
    #[arg(value_name = "ATTACHMENT")]
    pub attachment: B256,
    /// The node.
    #[command(flatten)]
    pub node: NodeArgs,
}

/// `pending`
#[derive(Debug, Args)]
pub struct PendingArgs {
    /// The attachment's id; all attachments without it.
    #[arg(value_name = "ATTACHMENT")]
    pub attachment: Option<B256>,
    /// The node.
    #[command(flatten)]
    pub node: NodeArgs,
}

/// `configure`
#[derive(Debug, Args)]
pub struct ConfigureArgs {
    /// The attachment's id.
    #[arg(value_name = "ATTACHMENT")]
    pub attachment: B256,
    /// A parameter of the guard; one that is not given is the guard's default, not what it was.
    #[arg(long = "param", value_name = "NAME=VALUE", value_parser = name_and_value)]
    pub parameters: Vec<(String, String)>,
    /// Who has authority over the accounts, or the manager.
    #[command(flatten)]
    pub signer: SignerArgs,
}

/// `upgrade`
#[derive(Debug, Args)]
pub struct UpgradeArgs {
    /// The attachment's id.
    #[arg(value_name = "ATTACHMENT")]
    pub attachment: B256,
    /// Hash of a deployed module, or the name of a guard that is shipped.
    #[arg(value_name = "MODULE HASH | NAME")]
    pub module: String,
    /// A parameter of the new guard.
    #[arg(long = "param", value_name = "NAME=VALUE", value_parser = name_and_value)]
    pub parameters: Vec<(String, String)>,
    /// Who has authority over the accounts, or the manager.
    #[command(flatten)]
    pub signer: SignerArgs,
}

/// `set-terms`
#[derive(Debug, Args)]
pub struct TermsArgs {
    /// The attachment's id.
    #[arg(value_name = "ATTACHMENT")]
    pub attachment: B256,
    /// What follows when the guard cannot finish.
    #[arg(long, value_enum)]
    pub failure: Option<FailureArg>,
    /// Lower judges first.
    #[arg(long, value_name = "N")]
    pub priority: Option<u32>,
    /// Fuel for one transaction.
    #[arg(long, value_name = "N")]
    pub fuel_max: Option<u64>,
    /// Share of vetoes, in basis points, beyond which the guard drops to shadow by itself; 0: never.
    #[arg(long, value_name = "BASIS POINTS")]
    pub demotion_share: Option<u16>,
    /// A function by which the accounts can be called without this guard's veto; these replace the former ones.
    #[arg(long = "escape", value_name = "SELECTOR | SIGNATURE", value_parser = selector, conflicts_with = "no_escapes")]
    pub escapes: Vec<Selector>,
    /// Take all escapes away.
    #[arg(long)]
    pub no_escapes: bool,
    /// Number of a trigger that wakes the guard; these replace the former ones.
    #[arg(long = "trigger", value_name = "N", value_parser = clap::value_parser!(u8).range(0..32))]
    pub triggers: Vec<u8>,
    /// Who has authority over the accounts, or the manager.
    #[command(flatten)]
    pub signer: SignerArgs,
}

/// `set-delay`
#[derive(Debug, Args)]
pub struct DelayArgs {
    /// The attachment's id.
    #[arg(value_name = "ATTACHMENT")]
    pub attachment: B256,
    /// For how long changes wait, at most 2,592,000.
    #[arg(value_name = "SECONDS")]
    pub delay: u32,
    /// Who has authority over the accounts.
    #[command(flatten)]
    pub signer: SignerArgs,
}

/// `apply`, `cancel`
#[derive(Debug, Args)]
pub struct ChangeArgs {
    /// The attachment's id.
    #[arg(value_name = "ATTACHMENT")]
    pub attachment: B256,
    /// What waits.
    #[arg(value_enum)]
    pub kind: KindArg,
    /// Anyone, to apply; who may stop it, to cancel.
    #[command(flatten)]
    pub signer: SignerArgs,
}

/// `propose-manager`
#[derive(Debug, Args)]
pub struct ManagerArgs {
    /// The attachment's id.
    #[arg(value_name = "ATTACHMENT")]
    pub attachment: B256,
    /// Who is offered the office, and takes it by `accept-manager`; the zero address: nobody.
    #[arg(value_name = "ADDRESS")]
    pub next: Address,
    /// The manager, who hands it on at once, or who has authority over the accounts, which waits.
    #[command(flatten)]
    pub signer: SignerArgs,
}

/// `authority`
#[derive(Debug, Args)]
pub struct AuthorityArgs {
    /// The account.
    #[arg(value_name = "ACCOUNT")]
    pub account: Address,
    /// Whether this one has authority over it.
    #[arg(long, value_name = "ADDRESS")]
    pub of: Option<Address>,
    /// The node.
    #[command(flatten)]
    pub node: NodeArgs,
}

/// `confirm-authority`
#[derive(Debug, Args)]
pub struct AccountArgs {
    /// The account.
    #[arg(value_name = "ACCOUNT")]
    pub account: Address,
    /// Who has authority over it.
    #[command(flatten)]
    pub signer: SignerArgs,
}

/// `prove-deployer`
#[derive(Debug, Args)]
pub struct ProveArgs {
    /// The account that the key's address created.
    #[arg(value_name = "ACCOUNT")]
    pub account: Address,
    /// Nonce of the creating transaction.
    #[arg(long, value_name = "N", required_unless_present = "salt")]
    pub nonce: Option<u64>,
    /// Salt of the CREATE2, where the sender is the factory.
    #[arg(long, value_name = "BYTES32", requires = "init_code_hash", conflicts_with = "nonce")]
    pub salt: Option<B256>,
    /// Keccak-256 of the init code of the CREATE2.
    #[arg(long, value_name = "BYTES32", requires = "salt")]
    pub init_code_hash: Option<B256>,
    /// Who created it.
    #[command(flatten)]
    pub signer: SignerArgs,
}

/// What a change is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum KindArg {
    /// A new attachment.
    Attach,
    /// Shadow or enforce.
    Mode,
    /// Module and configuration.
    Content,
    /// How it judges.
    Terms,
    /// How long changes wait.
    Delay,
    /// Who runs it.
    Manager,
    /// Judging again after a pause.
    Unpause,
    /// Removal.
    Detach,
}

/// `0x` and eight hex digits, or a function's signature.
fn selector(text: &str) -> Result<Selector, String> {
    if let Ok(selector) = text.parse() {
        return Ok(selector);
    }
    let is_signature = text.find('(').is_some_and(|open| open > 0) && text.ends_with(')') && !text.contains(' ');
    if !is_signature {
        return Err("write 0x and eight hex digits, or a signature without spaces, as in withdraw(uint256)".to_owned());
    }
    let hash = keccak256(text);
    Ok(Selector::from_slice(&hash[..4]))
}

#[cfg(test)]
mod tests {
    use alloy_primitives::hex;

    use super::{Selector, selector};

    #[test]
    fn an_escape_is_a_selector_or_the_signature_it_is_made_of() {
        let withdraw = Ok(Selector::from(hex!("3ccfd60b")));
        assert_eq!(selector("0x3ccfd60b"), withdraw);
        assert_eq!(selector("withdraw()"), withdraw);
        for wrong in ["withdraw", "()", "withdraw( )", "0x3ccfd6", ""] {
            assert!(selector(wrong).is_err(), "{wrong}");
        }
    }
}

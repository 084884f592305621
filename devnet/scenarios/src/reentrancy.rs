//! A vault is drained by re-entry; with a guard attached the same attack is vetoed, and honest users are not.

use std::collections::HashMap;

use alloy_primitives::{Address, Bytes, U256};
use alloy_rpc_types_eth::TransactionReceipt;
use alloy_sol_types::SolCall as _;
use parapet_monitor::{Outcome, Verdict};
use serde::{Serialize, Serializer};

use crate::{
    chain::{Actor, GAS_LIMIT},
    contracts::{Attacker, Vault, attacker_code, vault_code},
    error::DemoError,
    node::Node,
    stage::{Stage, ether},
};

/// How a transaction of the story ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Fate {
    /// Status 1.
    Succeeded,
    /// Status 0, by a guard's veto.
    Vetoed,
    /// Status 0, by itself.
    Reverted,
}

impl Fate {
    fn of(receipt: &TransactionReceipt, verdicts: &[Verdict]) -> Self {
        match (receipt.status(), verdicts.iter().any(|verdict| verdict.outcome == Outcome::Veto)) {
            (true, _) => Self::Succeeded,
            (false, true) => Self::Vetoed,
            (false, false) => Self::Reverted,
        }
    }
}

fn decimal<S: Serializer>(wei: &U256, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.collect_str(wei)
}

/// The last line.
#[derive(Debug, Serialize)]
pub(crate) struct Ending {
    attack_unguarded: Fate,
    attack_guarded: Fate,
    quiet_attack_guarded: Fate,
    honest_guarded: Fate,
    /// What the vault held before the unguarded attack, and before the guarded one, in wei.
    #[serde(serialize_with = "decimal")]
    vault_before: U256,
    /// What the unguarded attack left.
    #[serde(serialize_with = "decimal")]
    vault_after_unguarded: U256,
    /// What the guarded attacks left, before the honest withdrawal.
    #[serde(serialize_with = "decimal")]
    vault_after: U256,
    /// What the honest user got back.
    #[serde(serialize_with = "decimal")]
    honest_withdrawn: U256,
    /// What the attacker paid for being vetoed.
    #[serde(serialize_with = "decimal")]
    attacker_paid: U256,
    fuel: u64,
    /// What the honest user paid for being guarded.
    guard_gas: u64,
}

impl Ending {
    /// The attack works without the guard and fails with it, whichever way it is made; the honest user is served.
    pub(crate) fn is_as_it_should_be(&self) -> bool {
        self.attack_unguarded == Fate::Succeeded
            && self.vault_after_unguarded.is_zero()
            && self.attack_guarded == Fate::Vetoed
            && self.quiet_attack_guarded == Fate::Vetoed
            && self.vault_after == self.vault_before
            && !self.attacker_paid.is_zero()
            && self.honest_guarded == Fate::Succeeded
            && !self.honest_withdrawn.is_zero()
            && self.guard_gas > 0
    }
}

const ETHER: U256 = U256::from_limbs([1_000_000_000_000_000_000, 0, 0, 0]);

/// Who is who.
struct Cast {
    protocol: Actor,
    alice: Actor,
    bob: Actor,
    mallory: Actor,
    vault: Address,
    attacker: Address,
}

impl Cast {
    fn names(&self) -> HashMap<Address, &'static str> {
        let people = [&self.protocol, &self.alice, &self.bob, &self.mallory];
        let mut names: HashMap<_, _> = people.into_iter().map(|actor| (actor.address, actor.name)).collect();
        names.insert(self.vault, "Vault");
        names.insert(self.attacker, "Attacker");
        names
    }
}

/// Plays the story on a fresh node.
pub(crate) async fn play(stage: &Stage, node: &Node) -> Result<Ending, DemoError> {
    let cast = set_up(stage, node).await?;
    let vault_before = cast.alice.balance_of(cast.vault).await?;
    let snapshot = cast.protocol.snapshot().await?;
    let (attack_unguarded, vault_after_unguarded) = attack_unguarded(stage, &cast).await?;

    stage.chapter(3, "Back to before the attack, and the vault's owner guards it");
    stage.command("evm_revert");
    cast.protocol.revert(snapshot).await?;
    guard(stage, node, &cast).await?;

    let mallory_before = cast.mallory.balance_of(cast.mallory.address).await?;
    let (attack_guarded, fuel) = attack_guarded(stage, &cast).await?;
    let quiet_attack_guarded = attack_quietly(stage, &cast).await?;
    let vault_after = cast.alice.balance_of(cast.vault).await?;
    let mallory_after = cast.mallory.balance_of(cast.mallory.address).await?;
    stage.balance("Vault", vault_before, vault_after);
    stage.balance("Mallory", mallory_before, mallory_after);
    let (honest_guarded, honest_withdrawn, guard_gas) = withdraw_honestly(stage, &cast).await?;
    Ok(Ending {
        attack_unguarded,
        attack_guarded,
        quiet_attack_guarded,
        honest_guarded,
        vault_before,
        vault_after_unguarded,
        vault_after,
        honest_withdrawn,
        attacker_paid: mallory_before.saturating_sub(mallory_after),
        fuel,
        guard_gas,
    })
}

async fn set_up(stage: &Stage, node: &Node) -> Result<Cast, DemoError> {
    stage.chapter(1, "A development chain, a vault with a flaw, and two people who trust it");
    stage.line(&format!("parapet dev listens on {}, registry at {}", node.banner.http, node.banner.registry));
    let actor = |name, index| Actor::new(name, &node.banner, index);
    let (protocol, alice, bob, mallory) =
        (actor("Protocol", 0)?, actor("Alice", 1)?, actor("Bob", 2)?, actor("Mallory", 9)?);
    let vault = protocol.deploy(vault_code()?).await?;
    stage.line(&format!("Vault at {vault}: withdraw() pays before it updates the balance"));
    for (person, amount) in [(&alice, 5), (&bob, 5)] {
        let value = ETHER * U256::from(amount);
        person.send(Some(vault), Vault::depositCall {}.abi_encode().into(), value, None).await?;
        stage.line(&format!("{} deposits {}", person.name, ether(value)));
    }
    let attacker = mallory.deploy(attacker_code(vault)?).await?;
    stage.line(&format!("Mallory deploys her Attacker at {attacker}"));
    Ok(Cast { protocol, alice, bob, mallory, vault, attacker })
}

fn attack_call() -> Bytes {
    Attacker::attackCall {}.abi_encode().into()
}

async fn attack_unguarded(stage: &Stage, cast: &Cast) -> Result<(Fate, U256), DemoError> {
    stage.chapter(2, "Mallory attacks the unguarded vault with 1 ether");
    let before = cast.mallory.balance_of(cast.vault).await?;
    let loot_before = cast.mallory.balance_of(cast.attacker).await?;
    let receipt = cast.mallory.send(Some(cast.attacker), attack_call(), ETHER, Some(GAS_LIMIT)).await?;
    let verdicts = cast.mallory.verdicts(receipt.transaction_hash).await?;
    stage.call_tree(&cast.mallory.calls(receipt.transaction_hash).await?, &cast.names(), &verdicts);
    let after = cast.mallory.balance_of(cast.vault).await?;
    stage.balance("Vault", before, after);
    stage.balance("Attacker", loot_before, cast.mallory.balance_of(cast.attacker).await?);
    let fate = Fate::of(&receipt, &verdicts);
    if fate == Fate::Succeeded {
        stage.bad("the attack succeeded: nobody was watching while it ran");
    }
    Ok((fate, after))
}

async fn guard(stage: &Stage, node: &Node, cast: &Cast) -> Result<(), DemoError> {
    let vault = cast.vault.to_string();
    stage.command("parapet guard deploy reentrancy");
    let deployed = node.guard(&["deploy", "reentrancy"], &cast.protocol.key).await?;
    stage.line(&format!("module {}", text(&deployed, "module")));
    stage.command(&format!("parapet guard attach reentrancy --account {vault} --mode enforce"));
    let arguments = ["attach", "reentrancy", "--account", &vault, "--mode", "enforce"];
    let attached = node.guard(&arguments, &cast.protocol.key).await?;
    stage.line(&format!("attachment {}", text(&attached, "attachment")));
    Ok(())
}

fn text<'a>(value: &'a serde_json::Value, key: &str) -> &'a str {
    value[key].as_str().unwrap_or("?")
}

async fn attack_guarded(stage: &Stage, cast: &Cast) -> Result<(Fate, u64), DemoError> {
    stage.chapter(4, "Mallory attacks again");
    match cast.mallory.estimate(cast.attacker, attack_call(), ETHER).await {
        Ok(gas) => stage.bad(&format!("her wallet sees nothing wrong and estimates {gas} gas")),
        Err((code, message)) => stage.good(&format!("her wallet warns, error {code}: {message}")),
    }
    stage.line("she sends it all the same, with a gas limit of her own:");
    let receipt = cast.mallory.send(Some(cast.attacker), attack_call(), ETHER, Some(GAS_LIMIT)).await?;
    let verdicts = tell(stage, cast, &receipt).await?;
    Ok((Fate::of(&receipt, &verdicts), verdicts.iter().map(|verdict| verdict.fuel.0).sum()))
}

async fn attack_quietly(stage: &Stage, cast: &Cast) -> Result<Fate, DemoError> {
    stage.chapter(5, "Mallory wraps the attack in try/catch, so that no revert could stop her transaction");
    let input = Attacker::attackQuietlyCall {}.abi_encode().into();
    let receipt = cast.mallory.send(Some(cast.attacker), input, ETHER, Some(GAS_LIMIT)).await?;
    let verdicts = tell(stage, cast, &receipt).await?;
    Ok(Fate::of(&receipt, &verdicts))
}

/// Tells what a transaction did and what was said of it.
async fn tell(stage: &Stage, cast: &Cast, receipt: &TransactionReceipt) -> Result<Vec<Verdict>, DemoError> {
    let verdicts = cast.mallory.verdicts(receipt.transaction_hash).await?;
    stage.call_tree(&cast.mallory.calls(receipt.transaction_hash).await?, &cast.names(), &verdicts);
    stage.verdicts(&verdicts);
    let status = if receipt.status() { "1, succeeded" } else { "0, reverted as a whole" };
    let guard_gas = cast.mallory.guard_gas(receipt.transaction_hash).await?;
    let gas = receipt.gas_used;
    stage.line(&format!("receipt: status {status}; {gas} gas paid by the sender, {guard_gas} of it for the guard"));
    Ok(verdicts)
}

async fn withdraw_honestly(stage: &Stage, cast: &Cast) -> Result<(Fate, U256, u64), DemoError> {
    stage.chapter(6, "Alice withdraws, as ever");
    let before = cast.alice.balance_of(cast.vault).await?;
    let input = Vault::withdrawCall {}.abi_encode().into();
    let receipt = cast.alice.send(Some(cast.vault), input, U256::ZERO, None).await?;
    let verdicts = tell(stage, cast, &receipt).await?;
    let after = cast.alice.balance_of(cast.vault).await?;
    stage.balance("Vault", before, after);
    let guard_gas = cast.alice.guard_gas(receipt.transaction_hash).await?;
    Ok((Fate::of(&receipt, &verdicts), before.saturating_sub(after), guard_gas))
}

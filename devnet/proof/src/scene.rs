//! A scenario's chain: who takes part, what is deployed, and steps of its script as transactions.

use std::{collections::BTreeMap, fs};

use alloy_eips::eip7702::SignedAuthorization;
use alloy_primitives::{Address, B256, Bytes, Signature, TxKind, U256, hex, keccak256};
use alloy_signer::SignerSync as _;
use alloy_signer_local::PrivateKeySigner;
use parapet_random::Random;
use parapet_types::Executed;

use crate::{
    ProofError,
    amounts::between,
    chain::{Call, Chain},
    script::{Delegation, Draw, Loss, SHARED, Script, Step},
    values::Names,
};

/// Honest users of a scenario.
pub(crate) const USERS: usize = 32;

/// A scenario that is set up, without guards.
#[derive(Clone, Debug)]
pub(crate) struct Scene<'a> {
    pub(crate) script: &'a Script,
    pub(crate) chain: Chain,
    pub(crate) names: Names,
    /// Who created an account, with which nonce.
    pub(crate) creations: BTreeMap<Address, (Address, u64)>,
}

/// The name of a user.
pub(crate) fn user(index: usize) -> String {
    format!("user{index}")
}

/// The key of somebody who takes part.
fn key(name: &str) -> PrivateKeySigner {
    let seed = keccak256(format!("parapet proof {name}"));
    PrivateKeySigner::from_bytes(&seed).expect("a hash is zero or above the order for nobody")
}

fn sign_hash(key: &PrivateKeySigner, hash: B256) -> Result<Signature, ProofError> {
    key.sign_hash_sync(&hash).map_err(|error| ProofError::Step { what: "signing".to_owned(), how: error.to_string() })
}

impl<'a> Scene<'a> {
    /// Deploys and prepares.
    pub(crate) fn new(script: &'a Script) -> Result<Self, ProofError> {
        let mut scene = Self { script, chain: Chain::new()?, names: Names::default(), creations: BTreeMap::new() };
        let users = (0..USERS).map(user);
        let others = ["deployer", "attacker"].map(str::to_owned).into_iter().chain(script.actors.clone());
        for name in users.chain(others) {
            let address = key(&name).address();
            scene.chain.fund(address);
            scene.names.accounts.insert(name, address);
        }
        scene.must(&script.setup, "deployer")?;
        for name in (0..USERS).map(user) {
            scene.names.drawn.insert("user".to_owned(), name);
            scene.must(&script.each_user, "$user")?;
        }
        scene.names.drawn.clear();
        scene.must(&script.prelude, "deployer")?;
        Ok(scene)
    }

    fn must(&mut self, steps: &[Step], sender: &str) -> Result<(), ProofError> {
        for step in steps {
            let executed = self.play(step, sender)?;
            if !executed.succeeded() {
                return Err(ProofError::Step { what: self.what(step), how: format!("{:?}", executed.destiny) });
            }
        }
        Ok(())
    }

    /// Plays one step in a block of its own.
    pub(crate) fn play(&mut self, step: &Step, sender: &str) -> Result<Executed, ProofError> {
        self.chain.wait(step.wait);
        let call = self.call(step, sender, 0)?;
        self.chain.send(&call)
    }

    /// Says which step.
    pub(crate) fn what(&self, step: &Step) -> String {
        let target = step.to.as_deref().or(step.name.as_deref()).unwrap_or("a contract");
        let called = step.call.as_deref().or(step.new.as_deref()).unwrap_or("a transfer");
        format!("{}: {target} {called}", self.script.name)
    }

    /// A step as a transaction. `before` is how many of the sender's stand before it in its block.
    pub(crate) fn call(&mut self, step: &Step, sender: &str, before: u64) -> Result<Call, ProofError> {
        let from = self.names.account(step.from.as_deref().unwrap_or(sender))?;
        let value = step.value.as_deref().map_or(Ok(U256::ZERO), |value| self.names.number(value))?;
        if let Some(signature) = &step.new {
            let contract = signature.split('(').next().unwrap_or_default();
            let mut input = self.creation(contract)?;
            input.extend(self.names.arguments(signature, &step.args)?);
            let nonce = self.chain.nonce(from) + before;
            let address = from.create(nonce);
            self.creations.insert(address, (from, nonce));
            self.names.accounts.insert(step.name.clone().unwrap_or_else(|| contract.to_owned()), address);
            return Ok(Call { from, to: TxKind::Create, value, input: input.into(), delegation: None });
        }
        let to = self.names.account(step.to.as_deref().unwrap_or_default())?;
        let input = step.call.as_deref().map_or(Ok(Bytes::new()), |call| self.names.calldata(call, &step.args))?;
        let delegation = step.delegate.as_ref().map(|delegation| self.delegation(delegation)).transpose()?;
        Ok(Call { from, to: TxKind::Call(to), value, input, delegation })
    }

    fn delegation(&self, written: &Delegation) -> Result<SignedAuthorization, ProofError> {
        let name = self.names.resolved(&written.account)?;
        let (account, to) = (self.names.account(&written.account)?, self.names.account(&written.to)?);
        let authorization = self.chain.delegation(account, to);
        let signature = sign_hash(&key(&name), authorization.signature_hash())?;
        Ok(authorization.into_signed(signature))
    }

    /// A parameter as the command line takes it: `@name` stands for an account, `code_of(name)` for the hash of an
    /// account's code, or of a contract's of this name.
    pub(crate) fn parameter(&self, written: &str) -> Result<String, ProofError> {
        let mut text = written.to_owned();
        while let Some((before, rest)) = text.split_once("code_of(") {
            let (name, after) = rest.split_once(')').ok_or_else(|| ProofError::Name { name: written.to_owned() })?;
            text = format!("{before}{}{after}", self.code_hash(name)?);
        }
        while let Some((before, rest)) = text.split_once('@') {
            let end = rest.find(|letter: char| !letter.is_alphanumeric() && letter != '_').unwrap_or(rest.len());
            let (name, after) = rest.split_at(end);
            text = format!("{before}{}{after}", self.names.account(name)?);
        }
        Ok(text)
    }

    fn creation(&self, contract: &str) -> Result<Vec<u8>, ProofError> {
        self.artifact(contract, "bytecode")
    }

    fn code_hash(&self, name: &str) -> Result<B256, ProofError> {
        match self.names.account(name) {
            Ok(account) => Ok(self.chain.code_hash(account)),
            Err(_) => self.artifact(name, "deployedBytecode").map(keccak256),
        }
    }

    /// Bytes of a contract's artefact.
    fn artifact(&self, contract: &str, field: &str) -> Result<Vec<u8>, ProofError> {
        let unknown = || ProofError::Contract { scenario: self.script.name.clone(), contract: contract.to_owned() };
        let own = self.script.folder.join("artifacts");
        let shared = self.script.folder.with_file_name(SHARED).join("artifacts");
        let file =
            [own, shared].map(|folder| folder.join(format!("{contract}.json"))).into_iter().find(|file| file.is_file());
        let path = file.ok_or_else(unknown)?;
        let text = fs::read_to_string(&path).map_err(|source| ProofError::Read { path, source })?;
        let artifact: serde_json::Value = serde_json::from_str(&text).map_err(|_| unknown())?;
        let code = artifact[field].as_str().and_then(|code| hex::decode(code).ok());
        code.filter(|code| !code.is_empty()).ok_or_else(unknown)
    }

    /// The first word of what a contract answers.
    fn ask(&self, to: &str, call: &str, args: &[toml::Value]) -> Result<U256, ProofError> {
        let output = self.chain.view(self.names.account(to)?, self.names.calldata(call, args)?)?;
        Ok(output.get(..32).map(U256::from_be_slice).unwrap_or_default())
    }

    /// What there is to lose, now.
    pub(crate) fn worth(&self, loss: &Loss) -> Result<U256, ProofError> {
        match (&loss.ether_of, &loss.to, &loss.call) {
            (Some(account), _, _) => Ok(self.chain.balance(self.names.account(account)?)),
            (None, Some(to), Some(call)) => self.ask(to, call, &loss.args),
            (None, _, _) => Err(ProofError::Name { name: "loss: write ether_of, or to and call".to_owned() }),
        }
    }

    /// Draws what a habit wants drawn. Names are drawn in their order; later ones may use earlier ones.
    pub(crate) fn draw(&mut self, draws: &BTreeMap<String, Draw>, random: &mut Random) -> Result<(), ProofError> {
        for (name, draw) in draws {
            let drawn = match draw {
                Draw::Between { low, high } => {
                    between(random, self.names.number(low)?, self.names.number(high)?).to_string()
                }
                Draw::OneOf { one_of } => {
                    let index = random.below(one_of.len().max(1) as u64);
                    one_of.get(usize::try_from(index).unwrap_or_default()).cloned().unwrap_or_default()
                }
                Draw::Part { of, call, args, bp: [low, high] } => {
                    let share = low + random.below(high.saturating_sub(*low) + 1);
                    let whole = self.ask(of, call, args)?;
                    if share == 10_000 { whole } else { whole.saturating_mul(U256::from(share)) / U256::from(10_000) }
                        .to_string()
                }
                Draw::Signature { signer, digest_of, call, args } => {
                    let digest = self.ask(digest_of, call, args)?;
                    self.sign(name, signer, digest)?;
                    continue;
                }
            };
            self.names.drawn.insert(name.clone(), drawn);
        }
        Ok(())
    }

    fn sign(&mut self, name: &str, signer: &str, digest: U256) -> Result<(), ProofError> {
        let signature = sign_hash(&key(&self.names.resolved(signer)?), digest.into())?;
        for (part, value) in [
            ("v", (27 + u8::from(signature.v())).to_string()),
            ("r", hex::encode_prefixed(signature.r().to_be_bytes::<32>())),
            ("s", hex::encode_prefixed(signature.s().to_be_bytes::<32>())),
        ] {
            self.names.drawn.insert(format!("{name}.{part}"), value);
        }
        Ok(())
    }
}

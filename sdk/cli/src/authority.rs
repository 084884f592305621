//! In whose hands an account is, as the registry sees it.

use alloy_sol_types::SolCall;
use parapet_registry::contract::IGuardRegistry as registry;
use serde_json::json;

use crate::{
    AccountArgs, AuthorityArgs, CliError, ProveArgs, Report, SignerArgs,
    node::{Client, Node},
};

pub(crate) async fn show(args: &AuthorityArgs) -> Result<Report, CliError> {
    let (node, account) = (Node::connect(&args.node).await?, args.account);
    let what = "reading an account's authority";
    let confirmed = node.read(what, &registry::confirmedAuthorityCall { account }).await?;
    let is_confirmed = node.read(what, &registry::isConfirmedCall { account }).await?;
    let deployer = node.read(what, &registry::deployerOfCall { account }).await?;
    let attachments = node.read(what, &registry::attachmentsOfCall { account }).await?;
    let mut lines = vec![format!("account    {account}")];
    lines.push(match (confirmed.is_zero(), is_confirmed) {
        (true, _) => "hands      nobody has attached a guard or confirmed that the account is theirs".to_owned(),
        (false, true) => format!("hands      {confirmed}, as when that was last confirmed"),
        (false, false) => format!(
            "hands      no longer {confirmed}: nothing can be added until who has it now calls `parapet guard confirm-authority`"
        ),
    });
    if !deployer.is_zero() {
        lines.push(format!("deployer   {deployer}, who proved it"));
    }
    let mut json = json!({
        "account": account,
        "confirmedAuthority": confirmed,
        "isConfirmed": is_confirmed,
        "deployer": deployer,
        "attachments": attachments,
    });
    if let Some(who) = args.of {
        let has = node.read(what, &registry::hasAuthorityCall { account, who }).await?;
        lines.push(format!("authority  {who} has {}", if has { "it" } else { "none" }));
        json["hasAuthority"] = json!(has);
    }
    lines.extend(attachments.iter().map(|id| format!("attachment {id}")));
    Ok(Report { text: lines.join("\n"), json })
}

pub(crate) async fn confirm(args: &AccountArgs) -> Result<Report, CliError> {
    let call = registry::confirmAuthorityCall { account: args.account };
    sent(&args.signer, "confirming the authority", &call, &format!("account {} is confirmed", args.account)).await
}

pub(crate) async fn prove(args: &ProveArgs) -> Result<Report, CliError> {
    let (account, what) = (args.account, "proving the deployer");
    let outcome = format!("the deployer of {account} is known");
    match (args.nonce, args.salt, args.init_code_hash) {
        (None, Some(salt), Some(init_code_hash)) => {
            let call = registry::proveDeployer2Call { account, salt, initCodeHash: init_code_hash };
            sent(&args.signer, what, &call, &outcome).await
        }
        (nonce, ..) => {
            let call = registry::proveDeployerCall { account, nonce: nonce.unwrap_or_default() };
            sent(&args.signer, what, &call, &outcome).await
        }
    }
}

async fn sent<C: SolCall>(
    signer: &SignerArgs,
    what: &'static str,
    call: &C,
    outcome: &str,
) -> Result<Report, CliError> {
    let client = Client::connect(signer).await?;
    let transaction = client.send(what, call).await?.transaction_hash;
    Ok(Report {
        text: format!("{outcome} (transaction {transaction})"),
        json: json!({ "outcome": outcome, "by": client.address, "transaction": transaction }),
    })
}

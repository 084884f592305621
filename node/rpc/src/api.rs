//! The methods, one file for what belongs together. Each is declared in a trait and answered by [`Api`].

mod amend;
mod blobs;
mod blocks;
mod bundles;
mod config;
mod debug;
mod dev;
mod discover;
mod dump;
mod execute;
mod fees;
mod forking;
mod guard;
mod impersonate;
mod info;
pub(crate) mod instance;
mod listed;
mod logs;
mod lookups;
mod ots;
mod reorg;
mod send;
mod sign;
mod simulate;
mod state;
mod subscribe;
mod sync;
mod testing;
mod trace;
mod tryout;
mod upcoming;
mod within;

use std::sync::Arc;

use jsonrpsee::{RpcModule, core::RegisterMethodError};

pub(crate) use self::{bundles::BundleContext, send::signed_transaction};
use crate::node::Node;

/// Answers every method.
#[derive(Clone)]
pub(crate) struct Api(pub(crate) Arc<Node>);

/// What a consensus client asks of the node beside `engine_` (execution-apis, `src/engine/common.md`).
pub(crate) fn for_consensus(node: &Arc<Node>) -> Result<RpcModule<()>, RegisterMethodError> {
    let api = || Api(Arc::clone(node));
    let mut module = RpcModule::new(());
    module.merge(blocks::EthBlocksServer::into_rpc(api()))?;
    module.merge(execute::EthExecuteServer::into_rpc(api()))?;
    module.merge(logs::EthLogsServer::into_rpc(api()))?;
    module.merge(send::EthSendServer::into_rpc(api()))?;
    module.merge(state::EthStateServer::into_rpc(api()))?;
    Ok(module)
}

/// All methods that are served.
pub(crate) fn methods(node: &Arc<Node>) -> Result<RpcModule<()>, RegisterMethodError> {
    let api = || Api(Arc::clone(node));
    let mut module = RpcModule::new(());
    module.merge(amend::AmendServer::into_rpc(api()))?;
    module.merge(blobs::BlobsServer::into_rpc(api()))?;
    module.merge(blocks::EthBlocksServer::into_rpc(api()))?;
    module.merge(bundles::BundlesServer::into_rpc(api()))?;
    module.merge(config::EthConfigServer::into_rpc(api()))?;
    module.merge(debug::DebugServer::into_rpc(api()))?;
    module.merge(dev::DevServer::into_rpc(api()))?;
    module.merge(discover::DiscoverServer::into_rpc(api()))?;
    module.merge(dump::DumpServer::into_rpc(api()))?;
    module.merge(execute::EthExecuteServer::into_rpc(api()))?;
    module.merge(fees::EthFeesServer::into_rpc(api()))?;
    module.merge(forking::ForkingServer::into_rpc(api()))?;
    module.merge(guard::GuardServer::into_rpc(api()))?;
    module.merge(tryout::GuardTryoutServer::into_rpc(api()))?;
    module.merge(impersonate::ImpersonateServer::into_rpc(api()))?;
    module.merge(instance::AboutServer::into_rpc(api()))?;
    module.merge(info::InfoServer::into_rpc(api()))?;
    module.merge(listed::ListedServer::into_rpc(api()))?;
    module.merge(lookups::LookupsServer::into_rpc(api()))?;
    module.merge(logs::EthLogsServer::into_rpc(api()))?;
    module.merge(ots::OtterscanServer::into_rpc(api()))?;
    module.merge(reorg::ReorgServer::into_rpc(api()))?;
    module.merge(send::EthSendServer::into_rpc(api()))?;
    module.merge(send::PersonalServer::into_rpc(api()))?;
    module.merge(simulate::EthSimulateServer::into_rpc(api()))?;
    module.merge(sign::EthSignServer::into_rpc(api()))?;
    module.merge(state::EthStateServer::into_rpc(api()))?;
    module.merge(subscribe::EthSubscribeServer::into_rpc(api()))?;
    module.merge(sync::EthSyncServer::into_rpc(api()))?;
    module.merge(testing::TestingServer::into_rpc(api()))?;
    module.merge(trace::TraceServer::into_rpc(api()))?;
    module.merge(upcoming::UpcomingServer::into_rpc(api()))?;
    module.merge(within::WithinServer::into_rpc(api()))?;
    Ok(module)
}

//! A server that does nothing but HTTP: it answers whatever it was told to. What a node reaches beside it, with the same bytes, is
//! what is left to be gained where the system and the load take the rest.

use std::{convert::Infallible, net::Ipv4Addr, sync::Arc};

use http_body_util::{BodyExt as _, Full};
use hyper::{
    Request, Response,
    body::{Bytes, Incoming},
    server::conn::http1,
    service::service_fn,
};
use hyper_util::rt::TokioIo;
use parking_lot::RwLock;
use tokio::net::TcpListener;

use crate::error::BenchError;

/// A request that begins with this says what is answered from now on.
pub const ANSWER: &[u8] = b"answer ";

/// Serves until the process ends.
///
/// # Errors
/// [`BenchError`] when the port is taken.
pub async fn serve(port: u16) -> Result<(), BenchError> {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, port)).await?;
    let answer = Arc::new(RwLock::new(Bytes::new()));
    loop {
        let (stream, _) = listener.accept().await?;
        stream.set_nodelay(true)?;
        let answer = Arc::clone(&answer);
        let service = service_fn(move |request| respond(request, Arc::clone(&answer)));
        let served = http1::Builder::new().pipeline_flush(true).serve_connection(TokioIo::new(stream), service);
        tokio::spawn(served);
    }
}

async fn respond(request: Request<Incoming>, answer: Arc<RwLock<Bytes>>) -> Result<Response<Full<Bytes>>, Infallible> {
    // What broke is seen by who asked.
    let body = request.into_body().collect().await.map(|body| body.to_bytes()).unwrap_or_default();
    if let Some(new) = body.strip_prefix(ANSWER) {
        *answer.write() = Bytes::copy_from_slice(new);
    }
    let answer = Full::new(answer.read().clone());
    let response = Response::builder().header("content-type", "application/json").body(answer);
    Ok(response.expect("its header is fixed"))
}

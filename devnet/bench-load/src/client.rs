//! A connection that carries requests which are already written, and gives back the bytes of answers.

use std::net::SocketAddr;

use http_body_util::{BodyExt as _, Full};
use hyper::{Request, body::Bytes, client::conn::http1};
use hyper_util::rt::TokioIo;
use serde::{Deserialize, Serialize};
use soketto::{
    connection::{Receiver, Sender},
    handshake::{Client, ServerResponse},
};
use tokio::net::TcpStream;
use tokio_util::compat::{Compat, TokioAsyncReadCompatExt as _};

use crate::error::BenchError;

/// How requests travel.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Transport {
    /// One POST for each.
    Http,
    /// One message for each.
    WebSocket,
}

impl Transport {
    /// Both.
    pub const ALL: [Self; 2] = [Self::Http, Self::WebSocket];

    /// Its name.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Http => "http",
            Self::WebSocket => "ws",
        }
    }
}

/// A connection.
pub enum Connection {
    /// Kept alive from request to request.
    Http(http1::SendRequest<Full<Bytes>>),
    /// A WebSocket, and what its last answer is read into.
    WebSocket(Box<Socket>),
}

/// Both halves of a WebSocket.
pub struct Socket {
    sender: Sender<Compat<TcpStream>>,
    receiver: Receiver<Compat<TcpStream>>,
    answer: Vec<u8>,
}

impl Connection {
    /// Connects.
    ///
    /// # Errors
    /// [`BenchError`] when the node does not take the connection.
    pub async fn open(transport: Transport, address: SocketAddr) -> Result<Self, BenchError> {
        let stream = TcpStream::connect(address).await?;
        stream.set_nodelay(true)?;
        match transport {
            Transport::Http => {
                let (sender, connection) = http1::handshake(TokioIo::new(stream)).await?;
                // It ends with its sender; what goes wrong is told there.
                tokio::spawn(connection);
                Ok(Self::Http(sender))
            }
            Transport::WebSocket => {
                let host = address.to_string();
                let mut client = Client::new(stream.compat(), &host, "/");
                match client.handshake().await.map_err(|error| BenchError::Handshake(error.to_string()))? {
                    ServerResponse::Accepted { .. } => {}
                    refused => return Err(BenchError::Handshake(format!("{refused:?}"))),
                }
                let (sender, receiver) = client.into_builder().finish();
                Ok(Self::WebSocket(Box::new(Socket { sender, receiver, answer: Vec::new() })))
            }
        }
    }

    /// Sends a request and waits for its answer.
    ///
    /// # Errors
    /// [`BenchError`] when the connection breaks.
    pub async fn ask(&mut self, request: &Bytes) -> Result<Bytes, BenchError> {
        match self {
            Self::Http(sender) => {
                let request = Request::post("/")
                    .header("host", "localhost")
                    .header("content-type", "application/json")
                    .body(Full::new(request.clone()))
                    .expect("its headers are fixed");
                sender.ready().await?;
                Ok(sender.send_request(request).await?.into_body().collect().await?.to_bytes())
            }
            Self::WebSocket(socket) => {
                let text = std::str::from_utf8(request).expect("requests are JSON");
                socket.sender.send_text(text).await?;
                socket.sender.flush().await?;
                socket.answer.clear();
                socket.receiver.receive_data(&mut socket.answer).await?;
                Ok(Bytes::copy_from_slice(&socket.answer))
            }
        }
    }
}

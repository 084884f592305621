//! A connection that carries requests which are already written, and gives back the bytes of answers.
//!
//! What lays the load on must cost little beside what bears it: a machine runs both. So there is no client in it that could do
//! more than is needed, and no copy of an answer; [`wire`] has the bytes.

use std::{io, net::SocketAddr};

use serde::{Deserialize, Serialize};
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::TcpStream,
};

use crate::{
    error::BenchError,
    wire::{self, Found},
};

/// Room for what is read at once, in bytes.
const READ_BYTES: usize = 64 * 1024;

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

    /// A request so many times over, as it travels.
    #[must_use]
    pub fn written(self, request: &[u8], times: usize) -> Vec<u8> {
        let mut out = Vec::new();
        (0..times).for_each(|_| wire::write(self, request, &mut out));
        out
    }
}

/// A connection.
pub struct Connection {
    stream: TcpStream,
    transport: Transport,
    /// What is being written.
    out: Vec<u8>,
    /// What was read, the last answer with it.
    input: Vec<u8>,
    /// Where in `input` the next answer begins.
    next: usize,
}

impl Connection {
    /// Connects.
    ///
    /// # Errors
    /// [`BenchError`] when the node does not take the connection.
    pub async fn open(transport: Transport, address: SocketAddr) -> Result<Self, BenchError> {
        let stream = TcpStream::connect(address).await?;
        stream.set_nodelay(true)?;
        let mut this = Self { stream, transport, out: Vec::new(), input: Vec::new(), next: 0 };
        if transport == Transport::WebSocket {
            this.send(wire::UPGRADE).await?;
            this.next = loop {
                match wire::read_upgraded(&this.input)? {
                    Some(end) => break end,
                    None => this.read_more().await?,
                }
            };
        }
        Ok(this)
    }

    /// Sends a request and waits for its answer.
    ///
    /// # Errors
    /// [`BenchError`] when the connection breaks, or the answer is none.
    pub async fn ask(&mut self, request: &[u8]) -> Result<&[u8], BenchError> {
        self.out.clear();
        wire::write(self.transport, request, &mut self.out);
        self.stream.write_all(&self.out).await?;
        self.answer().await
    }

    /// Sends requests that were [written](Transport::written) before. To each there is an [`answer`](Self::answer).
    ///
    /// # Errors
    /// [`BenchError`] when the connection breaks.
    pub async fn send(&mut self, written: &[u8]) -> Result<(), BenchError> {
        Ok(self.stream.write_all(written).await?)
    }

    /// The next answer.
    ///
    /// # Errors
    /// [`BenchError`] when the connection breaks, or the answer is none.
    pub async fn answer(&mut self) -> Result<&[u8], BenchError> {
        loop {
            match wire::read(self.transport, &self.input[self.next..])? {
                Found::Answer(place) => {
                    let begin = self.next;
                    self.next += place.end;
                    return Ok(&self.input[begin + place.start..begin + place.end]);
                }
                Found::Ping(place) => {
                    self.out.clear();
                    wire::write_pong(&self.input[self.next..][place.clone()], &mut self.out);
                    self.next += place.end;
                    self.stream.write_all(&self.out).await?;
                }
                Found::Part => self.read_more().await?,
            }
        }
    }

    async fn read_more(&mut self) -> Result<(), BenchError> {
        self.input.drain(..self.next);
        self.next = 0;
        self.input.reserve(READ_BYTES);
        if self.stream.read_buf(&mut self.input).await? == 0 {
            return Err(BenchError::Connection(io::ErrorKind::UnexpectedEof.into()));
        }
        Ok(())
    }
}

//! The server on a Unix socket, as geth and anvil have it: JSON values one after the other, each answer on a line.
//!
//! A connection is handed to the server as a WebSocket that this process opens to itself, so that the same methods, limits and
//! subscriptions hold, and whoever does not read is not read from here either.
//!
//! Invariants: what one client has sent and the server has not taken is at most one message, of the length of a request at most; a
//! client that takes nothing of what waits for it is left, and its file with it.

use std::{
    fs, io,
    os::unix::{fs::PermissionsExt as _, net::UnixStream as Knock},
    path::{Path, PathBuf},
    time::Duration,
};

use soketto::{
    connection::{Receiver, Sender},
    handshake::{Client, ServerResponse},
};
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _, DuplexStream, ReadHalf, WriteHalf, duplex, split},
    net::{UnixListener, UnixStream},
    sync::Mutex,
    time::timeout,
};
use tokio_util::compat::{Compat, TokioAsyncReadCompatExt as _};

use crate::StartError;

/// Bytes that may lie between a connection and the server, either way.
const PIPE_BYTES: usize = 64 * 1_024;
/// Bytes that are read at a time.
const READ_BYTES: usize = 16 * 1_024;
/// Who may use the socket: the user who runs the node.
const MODE: u32 = 0o600;
/// What is said to whoever sends a message that is too long, before the connection is closed.
const TOO_LONG: &[u8] =
    b"{\"jsonrpc\":\"2.0\",\"id\":null,\"error\":{\"code\":-32007,\"message\":\"Request is too big\"}}\n";

/// A socket that is listened on; it goes when this is dropped.
pub(crate) struct Socket {
    pub(crate) listener: UnixListener,
    path: PathBuf,
}

impl Socket {
    /// Listens. A socket that a node left behind is replaced; one on which somebody listens is not.
    pub(crate) fn bind(path: &Path) -> Result<Self, StartError> {
        let refused = |source| StartError::Socket { path: path.to_owned(), source };
        let left_behind = fs::symlink_metadata(path).is_ok_and(|found| {
            use std::os::unix::fs::FileTypeExt as _;
            found.file_type().is_socket()
        });
        if left_behind && Knock::connect(path).is_err() {
            fs::remove_file(path).map_err(refused)?;
        }
        let listener = UnixListener::bind(path).map_err(refused)?;
        let socket = Self { listener, path: path.to_owned() };
        fs::set_permissions(path, fs::Permissions::from_mode(MODE)).map_err(refused)?;
        Ok(socket)
    }
}

impl Drop for Socket {
    fn drop(&mut self) {
        // Somebody may have removed it before.
        let _: io::Result<()> = fs::remove_file(&self.path);
    }
}

/// The two ends of a pipe: the server's, and the one for [`carry`].
pub(crate) fn pipe() -> (DuplexStream, DuplexStream) {
    duplex(PIPE_BYTES)
}

/// What one client may do.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Bounds {
    pub(crate) request_bytes_max: usize,
    /// Longest time in which a client takes nothing of what waits for it.
    pub(crate) stall_time_max: Duration,
}

/// Carries messages between a client and the server until either ends.
pub(crate) async fn carry(stream: UnixStream, server: DuplexStream, bounds: Bounds) {
    let Ok((to_server, from_server)) = upgraded(server).await else { return };
    let (from_client, half) = split(stream);
    let to_client = ToClient { half: Mutex::new(half), stall_time_max: bounds.stall_time_max };
    tokio::select! {
        () = ask(from_client, to_server, &to_client, bounds.request_bytes_max) => {}
        () = answer(from_server, &to_client) => {}
    }
}

/// Where messages to a client go, each as a whole.
struct ToClient {
    half: Mutex<WriteHalf<UnixStream>>,
    stall_time_max: Duration,
}

impl ToClient {
    async fn say(&self, mut message: &[u8]) -> io::Result<()> {
        let mut half = self.half.lock().await;
        while !message.is_empty() {
            match timeout(self.stall_time_max, half.write(message)).await?? {
                0 => return Err(io::ErrorKind::WriteZero.into()),
                taken => message = &message[taken..],
            }
        }
        Ok(())
    }
}

type Socketed = Compat<DuplexStream>;

async fn upgraded(server: DuplexStream) -> Result<(Sender<Socketed>, Receiver<Socketed>), ()> {
    let mut client = Client::new(server.compat(), "127.0.0.1", "/");
    match client.handshake().await {
        Ok(ServerResponse::Accepted { .. }) => {
            let mut builder = client.into_builder();
            // The server bounds its answers.
            builder.set_max_message_size(usize::MAX);
            builder.set_max_frame_size(usize::MAX);
            Ok(builder.finish())
        }
        // The server tells what it refuses.
        Ok(ServerResponse::Redirect { .. } | ServerResponse::Rejected { .. }) | Err(_) => Err(()),
    }
}

/// Takes what the client sends, message by message.
async fn ask(
    mut from_client: ReadHalf<UnixStream>,
    mut to_server: Sender<Socketed>,
    to_client: &ToClient,
    request_bytes_max: usize,
) {
    let (mut messages, mut read) = (Messages::default(), vec![0; READ_BYTES]);
    loop {
        match from_client.read(&mut read).await {
            Ok(0) | Err(_) => return,
            Ok(bytes) => messages.buffer.extend_from_slice(&read[..bytes]),
        }
        while let Some(message) = messages.next() {
            // What is no text is no JSON either, and is refused there.
            let sent = to_server.send_text(String::from_utf8_lossy(&message)).await;
            if sent.is_err() || to_server.flush().await.is_err() {
                return;
            }
        }
        if messages.buffer.len() > request_bytes_max {
            // Nobody can be told who does not listen.
            let _: io::Result<()> = to_client.say(TOO_LONG).await;
            return;
        }
    }
}

/// Passes on what the server says: answers, and what subscriptions tell.
async fn answer(mut from_server: Receiver<Socketed>, to_client: &ToClient) {
    let mut message = Vec::new();
    while from_server.receive_data(&mut message).await.is_ok() {
        message.push(b'\n');
        if to_client.say(&message).await.is_err() {
            return;
        }
        message.clear();
    }
}

/// Splits bytes into JSON values, with whatever between them: clients send them with or without line ends.
#[derive(Debug, Default)]
struct Messages {
    buffer: Vec<u8>,
    /// Bytes of the buffer that were looked at.
    seen: usize,
    within: Within,
}

/// Where in a message the bytes that were looked at end.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum Within {
    /// Between two.
    #[default]
    Nothing,
    /// In so many brackets.
    Brackets(u64),
    /// In a string, in so many brackets.
    Text(u64),
    /// Behind a backslash in such a string.
    Escape(u64),
    /// In something that is no object and no array: it ends with its line.
    Line,
}

impl Messages {
    /// The next message, if it is there wholly.
    fn next(&mut self) -> Option<Vec<u8>> {
        while let Some(byte) = self.buffer.get(self.seen) {
            self.seen += 1;
            let (within, ends) = self.within.after(*byte);
            self.within = within;
            if ends {
                let rest = self.buffer.split_off(self.seen);
                self.seen = 0;
                return Some(std::mem::replace(&mut self.buffer, rest));
            }
            if within == Within::Nothing {
                self.buffer.drain(..self.seen);
                self.seen = 0;
            }
        }
        None
    }
}

impl Within {
    /// Where a further byte leads, and whether the message ends with it.
    const fn after(self, byte: u8) -> (Self, bool) {
        match (self, byte) {
            (Self::Nothing, b' ' | b'\t' | b'\r' | b'\n') => (Self::Nothing, false),
            (Self::Nothing, b'{' | b'[') => (Self::Brackets(1), false),
            (Self::Line, b'\n') | (Self::Brackets(1), b'}' | b']') => (Self::Nothing, true),
            (Self::Nothing | Self::Line, _) => (Self::Line, false),
            (Self::Brackets(depth), b'{' | b'[') => (Self::Brackets(depth + 1), false),
            (Self::Brackets(depth), b'}' | b']') => (Self::Brackets(depth - 1), false),
            (Self::Brackets(depth), b'"') => (Self::Text(depth), false),
            (Self::Text(depth), b'"') => (Self::Brackets(depth), false),
            (Self::Text(depth), b'\\') => (Self::Escape(depth), false),
            (Self::Escape(depth), _) => (Self::Text(depth), false),
            (Self::Brackets(_) | Self::Text(_), _) => (self, false),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn split_up(text: &str, at_once: usize) -> Vec<String> {
        let mut messages = Messages::default();
        let mut found = Vec::new();
        for bytes in text.as_bytes().chunks(at_once) {
            messages.buffer.extend_from_slice(bytes);
            found.extend(std::iter::from_fn(|| messages.next()));
        }
        found.into_iter().map(|message| String::from_utf8(message).expect("text went in")).collect()
    }

    #[tokio::test]
    async fn a_client_that_takes_nothing_is_left() {
        let (_silent, stream) = UnixStream::pair().expect("there are sockets");
        let half = Mutex::new(split(stream).1);
        let to_client = ToClient { half, stall_time_max: Duration::from_millis(20) };
        let said = to_client.say(&vec![b'x'; 16 * 1_024 * 1_024]).await;
        assert_eq!(said.expect_err("nobody takes it").kind(), io::ErrorKind::TimedOut);
    }

    #[test]
    fn values_are_told_apart_however_they_come() {
        let sent = [r#"{"a":"}\"{","b":[{}]}"#, r#"[{"x":"\\"},{}]"#, "{}"];
        for text in [sent.concat(), sent.join("\n"), format!(" {}\r\n", sent.join(" \n\t"))] {
            for at_once in [1, 3, 1_000] {
                assert_eq!(split_up(&text, at_once), sent, "{text:?} by {at_once}");
            }
        }
    }

    #[test]
    fn what_is_no_value_ends_with_its_line_and_what_is_not_whole_waits() {
        assert_eq!(split_up("nonsense {\n{}", 2), ["nonsense {\n", "{}"]);
        assert_eq!(split_up(r#"{"a":"#, 2), [""; 0]);
    }
}

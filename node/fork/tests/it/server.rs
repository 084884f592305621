//! A tiny HTTP server that does what a script says, misbehaviour included.

use std::{
    io::{BufRead, BufReader, Write},
    net::{TcpListener, TcpStream},
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    thread,
    time::Duration,
};

/// What is done with a request.
pub(crate) enum Act {
    /// It is answered.
    Answer(Vec<u8>),
    /// It is answered with a status, a header, and a body.
    Status(u16, &'static str, Vec<u8>),
    /// Nothing is said, and the connection stays.
    Stall,
    /// The connection is closed.
    HangUp,
    /// It is answered without end.
    Endless,
}

/// A server that runs until the test ends.
pub(crate) struct Server {
    pub(crate) url: String,
    requests: Arc<AtomicUsize>,
}

impl Server {
    /// One that asks a script about each request: its number, from 0 on, and its body.
    pub(crate) fn start(script: impl Fn(usize, &[u8]) -> Act + Send + Sync + 'static) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let requests = Arc::new(AtomicUsize::new(0));
        let (script, count) = (Arc::new(script), Arc::clone(&requests));
        thread::spawn(move || {
            for connection in listener.incoming() {
                let (script, count) = (Arc::clone(&script), Arc::clone(&count));
                thread::spawn(move || serve(connection.unwrap(), &*script, &count));
            }
        });
        Self { url, requests }
    }

    /// How many requests there were.
    pub(crate) fn requests(&self) -> usize {
        self.requests.load(Ordering::SeqCst)
    }
}

fn serve(connection: TcpStream, script: &dyn Fn(usize, &[u8]) -> Act, count: &AtomicUsize) {
    let mut writer = connection.try_clone().unwrap();
    let mut reader = BufReader::new(connection);
    while let Some(body) = request(&mut reader) {
        match script(count.fetch_add(1, Ordering::SeqCst), &body) {
            Act::Answer(body) => respond(&mut writer, 200, "x-nothing: 1", &body),
            Act::Status(status, header, body) => respond(&mut writer, status, header, &body),
            Act::Stall => thread::sleep(Duration::from_secs(3_600)),
            Act::HangUp => return,
            Act::Endless => {
                let head = "HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n";
                let _: std::io::Result<()> = writer.write_all(head.as_bytes());
                let chunk = [b"10000\r\n", &[b'7'; 0x10000][..], b"\r\n"].concat();
                while writer.write_all(&chunk).is_ok() {}
                return;
            }
        }
    }
}

/// The body of the next request; `None` when there is none.
pub(crate) fn request(reader: &mut impl BufRead) -> Option<Vec<u8>> {
    let mut length = 0;
    loop {
        let mut line = String::new();
        if reader.read_line(&mut line).ok()? == 0 {
            return None;
        }
        let line = line.trim().to_ascii_lowercase();
        if line.is_empty() {
            break;
        }
        if let Some(value) = line.strip_prefix("content-length:") {
            length = value.trim().parse().ok()?;
        }
    }
    let mut body = vec![0; length];
    reader.read_exact(&mut body).ok()?;
    Some(body)
}

pub(crate) fn respond(writer: &mut impl Write, status: u16, header: &str, body: &[u8]) {
    let length = format!("content-length: {}\r\n", body.len());
    let length = if header.starts_with("content-length") { "" } else { &length };
    let head = format!("HTTP/1.1 {status} So\r\n{length}{header}\r\n\r\n");
    // The client may be gone.
    let _: std::io::Result<()> = writer.write_all(&[head.as_bytes(), body].concat());
}

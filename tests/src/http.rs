//! An HTTP/1.1 client that does what it is told once, and never again.
//!
//! Client libraries repeat a request in silence when a kept connection turns out to be closed, and
//! so hide the very losses that the stage is here to count.

use httparse::{EMPTY_HEADER, Status};
use rustix::net::{RecvFlags, recv};
use std::io::ErrorKind;
use std::net::SocketAddr;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

const MOST_HEADERS: usize = 64;
const READ_BYTES: usize = 4096;

/// One connection, for one request at a time.
#[derive(Debug)]
pub struct Connection {
    stream: TcpStream,
    buffer: Vec<u8>,
}

/// One whole answer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Response {
    /// Its status code.
    pub status: u16,
    /// Whether the connection may be used again.
    pub keep: bool,
    /// Its body.
    pub body: Vec<u8>,
    headers: Vec<(String, String)>,
}

/// Why there is no whole answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, thiserror::Error)]
pub enum Broken {
    /// No byte of the request was sent.
    #[error("no connection ({0})")]
    NoConnection(ErrorKind),
    /// The other side would not take the whole request.
    #[error("connection broke while the request was sent ({0})")]
    Sending(ErrorKind),
    /// The request was sent, and not one byte came back.
    #[error("connection closed without an answer")]
    Unanswered,
    /// The answer ended in its middle.
    #[error("answer cut off ({0})")]
    Cut(ErrorKind),
    /// What came back is not an answer that this client can read.
    #[error("answer is not HTTP/1.1 with a known length")]
    Unreadable,
}

struct Head {
    bytes: usize,
    body_bytes: usize,
    response: Response,
}

impl Connection {
    /// Connects.
    ///
    /// # Errors
    /// [`Broken::NoConnection`].
    pub async fn open(address: SocketAddr) -> Result<Self, Broken> {
        let stream = TcpStream::connect(address)
            .await
            .and_then(|stream| stream.set_nodelay(true).map(|()| stream))
            .map_err(|error| Broken::NoConnection(error.kind()))?;
        Ok(Self {
            stream,
            buffer: Vec::with_capacity(READ_BYTES),
        })
    }

    /// Whether nothing has come from the other side, not even its end: asked of the system itself,
    /// because the runtime may not have heard of it yet.
    #[must_use]
    pub fn is_open(&self) -> bool {
        let mut one = [0_u8; 1];
        let seen = recv(
            &self.stream,
            &mut one,
            RecvFlags::PEEK | RecvFlags::DONTWAIT,
        );
        self.buffer.is_empty() && matches!(seen, Err(error) if error == rustix::io::Errno::AGAIN)
    }

    /// Sends one whole request and reads one whole answer. Never repeats anything.
    ///
    /// # Errors
    /// What broke; the connection is of no more use then.
    pub async fn exchange(&mut self, request: &[u8]) -> Result<Response, Broken> {
        self.stream
            .write_all(request)
            .await
            .map_err(|error| Broken::Sending(error.kind()))?;
        loop {
            let head = self.head().await?;
            let body = self.body(head.bytes, head.body_bytes).await?;
            // 1xx only announces the answer.
            if head.response.status >= 200 {
                return Ok(Response {
                    body,
                    ..head.response
                });
            }
        }
    }

    async fn head(&mut self) -> Result<Head, Broken> {
        loop {
            if let Some(head) = parse(&self.buffer)? {
                return Ok(head);
            }
            self.read_more().await?;
        }
    }

    async fn body(&mut self, from: usize, length: usize) -> Result<Vec<u8>, Broken> {
        while self.buffer.len() < from + length {
            self.read_more().await?;
        }
        let body = self.buffer[from..from + length].to_vec();
        self.buffer.drain(..from + length);
        Ok(body)
    }

    async fn read_more(&mut self) -> Result<(), Broken> {
        let nothing_yet = self.buffer.is_empty();
        match self.stream.read_buf(&mut self.buffer).await {
            Ok(bytes) if bytes > 0 => Ok(()),
            Ok(_) | Err(_) if nothing_yet => Err(Broken::Unanswered),
            Ok(_) => Err(Broken::Cut(ErrorKind::UnexpectedEof)),
            Err(error) => Err(Broken::Cut(error.kind())),
        }
    }
}

impl Response {
    /// The value of a header, its name in lower case.
    #[must_use]
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers
            .iter()
            .find(|(key, _)| key == name)
            .map(|(_, value)| value.as_str())
    }
}

fn parse(buffer: &[u8]) -> Result<Option<Head>, Broken> {
    let mut space = [EMPTY_HEADER; MOST_HEADERS];
    let mut parsed = httparse::Response::new(&mut space);
    let bytes = match parsed.parse(buffer) {
        Ok(Status::Complete(bytes)) => bytes,
        Ok(Status::Partial) => return Ok(None),
        Err(_) => return Err(Broken::Unreadable),
    };
    let headers: Vec<(String, String)> = parsed
        .headers
        .iter()
        .map(|header| {
            let value = String::from_utf8_lossy(header.value).into_owned();
            (header.name.to_ascii_lowercase(), value)
        })
        .collect();
    let status = parsed.code.ok_or(Broken::Unreadable)?;
    let mut response = Response {
        status,
        keep: parsed.version == Some(1),
        body: vec![],
        headers,
    };
    response.keep &= !response.header("connection").is_some_and(says_close);
    let length = response
        .header("content-length")
        .and_then(|value| value.parse().ok());
    // Without a length the end of the answer would be a guess.
    let body_bytes = match length {
        _ if status < 200 || status == 204 || status == 304 => 0,
        Some(length) => length,
        None => return Err(Broken::Unreadable),
    };
    Ok(Some(Head {
        bytes,
        body_bytes,
        response,
    }))
}

fn says_close(value: &str) -> bool {
    value
        .split(',')
        .any(|word| word.trim().eq_ignore_ascii_case("close"))
}

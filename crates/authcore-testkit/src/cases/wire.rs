//! Answers read from a socket.

use std::io::{Read as _, Write as _};
use std::net::{SocketAddr, TcpStream};
use std::time::Duration;

/// An HTTP/1.1 answer read from a socket, for tests that must send what no client library sends.
#[derive(Clone, Debug)]
pub struct WireAnswer {
    /// The status code.
    pub status: u16,
    /// The field lines, names in lower case, in order.
    pub fields: Vec<(String, String)>,
    /// All that follows the head, as it came.
    pub body: String,
}

impl WireAnswer {
    /// Sends these bytes over a new connection and reads until the server closes it. Blocks for 10 s at most.
    ///
    /// # Panics
    ///
    /// When there is no answer of HTTP/1.1.
    #[must_use]
    pub fn to(server: SocketAddr, request: &[u8]) -> Self {
        let mut connection = TcpStream::connect(server).expect("the server listens");
        connection.set_read_timeout(Some(Duration::from_secs(10))).expect("not zero");
        // A server may answer and hang up before it has read everything.
        let _ = connection.write_all(request);
        let mut read = Vec::new();
        let _ = connection.read_to_end(&mut read);
        let text = String::from_utf8_lossy(&read);
        let (head, body) = text.split_once("\r\n\r\n").expect("an answer with a head");
        let mut lines = head.split("\r\n");
        let status = lines.next().and_then(|line| line.split(' ').nth(1)).and_then(|status| status.parse().ok());
        let fields = lines.filter_map(|line| line.split_once(':'));
        let fields = fields.map(|(name, value)| (name.to_ascii_lowercase(), value.trim().to_owned())).collect();
        Self { status: status.expect("a status line"), fields, body: body.to_owned() }
    }

    /// A header field by its name in lower case, several lines joined by `, `.
    #[must_use]
    pub fn field(&self, name: &str) -> Option<String> {
        let lines: Vec<_> = self.fields.iter().filter(|(field, _)| field == name).map(|(_, value)| &**value).collect();
        (!lines.is_empty()).then(|| lines.join(", "))
    }
}

//! A proxy that counts the requests it passes on.

use std::io::{self, BufRead as _, BufReader, Write as _};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::thread;

use crate::connect;

/// Stands on a loopback port before a server, passes `GET`s on and counts them. Closes when dropped.
#[derive(Debug)]
pub struct CountingProxy {
    address: SocketAddr,
    requests: Arc<AtomicUsize>,
    closed: Arc<AtomicBool>,
}

impl CountingProxy {
    /// Starts one before `host:port`.
    ///
    /// # Errors
    ///
    /// When no loopback port is free.
    pub fn before(upstream: &str) -> io::Result<Self> {
        let listener = TcpListener::bind("127.0.0.1:0")?;
        let proxy = Self { address: listener.local_addr()?, requests: Arc::default(), closed: Arc::default() };
        let (requests, closed) = (Arc::clone(&proxy.requests), Arc::clone(&proxy.closed));
        let upstream: Arc<str> = Arc::from(upstream);
        thread::spawn(move || {
            for client in listener.incoming().flatten() {
                if closed.load(Ordering::SeqCst) {
                    return;
                }
                let (requests, upstream) = (Arc::clone(&requests), Arc::clone(&upstream));
                // A server that is gone shows as a connection that closes without an answer.
                thread::spawn(move || pass_on(client, &upstream, &requests));
            }
        });
        Ok(proxy)
    }

    /// `http://host:port`.
    #[must_use]
    pub fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    /// How many requests came so far.
    #[must_use]
    pub fn requests(&self) -> usize {
        self.requests.load(Ordering::SeqCst)
    }
}

impl Drop for CountingProxy {
    fn drop(&mut self) {
        self.closed.store(true, Ordering::SeqCst);
        // Wakes the listener, which then sees that it is over.
        let _ = TcpStream::connect(self.address);
    }
}

/// Passes one request on, on a connection that ends with its answer.
fn pass_on(mut client: TcpStream, upstream: &str, requests: &AtomicUsize) -> io::Result<()> {
    let mut reader = BufReader::new(client.try_clone()?);
    let mut head = Vec::new();
    loop {
        let mut line = Vec::new();
        if reader.read_until(b'\n', &mut line)? == 0 {
            return Ok(());
        }
        if line == b"\r\n" {
            break;
        }
        if !line.to_ascii_lowercase().starts_with(b"connection:") {
            head.extend(line);
        }
    }
    head.extend(b"connection: close\r\n\r\n");
    requests.fetch_add(1, Ordering::SeqCst);
    let mut server = connect(upstream)?;
    server.write_all(&head)?;
    io::copy(&mut server, &mut client)?;
    Ok(())
}

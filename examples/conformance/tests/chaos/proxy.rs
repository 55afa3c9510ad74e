//! A proxy before a part: slows its answers down, and takes no connections while it is down.

use std::net::SocketAddr;
use std::time::Duration;

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;

/// Listens at one loopback address for good, wherever the part itself comes up.
pub(crate) struct Proxy {
    address: SocketAddr,
    course: watch::Sender<Course>,
}

/// What becomes of connections.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Course {
    /// Refused.
    Closed,
    /// Passed on to this port, each piece of an answer so much later.
    To(u16, Duration),
}

impl Proxy {
    pub(crate) async fn new() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
        let address = listener.local_addr().expect("it is bound");
        drop(listener);
        let (course, told) = watch::channel(Course::Closed);
        tokio::spawn(serve(address, told));
        Self { address, course }
    }

    /// `http://127.0.0.1:<port>`, if that is what it stands before.
    pub(crate) fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    pub(crate) fn port(&self) -> u16 {
        self.address.port()
    }

    /// From now on connections are refused. Those that there are end with the part.
    pub(crate) fn close(&self) {
        self.course.send_replace(Course::Closed);
    }

    /// From now on connections lead to this port, as fast as they can.
    pub(crate) fn lead_to(&self, port: u16) {
        self.course.send_replace(Course::To(port, Duration::ZERO));
    }

    /// How much later each piece of an answer comes, on connections old and new.
    pub(crate) fn slow_down(&self, delay: Duration) {
        self.course.send_modify(|course| {
            if let Course::To(_, slow) = course {
                *slow = delay;
            }
        });
    }
}

async fn serve(address: SocketAddr, mut told: watch::Receiver<Course>) {
    loop {
        if told.wait_for(|course| *course != Course::Closed).await.is_err() {
            return;
        }
        // Somebody's own end of a connection may have the port for a moment.
        let listener = loop {
            match TcpListener::bind(address).await {
                Ok(listener) => break listener,
                Err(_) => tokio::time::sleep(Duration::from_millis(20)).await,
            }
        };
        loop {
            let client = tokio::select! {
                closed = told.wait_for(|course| *course == Course::Closed) => match closed {
                    Ok(_) => break,
                    Err(_) => return,
                },
                accepted = listener.accept() => accepted,
            };
            let (Ok((client, _)), Course::To(port, _)) = (client, *told.borrow()) else { continue };
            let told = told.clone();
            tokio::spawn(async move {
                // A part that is gone shows as a connection that closes.
                if let Ok(server) = TcpStream::connect(("127.0.0.1", port)).await {
                    pass_on(client, server, told).await;
                }
            });
        }
    }
}

/// Until either side closes.
async fn pass_on(client: TcpStream, server: TcpStream, told: watch::Receiver<Course>) {
    let _ = (client.set_nodelay(true), server.set_nodelay(true)); // slower at worst
    let ((mut from_client, mut to_client), (mut from_server, mut to_server)) =
        (client.into_split(), server.into_split());
    let answers = async {
        let mut piece = vec![0; 16 * 1024];
        while let Ok(length @ 1..) = from_server.read(&mut piece).await {
            let course = *told.borrow();
            if let Course::To(_, delay) = course
                && !delay.is_zero()
            {
                tokio::time::sleep(delay).await;
            }
            if to_client.write_all(&piece[..length]).await.is_err() {
                return;
            }
        }
    };
    tokio::select! {
        () = answers => {}
        _ = tokio::io::copy(&mut from_client, &mut to_server) => {}
    }
}

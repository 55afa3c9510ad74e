//! A proxy before a part: slows its answers down, and takes no connections while it is down.

use std::net::SocketAddr;
use std::time::Duration;

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpSocket, TcpStream};
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
        let place = bound(SocketAddr::from(([127, 0, 0, 1], 0)));
        let address = place.local_addr().expect("it is bound");
        let (course, told) = watch::channel(Course::Closed);
        tokio::spawn(serve(place, told));
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

/// A socket that has this address and does not listen yet: who connects is refused.
fn bound(address: SocketAddr) -> TcpSocket {
    let socket = TcpSocket::new_v4().expect("a socket");
    socket.set_reuseaddr(true).expect("a socket like any other");
    socket.bind(address).expect("a free port");
    socket
}

/// Holds the place all the time, so that nobody else gets the port while nobody listens there.
async fn serve(place: TcpSocket, mut told: watch::Receiver<Course>) {
    let address = place.local_addr().expect("it is bound");
    loop {
        if told.wait_for(|course| *course != Course::Closed).await.is_err() {
            return;
        }
        let listener = bound(address).listen(1024).expect("the port is ours");
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

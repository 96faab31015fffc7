//! The one accept loop that every door shares.

use std::convert::Infallible;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::body::Body;
use axum::extract::ConnectInfo;
use axum::http::{Request, Version};
use hyper::service::service_fn;
use hyper_util::rt::{TokioExecutor, TokioIo, TokioTimer};
use hyper_util::server::conn::auto::Builder;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{mpsc, watch};
use tokio_rustls::TlsAcceptor;
use tower::Service as _;

use super::body::Holding;
use super::pace::{IDLE, Pace, Verdict, Watched};
use super::places::{Place, Places};
use crate::config::Limits;
use crate::counters::Counters;

/// After a failed accept: descriptors may be free again by then.
const AFTER_FAILURE: Duration = Duration::from_millis(20);
/// A connection that was asked to leave is given so long.
const TO_LEAVE: Duration = Duration::from_secs(2);
/// Bytes of a request's head.
const HEAD_BYTES: usize = 64 << 10;

/// What all doors share.
#[derive(Clone)]
pub struct House {
    pub limits: Limits,
    pub counters: Arc<Counters>,
    pub tls: Option<TlsAcceptor>,
    pub places: Arc<Places>,
    /// Whoever holds one of these is still being served.
    pub served: mpsc::Sender<Infallible>,
    pub stop: watch::Receiver<bool>,
}

/// Serves `router` on `listener`, which is the `door`th, until told to stop; then
/// what is being answered is answered, and nothing more.
pub async fn serve(listener: TcpListener, router: Router, house: House, door: usize) {
    let mut stop = house.stop.clone();
    loop {
        let accepted = tokio::select! {
            accepted = listener.accept() => accepted,
            _ = stop.wait_for(|stop| *stop) => return,
        };
        let Ok((stream, peer)) = accepted else {
            // Out of descriptors, or a peer that is gone already.
            tokio::time::sleep(AFTER_FAILURE).await;
            continue;
        };
        // Loopback is loopback at a socket for both kinds of addresses, too.
        let peer = SocketAddr::new(peer.ip().to_canonical(), peer.port());
        let pace = Pace::new(house.limits.read_timeout);
        let Some(place) = house.places.take(door, peer.ip(), &pace) else {
            house.counters.connections_refused.add(1);
            continue;
        };
        let visit = Visit {
            peer,
            pace,
            place,
            house: house.clone(),
        };
        tokio::spawn(visit.connection(stream, router.clone()));
    }
}

/// A connection that is served.
struct Visit {
    peer: SocketAddr,
    pace: Arc<Pace>,
    place: Place,
    house: House,
}

impl Visit {
    async fn connection(self, stream: TcpStream, router: Router) {
        // It only costs time if it is refused.
        let _ = stream.set_nodelay(true);
        let Some(tls) = self.house.tls.clone() else {
            return self.talk(stream, router).await;
        };
        let patience = self.house.limits.read_timeout;
        let leave = Arc::clone(&self.place.leave);
        let greeted = tokio::select! {
            greeted = tokio::time::timeout(patience, tls.accept(stream)) => greeted,
            () = leave.notified() => return,
        };
        // Who does not speak TLS, or dribbles it, is not answered.
        if let Ok(Ok(stream)) = greeted {
            self.talk(stream, router).await;
        }
    }

    async fn talk<S>(self, stream: S, router: Router)
    where
        S: AsyncRead + AsyncWrite + Send + Unpin + 'static,
    {
        let Self {
            peer,
            pace,
            place,
            house,
        } = self;
        let mut stop = house.stop.clone();
        let builder = builder(&house.limits);
        let asked = pace.clone();
        let service = service_fn(move |request: Request<hyper::body::Incoming>| {
            let (asked, answering) = asked.request(request.version() == Version::HTTP_2);
            let mut request = request.map(Body::new);
            request.extensions_mut().insert(ConnectInfo(peer));
            let answer = router.clone().call(request);
            async move {
                let answer = answer.await;
                drop(asked);
                answer.map(|answer| answer.map(|body| Holding::wrap(body, answering)))
            }
        });
        let leave = Arc::clone(&place.leave);
        // As long as it is open, somebody is served and a place taken.
        let held = (place, house.served);
        let stream = TokioIo::new(Watched::new(stream, pace.clone(), held));
        let connection = builder.serve_connection_with_upgrades(stream, service);
        let mut connection = std::pin::pin!(connection);
        let mut wait = Duration::ZERO;
        loop {
            tokio::select! {
                // A peer that broke off is no news.
                _ = connection.as_mut() => return pace.handed_on(),
                _ = stop.wait_for(|stop| *stop) => break,
                () = leave.notified() => break,
                () = tokio::time::sleep(wait) => {}
            }
            match pace.verdict() {
                Verdict::Wait(time) => wait = time,
                Verdict::Slow => return,
                Verdict::Idle => break,
            }
        }
        connection.as_mut().graceful_shutdown();
        // What is answered by then is answered; the server waits no longer either.
        let _ = tokio::time::timeout(TO_LEAVE, connection).await;
    }
}

fn builder(limits: &Limits) -> Builder<TokioExecutor> {
    let mut builder = Builder::new(TokioExecutor::new());
    builder
        .http1()
        .timer(TokioTimer::new())
        .max_buf_size(HEAD_BYTES.max(128 << 10))
        // Heads are timed by `pace`; this one would also end idle connections.
        .header_read_timeout(IDLE + limits.read_timeout);
    builder
        .http2()
        .timer(TokioTimer::new())
        .max_header_list_size(HEAD_BYTES as u32)
        .max_concurrent_streams(128)
        // Peers that are gone without a word are noticed.
        .keep_alive_interval(Duration::from_secs(60))
        .keep_alive_timeout(limits.read_timeout);
    builder
}

//! The one accept loop that every door shares.

use std::collections::HashMap;
use std::convert::Infallible;
use std::net::{IpAddr, SocketAddr};
use std::sync::atomic::Ordering;
use std::sync::{Arc, Mutex, PoisonError};
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

use super::pace::{IDLE, Pace, Verdict, Watched};
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
    pub peers: Arc<Peers>,
    /// Whoever holds one of these is still being served.
    pub served: mpsc::Sender<Infallible>,
    pub stop: watch::Receiver<bool>,
}

/// How many connections each peer has; those of loopback are not told apart,
/// for there every client is of the one peer.
#[derive(Debug, Default)]
pub struct Peers(Mutex<HashMap<IpAddr, usize>>);

/// A connection's place; given back when it is dropped, which for a WebSocket
/// is long after HTTP is done with it.
struct Place {
    house: House,
    peer: IpAddr,
}

impl Place {
    /// Takes one; `None` when there are too many, of this peer or in all.
    fn take(house: &House, peer: IpAddr) -> Option<Self> {
        let most = house.limits.connections;
        let held = house.counters.connections.fetch_add(1, Ordering::Relaxed) + 1;
        let place = Self {
            house: house.clone(),
            peer,
        };
        let mut peers = house.peers.0.lock().unwrap_or_else(PoisonError::into_inner);
        let of_peer = peers.entry(peer).or_default();
        *of_peer += 1;
        // No other machine takes more than half of what there is.
        let too_many = !peer.is_loopback() && *of_peer > most.div_ceil(2);
        drop(peers);
        (held <= most as u64 && !too_many).then_some(place)
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        let counters = &self.house.counters;
        counters.connections.fetch_sub(1, Ordering::Relaxed);
        let peers = &self.house.peers.0;
        let mut peers = peers.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(held) = peers.get_mut(&self.peer) {
            *held -= 1;
            if *held == 0 {
                peers.remove(&self.peer);
            }
        }
    }
}

/// Serves `router` on `listener` until told to stop; then what is being
/// answered is answered, and nothing more.
pub async fn serve(listener: TcpListener, router: Router, house: House) {
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
        let Some(place) = Place::take(&house, peer.ip()) else {
            house.counters.connections_refused.add(1);
            continue;
        };
        tokio::spawn(connection(stream, peer, router.clone(), place));
    }
}

async fn connection(stream: TcpStream, peer: SocketAddr, router: Router, place: Place) {
    // It only costs time if it is refused.
    let _ = stream.set_nodelay(true);
    let Some(tls) = place.house.tls.clone() else {
        return talk(stream, peer, router, place).await;
    };
    let patience = place.house.limits.read_timeout;
    // Who does not speak TLS, or dribbles it, is not answered.
    if let Ok(Ok(stream)) = tokio::time::timeout(patience, tls.accept(stream)).await {
        talk(stream, peer, router, place).await;
    }
}

async fn talk<S>(stream: S, peer: SocketAddr, router: Router, place: Place)
where
    S: AsyncRead + AsyncWrite + Send + Unpin + 'static,
{
    let limits = &place.house.limits;
    let mut stop = place.house.stop.clone();
    let pace = Pace::new(limits.read_timeout);
    let builder = builder(limits);
    let asked = pace.clone();
    let service = service_fn(move |request: Request<hyper::body::Incoming>| {
        let asked = asked.request(request.version() == Version::HTTP_2);
        let mut request = request.map(Body::new);
        request.extensions_mut().insert(ConnectInfo(peer));
        let answer = router.clone().call(request);
        async move {
            let answer = answer.await;
            drop(asked);
            answer
        }
    });
    let stream = TokioIo::new(Watched::new(stream, pace.clone(), place));
    let connection = builder.serve_connection_with_upgrades(stream, service);
    let mut connection = std::pin::pin!(connection);
    let mut wait = Duration::ZERO;
    loop {
        tokio::select! {
            // A peer that broke off is no news.
            _ = connection.as_mut() => return,
            _ = stop.wait_for(|stop| *stop) => break,
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

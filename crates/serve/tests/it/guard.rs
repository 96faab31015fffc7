//! Who is let in, how many at once, how slowly; TLS; leaving while others talk.

mod admission;
mod leaving;
mod pace;
mod places;
mod secure;

use std::io::{ErrorKind, Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::time::{Duration, Instant};

use axum::Router;
use axum::body::Bytes;
use axum::routing::{get, post};
use tachograph_serve::config::{Config, Limits, Tls};
use tachograph_serve::guard::listen::{House, serve};
use tachograph_serve::guard::places::Places;
use tachograph_serve::guard::{self, tls};
use tokio::sync::{mpsc, watch};

use crate::common::{Door, config};

/// What a raw connection says to `request`, up to its end.
fn say(address: SocketAddr, request: &str) -> String {
    let mut stream = TcpStream::connect(address).expect("a connection");
    stream
        .set_read_timeout(Some(Duration::from_secs(20)))
        .expect("a time-out");
    // A server that has had enough closes while we still write.
    let _ = stream.write_all(request.as_bytes());
    let mut answer = Vec::new();
    let _ = stream.read_to_end(&mut answer);
    String::from_utf8_lossy(&answer).into_owned()
}

fn status(answer: &str) -> u16 {
    let code = answer.split(' ').nth(1).and_then(|code| code.parse().ok());
    code.unwrap_or_else(|| panic!("no status: {answer:?}"))
}

/// A request with these header lines and a body; the connection ends with it.
fn request(method: &str, target: &str, headers: &[&str], body: &str) -> String {
    let headers: String = headers.iter().map(|line| format!("{line}\r\n")).collect();
    let len = body.len();
    format!(
        "{method} {target} HTTP/1.1\r\n{headers}connection: close\r\ncontent-length: {len}\r\n\r\n{body}"
    )
}

fn doors(door: &Door) -> [SocketAddr; 5] {
    let at = door.addresses();
    [
        at.dashboard,
        at.otlp_grpc,
        at.otlp_http,
        at.json,
        at.prometheus,
    ]
    .map(|address| address.expect("this door is open"))
}

#[track_caller]
fn eventually(mut fine: impl FnMut() -> bool) {
    let began = Instant::now();
    while !fine() {
        assert!(
            began.elapsed() < Duration::from_secs(60),
            "it never came true"
        );
        std::thread::sleep(Duration::from_millis(5));
    }
}

/// A door of our own making, behind the guard.
struct Own {
    address: SocketAddr,
    stop: watch::Sender<bool>,
    served: mpsc::Receiver<std::convert::Infallible>,
    runtime: tokio::runtime::Runtime,
    _door: Door,
}

fn own(patience: Duration, tls: Option<&Tls>, router: Router) -> Own {
    let door = Door::with(Config {
        limits: Limits {
            read_timeout: patience,
            ..Limits::default()
        },
        ..config()
    });
    let hub = door.running().hub();
    let router = guard::guarded(router, hub, None, false);
    let (stop, stopped) = watch::channel(false);
    let (serving, served) = mpsc::channel(1);
    let house = House {
        limits: hub.config.limits.clone(),
        counters: hub.counters.clone(),
        tls: tls.map(|tls| tls::acceptor(tls).expect("a certificate")),
        places: Places::new(hub.config.limits.connections, 1, hub.counters.clone()),
        served: serving,
        stop: stopped,
    };
    let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
    listener.set_nonblocking(true).expect("it can");
    let address = listener.local_addr().expect("an address");
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(2)
        .enable_all()
        .build()
        .expect("a runtime");
    runtime.spawn(async move {
        let listener = tokio::net::TcpListener::from_std(listener).expect("a listener");
        serve(listener, router, house, 0).await;
    });
    Own {
        address,
        stop,
        served,
        runtime,
        _door: door,
    }
}

fn echo() -> Router {
    Router::new()
        .route("/", get(|| async { "here" }))
        .route("/echo", post(|body: Bytes| async move { body }))
}

/// Sends `first`, then `piece` again and again, until the server has had
/// enough; returns after how long, and what it said.
fn dribble(address: SocketAddr, first: &str, piece: &[u8]) -> (Duration, String) {
    let mut stream = TcpStream::connect(address).expect("a connection");
    stream
        .set_read_timeout(Some(Duration::from_millis(20)))
        .expect("a time-out");
    stream.write_all(first.as_bytes()).expect("sent");
    let began = Instant::now();
    let mut answer = Vec::new();
    let mut buffer = [0; 4096];
    while began.elapsed() < Duration::from_secs(20) {
        match stream.read(&mut buffer) {
            Ok(0) => break,
            Ok(read) => answer.extend_from_slice(&buffer[..read]),
            Err(error) if matches!(error.kind(), ErrorKind::WouldBlock | ErrorKind::TimedOut) => {}
            Err(_) => break,
        }
        // It may be closed by now; the next read tells.
        let _ = stream.write_all(piece);
    }
    (
        began.elapsed(),
        String::from_utf8_lossy(&answer).into_owned(),
    )
}

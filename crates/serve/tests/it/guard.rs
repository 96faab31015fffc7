//! Who is let in, how many at once, how slowly; TLS; leaving while others talk.

use std::io::{ErrorKind, Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use axum::Router;
use axum::body::Bytes;
use axum::routing::{get, post};
use tachograph_serve::config::{Config, Limits, Tls};
use tachograph_serve::guard::listen::{House, serve};
use tachograph_serve::guard::places::Places;
use tachograph_serve::guard::{self, tls};
use tachograph_serve::{StartError, start};
use tokio::sync::{mpsc, watch};

use crate::common::{Door, config};

const CERT: &[u8] = include_bytes!("../data/tls-cert.pem");
const KEY: &[u8] = include_bytes!("../data/tls-key.pem");

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

#[test]
fn a_name_that_was_made_to_point_here_is_not_answered_to() {
    let door = Door::with(Config {
        allowed_hosts: vec!["build-box".to_owned()],
        ..config()
    });
    for address in doors(&door) {
        let host = |name: &str| {
            let line = format!("host: {name}");
            let answer = say(address, &request("GET", "/health", &[&line], ""));
            (status(&answer), answer)
        };
        for name in ["evil.example", "evil.example:80", "localhost.evil.example"] {
            let (code, answer) = host(name);
            assert_eq!(code, 403, "{address} {name}: {answer}");
            assert!(answer.contains("allowed_hosts"), "the way out: {answer}");
            assert!(answer.contains("nosniff"), "{answer}");
        }
        for name in ["localhost", "127.0.0.1:1", "[::1]:8090", "Build-Box:8090"] {
            assert_ne!(host(name).0, 403, "{address} {name}");
        }
        // What a proxy claims counts for nothing.
        let lines = [
            "host: evil.example",
            "x-forwarded-host: localhost",
            "forwarded: host=localhost",
        ];
        assert_eq!(
            status(&say(address, &request("GET", "/health", &lines, ""))),
            403
        );
    }
    let denied = door.running().hub().counters.requests_denied.get();
    assert_eq!(denied, 5 * 4);
}

#[test]
fn a_request_says_once_where_it_goes() {
    let door = Door::open();
    for address in doors(&door) {
        let check = |version: &str, headers: &[&str], is_bad| {
            let ask = request("GET", "/health", headers, "").replace("HTTP/1.1", version);
            let answer = say(address, &ask);
            assert_eq!(
                status(&answer) == 400,
                is_bad,
                "{version} {headers:?}: {answer}"
            );
        };
        check("HTTP/1.1", &["host: localhost"], false);
        check("HTTP/1.1", &[], true);
        check("HTTP/1.1", &["host: localhost", "host: localhost"], true);
        check("HTTP/1.0", &[], false);
    }
}

#[test]
fn another_site_s_page_can_neither_send_nor_listen() {
    let door = Door::open();
    let event = r#"{"event_type":"tool_call","tool":"x"}"#;
    for address in doors(&door) {
        let own = format!("origin: http://{address}");
        let host = format!("host: {address}");
        for kind in [
            "text/plain",
            "application/json",
            "application/x-www-form-urlencoded",
        ] {
            let kind = format!("content-type: {kind}");
            let sent = |extra: &[&str]| {
                let lines = [&[host.as_str(), kind.as_str()], extra].concat();
                let answer = say(address, &request("POST", "/api/v1/events", &lines, event));
                assert!(
                    !answer.to_ascii_lowercase().contains("access-control"),
                    "{answer}"
                );
                status(&answer)
            };
            for foreign in [
                "http://evil.example",
                "null",
                "http://127.0.0.1:1",
                "http://localhost",
            ] {
                assert_eq!(
                    sent(&[&format!("origin: {foreign}")]),
                    403,
                    "{kind} {foreign}"
                );
            }
            assert_eq!(sent(&["sec-fetch-site: cross-site"]), 403, "{kind}");
            assert_ne!(sent(&[&own]), 403, "{kind}");
            assert_ne!(sent(&[]), 403, "{kind}");
        }
        // Neither may its sockets listen.
        let upgrade = [
            host.as_str(),
            "origin: http://evil.example",
            "upgrade: websocket",
            "sec-websocket-version: 13",
            "sec-websocket-key: dGhlIHNhbXBsZSBub25jZQ==",
        ];
        for path in ["/ws", "/"] {
            assert_eq!(
                status(&say(address, &request("GET", path, &upgrade, ""))),
                403,
                "{path}"
            );
        }
        let preflight = [
            host.as_str(),
            "origin: http://evil.example",
            "access-control-request-method: POST",
        ];
        let answer = say(
            address,
            &request("OPTIONS", "/api/v1/events", &preflight, ""),
        );
        assert_eq!(status(&answer), 403);
    }
}

#[test]
fn a_token_is_asked_for_at_every_door() {
    let token = "0123456789abcdef0123456789abcdef";
    let door = Door::with(Config {
        token: Some(token.to_owned()),
        ..config()
    });
    let right = format!("authorization: Bearer {token}");
    let at = door.addresses();
    for address in doors(&door) {
        let ask = |target: &str, lines: &[&str]| {
            let lines = [&["host: localhost"], lines].concat();
            say(address, &request("GET", target, &lines, ""))
        };
        let missing = ask("/metrics", &[]);
        assert_eq!(status(&missing), 401);
        assert!(
            missing
                .to_ascii_lowercase()
                .contains("www-authenticate: bearer"),
            "{missing}"
        );
        assert_eq!(
            status(&ask("/metrics", &["authorization: Bearer wrong"])),
            401
        );
        assert!(![401, 403].contains(&status(&ask("/metrics", &[&right]))));
        // Only pages and sockets, which send no header, have it in the address.
        let in_query = status(&ask(&format!("/metrics?token={token}"), &[]));
        assert_eq!(in_query != 401, Some(address) == at.dashboard, "{in_query}");
        // Who watches over processes has no token.
        assert_ne!(status(&ask("/health", &[])), 401);
        // A token makes no page of another site welcome.
        assert_eq!(
            status(&ask("/metrics", &[&right, "origin: http://evil.example"])),
            403
        );
        // Whoever has it may call the machine what it likes.
        let named = request("GET", "/metrics", &["host: any.example", &right], "");
        assert_ne!(status(&say(address, &named)), 403);
    }
    // Guesses at all doors together, and then no more for a while; who has the
    // token and comes from here is no guesser.
    let address = doors(&door)[0];
    let with = |line: &str| {
        say(
            address,
            &request("GET", "/metrics", &["host: localhost", line], ""),
        )
    };
    let guessed = (0..20)
        .map(|at| status(&with(&format!("authorization: Bearer guess{at}"))))
        .max();
    assert_eq!(guessed, Some(429));
    assert!(![401, 429].contains(&status(&with(&right))));
    let waits = with("authorization: Bearer guess");
    assert_eq!(status(&waits), 429);
    assert!(
        waits.to_ascii_lowercase().contains("retry-after: 60"),
        "{waits}"
    );
}

#[test]
fn two_hundred_connections_at_once_are_answered() {
    let door = Door::open();
    let address = door.addresses().dashboard.expect("open");
    let mut streams: Vec<TcpStream> = (0..200)
        .map(|_| TcpStream::connect(address).expect("a connection"))
        .collect();
    for stream in &mut streams {
        let ask = request("GET", "/nothing-here", &["host: localhost"], "");
        stream.write_all(ask.as_bytes()).expect("sent");
    }
    for stream in &mut streams {
        let mut answer = String::new();
        stream.read_to_string(&mut answer).expect("an answer");
        assert_eq!(status(&answer), 404);
    }
    let counters = &door.running().hub().counters;
    assert_eq!(counters.connections_refused.get(), 0);
}

#[test]
fn more_connections_than_there_are_places_are_turned_away_and_counted() {
    let door = Door::with(Config {
        limits: Limits {
            connections: 8,
            ..Limits::default()
        },
        ..config()
    });
    let address = door.addresses().json.expect("open");
    let held: Vec<TcpStream> = (0..8)
        .map(|_| TcpStream::connect(address).expect("a connection"))
        .collect();
    let counters = door.running().hub().counters.clone();
    eventually(|| counters.connections.load(Ordering::Relaxed) == 8);
    let ask = request("GET", "/health", &["host: localhost"], "");
    for _ in 0..12 {
        assert_eq!(say(address, &ask), "", "closed without a word");
    }
    assert_eq!(counters.connections_refused.get(), 12);
    drop(held);
    eventually(|| counters.connections.load(Ordering::Relaxed) == 0);
    assert_ne!(say(address, &ask), "");
}

#[test]
fn idle_connections_at_one_door_shut_none_and_leave_for_others() {
    let door = Door::with(Config {
        limits: Limits {
            connections: 32,
            ..Limits::default()
        },
        ..config()
    });
    let addresses = door.addresses();
    let json = addresses.json.expect("open");
    let counters = door.running().hub().counters.clone();
    // Each asks once and stays.
    let mut idle = Vec::new();
    for _ in 0..24 {
        let mut stream = TcpStream::connect(json).expect("a connection");
        stream
            .write_all(b"GET /health HTTP/1.1\r\nhost: localhost\r\n\r\n")
            .expect("sent");
        let mut answer = [0; 12];
        stream.read_exact(&mut answer).expect("an answer");
        assert_eq!(&answer, b"HTTP/1.1 200");
        idle.push(stream);
        std::thread::sleep(Duration::from_millis(2));
    }
    let ask = request("GET", "/health", &["host: localhost"], "");
    for other in [addresses.dashboard, addresses.prometheus] {
        assert_ne!(say(other.expect("open"), &ask), "", "has places of its own");
    }
    assert_eq!(say(json, &ask), "", "nobody is idle yet");
    std::thread::sleep(Duration::from_millis(1100));
    // The first to come takes the place of one that leaves; the others that one's.
    for _ in 0..3 {
        assert_eq!(status(&say(json, &ask)), 200);
        eventually(|| counters.connections.load(Ordering::Relaxed) == 23);
    }
    assert_eq!(counters.connections_evicted.get(), 1);
    // The one that left was the first.
    let mut rest = Vec::new();
    idle[0]
        .set_read_timeout(Some(Duration::from_secs(5)))
        .expect("a time-out");
    assert!(idle[0].read_to_end(&mut rest).is_ok(), "closed");
    assert_eq!(counters.connections_refused.get(), 1);
}

#[track_caller]
fn eventually(mut fine: impl FnMut() -> bool) {
    let began = Instant::now();
    while !fine() {
        assert!(
            began.elapsed() < Duration::from_secs(10),
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

#[test]
fn slow_clients_are_left_and_hold_nobody_up() {
    let patience = Duration::from_millis(400);
    let own = own(patience, None, echo());
    let address = own.address;
    let body = "POST /echo HTTP/1.1\r\nhost: localhost\r\ncontent-length: 1000000\r\n\r\n";
    let second = "GET / HTTP/1.1\r\nhost: localhost\r\n\r\n";
    let slow: [(&str, &[u8]); 4] = [
        ("", b""),
        ("GET / HTTP/1.1\r\nhost: localhost\r\n", b"x: y\r\n"),
        (body, b"x"),
        // The first request is fine; the second one's head never ends.
        (second, b"G"),
    ];
    let slow =
        slow.map(|(first, piece)| std::thread::spawn(move || dribble(address, first, piece)));
    // Others do not notice.
    let began = Instant::now();
    for _ in 0..50 {
        let answer = say(
            address,
            &request("POST", "/echo", &["host: localhost"], "quick"),
        );
        assert!(answer.ends_with("quick"), "{answer}");
    }
    assert!(
        began.elapsed() < Duration::from_secs(5),
        "{:?}",
        began.elapsed()
    );
    let slow = slow.map(|thread| thread.join().expect("no panic"));
    for (at, (took, answer)) in slow.iter().enumerate() {
        assert!(
            *took >= patience / 2,
            "{at}: cut off after {took:?}: {answer}"
        );
        assert!(
            *took < Duration::from_secs(8),
            "{at}: held for {took:?}: {answer}"
        );
    }
    assert_eq!(slow[0].1, "", "nothing was asked, nothing is said");
    assert_eq!(slow[1].1, "");
    assert!(!slow[2].1.contains(" 200 "), "{}", slow[2].1);
    assert!(slow[3].1.ends_with("here"), "{}", slow[3].1);
}

#[test]
fn a_small_body_that_dribbles_in_is_too_late() {
    let mut config = config();
    config.limits.read_timeout = Duration::from_millis(300);
    let door = Door::with(config);
    let address = door.addresses().dashboard.expect("open");
    for path in ["/api/alerts/rules", "/api/v1/sql"] {
        let first = format!(
            "POST {path} HTTP/1.1\r\nhost: localhost\r\ncontent-type: application/json\r\n\
             content-length: 100\r\n\r\n{{"
        );
        let (_, answer) = dribble(address, &first, b" ");
        assert_eq!(status(&answer), 408, "{path}: {answer}");
    }
}

#[test]
fn a_large_body_at_a_fair_pace_may_take_longer_than_a_small_one() {
    let own = own(Duration::from_millis(300), None, echo());
    let mut stream = TcpStream::connect(own.address).expect("a connection");
    let pieces = 30;
    let piece = vec![b'x'; 8 << 10];
    let head = format!(
        "POST /echo HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\ncontent-length: {}\r\n\r\n",
        pieces * piece.len()
    );
    stream.write_all(head.as_bytes()).expect("sent");
    let began = Instant::now();
    for _ in 0..pieces {
        stream.write_all(&piece).expect("still wanted");
        std::thread::sleep(Duration::from_millis(30));
    }
    assert!(began.elapsed() > Duration::from_millis(600));
    let mut answer = Vec::new();
    stream.read_to_end(&mut answer).expect("an answer");
    assert_eq!(status(&String::from_utf8_lossy(&answer)), 200);
    assert!(answer.len() > pieces * piece.len());
}

#[test]
fn an_answer_that_nobody_fetches_is_dropped() {
    // More than the buffers of both sides take.
    let large = Router::new().route("/", get(|| async { vec![b'x'; 64 << 20] }));
    let own = own(Duration::from_millis(300), None, large);
    let counters = own._door.running().hub().counters.clone();
    let mut stream = TcpStream::connect(own.address).expect("a connection");
    stream
        .write_all(b"GET / HTTP/1.1\r\nhost: localhost\r\n\r\n")
        .expect("sent");
    eventually(|| counters.connections.load(Ordering::Relaxed) == 1);
    // Held open by us, and still it goes.
    eventually(|| counters.connections.load(Ordering::Relaxed) == 0);
    drop(stream);
}

#[test]
fn tls_is_spoken_and_nothing_else_then() {
    use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
    use tokio_rustls::rustls::pki_types::pem::PemObject as _;
    use tokio_rustls::rustls::pki_types::{CertificateDer, ServerName};
    use tokio_rustls::rustls::{ClientConfig, RootCertStore, crypto::ring};

    let pair = Tls {
        certificates: CERT.to_vec(),
        key: KEY.to_vec(),
    };
    let door = Door::with(Config {
        tls: Some(pair),
        limits: Limits {
            read_timeout: Duration::from_secs(1),
            ..Limits::default()
        },
        ..config()
    });
    let mut roots = RootCertStore::empty();
    let own = CertificateDer::from_pem_slice(CERT).expect("a certificate");
    roots.add(own).expect("a root");
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .expect("a runtime");
    for address in doors(&door) {
        for protocol in ["http/1.1", "h2"] {
            let mut client =
                ClientConfig::builder_with_provider(Arc::new(ring::default_provider()))
                    .with_safe_default_protocol_versions()
                    .expect("versions")
                    .with_root_certificates(roots.clone())
                    .with_no_client_auth();
            client.alpn_protocols = vec![protocol.as_bytes().to_vec()];
            let connector = tokio_rustls::TlsConnector::from(Arc::new(client));
            let answer = runtime.block_on(async {
                let stream = tokio::net::TcpStream::connect(address)
                    .await
                    .expect("a connection");
                let name = ServerName::try_from("localhost").expect("a name");
                let mut stream = connector.connect(name, stream).await.expect("a handshake");
                assert_eq!(
                    stream.get_ref().1.alpn_protocol(),
                    Some(protocol.as_bytes())
                );
                if protocol == "h2" {
                    return None;
                }
                let ask = request("GET", "/nothing-here", &["host: localhost"], "");
                stream.write_all(ask.as_bytes()).await.expect("sent");
                let mut answer = Vec::new();
                // Whether it ends with a farewell or not, the answer is there.
                let _ = stream.read_to_end(&mut answer).await;
                Some(String::from_utf8_lossy(&answer).into_owned())
            });
            if let Some(answer) = answer {
                assert_eq!(status(&answer), 404, "{answer}");
            }
        }
        let plain = say(
            address,
            &request("GET", "/nothing-here", &["host: localhost"], ""),
        );
        assert!(!plain.starts_with("HTTP/"), "{plain}");
        // Who opens a connection and says nothing is left as well.
        let (took, said) = dribble(address, "", b"");
        assert!(took < Duration::from_secs(8), "{took:?}");
        assert_eq!(said, "");
    }
}

#[test]
fn a_wrong_certificate_is_named() {
    for (certificates, key, words) in [
        (&b"nothing"[..], KEY, "no certificate in PEM"),
        (CERT, &b"nothing"[..], "no private key in PEM"),
        (CERT, CERT, "no private key in PEM"),
    ] {
        let error = tls::acceptor(&Tls {
            certificates: certificates.to_vec(),
            key: key.to_vec(),
        });
        let said = error.map(|_| ()).expect_err("it cannot do").to_string();
        assert!(said.contains(words), "{said}");
    }
}

#[test]
fn a_port_that_is_taken_names_the_door() {
    let taken = TcpListener::bind("127.0.0.1:0").expect("a port");
    let port = taken.local_addr().expect("an address").port();
    let free = Door::open();
    let hub = free.running().hub();
    let doors = tachograph_serve::Doors {
        sink: Arc::new(tachograph_log::DurableLog::new(&hub.home)),
        answerer: hub.answerer.clone(),
        home: hub.home.clone(),
        salt: hub.salt.clone(),
    };
    let error = start(
        Config {
            prometheus: Some(port),
            ..config()
        },
        doors,
    );
    match error.map(|_| ()) {
        Err(StartError::Bind { door, address, .. }) => {
            assert_eq!((door, address.port()), ("prometheus", port));
        }
        other => panic!("{other:?}"),
    }
}

#[test]
fn what_was_asked_before_the_end_is_answered() {
    static BEGUN: AtomicU64 = AtomicU64::new(0);
    let slow = Router::new().route(
        "/",
        get(|| async {
            BEGUN.fetch_add(1, Ordering::Relaxed);
            tokio::time::sleep(Duration::from_millis(300)).await;
            "late"
        }),
    );
    let mut own = own(Duration::from_secs(10), None, slow);
    let address = own.address;
    // One that only holds its connection open.
    let idle = TcpStream::connect(address).expect("a connection");
    let asked: Vec<_> = (0..20)
        .map(|_| {
            std::thread::spawn(move || say(address, "GET / HTTP/1.1\r\nhost: localhost\r\n\r\n"))
        })
        .collect();
    eventually(|| BEGUN.load(Ordering::Relaxed) == 20);
    let began = Instant::now();
    own.stop.send(true).expect("it listens");
    let gone = own
        .runtime
        .block_on(async { tokio::time::timeout(Duration::from_secs(5), own.served.recv()).await });
    assert_eq!(gone, Ok(None), "nobody is served any more");
    assert!(
        began.elapsed() < Duration::from_millis(1500),
        "{:?}",
        began.elapsed()
    );
    for thread in asked {
        let answer = thread.join().expect("no panic");
        assert!(answer.ends_with("late"), "{answer:?}");
    }
    assert!(TcpStream::connect(address).is_err(), "the door is shut");
    drop(idle);
}

#[test]
fn a_server_that_is_told_to_stop_waits_for_nobody_for_long() {
    let door = Door::open();
    let address = door.addresses().otlp_http.expect("open");
    // Amid a body that never comes.
    let mut stream = TcpStream::connect(address).expect("a connection");
    stream
        .write_all(b"POST /v1/traces HTTP/1.1\r\nhost: localhost\r\ncontent-length: 9\r\n\r\nx")
        .expect("sent");
    std::thread::sleep(Duration::from_millis(50));
    let began = Instant::now();
    drop(door);
    assert!(
        began.elapsed() < Duration::from_secs(2),
        "{:?}",
        began.elapsed()
    );
}

#[test]
fn what_was_acknowledged_under_load_is_stored_when_it_stops_in_time() {
    let door = Door::open();
    let address = door.addresses().dashboard.expect("open");
    let stop = Arc::new(std::sync::atomic::AtomicBool::new(false));
    let clients: Vec<_> = (0..8)
        .map(|client| {
            let stop = stop.clone();
            std::thread::spawn(move || {
                let mut acknowledged = Vec::new();
                let mut at = 0;
                while !stop.load(Ordering::Relaxed) {
                    at += 1;
                    let name = format!("load-{client}-{at}");
                    let event = format!(r#"{{"event_type":"tool_call","tool":"{name}"}}"#);
                    let lines = ["host: localhost", "content-type: application/json"];
                    let Ok(mut stream) = TcpStream::connect(address) else {
                        break;
                    };
                    let sent = request("POST", "/api/v1/events", &lines, &event);
                    let _ = stream.write_all(sent.as_bytes());
                    let mut answer = String::new();
                    // One that is cut off was not acknowledged.
                    let _ = stream.read_to_string(&mut answer);
                    if answer.starts_with("HTTP/1.1 200") {
                        acknowledged.push(name);
                    }
                }
                acknowledged
            })
        })
        .collect();
    eventually(|| door.stored().len() > 200);
    let began = Instant::now();
    let folder = door.close();
    let took = began.elapsed();
    stop.store(true, Ordering::Relaxed);
    assert!(took < Duration::from_secs(2), "{took:?}");
    let mut times = std::collections::HashMap::new();
    for event in crate::common::stored(folder.path()) {
        let tool = event["tool"].as_str().expect("a tool").to_owned();
        *times.entry(tool).or_insert(0) += 1;
    }
    let mut acknowledged = 0;
    for client in clients {
        for name in client.join().expect("no panic") {
            assert_eq!(times.get(&name), Some(&1), "{name}");
            acknowledged += 1;
        }
    }
    assert!(acknowledged > 200, "{acknowledged}");
}

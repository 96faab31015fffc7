//! The load: connections that send one batch after the other, as exporters do,
//! and send again what was refused for the time being.

use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use bytes::Bytes;
use http_body_util::{BodyExt, Full};
use hyper::Request;
use hyper_util::rt::{TokioExecutor, TokioIo};

use crate::door::Ports;

/// What is spoken, and at which door.
#[derive(Clone, Copy, PartialEq)]
pub(crate) enum Wire {
    Grpc,
    /// OTLP over HTTP/1.1.
    Otlp,
    /// HTTP/1.1 at the door of the API.
    Api,
}

pub(crate) struct Load {
    pub(crate) wire: Wire,
    pub(crate) path: &'static str,
    pub(crate) headers: &'static [(&'static str, &'static str)],
    pub(crate) body: fn(u64) -> (Vec<u8>, usize),
    pub(crate) batches: u64,
    pub(crate) connections: u64,
}

/// What came of it.
pub(crate) struct Outcome {
    pub(crate) records: u64,
    pub(crate) body_bytes: u64,
    pub(crate) wall: Duration,
    pub(crate) retries: u64,
    pub(crate) median: Duration,
    /// All but one in a hundred are faster.
    pub(crate) slowest: Duration,
}

#[derive(Default)]
struct Sent {
    records: u64,
    bytes: u64,
    retries: u64,
    times: Vec<Duration>,
}

impl Load {
    /// Sends a few batches that are not counted, numbered behind the others.
    pub(crate) fn warm_up(&self, ports: Ports, batches: u64) {
        // A door that is shut shows in the run.
        let _ = self.send_all(ports, self.batches..self.batches + batches, 1);
    }

    /// Sends all batches.
    pub(crate) fn run(&self, ports: Ports) -> Result<Outcome, String> {
        let began = Instant::now();
        let mut sent = self.send_all(ports, 0..self.batches, self.connections)?;
        let wall = began.elapsed();
        sent.times.sort_unstable();
        let at = |percent: usize| sent.times[(sent.times.len() - 1) * percent / 100];
        Ok(Outcome {
            records: sent.records,
            body_bytes: sent.bytes,
            wall,
            retries: sent.retries,
            median: at(50),
            slowest: at(99),
        })
    }

    fn send_all(
        &self,
        ports: Ports,
        batches: std::ops::Range<u64>,
        connections: u64,
    ) -> Result<Sent, String> {
        let next = AtomicU64::new(batches.start);
        let take = &|| {
            let number = next.fetch_add(1, Ordering::Relaxed);
            (number < batches.end).then_some(number)
        };
        // Not more threads than that: the server wants the processor, too.
        let threads = connections.min(4);
        std::thread::scope(|scope| {
            let workers: Vec<_> = (0..threads)
                .map(|thread| {
                    let own = (connections + threads - 1 - thread) / threads;
                    scope.spawn(move || self.worker(ports, own, take))
                })
                .collect();
            let mut all = Sent::default();
            for worker in workers {
                let sent = worker.join().map_err(|_| "a worker panicked")??;
                all.records += sent.records;
                all.bytes += sent.bytes;
                all.retries += sent.retries;
                all.times.extend(sent.times);
            }
            Ok(all)
        })
    }

    /// One thread with some connections.
    fn worker(
        &self,
        ports: Ports,
        connections: u64,
        take: &dyn Fn() -> Option<u64>,
    ) -> Result<Sent, String> {
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build()
            .map_err(|error| error.to_string())?;
        let local = tokio::task::LocalSet::new();
        local.block_on(&runtime, async {
            let all = (0..connections).map(|_| self.connection(ports, take));
            let mut sent = Sent::default();
            for one in join_all(all).await {
                let one = one?;
                sent.records += one.records;
                sent.bytes += one.bytes;
                sent.retries += one.retries;
                sent.times.extend(one.times);
            }
            Ok(sent)
        })
    }

    async fn connection(
        &self,
        ports: Ports,
        take: &dyn Fn() -> Option<u64>,
    ) -> Result<Sent, String> {
        let mut client = Client::connect(self.wire, ports).await?;
        let mut sent = Sent::default();
        while let Some(number) = take() {
            let (body, records) = (self.body)(number);
            sent.bytes += body.len() as u64;
            let body = match self.wire {
                Wire::Grpc => {
                    let length = u32::try_from(body.len()).map_err(|_| "a body too large")?;
                    [&[0][..], &length.to_be_bytes(), &body].concat()
                }
                _ => body,
            };
            let body = Bytes::from(body);
            let began = Instant::now();
            while !client.send(self, ports, body.clone()).await? {
                sent.retries += 1;
                tokio::time::sleep(Duration::from_millis(20)).await;
            }
            sent.times.push(began.elapsed());
            sent.records += records as u64;
        }
        Ok(sent)
    }
}

/// All futures at once, on this thread.
async fn join_all<F: Future>(futures: impl Iterator<Item = F>) -> Vec<F::Output> {
    let mut open: Vec<_> = futures.map(|future| Some(Box::pin(future))).collect();
    let mut done: Vec<_> = open.iter().map(|_| None).collect();
    std::future::poll_fn(|context| {
        for (future, done) in open.iter_mut().zip(&mut done) {
            let Some(running) = future else { continue };
            if let std::task::Poll::Ready(output) = running.as_mut().poll(context) {
                (*done, *future) = (Some(output), None);
            }
        }
        match open.iter().all(Option::is_none) {
            true => std::task::Poll::Ready(()),
            false => std::task::Poll::Pending,
        }
    })
    .await;
    done.into_iter().flatten().collect()
}

enum Client {
    Http1(hyper::client::conn::http1::SendRequest<Full<Bytes>>),
    Http2(hyper::client::conn::http2::SendRequest<Full<Bytes>>),
}

impl Client {
    async fn connect(wire: Wire, ports: Ports) -> Result<Self, String> {
        let address = match wire {
            Wire::Grpc => ports.grpc,
            Wire::Otlp => ports.http,
            Wire::Api => ports.api,
        };
        let text = |error: hyper::Error| error.to_string();
        let stream = tokio::net::TcpStream::connect(address).await;
        let stream = stream.map_err(|error| error.to_string())?;
        stream
            .set_nodelay(true)
            .map_err(|error| error.to_string())?;
        let io = TokioIo::new(stream);
        if wire == Wire::Grpc {
            let executor = TokioExecutor::new();
            let (send, connection) = hyper::client::conn::http2::handshake(executor, io)
                .await
                .map_err(text)?;
            tokio::task::spawn_local(connection);
            return Ok(Self::Http2(send));
        }
        let (send, connection) = hyper::client::conn::http1::handshake(io)
            .await
            .map_err(text)?;
        tokio::task::spawn_local(connection);
        Ok(Self::Http1(send))
    }

    /// Whether it is stored; false: to be sent again.
    async fn send(&mut self, load: &Load, ports: Ports, body: Bytes) -> Result<bool, String> {
        let (scheme, content_type) = match load.wire {
            Wire::Grpc => (format!("http://{}", ports.grpc), Some("application/grpc")),
            _ => (String::new(), None),
        };
        let mut request = Request::post(format!("{scheme}{}", load.path));
        if load.wire != Wire::Grpc {
            request = request.header("host", "localhost");
        }
        let headers = load.headers.iter().copied();
        for (name, value) in headers.chain(content_type.map(|value| ("content-type", value))) {
            request = request.header(name, value);
        }
        let request = request
            .body(Full::new(body))
            .map_err(|error| error.to_string())?;
        let response = match self {
            Self::Http1(send) => send.send_request(request).await,
            Self::Http2(send) => send.send_request(request).await,
        };
        let response = response.map_err(|error| error.to_string())?;
        let status = response.status().as_u16();
        let in_head = response.headers().get("grpc-status").cloned();
        let rest = response.into_body().collect().await;
        let rest = rest.map_err(|error| error.to_string())?;
        let trailer = rest
            .trailers()
            .and_then(|map| map.get("grpc-status").cloned());
        let code = in_head.or(trailer);
        match (status, code.as_ref().map(|code| code.as_bytes())) {
            (200 | 202 | 204, None | Some(b"0")) => Ok(true),
            (429 | 503, _) | (200, Some(b"14")) => Ok(false),
            (status, code) => {
                let text = String::from_utf8_lossy(&rest.to_bytes()).into_owned();
                let code = code.map(String::from_utf8_lossy);
                Err(format!("status {status} {code:?} {text:.200}"))
            }
        }
    }
}

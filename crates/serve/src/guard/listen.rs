//! The one accept loop that every door shares.

use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::Ordering;

use axum::Router;
use hyper_util::rt::{TokioExecutor, TokioIo, TokioTimer};
use hyper_util::server::conn::auto::Builder;
use hyper_util::service::TowerToHyperService;
use tokio::net::TcpListener;
use tokio::sync::watch;

use crate::config::Limits;
use crate::counters::Counters;

/// Serves `router` on `listener` until `stop` says so; then what is being
/// answered is answered, and nothing more.
pub async fn serve(
    listener: TcpListener,
    router: Router,
    limits: Limits,
    counters: Arc<Counters>,
    mut stop: watch::Receiver<bool>,
) {
    loop {
        let (stream, peer) = tokio::select! {
            accepted = listener.accept() => match accepted {
                Ok(accepted) => accepted,
                // Out of descriptors, or a peer that is gone already.
                Err(_) => {
                    tokio::time::sleep(std::time::Duration::from_millis(20)).await;
                    continue;
                }
            },
            _ = stop.changed() => return,
        };
        let held = counters.connections.fetch_add(1, Ordering::Relaxed) + 1;
        if held > limits.connections as u64 {
            counters.connections.fetch_sub(1, Ordering::Relaxed);
            counters.connections_refused.add(1);
            continue;
        }
        let _ = stream.set_nodelay(true);
        let router = router.clone();
        let (limits, counters, stop) = (limits.clone(), counters.clone(), stop.clone());
        tokio::spawn(async move {
            connection(stream, peer, router, &limits, stop).await;
            counters.connections.fetch_sub(1, Ordering::Relaxed);
        });
    }
}

async fn connection(
    stream: tokio::net::TcpStream,
    peer: SocketAddr,
    router: Router,
    limits: &Limits,
    mut stop: watch::Receiver<bool>,
) {
    let service =
        TowerToHyperService::new(router.layer(axum::Extension(axum::extract::ConnectInfo(peer))));
    let mut builder = Builder::new(TokioExecutor::new());
    builder
        .http1()
        .timer(TokioTimer::new())
        .header_read_timeout(limits.read_timeout);
    builder.http2().timer(TokioTimer::new());
    let connection = builder.serve_connection_with_upgrades(TokioIo::new(stream), service);
    let mut connection = std::pin::pin!(connection);
    tokio::select! {
        // A peer that broke off is no news.
        _ = connection.as_mut() => return,
        _ = stop.changed() => connection.as_mut().graceful_shutdown(),
    }
    let _ = tokio::time::timeout(limits.stop_within, connection).await;
}

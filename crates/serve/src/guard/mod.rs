//! Who may come in, how many at once, and how slowly.
//!
//! ```text
//! accept ─ places (how many) ─ tls ─ pace (heads, idling, reading slowly)
//!        ─ check (Host, Origin, token) ─ body (bodies at a pace) ─ the door's routes
//! ```
//!
//! Whoever forwards for others is nobody special: `X-Forwarded-*` and
//! `Forwarded` are never read.

pub mod body;
pub mod listen;
pub mod origin;
pub mod pace;
pub mod places;
pub mod tls;
pub mod token;

use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;
use std::time::Instant;

use axum::Router;
use axum::extract::{ConnectInfo, Request, State};
use axum::http::Method;
use axum::http::request::Parts;
use axum::middleware::Next;
use axum::response::{IntoResponse as _, Response};

use self::body::Paced;
use self::origin::Foreign;
use self::token::{Checked, Token};
use crate::api::problem::{Kind, Problem, quoted};
use crate::api::{headers, page};
use crate::hub::Hub;

/// What a door asks of requests.
struct Guard {
    hub: Arc<Hub>,
    token: Option<Arc<Token>>,
    /// Whether the token may stand in the address: for pages and WebSockets.
    token_in_query: bool,
}

/// What all doors share: guesses at one door count at every other.
pub fn token(hub: &Hub) -> Option<Arc<Token>> {
    let text = hub.config.token.clone()?;
    Some(Arc::new(Token::new(text)))
}

/// Puts the guard before a door's routes.
pub fn guarded(
    router: Router,
    hub: &Arc<Hub>,
    token: Option<Arc<Token>>,
    token_in_query: bool,
) -> Router {
    let guard = Arc::new(Guard {
        hub: hub.clone(),
        token,
        token_in_query,
    });
    let checked = router.layer(axum::middleware::from_fn_with_state(guard, check));
    headers::with_headers(checked)
}

async fn check(State(guard): State<Arc<Guard>>, request: Request, next: Next) -> Response {
    let (head, body) = request.into_parts();
    if let Err(problem) = guard.admit(&head) {
        guard.hub.counters.requests_denied.add(1);
        return problem.into_response();
    }
    let patience = guard.hub.config.limits.read_timeout;
    let request = Request::from_parts(head, Paced::wrap(body, patience));
    next.run(request).await
}

impl Guard {
    fn admit(&self, head: &Parts) -> Result<(), Problem> {
        if !origin::names_host(head) {
            let detail = "HTTP/1.1 asks for one `Host` header, the address that is spoken to";
            return Err(Problem::new(Kind::BadHead, detail));
        }
        origin::origin(head).map_err(refused)?;
        let host = origin::host(head, &self.hub.config.allowed_hosts);
        // Where a token is asked for, it is what tells friend from foe: a page
        // whose name was made to point here does not have it.
        match &self.token {
            Some(_) if self.has_page() && is_page(head) => Ok(()),
            Some(token) if !is_health(head) => self.know(token, head),
            _ => host.map_err(refused),
        }
    }

    /// Whether this door shows one.
    fn has_page(&self) -> bool {
        self.token_in_query && self.hub.config.page
    }

    fn know(&self, token: &Token, head: &Parts) -> Result<(), Problem> {
        let connected = head.extensions.get::<ConnectInfo<SocketAddr>>();
        let peer = connected.map_or(IpAddr::from([0; 4]), |connected| connected.0.ip());
        match token.check(head, peer, self.token_in_query, Instant::now()) {
            Checked::Right => Ok(()),
            Checked::Missing => Err(Problem::new(
                Kind::Unauthorized,
                "send the server's token as `Authorization: Bearer …`; it is in the file `token` \
                 in the server's home",
            )),
            Checked::Wrong => Err(Problem::new(
                Kind::Unauthorized,
                "this is not the server's token; it is in the file `token` in the server's home",
            )),
            Checked::Waits => {
                let detail = "too many wrong tokens came from this address";
                Err(Problem::new(Kind::Overloaded, detail).retry_after(60))
            }
        }
    }
}

/// Whether it lives may be asked without a token: those who watch over
/// processes have none.
fn is_health(head: &Parts) -> bool {
    matches!(head.method, Method::GET | Method::HEAD)
        && matches!(head.uri.path(), "/health" | "/health/")
}

/// The page and its files hold nothing of anybody's, and a browser that loads
/// them sends no token: the page asks for it, and sends it with its questions.
fn is_page(head: &Parts) -> bool {
    matches!(head.method, Method::GET | Method::HEAD)
        && match head.uri.path() {
            "/" => page::wants_html(&head.headers),
            path => path.starts_with("/assets/"),
        }
}

fn refused(foreign: Foreign) -> Problem {
    match foreign {
        Foreign::Host(name) => Problem::new(
            Kind::Denied,
            "this machine is not known by that name; use its address or localhost, or start the \
             server with --allow-host NAME (`allowed_hosts` in config.yaml)",
        )
        .with("host", quoted(&name)),
        Foreign::Origin => Problem::new(
            Kind::Denied,
            "another site's page sent this; only this server's own pages may, and programs that \
             are no browsers",
        ),
    }
}

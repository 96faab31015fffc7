//! What webhooks share: one POST, within its time, to the address of the
//! settings and nowhere else.

use std::io::Read as _;
use std::sync::Arc;
use std::time::Duration;

use tokio_rustls::rustls::crypto::ring;
use ureq::Proxy;
use ureq::http::header::{AUTHORIZATION, CONTENT_TYPE, RETRY_AFTER};
use ureq::tls::{Certificate, RootCerts, TlsConfig};

use super::secret::{Secret, Veil};
use super::{Again, Failure};

/// A connection is there within this, or not at all.
const CONNECT_WITHIN: Duration = Duration::from_secs(5);
/// Bytes of an answer that are looked at.
const MOST_ANSWER: u64 = 4096;
/// A server may ask for so much patience.
const MOST_PATIENCE: u64 = 3600;

/// Where to, and how.
pub(super) struct Http {
    agent: ureq::Agent,
    address: Secret,
    token: Option<Secret>,
    /// Host and port, for people.
    place: String,
    veil: Veil,
    timeout: Duration,
}

/// What the settings say of it.
pub(super) struct Address {
    pub(super) url: Secret,
    pub(super) token: Option<Secret>,
    pub(super) proxy: Option<Secret>,
    pub(super) timeout: Duration,
    /// Certificates to trust beside those of the machine, as PEM.
    pub(super) trust: Option<Vec<u8>>,
}

/// The answer of a server that took it.
pub(super) struct Taken {
    pub(super) status: u16,
    /// Its beginning, without secrets.
    pub(super) text: String,
}

impl Http {
    /// Connects to nothing yet.
    ///
    /// # Errors
    /// What is wrong with the address; without it.
    pub(super) fn new(given: Address) -> Result<Self, String> {
        let Address {
            url,
            token,
            proxy,
            timeout,
            trust,
        } = given;
        let wrong = || "its address is none of http:// or https://".to_owned();
        let uri: ureq::http::Uri = url.reveal().parse().map_err(|_| wrong())?;
        let (scheme, host) = (uri.scheme_str(), uri.host().unwrap_or(""));
        if !matches!(scheme, Some("http" | "https")) || host.is_empty() {
            return Err(wrong());
        }
        let port = uri
            .port_u16()
            .map_or(String::new(), |port| format!(":{port}"));
        let mut veil = Veil::default().over_address(&url);
        for secret in token.iter() {
            veil = veil.over(secret);
        }
        let through = proxy.as_ref().map(|proxy| {
            veil = std::mem::take(&mut veil).over_address(proxy);
            Proxy::new(proxy.reveal()).map_err(|_| "its proxy is none".to_owned())
        });
        let config = ureq::Agent::config_builder()
            .http_status_as_error(false)
            // An alert goes to where its user said; who answers otherwise is
            // told so.
            .max_redirects(0)
            .max_redirects_will_error(false)
            .timeout_connect(Some(CONNECT_WITHIN.min(timeout)))
            .timeout_global(Some(timeout))
            // None of a connection that its server closed meanwhile.
            .max_idle_connections(0)
            .user_agent(concat!("tachograph/", env!("CARGO_PKG_VERSION")))
            // Not of the environment: a channel says where it goes.
            .proxy(through.transpose()?);
        let config = match scheme {
            Some("https") => config.tls_config(tls(trust.as_deref())?),
            _ => config,
        };
        Ok(Self {
            agent: config.build().into(),
            place: format!("{host}{port}"),
            address: url,
            token,
            veil,
            timeout,
        })
    }

    /// Where it goes, for people.
    pub(super) fn place(&self) -> &str {
        &self.place
    }

    /// Sends JSON; what its server takes it with.
    ///
    /// # Errors
    /// [`Failure`]: whatever is no 2xx.
    pub(super) fn post(&self, body: &str) -> Result<Taken, Failure> {
        let mut request = self
            .agent
            .post(self.address.reveal())
            .header(CONTENT_TYPE, "application/json");
        if let Some(token) = &self.token {
            request = request.header(AUTHORIZATION, format!("Bearer {}", token.reveal()));
        }
        let answer = request.send(body).map_err(|error| self.not_sent(&error))?;
        let status = answer.status();
        let after = answer.headers().get(RETRY_AFTER);
        let after = after.and_then(|value| value.to_str().ok()?.trim().parse().ok());
        let mut bytes = Vec::new();
        let reader = answer.into_body().into_reader();
        // A part tells enough; that the rest does not come is no failure.
        let _ = reader.take(MOST_ANSWER).read_to_end(&mut bytes);
        let text = self.veil.cover(&String::from_utf8_lossy(&bytes));
        if status.is_success() {
            let status = status.as_u16();
            return Ok(Taken { status, text });
        }
        let said = match text.is_empty() {
            true => String::new(),
            false => format!(": {text}"),
        };
        let (place, code) = (&self.place, status.as_u16());
        if status.is_redirection() {
            return Err(Failure::never(format!(
                "{place} answers {code}, a redirect, and alerts are not sent elsewhere than \
                 their user said; give the address that it leads to"
            )));
        }
        let what = format!("{place} answers {code}{said}");
        Err(Failure {
            what,
            again: match (code, after) {
                (408 | 425 | 429 | 500..=599, Some(seconds)) => {
                    let seconds: u64 = seconds;
                    Again::After(Duration::from_secs(seconds.min(MOST_PATIENCE)))
                }
                (408 | 425 | 429 | 500..=599, None) => Again::Later,
                _ => Again::Never,
            },
        })
    }

    fn not_sent(&self, error: &ureq::Error) -> Failure {
        let place = &self.place;
        let what = match error {
            ureq::Error::Timeout(_) => {
                format!(
                    "{place} does not answer within {} s",
                    self.timeout.as_secs_f32()
                )
            }
            ureq::Error::HostNotFound => format!("{place}: no such host is known"),
            ureq::Error::Io(error) => {
                format!(
                    "{place} cannot be reached: {}",
                    self.veil.cover(&error.to_string())
                )
            }
            other => format!("{place}: {}", self.veil.cover(&other.to_string())),
        };
        match error {
            ureq::Error::BadUri(_) | ureq::Error::Http(_) => Failure::never(what),
            _ => Failure::later(what),
        }
    }
}

/// Trust in whom the machine trusts, and in `more`.
fn tls(more: Option<&[u8]>) -> Result<TlsConfig, String> {
    let own = rustls_native_certs::load_native_certs().certs;
    let mut roots: Vec<Certificate<'static>> = own
        .iter()
        .map(|der| Certificate::from_der(der).to_owned())
        .collect();
    for item in more.map(ureq::tls::parse_pem).into_iter().flatten() {
        match item {
            Ok(ureq::tls::PemItem::Certificate(certificate)) => roots.push(certificate),
            Ok(_) => {}
            Err(_) => return Err("its `ca_file` holds no certificates in PEM".to_owned()),
        }
    }
    Ok(TlsConfig::builder()
        .root_certs(RootCerts::Specific(Arc::new(roots)))
        .unversioned_rustls_crypto_provider(Arc::new(ring::default_provider()))
        .build())
}

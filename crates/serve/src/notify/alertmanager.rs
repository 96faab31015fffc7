//! A real Alertmanager, which groups, repeats and routes by itself. It takes
//! what fires to be over unless it is told of again in time.

use std::time::Duration;

use tachograph_model::UnixNanos;

use super::Failure;
use super::http::Http;
use super::item::Notification;
use super::shape;

/// What fires is told again after so long.
pub(super) const AGAIN: Duration = Duration::from_secs(60);
/// And is over after so many such times without: a server that is gone fires
/// nothing, one that restarts goes on in time.
const TIMES: i64 = 4;
/// Where alerts are taken.
pub(super) const PATH: &str = "/api/v2/alerts";

pub(super) struct Alertmanager {
    pub(super) http: Http,
    pub(super) again: Duration,
}

impl Alertmanager {
    pub(super) fn send(&self, notification: &Notification) -> Result<(), Failure> {
        let again = i64::try_from(self.again.as_nanos()).unwrap_or(i64::MAX / TIMES);
        let until = match notification.test {
            // Gone by itself, a minute later.
            true => again.min(60_000_000_000),
            false => again.saturating_mul(TIMES),
        };
        let until = UnixNanos(UnixNanos::now().0.saturating_add(until));
        let body = shape::push(notification, until).to_string();
        self.http.post(&body).map(|_| ())
    }
}

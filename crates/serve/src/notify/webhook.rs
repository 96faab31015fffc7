//! Any webhook: the body that Alertmanager sends to webhooks, version 4.

use super::Failure;
use super::http::Http;
use super::item::Notification;
use super::shape;

pub(super) struct Webhook(pub(super) Http);

impl Webhook {
    pub(super) fn send(&self, name: &str, notification: &Notification) -> Result<(), Failure> {
        let body = shape::webhook(name, notification).to_string();
        self.0.post(&body).map(|_| ())
    }
}

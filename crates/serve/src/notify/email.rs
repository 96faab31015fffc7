//! Mail over SMTP: STARTTLS, TLS from the start, or plain to this very machine.

use std::time::Duration;

use lettre::message::header::{HeaderName, HeaderValue};
use lettre::message::{Mailbox, SinglePart};
use lettre::transport::smtp::authentication::Credentials;
use lettre::transport::smtp::client::{Certificate, Tls, TlsParameters};
use lettre::{Message, SmtpTransport, Transport as _};

use super::alone::{Alone, Stopped};
use super::item::Notification;
use super::secret::{Secret, Veil};
use super::shape::fnv;
use super::words;
use super::{BROKE, Failure};

/// The transport's own patience, of which it has as much for each line that a
/// server says, ends after that of the channel, which says so in words.
const LONGER: Duration = Duration::from_secs(2);

/// How a mail server is spoken to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Security {
    /// Plain first, then TLS, or not at all.
    StartTls,
    /// TLS from the first byte.
    Tls,
    /// Plain; for a server on this machine.
    Plain,
}

/// What the settings say.
pub(super) struct Server {
    pub(super) host: String,
    pub(super) port: u16,
    pub(super) security: Security,
    pub(super) login: Option<(String, Secret)>,
    pub(super) timeout: Duration,
    /// Certificates to trust beside those of the machine, as PEM.
    pub(super) trust: Option<Vec<u8>>,
}

pub(super) struct Email {
    transport: SmtpTransport,
    place: String,
    from: Mailbox,
    to: Vec<Mailbox>,
    timeout: Duration,
    veil: Veil,
    /// A server that was not waited for any longer is still talked to.
    alone: Alone,
}

impl Email {
    /// Connects to nothing yet.
    ///
    /// # Errors
    /// What is wrong with it.
    pub(super) fn new(server: Server, from: Mailbox, to: Vec<Mailbox>) -> Result<Self, String> {
        let Server {
            host,
            port,
            security,
            login,
            timeout,
            trust,
        } = server;
        let parameters = || {
            let mut tls = TlsParameters::builder(host.clone());
            if let Some(pem) = &trust {
                let wrong = |_| "its `ca_file` holds no certificates in PEM".to_owned();
                tls = tls.add_root_certificate(Certificate::from_pem(pem).map_err(wrong)?);
            }
            let built = tls.build_rustls();
            built.map_err(|error| format!("TLS cannot be set up: {error}"))
        };
        let tls = match security {
            Security::StartTls => Tls::Required(parameters()?),
            Security::Tls => Tls::Wrapper(parameters()?),
            Security::Plain => Tls::None,
        };
        let mut transport = SmtpTransport::builder_dangerous(host.as_str())
            .port(port)
            .tls(tls)
            .timeout(Some(timeout + LONGER));
        let mut veil = Veil::default();
        if let Some((user, password)) = login {
            veil = veil.over_login(&user, &password);
            let password = password.reveal().to_owned();
            transport = transport.credentials(Credentials::new(user, password));
        }
        Ok(Self {
            transport: transport.build(),
            place: format!("{host}:{port}"),
            from,
            to,
            timeout,
            veil,
            alone: Alone::default(),
        })
    }

    pub(super) fn send(&self, notification: &Notification) -> Result<(), Failure> {
        let message = message(&self.from, &self.to, notification);
        let message = message
            .map_err(|error| Failure::never(format!("no mail can be made of it: {error}")))?;
        let transport = self.transport.clone();
        let send = move || transport.send(&message);
        let what = match self.alone.run("tacho-mail", self.timeout, send) {
            Ok(Ok(_)) => return Ok(()),
            Ok(Err(error)) => return Err(self.not_sent(&error)),
            Err(Stopped::Busy) => format!("{} still holds the mail before", self.place),
            Err(Stopped::NoThread(why)) => format!("there is no thread for it: {why}"),
            Err(Stopped::TimedOut) => {
                let seconds = self.timeout.as_secs_f32();
                format!("{} does not take it within {seconds} s", self.place)
            }
            Err(Stopped::Broke) => BROKE.to_owned(),
        };
        Err(Failure::later(what))
    }

    fn not_sent(&self, error: &lettre::transport::smtp::Error) -> Failure {
        let said = self.veil.cover(&error.to_string());
        let what = format!("{}: {said}", self.place);
        match error.is_permanent() || error.is_client() {
            true => Failure::never(what),
            false => Failure::later(what),
        }
    }
}

fn message(
    from: &Mailbox,
    to: &[Mailbox],
    notification: &Notification,
) -> Result<Message, lettre::error::Error> {
    // Mails of one group are one conversation.
    let thread = fnv([notification.group.as_str(), from.email.as_ref()]);
    let thread = format!("<{thread:016x}.alerts@tachograph.invalid>");
    let raw = |name, value: &str| {
        HeaderValue::new(HeaderName::new_from_ascii_str(name), value.to_owned())
    };
    let mut mail = Message::builder()
        .from(from.clone())
        .subject(words::title(notification))
        .message_id(None)
        .in_reply_to(thread.clone())
        .references(thread)
        // No answer of a machine that is away.
        .raw_header(raw("Auto-Submitted", "auto-generated"))
        .raw_header(raw("X-Auto-Response-Suppress", "All"));
    for mailbox in to {
        mail = mail.to(mailbox.clone());
    }
    mail.singlepart(SinglePart::plain(words::text(notification)))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::notify::shape::tests::hostile;

    #[test]
    fn a_name_adds_no_header_and_no_markup() {
        let mut notification = hostile();
        notification.alerts.truncate(1);
        let address: Mailbox = "Me <me@example.com>".parse().expect("an address");
        let mail = message(&address, std::slice::from_ref(&address), &notification);
        let mail = String::from_utf8(mail.expect("a mail").formatted()).expect("ASCII");
        let (head, body) = mail.split_once("\r\n\r\n").expect("a head");
        // No line of the head begins with what a name says.
        let names: Vec<&str> = head
            .split("\r\n")
            .filter(|line| !line.starts_with([' ', '\t']))
            .map(|line| line.split(':').next().unwrap_or(""))
            .collect();
        let ours = [
            "From",
            "Subject",
            "Message-ID",
            "In-Reply-To",
            "References",
            "Auto-Submitted",
            "X-Auto-Response-Suppress",
            "To",
            "MIME-Version",
            "Date",
            "Content-Type",
            "Content-Transfer-Encoding",
        ];
        assert_eq!(names, ours, "{head}");
        assert!(head.contains("text/plain"), "{head}");
        assert!(head.lines().all(|line| line.len() <= 998));
        assert!(!body.contains("\nBcc:"), "{body}");
    }
}

//! Hands mail to the configured server.
//!
//! A connection for each message: mail is rare, and a connection that is kept would have to be watched. Everything is bounded by
//! one deadline, so a server that hangs or answers a byte a second holds up other mail by that much, and no request at all.

use std::fmt;
use std::fs;
use std::time::{Duration, SystemTime};

use authority::mail::{Composed, Undelivered};
use lettre::address::{Address, Envelope};
use lettre::message::header::{ContentType, HeaderName, HeaderValue};
use lettre::message::{Mailbox, Message};
use lettre::transport::smtp::authentication::{Credentials, DEFAULT_MECHANISMS};
use lettre::transport::smtp::client::{AsyncSmtpConnection, Certificate, TlsParameters};
use lettre::transport::smtp::extension::ClientId;
use url::Host;

use crate::assembly::Misfit;
use crate::config::Config;

/// How long one message may take, from the look-up of the server's name to its acceptance.
const DEADLINE: Duration = Duration::from_secs(30);

/// What is said to the server and expected of it.
pub(crate) struct Mailer {
    host: String,
    port: u16,
    security: Security,
    credentials: Option<Credentials>,
    hello: ClientId,
    from: Mailbox,
}

enum Security {
    /// TLS before the first word.
    Implicit(TlsParameters),
    /// TLS before anything that matters, or nothing is said.
    StartTls(TlsParameters),
    /// None, because the operator said so.
    Plaintext,
}

impl fmt::Debug for Mailer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Mailer({}:{})", self.host, self.port)
    }
}

impl Mailer {
    /// The mailer of a configuration, if it names a server.
    ///
    /// # Errors
    /// A file of certificates that cannot be used.
    pub(crate) fn new(config: &Config) -> Result<Option<Self>, Misfit> {
        let mail = &config.mail;
        // The rules of the configuration ask for both beside a server.
        let (Some(server), Some(from), Some(public)) = (&mail.server, &mail.from, &config.server.public_url) else {
            return Ok(None);
        };
        let implicit = server.scheme() == "smtps";
        let host = plain_host(server).ok_or("mail.server names no host")?;
        let tls = || -> Result<TlsParameters, Misfit> {
            let mut tls = TlsParameters::builder(host.clone());
            if let Some(path) = &mail.ca_file {
                let unusable = |why: String| format!("mail.ca_file {} cannot be used: {why}", path.display());
                let pem = fs::read(path).map_err(|error| unusable(error.to_string()))?;
                tls =
                    tls.add_root_certificate(Certificate::from_pem(&pem).map_err(|error| unusable(error.to_string()))?);
            }
            Ok(tls.build().map_err(|error| format!("mail.server {host} cannot be reached by TLS: {error}"))?)
        };
        let security = match (implicit, mail.plaintext) {
            (true, _) => Security::Implicit(tls()?),
            (false, false) => Security::StartTls(tls()?),
            (false, true) => Security::Plaintext,
        };
        let credentials = mail.username.clone().zip(mail.password.as_ref());
        Ok(Some(Self {
            port: server.port().unwrap_or(if implicit { 465 } else { 587 }),
            security,
            credentials: credentials.map(|(user, password)| Credentials::new(user, password.expose().to_owned())),
            hello: ClientId::Domain(plain_host(public).unwrap_or_else(|| "localhost".to_owned())),
            from: from.clone(),
            host,
        }))
    }

    /// Where mail is handed to.
    pub(crate) fn place(&self) -> String {
        format!("{}:{}", self.host, self.port)
    }

    /// Hands a message to the server.
    ///
    /// # Errors
    /// Whether it is worth trying again.
    pub(crate) async fn send(&self, mail: &Composed) -> Result<(), Undelivered> {
        let (envelope, message) = self.message(mail)?;
        tokio::time::timeout(DEADLINE, self.deliver(&envelope, &message))
            .await
            .unwrap_or_else(|_| Err(Undelivered::Later(format!("it took longer than {} s", DEADLINE.as_secs()))))
    }

    async fn deliver(&self, envelope: &Envelope, message: &[u8]) -> Result<(), Undelivered> {
        let mut connection = self.connect().await.map_err(|error| Undelivered::Later(told(&error)))?;
        let sent = connection.send(envelope, message).await;
        // Accepted is accepted: a server that does not answer the farewell would otherwise get the message again.
        sent.map(drop).map_err(|error| {
            if error.is_permanent() || error.is_client() {
                Undelivered::Never(told(&error))
            } else {
                Undelivered::Later(told(&error))
            }
        })
    }

    /// A connection that may be spoken on: encrypted and signed in, as configured. An error of either is never one of the
    /// message: a password that the server refuses today must not lose the mail of the day.
    async fn connect(&self) -> Result<AsyncSmtpConnection, lettre::transport::smtp::Error> {
        let wrapped = match &self.security {
            Security::Implicit(tls) => Some(tls.clone()),
            Security::StartTls(_) | Security::Plaintext => None,
        };
        let server = (self.host.as_str(), self.port);
        let mut connection =
            AsyncSmtpConnection::connect_tokio1(server, Some(DEADLINE), &self.hello, wrapped, None).await?;
        if let Security::StartTls(tls) = &self.security {
            connection.starttls(tls.clone(), &self.hello).await?;
        }
        if let Some(credentials) = &self.credentials {
            connection.auth(DEFAULT_MECHANISMS, credentials).await?;
        }
        Ok(connection)
    }

    /// The message as it is sent. Its id is the same at every attempt, so that a receiver can tell a repetition.
    fn message(&self, mail: &Composed) -> Result<(Envelope, Vec<u8>), Undelivered> {
        let never = |why: &dyn fmt::Display| Undelivered::Never(format!("it cannot be written: {why}"));
        let to: Address = mail.to.parse().map_err(|error| never(&error))?;
        let automatic = HeaderName::new_from_ascii_str("Auto-Submitted");
        let since = Duration::from_micros(u64::try_from(mail.at.as_micros()).unwrap_or(0));
        let message = Message::builder()
            .from(self.from.clone())
            .to(Mailbox::new(None, to))
            .subject(mail.subject.as_str())
            .date(SystemTime::UNIX_EPOCH + since)
            .message_id(Some(format!("<{}@{}>", mail.message_id, self.from.email.domain())))
            // So that nobody's automatic answer comes back (RFC 3834).
            .raw_header(HeaderValue::new(automatic, "auto-generated".to_owned()))
            .header(ContentType::TEXT_PLAIN)
            .body(mail.text.clone())
            .map_err(|error| never(&error))?;
        Ok((message.envelope().clone(), message.formatted()))
    }
}

/// A host as it is connected to: an address of IPv6 without its brackets.
fn plain_host(url: &url::Url) -> Option<String> {
    match url.host()? {
        Host::Domain(name) => Some(name.to_owned()),
        Host::Ipv4(address) => Some(address.to_string()),
        Host::Ipv6(address) => Some(address.to_string()),
    }
}

/// An error with its causes, in one line: what the server said is in the innermost.
fn told(error: &dyn std::error::Error) -> String {
    let mut told = error.to_string();
    let mut cause = error.source();
    while let Some(inner) = cause {
        let text = inner.to_string();
        if !told.contains(&text) {
            told.push_str(": ");
            told.push_str(&text);
        }
        cause = inner.source();
    }
    told.chars().map(|letter| if letter.is_control() { ' ' } else { letter }).take(300).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::{Sources, load};
    use token_domain::Timestamp;

    #[test]
    fn no_text_becomes_a_header_or_a_recipient() {
        let environment = [
            ("NOLAPSE__MAIL__SERVER", "smtp://[::1]:2525"),
            ("NOLAPSE__MAIL__FROM", "tokens@example.com"),
            ("NOLAPSE__MAIL__PLAINTEXT", "true"),
            ("NOLAPSE__SERVER__PUBLIC_URL", "https://tokens.example.com"),
        ];
        let environment = environment.map(|(name, value)| (name.to_owned(), value.to_owned())).to_vec();
        let loaded = load(&Sources { environment, ..Sources::default() });
        let config = loaded.map_err(|problems| problems.to_string()).unwrap().config;
        let mailer = Mailer::new(&config).unwrap().unwrap();
        assert_eq!(mailer.place(), "::1:2525");
        let mail = |to: &str, subject: &str| Composed {
            message_id: "id".to_owned(),
            at: Timestamp::from_micros(1_700_000_000_000_000),
            to: to.to_owned(),
            subject: subject.to_owned(),
            text: "First\n.\nBcc: a@b.example\n".to_owned(),
        };
        let (envelope, message) =
            mailer.message(&mail("ada@example.org", "Hi\r\nBcc: eve@example.org\r\n\r\nö")).unwrap();
        assert_eq!(envelope.to().len(), 1);
        let message = String::from_utf8(message).unwrap();
        let (head, _) = message.split_once("\r\n\r\n").unwrap();
        assert!(head.split("\r\n").all(|line| !line.starts_with("Bcc")), "{head}");
        assert!(
            head.contains("Message-ID: <id@example.com>") && head.contains("Date: Tue, 14 Nov 2023 22:13:20"),
            "{head}"
        );
        for to in [
            "ada@example.org\r\nRCPT TO:<eve@example.org>",
            "a b@example.org",
            "<ada@example.org>,eve@example.org",
            "@",
        ] {
            assert!(matches!(mailer.message(&mail(to, "x")), Err(Undelivered::Never(_))), "{to}");
        }
    }
}

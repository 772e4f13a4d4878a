//! Hands mail to the configured server.
//!
//! A connection for each message: mail is rare, and a connection that is kept would have to be watched. Everything is bounded by
//! one deadline, so a server that hangs or answers a byte a second holds up other mail by that much, and no request at all; and
//! what a server says is bounded as well, so that one that does not stop takes no memory.

use std::fmt;
use std::fs;
use std::io;
use std::net::SocketAddr;
use std::pin::Pin;
use std::task::{Context, Poll, ready};
use std::time::{Duration, SystemTime};

use authority::mail::{Composed, Undelivered};
use lettre::address::{Address, Envelope};
use lettre::message::header::{ContentType, HeaderName, HeaderValue};
use lettre::message::{Mailbox, Message};
use lettre::transport::smtp::Error as SmtpError;
use lettre::transport::smtp::authentication::{Credentials, DEFAULT_MECHANISMS};
use lettre::transport::smtp::client::{AsyncSmtpConnection, AsyncTokioStream, Certificate, TlsParameters};
use lettre::transport::smtp::commands::{Data, Mail, Rcpt};
use lettre::transport::smtp::extension::{ClientId, Extension, MailParameter};
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::TcpStream;
use url::Host;

use crate::assembly::Misfit;
use crate::config::Config;

/// How long one message may take, from the look-up of the server's name to its acceptance.
const DEADLINE: Duration = Duration::from_secs(30);

/// The most bytes that a server says about one message.
const MOST_SAID: usize = 64 * 1024;
/// The first byte of TLS. No command begins with it.
const CLIENT_HELLO: u8 = 0x16;

/// Connects to the configured mail server and hands messages to it.
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
            .unwrap_or_else(|_| Err(Undelivered::Unreachable(format!("it took longer than {} s", DEADLINE.as_secs()))))
    }

    /// Only a reply to the recipient or to the text is about this message. A refusal before that (not signed in, daily quota
    /// used up, sender suspended) concerns every message that waits.
    async fn deliver(&self, envelope: &Envelope, message: &[u8]) -> Result<(), Undelivered> {
        let of_all = |error: SmtpError| Undelivered::Unreachable(told(&error));
        let mut connection = self.connect().await.map_err(Undelivered::Unreachable)?;
        let mut options = Vec::new();
        let mut addresses = envelope.from().into_iter().chain(envelope.to());
        if !addresses.all(|address| AsRef::<str>::as_ref(address).is_ascii()) {
            if !connection.server_info().supports_feature(Extension::SmtpUtfEight) {
                return Err(Undelivered::Never("the server takes no addresses beyond ASCII (SMTPUTF8)".to_owned()));
            }
            options.push(MailParameter::SmtpUtfEight);
        }
        connection.command(Mail::new(envelope.from().cloned(), options)).await.map_err(of_all)?;
        for to in envelope.to() {
            connection.command(Rcpt::new(to.clone(), Vec::new())).await.map_err(|error| of_this(&error))?;
        }
        connection.command(Data).await.map_err(of_all)?;
        // Accepted is accepted: a server that does not answer the farewell would otherwise get the message again.
        connection.message(message).await.map(drop).map_err(|error| of_this(&error))
    }

    /// A connection that may be spoken on: encrypted and signed in, as configured. An error of either is never one of the
    /// message: a password that the server refuses today must not lose the mail of the day.
    async fn connect(&self) -> Result<AsyncSmtpConnection, String> {
        let server = (self.host.as_str(), self.port);
        let told = |error: SmtpError| told(&error);
        let mut connection = if let Security::Implicit(tls) = &self.security {
            let tls = Some(tls.clone());
            AsyncSmtpConnection::connect_tokio1(server, Some(DEADLINE), &self.hello, tls, None).await.map_err(told)?
        } else {
            let stream = TcpStream::connect(server).await.map_err(|error| error.to_string())?;
            let stream = Box::new(Bounded { stream, left: MOST_SAID, is_encrypted: false });
            AsyncSmtpConnection::connect_with_transport(stream, &self.hello).await.map_err(told)?
        };
        if let Security::StartTls(tls) = &self.security {
            connection.starttls(tls.clone(), &self.hello).await.map_err(told)?;
        }
        if let Some(credentials) = &self.credentials {
            connection.auth(DEFAULT_MECHANISMS, credentials).await.map_err(told)?;
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
            // Tells mail programs not to send an automatic reply, such as an out-of-office note (RFC 3834).
            .raw_header(HeaderValue::new(automatic, "auto-generated".to_owned()))
            .header(ContentType::TEXT_PLAIN)
            .body(mail.text.clone())
            .map_err(|error| never(&error))?;
        Ok((message.envelope().clone(), message.formatted()))
    }
}

/// What the server's answer to one recipient, or to one text, means for that message.
fn of_this(error: &SmtpError) -> Undelivered {
    if error.is_permanent() {
        Undelivered::Never(told(error))
    } else if error.is_transient() {
        Undelivered::Later(told(error))
    } else {
        Undelivered::Unreachable(told(error))
    }
}

/// A connection that reads a limited number of bytes, and one byte at a time until TLS begins. A larger read could buffer what an
/// attacker on the network appends to the reply to STARTTLS, and it would then count as received over TLS.
#[derive(Debug)]
struct Bounded {
    stream: TcpStream,
    left: usize,
    is_encrypted: bool,
}

impl AsyncTokioStream for Bounded {
    fn peer_addr(&self) -> io::Result<SocketAddr> {
        self.stream.peer_addr()
    }
}

impl AsyncRead for Bounded {
    fn poll_read(mut self: Pin<&mut Self>, context: &mut Context<'_>, into: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        if self.left == 0 {
            return Poll::Ready(Err(io::Error::other("the server says more than a mail server does")));
        }
        let mut bytes = [0; 4_096];
        let at_once = if self.is_encrypted { bytes.len() } else { 1 };
        let most = at_once.min(self.left).min(into.remaining());
        let mut said = ReadBuf::new(&mut bytes[..most]);
        ready!(Pin::new(&mut self.stream).poll_read(context, &mut said))?;
        self.left -= said.filled().len();
        into.put_slice(said.filled());
        Poll::Ready(Ok(()))
    }
}

impl AsyncWrite for Bounded {
    fn poll_write(mut self: Pin<&mut Self>, context: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        self.is_encrypted |= bytes.first() == Some(&CLIENT_HELLO);
        Pin::new(&mut self.stream).poll_write(context, bytes)
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_flush(context)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(context)
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

/// An error with its causes, in one line; the innermost has the reply of the server. A reply with a secret is left out: a spam
/// filter may quote the link that it refuses.
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
    if token_domain::text::holds_secret(&told) {
        return "its answer holds a secret and is not repeated".to_owned();
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

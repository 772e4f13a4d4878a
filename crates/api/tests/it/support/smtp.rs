//! A mail server of the tests: it speaks SMTP on a real socket, with STARTTLS and sign-in or without, and misbehaves as told.

use std::collections::VecDeque;
use std::io::{Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::{Arc, Mutex};
use std::thread::{sleep, spawn};
use std::time::Duration;

use data_encoding::BASE64;
use rustls::crypto::ring;
use rustls::pki_types::{PrivateKeyDer, PrivatePkcs8KeyDer};
use rustls::{ServerConfig, ServerConnection, StreamOwned};

use super::Options;

/// What it does with a connection; by default it takes the message.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Turn {
    /// Never says a word.
    Hang,
    /// Says a byte a second, and never a whole line.
    Drip,
    /// Answers the recipient's address with this.
    Say(u16),
    /// Takes the message, and closes the connection without a farewell.
    TakeAndVanish,
}

/// A message it took.
#[derive(Clone, Debug)]
pub(crate) struct Received {
    pub(crate) from: String,
    pub(crate) to: String,
    pub(crate) data: String,
    pub(crate) encrypted: bool,
    pub(crate) user: Option<String>,
}

impl Received {
    /// A header, as it stands.
    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        let (head, _) = self.data.split_once("\r\n\r\n").unwrap();
        head.split("\r\n").find_map(|line| line.strip_prefix(name)?.strip_prefix(": "))
    }

    /// The text, decoded.
    pub(crate) fn text(&self) -> String {
        let (_, body) = self.data.split_once("\r\n\r\n").unwrap();
        let bytes = match self.header("Content-Transfer-Encoding").unwrap() {
            "7bit" => body.as_bytes().to_vec(),
            "base64" => BASE64.decode(body.replace("\r\n", "").as_bytes()).unwrap(),
            "quoted-printable" => quoted_printable(body),
            other => panic!("{other} is not how this service sends text"),
        };
        String::from_utf8(bytes).unwrap().replace("\r\n", "\n")
    }

    /// The code that begins so.
    pub(crate) fn code(&self, prefix: &str) -> String {
        let text = self.text();
        let begin = text.find(prefix).unwrap_or_else(|| panic!("no code in {text}"));
        text[begin..begin + prefix.len() + 64].to_owned()
    }
}

fn quoted_printable(text: &str) -> Vec<u8> {
    let joined = text.replace("=\r\n", "");
    let mut bytes = joined.bytes();
    let mut plain = Vec::new();
    while let Some(byte) = bytes.next() {
        if byte == b'=' {
            let pair = [bytes.next().unwrap(), bytes.next().unwrap()];
            plain.push(u8::from_str_radix(std::str::from_utf8(&pair).unwrap(), 16).unwrap());
        } else {
            plain.push(byte);
        }
    }
    plain
}

/// The server. Its threads end with the process.
pub(crate) struct MailServer {
    address: SocketAddr,
    certificate: tempfile::NamedTempFile,
    shared: Arc<Shared>,
}

#[derive(Default)]
struct Shared {
    taken: Mutex<Vec<Received>>,
    turns: Mutex<VecDeque<Turn>>,
    connections: Mutex<usize>,
    /// Whoever may sign in; nobody has to where there is none.
    account: Option<(&'static str, &'static str)>,
    offers_tls: bool,
}

impl MailServer {
    pub(crate) const USER: &'static str = "tokens@acme.example";
    pub(crate) const PASSWORD: &'static str = "the-password-of-the-mail-server";
    pub(crate) const FROM: &'static str = "tokens@acme.example";

    /// With STARTTLS, and an account that has to sign in.
    pub(crate) fn encrypted() -> Self {
        Self::start(Shared { account: Some((Self::USER, Self::PASSWORD)), offers_tls: true, ..Shared::default() })
    }

    /// Without either.
    pub(crate) fn plain() -> Self {
        Self::start(Shared::default())
    }

    fn start(shared: Shared) -> Self {
        let made = rcgen::generate_simple_self_signed(vec!["localhost".to_owned()]).unwrap();
        let certificate = tempfile::NamedTempFile::new().unwrap();
        std::fs::write(certificate.path(), made.cert.pem()).unwrap();
        let key = PrivateKeyDer::from(PrivatePkcs8KeyDer::from(made.signing_key.serialize_der()));
        let tls = ServerConfig::builder_with_provider(Arc::new(ring::default_provider()))
            .with_safe_default_protocol_versions()
            .unwrap()
            .with_no_client_auth()
            .with_single_cert(vec![made.cert.der().clone()], key)
            .unwrap();
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let (address, tls, shared) = (listener.local_addr().unwrap(), Arc::new(tls), Arc::new(shared));
        let accepting = Arc::clone(&shared);
        spawn(move || {
            while let Ok((stream, _)) = listener.accept() {
                let (shared, tls) = (Arc::clone(&accepting), Arc::clone(&tls));
                *shared.connections.lock().unwrap() += 1;
                // A client that goes away is no failure of the server.
                spawn(move || serve(stream, &shared, tls));
            }
        });
        Self { address, certificate, shared }
    }

    /// Does this with the next connections, one after the other.
    pub(crate) fn then(&self, turns: impl IntoIterator<Item = Turn>) {
        self.shared.turns.lock().unwrap().extend(turns);
    }

    /// The options of a server that sends its mail here.
    pub(crate) fn options(&self, options: Options) -> Options {
        let options = options
            .with("mail.server", format!("smtp://localhost:{}", self.address.port()))
            .with("mail.from", format!("nolapse tokens <{}>", Self::FROM))
            .with("server.public_url", "http://localhost");
        if self.shared.offers_tls {
            options
                .with("mail.ca_file", self.certificate.path().display())
                .with("mail.username", Self::USER)
                .with("mail.password", Self::PASSWORD)
        } else {
            options.with("mail.plaintext", true)
        }
    }

    /// A file with its certificate.
    pub(crate) fn certificate(&self) -> &std::path::Path {
        self.certificate.path()
    }

    /// How often it was connected to.
    pub(crate) fn connections(&self) -> usize {
        *self.shared.connections.lock().unwrap()
    }

    /// What it took so far.
    pub(crate) fn taken(&self) -> Vec<Received> {
        self.shared.taken.lock().unwrap().clone()
    }

    /// Waits until it has taken so many messages, for up to two minutes: a server that hangs is given half a minute.
    #[track_caller]
    pub(crate) fn wait_for(&self, count: usize) -> Vec<Received> {
        for _ in 0..1_200 {
            let taken = self.taken();
            if taken.len() >= count {
                return taken;
            }
            sleep(Duration::from_millis(100));
        }
        panic!("waited in vain for {count} messages; there are {:?}", self.taken());
    }

    /// Waits for the message to this address about that.
    #[track_caller]
    pub(crate) fn wait_for_mail(&self, to: &str, subject: &str) -> Received {
        for _ in 0..1_200 {
            let fits = |mail: &Received| mail.to == to && mail.header("Subject") == Some(subject);
            if let Some(mail) = self.taken().into_iter().find(fits) {
                return mail;
            }
            sleep(Duration::from_millis(100));
        }
        panic!("waited in vain for {subject:?} to {to}; there are {:?}", self.taken());
    }
}

fn serve(mut stream: TcpStream, shared: &Shared, tls: Arc<ServerConfig>) -> std::io::Result<()> {
    let turn = shared.turns.lock().unwrap().pop_front();
    match turn {
        Some(Turn::Hang) => {
            stream.read_to_end(&mut Vec::new())?;
            return Ok(());
        }
        Some(Turn::Drip) => loop {
            stream.write_all(b"2")?;
            sleep(Duration::from_secs(1));
        },
        Some(Turn::Say(_) | Turn::TakeAndVanish) | None => {}
    }
    stream.write_all(b"220 mail.test\r\n")?;
    let mut talk = Talk { shared, turn, encrypted: false, user: None, from: String::new(), to: String::new() };
    if talk.run(&mut stream)? {
        let mut stream = StreamOwned::new(ServerConnection::new(tls).unwrap(), stream);
        talk.encrypted = true;
        talk.run(&mut stream)?;
    }
    Ok(())
}

struct Talk<'s> {
    shared: &'s Shared,
    turn: Option<Turn>,
    encrypted: bool,
    user: Option<String>,
    from: String,
    to: String,
}

impl Talk<'_> {
    /// Talks until the end, or until TLS begins, which is true.
    fn run(&mut self, stream: &mut (impl Read + Write)) -> std::io::Result<bool> {
        while let Some(line) = line(stream)? {
            let (verb, rest) = line.split_once(' ').unwrap_or((&line, ""));
            let must_sign_in = self.shared.account.is_some() && self.user.is_none();
            let answer = match verb.to_ascii_uppercase().as_str() {
                "EHLO" if self.shared.offers_tls && !self.encrypted => "250-mail.test\r\n250 STARTTLS".to_owned(),
                "EHLO" if must_sign_in => "250-mail.test\r\n250 AUTH PLAIN LOGIN".to_owned(),
                "EHLO" => "250 mail.test".to_owned(),
                "STARTTLS" if self.shared.offers_tls => {
                    stream.write_all(b"220 go on\r\n")?;
                    return Ok(true);
                }
                "AUTH" => self.sign_in(rest),
                "MAIL" if must_sign_in => "530 sign in".to_owned(),
                "MAIL" => {
                    self.from = address(rest);
                    "250 fine".to_owned()
                }
                "RCPT" => {
                    if let Some(Turn::Say(code)) = self.turn {
                        format!("{code} not this one")
                    } else {
                        self.to = address(rest);
                        "250 fine".to_owned()
                    }
                }
                "DATA" => {
                    stream.write_all(b"354 go on\r\n")?;
                    self.take(stream)?;
                    if self.turn == Some(Turn::TakeAndVanish) {
                        stream.write_all(b"250 taken\r\n")?;
                        return Ok(false);
                    }
                    "250 taken".to_owned()
                }
                "QUIT" => {
                    stream.write_all(b"221 bye\r\n")?;
                    return Ok(false);
                }
                _ => "500 what?".to_owned(),
            };
            stream.write_all(format!("{answer}\r\n").as_bytes())?;
        }
        Ok(false)
    }

    fn sign_in(&mut self, rest: &str) -> String {
        let given = BASE64.decode(rest.trim_start_matches("PLAIN ").as_bytes()).unwrap();
        let (user, password) = self.shared.account.unwrap();
        if given == format!("\0{user}\0{password}").as_bytes() {
            self.user = Some(user.to_owned());
            "235 welcome".to_owned()
        } else {
            "535 wrong".to_owned()
        }
    }

    fn take(&self, stream: &mut impl Read) -> std::io::Result<()> {
        let mut data = String::new();
        while let Some(line) = line(stream)? {
            if line == "." {
                break;
            }
            data.push_str(line.strip_prefix('.').unwrap_or(&line));
            data.push_str("\r\n");
        }
        let (from, to, encrypted, user) = (self.from.clone(), self.to.clone(), self.encrypted, self.user.clone());
        self.shared.taken.lock().unwrap().push(Received { from, to, data, encrypted, user });
        Ok(())
    }
}

fn address(rest: &str) -> String {
    rest.split_once('<').unwrap().1.split_once('>').unwrap().0.to_owned()
}

/// A line without its end; nothing at the end of the stream.
fn line(stream: &mut impl Read) -> std::io::Result<Option<String>> {
    let (mut line, mut byte) = (Vec::new(), [0]);
    while stream.read(&mut byte)? == 1 {
        if byte[0] == b'\n' {
            line.pop_if(|last| *last == b'\r');
            return Ok(Some(String::from_utf8_lossy(&line).into_owned()));
        }
        line.push(byte[0]);
    }
    Ok(None)
}

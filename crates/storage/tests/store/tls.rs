//! Encrypted connections to PostgreSQL, through a front that speaks TLS for it.

use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;
use storage::{DatabaseUrl, Store, StoreOptions};
use test_support::{Backend, Db};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _, copy_bidirectional};
use tokio::net::{TcpListener, TcpStream};
use tokio_rustls::TlsAcceptor;
use tokio_rustls::rustls::ServerConfig;
use tokio_rustls::rustls::crypto::ring;
use tokio_rustls::rustls::pki_types::{PrivateKeyDer, PrivatePkcs8KeyDer};

/// What a client sends to ask for TLS: a length of 8 and the code 80877103. Source: PostgreSQL, "Message Formats".
const SSL_REQUEST: [u8; 8] = [0, 0, 0, 8, 4, 210, 22, 47];

/// A front that accepts nothing but TLS, with a certificate for `localhost`, and where that certificate is.
async fn front(db: &Db) -> (SocketAddr, PathBuf) {
    let made = rcgen::generate_simple_self_signed(vec!["localhost".to_owned()]).unwrap();
    let file = db.path("root.pem");
    std::fs::write(&file, made.cert.pem()).unwrap();
    let key = PrivateKeyDer::from(PrivatePkcs8KeyDer::from(made.signing_key.serialize_der()));
    let config = ServerConfig::builder_with_provider(Arc::new(ring::default_provider()))
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_no_client_auth()
        .with_single_cert(vec![made.cert.der().clone()], key)
        .unwrap();
    let acceptor = TlsAcceptor::from(Arc::new(config));
    let url = db.url().to_string();
    let (_, address) = url.rsplit_once('@').unwrap();
    let target: SocketAddr = address.split('/').next().unwrap().parse().unwrap();
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let front = listener.local_addr().unwrap();
    tokio::spawn(async move {
        while let Ok((client, _)) = listener.accept().await {
            // A client that refuses the certificate ends the connection; that is its right.
            tokio::spawn(carry(client, acceptor.clone(), target));
        }
    });
    (front, file)
}

async fn carry(mut client: TcpStream, acceptor: TlsAcceptor, target: SocketAddr) -> std::io::Result<()> {
    let mut request = [0; 8];
    client.read_exact(&mut request).await?;
    if request != SSL_REQUEST {
        return Ok(());
    }
    client.write_all(b"S").await?;
    let mut client = acceptor.accept(client).await?;
    let mut server = TcpStream::connect(target).await?;
    copy_bidirectional(&mut client, &mut server).await.map(drop)
}

#[test]
fn each_mode_asks_as_much_of_the_server_as_it_says() {
    let options = StoreOptions { connect_timeout: Duration::from_secs(5), ..StoreOptions::default() };
    Db::on(Backend::PostgreSql, options, async |db| {
        let (front, root) = front(db).await;
        let url = db.url().to_string();
        let (user, database) = (&url[..url.rfind('@').unwrap()], url.rsplit('/').next().unwrap());
        let (port, root) = (front.port(), root.display());
        let missing = db.path("missing.pem").display().to_string();
        let empty = db.path("empty.pem");
        std::fs::write(&empty, "no certificate").unwrap();
        let empty = empty.display();
        let other = db.path("other.pem");
        let stranger = rcgen::generate_simple_self_signed(vec!["localhost".to_owned()]).unwrap();
        std::fs::write(&other, stranger.cert.pem()).unwrap();
        let other = other.display();
        let rows = [
            ("localhost", "sslmode=disable".to_owned(), false, "plain text to a front that takes none"),
            ("localhost", "sslmode=prefer".to_owned(), true, "any certificate will do"),
            ("localhost", "sslmode=require".to_owned(), true, "any certificate will do"),
            ("127.0.0.1", "sslmode=require".to_owned(), true, "whatever its name"),
            ("localhost", format!("sslmode=verify-full&sslrootcert={root}"), true, "the right name and root"),
            ("localhost", format!("sslrootcert={root}"), true, "a root asks for its use"),
            ("localhost", format!("sslmode=require&sslrootcert={root}"), true, "also with require"),
            (
                "127.0.0.1",
                format!("sslmode=require&sslrootcert={root}"),
                false,
                "another name, although only require is asked",
            ),
            ("localhost", format!("sslmode=require&sslrootcert={other}"), false, "a root that did not sign it"),
            ("127.0.0.1", format!("sslmode=verify-full&sslrootcert={root}"), false, "another name"),
            ("localhost", "sslmode=verify-full".to_owned(), false, "a root nobody knows"),
            ("localhost", format!("sslmode=verify-full&sslrootcert={missing}"), false, "no file"),
            ("localhost", format!("sslmode=verify-full&sslrootcert={empty}"), false, "no certificate in it"),
        ];
        for (host, query, works, why) in rows {
            let url = DatabaseUrl::parse(&format!("{user}@{host}:{port}/{database}?{query}")).unwrap();
            match Store::open(&url, options, db.background().clone()).await {
                Ok(store) => {
                    assert!(works, "{query} to {host} must be refused: {why}");
                    assert_eq!(store.candidates(1).await.map(|found| found.len()), Ok(0), "{why}");
                    store.shutdown().await;
                }
                Err(error) => assert!(!works && error.is_unavailable(), "{query} to {host}: {why}: {error}"),
            }
        }
    });
}

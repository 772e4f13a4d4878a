//! A real identity provider of people: npm's `oidc-provider`, which `cargo xtask test` installs, with its own pages.

use std::io::{BufRead as _, BufReader, Write as _};
use std::path::Path;
use std::process::{Child, ChildStdout, Command, Stdio};

use tempfile::NamedTempFile;

use super::{Options, Server};

/// The path where `cargo xtask test` installs it.
const LIBRARY: &str = concat!(env!("CARGO_TARGET_TMPDIR"), "/../pages/node_modules/oidc-provider/lib/index.js");
const SCRIPT: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/it/support/provider.mjs");

/// The provider, for one server at this address. Dropping it ends it.
pub(crate) struct IdentityProvider {
    process: Child,
    /// Kept open: the provider ends if it cannot write.
    _output: BufReader<ChildStdout>,
    /// The operator's file that names it.
    file: NamedTempFile,
    public_url: String,
    pub(crate) issuer: String,
}

impl Drop for IdentityProvider {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

impl IdentityProvider {
    /// Starts one that sends people back to the server with that public address; `more` is added to its entry in the file.
    pub(crate) fn start(public_url: &str, more: &str) -> Self {
        assert!(Path::new(LIBRARY).exists(), "oidc-provider is missing: cargo xtask test installs it");
        let mut process = Command::new("node")
            .args([SCRIPT, LIBRARY, &format!("{public_url}/sign-in/sso/corp/callback")])
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .expect("node is missing: cargo xtask test installs it with npm");
        let mut issuer = String::new();
        let mut output = BufReader::new(process.stdout.take().unwrap());
        output.read_line(&mut issuer).unwrap();
        let issuer = issuer.trim().to_owned();
        assert!(issuer.starts_with("http://127.0.0.1:"), "oidc-provider did not start: {issuer}");
        let mut file = NamedTempFile::new().unwrap();
        write!(
            file,
            "[[provider]]\nid = \"corp\"\nname = \"Acme account\"\nissuer = \"{issuer}\"\nclient_id = \"tokens\"\n\
             client_secret = \"a secret: of the tests & more\"\ndomains = [\"acme.example\"]\norganization = \"{}\"\n{more}\n",
            Server::ORGANIZATION
        )
        .unwrap();
        Self { process, _output: output, file, public_url: public_url.to_owned(), issuer }
    }

    /// The options of the server whose people it knows.
    pub(crate) fn options(&self) -> Options {
        Options::default()
            .with("server.public_url", &self.public_url)
            .with("outbound.allowed_networks", "127.0.0.0/8")
            .with("sso.file", self.file.path().display())
    }
}

//! `nlp login`: creates a personal key with an expiry and stores it. A session is not kept: it would have all rights of
//! the person, and a key can be revoked separately.

use client::{Client, Secret, options, types};
use serde_json::{Value, json};

use crate::credential::{self, Credential, Insecure, Source};
use crate::failure::{Failure, Result};
use crate::output::Printer;
use crate::settings::Settings;
use crate::terminal;

/// Options of `login`.
#[derive(Debug, Clone, clap::Args)]
pub(crate) struct Args {
    /// Your e-mail address. By default, nlp asks for it.
    #[arg(long)]
    email: Option<String>,
    /// The slug of the organisation, if you are a member of several.
    #[arg(long, value_name = "SLUG")]
    organization: Option<String>,
    /// Read the password from standard input instead of asking for it.
    #[arg(long)]
    password_stdin: bool,
    /// Store the token from the environment variable or --token-file instead of signing in.
    #[arg(long, conflicts_with_all = ["email", "password_stdin", "organization"])]
    with_token: bool,
    /// The name of the key.
    #[arg(long, value_name = "NAME")]
    name: Option<String>,
    /// The lifetime of the key.
    #[arg(long, value_name = "DAYS", default_value_t = 90)]
    expires_in_days: u32,
    /// A scope of the key. May be repeated. Defaults to the default scopes for personal keys.
    #[arg(long, value_name = "SCOPE")]
    scope: Vec<String>,
    /// Store the key unencrypted in a file, readable by every program that runs as your user.
    #[arg(long)]
    insecure_storage: bool,
}

pub(crate) fn run(settings: &Settings, printer: &Printer, args: &Args) -> Result<()> {
    let client = settings.client()?;
    let insecure = if args.insecure_storage { Insecure::Accepted } else { Insecure::Refused };
    credential::check_place(settings.folders(), settings.profile(), insecure)?;
    settings.check_writable()?;
    let earlier = Earlier::new(settings)?;
    let (secret, shown) = if args.with_token {
        let given = settings.given()?.ok_or_else(|| {
            Failure::usage("no token was given").next("--token-file - (reads it from standard input)")
        })?;
        let token = client.with(given.secret.clone()).get_self()?;
        (given.secret, json!({ "name": token.name, "id": token.id, "expires_at": token.expires_at }))
    } else {
        let made = make_key(&client, args)?;
        let shown = json!({ "name": made.name, "id": made.id, "expires_at": made.expires_at });
        (made.secret, shown)
    };
    let kept = match store(settings, &client, &secret, insecure) {
        Err(failure) if !args.with_token => return Err(taken_back(&client, secret, &shown, failure)),
        other => other?,
    };
    earlier.tell(printer, &client, &secret);
    if let Some(warning) = kept.warning() {
        printer.note(&format!("warning: {warning}"));
    }
    let sentence = format!(
        "signed in to {} with the key {}, valid until {}; stored in {kept}",
        client.base(),
        shown["name"].as_str().unwrap_or_default(),
        shown["expires_at"].as_str().unwrap_or("it is revoked"),
    );
    let mut value = shown;
    value["url"] = json!(client.base());
    value["kept_in"] = json!(kept.to_string());
    printer.done(&sentence, &value)
}

/// Stores the key and where it is for, or neither.
fn store(settings: &Settings, client: &Client, secret: &Secret, insecure: Insecure) -> Result<Source> {
    let (folders, profile) = (settings.folders(), settings.profile());
    let kept = credential::keep(folders, profile, secret, insecure)
        .and_then(|kept| settings.remember(client.base()).map(|()| kept));
    if kept.is_err() {
        // Errors are ignored: the first error is reported.
        let _ = credential::discard(folders, profile, secret);
    }
    kept
}

/// Revokes the key that could not be stored: nobody has it. Returns the failure with the resulting state added.
fn taken_back(client: &Client, secret: Secret, shown: &Value, failure: Failure) -> Failure {
    match client.with(secret).revoke_self() {
        Ok(()) => failure.after("the new key could not be stored and was revoked"),
        Err(other) => {
            let id = shown["id"].as_str().unwrap_or_default();
            failure
                .after(format!("the key {id} was created but could not be stored, and revoking it failed ({other})"))
                .next(format!("nlp key revoke {id}"))
        }
    }
}

/// The keys that were stored for the profile before.
struct Earlier {
    keys: Vec<Credential>,
    url: Option<String>,
}

impl Earlier {
    fn new(settings: &Settings) -> Result<Self> {
        let keys = credential::stored(settings.folders(), settings.profile())?;
        Ok(Self { keys, url: settings.profile_url()? })
    }

    /// Names those that a new key replaced and that are still valid: their only copy is gone.
    fn tell(self, printer: &Printer, client: &Client, new: &Secret) {
        let is_here = self.url.as_deref() == Some(client.base());
        for key in self.keys.into_iter().filter(|key| is_here && key.secret != *new) {
            // A key that is not valid any more needs no mention.
            let Ok(token) = client.with(key.secret).get_self() else { continue };
            let command = if token.kind == "personal" { "key" } else { "token" };
            printer.note(&format!(
                "the earlier key {} is no longer stored here, and still valid\n  next: nlp {command} revoke {}",
                token.name, token.id
            ));
        }
    }
}

/// Signs in, creates the key, and signs out.
fn make_key(client: &Client, args: &Args) -> Result<types::CreatedToken> {
    let email = match &args.email {
        Some(email) => email.clone(),
        None if terminal::present() => terminal::ask("E-mail")?,
        None => return Err(Failure::usage("there is no terminal to ask for an e-mail address").next("--email")),
    };
    let password = password(args)?;
    let mut body =
        types::SignIn { email, password, organization: args.organization.clone(), ..types::SignIn::default() };
    let session = match client.create_session(&body) {
        Err(error) if needs_code(&error) && terminal::present() => {
            body.code = Some(terminal::ask_secret("Code of your authenticator app")?);
            client.create_session(&body)?
        }
        other => other?,
    };
    let session = client.with(session.token);
    let body = types::CreateKey {
        name: args.name.clone().unwrap_or_else(default_name),
        expires_in_days: Some(args.expires_in_days),
        scopes: (!args.scope.is_empty()).then(|| args.scope.clone()),
        ..types::CreateKey::default()
    };
    let made = session.create_key(&options::CreateKeyOptions::default(), &body);
    // The session is no longer needed. If it cannot be ended, it expires.
    let _ = session.delete_current();
    Ok(made?)
}

fn needs_code(error: &client::Error) -> bool {
    error.refusal().is_some_and(|refusal| refusal.status == 401 && refusal.error == "second factor required")
}

fn password(args: &Args) -> Result<Secret> {
    if args.password_stdin {
        return Ok(credential::from_file(std::path::Path::new("-"))?.secret);
    }
    if terminal::present() {
        return terminal::ask_secret("Password");
    }
    Err(Failure::usage("there is no terminal to ask for a password").next("--password-stdin"))
}

/// A key name that tells this machine's key from others.
fn default_name() -> String {
    let host = rustix::system::uname().nodename().to_string_lossy().into_owned();
    let name: String = format!("nlp on {host}").chars().filter(|character| !character.is_control()).take(100).collect();
    name
}

//! `nlp whoami`: shows the credential in use and its owner.

use serde_json::json;

use super::json;
use crate::failure::Result;
use crate::output::Printer;
use crate::settings::Settings;

/// The prefix of session tokens.
const SESSION: &str = "nls_";

pub(crate) fn run(settings: &Settings, printer: &Printer) -> Result<()> {
    let credential = settings.required_credential()?;
    let client = settings.client()?.with(credential.secret.clone());
    let mut value = if credential.secret.expose().starts_with(SESSION) {
        json(&client.get_me()?)?
    } else {
        let mut token = json(&client.get_self()?)?;
        // Only a personal key belongs to a person.
        if token["kind"] == "personal"
            && let Ok(me) = client.get_me()
        {
            token["email"] = json!(me.email);
            token["role"] = json!(me.role);
            token["org_id"] = json!(me.org_id);
        }
        token
    };
    value["url"] = json!(client.base());
    value["kept_in"] = json!(credential.source.to_string());
    if let Some(warning) = credential.source.warning() {
        printer.note(&format!("warning: {warning}"));
    }
    printer.one(
        &value,
        &["url", "kept_in", "email", "role", "org_id", "name", "kind", "hint", "id", "status", "scopes", "expires_at"],
    )
}

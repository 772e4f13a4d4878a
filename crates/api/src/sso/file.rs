//! Parses the operator's file of identity providers and reports all errors at once.

use std::collections::BTreeMap;
use std::fs;
use std::path::PathBuf;

use authority::sso::Provider;
use authority::trust::Issuers;
use serde::Deserialize;
use token_domain::person::BuiltInRole;
use token_domain::text::{Email, Name, Slug};
use url::Url;
use zeroize::Zeroizing;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    provider: Vec<Written>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Written {
    id: String,
    name: String,
    issuer: String,
    client_id: String,
    client_secret: Option<Zeroizing<String>>,
    client_secret_file: Option<PathBuf>,
    #[serde(default = "scopes")]
    scopes: Vec<String>,
    domains: Vec<String>,
    organization: String,
    default_role: Option<String>,
    #[serde(default = "groups_claim")]
    groups_claim: String,
    /// Groups by role.
    #[serde(default)]
    roles: BTreeMap<String, Vec<String>>,
    #[serde(default)]
    required: bool,
}

fn scopes() -> Vec<String> {
    ["openid", "email", "profile"].map(str::to_owned).into()
}

fn groups_claim() -> String {
    "groups".to_owned()
}

/// The providers of a file, given as name and text.
///
/// # Errors
/// All errors, on one line.
pub(crate) fn read(file: &str, text: &str, public_url: &Url, issuers: &dyn Issuers) -> Result<Vec<Provider>, String> {
    let written = toml::from_str::<File>(text)
        .map_err(|error| format!("{file}: {}", error.to_string().trim().replace('\n', " ")))?;
    let mut wrong = Vec::new();
    let mut providers: Vec<Provider> = Vec::new();
    for entry in written.provider {
        let id = entry.id.clone();
        let mut complain = |problem: String| wrong.push(format!("{file}: {id}: {problem}"));
        if providers.iter().any(|provider| provider.id == entry.id) {
            complain("another provider has this id; choose another one".to_owned());
        }
        let is_same = |other: &Provider| {
            (other.issuer.as_str(), other.organization.as_str()) == (entry.issuer.as_str(), entry.organization.as_str())
        };
        if providers.iter().any(is_same) {
            complain("another provider has this issuer and organization; use one for both".to_owned());
        }
        providers.extend(provider(entry, public_url, issuers, &mut complain));
    }
    if wrong.is_empty() { Ok(providers) } else { Err(wrong.join("; ")) }
}

fn provider(
    entry: Written,
    public_url: &Url,
    issuers: &dyn Issuers,
    complain: &mut impl FnMut(String),
) -> Option<Provider> {
    let is_name = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-';
    if !(1..=64).contains(&entry.id.len()) || !entry.id.bytes().all(is_name) {
        complain("id must be 1 to 64 lowercase letters, digits and hyphens".to_owned());
    }
    if let Err(error) = issuers.check(&entry.issuer) {
        complain(format!("issuer {error}"));
    }
    if Name::parse(&entry.name).is_err() || entry.client_id.is_empty() {
        complain("name and client_id are required; a name has 1 to 100 characters that can be seen".to_owned());
    }
    if !entry.scopes.iter().any(|scope| scope == "openid") {
        complain("scopes must hold openid".to_owned());
    }
    // In the form in which addresses are compared.
    let is_domain = |domain: &String| {
        let address = Email::parse(&format!("a@{domain}"));
        address.is_ok_and(|address| address.key() == format!("a@{domain}"))
    };
    if entry.domains.is_empty() || !entry.domains.iter().all(is_domain) {
        complain("domains must name the domains of addresses in small letters, such as example.com".to_owned());
    }
    let client_secret = match (entry.client_secret, entry.client_secret_file) {
        (Some(_), Some(_)) => {
            complain("client_secret_file is set together with client_secret; set one of the two".to_owned());
            None
        }
        (None, Some(path)) => match fs::read_to_string(&path).map(Zeroizing::new) {
            Ok(secret) => Some(Zeroizing::new(secret.trim_end().to_owned())),
            Err(error) => {
                complain(format!("client_secret_file {} cannot be read: {error}", path.display()));
                None
            }
        },
        (secret, None) => secret,
    };
    if client_secret.as_ref().is_some_and(|secret| secret.is_empty()) {
        complain("the client secret is empty; leave it out for a client that has none".to_owned());
    }
    let organization = Slug::parse(&entry.organization).map_err(|error| complain(format!("organization {error}"))).ok();
    let mut role = |name: &str| {
        let role = BuiltInRole::parse(name);
        if role.is_none() {
            complain(format!("{name} is no built-in role: use owner, admin, member or viewer"));
        }
        role
    };
    let default_role = entry.default_role.as_deref().and_then(&mut role);
    let mut roles = Vec::new();
    for (name, groups) in entry.roles {
        if let Some(role) = role(&name) {
            roles.extend(groups.into_iter().map(|group| (group, role)));
        }
    }
    if !roles.is_empty() && entry.default_role.is_none() {
        complain("default_role is needed with roles: the role of people in none of the groups".to_owned());
    }
    let base = public_url.as_str().trim_end_matches('/');
    Some(Provider {
        redirect_uri: format!("{base}/sign-in/sso/{}/callback", entry.id),
        id: entry.id,
        name: entry.name,
        issuer: entry.issuer,
        client_id: entry.client_id,
        client_secret,
        scopes: entry.scopes,
        domains: entry.domains,
        organization: organization?,
        default_role,
        groups_claim: entry.groups_claim,
        roles,
        is_required: entry.required,
    })
}

//! Parses the operator's file of identity providers and reports all errors at once.

use std::collections::BTreeMap;
use std::fs;
use std::path::PathBuf;

use authority::sso::Provider;
use authority::trust::Issuers;
use serde::Deserialize;
use serde_json::Value;
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
    /// What its tokens have to claim.
    #[serde(default)]
    require: BTreeMap<String, Value>,
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

/// Issuers where anybody can have an account, also with an address of a company: what they say of an address says nothing of who
/// belongs to the company.
const SHARED: [&str; 6] = [
    "https://accounts.google.com",
    "https://appleid.apple.com",
    "https://gitlab.com",
    "https://login.microsoftonline.com/9188040d-6c67-4c5b-b112-36a304b66dad/v2.0",
    "https://slack.com",
    "https://www.linkedin.com/oauth",
];

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
    // Without the text of the line, which the error's own form shows: it may be the one with the secret.
    let unread = |error: toml::de::Error| {
        let before = error.span().and_then(|span| text.get(..span.start)).unwrap_or_default();
        format!("{file}: line {}: {}", before.matches('\n').count() + 1, error.message().replace('\n', " "))
    };
    let written = toml::from_str::<File>(text).map_err(unread)?;
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
    let is_claim = |value: &Value| value.is_string() || value.is_boolean() || value.is_i64();
    if !entry.require.values().all(is_claim) {
        complain("require must give each claim one text, number or true or false".to_owned());
    }
    if SHARED.contains(&entry.issuer.as_str()) && entry.require.is_empty() {
        complain("require is needed for an issuer where anybody can have an account: name the claim that tells your people, such as hd of Google".to_owned());
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
    if default_role == Some(BuiltInRole::Owner) {
        complain("default_role must not be owner: name the groups of owners in roles".to_owned());
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
        required_claims: entry.require.into_iter().collect(),
        domains: entry.domains,
        organization: organization?,
        default_role,
        groups_claim: entry.groups_claim,
        roles,
        is_required: entry.required,
    })
}

#[cfg(test)]
mod tests {
    use authority::Context;
    use authority::trust::FindingKeys;
    use authority::trust::jwt::Jwt;

    use super::*;

    /// Takes every issuer by TLS.
    struct AnyIssuer;

    impl Issuers for AnyIssuer {
        fn check(&self, text: &str) -> Result<(), &'static str> {
            if text.starts_with("https://") { Ok(()) } else { Err("must be an https URL") }
        }

        fn keys<'a>(&'a self, _: &'a str, _: &'a Jwt, _: &'a Context) -> FindingKeys<'a> {
            Box::pin(async { None })
        }
    }

    const WHOLE: &str = "[[provider]]\nid = \"corp\"\nname = \"Acme account\"\nissuer = \"https://login.example.com\"\n\
        client_id = \"nolapse\"\nclient_secret = \"canary\"\ndomains = [\"example.com\"]\norganization = \"acme\"\n";

    fn read(text: &str) -> Result<Vec<Provider>, String> {
        super::read("sso.toml", text, &Url::parse("https://tokens.example.com/").unwrap(), &AnyIssuer)
    }

    #[test]
    fn an_entry_has_defaults_and_an_address_to_come_back_to() {
        let providers = read(WHOLE).unwrap();
        let [provider] = &providers[..] else { panic!("{providers:?}") };
        assert_eq!(provider.redirect_uri, "https://tokens.example.com/sign-in/sso/corp/callback");
        assert_eq!(
            (provider.scopes.join(" ").as_str(), provider.groups_claim.as_str()),
            ("openid email profile", "groups")
        );
        assert!(provider.default_role.is_none() && !provider.is_required && provider.roles.is_empty());
        assert!(!format!("{provider:?}").contains("canary"));
    }

    #[test]
    fn every_error_is_named_without_the_secret() {
        let with = |from: &str, to: &str| WHOLE.replace(from, to);
        let rows = [
            (with("\"corp\"", "\"Corp\""), "id must be"),
            (with("https://login", "http://login"), "issuer must be an https URL"),
            (with("\"nolapse\"", "\"\""), "name and client_id are required"),
            (with("\"Acme account\"", "\" \""), "name and client_id are required"),
            (with("[\"example.com\"]", "[]"), "domains must name"),
            (with("example.com\"]", "Example.com\"]"), "domains must name"),
            (with("example.com\"]", "@example.com\"]"), "domains must name"),
            (with("example.com\"]", "\"]"), "domains must name"),
            (with("\"acme\"", "\"Acme!\""), "organization"),
            (with("\"canary\"", "\"\""), "the client secret is empty"),
            (format!("{WHOLE}scopes = [\"email\"]"), "scopes must hold openid"),
            (format!("{WHOLE}default_role = \"king\""), "king is no built-in role"),
            (format!("{WHOLE}default_role = \"owner\""), "default_role must not be owner"),
            (format!("{WHOLE}[provider.roles]\nadmin = [\"a\"]"), "default_role is needed with roles"),
            (format!("{WHOLE}client_secret_file = \"/nowhere\""), "set one of the two"),
            (format!("{WHOLE}{WHOLE}"), "another provider has this id"),
            (format!("{WHOLE}{}", with("\"corp\"", "\"other\"")), "another provider has this issuer and organization"),
            (with("client_secret", "client_secrets"), "line 6: unknown field"),
            (with("\"canary\"", "\"canary"), "line 6:"),
            (with("\"canary\"", "7"), "line 6:"),
            (with("https://login.example.com", "https://accounts.google.com"), "require is needed"),
            (format!("{WHOLE}require = {{ hd = [\"example.com\"] }}"), "require must give each claim one text"),
            (String::new(), "missing field `provider`"),
        ];
        for (text, expected) in rows {
            let error = read(&text).unwrap_err();
            assert!(error.starts_with("sso.toml: ") && error.contains(expected), "{expected}: {error}");
            assert!(!error.contains("canary") && !error.contains('\n'), "{error}");
        }
    }
}

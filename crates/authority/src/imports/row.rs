//! One row as people bring it: its fields read, checked and named where they are wrong.
//!
//! **Invariant:** a fault never repeats the hash or the key of its row.

use secret_hash::{Algorithm, Encoding, ForeignHash, PREFIX_LENGTHS};
use serde_json::{Map, Value};
use token_domain::access::{Description, ExternalId, Metadata};
use token_domain::record::{Hint, TokenDetails};
use token_domain::scope::{GrantError, Grants};
use token_domain::text::Name;
use token_domain::token::Kind;
use token_domain::{ScopeCatalogue, ScopeName, Timestamp};
use token_format::PlainToken;

use super::fields::{Fault, moment, text};
use super::preset::Preset;
use crate::legacy::LegacyShapes;

/// The most bytes of a key under bcrypt: those behind are ignored by it, so that two keys could be one.
const MOST_UNDER_BCRYPT: u64 = 71;
/// The display hint of a token whose key is not known before its first use.
const UNKNOWN_HINT: &str = "xxxx";
/// What rows are read by.
pub(super) struct Reading<'r> {
    pub(super) catalogue: &'r ScopeCatalogue,
    pub(super) shapes: &'r LegacyShapes,
    pub(super) preset: Preset,
    /// The scopes of every row, in place of its own.
    pub(super) scopes: Option<&'r [String]>,
    pub(super) has_hmac_key: bool,
}

/// A row that can be imported.
pub(super) struct Row {
    pub(super) name: Name,
    pub(super) grants: Grants,
    pub(super) hash: ForeignHash,
    pub(super) lookup_hint: i64,
    pub(super) expires_at: Option<Timestamp>,
    pub(super) details: TokenDetails,
    pub(super) is_revoked: bool,
    pub(super) hint: Hint,
    /// The token in the clear, of a row that brings one.
    pub(super) plain: Option<PlainToken>,
}

impl Row {
    pub(super) fn read(value: &Value, by: &Reading<'_>) -> Result<Self, Fault> {
        let Value::Object(fields) = value else { return Err(Fault::new("row", "must be a JSON object")) };
        let fields = by.preset.translate(fields)?;
        let (hash, plain) = hash(&fields, by)?;
        let name = text(&fields, "name")?.ok_or_else(|| Fault::new("name", "is required"))?;
        let name = Name::parse(name).map_err(|error| Fault::new("name", error))?;
        let grants = grants(&fields, by)?;
        match text(&fields, "owner")? {
            None | Some("organization") => {}
            Some(_) => {
                return Err(Fault::new(
                    "owner",
                    "must be organization: a key of a person cannot be imported by somebody else; name its holder in external_id",
                ));
            }
        }
        let expires_at = moment(&fields, "expires_at")?.or(moment(&fields, "expires")?);
        let revoked_at = moment(&fields, "revoked_at")?;
        let is_revoked = flag(&fields, "revoked")?.unwrap_or(false) || revoked_at.is_some();
        let prefix = prefix(&fields, by)?;
        let lookup_hint = hash.lookup_hint(prefix).0;
        Ok(Self {
            name,
            grants,
            lookup_hint,
            hash,
            expires_at,
            details: details(&fields)?,
            is_revoked,
            hint: shown(plain.as_ref(), prefix),
            plain,
        })
    }
}

/// The hash, and the token itself where the row brings it in the clear.
fn hash(fields: &Map<String, Value>, by: &Reading<'_>) -> Result<(ForeignHash, Option<PlainToken>), Fault> {
    let (given, named) = match fields.get("hash") {
        None | Some(Value::Null) => return Err(Fault::new("hash", "is required")),
        Some(Value::String(text)) => (text.trim(), None),
        Some(Value::Object(parts)) => {
            let value = parts.get("value").and_then(Value::as_str);
            let variant = parts.get("variant").and_then(Value::as_str);
            let value = value.ok_or_else(|| Fault::new("hash", "must have a text as its value"))?;
            (value.trim(), variant)
        }
        Some(_) => return Err(Fault::new("hash", "must be a text")),
    };
    if given.is_empty() {
        return Err(Fault::new("hash", "is required"));
    }
    let field = if fields.contains_key("algorithm") { "algorithm" } else { "scheme" };
    let (algorithm, encoding) = match named.or(text(fields, field)?) {
        None => (None, None),
        Some(name) => {
            // `sha256_base64` names both, as Unkey does.
            let (name, encoding) = match name.split_once('_') {
                Some((name, encoding)) => (name, Some(encoding)),
                None => (name, None),
            };
            let algorithm = Algorithm::parse(name).ok_or_else(|| {
                let known: Vec<&str> = Algorithm::ALL.map(Algorithm::as_str).to_vec();
                Fault::new("algorithm", format_args!("must be one of {}", known.join(", ")))
            })?;
            (Some(algorithm), encoding)
        }
    };
    let encoding = match text(fields, "encoding")?.or(encoding) {
        None => None,
        Some(name) => Some(Encoding::parse(name).ok_or_else(|| Fault::new("encoding", "must be hex, base64 or phc"))?),
    };
    if algorithm == Some(Algorithm::Raw) {
        let own = PlainToken::parse(given).ok();
        let Some(own) = own else {
            let key = by.shapes.read(given).ok_or_else(|| {
                Fault::new(
                    "hash",
                    "is a key of a form that this deployment does not accept: add it to tokens.legacy_shapes",
                )
            })?;
            return Ok((ForeignHash::of_key(key.secret().as_bytes()), None));
        };
        return Ok((ForeignHash::of_key(own.expose_bytes()), Some(own)));
    }
    let length = fields.get("key_length").and_then(Value::as_u64);
    if given.starts_with("$2") && length.is_some_and(|length| length > MOST_UNDER_BCRYPT) {
        return Err(Fault::new(
            "key_length",
            format_args!(
                "must be at most {MOST_UNDER_BCRYPT} under bcrypt, which ignores what follows: two keys could be one"
            ),
        ));
    }
    let hash = ForeignHash::read(given, algorithm, encoding).map_err(|error| Fault::new("hash", error))?;
    if hash.algorithm() == Algorithm::HmacSha256 && !by.has_hmac_key {
        return Err(Fault::new("algorithm", "hmac-sha256 needs the key of the other system in tokens.legacy_hmac_key"));
    }
    Ok((hash, None))
}

fn grants(fields: &Map<String, Value>, by: &Reading<'_>) -> Result<Grants, Fault> {
    let listed: Vec<String> = match (by.scopes, fields.get("scopes")) {
        (Some(scopes), _) => scopes.to_vec(),
        (None, None | Some(Value::Null)) => {
            return Err(Fault::new("scopes", "is required: no scopes never means all; or name those of every row"));
        }
        (None, Some(Value::String(text))) => {
            text.split([' ', ',']).filter(|name| !name.is_empty()).map(str::to_owned).collect()
        }
        (None, Some(Value::Array(names))) => {
            let texts = names.iter().map(|name| name.as_str().map(str::to_owned));
            texts.collect::<Option<_>>().ok_or_else(|| Fault::new("scopes", "must be a list of texts"))?
        }
        (None, Some(_)) => return Err(Fault::new("scopes", "must be a list of texts")),
    };
    let unknown: Vec<&str> =
        listed.iter().filter(|name| by.catalogue.find(name).is_none()).map(String::as_str).collect();
    if !unknown.is_empty() {
        // Only a name in the grammar of scopes is repeated: anything else could be a secret.
        let shown = unknown.into_iter().map(|name| match name {
            "*" => "*".to_owned(),
            "" => "an empty name".to_owned(),
            name => {
                ScopeName::parse(name).map_or_else(|_| "a text that is no scope".to_owned(), |name| name.to_string())
            }
        });
        let shown = shown.collect::<Vec<_>>().join(", ");
        return Err(Fault::new("scopes", format_args!("must not name what the catalogue does not have: {shown}")));
    }
    by.catalogue.grant(&listed, Kind::Organization).map_err(|error: GrantError| Fault::new("scopes", error))
}

fn details(fields: &Map<String, Value>) -> Result<TokenDetails, Fault> {
    let description = text(fields, "description")?.filter(|text| !text.trim().is_empty());
    let external_id = text(fields, "external_id")?.filter(|text| !text.trim().is_empty());
    let metadata = match fields.get("metadata").or_else(|| fields.get("meta")) {
        None | Some(Value::Null) => None,
        Some(value @ Value::Object(_)) => Some(value.to_string()),
        Some(_) => return Err(Fault::new("metadata", "must be an object")),
    };
    Ok(TokenDetails {
        description: description
            .map(Description::parse)
            .transpose()
            .map_err(|error| Fault::new("description", error))?,
        external_id: external_id
            .map(ExternalId::parse)
            .transpose()
            .map_err(|error| Fault::new("external_id", error))?,
        metadata: metadata
            .map(|json| Metadata::parse(&json))
            .transpose()
            .map_err(|error| Fault::new("metadata", error))?,
        allowed_networks: None,
    })
}

/// The first characters of the key, by which the row of a slow hash is found.
fn prefix<'f>(fields: &'f Map<String, Value>, by: &Reading<'_>) -> Result<Option<&'f str>, Fault> {
    let Some(prefix) = text(fields, "prefix")?.filter(|prefix| !prefix.is_empty()) else { return Ok(None) };
    let fits = PREFIX_LENGTHS.contains(&prefix.len()) && prefix.bytes().all(|byte| byte.is_ascii_graphic());
    if !fits {
        let (least, most) = (PREFIX_LENGTHS.start(), PREFIX_LENGTHS.end());
        return Err(Fault::new("prefix", format_args!("must be the first {least} to {most} characters of the key")));
    }
    if prefix.starts_with(token_format::PREFIX) || by.shapes.may_begin_with(prefix) {
        Ok(Some(prefix))
    } else {
        // The key would never be looked for, and its row never found.
        Err(Fault::new(
            "prefix",
            "is the beginning of no key that this deployment accepts: add the form of the keys to tokens.legacy_shapes",
        ))
    }
}

/// Four characters to tell the key by: its own where they are known.
fn shown(plain: Option<&PlainToken>, prefix: Option<&str>) -> Hint {
    let known = prefix.and_then(|prefix| prefix.strip_prefix(token_format::PREFIX)?.get(..token_format::HINT_LEN));
    let known = known.and_then(|start| Hint::parse(start).ok());
    plain.map(PlainToken::hint).or(known).unwrap_or_else(unknown_hint)
}

/// What is shown of a key of which nothing is known.
#[expect(clippy::expect_used, reason = "four letters are a hint")]
fn unknown_hint() -> Hint {
    Hint::parse(UNKNOWN_HINT).expect("four letters")
}

fn flag(fields: &Map<String, Value>, field: &'static str) -> Result<Option<bool>, Fault> {
    match fields.get(field) {
        None | Some(Value::Null) => Ok(None),
        Some(Value::Bool(value)) => Ok(Some(*value)),
        Some(Value::String(text)) => match text.trim() {
            "" => Ok(None),
            "true" | "1" | "yes" => Ok(Some(true)),
            "false" | "0" | "no" => Ok(Some(false)),
            _ => Err(Fault::new(field, "must be true or false")),
        },
        Some(Value::Number(number)) => match number.as_u64() {
            Some(0) => Ok(Some(false)),
            Some(1) => Ok(Some(true)),
            _ => Err(Fault::new(field, "must be true or false")),
        },
        Some(_) => Err(Fault::new(field, "must be true or false")),
    }
}

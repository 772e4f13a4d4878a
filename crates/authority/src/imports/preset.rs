//! Rows of other systems in the words of a row of ours. What each system's columns mean is documented by it; the tests hold a
//! row of each against a key hashed as documented.

use serde_json::{Map, Value, json};

use super::fields::{Fault, moment, text};

/// The system that rows come from.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Preset {
    /// Rows of our own words.
    #[default]
    None,
    /// Kong's key-auth: keys in the clear.
    Kong,
    /// Unkey: SHA-256 in Base64.
    Unkey,
    /// Laravel Sanctum's `personal_access_tokens`: SHA-256 of what stands behind the id.
    Sanctum,
    /// django-rest-knox 4.2 and later: SHA-512 of the token.
    Knox,
    /// djangorestframework-api-key: a Django password hash, found by a prefix.
    DrfApiKey,
    /// better-auth's API keys: SHA-256 in URL-safe Base64.
    BetterAuth,
}

impl Preset {
    /// Every system.
    pub const ALL: [Self; 6] = [Self::Kong, Self::Unkey, Self::Sanctum, Self::Knox, Self::DrfApiKey, Self::BetterAuth];

    /// Its name.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::None => "none",
            Self::Kong => "kong",
            Self::Unkey => "unkey",
            Self::Sanctum => "sanctum",
            Self::Knox => "knox",
            Self::DrfApiKey => "drf-api-key",
            Self::BetterAuth => "better-auth",
        }
    }

    /// Reads its name.
    pub fn parse(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|preset| preset.as_str() == name)
    }

    /// The row in our words.
    pub(super) fn translate(self, row: &Map<String, Value>) -> Result<Map<String, Value>, Fault> {
        Ok(match self {
            Self::None => row.clone(),
            Self::Kong => kong(row)?,
            Self::Unkey => unkey(row),
            Self::Sanctum => sanctum(row)?,
            Self::Knox => knox(row),
            Self::DrfApiKey => drf_api_key(row),
            Self::BetterAuth => better_auth(row)?,
        })
    }
}

/// Fields of a row that is being put together; those without a value are left out.
fn fields<const N: usize>(fields: [(&str, Option<Value>); N]) -> Map<String, Value> {
    let given = fields.into_iter().filter_map(|(name, value)| Some((name.to_owned(), value?)));
    given.filter(|(_, value)| !value.is_null()).collect()
}

/// A field as a text: ids are numbers in some exports.
fn words(row: &Map<String, Value>, field: &str) -> Option<Value> {
    match row.get(field)? {
        Value::String(text) => Some(Value::String(text.clone())),
        Value::Number(number) => Some(Value::String(number.to_string())),
        _ => None,
    }
}

fn either(row: &Map<String, Value>, names: [&str; 2]) -> Option<Value> {
    names.into_iter().find_map(|name| row.get(name).filter(|value| !value.is_null()).cloned())
}

/// A column that holds JSON as a text, or the value itself.
fn parsed(row: &Map<String, Value>, field: &'static str) -> Result<Option<Value>, Fault> {
    match row.get(field) {
        Some(Value::String(text)) if !text.trim().is_empty() => {
            serde_json::from_str(text).map(Some).map_err(|_| Fault::new(field, "must be JSON"))
        }
        Some(Value::String(_) | Value::Null) | None => Ok(None),
        Some(value) => Ok(Some(value.clone())),
    }
}

/// `{consumer, key, tags, ttl, created_at}`; the consumer by name, or an object with its id and username.
fn kong(row: &Map<String, Value>) -> Result<Map<String, Value>, Fault> {
    let consumer = match row.get("consumer") {
        Some(Value::Object(consumer)) => {
            words(consumer, "username").or_else(|| words(consumer, "custom_id")).or_else(|| words(consumer, "id"))
        }
        _ => words(row, "consumer"),
    };
    let ttl = match row.get("ttl") {
        None | Some(Value::Null) => None,
        Some(ttl) => Some(ttl.as_i64().filter(|ttl| *ttl >= 0).ok_or_else(|| Fault::new("ttl", "must be seconds"))?),
    };
    // 0 is Kong's word for a key without an end.
    let expires_at = match (ttl.filter(|ttl| *ttl > 0), moment(row, "created_at")?) {
        (None, _) => None,
        (Some(_), None) => return Err(Fault::new("created_at", "is required beside a ttl")),
        (Some(ttl), Some(created)) => Some(json!(created.as_millis() / 1_000 + ttl)),
    };
    let tags = row.get("tags").filter(|tags| tags.is_array()).map(|tags| json!({ "tags": tags }));
    Ok(fields([
        ("hash", row.get("key").cloned()),
        ("algorithm", Some(json!("raw"))),
        ("name", consumer.clone()),
        ("external_id", consumer),
        ("expires_at", expires_at),
        ("metadata", tags),
        ("scopes", row.get("scopes").cloned()),
    ]))
}

/// `{hash: {value, variant} | text, name, externalId | ownerId, meta, permissions, expires, enabled}`.
fn unkey(row: &Map<String, Value>) -> Map<String, Value> {
    let is_object = row.get("hash").is_some_and(Value::is_object);
    let name = words(row, "name").or_else(|| words(row, "start")).or_else(|| words(row, "id"));
    fields([
        ("hash", row.get("hash").cloned()),
        ("algorithm", (!is_object).then(|| json!("sha256"))),
        ("name", name),
        ("external_id", words(row, "externalId").or_else(|| words(row, "ownerId"))),
        ("metadata", row.get("meta").cloned()),
        ("scopes", either(row, ["permissions", "scopes"])),
        ("expires_at", row.get("expires").cloned()),
        ("revoked", (row.get("enabled") == Some(&json!(false))).then_some(Value::Bool(true))),
    ])
}

/// `{id, tokenable_id, name, token, abilities, expires_at}`.
fn sanctum(row: &Map<String, Value>) -> Result<Map<String, Value>, Fault> {
    Ok(fields([
        ("hash", row.get("token").cloned()),
        ("algorithm", Some(json!("sha256"))),
        ("encoding", Some(json!("hex"))),
        ("name", row.get("name").cloned()),
        ("external_id", words(row, "tokenable_id")),
        ("scopes", parsed(row, "abilities")?),
        ("expires_at", row.get("expires_at").cloned()),
    ]))
}

/// `{digest, token_key, user_id, expiry}`.
fn knox(row: &Map<String, Value>) -> Map<String, Value> {
    let holder = words(row, "user_id").or_else(|| words(row, "user"));
    let name = holder.as_ref().and_then(Value::as_str).map(|holder| json!(format!("knox token of user {holder}")));
    fields([
        ("hash", row.get("digest").cloned()),
        ("algorithm", Some(json!("sha512"))),
        ("encoding", Some(json!("hex"))),
        ("name", row.get("name").cloned().or(name)),
        ("external_id", holder),
        ("scopes", row.get("scopes").cloned()),
        ("expires_at", row.get("expiry").cloned()),
    ])
}

/// `{id, prefix, hashed_key, name, revoked, expiry_date}`.
fn drf_api_key(row: &Map<String, Value>) -> Map<String, Value> {
    fields([
        ("hash", row.get("hashed_key").cloned()),
        ("algorithm", Some(json!("django"))),
        ("prefix", row.get("prefix").cloned()),
        ("name", row.get("name").cloned()),
        ("scopes", row.get("scopes").cloned()),
        ("revoked", row.get("revoked").cloned()),
        ("expires_at", row.get("expiry_date").cloned()),
    ])
}

/// `{key, name, start, userId | referenceId, enabled, expiresAt, permissions, metadata}`.
fn better_auth(row: &Map<String, Value>) -> Result<Map<String, Value>, Fault> {
    // `{"files": ["read", "write"]}` are the scopes files:read and files:write.
    let scopes = match parsed(row, "permissions")? {
        Some(Value::Object(resources)) => {
            let mut scopes = Vec::new();
            for (resource, actions) in resources {
                let actions =
                    actions.as_array().ok_or_else(|| Fault::new("permissions", "must be lists of actions"))?;
                for action in actions {
                    let action =
                        action.as_str().ok_or_else(|| Fault::new("permissions", "must be lists of actions"))?;
                    scopes.push(json!(format!("{resource}:{action}")));
                }
            }
            Some(Value::Array(scopes))
        }
        Some(_) => return Err(Fault::new("permissions", "must be an object")),
        None => row.get("scopes").cloned(),
    };
    let name = text(row, "name")?.map(|name| json!(name)).or_else(|| words(row, "start")).or_else(|| words(row, "id"));
    Ok(fields([
        ("hash", row.get("key").cloned()),
        ("algorithm", Some(json!("sha256"))),
        ("encoding", Some(json!("base64"))),
        ("name", name),
        ("external_id", words(row, "userId").or_else(|| words(row, "referenceId"))),
        ("scopes", scopes),
        ("metadata", parsed(row, "metadata")?),
        ("expires_at", either(row, ["expiresAt", "expires_at"])),
        ("revoked", (row.get("enabled") == Some(&json!(false))).then_some(Value::Bool(true))),
    ]))
}

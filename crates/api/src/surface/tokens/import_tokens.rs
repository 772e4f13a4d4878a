//! `POST /v1/tokens/import`: makes tokens from the hashes that another system kept of its keys.

use actix_web::post;
use actix_web::web::{self, Data};
use authority::imports::{Batch, Fault, Imports, MOST_ROWS, Mode, Preset, RowResult};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use utoipa::ToSchema;
use zeroize::Zeroizing;

use crate::surface::permission::ManageTokens;
use crate::surface::{Authorized, failing};
use edge::error::{ApiError, ApiResult};
use edge::extract::Json;

/// The longest body in bytes: a thousand rows with the longest hashes and some metadata.
const MAX_BODY: usize = 2 * 1024 * 1024;

/// The keys to import.
#[derive(Deserialize, ToSchema)]
struct ImportTokens {
    /// 1–1000 rows.
    #[schema(value_type = Vec<ImportItem>, required = true)]
    #[serde(default)]
    items: Option<Vec<Value>>,
    /// The system that exported the rows: `kong`, `unkey`, `sanctum`, `knox`, `drf-api-key` or `better-auth`. The rows then have
    /// the fields of that system.
    #[serde(default)]
    preset: Option<String>,
    /// The scopes of every row, in place of its own.
    #[serde(default)]
    scopes: Option<Vec<String>>,
    /// Only report what would be imported.
    #[serde(default)]
    dry_run: Option<bool>,
    /// With `dry_run`: a key of the other system, to find out whether one of the rows is its hash.
    #[serde(default)]
    #[schema(value_type = Option<String>, min_length = 1, max_length = 1024, example = "sk_live_51Hq")]
    known_key: Option<Zeroized>,
}

/// The longest key that is compared with the rows, in bytes.
const LONGEST_KEY: usize = 1_024;

/// A key in the clear; wiped when dropped.
#[derive(Deserialize)]
#[serde(transparent)]
struct Zeroized(Zeroizing<String>);

/// A key of another system.
///
/// For the API document: rows are read one by one, so that a bad one does not refuse the others.
#[derive(Serialize, ToSchema)]
struct ImportItem {
    /// The hash of the key as the other system stored it.
    hash: String,
    /// `sha256`, `sha512`, `hmac-sha256`, `bcrypt`, `argon2id`, `pbkdf2-sha256`, `django` or `raw` (a key in the clear). May be
    /// left out where the form of the hash tells it.
    #[schema(pattern = "^(?:sha256|sha512|hmac-sha256|bcrypt|argon2id|pbkdf2-sha256|django|raw)$", example = "sha256")]
    algorithm: Option<String>,
    /// `hex`, `base64` or `phc`.
    #[schema(pattern = "^(?:hex|base64|phc)$", example = "hex")]
    encoding: Option<String>,
    /// The first 4–24 characters of the key, if the other system kept them. A slow hash is found by them.
    #[schema(pattern = "^[!-~]{4,24}$", example = "sk_live_")]
    prefix: Option<String>,
    /// The name of the token.
    name: String,
    /// The scopes of the token.
    scopes: Option<Vec<String>>,
    /// `organization`.
    owner: Option<String>,
    /// When the key expires. RFC 3339, a date, or seconds or milliseconds since 1970.
    expires_at: Option<String>,
    /// The holder in the caller's own system.
    external_id: Option<String>,
    description: Option<String>,
    #[schema(value_type = Option<Object>)]
    metadata: Option<Value>,
    /// The key was revoked: it is imported as a revoked token.
    revoked: Option<bool>,
    revoked_at: Option<String>,
    /// The length of the key in bytes. Keys longer than 71 bytes are refused under bcrypt.
    key_length: Option<u64>,
}

/// The result of the import.
#[derive(Serialize, ToSchema)]
struct Imported {
    dry_run: bool,
    /// The number of tokens that were created, or would be.
    created: usize,
    /// The number of rows that were imported before.
    existing: usize,
    /// The number of rows that were refused.
    refused: usize,
    /// With `known_key`: the index of the first row with a hash of this key. Absent if no row has one.
    #[serde(skip_serializing_if = "Option::is_none")]
    known_key_row: Option<usize>,
    /// One result for each row, in the same order.
    results: Vec<RowView>,
}

/// The result for one row.
#[derive(Serialize, ToSchema)]
#[schema(as = ImportResult)]
struct RowView {
    /// `created`, `would_create`, `existing` or `refused`.
    #[schema(pattern = "^(?:created|would_create|existing|refused)$", example = "created")]
    status: &'static str,
    /// The id of the token.
    #[serde(skip_serializing_if = "Option::is_none")]
    id: Option<String>,
    /// The field that is wrong.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(pattern = "^[a-z_]+$", example = "hash")]
    field: Option<&'static str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    message: Option<String>,
}

/// Import keys of another system by their hashes.
///
/// Each row gets a result of its own: a row that cannot be imported does not stop the others. A hash that was imported before
/// creates no second token, so that a request may be sent again. The keys stay valid as they are; at its first use, the hash of
/// a key is replaced by one of this service.
#[utoipa::path(
    tag = "tokens",
    security(("bearer" = ["tokens:manage"]), ("api_key" = ["tokens:manage"])),
    request_body = ImportTokens,
    responses(
        (status = 200, body = Imported),
        (status = 409, description = "This deployment would not find the imported tokens, or another import of the same hashes is under way.", body = crate::error_body::Error),
    )
)]
#[post("/v1/tokens/import")]
pub(super) async fn import_tokens(
    who: Authorized<ManageTokens>,
    imports: Data<Imports>,
    Json(body): Json<ImportTokens, MAX_BODY>,
) -> ApiResult<web::Json<Imported>> {
    let (batch, known_key) = body.read()?;
    let known_key_row = match &known_key {
        Some(Zeroized(key)) => imports.proves(&batch, key).await.map_err(|failure| failing::failed(&failure))?,
        None => None,
    };
    let is_dry = batch.mode == Mode::DryRun;
    let results = imports.import(&who.caller, batch, &who.origin).await.map_err(|error| failing::import(&error))?;
    Ok(web::Json(Imported::new(is_dry, known_key_row, results)))
}

impl ImportTokens {
    fn read(self) -> ApiResult<(Batch, Option<Zeroized>)> {
        if self.known_key.as_ref().is_some_and(|Zeroized(key)| !(1..=LONGEST_KEY).contains(&key.len())) {
            return Err(ApiError::invalid("known_key", format!("must have 1 to {LONGEST_KEY} bytes")));
        }
        let rows = self.items.unwrap_or_default();
        if !(1..=MOST_ROWS).contains(&rows.len()) {
            return Err(ApiError::invalid("items", format!("must have 1 to {MOST_ROWS} entries")));
        }
        let preset = match self.preset.as_deref() {
            None => Preset::None,
            Some(name) => Preset::parse(name).ok_or_else(|| {
                let known: Vec<&str> = Preset::ALL.map(Preset::as_str).to_vec();
                ApiError::invalid("preset", format!("must be one of {}", known.join(", ")))
            })?,
        };
        let mode = if self.dry_run == Some(true) { Mode::DryRun } else { Mode::Carry };
        if self.known_key.is_some() && mode == Mode::Carry {
            return Err(ApiError::invalid("known_key", "must not be sent without dry_run"));
        }
        Ok((Batch { rows, preset, scopes: self.scopes, mode }, self.known_key))
    }
}

impl Imported {
    fn new(dry_run: bool, known_key_row: Option<usize>, results: Vec<RowResult>) -> Self {
        let count = |wanted: fn(&RowResult) -> bool| results.iter().filter(|result| wanted(result)).count();
        Self {
            dry_run,
            created: count(|result| matches!(result, RowResult::Created(_) | RowResult::Ready)),
            existing: count(|result| matches!(result, RowResult::Existing(_))),
            refused: count(|result| matches!(result, RowResult::Refused(_))),
            known_key_row,
            results: results.into_iter().map(RowView::new).collect(),
        }
    }
}

impl RowView {
    fn new(result: RowResult) -> Self {
        let plain = |status| Self { status, id: None, field: None, message: None };
        match result {
            RowResult::Created(id) => Self { id: Some(id.to_string()), ..plain("created") },
            RowResult::Ready => plain("would_create"),
            RowResult::Existing(id) => Self { id: Some(id.to_string()), ..plain("existing") },
            RowResult::Refused(Fault { field, message }) => {
                Self { field: Some(field), message: Some(message), ..plain("refused") }
            }
        }
    }
}

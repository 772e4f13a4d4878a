//! The body of every error, as the API document describes it.

use serde::Serialize;
use utoipa::ToSchema;

/// Any error.
#[derive(Serialize, ToSchema)]
#[expect(clippy::struct_field_names, reason = "the name is the wire's")]
pub struct Error {
    /// Short and stable, for programs.
    error: String,
    /// What to do about it, for people; may change.
    message: String,
    /// The status once more.
    #[serde(rename = "statusCode")]
    status_code: u16,
    /// The field or parameter that was not acceptable.
    field: Option<String>,
    /// The scopes that were not there.
    missing: Option<Vec<String>>,
    /// `message` once more, where the words are those of OAuth 2.0.
    error_description: Option<String>,
}

//! The body of every error, as the API document describes it.

use serde::Serialize;
use utoipa::ToSchema;

/// The body of every error.
#[derive(Serialize, ToSchema)]
#[expect(clippy::struct_field_names, reason = "the name is the wire's")]
pub struct Error {
    /// A short, stable code for programs.
    error: String,
    /// What to do about the error, for people. The text may change.
    message: String,
    /// The HTTP status code.
    #[serde(rename = "statusCode")]
    status_code: u16,
    /// The field or parameter that is not acceptable.
    field: Option<String>,
    /// The scopes that are missing.
    missing: Option<Vec<String>>,
    /// The same as `message`. Only present in OAuth 2.0 responses.
    error_description: Option<String>,
}

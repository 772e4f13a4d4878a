//! The page that a list query asks for: its size, and the cursor of the page before.

use edge::error::{ApiError, ApiResult};
use edge::extract::Limit;
use serde::Deserialize;

/// How many, and where to begin.
#[derive(Deserialize, utoipa::IntoParams)]
#[into_params(parameter_in = Query)]
pub(super) struct PageQuery {
    /// Entries per page: 1–1000. Defaults to 100.
    #[serde(default)]
    #[param(value_type = Option<u32>)]
    pub(super) limit: Limit<100, 1000>,
    /// `next_cursor` of the previous page.
    cursor: Option<String>,
}

/// The same where an entry is long: how many, and where to begin.
#[derive(Deserialize, utoipa::IntoParams)]
#[into_params(parameter_in = Query)]
pub(super) struct ShortPageQuery {
    /// Entries per page: 1–100. Defaults to 10.
    #[serde(default)]
    #[param(value_type = Option<u32>)]
    pub(super) limit: Limit<10, 100>,
    /// `next_cursor` of the previous page.
    cursor: Option<String>,
}

impl PageQuery {
    /// Where the page begins.
    ///
    /// # Errors
    /// 400 for a text that no page ended with.
    pub(super) fn after<T, E>(&self, parse: impl FnOnce(&str) -> Result<T, E>) -> ApiResult<Option<T>> {
        after(self.cursor.as_deref(), parse)
    }
}

impl ShortPageQuery {
    /// As [`PageQuery::after`].
    pub(super) fn after<T, E>(&self, parse: impl FnOnce(&str) -> Result<T, E>) -> ApiResult<Option<T>> {
        after(self.cursor.as_deref(), parse)
    }
}

/// Parses a cursor: the place after which the page begins.
///
/// # Errors
/// 400 for a malformed cursor.
pub(super) fn after<T, E>(cursor: Option<&str>, parse: impl FnOnce(&str) -> Result<T, E>) -> ApiResult<Option<T>> {
    let parsed = cursor.map(parse).transpose();
    parsed.map_err(|_| ApiError::invalid("cursor", "must be the unchanged next_cursor of the previous page"))
}

//! A field of a `PATCH` that tells apart "not sent", `null` and a value.

use authority::records::Change;
use serde::{Deserialize, Deserializer};

use edge::error::{ApiError, ApiResult};

/// What was sent for a field.
#[derive(Clone, Debug, Default)]
pub(in crate::surface) enum Patch<T> {
    /// Nothing.
    #[default]
    Absent,
    /// `null`.
    Null,
    /// This.
    Value(T),
}

impl<'de, T: Deserialize<'de>> Deserialize<'de> for Patch<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Option::deserialize(deserializer).map(|value| value.map_or(Self::Null, Self::Value))
    }
}

impl<T> Patch<T> {
    /// The change, its value read by `read`, whose message completes the sentence "`field` …".
    pub(in crate::surface) fn change<U, E: ToString>(
        self,
        field: &'static str,
        read: impl FnOnce(&T) -> Result<U, E>,
    ) -> ApiResult<Change<U>> {
        match self {
            Self::Absent => Ok(Change::Keep),
            Self::Null => Ok(Change::Clear),
            Self::Value(value) => {
                read(&value).map(Change::Set).map_err(|error| ApiError::invalid(field, error.to_string()))
            }
        }
    }

    /// The value where `null` is none.
    pub(in crate::surface) fn value<U, E: ToString>(
        self,
        field: &'static str,
        read: impl FnOnce(&T) -> Result<U, E>,
    ) -> ApiResult<Option<U>> {
        match self.change(field, read)? {
            Change::Keep => Ok(None),
            Change::Clear => Err(ApiError::invalid(field, "must not be null")),
            Change::Set(value) => Ok(Some(value)),
        }
    }
}

/// A text of the domain, read from what was sent.
pub(in crate::surface) fn read<T, E: ToString>(
    field: &'static str,
    text: Option<&String>,
    parse: impl FnOnce(&str) -> Result<T, E>,
) -> ApiResult<Option<T>> {
    text.map(|text| parse(text)).transpose().map_err(|error| ApiError::invalid(field, error.to_string()))
}

//! A field of a `PATCH` that distinguishes "not sent", `null` and a value.

use authority::records::Change;
use serde::{Deserialize, Deserializer};

use edge::error::{ApiError, ApiResult};

/// What was sent for a field.
#[derive(Clone, Debug, Default)]
pub(in crate::surface) enum Patch<T> {
    /// The field was not sent.
    #[default]
    Absent,
    /// `null`.
    Null,
    /// This value.
    Value(T),
}

impl<'de, T: Deserialize<'de>> Deserialize<'de> for Patch<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Option::deserialize(deserializer).map(|value| value.map_or(Self::Null, Self::Value))
    }
}

impl<T> Patch<T> {
    /// The change, with its value parsed by `read`, whose error completes the sentence "`field` …".
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

    /// The value of a field that does not accept `null`.
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

/// Parses a text into a type of the domain.
pub(in crate::surface) fn read<T, E: ToString>(
    field: &'static str,
    text: Option<&String>,
    parse: impl FnOnce(&str) -> Result<T, E>,
) -> ApiResult<Option<T>> {
    text.map(|text| parse(text)).transpose().map_err(|error| ApiError::invalid(field, error.to_string()))
}

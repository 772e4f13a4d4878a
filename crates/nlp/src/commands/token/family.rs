//! The two families of tokens a person manages, which have the same operations at different addresses.

use client::{Client, options, types};
use serde_json::json;

use crate::commands::from_json;
use crate::failure::Result;

/// Whose tokens.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::commands) enum Family {
    /// The organisation's.
    Organization,
    /// One's own.
    Personal,
}

/// The credential that is asking, where an id is expected.
const ITSELF: &str = "self";

impl Family {
    /// A token by its id, or the one that is asking.
    pub(in crate::commands) fn show(self, client: &Client, id: &str) -> Result<types::Token> {
        Ok(match self {
            Self::Organization if id == ITSELF => client.get_self()?,
            Self::Organization => client.get_token(id)?,
            Self::Personal => client.get_key(id)?,
        })
    }

    /// Rotates it. The key makes a repeated request harmless.
    pub(in crate::commands) fn rotate(
        self,
        client: &Client,
        id: &str,
        grace_seconds: Option<u32>,
        mode: Option<&str>,
        idempotency_key: Option<String>,
    ) -> Result<types::RotatedToken> {
        let body: types::RotateToken = from_json(json!({ "grace_period_seconds": grace_seconds, "mode": mode }))?;
        Ok(match self {
            Self::Organization if id == ITSELF => {
                client.rotate_self(&options::RotateSelfOptions { idempotency_key }, &body)?
            }
            Self::Organization => client.rotate_token(id, &options::RotateTokenOptions { idempotency_key }, &body)?,
            Self::Personal => client.rotate_key(id, &options::RotateKeyOptions { idempotency_key }, &body)?,
        })
    }

    /// Takes a rotation back.
    pub(in crate::commands) fn cancel(self, client: &Client, id: &str) -> Result<types::Token> {
        Ok(match self {
            Self::Organization => client.cancel_rotation(id)?,
            Self::Personal => client.cancel_key_rotation(id)?,
        })
    }

    /// Revokes it.
    pub(in crate::commands) fn revoke(self, client: &Client, id: &str) -> Result<()> {
        match self {
            Self::Organization if id == ITSELF => client.revoke_self()?,
            Self::Organization => client.revoke_token(id)?,
            Self::Personal => client.revoke_key(id)?,
        }
        Ok(())
    }
}

//! Organisation tokens and personal keys, which have the same operations at different paths.

use client::{Client, options, types};
use serde_json::json;

use crate::commands::from_json;
use crate::failure::Result;

/// A family of tokens.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::commands) enum Family {
    /// The organisation's tokens.
    Organization,
    /// The caller's personal keys.
    Personal,
}

/// In place of an id: the credential that the request is made with.
const ITSELF: &str = "self";

impl Family {
    /// The command for it.
    pub(in crate::commands) const fn command(self) -> &'static str {
        match self {
            Self::Organization => "token",
            Self::Personal => "key",
        }
    }

    /// A token by its id, or the credential itself.
    pub(in crate::commands) fn show(self, client: &Client, id: &str) -> Result<types::Token> {
        Ok(match self {
            Self::Organization if id == ITSELF => client.get_self()?,
            Self::Organization => client.get_token(id)?,
            Self::Personal => client.get_key(id)?,
        })
    }

    /// Rotates a token. With the same idempotency key a repeated request does not rotate it again.
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

    /// Cancels a rotation.
    pub(in crate::commands) fn cancel(self, client: &Client, id: &str) -> Result<types::Token> {
        Ok(match self {
            Self::Organization => client.cancel_rotation(id)?,
            Self::Personal => client.cancel_key_rotation(id)?,
        })
    }

    /// Revokes a token.
    pub(in crate::commands) fn revoke(self, client: &Client, id: &str) -> Result<()> {
        match self {
            Self::Organization if id == ITSELF => client.revoke_self()?,
            Self::Organization => client.revoke_token(id)?,
            Self::Personal => client.revoke_key(id)?,
        }
        Ok(())
    }
}

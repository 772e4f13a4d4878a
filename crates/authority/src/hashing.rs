//! How secrets are hashed, for whoever puts a deployment together.

pub use secret_hash::recovery::RecoveryCode;
pub use secret_hash::totp::{self, TotpCode, TotpSecret};
pub use secret_hash::{Argon2Params, HashError, Keyring, KeyringError, Scheme, TagKey};

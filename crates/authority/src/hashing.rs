//! How secrets are hashed: the settings that a deployment chooses.

pub use secret_hash::recovery::RecoveryCode;
pub use secret_hash::totp::{self, TotpCode, TotpSecret};
pub use secret_hash::{Argon2Params, HashError, HmacKey, Keyring, KeyringError, Scheme, TagKey};

//! How secrets are hashed, for whoever puts a deployment together.

pub use secret_hash::{Argon2Params, HashError, Keyring, KeyringError, Scheme, TagKey};

//! The slow hashes. Both take bytes; the types for tokens and passwords are in the modules above.

pub(crate) mod argon2id;
pub(crate) mod bcrypt;

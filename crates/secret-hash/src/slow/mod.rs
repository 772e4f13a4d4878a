//! The slow hashes. Both take bytes: tokens and passwords have their own types further up.

pub(crate) mod argon2id;
pub(crate) mod bcrypt;

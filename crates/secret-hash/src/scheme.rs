//! The scheme a deployment makes new hashes with.

use crate::slow::bcrypt;
use crate::{Argon2Params, HashError, SchemeKind};

/// The scheme new hashes are made with.
///
/// All three are safe for tokens, which have 128 random bits: those cannot be guessed even with a fast hash. The slow
/// ones also protect tokens from a random generator that was broken unnoticed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Scheme {
    /// bcrypt; each step of `cost` doubles the time (10 is about 50 ms).
    Bcrypt {
        /// Binary logarithm of the rounds.
        cost: u32,
    },
    /// argon2id.
    Argon2id(Argon2Params),
    /// SHA-256 without a salt: two random tokens never share one, so a salt would hide nothing.
    Sha256,
}

impl Scheme {
    /// bcrypt at cost 10.
    pub const DEFAULT: Self = Self::Bcrypt { cost: 10 };

    /// The scheme without its cost.
    pub const fn kind(&self) -> SchemeKind {
        match self {
            Self::Bcrypt { .. } => SchemeKind::Bcrypt,
            Self::Argon2id(_) => SchemeKind::Argon2id,
            Self::Sha256 => SchemeKind::Sha256,
        }
    }

    /// Whether making or checking a hash takes milliseconds and must not run on a request worker.
    pub const fn is_slow(&self) -> bool {
        self.kind().is_slow()
    }

    /// Whether a deployment may be configured with this: refuses costs below the floor (bcrypt 10,
    /// [`Argon2Params::FLOOR`]) and above what one check may cost. [`hash`](crate::hash) itself takes lower costs, for
    /// tests.
    pub fn validate(&self) -> Result<(), HashError> {
        match self {
            Self::Bcrypt { cost } => bcrypt::check_cost(*cost, bcrypt::FLOOR_COST),
            Self::Argon2id(params) => params.validate(),
            Self::Sha256 => Ok(()),
        }
    }
}

impl Default for Scheme {
    fn default() -> Self {
        Self::DEFAULT
    }
}

//! What can go wrong that is nobody's fault: the part every family of use cases shares.

use storage::StoreError;

use crate::env::EntropyError;

/// A failure of the service itself. The wire says `unavailable` or `internal error`; the log says the rest.
#[derive(Debug, thiserror::Error)]
pub enum Failure {
    /// The database failed or cannot be reached.
    #[error("{0}")]
    Store(#[from] StoreError),
    /// The lane for slow hashes is full; try again in a moment.
    #[error("the lane for slow hashes is full")]
    Busy,
    /// The ledger of revocations is being compared with a database that took the place of another.
    #[error("the ledger of revocations is being compared with the database")]
    Comparing,
    /// The principal has as many slow computations under way as one may have; others are not concerned.
    #[error("as many secrets of one principal are being made as may be at once")]
    TooManyAtOnce,
    /// No randomness to be had.
    #[error("{0}")]
    Entropy(#[from] EntropyError),
    /// Something stored does not mean anything: a scope gone from the catalogue, a hash no scheme reads.
    #[error("inconsistent: {0}")]
    Inconsistent(String),
    /// A unit of work ended without an answer (a panic inside it).
    #[error("a unit of work was lost: {0}")]
    Lost(String),
}

impl Failure {
    /// Whether trying again later may help without anybody repairing anything.
    pub fn is_transient(&self) -> bool {
        match self {
            Self::Store(error) => error.is_unavailable(),
            Self::Busy | Self::Comparing | Self::TooManyAtOnce => true,
            Self::Entropy(_) | Self::Inconsistent(_) | Self::Lost(_) => false,
        }
    }
}

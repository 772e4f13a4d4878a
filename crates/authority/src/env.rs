//! The clock and the generator: with [`SystemClock`], the only places where time is read and randomness drawn.

mod clock;

use std::future::ready;

use futures::future::BoxFuture;
use storage::model::{LogMark, LogPlace};
use token_domain::Timestamp;
use token_domain::id::{Id, Kind, OrganizationId, TokenId};

/// Tells the time.
pub trait Clock: Send + Sync {
    /// The moment, in UTC, as expiry and grace are decided by it. It never falls: what has ended stays ended, whatever
    /// happens to the clock of the machine.
    fn now(&self) -> Timestamp;

    /// The moment by the wall clock as it is, for what is compared with the clocks of others, such as one-time codes.
    fn wall(&self) -> Timestamp {
        self.now()
    }

    /// A time that only runs, at the rate of real time: for waits. Where it begins means nothing.
    fn steady(&self) -> Timestamp {
        self.now()
    }

    /// Time was at least this before: from now on it is not less. For the newest moment a database holds.
    fn not_before(&self, _moment: Timestamp) {}

    /// Follows another clock, on which all nodes agree: it showed `moment` at some time between a question and its answer, both
    /// in microseconds after this machine's start.
    fn follow(&self, _moment: Timestamp, _asked_micros: i64, _answered_micros: i64) {}
}

/// Says whether this process may still answer from memory, and when a change holds in the memory of all others.
///
/// A process that does not hear of the changes of others must read before it answers: they could have taken rights away
/// without raising the fences of this one. By default there are no others.
pub trait Lease: Send + Sync {
    /// Whether memory may be used now. Asked on every hit, so it must be an atomic load or two.
    fn is_current(&self) -> bool;

    /// Tells that a change is committed and its fences are raised. It wrote `entries` entries of the log; `place` is the last.
    fn committed(&self, _place: LogPlace, _entries: usize) {}

    /// Waits until no node answers from the state before a committed change. Giving up the wait undoes nothing.
    fn settled(&self, _place: LogPlace) -> BoxFuture<'_, ()> {
        Box::pin(ready(()))
    }

    /// Whether another database took the place of the one before so lately that others may still read from that.
    fn is_moving(&self) -> bool {
        false
    }

    /// Whether there may be others that answer from memory.
    fn has_others(&self) -> bool {
        false
    }

    /// Whether a change is answered before it holds everywhere: then callers may ask for more ([`has_applied`]).
    ///
    /// [`has_applied`]: Self::has_applied
    fn is_relaxed(&self) -> bool {
        false
    }

    /// How far this process has followed the log, for facts that are read after this call and passed on to others. Nothing where
    /// there are no others, and without a lease.
    fn mark(&self) -> Option<LogMark> {
        None
    }

    /// Whether the log, as far as it is applied here, has nothing beyond a mark that touches a token or its organisation. The mark
    /// was made at a moment by the clock that all follow. False as well if that is not known.
    fn holds(&self, _mark: &LogMark, _made_at: Timestamp, _token: TokenId, _organization: OrganizationId) -> bool {
        false
    }

    /// Whether this process has applied the log entry at a place.
    fn has_applied(&self, _place: LogPlace) -> bool {
        true
    }
}

impl Lease for storage::instance::InstanceLock {
    fn is_current(&self) -> bool {
        Self::is_current(self)
    }
}

/// Draws randomness fit for secrets.
pub trait Entropy: Send + Sync {
    /// Fills the buffer.
    ///
    /// # Errors
    /// When the operating system's generator fails; nothing may be issued then.
    fn fill(&self, buffer: &mut [u8]) -> Result<(), EntropyError>;
}

/// The operating system's generator failed.
#[derive(Clone, Debug, thiserror::Error)]
#[error("the operating system's random generator failed: {0}")]
pub struct EntropyError(pub String);

pub use clock::SystemClock;

/// The generator of this operating system.
#[derive(Clone, Copy, Debug, Default)]
pub struct SystemEntropy;

impl Entropy for SystemEntropy {
    #[expect(clippy::disallowed_methods, reason = "this is where randomness is drawn")]
    fn fill(&self, buffer: &mut [u8]) -> Result<(), EntropyError> {
        getrandom::fill(buffer).map_err(|error| EntropyError(error.to_string()))
    }
}

/// `N` random bytes.
///
/// # Errors
/// When the generator fails.
pub fn random<const N: usize>(entropy: &dyn Entropy) -> Result<[u8; N], EntropyError> {
    let mut bytes = [0; N];
    entropy.fill(&mut bytes)?;
    Ok(bytes)
}

/// A new id made now.
///
/// # Errors
/// When the generator fails.
pub fn new_id<K: Kind>(now: Timestamp, entropy: &dyn Entropy) -> Result<Id<K>, EntropyError> {
    Ok(Id::new(now, random(entropy)?))
}

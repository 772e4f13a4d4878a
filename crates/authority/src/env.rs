//! The clock and the generator: the only places where time is read and randomness drawn.

use std::time::Duration;

use std::time::SystemTime;

use token_domain::Timestamp;
use token_domain::id::{Id, Kind};

/// Tells the time.
pub trait Clock: Send + Sync {
    /// The moment by the wall clock, in UTC. Expiry and grace are decided by it.
    fn now(&self) -> Timestamp;
}

/// Says whether this process may still answer from memory.
///
/// A process that may no longer be the only one to change the database must read before it answers: another one could
/// have taken rights away without raising the fences of this one.
pub trait Lease: Send + Sync {
    /// Whether memory may be used now. Asked on every hit, so it must be an atomic load or two.
    fn is_current(&self) -> bool;
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

/// The clock of this machine.
#[derive(Clone, Copy, Debug, Default)]
pub struct SystemClock;

/// The generator of this operating system.
#[derive(Clone, Copy, Debug, Default)]
pub struct SystemEntropy;

impl Clock for SystemClock {
    #[expect(clippy::disallowed_methods, reason = "this is where the clock is read")]
    fn now(&self) -> Timestamp {
        let since_epoch = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap_or(Duration::ZERO);
        Timestamp::from_micros(i64::try_from(since_epoch.as_micros()).unwrap_or(i64::MAX))
    }
}

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

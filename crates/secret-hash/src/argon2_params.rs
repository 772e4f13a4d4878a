//! The cost of an argon2id hash, and its bounds.

use crate::{HashError, SchemeKind};

/// Cost of an argon2id hash (RFC 9106).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Argon2Params {
    /// Memory in KiB.
    pub memory_kib: u32,
    /// Passes over that memory.
    pub iterations: u32,
    /// Lanes. They are computed one after another here: more lanes do not make a check faster.
    pub parallelism: u32,
}

/// The most memory that one check may allocate: 1 GiB.
const MAX_MEMORY_KIB: u32 = 1 << 20;
/// The most memory times passes: 4 GiB written, 3 to 4 seconds of one core. A bound on memory alone does not bound
/// time.
const MAX_WORK_KIB: u64 = 4 << 20;
/// The algorithm works in four slices of at least two blocks for each lane.
const MIN_MEMORY_KIB_PER_LANE: u32 = 8;
const MAX_LANES: u32 = 64;

impl Argon2Params {
    /// The least a deployment may be configured with: 19 MiB, two passes, one lane, the first of OWASP's equivalent
    /// minimums.
    pub const FLOOR: Self = Self { memory_kib: 19_456, iterations: 2, parallelism: 1 };
    /// The default of a deployment: the floor, 15 to 20 ms of one core. Sign-ins hash concurrently; more memory each
    /// would let fewer people sign in at once.
    pub const DEFAULT: Self = Self::FLOOR;

    /// The least the algorithm can do: 8 KiB, one pass, 25 µs. **Protects nothing**; for tests that hash a lot.
    /// [`validate`](Self::validate) refuses it, so it cannot come from a configuration.
    pub const fn insecure_for_tests() -> Self {
        Self { memory_kib: MIN_MEMORY_KIB_PER_LANE, iterations: 1, parallelism: 1 }
    }

    /// Whether a deployment may be configured with these: at least [`FLOOR`](Self::FLOOR) in every parameter, and not
    /// beyond what a stored hash may ask for.
    pub fn validate(&self) -> Result<(), HashError> {
        self.check_computable()?;
        between("memory in KiB", self.memory_kib, Self::FLOOR.memory_kib, MAX_MEMORY_KIB.into())?;
        between("iterations", self.iterations, Self::FLOOR.iterations, self.max_iterations())?;
        between("parallelism", self.parallelism, Self::FLOOR.parallelism, MAX_LANES.into())
    }

    /// Whether the algorithm is defined for these and one check stays within the bounds. Called for every hash that is
    /// made or read from a row, so that a foreign row cannot stall the service.
    pub(crate) fn check_computable(&self) -> Result<(), HashError> {
        between("parallelism", self.parallelism, 1, MAX_LANES.into())?;
        let min_memory = MIN_MEMORY_KIB_PER_LANE * self.parallelism;
        between("memory in KiB", self.memory_kib, min_memory, MAX_MEMORY_KIB.into())?;
        between("iterations", self.iterations, 1, self.max_iterations())
    }

    fn max_iterations(&self) -> u64 {
        MAX_WORK_KIB / u64::from(self.memory_kib.max(1))
    }
}

impl Default for Argon2Params {
    fn default() -> Self {
        Self::DEFAULT
    }
}

fn between(parameter: &'static str, value: u32, min: u32, max: u64) -> Result<(), HashError> {
    let (value, min) = (u64::from(value), u64::from(min));
    if (min..=max).contains(&value) {
        Ok(())
    } else {
        Err(HashError::OutOfRange { scheme: SchemeKind::Argon2id, parameter, value, min, max })
    }
}

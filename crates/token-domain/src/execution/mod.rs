//! Coverage executions: what a submission means for the build that sent it.
//!
//! A submission is compared with the repository's baseline and passes, warns or fails by how much it fell.
//! **Invariant:** percentages are whole ten-thousandths of a point; no floating-point arithmetic takes part in a
//! decision, so that a drop of exactly the threshold is a drop of exactly the threshold.

#![deny(clippy::float_arithmetic)]

mod badge;
mod coverage;
mod delta;
mod evaluate;
mod names;
mod percent;
mod threshold;

pub use badge::{Badge, BadgeColor};
pub use coverage::{Coverage, InvalidCoverage};
pub use delta::Delta;
pub use evaluate::{Evaluation, Outcome, Strictness, evaluate};
pub use names::{BranchName, CommitHash, RepositoryName};
pub use threshold::{InvalidThreshold, Threshold, Thresholds, WarnAboveFail};

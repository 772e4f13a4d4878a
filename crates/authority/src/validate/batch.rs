//! Many tokens in one request.

use futures::future::join_all;
use token_domain::Requirement;

use super::{Outcome, Validator};
use crate::error::Failure;
use crate::origin::Presentation;

/// Tokens of one batch that are looked for at once: what a batch may take of the lane for misses, which others share. On
/// PostgreSQL their reads travel together.
const AT_ONCE: usize = 32;

impl Validator {
    /// Decides about each of these texts, in their order, as [`Validator::validate`] does with nothing required. The same
    /// text may come more than once: it is read once and counted each time.
    ///
    /// # Errors
    /// When it cannot be known of one of them: an outage must not look like a bad token, so there is no answer in part.
    pub async fn validate_each<T: AsRef<str>>(
        &self,
        texts: &[T],
        presented: &dyn Presentation,
    ) -> Result<Vec<Outcome>, Failure> {
        let mut outcomes = Vec::with_capacity(texts.len());
        for part in texts.chunks(AT_ONCE) {
            let asked = part.iter().map(|text| self.validate(text.as_ref(), &Requirement::NOTHING, presented));
            for (text, outcome) in part.iter().zip(join_all(asked).await) {
                outcomes.push(match outcome {
                    // One key at a time is compared with the slow hashes of other systems: those of a batch take turns.
                    Err(Failure::Busy) if self.context.policy.legacy.is_on() => {
                        self.validate(text.as_ref(), &Requirement::NOTHING, presented).await?
                    }
                    outcome => outcome?,
                });
            }
            // What is known, and every read of SQLite, is answered without waiting: others on this thread get a turn.
            tokio::task::yield_now().await;
        }
        Ok(outcomes)
    }
}

//! How often an organisation's tokens are used, all together.

use token_domain::Timestamp;
use token_domain::usage::{Stretch, UseCounts};

use super::{OrganizationError, Organizations, Seat};

impl Organizations {
    /// The uses of all the organisation's tokens in each part of a stretch, as far as they are written down: at most ten
    /// seconds ago. (What each node still holds is spread over all its entries; a token's own report adds it.)
    ///
    /// # Errors
    /// A credential that is bound to a project.
    pub async fn usage(&self, seat: &Seat, stretch: Stretch) -> Result<Vec<(Timestamp, UseCounts)>, OrganizationError> {
        seat.check_unbound()?;
        let organization = seat.organization();
        let read = self.context.store.read(move |reads| {
            Box::pin(reads.organization_usage(organization, stretch.first_hour(), stretch.end_hour()))
        });
        Ok(stretch.sum(&read.await?))
    }
}

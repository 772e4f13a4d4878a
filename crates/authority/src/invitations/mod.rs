//! Invitations: a code that makes the person with the invited address a member, once.
//!
//! An invitation is valid as long as its author could make it again: it ends with their membership, with the rights it
//! took, and with the token or key it was made by, so that nobody keeps a door open for the time after they are gone.

mod accept;
mod code;
mod offer;

use std::sync::Arc;

use token_domain::Timestamp;
use token_domain::id::{InvitationId, kind};
use token_domain::person::RoleRef;
use token_domain::record::Invited;
use token_domain::text::Email;

pub use accept::{Acceptance, Accepted};
pub use code::InvitationCode;
pub(crate) use offer::{Offer, invite, recorded};

use crate::audit::Event;
use crate::change::Change;
use crate::context::Context;
use crate::cursor::cut;
use crate::organizations::{OrganizationError, Seat};
use crate::origin::Origin;
use crate::sessions::Sessions;
use crate::standing::{MANAGE, name_of_role};

/// Where a page of invitations begins.
pub type Cursor = crate::cursor::Cursor<kind::Invitation>;

/// Invitations to organisations.
pub struct Invitations {
    context: Arc<Context>,
    sessions: Arc<Sessions>,
}

/// A page of invitations, newest first.
#[derive(Clone, Debug)]
pub struct InvitationPage {
    /// The invitations, expired ones included.
    pub invitations: Vec<Invited>,
    /// Where the next page begins; nothing when this is the last.
    pub next: Option<Cursor>,
    /// The moment by which they have expired or not.
    pub now: Timestamp,
}

impl Invitations {
    /// Over a context, and the sessions that know passwords.
    pub fn new(context: &Arc<Context>, sessions: &Arc<Sessions>) -> Self {
        Self { context: Arc::clone(context), sessions: Arc::clone(sessions) }
    }

    /// The invitations of the caller's organisation that nobody accepted.
    ///
    /// # Errors
    /// A credential that is bound to a project.
    pub async fn list(
        &self,
        seat: &Seat,
        after: Option<Cursor>,
        limit: u32,
    ) -> Result<InvitationPage, OrganizationError> {
        seat.check_unbound()?;
        let (now, organization) = (self.context.now(), seat.organization());
        let after = after.map(|cursor| (cursor.created_at, cursor.id));
        // One more than asked tells whether there is another page.
        let read =
            self.context.store.read(move |reads| Box::pin(reads.list_invitations(organization, after, limit + 1)));
        let mut invitations = read.await?;
        let place = |last: &Invited| Cursor { created_at: last.invitation.created_at, id: last.invitation.id };
        let next = cut(&mut invitations, limit, place);
        Ok(InvitationPage { invitations, next, now })
    }

    /// Invites the person with an address. The code is in this answer and nowhere else.
    ///
    /// # Errors
    /// A role that holds more than the caller, a member, an address that is invited already, too many mailed invitations.
    pub async fn create(
        &self,
        seat: &Seat,
        email: Email,
        role: RoleRef,
        origin: &Origin,
    ) -> Result<(Invited, InvitationCode), OrganizationError> {
        let (ask, seat) = (seat.ask(origin), *seat);
        let offer = Offer::draw(&self.context, role)?;
        let invited = self
            .context
            .change(ask, move |change| {
                Box::pin(async move {
                    let mine = seat.open(change, MANAGE)?;
                    change.check_not_superseded()?;
                    let given = seat.role(change, role).await?;
                    OrganizationError::unless_reached(change.context().catalogue(), &mine, &given)?;
                    if let Some(user) = change.tx.user_by_email_key(&email.key()).await?
                        && change.tx.membership_standing(seat.organization(), user.id).await?.is_some()
                    {
                        return Err(OrganizationError::AlreadyMember);
                    }
                    invite(change, &seat, email, offer).await
                })
            })
            .await;
        recorded(&self.context, &seat, origin, invited).await
    }

    /// Withdraws an invitation: its code counts no more when this returns.
    ///
    /// # Errors
    /// No such invitation.
    pub async fn withdraw(&self, seat: &Seat, id: InvitationId, origin: &Origin) -> Result<(), OrganizationError> {
        let (ask, seat) = (seat.ask(origin), *seat);
        self.context
            .change(ask, move |change| {
                Box::pin(async move {
                    seat.open(change, MANAGE)?;
                    let withdrawn = change.tx.delete_invitation(seat.organization(), id).await?;
                    let withdrawn = withdrawn.ok_or(OrganizationError::NotFound)?;
                    let event = event(change, "invitation.delete", id, withdrawn.role);
                    Ok(change.record(event).await?)
                })
            })
            .await
    }
}

/// An event of an invitation's life. The address stays out of the trail, which nobody can take it out of again.
fn event(change: &Change<'_>, action: &'static str, id: InvitationId, role: RoleRef) -> Event {
    change.event(action).on("invitation", id).with("role", name_of_role(role, None))
}

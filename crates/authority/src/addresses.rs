//! People's e-mail addresses: requested, verified, given.
//!
//! Signing in depends on the address, so a person requests another one in a session with a recent proof, and it has no effect
//! until it is verified: by a code that is mailed to it, by an invitation that was sent to it, or by the operator. Only
//! a person who verifies an address learns whether another account has it.

use storage::{Constraint, StoreError};
use token_domain::Span;
use token_domain::id::OrganizationId;
use token_domain::record::{User, Verified};
use token_domain::text::Email;

use crate::attempts::{AttemptError, account_pseudonym};
use crate::change::Change;
use crate::error::Failure;
use crate::letters::{Letter, Notice};
use crate::opaque::opaque_secret;

opaque_secret! {
    /// A code that was mailed to an address, in the clear. No `Display`, no `Serialize`; `Debug` shows nothing of it.
    AddressCode = "nle_"
}

/// How long a code is valid after it was sent.
pub(crate) const CODE_LIFETIME: Span = Span::days(1);

/// Stores the address that a person requested, and has a code sent to it where mail is configured. If it is their current
/// address, only its spelling changes, and a code is sent unless the deployment vouches for it.
///
/// # Errors
/// Too many messages lately: they go to addresses of the person's choice, which may be strangers'.
pub(crate) async fn request_address(
    change: &mut Change<'_>,
    current: &User,
    email: &Email,
) -> Result<(), AttemptError> {
    let context = change.context();
    if current.email.key() == email.key() {
        change.tx.set_email(current.id, email, current.verified, change.now).await?;
        if current.is_verified_by_deployment() {
            return Ok(());
        }
    } else {
        change.tx.set_pending_email(current.id, Some(email), change.now).await?;
    }
    if context.policy.mail.is_some() {
        let _counted = context.address_messages.take_here(current.id, context.steady())?;
        let letter = Letter::AddressCode { user: current.id.to_string() };
        // An earlier one, sent again, would replace the code of this one.
        change.tx.withdraw_mail(&letter.written()).await?;
        change.mail(email, &letter).await?;
    }
    Ok(())
}

/// The address with that key, if a code that is mailed to it would change something for the person.
pub(crate) fn awaits<'u>(user: &'u User, key: &str) -> Option<&'u Email> {
    user.unverified_email().filter(|email| email.key() == key)
}

/// Replaces the address of a person by one that was verified, and records both. Their sessions stay valid, because the person
/// is the same. The event has digests of both addresses under the deployment's key, because no event can be deleted.
///
/// # Errors
/// The store's: the address is another account's, which only those are told who verify it.
pub(crate) async fn move_address<E>(
    change: &mut Change<'_>,
    before: &User,
    email: &Email,
    by: Option<OrganizationId>,
) -> Result<(), E>
where
    E: From<StoreError> + From<Failure>,
{
    let (context, now) = (change.context(), change.now);
    change.tx.set_email(before.id, email, Some(Verified { at: now, by }), now).await?;
    if before.email.key() != email.key() {
        change.tell(before, Notice::AddressChanged).await?;
    }
    let event = change
        .event("user.email.change")
        .on("user", before.id)
        .with("old_account", account_pseudonym(&context, &before.email.key()))
        .with("new_account", account_pseudonym(&context, &email.key()));
    Ok(change.record(event).await?)
}

/// Whether an error of the store is that another account has the address.
pub(crate) const fn is_taken(error: &StoreError) -> bool {
    matches!(error, StoreError::Conflict(Constraint::UserEmail))
}

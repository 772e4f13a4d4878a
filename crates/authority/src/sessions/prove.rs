//! Proving by password who somebody is.

use secret_hash::password::{Password, PasswordHash};
use token_domain::record::{Account, MembershipStanding};
use token_domain::text::{Email, Name};
use zeroize::Zeroizing;

use super::{OrganizationRef, Sessions, SignInError};
use crate::attempts::PasswordAttempt;
use crate::error::Failure;
use crate::origin::Origin;
use crate::standing::is_welcome;

impl Sessions {
    /// The person with that address, if this is their password. An attempt like any other: it counts against the
    /// same limits as signing in, so that no other door lets anybody guess faster.
    ///
    /// # Errors
    /// Too many attempts; somebody with a second factor, for whom a password alone proves nothing.
    pub(crate) async fn proves(
        &self,
        email: &Email,
        password: Zeroizing<String>,
        origin: &Origin,
    ) -> Result<Option<Account>, SignInError> {
        let account = email.key();
        let mut attempt = PasswordAttempt::begin(&self.context, &account, origin).await?;
        let (found, right) = self.account_behind(&mut attempt, &account, password).await?;
        let account = found.filter(|account| account.user.disabled_at.is_none());
        let Some(account) = account.filter(|_| right) else {
            attempt.denied(None, origin).await?;
            return Ok(None);
        };
        let id = account.user.id;
        let factor = self.context.store.read(move |reads| Box::pin(reads.second_factor(id))).await?;
        if factor.is_some_and(|factor| factor.confirmed_at.is_some()) {
            return Err(SignInError::SecondFactorRequired);
        }
        Ok(Some(account))
    }

    /// Verifies e-mail and password; returns the person's membership in the requested organisation, and the stored hash that
    /// the password was compared with. The hash is not read together with the membership: that happens after the slow
    /// comparison, and by then a new password may have been set, which this request did not prove.
    pub(super) async fn prove(
        &self,
        attempt: &mut PasswordAttempt<'_>,
        account: &str,
        password: Zeroizing<String>,
        organization: Option<OrganizationRef>,
        origin: &Origin,
    ) -> Result<(MembershipStanding, Option<String>), SignInError> {
        let (found, right) = self.account_behind(attempt, account, password).await?;
        let id = found.as_ref().map(|account| account.user.id);
        let proven = match found.filter(|_| right) {
            Some(Account { user, password_hash }) => {
                let standing = self.standing(user.id, organization).await?.filter(is_welcome);
                standing.map(|standing| (standing, password_hash))
            }
            None => None,
        };
        if proven.is_none() {
            attempt.denied(id, origin).await?;
        }
        proven.ok_or(SignInError::Denied)
    }

    /// The account with that address, and whether the password is right.
    async fn account_behind(
        &self,
        attempt: &mut PasswordAttempt<'_>,
        account: &str,
        mut password: Zeroizing<String>,
    ) -> Result<(Option<Account>, bool), SignInError> {
        // A text that no password may have is wrong for every account; refusing it early tells nobody anything.
        let Ok(password) = Password::new(std::mem::take(&mut *password)) else { return Ok((None, false)) };
        let key = account.to_owned();
        let read =
            self.context.store.read(move |reads| Box::pin(async move { reads.account_by_email_key(&key).await }));
        let found = read.await?;
        if found.is_none() {
            // Do the work of reading a known person, so that an unknown address costs the same: texts are checked,
            // normalised and folded. It is little, but `tests/it/cost.rs` counts it.
            let _ = std::hint::black_box(Email::parse_stored(account).map(|email| email.key()));
            let _ = std::hint::black_box(Name::parse_stored(account));
        }
        let stored = found.as_ref().and_then(|account| account.password_hash.as_deref());
        let known = stored.is_some();
        let against = PasswordHash::parse(stored.unwrap_or(self.nobody.as_str()))
            .map_err(|error| Failure::Inconsistent(format!("a stored password hash cannot be read: {error}")))?;
        let right = attempt.check(password, against).await? && known;
        Ok((found, right))
    }
}

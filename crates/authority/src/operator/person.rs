//! What an operator does for a person. A person may belong to several organisations and none of them decides about the person,
//! so these acts stand in the deployment's own trail.

use secret_hash::password::{self, PasswordHash};
use serde::{Deserialize, Serialize};
use storage::model::Touched;
use token_domain::id::UserId;
use token_domain::record::User;
use token_domain::text::Email;

use super::{OperatorError, address};
use crate::addresses::move_address;
use crate::change::Change;
use crate::context::Policy;
use crate::env::{Entropy, random};
use crate::error::Failure;
use crate::letters::Notice;
use crate::passwords::NewPassword;
use crate::people::set_password;

/// An act of the operator for a person.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "act", rename_all = "snake_case")]
pub enum PersonAct {
    /// Give them a password, by its hash; all their sessions end.
    SetPassword {
        /// A PHC string.
        hash: String,
    },
    /// Give them an address, which the operator vouches for. The one they have: vouch for it.
    SetEmail {
        /// The address.
        email: String,
    },
    /// Switch them off everywhere: their sessions end, their keys count no more.
    Disable,
    /// Switch them on again. Sessions stay ended.
    Enable,
    /// Take their second factor and recovery codes away; all their sessions end.
    ResetSecondFactor,
    /// Part them from the identity providers they sign in by; all their sessions end.
    Unlink,
}

impl PersonAct {
    /// Giving a person a password: checked against what the deployment asks for, and hashed where the command runs, so that
    /// the password itself is nowhere else.
    ///
    /// # Errors
    /// A password that is not to be chosen.
    pub fn set_password(
        password: NewPassword,
        person: &Email,
        policy: &Policy,
        entropy: &dyn Entropy,
    ) -> Result<Self, OperatorError> {
        password.suits(policy.password_min_chars, &[person.as_str()])?;
        let hash = password::hash(&password.into_password(), &policy.password, random(entropy)?);
        let hash = hash.map_err(|error| Failure::Inconsistent(format!("a password cannot be hashed: {error}")))?;
        Ok(Self::SetPassword { hash: hash.as_str().to_owned() })
    }

    /// What the trail calls it.
    const fn action(&self) -> &'static str {
        match self {
            Self::SetPassword { .. } => "user.password.set",
            Self::SetEmail { .. } => "user.email.change",
            Self::Disable => "user.disable",
            Self::Enable => "user.enable",
            Self::ResetSecondFactor => "user.second_factor.reset",
            Self::Unlink => "user.identity.unlink",
        }
    }

    pub(super) async fn apply(&self, change: &mut Change<'_>, before: &User) -> Result<(), OperatorError> {
        let (user, now) = (before.id, change.now);
        match self {
            Self::SetEmail { email } => return move_address(change, before, &address(email)?, None).await,
            Self::SetPassword { hash } => {
                let readable = PasswordHash::parse(hash);
                readable.map_err(|error| Failure::Inconsistent(format!("a password hash: {error}")))?;
                set_password(change, before, hash).await?;
            }
            Self::ResetSecondFactor => {
                if !change.tx.delete_second_factor(user).await? {
                    return Err(OperatorError::NoSecondFactor);
                }
                change.tell(before, Notice::SecondFactorRemoved).await?;
            }
            Self::Unlink => {
                if change.tx.delete_identities(user).await? == 0 {
                    return Err(OperatorError::Already("not linked"));
                }
            }
            Self::Disable if before.disabled_at.is_some() => return Err(OperatorError::Already("disabled")),
            Self::Enable if before.disabled_at.is_none() => return Err(OperatorError::Already("enabled")),
            Self::Disable => {
                change.tx.set_user_disabled(user, Some(now), now).await?;
                fence(change, user).await?;
            }
            Self::Enable => {
                change.tx.set_user_disabled(user, None, now).await?;
                fence(change, user).await?;
            }
        }
        let ended = change.tx.delete_sessions_of_user(user, None).await?;
        let event = change.event(self.action()).on("user", user).with("sessions_ended", ended);
        Ok(change.record(event).await?)
    }
}

/// Has every remembered token of the person's organisations read again: their keys may be among them.
pub(crate) async fn fence(change: &mut Change<'_>, user: UserId) -> Result<(), Failure> {
    const AT_ONCE: u32 = 1_000;
    let mut after = None;
    loop {
        let homes = change.tx.organizations_of_user(user, after.as_ref(), AT_ONCE).await?;
        for home in &homes {
            change.touch(Touched::Organization(home.organization.id));
        }
        match homes.last() {
            Some(last) if homes.len() == AT_ONCE as usize => after = Some(last.organization.slug.clone()),
            Some(_) | None => return Ok(()),
        }
    }
}

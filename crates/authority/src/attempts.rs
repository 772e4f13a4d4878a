//! Attempts at a password, wherever one is asked for: let in by the limits, checked in the lane, recorded when they were wrong.
//!
//! **Invariant:** until the password has been found right nothing here takes longer, or leaves more behind, for an account that
//! exists than for one that does not.

use std::sync::Arc;

use secret_hash::HashError;
use secret_hash::password::{self, Password, PasswordHash};
use storage::{StoreError, Tx};
use token_domain::id::{OrganizationId, UserId};
use token_domain::record::{Principal, User};

use crate::audit::{Event, Refusal, record};
use crate::change::Change;
use crate::context::Context;
use crate::env::random;
use crate::error::Failure;
use crate::letters::{self, Letter, Notice};
use crate::limits::{Attempt, Attempter, TooManyAttempts, network};
use crate::origin::Origin;
use crate::slow::Work;

/// Why an attempt was not looked at.
#[derive(Debug, thiserror::Error)]
pub(crate) enum AttemptError {
    /// Too many wrong ones lately.
    #[error(transparent)]
    TooMany(#[from] TooManyAttempts),
    /// The service itself failed.
    #[error(transparent)]
    Failed(#[from] Failure),
}

impl From<StoreError> for AttemptError {
    fn from(error: StoreError) -> Self {
        Self::Failed(Failure::Store(error))
    }
}

/// A password that is right, and a hash of it that was made by other parameters than today's.
struct Outdated {
    password: Password,
    stored: PasswordHash,
}

/// An attempt that the limits let in.
pub(crate) struct PasswordAttempt<'c> {
    context: &'c Arc<Context>,
    attempt: Attempt<'c>,
    /// Names the account in the trail where it may not exist.
    account: String,
    device: [u8; 32],
    outdated: Option<Outdated>,
}

impl<'c> PasswordAttempt<'c> {
    /// Takes a slot for an attempt at an account, as it was named.
    ///
    /// # Errors
    /// When the attempt has to wait; that is recorded.
    pub(crate) async fn begin(context: &'c Arc<Context>, account: &str, origin: &Origin) -> Result<Self, AttemptError> {
        let agent = origin.user_agent.as_deref();
        let attempter = Attempter::new(account, origin.client_ip, agent);
        let network = network(origin.client_ip);
        let device = context.keyring.pseudonym("device", &[account, &network, agent.unwrap_or_default()]);
        let account = account_pseudonym(context, account);
        let now = context.steady();
        // Asked before the limits are, so that somebody known is held by no stranger, also right after a restart.
        if !context.sign_ins.knows(&attempter)
            && context.store.read(move |reads| Box::pin(async move { reads.is_known_device(&device).await })).await?
        {
            context.sign_ins.recognise(&attempter, now);
        }
        match context.sign_ins.take(attempter, now).await {
            Ok(attempt) => {
                let begun = Self { context, attempt, account, device, outdated: None };
                if begun.attempt.raises_alarm {
                    begun.alarm(origin).await?;
                }
                Ok(begun)
            }
            Err(wait) => {
                limited(context, Refusal::SignInLimited, Some(&account), wait, origin).await?;
                Err(wait.into())
            }
        }
    }

    /// Whether this is the password that was stored. Costs what checking a hash of today's parameters costs, also where the
    /// stored one was made by cheaper ones.
    pub(crate) async fn check(&mut self, password: Password, stored: PasswordHash) -> Result<bool, Failure> {
        let params = self.context.policy.password;
        let salt = random(self.context.entropy.as_ref())?;
        let work = if self.attempt.is_known() { Work::SignIn } else { Work::Stranger };
        let checked = self.context.lane.run(work, move || {
            let right = password::verify(&password, &stored)?;
            if let Some(rest) = password::top_up(&stored, &params) {
                password::hash(&password, &rest, salt)?;
            }
            let outdated = right && stored.needs_rehash(&params);
            Ok((right, outdated.then_some(Outdated { password, stored })))
        });
        let (right, outdated) = checked.await?.map_err(unusable)?;
        self.outdated = outdated;
        if right {
            self.attempt.right();
        }
        Ok(right)
    }

    /// The person is signed in: their device is known from now on, and a hash by other parameters than today's is replaced
    /// after the answer.
    pub(crate) async fn signed_in(self, user: UserId, origin: &Origin) -> Result<(), Failure> {
        let Self { context, attempt, device, outdated, .. } = self;
        let now = context.now();
        let (writing, origin) = (Arc::clone(context), origin.clone());
        let noted = context.store.write(move |tx| {
            Box::pin(async move {
                if writing.policy.mail.is_some() {
                    tell_of_new_device(&writing, tx, user, &device, &origin).await?;
                }
                Ok::<_, Failure>(tx.note_device(user, &device, now).await?)
            })
        });
        noted.await?;
        attempt.signed_in();
        if let Some(outdated) = outdated {
            context.units.spawn(rehash(Arc::clone(context), user, outdated));
        }
        Ok(())
    }

    /// No account has the address, and one is made: nothing was guessed at.
    pub(crate) fn without_account(self) {
        self.attempt.right();
    }

    /// Records that it was wrong. In the deployment's own trail: which organisation was meant is not known for sure.
    pub(crate) async fn denied(&self, user: Option<UserId>, origin: &Origin) -> Result<(), Failure> {
        let account = self.account.as_str();
        let recorded = refused(self.context, Refusal::SignIn, (None, Principal::Anonymous), origin, |event| {
            let event = event.with("account", account);
            match user {
                Some(user) => event.on("user", user),
                None => event,
            }
        });
        recorded.await
    }

    /// Says that strangers at this account have to wait from now on: somebody guesses, or a client has an old password.
    async fn alarm(&self, origin: &Origin) -> Result<(), Failure> {
        tracing::warn!(
            account = self.account,
            "too many wrong passwords for an account from unknown devices: further attempts from unknown devices have to wait"
        );
        let event = Event::new(self.context.now(), "session.create.alarm", Principal::Anonymous, origin)
            .seen_from(origin)
            .with("account", self.account.as_str());
        record(self.context, None, event).await
    }
}

/// Tells a person of a sign-in from a device that is not known, if others are: of the first there is nothing to compare with.
async fn tell_of_new_device(
    context: &Context,
    tx: &mut Tx,
    user: UserId,
    device: &[u8; 32],
    origin: &Origin,
) -> Result<(), Failure> {
    if tx.is_known_device(device).await? || !tx.has_devices(user).await? {
        return Ok(());
    }
    // To proven mailboxes alone: anybody who made an account for a stranger's address could sign in from ever new devices.
    let Some(person) = tx.user(user).await?.filter(User::is_verified_by_deployment) else { return Ok(()) };
    let letter = Letter::notice(Notice::NewDevice, origin, context.now());
    letters::queue(context, tx, None, &person.email, &letter).await
}

/// Replaces the hash of a password that was just proven. Gives way to everything else: the next sign-in tries again.
async fn rehash(context: Arc<Context>, user: UserId, outdated: Outdated) {
    let Outdated { password, stored } = outdated;
    let params = context.policy.password;
    let made = async {
        let salt = random(context.entropy.as_ref())?;
        let made = context.lane.run(Work::SignIn, move || {
            let hashed = password::rehash(&password, &stored, &params, salt)?;
            Ok((hashed, stored))
        });
        let (hashed, stored) = made.await?.map_err(unusable)?;
        let write = context.store.write(move |tx| {
            Box::pin(async move { Ok::<_, Failure>(tx.rehash_password(user, hashed.as_str(), stored.as_str()).await?) })
        });
        write.await
    };
    match made.await {
        Ok(changed) => {
            tracing::info!(%user, changed, "the stored hash of a password was brought to today's parameters");
        }
        Err(error) => {
            tracing::warn!(%user, %error, "the stored hash of a password could not be updated to the current parameters");
        }
    }
}

/// Forgets a person's known devices: an attacker who had the old password may have signed in from one of them.
pub(crate) async fn forget_devices(change: &mut Change<'_>, user: &User) -> Result<(), StoreError> {
    change.tx.forget_devices(user.id).await?;
    change.context().sign_ins.forget(&user.email.key());
    Ok(())
}

/// Whether a person is still there, and the password that they proved still theirs: asked in a change that holds the person.
///
/// # Errors
/// An error of the store.
pub(crate) async fn is_still_proven(
    change: &mut Change<'_>,
    user: UserId,
    proven: Option<&str>,
) -> Result<bool, StoreError> {
    let current = change.tx.account(user).await?.filter(|account| account.user.disabled_at.is_none());
    Ok(current.is_some_and(|account| is_still(proven, account.password_hash.as_deref())))
}

/// Whether a stored hash is of the password that was proven. A hash of it by other parameters is no other password: it may have
/// been rehashed after a sign-in at the same time.
fn is_still(proven: Option<&str>, current: Option<&str>) -> bool {
    match (proven, current) {
        (Some(proven), Some(current)) => {
            proven == current
                || PasswordHash::parse(proven)
                    .and_then(|proven| Ok(proven.is_of_same_setting(&PasswordHash::parse(current)?)))
                    .unwrap_or(false)
        }
        (proven, current) => proven == current,
    }
}

fn unusable(error: HashError) -> Failure {
    Failure::Inconsistent(format!("a stored password hash cannot be used: {error}"))
}

/// An account as the trail names it where it may not exist: by a digest under the deployment's key, so that what somebody typed,
/// perhaps a password in the wrong field, is not kept.
pub(crate) fn account_pseudonym(context: &Context, account: &str) -> String {
    let digest = context.keyring.pseudonym("account", &[account]);
    crate::audit::chain::hex(&digest)[..32].to_owned()
}

/// Records that a limit refused somebody nobody knows.
pub(crate) async fn limited(
    context: &Context,
    refusal: Refusal,
    account: Option<&str>,
    wait: TooManyAttempts,
    origin: &Origin,
) -> Result<(), Failure> {
    let by = Principal::Anonymous;
    let recorded = refused(context, refusal, (None, by), origin, |event| {
        let event = event.with("retry_after_seconds", wait.retry_after.as_seconds());
        match account {
            Some(account) => event.with("account", account),
            None => event,
        }
    });
    recorded.await
}

/// Records a refusal of a principal in a trail while the client's network has rows left in this hour. Without a row the
/// refusal is only logged and counted, and the next row says how many were left out.
pub(crate) async fn refused(
    context: &Context,
    refusal: Refusal,
    (organization, by): (Option<OrganizationId>, Principal),
    origin: &Origin,
    describe: impl FnOnce(Event) -> Event,
) -> Result<(), Failure> {
    let event = describe(refusal.event(context.now(), by, origin));
    match context.refusals.row(origin.client_ip, context.steady()) {
        Some(0) => record(context, organization, event).await,
        Some(left_out) => record(context, organization, event.with("not_recorded_before", left_out)).await,
        None => {
            event.log(organization);
            Ok(())
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use secret_hash::password::Argon2Params;

    #[test]
    fn a_password_is_still_the_same_when_it_was_rehashed_and_not_when_it_was_set_anew() {
        let cheap = Argon2Params::insecure_for_tests();
        let dearer = Argon2Params { iterations: cheap.iterations + 1, ..cheap };
        let word = Password::new("correct horse battery".to_owned()).unwrap();
        let stored = password::hash(&word, &cheap, [7; 16]).unwrap();
        let rehashed = password::rehash(&word, &stored, &dearer, [8; 16]).unwrap();
        let anew = password::hash(&word, &cheap, [9; 16]).unwrap();
        let stored = Some(stored.as_str());
        for (what, current, expected) in [
            ("unchanged", stored, true),
            ("rehashed", Some(rehashed.as_str()), true),
            ("set anew to the same", Some(anew.as_str()), false),
            ("unreadable", Some("$argon2id$"), false),
            ("taken away", None, false),
        ] {
            assert_eq!(is_still(stored, current), expected, "{what}");
            assert_eq!(is_still(current, stored), expected, "{what}, the other way round");
        }
        assert!(is_still(None, None));
    }
}

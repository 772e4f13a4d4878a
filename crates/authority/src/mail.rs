//! Mail to people: written down in the transaction of the change it tells of, sent afterwards.
//!
//! The outbox holds no secret. A message that carries a code, such as an invitation, is kept as what it is about; its code is
//! drawn at the moment it is sent, and replaces that of an earlier attempt. So a copy of the database opens nothing, whatever
//! waits in it. Sealing the codes instead would have kept them usable by whoever also has the key.
//!
//! **Invariant:** no request waits for a mail server. A message is sent at least once: it is forgotten only when the server took
//! it, when it tells of something that is no longer so, or when it could not be delivered for as long as it is kept.

use std::fmt;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use futures::future::BoxFuture;
use storage::model::QueuedMail;
use storage::{StoreError, Tx};
use token_domain::id::{InvitationId, UserId};
use token_domain::record::Principal;
use token_domain::text::Email;
use token_domain::{Span, Timestamp};
use zeroize::Zeroizing;

use crate::addresses::{AddressCode, CODE_LIFETIME, awaits};
use crate::audit::{Event, Trail};
use crate::context::{Context, MailPolicy};
use crate::env::random;
use crate::error::Failure;
use crate::invitations::InvitationCode;
use crate::letters::Letter;
use crate::origin::Origin;
use crate::password_resets::{self, ResetCode};

/// How long a message that one node has taken is left to it: longer than an attempt to send it can take.
const ALONE: Span = Span::seconds(60);
/// The wait after the first attempt. Each further one doubles it.
const FIRST_WAIT: Span = Span::seconds(5);
/// The longest wait between two attempts.
const LONGEST_WAIT: Span = Span::seconds(3_600);
/// The most messages sent in one round. Between rounds the server may stop.
const AT_ONCE: usize = 64;

/// A message as it goes out.
#[derive(Clone, PartialEq, Eq)]
pub struct Composed {
    /// The same at every attempt.
    pub message_id: String,
    /// When the change it tells of was made.
    pub at: Timestamp,
    /// The address it goes to.
    pub to: String,
    /// In one line.
    pub subject: String,
    /// Plain text.
    pub text: String,
}

/// Without subject and text, which may hold a code.
impl fmt::Debug for Composed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Composed({})", self.message_id)
    }
}

/// What to do with a message that this node has taken.
enum Next {
    /// Send it.
    Send(Composed),
    /// Delete it: what it tells of no longer holds.
    Forget,
    /// Nothing: another node has taken it since.
    Leave,
}

/// A code in the clear.
type Code = Zeroizing<String>;

/// Why the mail server did not accept a message; the text is for the log.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Undelivered {
    /// Another attempt cannot succeed.
    Never(String),
    /// Another attempt may succeed.
    Later(String),
    /// The server accepts no message at all at the moment.
    Unreachable(String),
}

/// What became of messages since the start of this process.
#[derive(Debug, Default)]
pub struct MailCounters {
    sent: AtomicU64,
    deferred: AtomicU64,
    dropped: AtomicU64,
    waiting: AtomicU64,
}

impl MailCounters {
    /// Messages that a server took.
    pub fn sent(&self) -> u64 {
        self.sent.load(Ordering::Relaxed)
    }

    /// Attempts that are made again later.
    pub fn deferred(&self) -> u64 {
        self.deferred.load(Ordering::Relaxed)
    }

    /// Messages that could not be delivered and were given up.
    pub fn dropped(&self) -> u64 {
        self.dropped.load(Ordering::Relaxed)
    }

    /// Messages that waited when they were last counted.
    pub fn waiting(&self) -> u64 {
        self.waiting.load(Ordering::Relaxed)
    }
}

/// The mail that waits.
pub struct Outbox {
    context: Arc<Context>,
    counters: MailCounters,
}

impl Outbox {
    /// Over a context.
    pub fn new(context: &Arc<Context>) -> Self {
        Self { context: Arc::clone(context), counters: MailCounters::default() }
    }

    /// What became of messages.
    pub const fn counters(&self) -> &MailCounters {
        &self.counters
    }

    /// Sends what is due, message by message, until nothing is or the server takes none: the rest waits for the next round.
    /// Of several nodes each takes other messages.
    ///
    /// # Errors
    /// An error of the store. What was taken by then is due again in a minute.
    pub async fn send_due<S, F>(&self, send: S) -> Result<(), Failure>
    where
        S: Fn(Composed) -> F + Send + Sync,
        F: Future<Output = Result<(), Undelivered>> + Send,
    {
        // Usually no message waits. This read finds that out; taking a message would be a write even then.
        if self.count_waiting().await? == 0 {
            return Ok(());
        }
        for _ in 0..AT_ONCE {
            let now = self.context.now();
            let taken = self
                .context
                .store
                .write(move |tx| Box::pin(async move { Ok::<_, Failure>(tx.claim_mail(now, now + ALONE).await?) }));
            let Some(mail) = taken.await? else { break };
            let composed = match self.compose(&mail).await {
                Ok(Next::Send(composed)) => composed,
                Ok(Next::Forget) => {
                    self.forget(&mail).await?;
                    continue;
                }
                Ok(Next::Leave) => continue,
                // Written by a newer version perhaps, whose nodes can send it. It holds up no other message.
                Err(failure) if !failure.is_transient() => {
                    self.defer(&mail, &failure.to_string()).await?;
                    continue;
                }
                Err(failure) => return Err(failure),
            };
            match send(composed).await {
                Ok(()) => {
                    self.counters.sent.fetch_add(1, Ordering::Relaxed);
                    self.forget(&mail).await?;
                }
                Err(Undelivered::Never(why)) => self.give_up(&mail, "refused", &why).await?,
                Err(Undelivered::Later(why)) => self.defer(&mail, &why).await?,
                Err(Undelivered::Unreachable(why)) => {
                    self.defer(&mail, &why).await?;
                    break;
                }
            }
        }
        self.count_waiting().await.map(drop)
    }

    async fn count_waiting(&self) -> Result<u64, Failure> {
        let waiting = self.context.store.read(|reads| Box::pin(reads.count_mail())).await?;
        let waiting = u64::try_from(waiting).unwrap_or(0);
        self.counters.waiting.store(waiting, Ordering::Relaxed);
        Ok(waiting)
    }

    /// The message, with a code of its own if it carries one.
    async fn compose(&self, mail: &QueuedMail) -> Result<Next, Failure> {
        let Some(MailPolicy { links, .. }) = self.context.policy.mail.clone() else { return Ok(Next::Forget) };
        let letter = Letter::read(&mail.letter)?;
        let mut to = mail.recipient.clone();
        let code = match &letter {
            Letter::Invitation { invitation, .. } => self.invitation_code(mail, invitation).await?,
            Letter::AddressCode { user } => self.address_code(mail, user).await?,
            Letter::PasswordReset { .. } => match self.reset_code(mail).await? {
                Ok((code, address)) => {
                    to = address;
                    Ok(code)
                }
                Err(next) => Err(next),
            },
            Letter::Notice { .. } | Letter::Tokens { .. } => Ok(Zeroizing::default()),
        };
        let (subject, text) = match code {
            Ok(code) => letter.text(&links, &code),
            Err(next) => return Ok(next),
        };
        Ok(Next::Send(Composed { message_id: mail.id.to_string(), at: mail.created_at, to, subject, text }))
    }

    /// Draws the code to be mailed with an invitation and stores its digest. The inner error is what to do instead of sending.
    async fn invitation_code(&self, mail: &QueuedMail, invitation: &str) -> Result<Result<Code, Next>, Failure> {
        let id = InvitationId::parse(invitation).map_err(|error| inconsistent(mail, &error))?;
        let Some(organization) = mail.organization_id else { return Ok(Err(Next::Forget)) };
        let code = InvitationCode::from_random(random(self.context.entropy.as_ref())?);
        let digest = code.digest();
        let kept = self.keep_code(mail, move |tx, key, now| {
            Box::pin(async move {
                let found = tx.invitation_for(organization, key).await?;
                if found.is_none_or(|found| found.id != id || found.expires_at <= now) {
                    return Ok(None);
                }
                tx.keep_mailed_code(id, &digest).await?;
                Ok(Some(()))
            })
        });
        Ok(kept.await?.map(|()| Zeroizing::new(code.expose().to_owned())))
    }

    /// The same for an address that a person requested.
    async fn address_code(&self, mail: &QueuedMail, user: &str) -> Result<Result<Code, Next>, Failure> {
        let id = UserId::parse(user).map_err(|error| inconsistent(mail, &error))?;
        let code = AddressCode::from_random(random(self.context.entropy.as_ref())?);
        let digest = code.digest();
        let kept = self.keep_code(mail, move |tx, key, now| {
            Box::pin(async move {
                let found = tx.user(id).await?;
                if found.is_none_or(|user| user.disabled_at.is_some() || awaits(&user, key).is_none()) {
                    return Ok(None);
                }
                tx.keep_address_code(id, key, &digest, now + CODE_LIFETIME).await?;
                Ok(Some(()))
            })
        });
        Ok(kept.await?.map(|()| Zeroizing::new(code.expose().to_owned())))
    }

    /// The same for a person who forgot their password, with their address as they wrote it themselves: a stranger's spelling of
    /// it may be another mailbox to a mail server that tells more letters apart than this service does. Whether the address has
    /// an account is looked up here for the first time, so that the request for the message takes the same for every address.
    async fn reset_code(&self, mail: &QueuedMail) -> Result<Result<(Code, String), Next>, Failure> {
        let code = ResetCode::from_random(random(self.context.entropy.as_ref())?);
        let (digest, requested_at, context) = (code.digest(), mail.created_at, Arc::clone(&self.context));
        let kept = self.keep_code(mail, move |tx, key, now| {
            Box::pin(async move {
                let Some(account) = tx.account_by_email_key(key).await? else { return Ok(None) };
                let Some(reset) = password_resets::for_account(&account, requested_at, now) else { return Ok(None) };
                if password_resets::is_useless(&context, tx, account.user.id).await? {
                    return Ok(None);
                }
                tx.keep_password_reset(&reset, &digest).await?;
                Ok(Some(account.user.email.as_str().to_owned()))
            })
        });
        Ok(kept.await?.map(|address| (Zeroizing::new(code.expose().to_owned()), address)))
    }

    /// Stores the digest of a code for the recipient, whose key `keep` is given; it returns nothing if the code is no longer wanted.
    async fn keep_code<T, K>(&self, mail: &QueuedMail, keep: K) -> Result<Result<T, Next>, Failure>
    where
        T: Send + 'static,
        K: for<'t> FnOnce(&'t mut Tx, &'t str, Timestamp) -> BoxFuture<'t, Result<Option<T>, StoreError>>
            + Send
            + 'static,
    {
        let key = Email::parse_stored(&mail.recipient).map_err(|error| inconsistent(mail, &error))?.key();
        let (mail_id, attempts, now) = (mail.id, mail.attempts, self.context.now());
        let kept = self.context.store.write(move |tx| {
            Box::pin(async move {
                // Without this, a node that was suspended after it took the message would replace the code that another node sent.
                if !tx.defer_mail(mail_id, attempts, now + ALONE).await? {
                    return Ok(Err(Next::Leave));
                }
                Ok::<_, Failure>(keep(tx, &key, now).await?.ok_or(Next::Forget))
            })
        });
        kept.await
    }

    async fn forget(&self, mail: &QueuedMail) -> Result<(), Failure> {
        let id = mail.id;
        let forgotten =
            self.context.store.write(move |tx| Box::pin(async move { Ok::<_, Failure>(tx.delete_mail(id).await?) }));
        forgotten.await.map(drop)
    }

    /// Has a message tried again later, or gives it up when it is kept no longer.
    async fn defer(&self, mail: &QueuedMail, why: &str) -> Result<(), Failure> {
        let (now, id, attempts) = (self.context.now(), mail.id, mail.attempts);
        let next = now + wait_after(attempts);
        let keep = self.context.policy.mail.as_ref().map_or(Span::ZERO, |policy| policy.keep);
        if next > mail.created_at + keep {
            return self.give_up(mail, "kept too long", why).await;
        }
        self.counters.deferred.fetch_add(1, Ordering::Relaxed);
        tracing::warn!(mail = %id, attempts, why, "a message could not be sent now and is tried again later");
        let deferred = self
            .context
            .store
            .write(move |tx| Box::pin(async move { Ok::<_, Failure>(tx.defer_mail(id, attempts, next).await?) }));
        deferred.await.map(drop)
    }

    /// Drops a message, and records that somebody was not told something. The address stays out of the trail.
    async fn give_up(&self, mail: &QueuedMail, reason: &'static str, why: &str) -> Result<(), Failure> {
        self.counters.dropped.fetch_add(1, Ordering::Relaxed);
        tracing::error!(mail = %mail.id, attempts = mail.attempts, why, "a message could not be delivered and was dropped");
        let (id, organization) = (mail.id, mail.organization_id);
        let event = Event::new(self.context.now(), "mail.drop", Principal::System, &Origin::internal())
            .on("mail", id)
            .with("letter", Letter::read(&mail.letter).map_or("unknown", |letter| letter.name()))
            .with("attempts", mail.attempts)
            .with("reason", reason);
        let dropped = self.context.store.write(move |tx| {
            Box::pin(async move {
                // By exactly one: a node that had it before may give it up at the same moment.
                if tx.delete_mail(id).await? {
                    Trail::open(tx, organization).await?.append(tx, event).await?;
                }
                Ok::<_, Failure>(())
            })
        });
        dropped.await
    }
}

fn inconsistent(mail: &QueuedMail, why: &dyn fmt::Display) -> Failure {
    Failure::Inconsistent(format!("mail {}: {why}", mail.id))
}

/// The wait after that many attempts.
fn wait_after(attempts: i32) -> Span {
    let doublings = u32::try_from(attempts - 1).unwrap_or(0).min(20);
    Span::micros(FIRST_WAIT.as_micros() << doublings).min(LONGEST_WAIT)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_wait_is_twice_the_one_before_and_none_longer_than_an_hour() {
        let waits: Vec<i64> =
            [1, 2, 3, 10, 11, 1_000, i32::MAX].map(|attempts| wait_after(attempts).as_seconds()).into();
        assert_eq!(waits, [5, 10, 20, 2_560, 3_600, 3_600, 3_600]);
    }
}

//! Acts of the operator of a deployment for a person, by command on a machine that reaches the database. A person may belong
//! to several organisations and none of them decides about the person, so these acts stand in the deployment's own trail.
//!
//! A server that runs owns the database, and what it answers from memory must follow every change. So a command does not change
//! anything itself: it leaves an [`Order`] in the database, the server carries it out within a second ([`Operator::serve`]) and
//! leaves an answer there. Only where no server runs does the command take its place. A socket of its own was the alternative:
//! one more listener to place and to guard, and useless where the database is on another machine. Orders in the database add
//! no risk: a process that can write an order can write to every table as well.

use std::sync::Arc;

use secret_hash::password::{self, PasswordHash};
use serde::{Deserialize, Serialize};
use storage::model::Touched;
use storage::{Constraint, Store, StoreError};
use token_domain::id::UserId;
use token_domain::record::{Principal, User};
use token_domain::text::Email;
use token_domain::{Span, Timestamp};

use crate::attempts::forget_devices;
use crate::change::{Ask, Change};
use crate::context::{Context, Policy};
use crate::env::{Entropy, EntropyError, random};
use crate::error::Failure;
use crate::origin::Origin;
use crate::passwords::{NewPassword, WeakPassword};
use crate::people::move_address;
use crate::rights::Refused;

/// Where the order that waits is, and the answer to the last one.
const WAITING: &str = "operator.order";
const ANSWERED: &str = "operator.answer";
/// An order that waited longer than this is not carried out: the operator has been told that no server took it.
pub const PATIENCE: Span = Span::seconds(30);

/// An act of the operator for a person.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "act", rename_all = "snake_case")]
pub enum Act {
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
}

/// An act for a person, as it waits for the server.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Order {
    /// Tells it from every other.
    nonce: String,
    /// When it was given, in microseconds since 1970.
    given_at: i64,
    /// The person's address.
    person: String,
    #[serde(flatten)]
    act: Act,
}

/// What became of an order.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
struct Answer {
    nonce: String,
    #[serde(flatten)]
    outcome: Outcome,
}

/// How it ended: for whom it was done, or why it was not.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Outcome {
    /// The person's id.
    Done(String),
    /// A sentence that says what to do.
    Refused(String),
}

/// Why an act was not carried out.
#[derive(Debug, thiserror::Error)]
pub enum OperatorError {
    /// No such address.
    #[error("nobody has that address: check its spelling")]
    NoSuchPerson,
    /// The text given is not an address.
    #[error("the address {0}")]
    NotAnAddress(String),
    /// The address is another account's.
    #[error("another account has that address: move that one first")]
    AddressTaken,
    /// There is no second factor.
    #[error("that person has no second factor: there is nothing to reset")]
    NoSecondFactor,
    /// They are in that state.
    #[error("that person is {0} already")]
    Already(&'static str),
    /// The password is not one to choose.
    #[error("the password {0}")]
    Weak(#[from] WeakPassword),
    /// Another order waits.
    #[error("another command is being carried out: try again in a moment")]
    Occupied,
    /// The change was refused.
    #[error(transparent)]
    Refused(#[from] Refused),
    /// The service itself failed.
    #[error(transparent)]
    Failed(#[from] Failure),
}

impl From<StoreError> for OperatorError {
    fn from(error: StoreError) -> Self {
        match error {
            StoreError::Conflict(Constraint::UserEmail) => Self::AddressTaken,
            other => Self::Failed(Failure::Store(other)),
        }
    }
}

impl From<EntropyError> for OperatorError {
    fn from(error: EntropyError) -> Self {
        Self::Failed(Failure::Entropy(error))
    }
}

impl Act {
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
        }
    }
}

impl Order {
    /// An act for the person of that address.
    ///
    /// # Errors
    /// The generator's.
    pub fn new(person: &Email, act: Act, now: Timestamp, entropy: &dyn Entropy) -> Result<Self, OperatorError> {
        let bits: [u8; 16] = random(entropy)?;
        let nonce = format!("{:032x}", u128::from_be_bytes(bits));
        Ok(Self { nonce, given_at: now.as_micros(), person: person.as_str().to_owned(), act })
    }

    /// Leaves it for the server that runs. What an earlier command left and nobody carried out in time makes room.
    ///
    /// # Errors
    /// [`OperatorError::Occupied`] while another one waits.
    pub async fn leave(&self, store: &Store) -> Result<(), OperatorError> {
        let (text, now) = (written(self)?, Timestamp::from_micros(self.given_at));
        let left = store.write(move |tx| {
            Box::pin(async move {
                if let Some(waiting) = tx.meta_get(WAITING).await?
                    && serde_json::from_str::<Self>(&waiting).map_or(true, |waiting| waiting.is_over(now))
                {
                    tx.meta_delete(WAITING, &waiting).await?;
                }
                Ok::<_, Failure>(tx.meta_insert(WAITING, &text).await?)
            })
        });
        if left.await? { Ok(()) } else { Err(OperatorError::Occupied) }
    }

    /// The answer, once there is one.
    ///
    /// # Errors
    /// The store's.
    pub async fn answer(&self, store: &Store) -> Result<Option<Outcome>, Failure> {
        let found = store.read(|reads| Box::pin(reads.meta_get(ANSWERED))).await?;
        let answer = found.and_then(|text| serde_json::from_str::<Answer>(&text).ok());
        Ok(answer.filter(|answer| answer.nonce == self.nonce).map(|answer| answer.outcome))
    }

    /// Takes it back. False: somebody is carrying it out, or has.
    ///
    /// # Errors
    /// The store's.
    pub async fn take_back(&self, store: &Store) -> Result<bool, OperatorError> {
        let text = written(self)?;
        let taken =
            store.write(move |tx| Box::pin(async move { Ok::<_, Failure>(tx.meta_delete(WAITING, &text).await?) }));
        Ok(taken.await?)
    }

    fn is_over(&self, now: Timestamp) -> bool {
        let given = Timestamp::from_micros(self.given_at);
        // Also where a clock was set back: then it is a stranger's.
        now > given + PATIENCE || given > now + PATIENCE
    }
}

/// Carries out what operators order.
pub struct Operator {
    context: Arc<Context>,
}

impl Operator {
    /// Over a context.
    pub fn new(context: &Arc<Context>) -> Self {
        Self { context: Arc::clone(context) }
    }

    /// Carries out the order that waits, if one does, and leaves the answer. Whether there was one.
    ///
    /// # Errors
    /// The store's.
    pub async fn serve(&self) -> Result<bool, Failure> {
        let store = &self.context.store;
        let Some(text) = store.read(|reads| Box::pin(reads.meta_get(WAITING))).await? else { return Ok(false) };
        // Delete the order before carrying it out, so that it is carried out at most once.
        let copy = text.clone();
        let taken =
            store.write(move |tx| Box::pin(async move { Ok::<_, Failure>(tx.meta_delete(WAITING, &copy).await?) }));
        if !taken.await? {
            return Ok(false);
        }
        let order: Order = match serde_json::from_str(&text) {
            Ok(order) => order,
            Err(error) => {
                tracing::warn!(%error, "an order of an operator cannot be read, and is left out");
                return Ok(true);
            }
        };
        if order.is_over(self.context.wall()) {
            tracing::warn!(person = order.person, "an order of an operator waited too long, and is left out");
            return Ok(true);
        }
        let done = self.carry_out(&order).await;
        let outcome = match done {
            Ok(user) => Outcome::Done(user.to_string()),
            Err(error) => Outcome::Refused(error.to_string()),
        };
        let answer = serde_json::to_string(&Answer { nonce: order.nonce, outcome });
        let answer = answer.map_err(|error| Failure::Inconsistent(format!("an answer: {error}")))?;
        let answered =
            store.write(move |tx| Box::pin(async move { Ok::<_, Failure>(tx.meta_set(ANSWERED, &answer).await?) }));
        answered.await?;
        Ok(true)
    }

    /// Carries an order out; the id of the person it is about.
    ///
    /// # Errors
    /// Why it was not.
    pub async fn carry_out(&self, order: &Order) -> Result<UserId, OperatorError> {
        let key = address(&order.person)?.key();
        let read = self.context.store.read(move |reads| Box::pin(async move { reads.user_by_email_key(&key).await }));
        let user = read.await?.ok_or(OperatorError::NoSuchPerson)?.id;
        let act = order.act.clone();
        let origin = Origin {
            request_id: format!("operator {}", &order.nonce[..order.nonce.len().min(8)]),
            client_ip: None,
            presented_from: None,
            user_agent: None,
        };
        self.context
            .change(Ask::of(Principal::System, None, &origin).holding(user), move |change| {
                Box::pin(async move {
                    let before = change.tx.user(user).await?.ok_or(OperatorError::NoSuchPerson)?;
                    act.apply(change, &before).await?;
                    Ok(user)
                })
            })
            .await
    }
}

impl Act {
    async fn apply(&self, change: &mut Change<'_>, before: &User) -> Result<(), OperatorError> {
        let (user, now) = (before.id, change.now);
        match self {
            Self::SetEmail { email } => return move_address(change, before, &address(email)?, None).await,
            Self::SetPassword { hash } => {
                let readable = PasswordHash::parse(hash);
                readable.map_err(|error| Failure::Inconsistent(format!("a password hash: {error}")))?;
                change.tx.set_password(user, Some(hash), now).await?;
                forget_devices(change, before).await?;
            }
            Self::ResetSecondFactor => {
                if !change.tx.delete_second_factor(user).await? {
                    return Err(OperatorError::NoSecondFactor);
                }
            }
            Self::Disable if before.disabled_at.is_some() => return Err(OperatorError::Already("switched off")),
            Self::Enable if before.disabled_at.is_none() => return Err(OperatorError::Already("switched on")),
            Self::Disable => {
                change.tx.set_user_disabled(user, Some(now), now).await?;
                fence(change, user).await?;
            }
            Self::Enable => {
                change.tx.set_user_disabled(user, None, now).await?;
                fence(change, user).await?;
            }
        }
        let ended = change.tx.delete_sessions_of_user(user, None).await?.len();
        let event = change.event(self.action()).on("user", user).with("sessions_ended", ended);
        Ok(change.record(event).await?)
    }
}

/// Has every remembered token of the person's organisations read again: their keys may be among them.
async fn fence(change: &mut Change<'_>, user: UserId) -> Result<(), OperatorError> {
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

fn address(text: &str) -> Result<Email, OperatorError> {
    Email::parse(text).map_err(|error| OperatorError::NotAnAddress(error.to_string()))
}

fn written(order: &Order) -> Result<String, OperatorError> {
    let text = serde_json::to_string(order);
    Ok(text.map_err(|error| Failure::Inconsistent(format!("an order: {error}")))?)
}

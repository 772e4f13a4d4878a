//! Acts of the operator of a deployment for a person or on an organisation, by command on a machine that reaches the database.
//!
//! A server that runs owns the database, and what it answers from memory must follow every change. So a command does not change
//! anything itself: it leaves an [`Order`] in the database, the server carries it out within a second ([`Operator::serve`]) and
//! leaves an answer there. Only where no server runs does the command take its place. A socket of its own was the alternative:
//! one more listener to place and to guard, and useless where the database is on another machine. Orders in the database add
//! no risk: a process that can write an order can write to every table as well.

mod organization;
mod person;

use std::sync::Arc;

use serde::{Deserialize, Serialize};
use storage::{Constraint, Store, StoreError};
use token_domain::record::Principal;
use token_domain::text::{Email, Slug};
use token_domain::{Span, Timestamp};

pub use organization::OrganizationAct;
pub use person::PersonAct;
pub(crate) use person::fence;

use crate::change::Ask;
use crate::context::Context;
use crate::env::{Entropy, EntropyError, random};
use crate::error::Failure;
use crate::origin::Origin;
use crate::passwords::WeakPassword;
use crate::rights::Refused;

/// Where the order that waits is, and the answer to the last one.
const WAITING: &str = "operator.order";
const ANSWERED: &str = "operator.answer";
/// An order that waited longer than this is not carried out: the operator has been told that no server took it.
pub const PATIENCE: Span = Span::seconds(30);

/// An act, as it waits for the server.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Order {
    /// Tells it from every other.
    nonce: String,
    /// When it was given, in microseconds since 1970.
    given_at: i64,
    #[serde(flatten)]
    deed: Deed,
}

/// What is to be done to whom.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(untagged)]
enum Deed {
    Person {
        /// The address.
        person: String,
        #[serde(flatten)]
        act: PersonAct,
    },
    Organization {
        /// The slug.
        organization: String,
        #[serde(flatten)]
        act: OrganizationAct,
    },
}

/// What became of an order.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
struct Answer {
    nonce: String,
    #[serde(flatten)]
    outcome: Outcome,
}

/// How it ended: to whom it was done, or why it was not.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Outcome {
    /// The id of the person or the organisation.
    Done(String),
    /// A sentence that says what to do.
    Refused(String),
}

/// Why an act was not carried out.
#[derive(Debug, thiserror::Error)]
pub enum OperatorError {
    /// No such address.
    #[error("no person has this e-mail address: check the spelling")]
    NoSuchPerson,
    /// No such slug.
    #[error("no organisation has this slug: `nolapse-api organization list` lists all of them")]
    NoSuchOrganization,
    /// The text given is not an address.
    #[error("the address {0}")]
    NotAnAddress(String),
    /// The address is another account's.
    #[error("another account has this e-mail address: change that account first")]
    AddressTaken,
    /// There is no second factor.
    #[error("this person has no second factor to reset")]
    NoSecondFactor,
    /// They are in that state.
    #[error("this person is already {0}")]
    Already(&'static str),
    /// The password is not one to choose.
    #[error("the password {0}")]
    Weak(#[from] WeakPassword),
    /// Another order waits.
    #[error("another command is running: try again in a moment")]
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

impl Order {
    /// An act for the person of that address.
    ///
    /// # Errors
    /// The generator's.
    pub fn for_person(
        person: &Email,
        act: PersonAct,
        now: Timestamp,
        entropy: &dyn Entropy,
    ) -> Result<Self, OperatorError> {
        Self::new(Deed::Person { person: person.as_str().to_owned(), act }, now, entropy)
    }

    /// An act on the organisation of that slug.
    ///
    /// # Errors
    /// The generator's.
    pub fn on_organization(
        slug: &Slug,
        act: OrganizationAct,
        now: Timestamp,
        entropy: &dyn Entropy,
    ) -> Result<Self, OperatorError> {
        Self::new(Deed::Organization { organization: slug.as_str().to_owned(), act }, now, entropy)
    }

    fn new(deed: Deed, now: Timestamp, entropy: &dyn Entropy) -> Result<Self, OperatorError> {
        let bits: [u8; 16] = random(entropy)?;
        Ok(Self { nonce: format!("{:032x}", u128::from_be_bytes(bits)), given_at: now.as_micros(), deed })
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
    /// An error of the store.
    pub async fn answer(&self, store: &Store) -> Result<Option<Outcome>, Failure> {
        let found = store.read(|reads| Box::pin(reads.meta_get(ANSWERED))).await?;
        let answer = found.and_then(|text| serde_json::from_str::<Answer>(&text).ok());
        Ok(answer.filter(|answer| answer.nonce == self.nonce).map(|answer| answer.outcome))
    }

    /// Takes it back. False: somebody is carrying it out, or has.
    ///
    /// # Errors
    /// An error of the store.
    pub async fn take_back(&self, store: &Store) -> Result<bool, OperatorError> {
        let text = written(self)?;
        let taken =
            store.write(move |tx| Box::pin(async move { Ok::<_, Failure>(tx.meta_delete(WAITING, &text).await?) }));
        Ok(taken.await?)
    }

    /// Where to look whether it was carried out: its event in the log of the server, and in a trail.
    pub fn whereabouts(&self) -> String {
        let trail = match self.deed {
            Deed::Person { .. } => "the deployment",
            Deed::Organization { .. } => "the organisation",
        };
        format!("\"{}\" in the log of the server, or in the audit trail of {trail}", self.request_id())
    }

    /// What its event names as the request.
    fn request_id(&self) -> String {
        format!("operator {}", &self.nonce[..self.nonce.len().min(8)])
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
    /// An error of the store.
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
                tracing::warn!(%error, "an operator command cannot be read and is ignored");
                return Ok(true);
            }
        };
        if order.is_over(self.context.wall()) {
            let about = order.deed.about();
            tracing::warn!(about, "an operator command waited too long and is ignored");
            return Ok(true);
        }
        let done = self.carry_out(&order).await;
        let outcome = match done {
            Ok(id) => Outcome::Done(id),
            Err(error) => Outcome::Refused(error.to_string()),
        };
        let answer = serde_json::to_string(&Answer { nonce: order.nonce, outcome });
        let answer = answer.map_err(|error| Failure::Inconsistent(format!("an answer: {error}")))?;
        let answered =
            store.write(move |tx| Box::pin(async move { Ok::<_, Failure>(tx.meta_set(ANSWERED, &answer).await?) }));
        answered.await?;
        Ok(true)
    }

    /// Carries an order out; the id of the person or organisation it is about.
    ///
    /// # Errors
    /// Why it was not.
    pub async fn carry_out(&self, order: &Order) -> Result<String, OperatorError> {
        let origin = Origin { request_id: order.request_id(), client_ip: None, presented_from: None, user_agent: None };
        match &order.deed {
            Deed::Person { person, act } => self.for_person(&address(person)?, act.clone(), &origin).await,
            Deed::Organization { organization, act } => {
                let slug = Slug::parse(organization).map_err(|_| OperatorError::NoSuchOrganization)?;
                self.on_organization(slug, *act, &origin).await
            }
        }
    }

    async fn for_person(&self, email: &Email, act: PersonAct, origin: &Origin) -> Result<String, OperatorError> {
        let key = email.key();
        let read = self.context.store.read(move |reads| Box::pin(async move { reads.user_by_email_key(&key).await }));
        let user = read.await?.ok_or(OperatorError::NoSuchPerson)?.id;
        self.context
            .change(Ask::of(Principal::System, None, origin).holding(user), move |change| {
                Box::pin(async move {
                    let before = change.tx.user(user).await?.ok_or(OperatorError::NoSuchPerson)?;
                    act.apply(change, &before).await?;
                    Ok(user.to_string())
                })
            })
            .await
    }

    async fn on_organization(
        &self,
        slug: Slug,
        act: OrganizationAct,
        origin: &Origin,
    ) -> Result<String, OperatorError> {
        let read =
            self.context.store.read(move |reads| Box::pin(async move { reads.organization_by_slug(&slug).await }));
        let id = read.await?.ok_or(OperatorError::NoSuchOrganization)?.id;
        // Making a token takes the same lock, the end of the organisation's trail: the next one after this is bound by it.
        self.context
            .change(Ask::of(Principal::System, Some(id), origin), move |change| {
                Box::pin(async move {
                    let before = change.tx.organization(id).await?.ok_or(OperatorError::NoSuchOrganization)?;
                    act.apply(change, &before).await?;
                    Ok(id.to_string())
                })
            })
            .await
    }
}

impl Deed {
    /// The address or the slug.
    fn about(&self) -> &str {
        match self {
            Self::Person { person, .. } => person,
            Self::Organization { organization, .. } => organization,
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_order_reads_back_as_it_was_left() {
        let orders = [
            Deed::Person { person: "ada@example.org".to_owned(), act: PersonAct::Disable },
            Deed::Person {
                person: "ada@example.org".to_owned(),
                act: PersonAct::SetEmail { email: "ada@example.com".to_owned() },
            },
            Deed::Organization { organization: "acme".to_owned(), act: OrganizationAct::Disable },
            Deed::Organization { organization: "acme".to_owned(), act: OrganizationAct::Cap { tokens: None } },
            Deed::Organization { organization: "acme".to_owned(), act: OrganizationAct::Cap { tokens: Some(0) } },
        ]
        .map(|deed| Order { nonce: "0f".to_owned(), given_at: 7, deed });
        for order in orders {
            let text = written(&order).unwrap();
            assert_eq!(serde_json::from_str::<Order>(&text).unwrap(), order, "{text}");
        }
    }

    #[test]
    fn the_event_of_an_order_is_looked_for_in_the_trail_that_has_it() {
        let person = Deed::Person { person: "ada@example.org".to_owned(), act: PersonAct::Disable };
        let organization = Deed::Organization { organization: "acme".to_owned(), act: OrganizationAct::Disable };
        for (deed, trail) in [(person, "trail of the deployment"), (organization, "trail of the organisation")] {
            let order = Order { nonce: "0123456789".to_owned(), given_at: 7, deed };
            let said = order.whereabouts();
            assert!(said.contains("\"operator 01234567\"") && said.ends_with(trail), "{said}");
        }
    }
}

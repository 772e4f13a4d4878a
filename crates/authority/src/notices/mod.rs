//! What people are told about tokens: that one ends soon, leaked, was presented after its rotation, or was used from an address it
//! had not been used from before.
//!
//! Each is an event of the organisation's trail, which webhooks are told of, and mail. Mail goes to the person whose token it is,
//! or who made it; of a leak and of reuse also to the organisation's owners and administrators, and they are told of the rest
//! where the maker is gone. It goes only to addresses that were verified for the organisation.
//!
//! **Invariant:** mail is written down in the transaction of the event, and is bounded for each person: a flood of events must not
//! become a flood of messages. The trail has them all.

mod address;
mod expiry;
mod settings;

use std::collections::BTreeMap;

use storage::model::Muted;
use token_domain::Timestamp;
use token_domain::id::{OrganizationId, TokenId, UserId};
use token_domain::leak::LeakAction;
use token_domain::record::{Principal, Token, TokenOwner, User};

pub use settings::{MailSettings, NoticeSettings};

use crate::change::Change;
use crate::error::Failure;
use crate::letters::{LeakedEnd, Letter, TokenNotice, Told};
use crate::rights::Refused;
use crate::standing::is_welcome;

/// The most owners and administrators that are told of something.
const MOST_ADMINISTRATORS: u32 = 20;
/// The most tokens that one message names.
const MOST_NAMED: usize = 20;

/// What happens to be told, within a change.
pub(crate) enum Occasion {
    /// A token was reported as leaked.
    Leaked(LeakEnd),
    /// A token was presented after its grace.
    Reused,
    /// Tokens end within so many days.
    Expiring(i32),
    /// A token was used from an address that was not known.
    NewAddress {
        /// From where.
        address: String,
        /// What the client called itself.
        agent: Option<String>,
    },
}

/// What becomes of a leaked token.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum LeakEnd {
    /// It is revoked.
    Revoked,
    /// It ends soon.
    Ends {
        /// When.
        at: Timestamp,
        /// The token that takes over and whose secret nobody has seen yet; nothing where its owner had rotated it before.
        successor: Option<TokenId>,
    },
    /// It goes on as before.
    GoesOn,
}

impl LeakEnd {
    /// What was done.
    pub(crate) const fn action(self) -> LeakAction {
        match self {
            Self::Revoked => LeakAction::Revoke,
            Self::Ends { .. } => LeakAction::RotateGrace1h,
            Self::GoesOn => LeakAction::Notify,
        }
    }
}

impl Occasion {
    /// Whether owners and administrators are told whoever made the token.
    const fn concerns_everybody(&self) -> bool {
        match self {
            Self::Leaked(_) | Self::Reused => true,
            Self::Expiring(_) | Self::NewAddress { .. } => false,
        }
    }

    /// The switch that a person has for it.
    const fn switch(&self) -> Option<Muted> {
        match self {
            Self::Leaked(_) | Self::Reused => None,
            Self::Expiring(_) => Some(Muted::TokenExpiring),
            Self::NewAddress { .. } => Some(Muted::TokenNewAddress),
        }
    }

    fn notice(self) -> TokenNotice {
        match self {
            Self::Leaked(end) => TokenNotice::Leaked {
                end: match end {
                    LeakEnd::Revoked => LeakedEnd::Revoked,
                    LeakEnd::Ends { at, successor } => LeakedEnd::Ends {
                        at: at.rfc3339_seconds(),
                        successor: successor.map(|successor| successor.to_string()),
                    },
                    LeakEnd::GoesOn => LeakedEnd::GoesOn,
                },
            },
            Self::Reused => TokenNotice::Reused,
            Self::Expiring(days) => TokenNotice::Expiring { days },
            Self::NewAddress { address, agent } => TokenNotice::NewAddress { address, agent },
        }
    }
}

/// Has mail about tokens of one organisation sent, one message a person, once the change is committed.
///
/// # Errors
/// The store's.
pub(crate) async fn tell(
    change: &mut Change<'_>,
    organization: OrganizationId,
    tokens: &[Token],
    occasion: Occasion,
) -> Result<(), Failure> {
    let context = change.context();
    if context.policy.mail.is_none() || tokens.is_empty() {
        return Ok(());
    }
    let Some(whose) = change.tx.organization(organization).await? else { return Ok(()) };
    if whose.disabled_at.is_some() {
        return Ok(());
    }
    let mut told: BTreeMap<UserId, (User, Vec<&Token>)> = BTreeMap::new();
    let mut makers: BTreeMap<UserId, Option<User>> = BTreeMap::new();
    let mut administrators: Option<Vec<User>> = None;
    for token in tokens {
        let maker = match person_of(token) {
            None => None,
            Some(id) => {
                if let Some(known) = makers.get(&id) {
                    known.clone()
                } else {
                    let standing = change.tx.membership_standing(organization, id).await?;
                    let found = standing.filter(is_welcome).map(|standing| standing.user);
                    makers.insert(id, found.clone());
                    found
                }
            }
        };
        let mut people: Vec<User> = maker.into_iter().collect();
        if people.is_empty() || occasion.concerns_everybody() {
            if administrators.is_none() {
                administrators = Some(change.tx.administrators(organization, MOST_ADMINISTRATORS).await?);
            }
            people.extend(administrators.iter().flatten().cloned());
        }
        for person in people {
            let (_, theirs) = told.entry(person.id).or_insert_with(|| (person, Vec::new()));
            if theirs.last().is_none_or(|last| last.id != token.id) {
                theirs.push(token);
            }
        }
    }
    let switch = occasion.switch();
    let notice = occasion.notice();
    for (id, (person, theirs)) in told {
        if !person.has_address_in(organization) {
            continue;
        }
        if let Some(switch) = switch
            && change.tx.muted_notices(id).await?.contains(&switch)
        {
            continue;
        }
        // Apart, so that ordinary notices never use up what alarms may take.
        let limiter = match notice {
            TokenNotice::Leaked { .. } | TokenNotice::Reused => &context.alarm_messages,
            TokenNotice::Expiring { .. } | TokenNotice::NewAddress { .. } => &context.notice_messages,
        };
        if limiter.take(id, context.steady()).is_err() {
            tracing::info!(user = %id, "a person is told of no more tokens by mail for now: there was too much of it");
            continue;
        }
        let letter = Letter::Tokens {
            notice: notice.clone(),
            organization: whose.name.as_str().to_owned(),
            tokens: theirs.iter().take(MOST_NAMED).map(|token| Told::of(token)).collect(),
            more: theirs.len().saturating_sub(MOST_NAMED),
            at: change.now.rfc3339_seconds(),
        };
        change.mail(&person.email, &letter).await?;
    }
    Ok(())
}

/// The person whose token it is, or who made it.
fn person_of(token: &Token) -> Option<UserId> {
    match (&token.owner, token.created_by) {
        (TokenOwner::Person(user), _) => Some(*user),
        (TokenOwner::Organization | TokenOwner::Actor(_), Principal::User(user)) => Some(user),
        (TokenOwner::Organization | TokenOwner::Actor(_), _) => None,
    }
}

/// Why a change of the service itself failed: it needs no right, so it is refused nothing.
enum Ended {
    Failed(Failure),
    Refused(Refused),
}

impl From<Failure> for Ended {
    fn from(failure: Failure) -> Self {
        Self::Failed(failure)
    }
}

impl From<Refused> for Ended {
    fn from(refused: Refused) -> Self {
        Self::Refused(refused)
    }
}

/// The failure of such a change.
fn settled<T>(ended: Result<T, Ended>) -> Result<T, Failure> {
    ended.map_err(|ended| match ended {
        Ended::Failed(failure) => failure,
        Ended::Refused(refused) => {
            Failure::Inconsistent(format!("the service itself was refused something: {refused}"))
        }
    })
}

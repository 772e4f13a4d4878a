//! Inserts many rows at once, without the rules and limits of the API, for benchmarks and load tests. A separate
//! package, so that none of it is in the shipped program. The history of development servers is written here as well.
//!
//! **Invariant:** every unit of work leaves an event in the organisation's audit trail, so the trail still verifies.

mod history;
pub mod offline;

use authority::audit::{Event, Trail};
use authority::env::{Entropy, new_id, random};
use authority::{Failure, Origin};
use futures::future::BoxFuture;
use secret_hash::{Keyring, Scheme, hash, lookup_hint};
use storage::{Store, Tx};
use token_domain::Timestamp;
use token_domain::access::{ActorName, ActorType};
use token_domain::id::{OrganizationId, ProjectId};
use token_domain::record::{AccessScope, Actor, NewToken, Principal, Project, StoredSecret, Token, TokenOwner};
use token_domain::text::{Name, Slug};
use token_domain::token::TokenFacts;
use token_format::PlainToken;

/// Rows written in one unit of work: enough that the commits cost little, and few enough that others can write in
/// between.
const AT_ONCE: usize = 5_000;

/// Fills an organisation. No server may be running on the database: nothing here invalidates its cache.
pub struct Seed<'a> {
    /// The database.
    pub store: &'a Store,
    /// The source of secrets and ids.
    pub entropy: &'a dyn Entropy,
    /// The organisation that the rows belong to.
    pub organization: OrganizationId,
    /// The creation time of the rows. Rows of one kind are a microsecond apart, so that lists by time have an order.
    pub now: Timestamp,
}

impl Seed<'_> {
    /// Live tokens with the scope `execute`, hashed with `sha256`: a slow hash would take most of an hour for a
    /// million.
    ///
    /// # Errors
    /// The store's.
    pub async fn tokens(&self, keyring: &Keyring, count: usize) -> Result<Vec<PlainToken>, Failure> {
        let mut secrets = Vec::with_capacity(count);
        for numbers in parts(count) {
            let mut made = Vec::with_capacity(numbers.len());
            for _ in numbers {
                let secret = PlainToken::from_random(random(self.entropy)?);
                made.push(self.token(keyring, &secret)?);
                secrets.push(secret);
            }
            self.unit("token.seed", made, |tx, token| Box::pin(tx.insert_token(token))).await?;
        }
        Ok(secrets)
    }

    /// A project with access scopes `s-0`, `s-1`, … and actors `Actor 0`, `Actor 1`, …, which have neither access scope nor
    /// token.
    ///
    /// # Errors
    /// The store's; a slug in use.
    pub async fn project(&self, slug: &str, access_scopes: usize, actors: usize) -> Result<(), Failure> {
        let project = Project {
            id: new_id(self.now, self.entropy)?,
            organization_id: self.organization,
            name: named(slug)?,
            slug: Slug::parse(slug).map_err(misnamed)?,
            created_at: self.now,
            updated_at: self.now,
        };
        let id = project.id;
        self.unit("project.seed", vec![project], |tx, project| Box::pin(tx.insert_project(project))).await?;
        for numbers in parts(access_scopes) {
            let made = numbers.map(|number| self.access_scope(id, number)).collect::<Result<_, _>>()?;
            self.unit("access_scope.seed", made, |tx, scope| Box::pin(tx.insert_access_scope(scope))).await?;
        }
        for numbers in parts(actors) {
            let made = numbers.map(|number| self.actor(id, number)).collect::<Result<_, _>>()?;
            self.unit("actor.seed", made, |tx, actor| Box::pin(tx.insert_actor(actor))).await?;
        }
        Ok(())
    }

    /// Inserts events of the audit trail.
    ///
    /// # Errors
    /// The store's.
    pub async fn events(&self, count: usize) -> Result<(), Failure> {
        for numbers in parts(count) {
            let (organization, now) = (self.organization, self.now);
            let written = self.store.write(move |tx| {
                Box::pin(async move {
                    let mut trail = Trail::open(tx, Some(organization)).await?;
                    for number in numbers {
                        trail.append(tx, event(now, "event.seed").with("number", number)).await?;
                    }
                    Ok::<_, Failure>(())
                })
            });
            written.await?;
        }
        Ok(())
    }

    /// Writes rows, and one audit event for all of them.
    async fn unit<R, F>(&self, action: &'static str, rows: Vec<R>, insert: F) -> Result<(), Failure>
    where
        R: Send + Sync + 'static,
        F: for<'c> Fn(&'c mut Tx, &'c R) -> BoxFuture<'c, Result<(), storage::StoreError>> + Send + Sync + 'static,
    {
        let (organization, now) = (self.organization, self.now);
        let written = self.store.write(move |tx| {
            Box::pin(async move {
                let mut trail = Trail::open(tx, Some(organization)).await?;
                trail.append(tx, event(now, action).with("count", rows.len())).await?;
                for row in &rows {
                    insert(tx, row).await?;
                }
                Ok(())
            })
        });
        written.await
    }

    fn token(&self, keyring: &Keyring, secret: &PlainToken) -> Result<NewToken, Failure> {
        let (id, facts) = (new_id(self.now, self.entropy)?, TokenFacts::new(self.now, None));
        let (owner, by) = (TokenOwner::Organization, Principal::System);
        Ok(NewToken {
            token: Token {
                scopes: vec!["execute".to_owned()],
                ..Token::new(id, self.organization, owner, named("seeded")?, facts, by, secret.hint())
            },
            secret: stored(secret, Some(keyring.seal(&keyring.digest(secret)).to_bytes().to_vec()))?,
        })
    }

    fn access_scope(&self, project: ProjectId, number: usize) -> Result<AccessScope, Failure> {
        let at = self.moment(number);
        Ok(AccessScope {
            id: new_id(at, self.entropy)?,
            project_id: project,
            slug: Slug::parse(&format!("s-{number}")).map_err(misnamed)?,
            name: None,
            description: None,
            metadata: None,
            is_active: true,
            created_at: at,
            updated_at: at,
        })
    }

    fn actor(&self, project: ProjectId, number: usize) -> Result<Actor, Failure> {
        let at = self.moment(number);
        Ok(Actor {
            id: new_id(at, self.entropy)?,
            project_id: project,
            access_scope_id: None,
            name: ActorName::parse(&format!("Actor {number}")).map_err(misnamed)?,
            actor_type: ActorType::Device,
            description: None,
            external_id: None,
            metadata: None,
            disabled_at: None,
            expires_at: None,
            last_used_at: None,
            created_at: at,
            updated_at: at,
        })
    }

    fn moment(&self, number: usize) -> Timestamp {
        Timestamp::from_micros(self.now.as_micros().saturating_add(i64::try_from(number).unwrap_or(i64::MAX)))
    }
}

/// The columns that prove a secret, as they are stored.
fn stored(secret: &PlainToken, verify_tag: Option<Vec<u8>>) -> Result<StoredSecret, Failure> {
    let hashed = hash(secret, &Scheme::Sha256, [0; 16]);
    let hashed = hashed.map_err(|error| Failure::Inconsistent(format!("a secret cannot be hashed: {error}")))?;
    Ok(StoredSecret { secret_hash: hashed.as_str().to_owned(), lookup_hint: lookup_hint(secret).0, verify_tag })
}

/// The numbers below `count`, one range for each unit of work.
fn parts(count: usize) -> impl Iterator<Item = std::ops::Range<usize>> {
    (0..count).step_by(AT_ONCE).map(move |first| first..count.min(first + AT_ONCE))
}

fn event(now: Timestamp, action: &'static str) -> Event {
    let origin = Origin { request_id: "seed".to_owned(), client_ip: None, presented_from: None, user_agent: None };
    Event::new(now, action, Principal::System, &origin)
}

fn named(text: &str) -> Result<Name, Failure> {
    Name::parse(text).map_err(misnamed)
}

fn misnamed(error: impl std::fmt::Display) -> Failure {
    Failure::Inconsistent(error.to_string())
}

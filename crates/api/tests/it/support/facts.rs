//! Direct access to the database: reads rows, and writes rows that no route makes.

use std::time::Duration;

use authority::Origin;
use authority::addresses::AddressCode;
use authority::audit::{self, Event, Trail};
use authority::env::{Clock as _, SystemClock, SystemEntropy, new_id, random};
use authority::hashing::{Keyring, TagKey};
use authority::password_resets::{self, ResetCode};
use authority::sessions::SessionToken;
use seed::Seed;
use storage::model::{AuditFilter, Narrowing, Revocation, TokenCount, TokenFilter};
use storage::{DatabaseUrl, Store, StoreError, StoreOptions};
use test_support::sql::Sql;
use token_domain::id::{OrganizationId, TokenId, UserId, Uuid};
use token_domain::leak::LeakAction;
use token_domain::person::{BuiltInRole, RoleRef, SecondFactorRule};
use token_domain::record::{
    AuditRecord, Candidate, Membership, NewToken, Organization, Principal, Session, Token, TokenOwner, User, Verified,
};
use token_domain::text::{Email, Name, Slug};
use token_domain::token::RevokeReason;
use token_domain::usage::{Hour, UseCounts};
use token_domain::{Span, Timestamp};
use tokio::runtime::Runtime;

use super::server::Server;

/// Rows per page.
const PAGE: u32 = 1_000;

/// The store of a running or stopped server.
pub(crate) struct Facts {
    runtime: Runtime,
    url: DatabaseUrl,
    store: Option<Store>,
}

/// The time this many seconds from now, in the wire format.
pub(crate) fn later(seconds: i64) -> String {
    let now = now();
    let span = Span::long_seconds(seconds.abs());
    if seconds < 0 { (now - span).rfc3339_seconds() } else { (now + span).rfc3339_seconds() }
}

/// The current time of the clock that the server also uses.
pub(crate) fn now() -> Timestamp {
    SystemClock::default().now()
}

impl Facts {
    /// Opens the database.
    pub(crate) fn open(url: &str) -> Self {
        let runtime = Runtime::new().unwrap();
        let url = DatabaseUrl::parse(url).unwrap();
        // A server under load leaves another process little of its file.
        let options = StoreOptions { pool_size: 1, lock_timeout: Duration::from_mins(1), ..StoreOptions::default() };
        let store = runtime.block_on(Store::open(&url, options, runtime.handle().clone())).unwrap();
        Self { runtime, url, store: Some(store) }
    }

    fn store(&self) -> &Store {
        self.store.as_ref().unwrap()
    }

    /// Runs a transaction.
    fn write<F>(&self, work: F)
    where
        F: for<'c> FnOnce(&'c mut storage::Tx) -> futures::future::BoxFuture<'c, Result<(), StoreError>>
            + Send
            + 'static,
    {
        self.runtime.block_on(self.store().write(work)).unwrap();
    }

    /// The organisation with this slug.
    pub(crate) fn organization(&self, slug: &str) -> Organization {
        let slug = Slug::parse(slug).unwrap();
        let read = self.store().read(move |reads| Box::pin(async move { reads.organization_by_slug(&slug).await }));
        self.runtime.block_on(read).unwrap().unwrap()
    }

    /// The person with this e-mail address.
    pub(crate) fn user(&self, email: &str) -> User {
        let key = Email::parse(email).unwrap().key();
        let read = self.store().read(move |reads| Box::pin(async move { reads.user_by_email_key(&key).await }));
        self.runtime.block_on(read).unwrap().unwrap()
    }

    /// Adds another organisation.
    pub(crate) fn add_organization(&self, slug: &str) -> OrganizationId {
        let now = now();
        let organization = Organization {
            id: new_id(now, &SystemEntropy).unwrap(),
            slug: Slug::parse(slug).unwrap(),
            name: Name::parse(slug).unwrap(),
            disabled_at: None,
            token_cap: None,
            second_factor: SecondFactorRule::Optional,
            leak_action: LeakAction::default(),
            trust_only: false,
            created_at: now,
            updated_at: now,
        };
        let id = organization.id;
        self.write(move |tx| Box::pin(async move { tx.insert_organization(&organization).await }));
        id
    }

    /// Adds a person with the password of all test persons.
    pub(crate) fn add_person(&self, email: &str) -> User {
        let now = now();
        let user = User {
            id: new_id(now, &SystemEntropy).unwrap(),
            email: Email::parse(email).unwrap(),
            name: Name::parse(email).unwrap(),
            verified: Some(Verified { at: now, by: None }),
            pending_email: None,
            disabled_at: None,
            created_at: now,
            updated_at: now,
        };
        let (added, owner) = (user.clone(), self.user(Server::OWNER).id);
        self.write(move |tx| {
            Box::pin(async move {
                // The owner has the same password, so the owner's hash is copied.
                let hash = tx.account(owner).await?.and_then(|owner| owner.password_hash);
                tx.insert_user(&added, hash.as_deref()).await
            })
        });
        user
    }

    /// Marks a person's address as verified by the operator.
    pub(crate) fn verify(&self, email: &str) {
        self.set_verified(email, Some(Verified { at: now(), by: None }));
    }

    /// Sets who has verified a person's address; `None` for nobody.
    pub(crate) fn set_verified(&self, email: &str, verified: Option<Verified>) {
        let (user, at) = (self.user(email), now());
        self.write(move |tx| Box::pin(async move { tx.set_email(user.id, &user.email, verified, at).await.map(drop) }));
    }

    /// Makes a person a member.
    pub(crate) fn join(&self, organization: OrganizationId, user: &User, role: BuiltInRole) {
        self.join_since(now(), organization, user, role);
    }

    /// Makes a person a member since a given time: signing in leads to the organisation joined first.
    pub(crate) fn join_since(&self, since: Timestamp, organization: OrganizationId, user: &User, role: BuiltInRole) {
        let membership = Membership {
            organization_id: organization,
            user_id: user.id,
            role: RoleRef::BuiltIn(role),
            disabled_at: None,
            created_at: since,
        };
        self.write(move |tx| Box::pin(async move { tx.insert_membership(&membership).await }));
    }

    /// Whether a person is a member.
    pub(crate) fn is_member(&self, organization: OrganizationId, user: &User) -> bool {
        let user = user.id;
        let read = self.store().read(move |reads| Box::pin(reads.membership_standing(organization, user)));
        self.runtime.block_on(read).unwrap().is_some()
    }

    /// Adds a person to the organisation that set-up made.
    pub(crate) fn add_member(&self, email: &str, role: BuiltInRole) -> User {
        let user = self.add_person(email);
        self.join(self.organization(Server::ORGANIZATION).id, &user, role);
        user
    }

    /// Changes the role of a member of the organisation that set-up made.
    pub(crate) fn set_role(&self, user: &User, role: BuiltInRole) {
        let (organization, user) = (self.organization(Server::ORGANIZATION).id, user.id);
        self.write(move |tx| {
            Box::pin(async move {
                tx.set_membership_role(organization, user, RoleRef::BuiltIn(role)).await.map(|changed| {
                    assert!(changed.is_some(), "no such member");
                })
            })
        });
    }

    /// Ends a membership of the organisation that set-up made.
    pub(crate) fn remove(&self, user: &User) {
        let (organization, user) = (self.organization(Server::ORGANIZATION).id, user.id);
        self.write(move |tx| {
            Box::pin(async move {
                tx.delete_membership(organization, user).await.map(|removed| assert!(removed, "no such member"))
            })
        });
    }

    /// Disables a person.
    pub(crate) fn disable(&self, user: &User) {
        let (id, at) = (user.id, now());
        self.write(move |tx| Box::pin(async move { tx.set_user_disabled(id, Some(at), at).await.map(drop) }));
    }

    /// Sets whether the organisation that set-up made requires a second factor.
    pub(crate) fn set_second_factor_rule(&self, rule: SecondFactorRule) {
        let (id, at) = (self.organization(Server::ORGANIZATION).id, now());
        self.write(move |tx| Box::pin(async move { tx.set_second_factor_rule(id, rule, at).await.map(drop) }));
    }

    /// A token's row.
    pub(crate) fn token(&self, organization: OrganizationId, id: &str) -> Option<Token> {
        let id = TokenId::parse(id).unwrap();
        let read = self.store().read(move |reads| Box::pin(async move { reads.token(organization, id).await }));
        self.runtime.block_on(read).unwrap()
    }

    /// A token with its stored hashes.
    pub(crate) fn kept_token(&self, organization: OrganizationId, id: &str) -> NewToken {
        let id = TokenId::parse(id).unwrap();
        let read = self.store().write(move |tx| Box::pin(tx.candidate(organization, id)));
        let found: Result<Option<Candidate>, StoreError> = self.runtime.block_on(read);
        let found = found.unwrap().unwrap();
        NewToken { token: found.token, secret: found.secret }
    }

    /// Revokes a token in the database directly.
    pub(crate) fn revoke(&self, id: &str) {
        let (organization, id) = (self.organization(Server::ORGANIZATION).id, TokenId::parse(id).unwrap());
        let revocation = Revocation { at: now(), reason: RevokeReason::Leaked, by: Principal::System };
        self.write(move |tx| Box::pin(async move { tx.revoke_token(organization, id, &revocation).await.map(drop) }));
    }

    /// Inserts a token.
    pub(crate) fn insert_token(&self, new: NewToken) {
        self.write(move |tx| Box::pin(async move { tx.insert_token(&new).await }));
    }

    /// Turns an organisation's token into a person's key; the server must not have cached it.
    pub(crate) fn hand_over(&self, token: &str, user: &str) {
        let (token, user) = (TokenId::parse(token).unwrap().uuid(), UserId::parse(user).unwrap().uuid());
        let id = |id: Uuid| match self.url.sqlite_path() {
            Some(_) => format!("x'{}'", id.simple()),
            None => format!("'{id}'"),
        };
        let statement =
            format!("UPDATE tokens SET kind = 'personal', owner_user_id = {} WHERE id = {}", id(user), id(token));
        self.runtime.block_on(async { Sql::connect(&self.url).await.run(&statement).await }).unwrap();
    }

    /// Makes `count` tokens of the organisation that set-up made, with tags by this key; returns their secrets.
    pub(crate) fn seed_tokens(&self, tag_key: &str, count: usize) -> Vec<String> {
        let keyring = Keyring::new(&TagKey::from_hex(tag_key).unwrap(), &[]).unwrap();
        let organization = self.organization(Server::ORGANIZATION).id;
        let seed = Seed { store: self.store(), entropy: &SystemEntropy, organization, now: now() };
        let secrets = self.runtime.block_on(seed.tokens(&keyring, count)).unwrap();
        secrets.iter().map(|secret| secret.expose().to_owned()).collect()
    }

    /// Sets the scopes of each token, in the order of their ids, by its number.
    pub(crate) fn give_each_token(&self, scopes: impl Fn(usize) -> String) {
        let (column, literal) = match self.url.sqlite_path() {
            Some(_) => ("hex(id)", ("x'", "'")),
            None => ("id::text", ("'", "'")),
        };
        self.runtime.block_on(async {
            let mut sql = Sql::connect(&self.url).await;
            let ids = sql.lines(&format!("SELECT {column} AS line FROM tokens ORDER BY id")).await;
            let set = |(number, id): (usize, &String)| {
                format!("UPDATE tokens SET scopes = '{}' WHERE id = {}{id}{}; ", scopes(number), literal.0, literal.1)
            };
            let all: Vec<String> = ids.iter().enumerate().map(set).collect();
            for part in all.chunks(usize::try_from(PAGE).unwrap()) {
                sql.run(&format!("BEGIN; {}COMMIT", part.concat())).await.unwrap();
            }
        });
    }

    /// The organisation's tokens, newest first, up to the first for which `enough` is true.
    pub(crate) fn tokens(&self, organization: OrganizationId, enough: impl Fn(&Token) -> bool) -> Vec<Token> {
        let mut all: Vec<Token> = Vec::new();
        loop {
            let filter = TokenFilter {
                organization_id: organization,
                owner: TokenOwner::Organization.into(),
                project_id: None,
                status: None,
                name_contains: None,
                narrowed: Narrowing::default(),
                now: now(),
                after: all.last().map(|token| (token.facts.created_at, token.id)),
                until: None,
                limit: PAGE,
            };
            let read = self.store().read(move |reads| Box::pin(async move { reads.list_tokens(&filter).await }));
            let page = self.runtime.block_on(read).unwrap();
            let is_last = page.len() < usize::try_from(PAGE).unwrap();
            for token in page {
                if enough(&token) {
                    return all;
                }
                all.push(token);
            }
            if is_last {
                return all;
            }
        }
    }

    /// A person's unexpired sessions.
    pub(crate) fn sessions(&self, user: &User) -> Vec<Session> {
        let (id, at) = (user.id, now());
        let read =
            self.store().read(move |reads| Box::pin(async move { reads.sessions_of_user(id, None, at, 1_000).await }));
        self.runtime.block_on(read).unwrap()
    }

    /// Moves the time of the proofs of all the person's sessions into the past.
    pub(crate) fn age_proofs(&self, user: &User) {
        for session in self.sessions(user) {
            let (id, then) = (session.id, now() - Span::days(1));
            self.write(move |tx| Box::pin(async move { tx.set_session_proven(id, then).await.map(drop) }));
        }
    }

    /// Creates a session of the person that expires in `seconds`; returns its token.
    pub(crate) fn add_session_ending(&self, user: &User, seconds: u32) -> String {
        let now = now();
        let token = SessionToken::from_random(random(&SystemEntropy).unwrap());
        let session = Session {
            id: new_id(now, &SystemEntropy).unwrap(),
            user_id: user.id,
            organization_id: self.organization(Server::ORGANIZATION).id,
            user_agent: None,
            created_at: now,
            expires_at: now + Span::seconds(seconds),
            proven_at: Some(now),
            provider: None,
        };
        let digest = token.digest();
        self.write(move |tx| Box::pin(async move { tx.insert_session(&session, &digest).await }));
        token.expose().to_owned()
    }

    /// Has the person with `email` request another address; returns the code that would be mailed to it.
    pub(crate) fn add_address_code(&self, email: &str, requested: &str) -> String {
        let (now, user, requested) = (now(), self.user(email), Email::parse(requested).unwrap());
        let code = AddressCode::from_random(random(&SystemEntropy).unwrap());
        let (key, digest) = (requested.key(), code.digest());
        self.write(move |tx| {
            Box::pin(async move {
                tx.set_pending_email(user.id, Some(&requested), now).await?;
                tx.keep_address_code(user.id, &key, &digest, now + Span::days(1)).await
            })
        });
        code.expose().to_owned()
    }

    /// The code that would be mailed to the person `user` if they requested a new password.
    pub(crate) fn add_reset_code(&self, user: &str) -> String {
        let id: UserId = user.parse().unwrap();
        let account = self.store().read(move |reads| Box::pin(async move { reads.account(id).await }));
        let account = self.runtime.block_on(account).unwrap().unwrap();
        let code = ResetCode::from_random(random(&SystemEntropy).unwrap());
        let (digest, at) = (code.digest(), now());
        let reset = password_resets::for_account(&account, at, at).expect("a verified address and a password");
        self.write(move |tx| Box::pin(async move { tx.keep_password_reset(&reset, &digest).await }));
        code.expose().to_owned()
    }

    /// The events of a trail after the event `end`. Panics unless each follows its predecessor by number and hash.
    pub(crate) fn audit_after(&self, trail: Option<OrganizationId>, end: (i64, [u8; 32])) -> Vec<AuditRecord> {
        let (mut seq, mut hash) = end;
        let mut all = Vec::new();
        loop {
            let after = seq;
            let read = self.store().read(move |reads| {
                Box::pin(async move { reads.list_audit(&AuditFilter::chain(trail, after, PAGE)).await })
            });
            let page = self.runtime.block_on(read).unwrap();
            if page.is_empty() {
                return all;
            }
            for record in page {
                assert_eq!(record.seq, seq + 1, "a gap in the trail");
                assert_eq!(record.prev_hash, hash, "event {} does not follow the one before it", record.seq);
                assert_eq!(record.hash, audit::hash(&record), "event {} was changed", record.seq);
                (seq, hash) = (record.seq, record.hash);
                all.push(record);
            }
        }
    }

    /// The whole trail of the organisation that set-up made.
    pub(crate) fn audit(&self) -> Vec<AuditRecord> {
        self.audit_after(Some(self.organization(Server::ORGANIZATION).id), (0, [0; 32]))
    }

    /// The trail of the organisation with this slug.
    pub(crate) fn audit_of(&self, slug: &str) -> Vec<AuditRecord> {
        self.audit_after(Some(self.organization(slug).id), (0, [0; 32]))
    }

    /// The deployment's own trail.
    pub(crate) fn deployment_audit(&self) -> Vec<AuditRecord> {
        self.audit_after(None, (0, [0; 32]))
    }

    /// Adds `count` active tokens to the organisation that set-up made.
    pub(crate) fn fill_tokens(&self, count: u32) {
        let organization = self.organization(Server::ORGANIZATION).id;
        let made = now();
        self.write(move |tx| {
            Box::pin(async move {
                for number in 1..=count {
                    let mut token = test_support::records::token(organization, number);
                    token.facts = token_domain::token::TokenFacts::new(made, None);
                    tx.insert_token(&test_support::records::kept(token)).await?;
                }
                Ok(())
            })
        });
    }

    /// Puts a month of history behind the organisation that set-up made.
    pub(crate) fn fill_history(&self) {
        let (organization, person) = (self.organization(Server::ORGANIZATION).id, self.user(Server::OWNER).id);
        let seed = Seed { store: self.store(), entropy: &SystemEntropy, organization, now: now() };
        self.runtime.block_on(seed.month(person)).unwrap();
    }

    /// Counts uses of a token in each of the last `hours` hours.
    pub(crate) fn fill_uses(&self, token: &str, hours: u32, counts: UseCounts) {
        let (token_id, now) = (TokenId::parse(token).unwrap(), now());
        let hour = |ago: u32| Hour::of(now - Span::seconds(ago * 3_600));
        let counts: Vec<_> = (0..hours).map(|ago| TokenCount { token_id, hour: hour(ago), counts }).collect();
        self.write(move |tx| Box::pin(async move { tx.add_counts(&counts).await }));
    }

    /// Appends `count` events to the trail of the organisation that set-up made.
    pub(crate) fn fill_audit(&self, count: usize) {
        let (organization, at) = (self.organization(Server::ORGANIZATION).id, now());
        let origin =
            Origin { request_id: "filled".to_owned(), client_ip: None, presented_from: None, user_agent: None };
        self.write(move |tx| {
            Box::pin(async move {
                let mut trail = Trail::open(tx, Some(organization)).await?;
                for number in 0..count {
                    let event = Event::new(at, "test.event", Principal::System, &origin).with("number", number);
                    trail.append(tx, event).await?;
                }
                Ok(())
            })
        });
    }

    /// Holds the write lock of an SQLite database while `meanwhile` runs, like another process.
    pub(crate) fn while_locked<T>(&self, meanwhile: impl FnOnce() -> T) -> T {
        let (locked, is_locked) = std::sync::mpsc::channel();
        let (release, released) = std::sync::mpsc::channel::<()>();
        let store = self.store().clone();
        let holding = self.runtime.spawn(async move {
            store
                .write(move |tx| {
                    Box::pin(async move {
                        tx.meta_set("it.lock", "held").await?;
                        locked.send(()).unwrap();
                        // Blocks the store's writer thread, and so keeps the lock.
                        let _ = released.recv();
                        Ok::<_, StoreError>(())
                    })
                })
                .await
        });
        is_locked.recv().unwrap();
        let result = meanwhile();
        drop(release);
        self.runtime.block_on(holding).unwrap().unwrap();
        result
    }
}

impl Drop for Facts {
    fn drop(&mut self) {
        if let Some(store) = self.store.take() {
            self.runtime.block_on(store.shutdown());
        }
    }
}

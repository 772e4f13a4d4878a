//! The operations at the two ends of a unit of work: what it locks first, and what it writes last.
//!
//! They are apart from the other [operations](crate::operations) for the round trips they save on PostgreSQL, where a unit
//! holds its organisation's trail, and at its end everybody's log, for as long as its statements take. The first goes with
//! `BEGIN`. The others decide nothing, so they are not waited for: **they can fail with a later operation, or with the
//! unit,** so a constraint they may breach is to be looked for in what the unit ends with. On SQLite, a call away, each is done
//! at once.

use crate::backend::postgresql::Queue;
use crate::backend::{postgresql, sqlite};
use crate::model::{LogPlace, Opened, Opening, Standing, Touched};
use crate::operations::Operation;
use crate::unit::{Tx, TxSide};
use futures::future::{try_join4, try_join5};
use std::sync::{Arc, OnceLock};
use token_domain::Timestamp;
use token_domain::execution::RepositoryName;
use token_domain::id::OrganizationId;
use token_domain::record::{AuditHead, AuditRecord, NewToken};

/// Has something written at once on SQLite, and later on PostgreSQL, where what the statement borrows has to be kept.
macro_rules! written {
    ($tx:ident, $module:ident::$name:ident($($arg:expr),*) $(, keeping $kept:ident)?) => {{
        $tx.begin()?;
        let written = match &mut $tx.side {
            TxSide::Sqlite(connection) => sqlite::repo::$module::$name(connection, $($arg),*).await,
            TxSide::PostgreSql(transaction) => {
                $(let $kept = Box::new($kept.clone());)?
                let later = transaction.later(Box::new(move |mut connection| {
                    Box::pin(async move { postgresql::repo::$module::$name(&mut connection, $($arg),*).await })
                }));
                later.await
            }
        };
        $tx.note(&written);
        written
    }};
}

impl Tx {
    /// The end of a trail, held until the unit ends: the next event of the trail is this unit's. Call it first.
    pub fn audit_head(&mut self, organization: Option<OrganizationId>) -> Operation<'_, AuditHead> {
        Box::pin(async move {
            self.begin()?;
            let head = match &mut self.side {
                TxSide::Sqlite(connection) => sqlite::repo::audit::audit_head(connection, organization).await,
                TxSide::PostgreSql(transaction) => {
                    let head = transaction.first(Queue::Trail(organization), move |mut connection| {
                        Box::pin(
                            async move { postgresql::repo::audit::audit_head(&mut connection, organization).await },
                        )
                    });
                    head.await
                }
            };
            self.note(&head);
            head
        })
    }

    /// [`audit_head`](Self::audit_head), and, once the trail is held, what the change stands on: its person's row and its
    /// session's are locked, then the credential is read with all that decides what it may do, and the terms for new tokens.
    /// On PostgreSQL all of it is one round trip; each statement begins when the one before is done, and sees all that was
    /// committed by then. Locks are always taken in this order: trail, person, session.
    pub fn open(&mut self, opening: Opening) -> Operation<'_, Opened> {
        Box::pin(async move {
            self.begin()?;
            let opened = match &mut self.side {
                TxSide::Sqlite(connection) => {
                    let opened = async {
                        let head = sqlite::repo::audit::audit_head(connection, opening.trail).await?;
                        sqlite::repo::standing::hold_person(connection, opening).await?;
                        sqlite::repo::standing::hold_session(connection, opening).await?;
                        let standing = sqlite::repo::standing::standing(connection, opening).await?;
                        let terms = sqlite::repo::standing::terms(connection, opening).await?;
                        Ok(Opened { head, standing, terms })
                    };
                    opened.await
                }
                TxSide::PostgreSql(transaction) => {
                    let opened = transaction.first(Queue::Trail(opening.trail), move |connection| {
                        Box::pin(async move {
                            // One statement each, so that they are sent in this order.
                            let [mut one, mut two, mut three, mut four, mut five] = [connection; 5];
                            let head = postgresql::repo::audit::audit_head(&mut one, opening.trail);
                            let person = postgresql::repo::standing::hold_person(&mut two, opening);
                            let session = postgresql::repo::standing::hold_session(&mut three, opening);
                            let standing = postgresql::repo::standing::standing(&mut four, opening);
                            let terms = postgresql::repo::standing::terms(&mut five, opening);
                            let (head, (), (), standing, terms) =
                                try_join5(head, person, session, standing, terms).await?;
                            Ok(Opened { head, standing, terms })
                        })
                    });
                    opened.await
                }
            };
            self.note(&opened);
            opened
        })
    }

    /// What a submission to a repository stands on, locked as [`open`](Self::open) locks it, and the token's row as well,
    /// since the trail is not held. The unit takes its turn at the repository first, and locks it next.
    pub fn standing_to_submit<'o>(
        &'o mut self,
        opening: Opening,
        organization: OrganizationId,
        repository: &'o RepositoryName,
    ) -> Operation<'o, Option<Standing>> {
        Box::pin(async move {
            self.begin()?;
            let standing = match &mut self.side {
                TxSide::Sqlite(connection) => {
                    let standing = async {
                        sqlite::repo::standing::hold_person(connection, opening).await?;
                        sqlite::repo::standing::hold_session(connection, opening).await?;
                        sqlite::repo::standing::hold_token(connection, opening).await?;
                        sqlite::repo::standing::standing(connection, opening).await
                    };
                    standing.await
                }
                TxSide::PostgreSql(transaction) => {
                    let queue = Queue::Repository(organization, repository.clone());
                    let standing = transaction.first(queue, move |connection| {
                        Box::pin(async move {
                            let [mut one, mut two, mut three, mut four] = [connection; 4];
                            let person = postgresql::repo::standing::hold_person(&mut one, opening);
                            let session = postgresql::repo::standing::hold_session(&mut two, opening);
                            let token = postgresql::repo::standing::hold_token(&mut three, opening);
                            let standing = postgresql::repo::standing::standing(&mut four, opening);
                            let ((), (), (), standing) = try_join4(person, session, token, standing).await?;
                            Ok(standing)
                        })
                    });
                    standing.await
                }
            };
            self.note(&standing);
            standing
        })
    }

    /// Adds a token and what proves its secret. A successor is added before [`supersede_active`](Self::supersede_active) names it.
    pub fn insert_token<'o>(&'o mut self, record: &'o NewToken) -> Operation<'o, ()> {
        Box::pin(async move { written!(self, tokens::insert_token(&record), keeping record) })
    }

    /// Appends the event that follows the end of its trail.
    pub fn append_audit(&mut self, record: AuditRecord) -> Operation<'_, ()> {
        Box::pin(async move {
            self.note_event(&record);
            written!(self, audit::append_audit(&record))
        })
    }

    /// Logs changes, in the name of the node that makes them: one that was taken off the list of nodes changes nothing. Call it
    /// last: until the unit ends, others wait for theirs.
    pub fn append_log(&mut self, touched: Vec<Touched>, at: Timestamp) -> Operation<'_, Logged> {
        Box::pin(async move {
            let logged = Logged::default();
            if touched.is_empty() {
                return self.check().map(|()| logged);
            }
            let node = match &self.side {
                TxSide::Sqlite(_) => None,
                TxSide::PostgreSql(transaction) => transaction.node()?,
            };
            self.begin()?;
            let written = match &mut self.side {
                TxSide::Sqlite(connection) => {
                    sqlite::repo::log::append_log(connection, &touched, at, node).await.map(|place| logged.tell(place))
                }
                TxSide::PostgreSql(transaction) => {
                    let told = logged.clone();
                    let later = transaction.later(Box::new(move |mut connection| {
                        Box::pin(async move {
                            let place = postgresql::repo::log::append_log(&mut connection, &touched, at, node).await?;
                            told.tell(place);
                            Ok(())
                        })
                    }));
                    later.await
                }
            };
            self.note(&written);
            written.map(|()| logged)
        })
    }
}

/// Where a change stands in the log, known once its unit is committed.
#[derive(Clone, Debug, Default)]
pub struct Logged(Arc<OnceLock<LogPlace>>);

impl Logged {
    /// The place of the last entry; nothing where none was logged.
    pub fn place(&self) -> Option<LogPlace> {
        self.0.get().copied()
    }

    fn tell(&self, place: LogPlace) {
        // A unit logs once.
        let _ = self.0.set(place);
    }
}

//! The operations at the two ends of a unit of work: what it locks first, and what it writes last.
//!
//! They are apart from the other [operations](crate::operations) for the round trips they save on PostgreSQL, where a unit
//! holds its organisation's trail, and at its end everybody's log, for as long as its statements take. The first goes with
//! `BEGIN`. The others decide nothing, so they are not waited for: **they can fail with a later operation, or with the
//! unit,** so a constraint they may breach is to be looked for in what the unit ends with. On SQLite, a call away, each is done
//! at once.

use crate::backend::postgresql::Queue;
use crate::backend::{postgresql, sqlite};
use crate::model::{AuditHead, AuditRecord, Token, TokenTerms, Touched};
use crate::operations::Operation;
use crate::unit::{Tx, TxSide};
use futures::future::try_join;
use token_domain::Timestamp;
use token_domain::id::OrganizationId;
use token_domain::token::Kind;

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

    /// [`audit_head`](Self::audit_head), and [`token_terms`](Self::token_terms) as they are once the trail is held.
    pub fn audit_head_and_terms(
        &mut self,
        organization: OrganizationId,
        kind: Kind,
    ) -> Operation<'_, (AuditHead, TokenTerms)> {
        Box::pin(async move {
            self.begin()?;
            let both = match &mut self.side {
                TxSide::Sqlite(connection) => {
                    let both = async {
                        let head = sqlite::repo::audit::audit_head(connection, Some(organization)).await?;
                        Ok((head, sqlite::repo::policies::token_terms(connection, organization, kind).await?))
                    };
                    both.await
                }
                TxSide::PostgreSql(transaction) => {
                    // The second begins when the first is done, and sees all that was committed by then.
                    let both = transaction.first(Queue::Trail(Some(organization)), move |connection| {
                        Box::pin(async move {
                            let (mut first, mut second) = (connection, connection);
                            let head = postgresql::repo::audit::audit_head(&mut first, Some(organization));
                            let terms = postgresql::repo::policies::token_terms(&mut second, organization, kind);
                            try_join(head, terms).await
                        })
                    });
                    both.await
                }
            };
            self.note(&both);
            both
        })
    }

    /// Adds a token. A successor is added before [`supersede_active`](Self::supersede_active) names it.
    pub fn insert_token<'o>(&'o mut self, record: &'o Token) -> Operation<'o, ()> {
        Box::pin(async move { written!(self, tokens::insert_token(&record), keeping record) })
    }

    /// Appends the event that follows the end of its trail.
    pub fn append_audit(&mut self, record: AuditRecord) -> Operation<'_, ()> {
        Box::pin(async move { written!(self, audit::append_audit(&record)) })
    }

    /// Logs changes, in the epoch of the server that makes them: after another has taken over this fails. Call it last: until
    /// the unit ends, others wait for theirs.
    pub fn append_log(&mut self, touched: Vec<Touched>, at: Timestamp) -> Operation<'_, ()> {
        Box::pin(async move {
            if touched.is_empty() {
                return self.check();
            }
            let epoch = match &self.side {
                TxSide::Sqlite(_) => None,
                TxSide::PostgreSql(transaction) => transaction.epoch()?,
            };
            written!(self, log::append_log(&touched, at, epoch))
        })
    }
}

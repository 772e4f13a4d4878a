//! Two SQL types that keep ids and moments native and exact on both databases.
//!
//! An id is `uuid` on PostgreSQL and a 16-byte `BLOB` on SQLite; a moment is `timestamptz` (microseconds since 2000 on
//! the wire) and an `INTEGER` of microseconds since 1970. Diesel has no uuid for SQLite, and its own timestamp types
//! store text there, which is three times as long and compares by its spelling.

use diesel::backend::Backend;
use diesel::deserialize::{self, FromSql, FromSqlRow, Queryable};
use diesel::expression::AsExpression;
use diesel::pg::{Pg, PgValue};
use diesel::query_builder::QueryId;
use diesel::serialize::{self, IsNull, Output, ToSql};
use diesel::sql_types::{BigInt, SqlOrd, SqlType};
use diesel::sqlite::{Sqlite, SqliteValue};
use std::io::Write as _;
use token_domain::id::Kind;
use token_domain::{Id, Timestamp};
use uuid::Uuid;

/// A UUID.
#[derive(Clone, Copy, Debug, QueryId, SqlType)]
#[diesel(postgres_type(oid = 2950, array_oid = 2951))]
#[diesel(sqlite_type(name = "Binary"))]
pub struct Uid;

/// A moment, in whole microseconds.
#[derive(Clone, Copy, Debug, QueryId, SqlType)]
#[diesel(postgres_type(oid = 1184, array_oid = 1185))]
#[diesel(sqlite_type(name = "Long"))]
pub struct Moment;

impl SqlOrd for Moment {}

/// 2000-01-01T00:00:00Z, where PostgreSQL counts from, in microseconds since 1970.
pub(crate) const POSTGRES_EPOCH: i64 = 946_684_800_000_000;

/// An id on its way into a statement. (Diesel's own blanket implementation keeps `Id` from being a parameter itself.)
#[derive(AsExpression, Clone, Copy, Debug)]
#[diesel(sql_type = Uid)]
pub(crate) struct UidParam(Uuid);

/// A moment on its way into a statement.
#[derive(AsExpression, Clone, Copy, Debug)]
#[diesel(sql_type = Moment)]
pub(crate) struct MomentParam(Timestamp);

/// A value of the domain as a parameter of a statement.
pub(crate) trait Bind {
    /// The parameter's type.
    type Param;
    /// Wraps it.
    fn bind(self) -> Self::Param;
}

impl<K: Kind> Bind for Id<K> {
    type Param = UidParam;

    fn bind(self) -> UidParam {
        UidParam(self.uuid())
    }
}

impl Bind for Timestamp {
    type Param = MomentParam;

    fn bind(self) -> MomentParam {
        MomentParam(self)
    }
}

impl<T: Bind> Bind for Option<T> {
    type Param = Option<T::Param>;

    fn bind(self) -> Self::Param {
        self.map(T::bind)
    }
}

impl ToSql<Uid, Pg> for UidParam {
    fn to_sql<'b>(&'b self, out: &mut Output<'b, '_, Pg>) -> serialize::Result {
        out.write_all(self.0.as_bytes())?;
        Ok(IsNull::No)
    }
}

impl ToSql<Uid, Sqlite> for UidParam {
    fn to_sql<'b>(&'b self, out: &mut Output<'b, '_, Sqlite>) -> serialize::Result {
        out.set_value(self.0.as_bytes().as_slice());
        Ok(IsNull::No)
    }
}

impl<K: Kind> FromSql<Uid, Pg> for Id<K> {
    fn from_sql(value: PgValue<'_>) -> deserialize::Result<Self> {
        Ok(Self::from_uuid(Uuid::from_slice(value.as_bytes())?))
    }
}

impl<K: Kind> FromSql<Uid, Sqlite> for Id<K> {
    fn from_sql(mut value: SqliteValue<'_, '_, '_>) -> deserialize::Result<Self> {
        Ok(Self::from_uuid(Uuid::from_slice(value.read_blob())?))
    }
}

impl<K: Kind, DB: Backend> Queryable<Uid, DB> for Id<K>
where
    Self: FromSql<Uid, DB>,
{
    type Row = Self;

    fn build(row: Self) -> deserialize::Result<Self> {
        Ok(row)
    }
}

impl ToSql<Moment, Pg> for MomentParam {
    fn to_sql<'b>(&'b self, out: &mut Output<'b, '_, Pg>) -> serialize::Result {
        let micros = self.0.as_micros().checked_sub(POSTGRES_EPOCH).ok_or("a moment too early for PostgreSQL")?;
        out.write_all(&micros.to_be_bytes())?;
        Ok(IsNull::No)
    }
}

impl ToSql<Moment, Sqlite> for MomentParam {
    fn to_sql<'b>(&'b self, out: &mut Output<'b, '_, Sqlite>) -> serialize::Result {
        out.set_value(self.0.as_micros());
        Ok(IsNull::No)
    }
}

impl FromSql<Moment, Pg> for Timestamp {
    fn from_sql(value: PgValue<'_>) -> deserialize::Result<Self> {
        let micros = i64::from_be_bytes(value.as_bytes().try_into()?);
        let since_1970 = micros.checked_add(POSTGRES_EPOCH).ok_or("`infinity` is not a moment")?;
        Ok(Self::from_micros(since_1970))
    }
}

impl FromSql<Moment, Sqlite> for Timestamp {
    fn from_sql(value: SqliteValue<'_, '_, '_>) -> deserialize::Result<Self> {
        <i64 as FromSql<BigInt, Sqlite>>::from_sql(value).map(Self::from_micros)
    }
}

impl<DB: Backend> Queryable<Moment, DB> for Timestamp
where
    Self: FromSql<Moment, DB>,
{
    type Row = Self;

    fn build(row: Self) -> deserialize::Result<Self> {
        Ok(row)
    }
}

/// A digest of exactly 32 bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, FromSqlRow)]
pub(crate) struct Digest32(pub(crate) [u8; 32]);

impl<DB: Backend> FromSql<diesel::sql_types::Binary, DB> for Digest32
where
    Vec<u8>: FromSql<diesel::sql_types::Binary, DB>,
{
    fn from_sql(bytes: DB::RawValue<'_>) -> deserialize::Result<Self> {
        let bytes = Vec::<u8>::from_sql(bytes)?;
        let digest = bytes.try_into().map_err(|_| "a digest that is not 32 bytes long")?;
        Ok(Self(digest))
    }
}

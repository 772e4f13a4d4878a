//! Baselines: appended under the lock of their repository, the last one in force.

use super::Conn;
use crate::error::StoreError;
use crate::rows::BaselineRow;
use crate::schema::baselines;
use crate::sql_types::Bind;
use diesel::prelude::*;
use diesel_async::RunQueryDsl;
use token_domain::execution::CommitHash;
use token_domain::id::RepositoryId;
use token_domain::record::Baseline;

pub(crate) async fn baseline(conn: &mut Conn<'_>, repository: RepositoryId) -> Result<Option<Baseline>, StoreError> {
    let newest = baseline_history(conn, repository, None, 1).await?;
    Ok(newest.into_iter().next())
}

pub(crate) async fn baseline_history(
    conn: &mut Conn<'_>,
    repository: RepositoryId,
    before_seq: Option<i64>,
    limit: u32,
) -> Result<Vec<Baseline>, StoreError> {
    let mut page = baselines::table
        .filter(baselines::repository_id.eq(repository.bind()))
        .order(baselines::seq.desc())
        .limit(i64::from(limit))
        .select(BaselineRow::as_select())
        .into_boxed();
    if let Some(seq) = before_seq {
        page = page.filter(baselines::seq.lt(seq));
    }
    let rows: Vec<BaselineRow> = page.load(conn).await?;
    rows.into_iter().map(Baseline::try_from).collect()
}

pub(crate) async fn append_baseline(conn: &mut Conn<'_>, record: &Baseline) -> Result<(), StoreError> {
    diesel::insert_into(baselines::table)
        .values((
            baselines::repository_id.eq(record.repository_id.bind()),
            baselines::seq.eq(record.seq),
            baselines::coverage.eq(record.coverage.ten_thousandths()),
            baselines::commit_hash.eq(record.commit.as_ref().map(CommitHash::as_str)),
            baselines::measured_at.eq(record.measured_at.bind()),
            baselines::set_at.eq(record.set_at.bind()),
            baselines::set_by.eq(record.set_by.to_string()),
        ))
        .execute(conn)
        .await?;
    Ok(())
}

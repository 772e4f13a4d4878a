//! The totals that the database keeps of lists by page are what counting gives: after every operation, after what was
//! refused or rolled back, and after many at once.

use crate::projects::{actor, furnished, project, scope};
use crate::run::write;
use crate::sql::Sql;
use storage::model::{ActorEdit, Change, Revocation};
use storage::{Constraint, StoreError};
use test_support::Db;
use test_support::records::{T0, after, id};
use token_domain::access::ActorName;
use token_domain::id::ActorId;
use token_domain::record::Principal;
use token_domain::token::RevokeReason;

/// Selects the stored totals that differ from a count of the rows.
const WRONG: &str = "
SELECT 'projects' AS line FROM organizations o LEFT JOIN organization_totals t ON t.organization_id = o.id
    WHERE t.projects IS NULL OR t.projects <> (SELECT count(*) FROM projects WHERE organization_id = o.id)
UNION ALL SELECT 'access scopes' FROM projects p LEFT JOIN project_totals t ON t.project_id = p.id
    WHERE t.access_scopes IS NULL OR t.access_scopes <> (SELECT count(*) FROM access_scopes WHERE project_id = p.id)
UNION ALL SELECT 'actors' FROM projects p LEFT JOIN project_totals t ON t.project_id = p.id
    WHERE t.actors IS NULL OR t.actors <> (SELECT count(*) FROM actors WHERE project_id = p.id)
UNION ALL SELECT 'unscoped actors' FROM projects p LEFT JOIN project_totals t ON t.project_id = p.id
    WHERE t.unscoped_actors IS NULL
        OR t.unscoped_actors <> (SELECT count(*) FROM actors WHERE project_id = p.id AND access_scope_id IS NULL)
UNION ALL SELECT 'scoped actors' FROM access_scopes s
    LEFT JOIN access_scope_totals t ON t.project_id = s.project_id AND t.access_scope_id = s.id
    WHERE t.actors IS NULL
        OR t.actors <> (SELECT count(*) FROM actors WHERE project_id = s.project_id AND access_scope_id = s.id)";

/// Of the organisation its projects; of each project its access scopes, its actors and those in none; of each access scope
/// its actors.
const KEPT: &str = "
SELECT 'projects ' || projects AS line FROM organization_totals
UNION ALL SELECT slug || ': ' || access_scopes || ' ' || actors || ' ' || unscoped_actors
    FROM project_totals JOIN projects ON id = project_id WHERE slug IN ('project-1', 'project-2')
UNION ALL SELECT slug || ': ' || actors
    FROM access_scope_totals JOIN access_scopes ON id = access_scope_id WHERE slug IN ('scope-1', 'scope-2')";

const REVOKED: Revocation = Revocation { at: T0, reason: RevokeReason::OwnerRemoved, by: Principal::System };

/// The stored totals, after a check that they equal a count of the rows.
async fn kept(db: &Db, what: &str) -> String {
    let mut sql = Sql::connect(db.url()).await;
    assert_eq!(sql.lines(WRONG).await, Vec::<String>::new(), "{what}");
    let mut lines = sql.lines(KEPT).await;
    lines.sort();
    lines.join(", ")
}

/// A unit of work that must succeed, and what is kept after it.
macro_rules! then {
    ($db:expr, |$tx:ident| $work:expr) => {{
        let done = write($db.store(), move |$tx| {
            Box::pin(async move {
                $work.await?;
                Ok(())
            })
        });
        done.await.unwrap();
        kept($db, stringify!($work)).await
    }};
}

#[test]
fn totals_follow_every_operation() {
    Db::each(async |db| {
        let org = furnished(db.store()).await;
        let start = "project-1: 2 3 1, project-2: 1 0 0, projects 2, scope-1: 2, scope-2: 0";
        assert_eq!(kept(db, "furnished").await, start);

        assert!(then!(db, |tx| tx.insert_project(&project(org, 7))).contains("projects 3,"));
        assert!(then!(db, |tx| tx.delete_project(org, id(7))).contains("projects 2,"));
        let found = then!(db, |tx| tx.insert_access_scope(&scope(id(1), 7)));
        assert_eq!(found, "project-1: 3 3 1, project-2: 1 0 0, projects 2, scope-1: 2, scope-2: 0");
        assert_eq!(then!(db, |tx| tx.delete_access_scope(id(1), id(7))), start);

        let found = then!(db, |tx| tx.insert_actor(&actor(id(1), Some(id(2)), 7)));
        assert_eq!(found, "project-1: 2 4 1, project-2: 1 0 0, projects 2, scope-1: 2, scope-2: 1");
        let edit = |access_scope_id| ActorEdit {
            name: Some(ActorName::parse("Renamed").unwrap()),
            access_scope_id,
            ..ActorEdit::default()
        };
        for (change, expected) in [
            (Change::Keep, "project-1: 2 4 1, project-2: 1 0 0, projects 2, scope-1: 2, scope-2: 1"),
            (Change::Set(id(2)), "project-1: 2 4 1, project-2: 1 0 0, projects 2, scope-1: 2, scope-2: 1"),
            (Change::Set(id(1)), "project-1: 2 4 1, project-2: 1 0 0, projects 2, scope-1: 3, scope-2: 0"),
            (Change::Clear, "project-1: 2 4 2, project-2: 1 0 0, projects 2, scope-1: 2, scope-2: 0"),
            (Change::Clear, "project-1: 2 4 2, project-2: 1 0 0, projects 2, scope-1: 2, scope-2: 0"),
            (Change::Set(id(2)), "project-1: 2 4 1, project-2: 1 0 0, projects 2, scope-1: 2, scope-2: 1"),
        ] {
            let edit = edit(change);
            let found = then!(db, |tx| tx.update_actor(id(1), id(7), &edit, after(1)));
            assert_eq!(found, expected);
        }
        assert_eq!(then!(db, |tx| tx.delete_actor(id(1), id(7))), start);

        let all: [ActorId; 3] = [id(1), id(2), id(3)];
        let found = then!(db, |tx| tx.move_actors(id(1), &all, Some(id(2)), after(1)));
        assert_eq!(found, "project-1: 2 3 0, project-2: 1 0 0, projects 2, scope-1: 0, scope-2: 3");
        let found = then!(db, |tx| tx.move_actors(id(1), &all[1..], None, after(1)));
        assert_eq!(found, "project-1: 2 3 2, project-2: 1 0 0, projects 2, scope-1: 0, scope-2: 1");
        let found = then!(db, |tx| tx.unscope_actors(id(1), id(2), after(1)));
        assert_eq!(found, "project-1: 2 3 3, project-2: 1 0 0, projects 2, scope-1: 0, scope-2: 0");
        let found = then!(db, |tx| tx.move_actors(id(1), &all[..1], Some(id(1)), after(1)));
        assert_eq!(found, "project-1: 2 3 2, project-2: 1 0 0, projects 2, scope-1: 1, scope-2: 0");

        // Totals are deleted with the project that they belong to.
        assert_eq!(then!(db, |tx| tx.empty_project(id(1), &REVOKED)), "project-1: 0 0 0, project-2: 1 0 0, projects 2");
        assert_eq!(then!(db, |tx| tx.delete_project(org, id(1))), "project-2: 1 0 0, projects 1");
    });
}

#[test]
fn refused_and_undone_changes_are_not_counted() {
    Db::each(async |db| {
        let org = furnished(db.store()).await;
        let start = kept(db, "furnished").await;
        assert!(start.contains("projects 2"), "{start}");
        let refused = write(db.store(), |tx| Box::pin(tx.delete_access_scope(id(1), id(1)))).await;
        assert!(matches!(refused, Err(StoreError::Conflict(Constraint::Reference(_)))), "{refused:?}");
        assert_eq!(kept(db, "refused").await, start);
        let undone: Result<(), _> = write(db.store(), move |tx| {
            Box::pin(async move {
                tx.insert_project(&project(org, 7)).await?;
                tx.insert_access_scope(&scope(id(7), 8)).await?;
                tx.insert_actor(&actor(id(1), None, 9)).await?;
                tx.move_actors(id(1), &[id(1)], Some(id(2)), after(1)).await?;
                tx.delete_actor(id(1), id(3)).await?;
                Err(StoreError::Broken("enough".to_owned()))
            })
        })
        .await;
        assert_eq!(undone, Err(StoreError::Broken("enough".to_owned())));
        assert_eq!(kept(db, "rolled back").await, start);
    });
}

#[test]
fn totals_stay_right_when_many_change_at_once() {
    /// Units of work at once, and what each makes in turn.
    const WRITERS: u64 = 8;
    const ROUNDS: u64 = 12;
    Db::each(async |db| {
        furnished(db.store()).await;
        let writer = async |writer: u64| {
            for round in 0..ROUNDS {
                let number = 100 + writer * ROUNDS + round;
                let place = (round % 3 == 0).then(|| id(1));
                write(db.store(), move |tx| {
                    Box::pin(async move { tx.insert_actor(&actor(id(1), place, number)).await })
                })
                .await
                .unwrap();
                let moved = write(db.store(), move |tx| {
                    Box::pin(async move {
                        match round % 4 {
                            0 => tx.delete_actor(id(1), id(number)).await.map(drop),
                            1 => tx.move_actors(id(1), &[id(number)], Some(id(2)), after(1)).await.map(drop),
                            2 => tx.insert_access_scope(&scope(id(1), number)).await,
                            _ => tx.move_actors(id(1), &[id(number)], None, after(1)).await.map(drop),
                        }
                    })
                });
                moved.await.unwrap();
            }
        };
        futures::future::join_all((0..WRITERS).map(writer)).await;
        // Of twelve rounds three remove the actor, three put it into scope 2, three make an access scope while the actor
        // stays where it was made (in scope 1 once), and three put it into none.
        let expected = format!(
            "project-1: {} {} {}, project-2: 1 0 0, projects 2, scope-1: {}, scope-2: {}",
            2 + 3 * WRITERS,
            3 + 9 * WRITERS,
            1 + 5 * WRITERS,
            2 + WRITERS,
            3 * WRITERS,
        );
        assert_eq!(kept(db, "many at once").await, expected);
    });
}

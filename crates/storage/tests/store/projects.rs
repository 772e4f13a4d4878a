//! Projects, access scopes, actors, and lists of them.

use crate::run::{founded, read, write};
use crate::tokens::insert;
use storage::model::{AccessScopeEdit, ActorEdit, ActorFilter, Change, Listing, Page, Revocation, ScopedTo, TokenUse};
use storage::{Constraint, Store, StoreError};
use test_support::Db;
use test_support::records::{self, T0, after, id};
use token_domain::access::{
    ActorName, ActorType, Description, ExternalId, Metadata, OrderBy, Paging, ScopeDisplayName,
};
use token_domain::id::{AccessScopeId, OrganizationId, ProjectId};
use token_domain::record::{AccessScope, Actor, OwnerState, Principal, Project, Token, TokenOwner};
use token_domain::text::{Name, Slug};
use token_domain::token::RevokeReason;

pub(crate) fn project(organization_id: OrganizationId, number: u64) -> Project {
    Project {
        id: id(number),
        organization_id,
        name: Name::parse(&format!("Project {number}")).unwrap(),
        slug: Slug::parse(&format!("project-{number}")).unwrap(),
        created_at: T0,
        updated_at: T0,
    }
}

pub(crate) fn scope(project_id: ProjectId, number: u64) -> AccessScope {
    AccessScope {
        id: id(number),
        project_id,
        slug: Slug::parse(&format!("scope-{number}")).unwrap(),
        name: None,
        description: None,
        metadata: None,
        is_active: true,
        created_at: T0,
        updated_at: T0,
    }
}

pub(crate) fn actor(project_id: ProjectId, access_scope_id: Option<AccessScopeId>, number: u64) -> Actor {
    Actor {
        id: id(number),
        project_id,
        access_scope_id,
        name: ActorName::parse(&format!("Actor {number}")).unwrap(),
        actor_type: ActorType::Device,
        description: None,
        external_id: None,
        metadata: None,
        disabled_at: None,
        expires_at: None,
        last_used_at: None,
        created_at: T0,
        updated_at: T0,
    }
}

pub(crate) fn actor_token(org: OrganizationId, actor: &Actor, number: u32) -> Token {
    Token { owner: TokenOwner::Actor(actor.id), project_id: Some(actor.project_id), ..records::token(org, number) }
}

/// Organisation 1 with projects 1 and 2, scopes 1 and 2 in the first and 3 in the second, actors 1 and 2 (scoped) and 3.
pub(crate) async fn furnished(store: &Store) -> OrganizationId {
    let (org, _) = founded(store).await;
    write(store, move |tx| {
        Box::pin(async move {
            for number in [1, 2] {
                tx.insert_project(&project(org, number)).await?;
            }
            for (of, number) in [(1, 1), (1, 2), (2, 3)] {
                tx.insert_access_scope(&scope(id(of), number)).await?;
            }
            for (of, number) in [(Some(1), 1), (Some(1), 2), (None, 3)] {
                tx.insert_actor(&actor(id(1), of.map(id), number)).await?;
            }
            Ok(())
        })
    })
    .await
    .unwrap();
    org
}

fn listing(order: &str, page: &str, limit: &str) -> Listing {
    Listing {
        order: OrderBy::parse(order).unwrap(),
        paging: Paging::parse(Some(page), Some(limit)).unwrap(),
        search: None,
    }
}

#[test]
fn projects_are_made_changed_and_removed() {
    Db::each(async |db| {
        let store = db.store();
        let org = furnished(store).await;
        assert_eq!(read(store, |r| Box::pin(r.project(org, id(1)))).await, Some(project(org, 1)));
        assert_eq!(read(store, |r| Box::pin(r.project(id(9), id(1)))).await, None);
        let twin = Project { slug: project(org, 1).slug, ..project(org, 5) };
        let refused = write(store, move |tx| Box::pin(async move { tx.insert_project(&twin).await })).await;
        assert_eq!(refused, Err(StoreError::Conflict(Constraint::ProjectSlug)));
        let changed = write(store, move |tx| {
            Box::pin(async move {
                assert_eq!(tx.update_project(id(9), id(1), None, None, T0).await?, None);
                let slug = Slug::parse("other").unwrap();
                tx.update_project(org, id(1), None, Some(&slug), after(1)).await
            })
        });
        let expected = Project { slug: Slug::parse("other").unwrap(), updated_at: after(1), ..project(org, 1) };
        assert_eq!(changed.await, Ok(Some(expected)));
        let full = write(store, move |tx| Box::pin(tx.delete_project(org, id(1)))).await;
        assert!(matches!(full, Err(StoreError::Conflict(Constraint::Reference(_)))), "{full:?}");
        let emptied = write(store, move |tx| {
            Box::pin(async move {
                tx.delete_access_scope(id(2), id(3)).await?;
                assert!(!tx.delete_project(id(9), id(2)).await?);
                tx.delete_project(org, id(2)).await
            })
        });
        assert_eq!(emptied.await, Ok(true));
    });
}

#[test]
fn every_field_of_an_access_scope_reads_back_and_changes() {
    Db::each(async |db| {
        let store = db.store();
        furnished(store).await;
        let full = AccessScope {
            name: Some(ScopeDisplayName::parse("Café 7").unwrap()),
            description: Some(Description::parse("Two\nlines").unwrap()),
            metadata: Some(Metadata::parse(r#"{"b":[1,2],"a":null}"#).unwrap()),
            is_active: false,
            updated_at: after(2),
            ..scope(id(1), 7)
        };
        let copy = full.clone();
        write(store, move |tx| Box::pin(async move { tx.insert_access_scope(&copy).await })).await.unwrap();
        assert_eq!(read(store, |r| Box::pin(r.access_scope(id(1), id(7)))).await.as_ref(), Some(&full));
        assert_eq!(read(store, |r| Box::pin(r.access_scope(id(2), id(7)))).await, None);

        let twin = AccessScope { id: id(8), ..full.clone() };
        let refused = write(store, move |tx| Box::pin(async move { tx.insert_access_scope(&twin).await })).await;
        assert_eq!(refused, Err(StoreError::Conflict(Constraint::AccessScopeSlug)));

        let edit = move |project, edit: AccessScopeEdit| {
            write(store, move |tx| {
                Box::pin(async move { tx.update_access_scope(project, id(7), &edit, after(3)).await })
            })
        };
        let expected = AccessScope { updated_at: after(3), ..full };
        assert_eq!(edit(id(1), AccessScopeEdit::default()).await, Ok(Some(expected.clone())));
        let cleared = AccessScopeEdit {
            name: Change::Clear,
            description: Change::Set(Description::parse("New").unwrap()),
            metadata: Change::Clear,
            is_active: Some(true),
        };
        let expected = AccessScope {
            name: None,
            description: Some(Description::parse("New").unwrap()),
            metadata: None,
            is_active: true,
            ..expected
        };
        assert_eq!(edit(id(1), cleared).await, Ok(Some(expected)));
        assert_eq!(edit(id(2), AccessScopeEdit::default()).await, Ok(None));
    });
}

#[test]
fn removing_an_access_scope_unscopes_its_actors() {
    Db::each(async |db| {
        let store = db.store();
        furnished(store).await;
        let held = write(store, |tx| Box::pin(tx.delete_access_scope(id(1), id(1)))).await;
        assert!(matches!(held, Err(StoreError::Conflict(Constraint::Reference(_)))), "{held:?}");
        let removed = write(store, |tx| {
            Box::pin(async move {
                assert_eq!(tx.unscope_actors(id(2), id(1), after(1)).await?, []);
                let mut unscoped = tx.unscope_actors(id(1), id(1), after(1)).await?;
                unscoped.sort();
                Ok((unscoped, tx.delete_access_scope(id(1), id(1)).await?, tx.delete_access_scope(id(1), id(1)).await?))
            })
        });
        assert_eq!(removed.await, Ok((vec![id(1), id(2)], true, false)));
        let unscoped = read(store, |r| Box::pin(r.actor(id(1), id(1)))).await.unwrap();
        assert_eq!((unscoped.access_scope_id, unscoped.updated_at), (None, after(1)));
        // The slug may be used again.
        let again = AccessScope { id: id(50), ..scope(id(1), 1) };
        write(store, move |tx| Box::pin(async move { tx.insert_access_scope(&again).await })).await.unwrap();
    });
}

#[test]
fn every_field_of_an_actor_reads_back_and_changes() {
    Db::each(async |db| {
        let store = db.store();
        furnished(store).await;
        let full = Actor {
            name: ActorName::parse("Drone").unwrap(),
            actor_type: ActorType::Agent,
            description: Some(Description::parse("Delivers.").unwrap()),
            external_id: Some(ExternalId::parse("ext-1").unwrap()),
            metadata: Some(Metadata::default()),
            disabled_at: Some(after(1)),
            expires_at: Some(after(9)),
            ..actor(id(1), Some(id(2)), 7)
        };
        let (copy, stranger) = (full.clone(), actor(id(1), Some(id(3)), 8));
        write(store, move |tx| Box::pin(async move { tx.insert_actor(&copy).await })).await.unwrap();
        assert_eq!(read(store, |r| Box::pin(r.actor(id(1), id(7)))).await.as_ref(), Some(&full));
        assert_eq!(read(store, |r| Box::pin(r.actor(id(2), id(7)))).await, None);
        let refused = write(store, move |tx| Box::pin(async move { tx.insert_actor(&stranger).await })).await;
        assert!(matches!(refused, Err(StoreError::Conflict(Constraint::Reference(_)))), "{refused:?}");

        let edit = move |project, edit: ActorEdit| {
            write(store, move |tx| Box::pin(async move { tx.update_actor(project, id(7), &edit, after(3)).await }))
        };
        let expected = Actor { updated_at: after(3), ..full };
        assert_eq!(edit(id(1), ActorEdit::default()).await, Ok(Some(expected)));
        let changed = ActorEdit {
            name: Some(ActorName::parse("Renamed").unwrap()),
            actor_type: Some(ActorType::Server),
            description: Change::Clear,
            external_id: Change::Clear,
            metadata: Change::Clear,
            access_scope_id: Change::Clear,
            disabled_at: Change::Clear,
            expires_at: Change::Set(after(20)),
        };
        let expected = Actor {
            name: ActorName::parse("Renamed").unwrap(),
            actor_type: ActorType::Server,
            expires_at: Some(after(20)),
            updated_at: after(3),
            ..actor(id(1), None, 7)
        };
        assert_eq!(edit(id(1), changed).await, Ok(Some(expected)));
        assert_eq!(edit(id(2), ActorEdit::default()).await, Ok(None));
        for actor_type in ActorType::ALL {
            let edited = edit(id(1), ActorEdit { actor_type: Some(actor_type), ..ActorEdit::default() }).await;
            assert_eq!(edited.unwrap().unwrap().actor_type, actor_type);
        }
        let foreign = ActorEdit { access_scope_id: Change::Set(id(3)), ..ActorEdit::default() };
        assert!(matches!(edit(id(1), foreign).await, Err(StoreError::Conflict(Constraint::Reference(_)))));
    });
}

#[test]
fn an_actor_shows_its_last_use_and_goes_with_its_tokens() {
    Db::each(async |db| {
        let store = db.store();
        let org = furnished(store).await;
        let first = actor(id(1), Some(id(1)), 1);
        let mut tokens = vec![actor_token(org, &first, 1), actor_token(org, &first, 2), records::token(org, 3)];
        tokens[1].rotated_from = Some(id(1));
        insert(store, tokens).await;
        let revocation = Revocation { at: after(4), reason: RevokeReason::OwnerRemoved, by: Principal::System };
        write(store, move |tx| {
            Box::pin(async move {
                let uses = [(1, 5), (2, 8), (3, 99)];
                let uses = uses.map(|(number, at)| TokenUse { token_id: id(number), last_used_at: after(at) });
                tx.record_uses(&uses).await?;
                tx.revoke_token(org, id(1), &revocation).await.map(drop)
            })
        })
        .await
        .unwrap();
        let seen = read(store, |r| Box::pin(r.actor(id(1), id(1)))).await.unwrap();
        assert_eq!(seen.last_used_at, Some(after(8)));
        let touched = async |limit| {
            read(store, move |r| Box::pin(async move { r.tokens_of_actors(&[id(1), id(2)], limit).await })).await
        };
        let mut all = touched(9).await;
        all.sort();
        assert_eq!(all, [id(1), id(2)]);
        assert_eq!(touched(1).await.len(), 1);
        assert_eq!(read(store, |r| Box::pin(r.tokens_of_actors(&[], 9))).await, []);
        let of_each = async |limit| {
            read(store, move |r| Box::pin(async move { r.tokens_by_actor(&[id(1), id(2)], limit).await })).await
        };
        let mut owned = of_each(9).await;
        owned.sort();
        assert_eq!(owned, [(id(1), id(1)), (id(1), id(2))]);
        assert_eq!(of_each(1).await.len(), 1);
        assert_eq!(read(store, |r| Box::pin(r.tokens_by_actor(&[], 9))).await, []);

        let removed = write(store, |tx| {
            Box::pin(async move {
                assert_eq!(tx.delete_actor(id(2), id(1)).await?, None);
                let mut gone = tx.delete_actor(id(1), id(1)).await?.unwrap();
                gone.sort();
                assert_eq!(tx.delete_actor(id(1), id(1)).await?, None);
                Ok((gone, tx.delete_actor(id(1), id(2)).await?))
            })
        });
        assert_eq!(removed.await, Ok((vec![id(1), id(2)], Some(vec![]))));
        assert_eq!(read(store, |r| Box::pin(r.token(org, id(2)))).await, None);
        assert!(read(store, |r| Box::pin(r.token(org, id(3)))).await.is_some());
    });
}

#[test]
fn an_actors_token_comes_with_its_boundary_as_it_is_now() {
    Db::each(async |db| {
        let store = db.store();
        let org = furnished(store).await;
        let (scoped, free) = (actor(id(1), Some(id(1)), 1), actor(id(1), None, 3));
        insert(store, vec![actor_token(org, &scoped, 1), actor_token(org, &free, 2)]).await;
        let owner = async |hint| match store.candidates(hint).await.unwrap().remove(0).owner {
            OwnerState::Actor { actor_id, project_id, disabled_at, expires_at, access_scope } => {
                assert_eq!(project_id, id(1));
                (actor_id, disabled_at, expires_at, access_scope)
            }
            other => panic!("{other:?}"),
        };
        let slug = scope(id(1), 1).slug;
        assert_eq!(owner(1).await, (id(1), None, None, Some((id(1), slug.clone(), true))));
        assert_eq!(owner(2).await, (id(3), None, None, None));
        write(store, |tx| {
            Box::pin(async move {
                let off = AccessScopeEdit { is_active: Some(false), ..AccessScopeEdit::default() };
                tx.update_access_scope(id(1), id(1), &off, after(1)).await?;
                let ending = ActorEdit {
                    disabled_at: Change::Set(after(1)),
                    expires_at: Change::Set(after(2)),
                    ..ActorEdit::default()
                };
                tx.update_actor(id(1), id(1), &ending, after(1)).await.map(drop)
            })
        })
        .await
        .unwrap();
        assert_eq!(owner(1).await, (id(1), Some(after(1)), Some(after(2)), Some((id(1), slug, false))));
    });
}

#[test]
fn lists_come_in_every_order_page_by_page() {
    Db::each(async |db| {
        let store = db.store();
        let (org, _) = founded(store).await;
        // number, slug, name, created, updated
        let rows: [(u64, &str, Option<&str>, u32, u32); 6] = [
            (1, "b", Some("zoo"), 3, 3),
            (2, "a-1", Some("Zoo"), 1, 9),
            (3, "a", None, 2, 4),
            (4, "a1", Some("ähre"), 2, 4),
            (5, "c", Some("aal"), 5, 5),
            (6, "d", None, 6, 6),
        ];
        write(store, move |tx| {
            Box::pin(async move {
                tx.insert_project(&project(org, 1)).await?;
                for (number, slug, name, created, updated) in rows {
                    let record = AccessScope {
                        slug: Slug::parse(slug).unwrap(),
                        name: name.map(|name| ScopeDisplayName::parse(name).unwrap()),
                        created_at: after(created),
                        updated_at: after(updated),
                        ..scope(id(1), number)
                    };
                    tx.insert_access_scope(&record).await?;
                }
                Ok(())
            })
        })
        .await
        .unwrap();
        let list = async |listing: Listing| {
            let page: Page<AccessScope> =
                read(store, move |r| Box::pin(async move { r.list_access_scopes(id(1), &listing).await })).await;
            (page.items.into_iter().map(|scope| scope.id).collect::<Vec<_>>(), page.total)
        };
        for (order, expected) in [
            ("slug:ASC", [3, 2, 4, 1, 5, 6]),
            ("name:ASC", [2, 5, 1, 4, 3, 6]),
            ("createdAt:ASC", [2, 3, 4, 1, 5, 6]),
            ("updatedAt:ASC", [1, 3, 4, 5, 6, 2]),
        ] {
            let expected: Vec<AccessScopeId> = expected.into_iter().map(id).collect();
            assert_eq!(list(listing(order, "1", "100")).await, (expected.clone(), 6), "{order}");
            let mut reversed = expected.clone();
            reversed.reverse();
            let downwards = order.replace("ASC", "DESC");
            assert_eq!(list(listing(&downwards, "1", "100")).await.0, reversed, "{downwards}");
            assert_eq!(list(listing(order, "2", "4")).await, (expected[4..].to_vec(), 6), "{order}");
        }
        assert_eq!(list(listing("slug:ASC", "1000000000000000000", "100")).await, (vec![], 6));
        let search = |text: &str| Listing { search: Some(text.to_owned()), ..listing("slug:ASC", "1", "10") };
        assert_eq!(list(search("ZO")).await, (vec![id(2), id(1)], 2));
        assert_eq!(list(search("A-")).await, (vec![id(2)], 1));
        assert_eq!(list(search("_")).await, (vec![], 0));
    });
}

#[test]
fn actors_and_projects_are_listed_too() {
    Db::each(async |db| {
        let store = db.store();
        let org = furnished(store).await;
        let token = actor_token(org, &actor(id(1), Some(id(1)), 2), 1);
        insert(store, vec![Token { last_used_at: Some(after(7)), ..token }]).await;
        let actors = async |project, scoped_to, search: Option<&str>| {
            let listing = Listing { search: search.map(str::to_owned), ..listing("slug:ASC", "1", "10") };
            let filter = ActorFilter { project_id: project, scoped_to };
            let page = read(store, move |r| Box::pin(async move { r.list_actors(&filter, &listing).await })).await;
            let seen: Vec<_> = page.items.iter().map(|actor| (actor.id, actor.last_used_at)).collect();
            (seen, page.total)
        };
        let (first, second, third) = ((id(1), None), (id(2), Some(after(7))), (id(3), None));
        assert_eq!(actors(id(1), ScopedTo::Anything, None).await, (vec![first, second, third], 3));
        assert_eq!(actors(id(1), ScopedTo::Nothing, None).await, (vec![third], 1));
        assert_eq!(actors(id(1), ScopedTo::This(id(1)), None).await, (vec![first, second], 2));
        assert_eq!(actors(id(1), ScopedTo::This(id(2)), None).await, (vec![], 0));
        assert_eq!(actors(id(1), ScopedTo::Anything, Some("TOR 2")).await, (vec![second], 1));
        assert_eq!(actors(id(2), ScopedTo::Anything, None).await, (vec![], 0));

        let page =
            read(store, |r| Box::pin(async move { r.list_projects(org, &listing("name:DESC", "1", "1")).await }));
        assert_eq!(page.await, Page { items: vec![project(org, 2)], total: 2 });
        let page = read(store, |r| Box::pin(async move { r.list_projects(id(9), &listing("slug", "1", "1")).await }));
        assert_eq!(page.await, Page { items: vec![], total: 0 });
    });
}

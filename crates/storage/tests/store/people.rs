//! Organisations, people, memberships, roles, sessions.

use crate::run::{founded, read, write};
use storage::model::Organization;
use storage::{Constraint, StoreError};
use test_support::Db;
use test_support::records::{self, T0, after, id};
use token_domain::person::{BuiltInRole, RoleRef};
use token_domain::text::{Email, Name};

#[test]
fn an_organisation_is_written_and_read_back() {
    Db::each(async |db| {
        let store = db.store();
        assert_eq!(read(store, |r| Box::pin(r.count_organizations())).await, 0);
        let mut first = records::organization(1);
        first.token_cap = Some(u32::MAX);
        first.disabled_at = Some(after(3));
        let copy = first.clone();
        write(store, move |tx| Box::pin(async move { tx.insert_organization(&copy).await })).await.unwrap();
        let (id, slug) = (first.id, first.slug.clone());
        assert_eq!(read(store, |r| Box::pin(r.organization(id))).await.as_ref(), Some(&first));
        let by_slug = read(store, |r| Box::pin(async move { r.organization_by_slug(&slug).await })).await;
        assert_eq!(by_slug.as_ref(), Some(&first));
        assert_eq!(read(store, |r| Box::pin(r.count_organizations())).await, 1);
        assert_eq!(read(store, |r| Box::pin(r.organization(records::id(2)))).await, None);

        let mut twin = records::organization(2);
        twin.slug = first.slug.clone();
        let refused = write(store, move |tx| Box::pin(async move { tx.insert_organization(&twin).await })).await;
        assert_eq!(refused, Err(StoreError::Conflict(Constraint::OrganizationSlug)));
    });
}

#[test]
fn an_organisation_is_changed_one_thing_at_a_time() {
    Db::each(async |db| {
        let store = db.store();
        let (org, _) = founded(store).await;
        let changed = write(store, move |tx| {
            Box::pin(async move {
                assert!(tx.lock_organization(org).await?);
                assert!(!tx.lock_organization(id(99)).await?);
                tx.rename_organization(org, &Name::parse("Renamed").unwrap(), after(1)).await?;
                tx.set_token_cap(org, Some(5), after(2)).await?;
                tx.set_organization_disabled(org, Some(after(3)), after(3)).await
            })
        })
        .await
        .unwrap();
        let expected = Organization {
            name: Name::parse("Renamed").unwrap(),
            token_cap: Some(5),
            disabled_at: Some(after(3)),
            updated_at: after(3),
            ..records::organization(1)
        };
        assert_eq!(changed.as_ref(), Some(&expected));
        let lifted = write(store, move |tx| {
            Box::pin(async move {
                assert_eq!(tx.set_token_cap(id(99), None, after(4)).await?, None);
                tx.set_token_cap(org, None, after(4)).await?;
                tx.set_organization_disabled(org, None, after(5)).await
            })
        })
        .await
        .unwrap()
        .unwrap();
        assert_eq!((lifted.token_cap, lifted.disabled_at), (None, None));
    });
}

#[test]
fn a_person_is_found_by_address_without_regard_to_case() {
    Db::each(async |db| {
        let store = db.store();
        let (_, user_id) = founded(store).await;
        let found = read(store, |r| Box::pin(r.user_by_email_key("person1@example.org"))).await;
        assert_eq!(found, Some(records::user(1)));
        assert_eq!(read(store, |r| Box::pin(r.user_by_email_key("Person1@example.org"))).await, None);

        let mut twin = records::user(2);
        twin.email = Email::parse("PERSON1@EXAMPLE.ORG").unwrap();
        let refused = write(store, move |tx| Box::pin(async move { tx.insert_user(&twin).await })).await;
        assert_eq!(refused, Err(StoreError::Conflict(Constraint::UserEmail)));

        let changed = write(store, move |tx| {
            Box::pin(async move {
                assert!(tx.set_password(user_id, Some("$argon2id$x"), after(1)).await?);
                assert!(!tx.set_password(id(9), None, after(1)).await?);
                tx.set_user_disabled(user_id, Some(after(2)), after(2)).await?;
                assert_eq!(tx.update_user(id(9), None, None, after(3)).await?, None);
                let email = Email::parse("Ada@Example.org").unwrap();
                tx.update_user(user_id, None, Some(&email), after(3)).await
            })
        })
        .await
        .unwrap()
        .unwrap();
        assert_eq!(changed.name, records::user(1).name);
        assert_eq!(changed.email.as_str(), "Ada@Example.org");
        assert_eq!(changed.password_hash.as_deref(), Some("$argon2id$x"));
        assert_eq!((changed.disabled_at, changed.updated_at), (Some(after(2)), after(3)));
        assert_eq!(read(store, |r| Box::pin(r.user_by_email_key("ada@example.org"))).await, Some(changed.clone()));
        assert_eq!(read(store, |r| Box::pin(r.user(user_id))).await, Some(changed));
    });
}

#[test]
fn a_membership_stands_on_organisation_person_and_role() {
    Db::each(async |db| {
        let store = db.store();
        let (org, owner) = founded(store).await;
        let role = records::role(org, 1);
        let (second, role_copy) = (records::user(2), role.clone());
        write(store, move |tx| {
            Box::pin(async move {
                tx.insert_role(&role_copy).await?;
                tx.insert_user(&second).await?;
                tx.insert_membership(&records::membership(org, second.id, RoleRef::Custom(role_copy.id))).await
            })
        })
        .await
        .unwrap();

        let standing = read(store, |r| Box::pin(r.membership_standing(org, id(2)))).await.unwrap();
        assert_eq!(standing.role, RoleRef::Custom(role.id));
        assert_eq!(standing.custom_scopes.as_ref(), Some(&role.scopes));
        assert_eq!(standing.custom_name.as_ref(), Some(&role.name));
        assert_eq!((standing.organization, standing.user), (records::organization(1), records::user(2)));
        let standing = read(store, |r| Box::pin(r.membership_standing(org, owner))).await.unwrap();
        assert_eq!((standing.role, standing.custom_scopes), (RoleRef::BuiltIn(BuiltInRole::Owner), None));
        assert_eq!(read(store, |r| Box::pin(r.membership_standing(org, id(3)))).await, None);

        let members = read(store, |r| Box::pin(r.members(org))).await;
        let listed: Vec<_> = members.iter().map(|(user, place)| (user.id, place.role)).collect();
        assert_eq!(listed, [(owner, RoleRef::BuiltIn(BuiltInRole::Owner)), (id(2), RoleRef::Custom(role.id))]);
        let organizations = read(store, |r| Box::pin(r.memberships_of_user(owner))).await;
        assert_eq!(organizations, [(records::organization(1), RoleRef::BuiltIn(BuiltInRole::Owner))]);
        assert_eq!(read(store, |r| Box::pin(r.members_of_role(org, id(1)))).await, [id(2)]);

        let again = records::member(org, owner, BuiltInRole::Viewer);
        let refused = write(store, move |tx| Box::pin(async move { tx.insert_membership(&again).await })).await;
        assert_eq!(refused, Err(StoreError::Conflict(Constraint::Membership)));
    });
}

#[test]
fn a_membership_is_changed_and_ended() {
    Db::each(async |db| {
        let store = db.store();
        let (org, owner) = founded(store).await;
        let session = records::session(org, owner, 1);
        let digest = session.token_digest;
        write(store, move |tx| {
            Box::pin(async move {
                tx.insert_session(&session).await?;
                assert_eq!(tx.count_owners(org).await?, 1);
                let changed = tx.set_membership_role(org, owner, RoleRef::BuiltIn(BuiltInRole::Admin)).await?;
                assert_eq!(changed, Some(records::member(org, owner, BuiltInRole::Admin)));
                assert_eq!(tx.count_owners(org).await?, 0);
                let absent = tx.set_membership_role(org, id(9), RoleRef::BuiltIn(BuiltInRole::Admin)).await?;
                assert_eq!(absent, None);
                Ok(())
            })
        })
        .await
        .unwrap();
        let by_digest = read(store, |r| Box::pin(async move { r.session_by_digest(&digest).await })).await;
        assert_eq!(by_digest.map(|found| found.standing.role), Some(RoleRef::BuiltIn(BuiltInRole::Admin)));
        let ended = write(store, move |tx| {
            Box::pin(
                async move { Ok((tx.delete_membership(org, owner).await?, tx.delete_membership(org, owner).await?)) },
            )
        });
        assert_eq!(ended.await, Ok((true, false)));
        // The session went with the membership.
        assert_eq!(read(store, |r| Box::pin(async move { r.session_by_digest(&digest).await })).await, None);
    });
}

#[test]
fn roles_are_named_once_and_removed_only_when_nobody_wears_them() {
    Db::each(async |db| {
        let store = db.store();
        let (org, _) = founded(store).await;
        let (member, role) = (records::user(2), records::role(org, 1));
        write(store, move |tx| {
            Box::pin(async move {
                tx.insert_role(&role).await?;
                tx.insert_user(&member).await?;
                tx.insert_membership(&records::membership(org, member.id, RoleRef::Custom(role.id))).await
            })
        })
        .await
        .unwrap();

        let mut twin = records::role(org, 2);
        twin.name = Name::parse("ROLE 1").unwrap();
        let refused = write(store, move |tx| Box::pin(async move { tx.insert_role(&twin).await })).await;
        assert_eq!(refused, Err(StoreError::Conflict(Constraint::RoleName)));
        let mut spaced = records::role(org, 3);
        spaced.scopes = vec!["two words".to_owned()];
        let refused = write(store, move |tx| Box::pin(async move { tx.insert_role(&spaced).await })).await;
        assert!(matches!(refused, Err(StoreError::Broken(_))), "{refused:?}");
        let worn = write(store, move |tx| Box::pin(async move { tx.delete_role(org, id(1)).await })).await;
        assert!(matches!(worn, Err(StoreError::Conflict(Constraint::Reference(_)))), "{worn:?}");

        let renamed = write(store, move |tx| {
            Box::pin(async move {
                assert_eq!(tx.update_role(id(9), id(1), None, None, after(1)).await?, None);
                let name = Name::parse("Auditors").unwrap();
                tx.update_role(org, id(1), Some(&name), Some(&["audit:read".to_owned()]), after(1)).await
            })
        });
        let renamed = renamed.await.unwrap().unwrap();
        assert_eq!(
            (renamed.name.as_str(), renamed.scopes.as_slice()),
            ("Auditors", ["audit:read".to_owned()].as_slice())
        );
        assert_eq!(renamed.updated_at, after(1));
        assert_eq!(read(store, |r| Box::pin(r.role(org, id(1)))).await, Some(renamed.clone()));
        assert_eq!(read(store, |r| Box::pin(r.role(id(9), id(1)))).await, None);
        assert_eq!(read(store, |r| Box::pin(r.roles(org))).await, [renamed]);

        let removed = write(store, move |tx| {
            Box::pin(async move {
                let moved = tx.move_members(org, id(1), RoleRef::BuiltIn(BuiltInRole::Viewer)).await?;
                Ok((moved, tx.delete_role(org, id(1)).await?, tx.delete_role(org, id(1)).await?))
            })
        });
        assert_eq!(removed.await, Ok((vec![id(2)], true, false)));
        let standing = read(store, |r| Box::pin(r.membership_standing(org, id(2)))).await.unwrap();
        assert_eq!(standing.role, RoleRef::BuiltIn(BuiltInRole::Viewer));
    });
}

#[test]
fn sessions_are_found_by_digest_and_ended() {
    Db::each(async |db| {
        let store = db.store();
        let (org, user) = founded(store).await;
        let sessions: Vec<_> = (1..=4)
            .map(|number| {
                let mut session = records::session(org, user, number);
                session.created_at = after(u32::try_from(number).unwrap());
                session.user_agent = (number > 1).then(|| "curl".to_owned());
                session
            })
            .collect();
        let copies = sessions.clone();
        write(store, move |tx| {
            Box::pin(async move {
                for session in &copies {
                    tx.insert_session(session).await?;
                }
                Ok(())
            })
        })
        .await
        .unwrap();
        let mut twin = sessions[0].clone();
        twin.id = id(50);
        let refused = write(store, move |tx| Box::pin(async move { tx.insert_session(&twin).await })).await;
        assert_eq!(refused, Err(StoreError::Conflict(Constraint::SessionDigest)));

        let digest = sessions[0].token_digest;
        let found = read(store, |r| Box::pin(async move { r.session_by_digest(&digest).await })).await.unwrap();
        assert_eq!(found.session, sessions[0]);
        assert_eq!(found.standing.user.id, user);
        assert_eq!(read(store, |r| Box::pin(r.session_by_digest(&[9; 32]))).await, None);

        let ids = |listed: Vec<storage::model::Session>| listed.into_iter().map(|s| s.id).collect::<Vec<_>>();
        let all = [id(4), id(3), id(2), id(1)];
        assert_eq!(ids(read(store, |r| Box::pin(r.sessions_of_user(user, None, T0))).await), all);
        assert_eq!(ids(read(store, |r| Box::pin(r.sessions_of_user(user, Some(org), T0))).await), all);
        assert_eq!(ids(read(store, |r| Box::pin(r.sessions_of_user(user, Some(id(9)), T0))).await), []);
        let end = sessions[0].expires_at;
        assert_eq!(ids(read(store, |r| Box::pin(r.sessions_of_user(user, None, end))).await), []);

        let mut ended = write(store, move |tx| {
            Box::pin(async move {
                assert!(!tx.delete_session(id(9), id(1)).await?);
                assert!(tx.delete_session(user, id(1)).await?);
                assert!(!tx.delete_session(user, id(1)).await?);
                tx.delete_sessions_of_user(user, Some(id(3))).await
            })
        })
        .await
        .unwrap();
        ended.sort();
        assert_eq!(ended, [id(2), id(4)]);
        let expired = write(store, move |tx| {
            Box::pin(async move {
                assert_eq!(tx.delete_expired_sessions(T0, 10).await?, 0);
                let expired = tx.delete_expired_sessions(end, 10).await?;
                assert_eq!(tx.delete_sessions_of_user(user, None).await?, []);
                Ok(expired)
            })
        });
        assert_eq!(expired.await, Ok(1));
    });
}

//! Organisations, people, memberships, roles, sessions.

use crate::run::{founded, read, write};
use storage::model::Revocation;
use storage::{Constraint, StoreError};
use test_support::Db;
use test_support::records::{self, T0, after, id};
use token_domain::id::OrganizationId;
use token_domain::leak::LeakAction;
use token_domain::person::{BuiltInRole, RoleRef};
use token_domain::record::{Account, Invitation, Invited, Organization, Principal, SessionUse, Token, TokenOwner};
use token_domain::text::{Email, Name};
use token_domain::token::RevokeReason;

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

        let second = records::organization(2);
        let copy = second.clone();
        write(store, move |tx| Box::pin(async move { tx.insert_organization(&copy).await })).await.unwrap();
        assert_eq!(read(store, |r| Box::pin(r.list_organizations(None, 10))).await, [first.clone(), second.clone()]);
        assert_eq!(read(store, |r| Box::pin(r.list_organizations(None, 1))).await, [first.clone()]);
        let rest = read(store, |r| Box::pin(async move { r.list_organizations(Some(&first.slug), 10).await })).await;
        assert_eq!(rest, [second]);
    });
}

#[test]
fn an_organisation_is_changed_one_thing_at_a_time() {
    Db::each(async |db| {
        let store = db.store();
        let (org, _) = founded(store).await;
        let changed = write(store, move |tx| {
            Box::pin(async move {
                tx.rename_organization(org, &Name::parse("Renamed").unwrap(), after(1)).await?;
                tx.set_token_cap(org, Some(5), after(2)).await?;
                tx.set_leak_action(org, LeakAction::Notify, after(2)).await?;
                tx.set_organization_disabled(org, Some(after(3)), after(3)).await
            })
        })
        .await
        .unwrap();
        let expected = Organization {
            name: Name::parse("Renamed").unwrap(),
            token_cap: Some(5),
            leak_action: LeakAction::Notify,
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
        let refused = write(store, move |tx| Box::pin(async move { tx.insert_user(&twin, None).await })).await;
        assert_eq!(refused, Err(StoreError::Conflict(Constraint::UserEmail)));

        let changed = write(store, move |tx| {
            Box::pin(async move {
                assert!(tx.set_password(user_id, Some("$argon2id$x"), after(1)).await?);
                assert!(!tx.set_password(id(9), None, after(1)).await?);
                tx.set_user_disabled(user_id, Some(after(2)), after(2)).await?;
                let asked = Email::parse("person1@elsewhere.example").unwrap();
                assert!(tx.set_pending_email(user_id, Some(&asked), after(2)).await?);
                let pending = tx.user(user_id).await?.and_then(|user| user.pending_email);
                assert_eq!(pending, Some(asked), "beside the one that counts");
                let email = Email::parse("Ada@Example.org").unwrap();
                assert!(!tx.set_email(id(9), &email, None, after(3)).await?);
                assert!(tx.set_email(user_id, &email, None, after(3)).await?);
                tx.account(user_id).await
            })
        })
        .await
        .unwrap()
        .unwrap();
        let Account { user: changed, password_hash } = changed;
        assert_eq!((changed.verified, &changed.pending_email), (None, &None));
        assert_eq!(changed.name, records::user(1).name);
        assert_eq!(changed.email.as_str(), "Ada@Example.org");
        assert_eq!(password_hash.as_deref(), Some("$argon2id$x"));
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
                tx.insert_user(&second, None).await?;
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

        let members = read(store, |r| Box::pin(r.list_members(org, None, 10))).await;
        let listed: Vec<_> = members.iter().map(|m| (m.user.id, m.membership.role, m.custom_name.as_ref())).collect();
        let expected =
            [(id(2), RoleRef::Custom(role.id), Some(&role.name)), (owner, RoleRef::BuiltIn(BuiltInRole::Owner), None)];
        assert_eq!(listed, expected);
        let rest = read(store, |r| Box::pin(r.list_members(org, Some((T0, id(2))), 10))).await;
        assert_eq!(rest.iter().map(|m| m.user.id).collect::<Vec<_>>(), [owner], "those who joined at once go by id");
        assert_eq!(read(store, |r| Box::pin(r.list_members(org, None, 1))).await.len(), 1);
        assert_eq!(read(store, |r| Box::pin(r.members_of_role(org, id(1), 9))).await, [id(2)]);
        assert_eq!(read(store, |r| Box::pin(r.count_members_of_role(org, id(1)))).await, 1);
        assert_eq!(read(store, |r| Box::pin(r.count_members_of_role(org, id(9)))).await, 0);

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
        let digest = records::digest(session.id);
        write(store, move |tx| {
            Box::pin(async move {
                tx.insert_session(&session, &digest).await?;
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
                tx.insert_user(&member, None).await?;
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
fn the_last_use_of_a_session_is_noted_and_goes_with_it() {
    Db::each(async |db| {
        let store = db.store();
        let (org, user) = founded(store).await;
        let sessions = [1, 2].map(|number| records::session(org, user, number));
        let [first, second] = [sessions[0].id, sessions[1].id];
        let noted = |session_id, seconds, address: Option<&str>| SessionUse {
            session_id,
            last_used_at: after(seconds),
            address: address.map(str::to_owned),
        };
        let written =
            [noted(first, 1, Some("203.0.113.7")), noted(second, 1, None), noted(first, 90, Some("2001:db8::7"))];
        write(store, move |tx| {
            Box::pin(async move {
                for session in &sessions {
                    tx.insert_session(session, &records::digest(session.id)).await?;
                }
                for note in &written {
                    tx.note_session_use(note).await?;
                }
                Ok(())
            })
        })
        .await
        .unwrap();
        let known = async || {
            let mut found = read(store, move |r| Box::pin(r.session_uses(user, 1_000))).await;
            found.sort_by_key(|last| last.session_id);
            found
        };
        assert_eq!(known().await, [noted(first, 90, Some("2001:db8::7")), noted(second, 1, None)]);
        assert!(write(store, move |tx| Box::pin(tx.delete_session(user, first))).await.unwrap());
        assert_eq!(known().await, [noted(second, 1, None)]);
        let gone = noted(first, 99, None);
        let refused = write(store, move |tx| Box::pin(async move { tx.note_session_use(&gone).await })).await;
        assert!(refused.is_err(), "a session that is gone has no uses");
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
                    tx.insert_session(session, &records::digest(session.id)).await?;
                }
                Ok(())
            })
        })
        .await
        .unwrap();
        let mut twin = sessions[0].clone();
        twin.id = id(50);
        let digest = records::digest(sessions[0].id);
        let refused = write(store, move |tx| Box::pin(async move { tx.insert_session(&twin, &digest).await })).await;
        assert_eq!(refused, Err(StoreError::Conflict(Constraint::SessionDigest)));

        let found = read(store, |r| Box::pin(async move { r.session_by_digest(&digest).await })).await.unwrap();
        assert_eq!(found.session, sessions[0]);
        assert_eq!(found.standing.user.id, user);
        assert_eq!(read(store, |r| Box::pin(r.session_by_digest(&[9; 32]))).await, None);

        let ids = |listed: Vec<token_domain::record::Session>| listed.into_iter().map(|s| s.id).collect::<Vec<_>>();
        let all = [id(4), id(3), id(2), id(1)];
        assert_eq!(ids(read(store, |r| Box::pin(r.sessions_of_user(user, None, T0, 9))).await), all);
        assert_eq!(ids(read(store, |r| Box::pin(r.sessions_of_user(user, Some(org), T0, 9))).await), all);
        assert_eq!(ids(read(store, |r| Box::pin(r.sessions_of_user(user, Some(id(9)), T0, 9))).await), []);
        assert_eq!(ids(read(store, |r| Box::pin(r.sessions_of_user(user, None, T0, 2))).await), all[..2]);
        let end = sessions[0].expires_at;
        assert_eq!(ids(read(store, |r| Box::pin(r.sessions_of_user(user, None, end, 9))).await), []);

        let ended = write(store, move |tx| {
            Box::pin(async move {
                assert!(!tx.delete_session(id(9), id(1)).await?);
                assert!(tx.delete_session(user, id(1)).await?);
                assert!(!tx.delete_session(user, id(1)).await?);
                tx.delete_sessions_of_user(user, Some(id(3))).await
            })
        })
        .await
        .unwrap();
        assert_eq!(ended, 2);
        assert_eq!(ids(read(store, |r| Box::pin(r.sessions_of_user(user, None, T0, 9))).await), [id(3)]);
        let expired = write(store, move |tx| {
            Box::pin(async move {
                assert_eq!(tx.delete_expired_sessions(T0, 10).await?, 0);
                let expired = tx.delete_expired_sessions(end, 10).await?;
                assert_eq!(tx.delete_sessions_of_user(user, None).await?, 0);
                Ok(expired)
            })
        });
        assert_eq!(expired.await, Ok(1));
    });
}

#[test]
fn a_person_is_found_in_every_organisation_they_are_in() {
    Db::each(async |db| {
        let store = db.store();
        let (org, owner) = founded(store).await;
        write(store, move |tx| {
            Box::pin(async move {
                let role = records::role(id(3), 1);
                for number in [3, 2] {
                    tx.insert_organization(&records::organization(number)).await?;
                }
                tx.insert_role(&role).await?;
                let mut place = records::membership(id(3), owner, RoleRef::Custom(role.id));
                place.created_at = after(5);
                tx.insert_membership(&place).await?;
                let stranger = records::user(9);
                tx.insert_user(&stranger, None).await?;
                tx.insert_membership(&records::member(id(2), stranger.id, BuiltInRole::Owner)).await
            })
        })
        .await
        .unwrap();
        let first = records::organization(1).slug;
        let all = read(store, |r| Box::pin(r.organizations_of_user(owner, None, 10))).await;
        let seen: Vec<_> = all.iter().map(|home| (home.organization.id, home.custom_name.is_some())).collect();
        assert_eq!(seen, [(org, false), (id(3), true)]);
        let rest =
            read(store, |r| Box::pin(async move { r.organizations_of_user(owner, Some(&first), 10).await })).await;
        assert_eq!(rest, all[1..]);
        assert_eq!(read(store, |r| Box::pin(r.organizations_of_user(owner, None, 1))).await, all[..1]);

        for (one, other, share) in [(owner, owner, true), (owner, id(9), false), (id(9), owner, false)] {
            assert_eq!(read(store, |r| Box::pin(r.share_organization(one, other))).await, share);
        }
        // The one joined first, unless it is closed to them.
        assert_eq!(read(store, |r| Box::pin(r.first_organization(owner))).await, Some(org));
        let off = write(store, move |tx| Box::pin(tx.set_membership_disabled(org, owner, Some(after(6)))));
        assert_eq!(off.await, Ok(true));
        assert_eq!(read(store, |r| Box::pin(r.first_organization(owner))).await, Some(id(3)));
        write(store, |tx| Box::pin(tx.set_organization_disabled(id(3), Some(after(6)), after(6)))).await.unwrap();
        assert_eq!(read(store, |r| Box::pin(r.first_organization(owner))).await, None);
    });
}

#[test]
fn a_member_is_switched_off_in_one_organisation() {
    Db::each(async |db| {
        let store = db.store();
        let (org, owner) = founded(store).await;
        let switched = write(store, move |tx| {
            Box::pin(async move {
                let second = records::user(2);
                tx.insert_user(&second, None).await?;
                tx.insert_membership(&records::member(org, second.id, BuiltInRole::Owner)).await?;
                for number in [1, 2] {
                    let session = records::session(org, owner, number);
                    tx.insert_session(&session, &records::digest(session.id)).await?;
                }
                let session = records::session(org, second.id, 3);
                tx.insert_session(&session, &records::digest(session.id)).await?;
                assert_eq!(tx.count_owners(org).await?, 2);
                assert!(tx.set_membership_disabled(org, owner, Some(after(1))).await?);
                assert!(!tx.set_membership_disabled(id(9), owner, Some(after(1))).await?);
                assert_eq!(tx.delete_sessions_of_member(org, owner, None).await?, 2);
                assert_eq!(tx.delete_sessions_of_member(org, owner, None).await?, 0);
                tx.count_owners(org).await
            })
        });
        assert_eq!(switched.await, Ok(1), "one who is switched off does not count");
        let standing = read(store, |r| Box::pin(r.membership_standing(org, owner))).await.unwrap();
        assert_eq!((standing.disabled_at, standing.user.disabled_at), (Some(after(1)), None));
        assert_eq!(standing.joined_at, T0);
        let counted = write(store, move |tx| {
            Box::pin(async move {
                tx.set_membership_disabled(org, owner, None).await?;
                tx.set_user_disabled(id(2), Some(after(2)), after(2)).await?;
                tx.count_owners(org).await
            })
        });
        assert_eq!(counted.await, Ok(1), "nor does one who is switched off everywhere");
    });
}

#[test]
fn the_keys_of_people_are_found_in_one_organisation() {
    Db::each(async |db| {
        let store = db.store();
        let (org, owner) = founded(store).await;
        let keys = write(store, move |tx| {
            Box::pin(async move {
                let elsewhere = records::organization(2);
                tx.insert_organization(&elsewhere).await?;
                let key_of = |number| Token { owner: TokenOwner::Person(owner), ..records::token(org, number) };
                tx.insert_token(&records::kept(key_of(1))).await?;
                tx.insert_token(&records::kept(key_of(2))).await?;
                tx.insert_token(&records::kept(records::token(org, 3))).await?;
                tx.insert_token(&records::kept(Token { organization_id: elsewhere.id, ..key_of(4) })).await?;
                let revocation = Revocation { at: after(1), reason: RevokeReason::Requested, by: Principal::System };
                tx.revoke_token(org, id(2), &revocation).await?;
                assert_eq!(tx.keys_of_people(org, &[], 9).await?, []);
                assert_eq!(tx.keys_of_people(org, &[owner, id(9)], 1).await?.len(), 1);
                let mut keys = tx.keys_of_people(org, &[owner, id(9)], 9).await?;
                keys.sort();
                Ok(keys)
            })
        });
        assert_eq!(keys.await, Ok(vec![id(1), id(2)]), "dead ones included");
    });
}

/// An invitation to the organisation of that number.
fn invitation(organization: OrganizationId, number: u64, role: RoleRef) -> Invitation {
    Invitation {
        id: id(number),
        organization_id: organization,
        email: Email::parse(&format!("Guest{number}@example.org")).unwrap(),
        role,
        created_by: Principal::System,
        sponsor: None,
        created_at: after(u32::try_from(number).unwrap()),
        expires_at: after(1_000),
    }
}

#[test]
fn an_invitation_is_written_listed_taken_once_and_forgotten() {
    Db::each(async |db| {
        let store = db.store();
        let (org, owner) = founded(store).await;
        let role = records::role(org, 1);
        let mut first = invitation(org, 1, RoleRef::Custom(role.id));
        first.sponsor = Some(owner);
        first.created_by = Principal::User(owner);
        let second = invitation(org, 2, RoleRef::BuiltIn(BuiltInRole::Viewer));
        let (one, two, name) = (first.clone(), second.clone(), role.name.clone());
        write(store, move |tx| {
            Box::pin(async move {
                tx.insert_role(&role).await?;
                tx.insert_invitation(&one, &records::digest(one.id)).await?;
                tx.insert_invitation(&two, &records::digest(two.id)).await
            })
        })
        .await
        .unwrap();
        let all = read(store, |r| Box::pin(r.list_invitations(org, None, 10))).await;
        let listed = |invitation: &Invitation, name: Option<&Name>| Invited {
            invitation: invitation.clone(),
            custom_name: name.cloned(),
        };
        assert_eq!(all, [listed(&second, None), listed(&first, Some(&name))]);
        let rest = read(store, |r| Box::pin(r.list_invitations(org, Some((after(2), id(2))), 10))).await;
        assert_eq!(rest, all[1..]);
        assert_eq!(read(store, |r| Box::pin(r.list_invitations(id(9), None, 10))).await, []);
        let found = read(store, |r| Box::pin(r.invitation_for(org, "guest1@example.org"))).await;
        assert_eq!(found.as_ref(), Some(&first));
        assert_eq!(read(store, |r| Box::pin(r.invitation_for(id(9), "guest1@example.org"))).await, None);
        let digest = records::digest(second.id);
        let found = read(store, |r| Box::pin(async move { r.invitation_by_digest(&digest).await })).await;
        assert_eq!(found.as_ref(), Some(&second));

        let third = invitation(org, 3, second.role);
        let twin = Invitation { email: second.email.clone(), ..third.clone() };
        for (twin, digest, constraint) in
            [(twin, records::digest(third.id), Constraint::Invitation), (third, digest, Constraint::InvitationDigest)]
        {
            let refused = write(store, move |tx| Box::pin(async move { tx.insert_invitation(&twin, &digest).await }));
            let refused = refused.await;
            assert_eq!(refused, Err(StoreError::Conflict(constraint)));
        }
        // A role that is offered stays until the offers are changed.
        let worn = write(store, move |tx| Box::pin(tx.delete_role(org, id(1)))).await;
        assert!(matches!(worn, Err(StoreError::Conflict(Constraint::Reference(_)))), "{worn:?}");
        let taken = write(store, move |tx| {
            Box::pin(async move {
                let viewer = RoleRef::BuiltIn(BuiltInRole::Viewer);
                assert_eq!(tx.move_invitations(org, id(1), viewer).await?, 1);
                assert!(tx.delete_role(org, id(1)).await?);
                assert_eq!(tx.take_invitation(&digest, after(1_000)).await?, None, "it has expired by then");
                let taken = tx.take_invitation(&digest, after(999)).await?;
                assert_eq!(tx.take_invitation(&digest, after(999)).await?, None);
                Ok(taken)
            })
        });
        assert_eq!(taken.await, Ok(Some(second)));
        let withdrawn = write(store, move |tx| {
            Box::pin(async move {
                assert_eq!(tx.delete_invitation(id(9), id(1)).await?, None);
                let withdrawn = tx.delete_invitation(org, id(1)).await?;
                assert_eq!(tx.delete_invitation(org, id(1)).await?, None);
                let other = invitation(org, 5, RoleRef::BuiltIn(BuiltInRole::Owner));
                tx.insert_invitation(&other, &records::digest(other.id)).await?;
                assert_eq!(tx.delete_invitations_before(after(1_000), 10).await?, 0);
                assert_eq!(tx.delete_invitations_before(after(1_001), 10).await?, 1);
                Ok(withdrawn.map(|invitation| invitation.role))
            })
        });
        assert_eq!(withdrawn.await, Ok(Some(RoleRef::BuiltIn(BuiltInRole::Viewer))));
    });
}

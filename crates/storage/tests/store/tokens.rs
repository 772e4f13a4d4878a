//! Tokens: what is written, listed, changed and revoked.

use crate::run::{founded, read, write};
use storage::model::{Change, LeakAlert, Narrowing, OwnerFilter, Revocation};
use storage::model::{StatusCounts, TokenEdit, TokenFilter, TokenUse};
use storage::{Constraint, Store, StoreError};
use test_support::Db;
use test_support::records::{self, T0, after, id};
use token_domain::access::{Description, ExternalId, Metadata};
use token_domain::id::{OrganizationId, TokenId};
use token_domain::leak::{LeakAction, LeakSource};
use token_domain::record::{Hint, Principal, StoredSecret, Token, TokenDetails, TokenLeak, TokenOwner};
use token_domain::text::{AgentType, Name};
use token_domain::token::{AllowedNetworks, Explanation, RevokeCause};
use token_domain::token::{GraceMode, RevokeReason, Revoked, Status, Superseded, TokenFacts};
use token_domain::{Span, Timestamp};

const REVOKED: Revocation = Revocation { at: T0, reason: RevokeReason::Requested, by: Principal::System };

pub(crate) async fn insert(store: &Store, tokens: Vec<Token>) {
    let inserted = write(store, move |tx| {
        Box::pin(async move {
            for token in tokens {
                tx.insert_token(&records::kept(token)).await?;
            }
            Ok(())
        })
    });
    inserted.await.unwrap();
}

async fn get(store: &Store, org: OrganizationId, token: TokenId) -> Token {
    read(store, move |r| Box::pin(r.token(org, token))).await.unwrap()
}

fn filter(org: OrganizationId) -> TokenFilter {
    TokenFilter {
        organization_id: org,
        owner: TokenOwner::Organization.into(),
        project_id: None,
        status: None,
        name_contains: None,
        narrowed: Narrowing::default(),
        now: T0,
        after: None,
        until: None,
        limit: 1000,
    }
}

async fn list(store: &Store, filter: TokenFilter) -> Vec<TokenId> {
    let listed = read(store, move |r| Box::pin(async move { r.list_tokens(&filter).await })).await;
    listed.into_iter().map(|token| token.id).collect()
}

#[test]
fn every_field_reads_back() {
    Db::each(async |db| {
        let store = db.store();
        let (org, user) = founded(store).await;
        let plain = records::token(org, 1);
        let full = Token {
            owner: TokenOwner::Person(user),
            name: Name::parse("Ключ 👩‍💻").unwrap(),
            agent_type: AgentType::parse("github_actions").unwrap(),
            scopes: vec!["scans:run".to_owned(), "projects:read".to_owned(), "user".to_owned()],
            facts: TokenFacts {
                created_at: T0,
                expires_at: Some(Timestamp::MAX),
                superseded: Some(Superseded {
                    at: after(1),
                    by: plain.id,
                    grace_ends_at: after(1),
                    mode: GraceMode::FirstUse,
                }),
                revoked: Some(Revoked { at: after(2), reason: RevokeReason::RotationCancelled }),
            },
            lifetime: Some(Span::days(36_500)),
            created_by: Principal::Token(plain.id),
            revoked_by: Some(Principal::User(user)),
            rotated_from: Some(plain.id),
            first_used_at: Some(after(3)),
            last_used_at: Some(after(4)),
            reuse_detected_at: Some(after(5)),
            details: TokenDetails {
                description: Some(Description::parse("Two\nlines").unwrap()),
                external_id: Some(ExternalId::parse("customer/42").unwrap()),
                metadata: Some(Metadata::parse(r#"{"plan":"gold"}"#).unwrap()),
                allowed_networks: Some(AllowedNetworks::parse(&["10.0.0.0/8", "2001:db8::/32"]).unwrap()),
            },
            explanation: Explanation {
                cause: Some(RevokeCause::PersonLeft),
                note: Some(Description::parse("Left in May").unwrap()),
            },
            hint: Hint::parse("00ff").unwrap(),
            ..records::token(org, 2)
        };
        insert(store, vec![plain.clone(), full.clone()]).await;
        assert_eq!(get(store, org, plain.id).await, plain);
        assert_eq!(get(store, org, full.id).await, full);
        assert_eq!(read(store, |r| Box::pin(r.token(id(9), plain.id))).await, None);
    });
}

/// Facts at every side of every moment that matters, seen at second 10.
fn every_fact() -> Vec<TokenFacts> {
    let superseded = |end| Superseded { at: after(5), by: id(1), grace_ends_at: after(end), mode: GraceMode::Fixed };
    let mut facts = Vec::new();
    for expires_at in [None, Some(after(9)), Some(after(10)), Some(after(11))] {
        for superseded in [None, Some(superseded(9)), Some(superseded(10)), Some(superseded(11))] {
            for revoked in [None, Some(Revoked { at: after(6), reason: RevokeReason::Leaked })] {
                facts.push(TokenFacts { created_at: T0, expires_at, superseded, revoked });
            }
        }
    }
    facts
}

#[test]
fn the_status_filter_says_what_the_domain_says() {
    Db::each(async |db| {
        let store = db.store();
        let (org, _) = founded(store).await;
        let now = after(10);
        let mut tokens = Vec::new();
        for (index, mut facts) in (0_u32..).zip(every_fact()) {
            // Each is superseded by a token of its own.
            let successor = records::token(org, 1_000 + index);
            facts.superseded = facts.superseded.map(|superseded| Superseded { by: successor.id, ..superseded });
            let token =
                Token { facts, revoked_by: facts.revoked.map(|_| Principal::System), ..records::token(org, index) };
            tokens.extend([successor, token]);
        }
        insert(store, tokens.clone()).await;
        for status in Status::ALL {
            let mut expected: Vec<_> =
                tokens.iter().filter(|token| token.facts.status(now) == status).map(|token| token.id).collect();
            expected.sort();
            expected.reverse();
            let listed = list(store, TokenFilter { status: Some(status), now, ..filter(org) }).await;
            assert_eq!(listed, expected, "{status}");
        }
        let live = tokens.iter().filter(|token| token.facts.status(now).is_live()).count();
        let of = |status| u64::try_from(tokens.iter().filter(|t| t.facts.status(now) == status).count()).unwrap();
        let expected = StatusCounts {
            active: of(Status::Active),
            rotating: of(Status::Rotating),
            expired: of(Status::Expired),
            revoked: of(Status::Revoked),
        };
        let all = TokenFilter { now, ..filter(org) };
        let counts = read(store, move |r| Box::pin(async move { r.count_tokens(&all).await })).await;
        assert_eq!(counts, expected);
        let living = TokenFilter { now, ..filter(org) };
        let mut ids = read(store, move |r| Box::pin(async move { r.live_token_ids(&living).await })).await;
        ids.sort();
        let mut expected: Vec<_> =
            tokens.iter().filter(|token| token.facts.status(now).is_live()).map(|token| token.id).collect();
        expected.sort();
        assert_eq!(ids, expected);
        let counted = read(store, |r| Box::pin(r.live_token_count(org, now))).await;
        assert_eq!(usize::try_from(counted), Ok(live));
    });
}

#[test]
fn only_a_token_that_the_domain_calls_active_is_superseded() {
    Db::each(async |db| {
        let store = db.store();
        let (org, _) = founded(store).await;
        let now = after(10);
        for (index, mut facts) in (0_u32..).zip(every_fact()) {
            let [first, second] = [records::token(org, 1_000 + index), records::token(org, 2_000 + index)];
            facts.superseded = facts.superseded.map(|superseded| Superseded { by: first.id, ..superseded });
            let token =
                Token { facts, revoked_by: facts.revoked.map(|_| Principal::System), ..records::token(org, index) };
            let (old, by) = (token.id, second.id);
            insert(store, vec![first, second, token]).await;
            let superseded = write(store, move |tx| {
                Box::pin(tx.supersede_active(org, old, by, now, after(20), GraceMode::Fixed, now))
            })
            .await
            .unwrap();
            let expected = facts.supersede(now, by, Span::seconds(10), GraceMode::Fixed);
            match expected {
                // The store takes the end it is given; that it lies before the expiry is the domain's business.
                Ok(expected) => assert_eq!(
                    superseded.unwrap().facts.superseded.map(|s| (s.at, s.by, s.mode)),
                    expected.superseded.map(|s| (s.at, s.by, s.mode)),
                ),
                Err(_) => assert_eq!(superseded, None, "{facts:?}"),
            }
            let cancelled = write(store, move |tx| Box::pin(tx.cancel_supersession(org, old, now))).await.unwrap();
            let before = expected.unwrap_or(facts);
            match before.cancel_rotation(now) {
                Ok((facts, successor)) => {
                    let (token, by) = cancelled.unwrap();
                    assert_eq!((token.facts, by), (facts, successor));
                }
                Err(_) => assert_eq!(cancelled, None, "{before:?}"),
            }
        }
    });
}

#[test]
fn a_rotation_needs_the_right_organisation_and_an_unused_successor() {
    Db::each(async |db| {
        let store = db.store();
        let (org, _) = founded(store).await;
        insert(store, (1..=4).map(|number| records::token(org, number)).collect()).await;
        let rotate = move |organization, old, by| {
            write(store, move |tx| {
                Box::pin(tx.supersede_active(organization, old, by, after(1), after(9), GraceMode::Fixed, after(1)))
            })
        };
        assert_eq!(rotate(id(9), id(1), id(2)).await, Ok(None));
        assert_eq!(rotate(org, id(9), id(2)).await, Ok(None));
        assert!(rotate(org, id(1), id(2)).await.unwrap().is_some());
        assert_eq!(rotate(org, id(3), id(2)).await, Err(StoreError::Conflict(Constraint::Successor)));
        let missing = rotate(org, id(3), id(99)).await;
        assert!(matches!(missing, Err(StoreError::Conflict(Constraint::Reference(_)))), "{missing:?}");
    });
}

#[test]
fn lists_are_newest_first_and_go_on_where_they_stopped() {
    Db::each(async |db| {
        let store = db.store();
        let (org, user) = founded(store).await;
        let mut tokens: Vec<_> = (1..=9)
            .map(|number| {
                let mut token = records::token(org, number);
                // Three to a moment: the id decides among them.
                token.facts.created_at = after(number / 3);
                token
            })
            .collect();
        let mut personal = records::token(org, 50);
        personal.owner = TokenOwner::Person(user);
        tokens.push(personal.clone());
        insert(store, tokens.clone()).await;
        let all: Vec<TokenId> = (1..=9).rev().map(id).collect();
        assert_eq!(list(store, filter(org)).await, all);
        assert_eq!(list(store, TokenFilter { owner: personal.owner.into(), ..filter(org) }).await, [personal.id]);
        assert_eq!(list(store, TokenFilter { owner: OwnerFilter::Person(id(9)), ..filter(org) }).await, []);
        assert_eq!(list(store, filter(id(9))).await, []);
        let mut pages = Vec::new();
        let mut after = None;
        loop {
            let page = list(store, TokenFilter { after, limit: 2, ..filter(org) }).await;
            let Some(&last) = page.last() else { break };
            let last = tokens.iter().find(|token| token.id == last).unwrap();
            after = Some((last.facts.created_at, last.id));
            pages.extend(page);
        }
        assert_eq!(pages, all);
    });
}

#[test]
fn a_name_is_searched_literally_and_without_regard_to_case() {
    Db::each(async |db| {
        let store = db.store();
        let (org, _) = founded(store).await;
        let names = ["CI runner", "100% sure", "snake_case", "ÄRGER", "ärger", r"back\slash"];
        let tokens = (1..).zip(names).map(|(number, name)| {
            let mut token = records::token(org, number);
            token.name = Name::parse(name).unwrap();
            token
        });
        insert(store, tokens.collect()).await;
        for (part, expected) in [
            ("ci RUN", vec![id(1)]),
            ("%", vec![id(2)]),
            ("_", vec![id(3)]),
            ("\\", vec![id(6)]),
            ("Är", vec![id(5), id(4)]),
            ("A\u{308}R", vec![id(5), id(4)]),
            ("RGER", vec![id(5), id(4)]),
            ("nothing", vec![]),
        ] {
            let listed = list(store, TokenFilter { name_contains: Some(part.to_owned()), ..filter(org) }).await;
            assert_eq!(listed, expected, "{part}");
        }
    });
}

/// Three tokens that differ in everything a list is narrowed by, and one of a neighbour.
fn described(org: OrganizationId) -> Vec<Token> {
    let mut tokens: Vec<Token> = (1..=3).map(|number| records::token(org, number)).collect();
    tokens[0].details.description = Some(Description::parse("Deploys the Shop").unwrap());
    tokens[0].details.external_id = Some(ExternalId::parse("customer/1").unwrap());
    tokens[0].agent_type = AgentType::parse("github_actions").unwrap();
    tokens[0].last_used_at = Some(after(50));
    tokens[1].scopes = vec!["scans:run".to_owned(), "projects:read".to_owned()];
    tokens[1].created_by = Principal::Token(id(1));
    tokens[1].facts.expires_at = Some(after(100));
    tokens[1].hint = Hint::parse("00ab").unwrap();
    tokens[1].last_used_at = Some(after(5));
    tokens[2].facts.revoked = Some(Revoked { at: after(60), reason: RevokeReason::Requested });
    tokens[2].revoked_by = Some(Principal::System);
    tokens
}

#[test]
fn a_list_is_narrowed_by_every_condition() {
    Db::each(async |db| {
        let store = db.store();
        let (org, _) = founded(store).await;
        insert(store, described(org)).await;
        let text = |text: &str| Narrowing { text: Some(text.to_owned()), ..Narrowing::default() };
        let none = Narrowing::default;
        let rows: Vec<(Narrowing, Vec<u64>)> = vec![
            (none(), vec![3, 2, 1]),
            (text("the shop"), vec![1]),
            (text("TOMER/1"), vec![1]),
            (text("token"), vec![3, 2, 1]),
            (text("00ab"), vec![2]),
            (text("nlp_00ab…"), vec![2]),
            (text("%"), vec![]),
            (text(&id::<token_domain::id::kind::Token>(2).to_string()), vec![2]),
            (Narrowing { scope: Some("scans:run".to_owned()), ..none() }, vec![2]),
            (Narrowing { scope: Some("scans".to_owned()), ..none() }, vec![]),
            (Narrowing { scope: Some("execute".to_owned()), ..none() }, vec![3, 1]),
            (Narrowing { created_by: Some(Principal::Token(id(1))), ..none() }, vec![2]),
            (Narrowing { agent_type: AgentType::parse("github_actions").ok(), ..none() }, vec![1]),
            (Narrowing { external_id: ExternalId::parse("customer/1").ok(), ..none() }, vec![1]),
            (Narrowing { external_id: ExternalId::parse("customer/").ok(), ..none() }, vec![]),
            (Narrowing { unused_since: Some(after(10)), ..none() }, vec![3, 2]),
            (Narrowing { unused_since: Some(T0), ..none() }, vec![]),
            (Narrowing { expires_before: Some(after(101)), ..none() }, vec![2]),
            (Narrowing { expires_before: Some(after(100)), ..none() }, vec![]),
            (Narrowing { revoked_after: Some(after(59)), ..none() }, vec![3]),
            (Narrowing { revoked_after: Some(after(60)), ..none() }, vec![]),
            (Narrowing { scope: Some("execute".to_owned()), ..text("shop") }, vec![1]),
        ];
        for (narrowed, expected) in rows {
            let expected: Vec<TokenId> = expected.into_iter().map(id).collect();
            let listed = TokenFilter { narrowed: narrowed.clone(), now: after(70), ..filter(org) };
            assert_eq!(list(store, listed.clone()).await, expected, "{narrowed:?}");
            let living = listed.clone();
            let ids = read(store, move |r| Box::pin(async move { r.live_token_ids(&living).await })).await;
            let counts = read(store, move |r| Box::pin(async move { r.count_tokens(&listed).await })).await;
            assert_eq!(u64::try_from(ids.len()).unwrap(), counts.active + counts.rotating, "{narrowed:?}");
            assert!(
                ids.iter().all(|id| expected.contains(id)) && ids.is_sorted_by(|a, b| a > b),
                "{narrowed:?}: {ids:?}"
            );
            let counted = counts.active + counts.rotating + counts.expired + counts.revoked;
            assert_eq!(counted, u64::try_from(expected.len()).unwrap(), "{narrowed:?}");
        }
    });
}

#[test]
fn many_are_revoked_at_once_and_the_first_reason_stays() {
    Db::each(async |db| {
        let store = db.store();
        let (org, _) = founded(store).await;
        insert(store, (1..=3).map(|number| records::token(org, number)).collect()).await;
        let revoke = move |organization: OrganizationId, cause| {
            write(store, move |tx| {
                Box::pin(async move {
                    let ids = [id(1), id(2), id(99)];
                    let revoked = tx.revoke_tokens(organization, &ids, &REVOKED).await?;
                    let explanation = Explanation { cause: Some(cause), note: None };
                    tx.explain_revocations(organization, &revoked, &explanation).await?;
                    Ok(revoked)
                })
            })
        };
        assert_eq!(revoke(id(9), RevokeCause::Leaked).await.unwrap(), []);
        let mut revoked = revoke(org, RevokeCause::Unused).await.unwrap();
        revoked.sort();
        assert_eq!(revoked, [id(1), id(2)]);
        assert_eq!(revoke(org, RevokeCause::Other).await.unwrap(), []);
        let token = get(store, org, id(1)).await;
        assert_eq!(token.explanation.cause, Some(RevokeCause::Unused));
        assert_eq!(get(store, org, id(3)).await, records::token(org, 3));
        let found = read(store, move |r| Box::pin(async move { r.tokens_by_id(org, &[id(1), id(3), id(99)]).await }));
        assert_eq!(found.await.into_iter().map(|token| token.id).collect::<Vec<_>>(), [id(3), id(1)]);
    });
}

#[test]
fn a_search_says_how_far_it_came_and_goes_on_from_there() {
    Db::each(async |db| {
        let store = db.store();
        let (org, _) = founded(store).await;
        let tokens = (1..=7).map(|number| {
            let mut token = records::token(org, number);
            token.name = Name::parse(if number == 2 { "needle" } else { "hay" }).unwrap();
            token
        });
        insert(store, tokens.collect()).await;
        let mut search = TokenFilter { name_contains: Some("needle".to_owned()), ..filter(org) };
        let (mut found, mut pages) = (Vec::new(), 0);
        loop {
            let asked = search.clone();
            search.until =
                read(store, |reads| Box::pin(async move { reads.search_end_of_tokens(&asked, 3).await })).await;
            found.push(list(store, search.clone()).await);
            pages += 1;
            let Some(place) = search.until else { break };
            (search.after, search.until) = (Some(place), None);
        }
        // Tokens 7 to 5, 4 to 2, and the one that is left.
        assert_eq!((found, pages), (vec![vec![], vec![id(2)], vec![]], 3));
    });
}

#[test]
fn what_is_shown_can_be_edited() {
    Db::each(async |db| {
        let store = db.store();
        let (org, _) = founded(store).await;
        insert(store, vec![records::token(org, 1)]).await;
        let edit = move |organization, edit: TokenEdit| {
            write(store, move |tx| Box::pin(async move { tx.edit_token(organization, id(1), &edit).await }))
        };
        let name = Name::parse("Other").unwrap();
        let label = AgentType::parse("agent").unwrap();
        assert_eq!(edit(org, TokenEdit::default()).await, Ok(Some(records::token(org, 1))));
        let expected = Token { name: name.clone(), ..records::token(org, 1) };
        assert_eq!(edit(org, TokenEdit { name: Some(name), ..TokenEdit::default() }).await, Ok(Some(expected.clone())));
        let expected = Token { agent_type: label.clone(), ..expected };
        let edited = edit(org, TokenEdit { agent_type: Some(label.clone()), ..TokenEdit::default() }).await;
        assert_eq!(edited, Ok(Some(expected)));
        assert_eq!(edit(id(9), TokenEdit { agent_type: Some(label), ..TokenEdit::default() }).await, Ok(None));
        let described = |text: Change<&str>| TokenEdit {
            description: match text {
                Change::Keep => Change::Keep,
                Change::Clear => Change::Clear,
                Change::Set(text) => Change::Set(Description::parse(text).unwrap()),
            },
            ..TokenEdit::default()
        };
        let of = |token: Token| token.details.description.map(|text| text.to_string());
        for (change, expected) in
            [(Change::Set("for CI"), Some("for CI")), (Change::Keep, Some("for CI")), (Change::Clear, None)]
        {
            let edited = edit(org, described(change)).await.unwrap().unwrap();
            assert_eq!(of(edited).as_deref(), expected, "{change:?}");
        }
    });
}

#[test]
fn the_first_revocation_stands() {
    Db::each(async |db| {
        let store = db.store();
        let (org, user) = founded(store).await;
        insert(store, (1..=2).map(|number| records::token(org, number)).collect()).await;
        let first = Revocation { at: after(1), reason: RevokeReason::Leaked, by: Principal::User(user) };
        let revoke = move |organization, token, revocation: Revocation| {
            write(store, move |tx| Box::pin(async move { tx.revoke_token(organization, token, &revocation).await }))
        };
        assert_eq!(revoke(id(9), id(1), first).await, Ok(None));
        let revoked = revoke(org, id(1), first).await.unwrap().unwrap();
        assert_eq!(revoked.facts.revoked, Some(Revoked { at: after(1), reason: RevokeReason::Leaked }));
        assert_eq!(revoked.revoked_by, Some(Principal::User(user)));
        assert_eq!(revoke(org, id(1), REVOKED).await, Ok(None));
        assert_eq!(get(store, org, id(1)).await, revoked);
    });
}

#[test]
fn an_owners_tokens_die_together() {
    Db::each(async |db| {
        let store = db.store();
        let (org, user) = founded(store).await;
        let tokens = (1..=6).map(|number| {
            let mut token = records::token(org, number);
            token.owner = if number <= 4 { TokenOwner::Person(user) } else { TokenOwner::Organization };
            token
        });
        insert(store, tokens.collect()).await;
        let revoke_all = move |owner| {
            let revoked =
                write(store, move |tx| Box::pin(async move { tx.revoke_tokens_of_owner(org, owner, &REVOKED).await }));
            async move {
                let mut ids = revoked.await.unwrap();
                ids.sort();
                ids
            }
        };
        write(store, move |tx| Box::pin(async move { tx.revoke_token(org, id(2), &REVOKED).await })).await.unwrap();
        assert_eq!(revoke_all(TokenOwner::Person(id(9))).await, []);
        assert_eq!(revoke_all(TokenOwner::Person(user)).await, [id(1), id(3), id(4)]);
        assert_eq!(revoke_all(TokenOwner::Person(user)).await, []);
        assert_eq!(revoke_all(TokenOwner::Actor(id(1))).await, []);
        assert_eq!(revoke_all(TokenOwner::Organization).await, [id(5), id(6)]);
    });
}

#[test]
fn first_use_brings_the_end_of_a_grace_forward_and_never_back() {
    Db::each(async |db| {
        let store = db.store();
        let (org, _) = founded(store).await;
        insert(store, (1..=4).map(|number| records::token(org, number)).collect()).await;
        let rotate = move |old, by, mode| {
            write(store, move |tx| Box::pin(tx.supersede_active(org, old, by, after(10), after(100), mode, after(10))))
        };
        rotate(id(1), id(2), GraceMode::FirstUse).await.unwrap().unwrap();
        rotate(id(3), id(4), GraceMode::Fixed).await.unwrap().unwrap();
        let shorten = move |successor, at, end| {
            write(store, move |tx| Box::pin(tx.shorten_grace(successor, after(at), after(end))))
        };
        assert_eq!(shorten(id(2), 11, 200).await, Ok(None), "later than it is");
        assert_eq!(shorten(id(2), 12, 5).await, Ok(None), "earlier than the rotation");
        assert_eq!(shorten(id(2), 13, 50).await, Ok(Some(id(1))));
        assert_eq!(shorten(id(2), 14, 60).await, Ok(None));
        assert_eq!(shorten(id(4), 15, 50).await, Ok(None), "a fixed grace stays");
        assert_eq!(shorten(id(9), 16, 50).await, Ok(None));
        let end = |token: Token| token.facts.superseded.unwrap().grace_ends_at;
        assert_eq!(end(get(store, org, id(1)).await), after(50));
        assert_eq!(end(get(store, org, id(3)).await), after(100));
        assert_eq!(get(store, org, id(2)).await.first_used_at, Some(after(11)), "the first use is kept");
    });
}

#[test]
fn a_leak_brings_the_end_of_any_grace_forward_and_never_back() {
    Db::each(async |db| {
        let store = db.store();
        let (org, _) = founded(store).await;
        insert(store, (1..=6).map(|number| records::token(org, number)).collect()).await;
        let rotate = move |old, by, mode| {
            write(store, move |tx| Box::pin(tx.supersede_active(org, old, by, after(10), after(100), mode, after(10))))
        };
        rotate(id(1), id(2), GraceMode::Fixed).await.unwrap().unwrap();
        rotate(id(3), id(4), GraceMode::FirstUse).await.unwrap().unwrap();
        let end_by = move |org: OrganizationId, token: TokenId, end| {
            write(store, move |tx| Box::pin(tx.end_grace_by(org, token, after(end))))
        };
        assert_eq!(end_by(id(99), id(1), 50).await, Ok(None), "another organisation's");
        assert_eq!(end_by(org, id(1), 200).await, Ok(None), "later than it is");
        assert_eq!(end_by(org, id(1), 5).await, Ok(None), "earlier than the rotation");
        assert_eq!(end_by(org, id(5), 50).await, Ok(None), "not rotated");
        for token in [id(1), id(3)] {
            let ended = end_by(org, token, 50).await.unwrap().unwrap();
            assert_eq!(ended.facts.superseded.unwrap().grace_ends_at, after(50));
            assert_eq!(ended, get(store, org, token).await);
            assert_eq!(end_by(org, token, 60).await, Ok(None));
        }
        write(store, move |tx| Box::pin(async move { tx.revoke_token(org, id(1), &REVOKED).await })).await.unwrap();
        assert_eq!(end_by(org, id(1), 40).await, Ok(None), "revoked");
    });
}

#[test]
fn the_leak_of_a_token_is_kept_once_and_goes_with_it() {
    Db::each(async |db| {
        let store = db.store();
        let (org, _) = founded(store).await;
        insert(store, vec![records::token(org, 1)]).await;
        let leak = |action, source, at| TokenLeak { token_id: id(1), action, source, reported_at: after(at) };
        let found = async || read(store, |reads| Box::pin(reads.token_leak(id(1)))).await;
        assert_eq!(found().await, None);
        for leak in [
            leak(LeakAction::Notify, LeakSource::GitHub, 1),
            leak(LeakAction::RotateGrace1h, LeakSource::GitLab, 2),
            leak(LeakAction::Revoke, LeakSource::Holder, 3),
        ] {
            write(store, move |tx| Box::pin(async move { tx.set_token_leak(&leak).await })).await.unwrap();
            assert_eq!(found().await, Some(leak));
        }
    });
}

#[test]
fn an_alert_is_taken_by_one_node_and_forgotten_by_who_took_it() {
    Db::each(async |db| {
        let store = db.store();
        let queue = move |place: &'static str, at| {
            write(store, move |tx| {
                Box::pin(async move { tx.queue_leak_alert(LeakSource::GitHub, place, after(at)).await })
            })
        };
        let due = async |at| read(store, move |reads| Box::pin(reads.due_leak_alerts(after(at), 10))).await;
        queue("one", 1).await.unwrap();
        queue("two", 2).await.unwrap();
        assert_eq!(due(0).await, []);
        let alert = LeakAlert {
            host: LeakSource::GitHub,
            place: "one".to_owned(),
            attempts: 0,
            created_at: after(1),
            due_at: after(1),
        };
        let places: Vec<String> = due(2).await.into_iter().map(|alert| alert.place).collect();
        assert_eq!((due(1).await, places), (vec![alert.clone()], vec!["one".to_owned(), "two".to_owned()]));
        let postpone = move |alert: LeakAlert, until| {
            write(store, move |tx| Box::pin(async move { tx.postpone_leak_alert(&alert, after(until)).await }))
        };
        assert_eq!(postpone(alert.clone(), 60).await, Ok(true));
        assert_eq!(postpone(alert.clone(), 61).await, Ok(false), "another node read it at the same moment");
        let taken = LeakAlert { attempts: 1, due_at: after(60), ..alert };
        assert_eq!(due(60).await[1], taken);
        let forget = move |place: &'static str, due_at| {
            write(store, move |tx| {
                Box::pin(async move { tx.delete_leak_alert(LeakSource::GitHub, place, after(due_at)).await })
            })
        };
        // Delivered again while somebody works on it: it is worked off once more.
        queue("one", 30).await.unwrap();
        assert_eq!(forget("one", 60).await, Ok(false));
        let again = LeakAlert { attempts: 0, created_at: after(30), due_at: after(30), ..taken };
        assert_eq!(due(30).await[1], again);
        assert_eq!((forget("one", 30).await, forget("one", 30).await), (Ok(true), Ok(false)));
        assert_eq!(due(30).await.len(), 1);
    });
}

#[test]
fn notes_about_use_and_reuse() {
    Db::each(async |db| {
        let store = db.store();
        let (org, _) = founded(store).await;
        // More than one statement's worth.
        insert(store, (1..=1_203).map(|number| records::token(org, number)).collect()).await;
        let uses: Vec<_> =
            (1..=1_203).map(|number| TokenUse { token_id: id(number), last_used_at: after(10) }).collect();
        let record =
            move |uses: Vec<TokenUse>| write(store, move |tx| Box::pin(async move { tx.record_uses(&uses).await }));
        record(vec![]).await.unwrap();
        record(uses).await.unwrap();
        let one = |number, seconds| TokenUse { token_id: id(number), last_used_at: after(seconds) };
        // Earlier, later, the same token twice in both orders, and one that is not there.
        record(vec![one(1, 5), one(2, 15), one(3, 20), one(3, 12), one(4, 12), one(4, 20), one(5_000, 1)])
            .await
            .unwrap();
        for (number, seconds) in [(1, 10), (2, 15), (3, 20), (4, 20), (5, 10), (1_203, 10)] {
            assert_eq!(get(store, org, id(number)).await.last_used_at, Some(after(seconds)), "{number}");
        }

        let mark = move |at| write(store, move |tx| Box::pin(tx.mark_reuse(id(1), after(at))));
        assert_eq!((mark(1).await, mark(2).await), (Ok(true), Ok(false)));
        assert_eq!(get(store, org, id(1)).await.reuse_detected_at, Some(after(1)));
    });
}

#[test]
fn a_stored_secret_is_replaced_only_if_it_is_still_the_one_that_was_read() {
    Db::each(async |db| {
        let store = db.store();
        let (org, _) = founded(store).await;
        insert(store, vec![records::token(org, 1)]).await;
        let replace = move |hash: &str, expected: &'static str| {
            let secret = StoredSecret { secret_hash: hash.to_owned(), lookup_hint: -5, verify_tag: None };
            write(store, move |tx| Box::pin(async move { tx.set_secret(id(1), &secret, None, expected).await }))
        };
        assert_eq!(replace("$new", "$other").await, Ok(false));
        assert_eq!(replace("$new", "$test$1").await, Ok(true));
        assert_eq!(replace("$newer", "$test$1").await, Ok(false));
        let secret = write(store, move |tx| Box::pin(tx.candidate(org, id(1)))).await.unwrap().unwrap().secret;
        assert_eq!((secret.secret_hash.as_str(), secret.lookup_hint, secret.verify_tag), ("$new", -5, None));
    });
}

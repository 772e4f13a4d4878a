//! What an organisation asks of its tokens: where it takes effect, and when exactly.

use authority::Policy;
use authority::policies::{AskedRule, Counts, Policies, PolicyCursor, PolicyError, PreviewRequest};
use authority::records::TokenDetails;
use authority::tokens::{IssueRequest, Issued, KeyRequest, RotateRequest, TokenError};
use storage::model::AuditFilter;
use test_support::world::{Options, World, origin};
use test_support::{Db, records::T0};
use token_domain::policy::{AllowedScopes, Breach, Idle, KindRule, Making};
use token_domain::record::Token;
use token_domain::text::{AgentType, Name};
use token_domain::token::{Kind, Lifetime, RevokeReason};
use token_domain::{Span, Timestamp};

fn asked(kind: Kind, rule: KindRule) -> AskedRule {
    AskedRule { kind, rule, scopes: None }
}

fn idle_after(days: u32) -> KindRule {
    KindRule { idle_after: Some(Span::days(days)), ..KindRule::default() }
}

fn request(scopes: &[&str], lifetime: Lifetime) -> IssueRequest {
    IssueRequest {
        name: Name::parse("a token").expect("a name"),
        scopes: scopes.iter().map(|scope| (*scope).to_owned()).collect(),
        agent_type: AgentType::none(),
        project_id: None,
        lifetime,
        details: TokenDetails::default(),
        idempotency: None,
    }
}

async fn set(world: &World, rules: Vec<AskedRule>) {
    let policies = Policies::new(&world.context);
    policies.set(&world.owner, world.owner.organization_id, rules, &origin()).await.expect("a policy");
}

async fn token(world: &World, issued: &Issued) -> Token {
    world.tokens.get(&world.owner, issued.token.id).await.expect("a token")
}

#[test]
fn a_token_that_was_never_used_falls_idle_at_an_exact_moment() {
    Db::each(async |db| {
        let world = World::new(db).await;
        set(&world, vec![asked(Kind::Organization, idle_after(30))]).await;
        let issued = world.issue(&["read"]).await;
        let end = T0 + Span::days(30) + Idle::SLACK;
        world.clock.set(Timestamp::from_micros(end.as_micros() - 1));
        let other = World::new(db).await;
        other.clock.set(end);
        // Looked at and not used: another process sees it die.
        assert!(!other.is_live(issued.secret.expose()).await);
        other.context.drain().await;
        let dead = token(&other, &issued).await;
        assert_eq!(dead.facts.revoked.unwrap().reason, RevokeReason::Policy);
    });
}

#[test]
fn a_use_keeps_a_token_whether_it_is_written_down_or_not() {
    Db::each(async |db| {
        let world = World::new(db).await;
        set(&world, vec![asked(Kind::Organization, idle_after(30))]).await;
        let issued = world.issue(&["read"]).await;
        // Used every twenty days, for a year and more, and never flushed: what is in memory counts.
        for _ in 0..20 {
            world.clock.advance(Span::days(20));
            assert!(world.is_live(issued.secret.expose()).await);
        }
        world.validator.flush().await.unwrap();
        // A restart knows what was written down.
        let restarted = World::new(db).await;
        restarted.clock.set(T0 + Span::days(20 * 20 + 29));
        assert!(restarted.is_live(issued.secret.expose()).await);
        restarted.clock.advance(Span::days(31));
        assert!(!restarted.is_live(issued.secret.expose()).await);
    });
}

#[test]
fn a_use_on_another_node_is_found_before_a_token_is_refused() {
    Db::each(async |db| {
        let (here, there) = (World::new(db).await, World::new(db).await);
        set(&here, vec![asked(Kind::Organization, idle_after(30))]).await;
        let issued = here.issue(&["read"]).await;
        assert!(here.is_live(issued.secret.expose()).await);
        there.clock.advance(Span::days(29));
        assert!(there.is_live(issued.secret.expose()).await);
        there.validator.flush().await.unwrap();
        // What is remembered here says idle; the store knows better.
        here.clock.advance(Span::days(40));
        let before = here.reads();
        assert!(here.is_live(issued.secret.expose()).await);
        assert_eq!(here.reads() - before, 1);
        // A use that is not written down yet is within the slack.
        there.clock.set(T0 + Span::days(29 + 30));
        assert!(there.is_live(issued.secret.expose()).await);
        let fresh = World::new(db).await;
        fresh.clock.set(T0 + Span::days(29 + 30) + Span::seconds(59));
        assert!(fresh.is_live(issued.secret.expose()).await);
    });
}

#[test]
fn tightening_bites_at_once_and_a_token_that_was_presented_stays_dead() {
    Db::each(async |db| {
        let world = World::new(db).await;
        let (presented, quiet) = (world.issue(&["read"]).await, world.issue(&["read"]).await);
        assert!(world.is_live(presented.secret.expose()).await);
        world.clock.advance(Span::days(40));
        world.validator.clear();
        set(&world, vec![asked(Kind::Personal, idle_after(1))]).await;
        assert!(world.is_live(quiet.secret.expose()).await, "the rule of another kind");
        world.clock.advance(Span::days(40));
        world.validator.flush().await.unwrap();
        set(&world, vec![asked(Kind::Organization, idle_after(30))]).await;
        assert!(!world.is_live(presented.secret.expose()).await);
        world.context.drain().await;
        let world = World::new(db).await;
        world.clock.set(T0 + Span::days(80));
        set(&world, Vec::new()).await;
        // Lifted: whoever was not presented meanwhile counts again; nobody was revoked behind their back.
        assert!(!world.is_live(presented.secret.expose()).await);
        assert!(world.is_live(quiet.secret.expose()).await);
        assert_eq!(token(&world, &quiet).await.facts.revoked, None);
    });
}

#[test]
fn an_idle_token_that_is_sprayed_is_revoked_once() {
    Db::each(async |db| {
        let world = World::new(db).await;
        set(&world, vec![asked(Kind::Organization, idle_after(1))]).await;
        let issued = world.issue(&["read"]).await;
        assert!(world.is_live(issued.secret.expose()).await);
        world.clock.advance(Span::days(2));
        for _ in 0..20 {
            assert!(!world.is_live(issued.secret.expose()).await);
            tokio::task::yield_now().await;
        }
        world.context.drain().await;
        let reads = world.reads();
        for _ in 0..20 {
            assert!(!world.is_live(issued.secret.expose()).await);
        }
        assert!(world.reads() - reads <= 1, "once it is revoked, memory says so");
        let organization = world.owner.organization_id;
        let filter = AuditFilter::chain(Some(organization), 0, 100);
        let trail =
            db.store().read(move |reads| Box::pin(async move { reads.list_audit(&filter).await })).await.unwrap();
        assert_eq!(trail.iter().filter(|event| event.action == "token.revoke").count(), 1);
    });
}

#[test]
fn a_policy_gives_and_bounds_the_life_of_new_tokens() {
    Db::each(async |db| {
        let world = World::new(db).await;
        let rule = KindRule {
            default_lifetime: Some(Span::days(30)),
            longest_lifetime: Some(Span::days(90)),
            ..KindRule::default()
        };
        set(&world, vec![asked(Kind::Organization, rule.clone()), asked(Kind::Personal, rule)]).await;
        let issue = async |lifetime| world.tokens.issue(&world.owner, request(&["read"], lifetime), &origin()).await;
        let given = issue(Lifetime::Unlimited).await.unwrap().token;
        assert_eq!((given.facts.expires_at, given.lifetime), (Some(T0 + Span::days(30)), Some(Span::days(30))));
        let longest = issue(Lifetime::For(Span::days(90))).await.unwrap().token;
        assert_eq!(longest.facts.expires_at, Some(T0 + Span::days(90)));
        for too_long in [Lifetime::For(Span::days(91)), Lifetime::Until(T0 + Span::days(90) + Span::micros(1))] {
            let Err(TokenError::Policy(breach)) = issue(too_long).await else { panic!("made: {too_long:?}") };
            assert_eq!(breach.breach, Breach::Lifetime { longest: Span::days(90) });
        }
        let key = KeyRequest {
            name: Name::parse("a key").unwrap(),
            scopes: None,
            agent_type: AgentType::none(),
            project_id: None,
            lifetime: Lifetime::Unlimited,
            details: TokenDetails::default(),
            idempotency: None,
        };
        let key = world.tokens.issue_key(&world.owner, key, &origin()).await.unwrap().token;
        assert_eq!(key.facts.expires_at, Some(T0 + Span::days(30)));
    });
}

#[test]
fn a_rotation_follows_the_policy_of_its_own_moment() {
    Db::each(async |db| {
        let world = World::new(db).await;
        let unlimited = world.issue(&["read"]).await;
        let long = world.issue_for(&["read"], Lifetime::For(Span::days(365))).await;
        let short = world.issue_for(&["read"], Lifetime::Until(T0 + Span::days(10))).await;
        let wide = world.issue(&["read", "bot"]).await;
        let rule = KindRule { longest_lifetime: Some(Span::days(90)), ..KindRule::default() };
        let only = AskedRule { scopes: Some(vec!["read".to_owned()]), ..asked(Kind::Organization, rule) };
        set(&world, vec![only]).await;
        let rotate = async |issued: &Issued| {
            world.tokens.rotate(&world.owner, issued.token.id, RotateRequest::default(), &origin()).await
        };
        for (issued, end) in [(&unlimited, 90), (&long, 90), (&short, 10)] {
            let heir = rotate(issued).await.unwrap().token;
            assert_eq!(heir.facts.expires_at, Some(T0 + Span::days(end)));
        }
        let Err(TokenError::Policy(breach)) = rotate(&wide).await else { panic!("rotated") };
        assert_eq!((breach.scopes, breach.kind), (vec!["bot".to_owned()], Kind::Organization));
        assert!(world.is_live(wide.secret.expose()).await, "what is there stays what it is");
        set(&world, vec![asked(Kind::Organization, KindRule { making: Making::Forbidden, ..KindRule::default() })])
            .await;
        let Err(TokenError::Policy(breach)) = rotate(&wide).await else { panic!("rotated") };
        assert_eq!(breach.breach, Breach::Kind);
        let made = world.tokens.issue(&world.owner, request(&["read"], Lifetime::Unlimited), &origin()).await;
        assert!(matches!(made, Err(TokenError::Policy(breach)) if breach.breach == Breach::Kind));
        assert!(world.is_live(wide.secret.expose()).await);
    });
}

#[test]
fn a_preview_counts_and_shows_and_changes_nothing() {
    Db::each(async |db| {
        let options = Options { policy: Policy { token_cap: None, ..Options::default().policy }, ..Options::default() };
        let world = World::with(db, options).await;
        let mut issued = Vec::new();
        for number in 0..7 {
            let scopes: &[&str] = if number % 2 == 0 { &["read"] } else { &["bot"] };
            issued.push(world.issue(scopes).await);
            world.clock.advance(Span::days(10));
        }
        // The oldest was used lately.
        assert!(world.is_live(issued[0].secret.expose()).await);
        world.validator.flush().await.unwrap();
        world.tokens.revoke(&world.owner, issued[6].token.id, &origin()).await.unwrap();
        let policies = Policies::new(&world.context);
        let rule = KindRule { idle_after: Some(Span::days(45)), ..KindRule::default() };
        let asked = AskedRule { kind: Kind::Organization, rule, scopes: Some(vec!["read".to_owned()]) };
        let look = async |after: Option<PolicyCursor>| {
            let request = PreviewRequest { rules: vec![asked.clone()], limit: 2, after };
            policies.preview(&world.owner, world.owner.organization_id, request).await.unwrap()
        };
        let first = look(None).await;
        // Made on days 0 to 50, looked at on day 70: 1 and 2 idle (0 was used); 1, 3 and 5 carry what is not allowed.
        let counts = Counts { examined: 6, hit: 4, idle: 2, lifetime: 0, scopes: 3, kind: 0 };
        assert_eq!(first.counts, counts);
        let mut seen: Vec<_> = first.tokens.iter().map(|hit| hit.token.id).collect();
        let mut next = first.next;
        while let Some(cursor) = next {
            assert_eq!(PolicyCursor::parse(&cursor.to_string()), Ok(cursor));
            let page = look(Some(cursor)).await;
            seen.extend(page.tokens.iter().map(|hit| hit.token.id));
            next = page.next;
        }
        let expected: Vec<_> = [5, 3, 2, 1].into_iter().map(|index: usize| issued[index].token.id).collect();
        assert_eq!(seen, expected);
        for issued in &issued[..6] {
            assert!(world.is_live(issued.secret.expose()).await);
        }
        assert!(policies.get(&world.owner, world.owner.organization_id).await.unwrap().rules.is_empty());
    });
}

#[test]
fn a_policy_is_its_organisations_own() {
    Db::each(async |db| {
        let world = World::new(db).await;
        let policies = Policies::new(&world.context);
        let elsewhere = test_support::records::id(99);
        let foreign = policies.get(&world.owner, elsewhere).await;
        assert!(matches!(foreign, Err(PolicyError::NotFound)));
        let foreign = policies.set(&world.owner, elsewhere, Vec::new(), &origin()).await;
        assert!(matches!(foreign, Err(PolicyError::NotFound)));
        let unknown = AskedRule { scopes: Some(vec!["nothing".to_owned()]), ..asked(Kind::Actor, KindRule::default()) };
        let refused = policies.set(&world.owner, world.owner.organization_id, vec![unknown], &origin()).await;
        assert!(matches!(refused, Err(PolicyError::Scopes(Kind::Actor, _))));
        let rule = AskedRule { scopes: Some(vec!["scans".to_owned()]), ..asked(Kind::Personal, idle_after(3)) };
        policies.set(&world.owner, world.owner.organization_id, vec![rule], &origin()).await.unwrap();
        let found = policies.get(&world.owner, world.owner.organization_id).await.unwrap();
        assert_eq!(found.set, Some((T0, world.owner.principal())));
        let (kind, rule) = &found.rules["personal"];
        assert_eq!((*kind, rule.idle_after), (Kind::Personal, Some(Span::days(3))));
        let AllowedScopes::Only(grants) = &rule.scopes else { panic!("any scope") };
        assert_eq!(grants.names(world.context.catalogue()), ["scans"]);
    });
}

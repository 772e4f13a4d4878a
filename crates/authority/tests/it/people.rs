//! Invitations and sessions by a clock that stands still: when they end, to the microsecond.

use std::sync::Arc;

use authority::invitations::{Acceptance, InvitationCode, Invitations};
use authority::organizations::{NewOrganization, OrganizationError, Organizations, Seat};
use authority::sessions::{OrganizationRef, Presented, Sessions};
use test_support::records::T0;
use test_support::world::{EMAIL, PASSWORD, origin};
use test_support::{Db, World};
use token_domain::Span;
use token_domain::person::{BuiltInRole, RoleRef};
use token_domain::text::{Email, Slug};

const VIEWER: RoleRef = RoleRef::BuiltIn(BuiltInRole::Viewer);

fn invitations(world: &World) -> Invitations {
    let sessions = Sessions::new(&world.context, &world.validator).expect("password parameters");
    Invitations::new(&world.context, &Arc::new(sessions))
}

fn seat(world: &World) -> Seat {
    Seat::of(&world.owner, world.owner.organization_id).expect("their own")
}

fn acceptance(code: &InvitationCode) -> Acceptance {
    let password = Some(PASSWORD.to_owned().into());
    Acceptance { code: code.clone(), name: None, password, caller: None }
}

#[test]
fn an_invitation_ends_at_its_very_moment_and_is_then_replaced() {
    Db::each(async |db| {
        let world = World::new(db).await;
        let (invitations, seat) = (invitations(&world), seat(&world));
        let email = Email::parse("guest@example.org").unwrap();
        let (first, code) = invitations.create(&seat, email.clone(), VIEWER, &origin()).await.unwrap();
        let end = first.invitation.expires_at;
        assert_eq!(end, T0 + Span::days(7));
        let again = invitations.create(&seat, email.clone(), VIEWER, &origin()).await.unwrap_err();
        assert!(matches!(again, OrganizationError::AlreadyInvited(id) if id == first.invitation.id), "{again}");

        world.clock.set(end);
        let late = invitations.accept(acceptance(&code), &origin()).await.unwrap_err();
        assert!(matches!(late, OrganizationError::InvalidInvitation), "{late}");
        let listed = invitations.list(&seat, None, 10).await.unwrap();
        assert_eq!((listed.invitations.len(), listed.now), (1, end), "still seen, as one that went by");
        let (second, fresh) = invitations.create(&seat, email, VIEWER, &origin()).await.unwrap();
        assert_ne!(second.invitation.id, first.invitation.id);
        assert_eq!(invitations.list(&seat, None, 10).await.unwrap().invitations.len(), 1, "in its place");
        world.clock.advance(Span::days(7));
        world.clock.set(second.invitation.expires_at - Span::micros(1));
        assert!(invitations.accept(acceptance(&fresh), &origin()).await.unwrap().is_new_person);
    });
}

#[test]
fn invitations_nobody_accepted_are_forgotten_a_month_after_their_end() {
    Db::each(async |db| {
        let world = World::new(db).await;
        let (invitations, seat) = (invitations(&world), seat(&world));
        let email = Email::parse("guest@example.org").unwrap();
        let (invited, _) = invitations.create(&seat, email, VIEWER, &origin()).await.unwrap();
        world.clock.set(invited.invitation.expires_at + Span::days(30));
        world.context.forget_old().await.unwrap();
        assert_eq!(invitations.list(&seat, None, 10).await.unwrap().invitations.len(), 1);
        world.clock.advance(Span::micros(1));
        world.context.forget_old().await.unwrap();
        assert_eq!(invitations.list(&seat, None, 10).await.unwrap().invitations.len(), 0);
    });
}

#[test]
fn going_back_and_forth_outlives_no_sign_in() {
    Db::each(async |db| {
        let world = World::new(db).await;
        let asked = NewOrganization { slug: Slug::parse("zoo").unwrap(), name: None };
        Organizations::new(&world.context).create(&world.owner, asked, &origin()).await.unwrap();
        let sessions = &world.sessions;
        let first = sessions.sign_in(EMAIL, PASSWORD.to_owned().into(), None, &origin()).await.unwrap();
        let end = first.session.expires_at;
        let (mut token, mut name) = (first.token, "zoo");
        for _ in 0..4 {
            world.clock.advance(Span::seconds(3_600));
            let caller = sessions.authenticate(&Presented::Session(token), &origin()).await.unwrap();
            let to = OrganizationRef::Slug(Slug::parse(name).unwrap());
            let switched = sessions.switch(&caller, to, &origin()).await.unwrap();
            assert_eq!(switched.session.expires_at, end, "{name}");
            (token, name) = (switched.token, if name == "zoo" { "acme" } else { "zoo" });
        }
        world.clock.set(end);
        assert!(sessions.authenticate(&Presented::Session(token), &origin()).await.is_err());
    });
}

//! The people of the organisation: members, invitations, and the tokens that are revoked when somebody leaves.

use actix_web::http::StatusCode;
use actix_web::web::{Bytes, ServiceConfig};
use actix_web::{HttpRequest, HttpResponse, get, post};
use askama::Template;
use authority::cursor::Cursor;
use authority::members::{Added, MemberChange, Whom};
use authority::organizations::{OrganizationError, Seat};
use authority::records::{Member, Narrowing, OwnerFilter, Principal};
use authority::roles::Role;
use authority::tokens::ListRequest;
use token_domain::id::{InvitationId, UserId};
use token_domain::person::{BuiltInRole, RoleRef};
use token_domain::text::Email;
use token_domain::token::Status;

use super::session_line::SessionLine;
use super::tokens::{Line, Names};
use crate::answer::{Answer, Tone, either, ok, page, to_saying};
use crate::form::Form;
use crate::layout::{Layout, Section};
use crate::services::Services;
use crate::show::{self, When};
use crate::visit::{Visitor, explain_refused, site};

pub(super) fn register(config: &mut ServiceConfig) {
    config
        .service(members_shown)
        .service(invite_posted)
        .service(member_shown)
        .service(change_posted)
        .service(withdraw_posted);
}

/// A role to choose.
#[derive(Clone, Debug)]
pub(super) struct RoleChoice {
    pub(super) id: String,
    pub(super) name: String,
    pub(super) is_chosen: bool,
}

#[derive(Clone, Debug)]
struct MemberLine {
    id: String,
    name: String,
    email: String,
    role: String,
    since: When,
    is_disabled: bool,
    is_me: bool,
}

#[derive(Clone, Debug)]
struct InvitationLine {
    id: String,
    email: String,
    role: String,
    expires: When,
    is_over: bool,
}

/// Members and invitations on a page, which keeps the HTML under 25 KB.
const PAGE: u32 = 20;

#[derive(Template)]
#[template(path = "members.html")]
struct MembersPage {
    page: Layout,
    members: Vec<MemberLine>,
    /// The link to the next page of members; empty on the last.
    next: String,
    invitations: Vec<InvitationLine>,
    /// The link to the next page of invitations; empty on the last.
    next_invited: String,
    is_first: bool,
    roles: Vec<RoleChoice>,
    may_manage: bool,
    email: String,
    problem: String,
    /// The link of an invitation just created, shown once.
    link: String,
    /// Whether invitations are sent by mail as well.
    is_mailed: bool,
    invited: String,
}

/// The roles of an organisation, as options of a form.
pub(super) async fn role_choices(
    services: &Services,
    seat: &Seat,
    chosen: &str,
) -> Result<Vec<RoleChoice>, OrganizationError> {
    let roles = services.roles.list(seat).await?;
    let choice = |role: Role| {
        let (id, name) = match role {
            Role::BuiltIn(role) => (role.as_str().to_owned(), role.as_str().to_owned()),
            Role::Custom(role) => (role.id.to_string(), role.name.to_string()),
        };
        RoleChoice { is_chosen: id == chosen, id, name }
    };
    Ok(roles.into_iter().map(choice).collect())
}

/// Parses a role option.
pub(super) fn role_of(text: &str) -> Option<RoleRef> {
    let built_in = BuiltInRole::parse(text).map(RoleRef::BuiltIn);
    built_in.or_else(|| token_domain::id::RoleId::parse(text).ok().map(RoleRef::Custom))
}

fn role_id(role: RoleRef) -> String {
    match role {
        RoleRef::BuiltIn(role) => role.as_str().to_owned(),
        RoleRef::Custom(id) => id.to_string(),
    }
}

/// The visitor's seat in their organisation.
pub(super) fn seat(request: &HttpRequest, visitor: &Visitor) -> Result<Seat, HttpResponse> {
    Seat::of(&visitor.caller, visitor.caller.organization_id).map_err(|error| failed(request, visitor, &error))
}

/// The page for an error when there is no form to show it on.
pub(super) fn failed(request: &HttpRequest, visitor: &Visitor, error: &OrganizationError) -> HttpResponse {
    match error {
        OrganizationError::NotFound => visitor.not_found(request),
        OrganizationError::Failed(failure) => visitor.failed(request, failure),
        OrganizationError::Refused(refused) => visitor.refused(request, refused),
        other => visitor.problem(request, StatusCode::CONFLICT, "The action failed", &explain(other)),
    }
}

/// What an error means, and what to do about it.
pub(super) fn explain(error: &OrganizationError) -> String {
    match error {
        OrganizationError::LastOwner => {
            "The last owner cannot be removed: make another member an owner first.".to_owned()
        }
        OrganizationError::AlreadyMember => "This person is already a member.".to_owned(),
        OrganizationError::AlreadyInvited(_) => {
            "This person is already invited: withdraw that invitation first.".to_owned()
        }
        OrganizationError::OwnersOnly => "Only an owner can add, change or remove owners.".to_owned(),
        OrganizationError::Excess(missing) => {
            format!("You can only grant, change or remove scopes that you have. You lack: {}.", missing.join(", "))
        }
        OrganizationError::Refused(refused) => explain_refused(refused),
        OrganizationError::RoleNameTaken => "Another role has this name or one that looks the same.".to_owned(),
        OrganizationError::TooManyRoles(most) => format!("The organisation already has the maximum of {most} roles."),
        OrganizationError::Scopes(error) => format!("The scopes {error}."),
        OrganizationError::OwnSecondFactorMissing => {
            "Set up your own second factor first, or you would lock yourself out.".to_owned()
        }
        other => format!("{other}."),
    }
}

#[get("/members")]
async fn members_shown(request: HttpRequest, services: Services) -> HttpResponse {
    either(show_members(&request, &services).await)
}

async fn show_members(request: &HttpRequest, services: &Services) -> Answer {
    let visitor = Visitor::enter(request, services).await?;
    visitor.check(request, "org.memberships:read")?;
    let template = members_page(request, services, &visitor, &Form::default()).await?;
    let layout = template.page.clone();
    Ok(layout.shown(request, ok(&template)))
}

async fn members_page(
    request: &HttpRequest,
    services: &Services,
    visitor: &Visitor,
    form: &Form,
) -> Result<MembersPage, HttpResponse> {
    let seat = seat(request, visitor)?;
    let broken = |error| failed(request, visitor, &error);
    let query = Form::query(request);
    let (after, invited_after) = (Cursor::parse(query.raw("after")).ok(), Cursor::parse(query.raw("invited")).ok());
    let page = services.members.list(&seat, after, PAGE).await.map_err(broken)?;
    let invitations = services.invitations.list(&seat, invited_after, PAGE).await.map_err(broken)?;
    let roles = role_choices(services, &seat, form.some("role").unwrap_or("member")).await.map_err(broken)?;
    let now = visitor.now;
    let name_of =
        |role: RoleRef, custom: Option<&token_domain::text::Name>| authority::standing::name_of_role(role, custom);
    let member = |Member { user, membership, custom_name }: Member| MemberLine {
        id: user.id.to_string(),
        name: user.name.to_string(),
        email: user.email.to_string(),
        role: name_of(membership.role, custom_name.as_ref()),
        since: When::new(membership.created_at, now),
        is_disabled: membership.disabled_at.is_some() || user.disabled_at.is_some(),
        is_me: Some(user.id) == visitor.caller.user_id(),
    };
    let invitation = |invited: authority::records::Invited| InvitationLine {
        id: invited.invitation.id.to_string(),
        email: invited.invitation.email.to_string(),
        role: name_of(invited.invitation.role, invited.custom_name.as_ref()),
        expires: When::new(invited.invitation.expires_at, now),
        is_over: invited.invitation.expires_at <= now,
    };
    Ok(MembersPage {
        page: Layout::of(request, visitor, Section::People, "People"),
        is_first: after.is_none() && invited_after.is_none(),
        next: page.next.map(|next| format!("/members?after={next}")).unwrap_or_default(),
        next_invited: invitations.next.map(|next| format!("/members?invited={next}#invited")).unwrap_or_default(),
        members: page.members.into_iter().map(member).collect(),
        invitations: invitations.invitations.into_iter().map(invitation).collect(),
        roles,
        may_manage: visitor.may("org.memberships:manage"),
        email: form.raw("email").to_owned(),
        problem: String::new(),
        link: String::new(),
        is_mailed: services.context.policy().mail.is_some(),
        invited: String::new(),
    })
}

#[post("/members")]
async fn invite_posted(request: HttpRequest, services: Services, body: Bytes) -> HttpResponse {
    either(invited(&request, &services, &body).await)
}

async fn invited(request: &HttpRequest, services: &Services, body: &[u8]) -> Answer {
    let (mut visitor, form) = Visitor::posted(request, services, body).await?;
    visitor.admit(request, "org.memberships:manage")?;
    let seat = seat(request, &visitor)?;
    let read = || -> Result<(Email, RoleRef), String> {
        let email = Email::parse(form.raw("email")).map_err(|error| format!("The address {error}."))?;
        Ok((email, role_of(form.text("role")).ok_or("Choose a role.")?))
    };
    let done = match read() {
        Ok(_) if form.is_restored() => Err(String::new()),
        Ok((email, role)) => match services.members.add(&seat, Whom::Email(email), role, &visitor.origin).await {
            Ok(added) => Ok(added),
            Err(OrganizationError::Failed(failure)) => return Err(visitor.failed(request, &failure)),
            Err(error) => Err(explain(&error)),
        },
        Err(problem) => Err(problem),
    };
    match done {
        Ok(Added::Member(standing)) => {
            let text = format!("{} is a member now.", standing.user.name);
            Ok(to_saying(request, "/members", Tone::Done, &text))
        }
        Ok(Added::Invited(invited, code)) => {
            // Its link is shown once, as a token's secret is.
            let template = members_page(request, services, &visitor, &Form::default()).await?;
            let link = format!("{}/invitation#{}", site(request, services), code.expose());
            let invited = invited.invitation.email.to_string();
            Ok(ok(&MembersPage { link, invited, ..template }))
        }
        Err(problem) => {
            let status = if problem.is_empty() { StatusCode::OK } else { StatusCode::UNPROCESSABLE_ENTITY };
            let template = members_page(request, services, &visitor, &form).await?;
            Err(page(status, &MembersPage { problem, ..template }))
        }
    }
}

#[post("/invitations/{invitation_id}/withdraw")]
async fn withdraw_posted(request: HttpRequest, services: Services, body: Bytes) -> HttpResponse {
    either(withdrawn(&request, &services, &body).await)
}

async fn withdrawn(request: &HttpRequest, services: &Services, body: &[u8]) -> Answer {
    let (mut visitor, form) = Visitor::posted(request, services, body).await?;
    visitor.admit(request, "org.memberships:manage")?;
    let id = request.match_info().get("invitation_id").and_then(|id| InvitationId::parse(id).ok());
    let (Some(id), false) = (id, form.is_restored()) else {
        return Ok(to_saying(request, "/members", Tone::Problem, "Nothing was changed."));
    };
    let done = services.invitations.withdraw(&seat(request, &visitor)?, id, &visitor.origin).await;
    done.map_err(|error| failed(request, &visitor, &error))?;
    Ok(to_saying(request, "/members", Tone::Done, "The invitation was withdrawn. Its code no longer works."))
}

#[expect(clippy::struct_excessive_bools, reason = "independent conditions of the template")]
#[derive(Template)]
#[template(path = "member.html")]
struct MemberPage {
    page: Layout,
    id: String,
    name: String,
    email: String,
    roles: Vec<RoleChoice>,
    is_disabled: bool,
    is_me: bool,
    /// The page asks for confirmation before it removes the person.
    is_leaving: bool,
    may_manage: bool,
    may_change_tokens: bool,
    sessions: Vec<SessionLine>,
    keys: Vec<Line>,
    key_count: String,
    made: Vec<Line>,
    made_count: String,
    bulk: String,
    since: When,
}

/// How many lines there are, in words.
fn count(lines: &[Line], one: &str) -> String {
    show::count(u64::try_from(lines.len()).unwrap_or(u64::MAX), one)
}

#[get("/members/{user_id}")]
async fn member_shown(request: HttpRequest, services: Services) -> HttpResponse {
    either(show_member(&request, &services).await)
}

async fn found(request: &HttpRequest, services: &Services, visitor: &Visitor) -> Result<Member, HttpResponse> {
    let id = request.match_info().get("user_id").and_then(|id| UserId::parse(id).ok());
    let id = id.ok_or_else(|| visitor.not_found(request))?;
    let seat = seat(request, visitor)?;
    let mut after = None;
    loop {
        let page = services.members.list(&seat, after, 500).await.map_err(|error| failed(request, visitor, &error))?;
        if let Some(member) = page.members.into_iter().find(|member| member.user.id == id) {
            return Ok(member);
        }
        after = Some(page.next.ok_or_else(|| visitor.not_found(request))?);
    }
}

async fn show_member(request: &HttpRequest, services: &Services) -> Answer {
    let visitor = Visitor::enter(request, services).await?;
    visitor.check(request, "org.memberships:read")?;
    let member = found(request, services, &visitor).await?;
    let seat = seat(request, &visitor)?;
    let roles = role_choices(services, &seat, &role_id(member.membership.role)).await;
    let roles = roles.map_err(|error| failed(request, &visitor, &error))?;
    let names = Names::read(&visitor, services).await;
    let user = member.user;
    let sessions = if visitor.may("org.memberships:manage") {
        services.members.sessions(&seat, user.id).await.map_err(|error| failed(request, &visitor, &error))?
    } else {
        Vec::new()
    };
    let lines = async |asked: ListRequest| {
        if !visitor.may("tokens:read") {
            return Vec::new();
        }
        let page = services.tokens.list(&visitor.caller, ListRequest { limit: 50, ..asked }).await;
        page.map(|page| page.tokens.iter().map(|token| Line::new(token, &names, visitor.now)).collect())
            .unwrap_or_default()
    };
    let live = |asked: ListRequest| ListRequest { status: Some(Status::Active), ..asked };
    let keys = lines(live(ListRequest { owner: OwnerFilter::Person(user.id), ..ListRequest::default() })).await;
    let by = Narrowing { created_by: Some(Principal::User(user.id)), ..Narrowing::default() };
    let made = lines(live(ListRequest { narrowed: by, ..ListRequest::default() })).await;
    let layout = Layout::of(request, &visitor, Section::People, user.name.as_str());
    let template = MemberPage {
        bulk: format!("/tokens/bulk?created_by=user:{}&status=active&reason=person_left", user.id),
        id: user.id.to_string(),
        name: user.name.to_string(),
        email: user.email.to_string(),
        roles,
        is_disabled: member.membership.disabled_at.is_some(),
        is_me: Some(user.id) == visitor.caller.user_id(),
        is_leaving: Form::query(request).has("leaving"),
        may_manage: visitor.may("org.memberships:manage"),
        may_change_tokens: visitor.may("tokens:manage"),
        sessions: sessions.into_iter().map(|seen| SessionLine::new(seen, &visitor)).collect(),
        key_count: count(&keys, "key"),
        keys,
        made_count: count(&made, "token"),
        made,
        since: When::new(member.membership.created_at, visitor.now),
        page: layout.clone(),
    };
    Ok(layout.shown(request, ok(&template)))
}

#[post("/members/{user_id}")]
async fn change_posted(request: HttpRequest, services: Services, body: Bytes) -> HttpResponse {
    either(changed(&request, &services, &body).await)
}

async fn changed(request: &HttpRequest, services: &Services, body: &[u8]) -> Answer {
    let (mut visitor, form) = Visitor::posted(request, services, body).await?;
    visitor.admit(request, "org.memberships:manage")?;
    let member = found(request, services, &visitor).await?;
    let (seat, id) = (seat(request, &visitor)?, member.user.id);
    let path = format!("/members/{id}");
    let edit = |role, enabled| MemberChange { role, enabled };
    let name = member.user.name.to_string();
    let what = if form.is_restored() { "" } else { form.text("what") };
    let (done, back, text) = match what {
        "role" => {
            let role = role_of(form.text("role"));
            let done = services.members.edit(&seat, id, edit(role, None), &visitor.origin).await.map(drop);
            (done, path, format!("The role of {name} was changed. It applies from the next request."))
        }
        "disable" | "enable" => {
            let enabled = what == "enable";
            let done = services.members.edit(&seat, id, edit(None, Some(enabled)), &visitor.origin).await.map(drop);
            let text = if enabled {
                format!("{name} is enabled again.")
            } else {
                format!("{name} is disabled. Sessions have ended, and keys are refused.")
            };
            (done, path, text)
        }
        "end-sessions" => {
            let done = services.members.end_sessions(&seat, id, &visitor.origin).await.map(drop);
            (done, path, format!("All sessions of {name} in this organisation have ended. Their keys stay valid."))
        }
        "remove" => {
            let done = services.members.remove(&seat, id, &visitor.origin).await;
            (
                done,
                "/members".to_owned(),
                format!(
                    "{name} is no longer a member. Their keys are revoked; tokens that they created for the organisation stay valid."
                ),
            )
        }
        _ => return Ok(to_saying(request, &path, Tone::Problem, "Nothing was changed.")),
    };
    match done {
        Ok(()) => Ok(to_saying(request, &back, Tone::Done, &text)),
        Err(OrganizationError::Failed(failure)) => Err(visitor.failed(request, &failure)),
        Err(error) => Ok(to_saying(request, &format!("/members/{id}"), Tone::Problem, &explain(&error))),
    }
}

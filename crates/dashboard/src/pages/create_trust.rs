//! A new trust policy: a form for each CI system, with the claims that matter there.

use actix_web::http::StatusCode;
use actix_web::web::{Bytes, ServiceConfig};
use actix_web::{HttpRequest, HttpResponse, get, post};
use askama::Template;
use authority::Refused;
use authority::trust::{Issuers, NewTrustPolicy, TrustError};
use serde_json::{Map, Value, json};
use token_domain::id::ProjectId;
use token_domain::text::Name;
use token_domain::token::Kind;
use token_domain::trust::{self, Conditions, InvalidTrust, Preset};

use super::create_token::{Flaw, ProjectChoice, projects};
use super::proof;
use super::trust::{PresetChoice, explain, failed, name_of, presets};
use crate::answer::{Answer, Tone, either, ok, page, to_saying};
use crate::form::Form;
use crate::layout::{Layout, Section};
use crate::scopes::{self, Group};
use crate::services::Services;
use crate::visit::Visitor;

pub(super) fn register(config: &mut ServiceConfig) {
    config.service(new_policy).service(create_policy);
}

/// A claim that the form of a CI system asks about.
struct Claim {
    name: &'static str,
    label: &'static str,
    hint: &'static str,
    placeholder: &'static str,
    /// What a new form is filled with.
    usual: &'static str,
}

const fn claim(name: &'static str, label: &'static str, placeholder: &'static str) -> Claim {
    Claim { name, label, placeholder, hint: "", usual: "" }
}

const REPOSITORY: Claim = Claim {
    hint: "A number, which stays when a repository is renamed: gh api repos/OWNER/NAME --jq .id",
    ..claim("repository_id", "Repository id", "1296269")
};
const BRANCH: Claim = Claim {
    hint: "Empty means every branch.",
    usual: "refs/heads/main",
    ..claim("ref", "Branch or tag", "refs/heads/main")
};
const PROJECT: Claim = Claim {
    hint: "A number: under the name on the project's page, or in its settings.",
    ..claim("project_id", "Project id", "278964")
};
const PROTECTED: Claim = Claim {
    hint: "true for jobs of protected branches and tags only.",
    usual: "true",
    ..claim("ref_protected", "Protected", "true")
};
const GITHUB: [Claim; 3] =
    [REPOSITORY, BRANCH, Claim { hint: "Empty means any.", ..claim("environment", "Environment", "production") }];
const GITLAB: [Claim; 3] =
    [PROJECT, PROTECTED, Claim { hint: "Empty means every one.", ..claim("ref", "Branch or tag", "main") }];
const BUILDKITE: [Claim; 3] = [
    claim("organization_id", "Organisation id", "018f2f1e-…"),
    claim("pipeline_id", "Pipeline id", "018f2f1f-…"),
    Claim { usual: "main", hint: "Empty means every branch.", ..claim("build_branch", "Branch", "main") },
];
const CIRCLECI: [Claim; 1] = [claim("oidc.circleci.com/project-id", "Project id", "76ec8d65-…")];
const TERRAFORM: [Claim; 2] = [
    claim("sub", "Subject", "organization:acme:project:*:workspace:prod:run_phase:*"),
    claim("terraform_workspace_id", "Workspace id", "ws-…"),
];
const SPACELIFT: [Claim; 2] =
    [claim("sub", "Subject", "space:prod-…:stack:*:run_type:*:scope:write"), claim("spaceId", "Space", "prod-…")];
const KUBERNETES: [Claim; 2] = [
    claim("sub", "Service account", "system:serviceaccount:ci:deployer"),
    claim("/kubernetes.io/namespace", "Namespace", "ci"),
];
const GENERIC: [Claim; 1] = [claim("sub", "Subject", "job:deploy")];

/// The claims that the form of a preset asks about.
const fn claims(preset: Preset) -> &'static [Claim] {
    match preset {
        Preset::GitHub => &GITHUB,
        Preset::GitLab => &GITLAB,
        Preset::Buildkite => &BUILDKITE,
        Preset::CircleCi => &CIRCLECI,
        Preset::Terraform => &TERRAFORM,
        Preset::Spacelift => &SPACELIFT,
        Preset::Kubernetes => &KUBERNETES,
        Preset::Generic => &GENERIC,
    }
}

/// What the issuer's field suggests, and what a new form is filled with.
const fn issuer(preset: Preset) -> (&'static str, &'static str) {
    match preset {
        Preset::GitHub => ("empty for GitHub's own", ""),
        Preset::GitLab => ("https://gitlab.com", "https://gitlab.com"),
        Preset::Buildkite => ("empty for Buildkite's own", ""),
        Preset::CircleCi => ("https://oidc.circleci.com/org/<organisation id>", ""),
        Preset::Terraform => ("empty for Terraform Cloud's own", ""),
        Preset::Spacelift => ("https://acme.app.spacelift.io", ""),
        Preset::Kubernetes => ("https://kubernetes.example.org", ""),
        Preset::Generic => ("https://issuer.example.org", ""),
    }
}

/// A claim's field on the page.
#[derive(Clone, Debug)]
struct ClaimField {
    claim: &'static str,
    label: &'static str,
    hint: &'static str,
    placeholder: &'static str,
    value: String,
}

/// A choice of lifetime.
#[derive(Clone, Debug)]
struct LifeChoice {
    value: &'static str,
    label: &'static str,
    is_chosen: bool,
}

/// Seconds and their name.
const LIVES: [(&str, &str); 3] = [("300", "5 minutes"), ("900", "15 minutes"), ("3600", "1 hour")];

#[derive(Template)]
#[template(path = "create_trust.html")]
struct CreatePage {
    page: Layout,
    presets: Vec<PresetChoice>,
    preset: &'static str,
    system: &'static str,
    name: String,
    issuer: String,
    issuer_hint: &'static str,
    /// What the audience is where the field stays empty; empty if it must be filled in.
    usual_audience: String,
    audience: String,
    claims: Vec<ClaimField>,
    more: String,
    groups: Vec<Group>,
    lives: Vec<LifeChoice>,
    projects: Vec<ProjectChoice>,
    problem: String,
    field: &'static str,
}

#[get("/trust/new")]
async fn new_policy(request: HttpRequest, services: Services) -> HttpResponse {
    either(show_form(&request, &services).await)
}

async fn show_form(request: &HttpRequest, services: &Services) -> Answer {
    let visitor = Visitor::enter(request, services).await?;
    visitor.check(request, "tokens:manage")?;
    let query = Form::query(request);
    let preset = preset_of(&query);
    let mut fields: Vec<(String, String)> = query.kept();
    fields.push(("issuer".to_owned(), issuer(preset).1.to_owned()));
    fields.extend(claims(preset).iter().map(|claim| (field_of(claim.name), claim.usual.to_owned())));
    Ok(ok(&form_page(request, services, &visitor, &Form::of(fields), Flaw::NONE).await))
}

fn preset_of(form: &Form) -> Preset {
    Preset::parse(form.text("preset")).unwrap_or(Preset::GitHub)
}

fn field_of(claim: &str) -> String {
    format!("claim.{claim}")
}

async fn form_page(
    request: &HttpRequest,
    services: &Services,
    visitor: &Visitor,
    form: &Form,
    flaw: Flaw,
) -> CreatePage {
    let preset = preset_of(form);
    let life = form.some("ttl").unwrap_or("900");
    let field = |claim: &Claim| ClaimField {
        claim: claim.name,
        label: claim.label,
        hint: claim.hint,
        placeholder: claim.placeholder,
        value: form.raw(&field_of(claim.name)).to_owned(),
    };
    let lives = LIVES.map(|(value, label)| LifeChoice { value, label, is_chosen: value == life });
    CreatePage {
        page: Layout::of(request, visitor, Section::Trust, "New trust policy"),
        presets: presets(Some(preset)),
        preset: preset.as_str(),
        system: name_of(preset),
        name: form.raw("name").to_owned(),
        issuer: form.raw("issuer").to_owned(),
        issuer_hint: issuer(preset).0,
        usual_audience: services.place.origin.clone().unwrap_or_default(),
        audience: form.raw("audience").to_owned(),
        claims: claims(preset).iter().map(field).collect(),
        more: form.raw("more").to_owned(),
        groups: scopes::groups(
            services.context.catalogue(),
            Kind::Organization,
            visitor.caller.effective,
            &form.all("scope"),
        ),
        lives: lives.to_vec(),
        projects: projects(services, visitor, form.text("project_id")).await,
        problem: flaw.text,
        field: flaw.field,
    }
}

/// The conditions of a form: those of its own fields, and one on each line of the field for more.
fn conditions(form: &Form, preset: Preset) -> Result<Conditions, String> {
    let own = claims(preset).iter().filter_map(|claim| Some((claim.name, form.some(&field_of(claim.name))?)));
    let more = form.raw("more").lines().map(str::trim).filter(|line| !line.is_empty()).map(|line| {
        let (claim, text) =
            line.split_once('=').ok_or_else(|| format!("“{line}” is no condition: write claim = value."))?;
        Ok((claim.trim(), text.trim()))
    });
    let mut object = Map::new();
    for pair in own.map(Ok::<_, String>).chain(more) {
        let (claim, text) = pair?;
        if text.contains(" | ") && text.contains('*') {
            // Choices are compared as they are: the asterisk would be one of the text.
            return Err(format!("The condition on {claim} has both * and |: write one of them."));
        }
        if object.insert(claim.to_owned(), expected(text)).is_some() {
            return Err(format!("There are two conditions on {claim}: write the values as one | other."));
        }
    }
    Conditions::read(&object).map_err(|error| format!("The conditions {error}."))
}

/// A condition's value as the API takes it.
fn expected(text: &str) -> Value {
    if text.contains(" | ") {
        json!({ "in": text.split(" | ").map(str::trim).collect::<Vec<_>>() })
    } else if text.contains('*') {
        json!({ "glob": text })
    } else {
        Value::from(text)
    }
}

fn read(form: &Form, issuers: &dyn Issuers) -> Result<NewTrustPolicy, Flaw> {
    let preset = preset_of(form);
    let scopes = form.all("scope");
    if let Some(text) = form.some("issuer") {
        issuers.check(text).map_err(|problem| Flaw::of("issuer", format!("The issuer {problem}.")))?;
    }
    let audience = form.some("audience").map(trust::audience).transpose();
    let project_id = form.some("project_id").map(ProjectId::parse).transpose();
    let asked = NewTrustPolicy {
        name: Name::parse(form.raw("name")).map_err(|error| Flaw::of("name", format!("The name {error}.")))?,
        preset: Some(preset),
        issuer: form.some("issuer").map(str::to_owned),
        audience: audience.map_err(|problem| Flaw::of("audience", format!("The audience {problem}.")))?,
        conditions: conditions(form, preset).map_err(|problem| Flaw::of("match", problem))?,
        scopes,
        project_id: project_id.map_err(|_| Flaw::of("project_id", "Choose a project of this organisation."))?,
        actor_id: None,
        ttl_seconds: form
            .text("ttl")
            .parse()
            .map_err(|_| "must be chosen")
            .and_then(trust::ttl)
            .map_err(|problem| Flaw::of("ttl", format!("The lifetime {problem}.")))?,
        is_enabled: true,
    };
    if asked.scopes.is_empty() { Err(Flaw::of("scope", "Choose at least one scope.")) } else { Ok(asked) }
}

#[post("/trust/new")]
async fn create_policy(request: HttpRequest, services: Services, body: Bytes) -> HttpResponse {
    either(create(&request, &services, &body).await)
}

async fn create(request: &HttpRequest, services: &Services, body: &[u8]) -> Answer {
    let (mut visitor, form) = Visitor::posted(request, services, body).await?;
    visitor.admit(request, "tokens:manage")?;
    if form.is_restored() {
        return Ok(ok(&form_page(request, services, &visitor, &form, Flaw::NONE).await));
    }
    let flaw = match read(&form, &**services.issuers) {
        Err(flaw) => flaw,
        Ok(asked) => {
            let organization = visitor.caller.organization_id;
            match services.trust.create(&visitor.caller, organization, asked, &visitor.origin).await {
                Ok(policy) => {
                    let text = "The policy is in force. Put the lines below into the job, or test a token of it first.";
                    return Ok(to_saying(request, &format!("/trust/{}", policy.id), Tone::Done, text));
                }
                Err(TrustError::Refused(Refused::ProofNeeded)) => return Err(proof::ask(request, &visitor, &form)),
                Err(error @ (TrustError::Failed(_) | TrustError::NotFound)) => {
                    return Err(failed(request, &visitor, &error));
                }
                Err(error) => Flaw::of(field(&error), explain(&error)),
            }
        }
    };
    Err(page(StatusCode::UNPROCESSABLE_ENTITY, &form_page(request, services, &visitor, &form, flaw).await))
}

/// The field that an error is about.
const fn field(error: &TrustError) -> &'static str {
    match error {
        TrustError::Invalid(
            InvalidTrust::IssuerNeeded(_) | InvalidTrust::OtherIssuer(..) | InvalidTrust::OtherPreset(_),
        ) => "issuer",
        TrustError::Invalid(InvalidTrust::NotPinned(_) | InvalidTrust::TooLittle(_)) => "match",
        TrustError::AudienceNeeded => "audience",
        TrustError::Token(_) => "scope",
        _ => "form",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn form(fields: &[(&str, &str)]) -> Form {
        Form::of(fields.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect())
    }

    #[test]
    fn conditions_come_from_the_fields_and_from_lines() {
        let read = conditions(
            &form(&[
                ("claim.repository_id", "42"),
                ("claim.ref", "refs/heads/*"),
                ("claim.environment", " "),
                ("more", "event_name = push | schedule\n\n actor=octocat=1 "),
            ]),
            Preset::GitHub,
        );
        let expected = json!({
            "repository_id": "42", "ref": {"glob": "refs/heads/*"},
            "event_name": {"in": ["push", "schedule"]}, "actor": "octocat=1",
        });
        assert_eq!(read.unwrap().written(), expected);
    }

    #[test]
    fn a_line_that_is_no_condition_is_named() {
        let problem = |more: &str| {
            conditions(&form(&[("claim.repository_id", "42"), ("more", more)]), Preset::GitHub).unwrap_err()
        };
        assert!(problem("event_name").contains("“event_name”"));
        assert!(problem("repository_id = 43").contains("two conditions on repository_id"));
        assert!(problem("ref = refs/heads/main | refs/heads/release/*").contains("both * and |"));
        assert!(problem("aud = x").contains("must not have aud"));
        assert!(conditions(&form(&[]), Preset::Generic).unwrap_err().contains("at least one"));
    }
}

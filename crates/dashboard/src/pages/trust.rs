//! Trust policies: which CI jobs and other workloads get short-lived tokens for their identity tokens. The list, and a
//! test of a token against all of them.

use actix_web::http::StatusCode;
use actix_web::web::{Bytes, ServiceConfig};
use actix_web::{HttpRequest, HttpResponse, get, post};
use askama::Template;
use authority::records::TrustPolicy;
use authority::trust::{Evidence, Explained, MOST_COUNTED, TrustError};
use serde_json::Value;
use token_domain::id::TrustPolicyId;
use token_domain::trust::{InvalidTrust, Preset};

use crate::answer::{Answer, either, ok, page};
use crate::form::Form;
use crate::layout::{Layout, Section};
use crate::services::Services;
use crate::show::{Badge, When};
use crate::visit::{Visitor, explain_refused};

pub(super) fn register(config: &mut ServiceConfig) {
    config.service(policies_shown).service(test_posted);
}

/// A condition as people read and write it.
#[derive(Clone, Debug)]
pub(super) struct ConditionLine {
    pub(super) claim: String,
    pub(super) expected: String,
}

/// A policy as a line of a list.
#[derive(Clone, Debug)]
struct PolicyLine {
    id: String,
    name: String,
    system: &'static str,
    issuer: String,
    conditions: Vec<ConditionLine>,
    scopes: Vec<String>,
    badge: Badge,
    changed: When,
}

/// A check of the test, or a claim in it.
#[derive(Clone, Debug)]
pub(super) struct Judged {
    pub(super) name: String,
    pub(super) text: String,
    pub(super) is_met: bool,
}

/// A policy in a test.
#[derive(Clone, Debug)]
pub(super) struct Tested {
    pub(super) id: String,
    pub(super) name: String,
    pub(super) is_chosen: bool,
    pub(super) is_fitting: bool,
    pub(super) claims: Vec<Judged>,
    /// Why it does not accept the token although all claims fit.
    pub(super) refusal: String,
}

/// What would become of an identity token.
#[derive(Clone, Debug)]
pub(super) struct TestResult {
    pub(super) is_accepted: bool,
    pub(super) heading: String,
    pub(super) text: String,
    pub(super) checks: Vec<Judged>,
    pub(super) policies: Vec<Tested>,
}

/// The most policies that a test shows: those that come closest.
const SHOWN: usize = 10;

impl TestResult {
    fn new(explained: Explained) -> Self {
        let chosen = explained.chosen;
        let name =
            explained.policies.iter().find(|one| Some(one.policy.id) == chosen).map(|one| one.policy.name.clone());
        let checks = explained.looks.into_iter().map(|(check, look)| Judged {
            name: check.to_owned(),
            is_met: look.is_ok(),
            text: look.err().unwrap_or_default(),
        });
        let mut policies = explained.policies;
        policies.sort_by_key(|one| {
            let unmet = one.judged.iter().filter(|judged| !judged.is_met).count();
            (Some(one.policy.id) != chosen, !one.fits(), unmet)
        });
        let tested = policies.into_iter().take(SHOWN).map(|one| Tested {
            id: one.policy.id.to_string(),
            name: one.policy.name.to_string(),
            is_chosen: Some(one.policy.id) == chosen,
            is_fitting: one.fits(),
            refusal: match (one.policy.is_enabled, one.refusal) {
                (false, _) => "It is switched off.".to_owned(),
                (true, Some(refusal)) => format!("Refused: {}.", refusal.why),
                (true, None) => String::new(),
            },
            claims: one
                .judged
                .into_iter()
                .map(|judged| Judged {
                    text: match (&judged.actual, judged.is_met) {
                        (Some(actual), true) => actual.clone(),
                        (Some(actual), false) => format!("{actual}, not {}", as_typed(&judged.expected)),
                        (None, _) => format!("absent, not {}", as_typed(&judged.expected)),
                    },
                    is_met: judged.is_met,
                    name: judged.claim,
                })
                .collect(),
        });
        Self {
            is_accepted: chosen.is_some(),
            heading: name
                .map_or_else(|| "It would be refused".to_owned(), |name| format!("It would be exchanged under {name}")),
            text: explained.why_not.map(|why| sentence(&why)).unwrap_or_default(),
            checks: checks.collect(),
            policies: tested.collect(),
        }
    }
}

fn sentence(text: &str) -> String {
    let mut letters = text.chars();
    letters.next().map_or_else(String::new, |first| first.to_uppercase().chain(letters).chain(['.']).collect())
}

#[derive(Template)]
#[template(path = "trust.html")]
struct TrustPage {
    page: Layout,
    policies: Vec<PolicyLine>,
    presets: Vec<PresetChoice>,
    may_manage: bool,
    /// The static tokens that are still valid, in words.
    remaining: String,
    is_trust_only: bool,
    test: Option<TestResult>,
    problem: String,
}

/// How many static tokens there are.
fn remaining(count: usize) -> String {
    match count {
        0 => "No static token of the organisation is valid".to_owned(),
        1 => "1 static token of the organisation is still valid".to_owned(),
        count if u32::try_from(count).is_ok_and(|count| count <= MOST_COUNTED) => {
            format!("{count} static tokens of the organisation are still valid")
        }
        _ => format!("More than {MOST_COUNTED} static tokens of the organisation are still valid"),
    }
}

/// What a preset is called by people.
pub(super) const fn name_of(preset: Preset) -> &'static str {
    match preset {
        Preset::GitHub => "GitHub Actions",
        Preset::GitLab => "GitLab CI",
        Preset::Buildkite => "Buildkite",
        Preset::CircleCi => "CircleCI",
        Preset::Terraform => "Terraform Cloud",
        Preset::Spacelift => "Spacelift",
        Preset::Kubernetes => "Kubernetes",
        Preset::Generic => "Another issuer",
    }
}

/// A preset to choose.
#[derive(Clone, Debug)]
pub(super) struct PresetChoice {
    pub(super) value: &'static str,
    pub(super) name: &'static str,
    pub(super) is_chosen: bool,
}

/// The presets, each with a form of its own.
pub(super) fn presets(chosen: Option<Preset>) -> Vec<PresetChoice> {
    let choice = |preset: Preset| PresetChoice {
        value: preset.as_str(),
        name: name_of(preset),
        is_chosen: Some(preset) == chosen,
    };
    Preset::ALL.map(choice).to_vec()
}

/// A condition's value as the form takes it: a text, a pattern with `*`, or `one | other`.
pub(super) fn as_typed(expected: &Value) -> String {
    match expected {
        Value::String(text) => text.clone(),
        Value::Object(object) => match (object.get("glob"), object.get("in")) {
            (Some(Value::String(pattern)), _) => pattern.clone(),
            (_, Some(Value::Array(choices))) => choices.iter().map(as_typed).collect::<Vec<_>>().join(" | "),
            _ => expected.to_string(),
        },
        Value::Null => "nothing".to_owned(),
        other => other.to_string(),
    }
}

/// The conditions of a policy.
pub(super) fn conditions(policy: &TrustPolicy) -> Vec<ConditionLine> {
    let Value::Object(written) = policy.conditions.written() else { return Vec::new() };
    let line = |(claim, expected): (String, Value)| ConditionLine { claim, expected: as_typed(&expected) };
    written.into_iter().map(line).collect()
}

/// Whether a policy is in force.
pub(super) fn badge(policy: &TrustPolicy) -> Badge {
    let (tone, text) = if policy.is_enabled { ("good", "In force") } else { ("dead", "Switched off") };
    Badge { tone, text: text.to_owned() }
}

/// The page for an error when there is no form to show it on.
pub(super) fn failed(request: &HttpRequest, visitor: &Visitor, error: &TrustError) -> HttpResponse {
    match error {
        TrustError::NotFound => visitor.not_found(request),
        TrustError::Failed(failure) => visitor.failed(request, failure),
        TrustError::Refused(refused) => visitor.refused(request, refused),
        other => visitor.problem(request, StatusCode::CONFLICT, "That did not work", &explain(other)),
    }
}

/// What an error means, and what to do about it.
pub(super) fn explain(error: &TrustError) -> String {
    match error {
        TrustError::Invalid(InvalidTrust::IssuerNeeded(_)) => {
            "Say who signs the identity tokens: the issuer.".to_owned()
        }
        TrustError::Invalid(InvalidTrust::OtherIssuer(_, which)) => format!("The issuer must be {which}."),
        TrustError::Invalid(InvalidTrust::OtherPreset(preset)) => {
            let name = Preset::parse(preset).map_or(*preset, name_of);
            format!("This issuer is that of {name}: start from that form.")
        }
        TrustError::Invalid(InvalidTrust::NotPinned(pins)) => {
            format!("Say which {pins}: others have tokens of this issuer too, and names change hands.")
        }
        TrustError::Invalid(InvalidTrust::TooLittle(_)) => {
            "Ask for the claim sub and for at least one more.".to_owned()
        }
        TrustError::AudienceNeeded => {
            "Name the audience: this deployment has no public address (server.public_url) to be it.".to_owned()
        }
        TrustError::TooMany => "There are as many trust policies as there may be: delete one first.".to_owned(),
        TrustError::Confined => "A session that is bound to one project decides about none of these.".to_owned(),
        TrustError::NotAJwt(unreadable) => format!("That is no identity token that can be tested: it {unreadable}."),
        TrustError::Token(error) => super::tokens::explain(error),
        TrustError::Refused(refused) => explain_refused(refused),
        TrustError::NotFound | TrustError::NoSuchActor | TrustError::Failed(_) => "That did not work.".to_owned(),
    }
}

#[get("/trust")]
async fn policies_shown(request: HttpRequest, services: Services) -> HttpResponse {
    either(show_policies(&request, &services).await)
}

async fn show_policies(request: &HttpRequest, services: &Services) -> Answer {
    let visitor = Visitor::enter(request, services).await?;
    visitor.check(request, "tokens:read")?;
    let template = trust_page(request, services, &visitor).await?;
    let layout = template.page.clone();
    Ok(layout.shown(request, ok(&template)))
}

async fn trust_page(request: &HttpRequest, services: &Services, visitor: &Visitor) -> Result<TrustPage, HttpResponse> {
    let found = services.trust.list(&visitor.caller, visitor.caller.organization_id).await;
    let found = found.map_err(|error| failed(request, visitor, &error))?;
    let line = |policy: TrustPolicy| PolicyLine {
        id: policy.id.to_string(),
        name: policy.name.to_string(),
        system: name_of(policy.preset),
        conditions: conditions(&policy),
        badge: badge(&policy),
        changed: When::new(policy.updated_at, visitor.now),
        issuer: policy.issuer,
        scopes: policy.scopes,
    };
    let static_tokens = services.trust.static_tokens(&visitor.caller, visitor.caller.organization_id).await;
    let static_tokens = static_tokens.map_err(|error| failed(request, visitor, &error))?;
    Ok(TrustPage {
        remaining: remaining(static_tokens),
        is_trust_only: visitor.me.standing.organization.trust_only,
        page: Layout::of(request, visitor, Section::Trust, "Trust policies"),
        policies: found.into_iter().map(line).collect(),
        presets: presets(None),
        may_manage: visitor.may("tokens:manage"),
        test: None,
        problem: String::new(),
    })
}

#[post("/trust")]
async fn test_posted(request: HttpRequest, services: Services, body: Bytes) -> HttpResponse {
    either(tested(&request, &services, &body).await)
}

async fn tested(request: &HttpRequest, services: &Services, body: &[u8]) -> Answer {
    let (visitor, form) = Visitor::posted(request, services, body).await?;
    visitor.check(request, "tokens:read")?;
    let template = trust_page(request, services, &visitor).await?;
    match test(request, services, &visitor, &form, None).await? {
        Ok(test) => Ok(ok(&TrustPage { test, ..template })),
        Err(problem) => Err(page(StatusCode::UNPROCESSABLE_ENTITY, &TrustPage { problem, ..template })),
    }
}

/// Tests the identity token of a form against one policy or all of them; an error is a text for the form. There is
/// nothing to test in a form that was kept over a sign-in, because secrets are not kept.
pub(super) async fn test(
    request: &HttpRequest,
    services: &Services,
    visitor: &Visitor,
    form: &Form,
    policy: Option<TrustPolicyId>,
) -> Result<Result<Option<TestResult>, String>, HttpResponse> {
    if form.is_restored() {
        return Ok(Ok(None));
    }
    let evidence = Evidence::Token(form.text("token"));
    let organization = visitor.caller.organization_id;
    match services.trust.test(&visitor.caller, organization, policy, evidence, &**services.issuers).await {
        Ok(explained) => Ok(Ok(Some(TestResult::new(explained)))),
        Err(error @ TrustError::NotAJwt(_)) => Ok(Err(explain(&error))),
        Err(error) => Err(failed(request, visitor, &error)),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn static_tokens_are_counted_in_words() {
        for (count, said) in
            [(0, "No static token"), (1, "1 static token "), (1_000, "1000 static tokens"), (1_001, "More than 1000")]
        {
            assert!(remaining(count).starts_with(said), "{}", remaining(count));
        }
    }

    #[test]
    fn conditions_are_shown_as_the_form_takes_them() {
        for (expected, shown) in [
            (json!("refs/heads/main"), "refs/heads/main"),
            (json!({"glob": "refs/heads/*"}), "refs/heads/*"),
            (json!({"in": ["push", "schedule"]}), "push | schedule"),
            (json!(null), "nothing"),
        ] {
            assert_eq!(as_typed(&expected), shown);
        }
    }
}

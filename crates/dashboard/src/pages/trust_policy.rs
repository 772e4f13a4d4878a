//! One trust policy: what it says, the lines for the job, what was tried under it, a test, switching off, deletion.

use actix_web::http::StatusCode;
use actix_web::web::{Bytes, ServiceConfig};
use actix_web::{HttpRequest, HttpResponse, get, post};
use askama::Template;
use authority::Refused;
use authority::records::{TrustAttempt, TrustOutcome, TrustPolicy};
use authority::trust::{TrustError, TrustPolicyEdit};
use token_domain::Span;
use token_domain::id::TrustPolicyId;
use token_domain::trust::Preset;

use super::create_token::Snippet;
use super::proof;
use super::tokens::Names;
use super::trust::{ConditionLine, TestResult, badge, conditions, explain, failed, name_of, test};
use crate::answer::{Answer, Tone, either, ok, page, to_saying};
use crate::form::Form;
use crate::layout::{Layout, Section};
use crate::scopes;
use crate::services::Services;
use crate::show::{self, Badge, When};
use crate::visit::Visitor;

pub(super) fn register(config: &mut ServiceConfig) {
    config.service(policy_shown).service(policy_posted);
}

/// The most attempts that the page shows.
const ATTEMPTS: usize = 15;

#[derive(Clone, Debug)]
struct AttemptLine {
    at: When,
    outcome: Badge,
    claim: String,
    subject: String,
    address: String,
    token: String,
}

/// A static token that the jobs of the policy probably still use.
#[derive(Clone, Debug)]
struct StaticLine {
    id: String,
    name: String,
    address: String,
    used: When,
}

#[expect(clippy::struct_excessive_bools, reason = "independent conditions of the template")]
#[derive(Template)]
#[template(path = "trust_policy.html")]
struct PolicyPage {
    page: Layout,
    id: String,
    name: String,
    badge: Badge,
    system: &'static str,
    issuer: String,
    audience: String,
    conditions: Vec<ConditionLine>,
    warnings: Vec<String>,
    permits: String,
    scopes: Vec<String>,
    life: String,
    project: String,
    created: When,
    creator: String,
    is_enabled: bool,
    may_manage: bool,
    /// The page asks for confirmation before it deletes.
    is_deleting: bool,
    snippet: Snippet,
    attempts: Vec<AttemptLine>,
    has_more_attempts: bool,
    statics: Vec<StaticLine>,
    test: Option<TestResult>,
    problem: String,
}

/// What became of an attempt, in words.
pub(super) const fn words(outcome: TrustOutcome) -> &'static str {
    match outcome {
        TrustOutcome::Exchanged => "Exchanged",
        TrustOutcome::Audience => "For another audience",
        TrustOutcome::Time => "Expired, or not valid yet",
        TrustOutcome::Claims => "A claim differs",
        TrustOutcome::Refused => "A kind of job it does not name",
        TrustOutcome::Disabled => "The policy was switched off",
        TrustOutcome::Ambiguous => "Another policy fits as well",
        TrustOutcome::Replayed => "Exchanged before",
        TrustOutcome::Scopes => "Asked for more scopes",
        TrustOutcome::Limits => "A limit or the token policy forbids it",
    }
}

/// Whether a text means itself in a shell and in YAML.
fn is_plain(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"._~:/@%+=-".contains(&byte))
}

/// A word for a shell: an audience is any text, and these lines are pasted by others than who chose it.
fn in_shell(text: &str) -> String {
    if is_plain(text) { text.to_owned() } else { format!("'{}'", text.replace('\'', r"'\''")) }
}

/// A text for YAML, where a string of JSON is one as well.
fn in_yaml(text: &str) -> String {
    if is_plain(text) && !text.ends_with(':') { text.to_owned() } else { serde_json::json!(text).to_string() }
}

/// The lines for the job's definition.
fn snippet(policy: &TrustPolicy, audience: &str, address: &str) -> Snippet {
    let exchange = format!(
        "nlp ci exchange --policy {}{} --field access_token | nlp exec --token-file - -- ./deploy",
        policy.id,
        if audience == address { String::new() } else { format!(" --audience {}", in_shell(audience)) },
    );
    let (label, text) = match policy.preset {
        Preset::GitHub => (
            "GitHub workflow",
            format!(
                "permissions:\n  id-token: write\n  contents: read\nsteps:\n  - env:\n      NLP_URL: {address}\n    run: |\n      {exchange}"
            ),
        ),
        Preset::GitLab => (
            ".gitlab-ci.yml",
            format!(
                "deploy:\n  id_tokens:\n    NLP_ID_TOKEN:\n      aud: {}\n  variables:\n    NLP_URL: {address}\n  script:\n    - |\n      {exchange}",
                in_yaml(audience)
            ),
        ),
        Preset::Kubernetes | Preset::Generic => (
            "Shell, with the identity token in a file",
            format!(
                "export NLP_URL={address}\n{}",
                exchange.replacen("exchange", "exchange --token-file /path/to/token", 1)
            ),
        ),
        Preset::Buildkite | Preset::CircleCi | Preset::Terraform | Preset::Spacelift => {
            ("Shell, in the job", format!("export NLP_URL={address}\n{exchange}"))
        }
    };
    Snippet { label, text }
}

#[get("/trust/{policy_id}")]
async fn policy_shown(request: HttpRequest, services: Services) -> HttpResponse {
    either(show_policy(&request, &services).await)
}

async fn show_policy(request: &HttpRequest, services: &Services) -> Answer {
    let visitor = Visitor::enter(request, services).await?;
    visitor.check(request, "tokens:read")?;
    let id = id_of(request, &visitor)?;
    let template = policy_page(request, services, &visitor, id).await?;
    let layout = template.page.clone();
    Ok(layout.shown(request, ok(&template)))
}

fn id_of(request: &HttpRequest, visitor: &Visitor) -> Result<TrustPolicyId, HttpResponse> {
    let id = request.match_info().get("policy_id").and_then(|id| TrustPolicyId::parse(id).ok());
    id.ok_or_else(|| visitor.not_found(request))
}

async fn policy_page(
    request: &HttpRequest,
    services: &Services,
    visitor: &Visitor,
    id: TrustPolicyId,
) -> Result<PolicyPage, HttpResponse> {
    let (organization, now) = (visitor.caller.organization_id, visitor.now);
    let broken = |error| failed(request, visitor, &error);
    let policy = services.trust.get(&visitor.caller, organization, id).await.map_err(broken)?;
    let attempts = services.trust.attempts(&visitor.caller, organization, id).await.map_err(broken)?;
    let statics = services.trust.tokens_of_jobs(&visitor.caller, organization, id).await.map_err(broken)?;
    let names = Names::read(visitor, services).await;
    let audience = services.trust.audience_of(&policy).unwrap_or_default().to_owned();
    let address = services.place.origin.clone().unwrap_or_else(|| audience.clone());
    let line = |attempt: &TrustAttempt| AttemptLine {
        at: When::new(attempt.at, now),
        outcome: Badge {
            tone: if attempt.outcome == TrustOutcome::Exchanged { "good" } else { "warn" },
            text: words(attempt.outcome).to_owned(),
        },
        claim: attempt.claim.clone().unwrap_or_default(),
        subject: attempt.subject.clone().unwrap_or_default(),
        address: attempt.address.clone().unwrap_or_default(),
        token: attempt.token_id.map(|id| id.to_string()).unwrap_or_default(),
    };
    let warnings = policy.preset.warnings(&policy.conditions);
    Ok(PolicyPage {
        page: Layout::of(request, visitor, Section::Trust, policy.name.as_str()),
        badge: badge(&policy),
        system: name_of(policy.preset),
        conditions: conditions(&policy),
        warnings: warnings.into_iter().map(|warning| format!("{}: {}.", warning.claim, warning.why)).collect(),
        permits: scopes::permits(services.context.catalogue(), &policy.scopes),
        life: show::span(Span::seconds(policy.ttl_seconds)),
        project: policy.project_id.map(|id| id.to_string()).unwrap_or_default(),
        created: When::new(policy.created_at, now),
        creator: names.of(policy.created_by),
        is_enabled: policy.is_enabled,
        may_manage: visitor.may("tokens:manage"),
        is_deleting: Form::query(request).has("deleting"),
        snippet: snippet(&policy, &audience, &address),
        attempts: attempts.iter().take(ATTEMPTS).map(line).collect(),
        has_more_attempts: attempts.len() > ATTEMPTS,
        statics: statics
            .into_iter()
            .map(|found| StaticLine {
                id: found.token.id.to_string(),
                name: found.token.name.to_string(),
                address: found.address,
                used: When::new(found.used_at, now),
            })
            .collect(),
        test: None,
        problem: String::new(),
        id: policy.id.to_string(),
        name: policy.name.to_string(),
        issuer: policy.issuer,
        scopes: policy.scopes,
        audience,
    })
}

#[post("/trust/{policy_id}")]
async fn policy_posted(request: HttpRequest, services: Services, body: Bytes) -> HttpResponse {
    either(changed(&request, &services, &body).await)
}

async fn changed(request: &HttpRequest, services: &Services, body: &[u8]) -> Answer {
    let (mut visitor, form) = Visitor::posted(request, services, body).await?;
    let id = id_of(request, &visitor)?;
    let what = form.text("what");
    if what == "test" {
        visitor.check(request, "tokens:read")?;
        let template = policy_page(request, services, &visitor, id).await?;
        return match test(request, services, &visitor, &form, Some(id)).await? {
            Ok(test) => Ok(ok(&PolicyPage { test, ..template })),
            Err(problem) => Err(page(StatusCode::UNPROCESSABLE_ENTITY, &PolicyPage { problem, ..template })),
        };
    }
    visitor.admit(request, "tokens:manage")?;
    if form.is_restored() {
        return Ok(to_saying(request, request.path(), Tone::Problem, "Nothing was changed."));
    }
    let organization = visitor.caller.organization_id;
    let edit = |is_enabled| TrustPolicyEdit { is_enabled: Some(is_enabled), ..TrustPolicyEdit::default() };
    let (done, back, text) = match what {
        "enable" | "disable" => {
            let edit = edit(what == "enable");
            let done = services.trust.edit(&visitor.caller, organization, id, edit, &visitor.origin).await.map(drop);
            let text = if what == "enable" {
                "The policy is in force again."
            } else {
                "The policy is switched off: nothing is exchanged under it. Tokens made before end by themselves."
            };
            (done, request.path(), text)
        }
        "delete" => {
            let done = services.trust.delete(&visitor.caller, organization, id, &visitor.origin).await;
            (done, "/trust", "The policy is deleted. Tokens made under it end by themselves, within the hour.")
        }
        _ => return Err(visitor.not_found(request)),
    };
    match done {
        Ok(()) => Ok(to_saying(request, back, Tone::Done, text)),
        Err(TrustError::NotFound) => {
            Ok(to_saying(request, "/trust", Tone::Problem, "That policy was deleted already, by somebody else."))
        }
        Err(TrustError::Refused(Refused::ProofNeeded)) => Err(proof::ask(request, &visitor, &form)),
        Err(TrustError::Failed(failure)) => Err(visitor.failed(request, &failure)),
        Err(error) => Ok(to_saying(request, request.path(), Tone::Problem, &explain(&error))),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_audience_is_one_word_of_a_shell_and_one_text_of_yaml() {
        let url = "https://tokens.example.org/a?";
        assert_eq!(
            (in_shell("https://a.example"), in_yaml("https://a.example")),
            ("https://a.example".to_owned(), "https://a.example".to_owned())
        );
        assert_eq!(in_shell(url), format!("'{url}'"));
        assert_eq!(in_shell("x'; sh"), r"'x'\''; sh'");
        assert_eq!(in_yaml("a: b # \"c\""), r#""a: b # \"c\"""#);
        assert_eq!(in_yaml("a:"), r#""a:""#);
    }
}

//! What is known of identity providers: where they issue from, which of their claims cannot change hands, and which of
//! their jobs run code of strangers.

use serde_json::{Map, Value};

use super::condition::{Conditions, Expected};

/// A sort of identity provider.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Preset {
    /// GitHub Actions, also on an Enterprise server.
    GitHub,
    /// GitLab, any instance.
    GitLab,
    /// Buildkite.
    Buildkite,
    /// `CircleCI`.
    CircleCi,
    /// Terraform Cloud or Enterprise.
    Terraform,
    /// Spacelift.
    Spacelift,
    /// Service accounts of a Kubernetes cluster.
    Kubernetes,
    /// Any other.
    Generic,
}

/// Why an issuer and conditions make no policy of a preset.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum InvalidTrust {
    /// The preset has no issuer of its own.
    #[error("issuer is required for the preset {0}")]
    IssuerNeeded(&'static str),
    /// Not an issuer of the preset.
    #[error("issuer must be {1} for the preset {0}")]
    OtherIssuer(&'static str, &'static str),
    /// An issuer that others share, without what is known of it.
    #[error("preset must be {0} for this issuer")]
    OtherPreset(&'static str),
    /// Everybody's jobs have tokens of this issuer, and names of projects change hands.
    #[error(
        "match must compare {0} with one string or a list of strings: other customers get tokens from this issuer too, and names can be reassigned"
    )]
    NotPinned(&'static str),
    /// The subject alone, or not even that.
    #[error("match must have sub and at least one more claim for the preset {0}")]
    TooLittle(&'static str),
}

/// Why a token that meets all conditions is refused all the same.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Refusal {
    /// The claim that says so.
    pub claim: &'static str,
    /// What a person is told.
    pub why: &'static str,
}

/// What a policy's maker should think about.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Warning {
    /// The claim it is about.
    pub claim: &'static str,
    /// What a person is told.
    pub why: &'static str,
}

const GITHUB: &str = "https://token.actions.githubusercontent.com";
const GITLAB: &str = "https://gitlab.com";
const BUILDKITE: &str = "https://agent.buildkite.com";
const CIRCLECI: &str = "https://oidc.circleci.com/org/";
const TERRAFORM: &str = "https://app.terraform.io";

/// A kind of job that is refused unless the policy speaks of the claim.
struct Risky {
    claim: &'static str,
    values: &'static [&'static str],
    why: &'static str,
}

/// GitHub's claims do not tell a pull request of a fork from one of the repository itself, so that both are refused.
const GITHUB_EVENTS: Risky = Risky {
    claim: "event_name",
    values: &["pull_request", "pull_request_target", "workflow_run"],
    why: "jobs of pull requests, and jobs that they trigger, may run code from a fork; to allow them, add a condition on event_name",
};
const GITLAB_SOURCES: Risky = Risky {
    claim: "pipeline_source",
    values: &["merge_request_event", "external_pull_request_event"],
    why: "pipelines of merge requests may run code from a fork; to allow them, add a condition on pipeline_source",
};
const CIRCLECI_RERUNS: Risky = Risky {
    claim: "oidc.circleci.com/ssh-rerun",
    values: &["true"],
    why: "somebody has an SSH session in this job; to allow such jobs, add a condition on oidc.circleci.com/ssh-rerun",
};

impl Preset {
    /// All of them.
    pub const ALL: [Self; 8] = [
        Self::GitHub,
        Self::GitLab,
        Self::Buildkite,
        Self::CircleCi,
        Self::Terraform,
        Self::Spacelift,
        Self::Kubernetes,
        Self::Generic,
    ];

    /// What it is called on the wire and in the database.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::GitHub => "github",
            Self::GitLab => "gitlab",
            Self::Buildkite => "buildkite",
            Self::CircleCi => "circleci",
            Self::Terraform => "terraform",
            Self::Spacelift => "spacelift",
            Self::Kubernetes => "kubernetes",
            Self::Generic => "generic",
        }
    }

    /// Reads it back.
    pub fn parse(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|preset| preset.as_str() == text)
    }

    /// The preset of an issuer that everybody shares.
    pub fn of_issuer(issuer: &str) -> Option<Self> {
        match issuer {
            GITHUB => Some(Self::GitHub),
            GITLAB => Some(Self::GitLab),
            BUILDKITE => Some(Self::Buildkite),
            TERRAFORM => Some(Self::Terraform),
            other => other.starts_with(CIRCLECI).then_some(Self::CircleCi),
        }
    }

    /// Where tokens of this preset come from, when there is one place.
    const fn issuer(self) -> Option<&'static str> {
        match self {
            Self::GitHub => Some(GITHUB),
            Self::Buildkite => Some(BUILDKITE),
            Self::Terraform => Some(TERRAFORM),
            Self::GitLab | Self::CircleCi | Self::Spacelift | Self::Kubernetes | Self::Generic => None,
        }
    }

    /// The preset and issuer of a policy for which these are asked.
    ///
    /// # Errors
    /// An issuer that is not the preset's, or is another's.
    pub fn settle(asked: Option<Self>, issuer: Option<&str>) -> Result<(Self, String), InvalidTrust> {
        let shared = issuer.and_then(Self::of_issuer);
        let preset = asked.or(shared).unwrap_or(Self::Generic);
        if let Some(shared) = shared.filter(|shared| *shared != preset) {
            return Err(InvalidTrust::OtherPreset(shared.as_str()));
        }
        let issuer = issuer.or_else(|| preset.issuer()).ok_or(InvalidTrust::IssuerNeeded(preset.as_str()))?;
        let (is_own, which) = match preset {
            Self::GitHub => (
                issuer == GITHUB || issuer.ends_with("/_services/token"),
                "the issuer of GitHub, or https://HOST/_services/token of an Enterprise Server",
            ),
            Self::Buildkite => (issuer == BUILDKITE, BUILDKITE),
            Self::CircleCi => (issuer.starts_with(CIRCLECI), "https://oidc.circleci.com/org/<id>"),
            Self::GitLab | Self::Terraform | Self::Spacelift | Self::Kubernetes | Self::Generic => (true, ""),
        };
        if is_own { Ok((preset, issuer.to_owned())) } else { Err(InvalidTrust::OtherIssuer(preset.as_str(), which)) }
    }

    /// Whether conditions are enough for tokens of this preset.
    ///
    /// # Errors
    /// What has to be added.
    pub fn check(self, conditions: &Conditions) -> Result<(), InvalidTrust> {
        let pinned = |claims: &[&str]| claims.iter().any(|claim| conditions.pins(claim));
        let (is_enough, pins) = match self {
            Self::GitHub => (pinned(&["repository_id", "repository_owner_id"]), "repository_id or repository_owner_id"),
            Self::GitLab => (pinned(&["project_id", "namespace_id"]), "project_id or namespace_id"),
            Self::Buildkite => {
                (pinned(&["organization_id"]) && pinned(&["pipeline_id"]), "organization_id and pipeline_id")
            }
            Self::CircleCi => (pinned(&["oidc.circleci.com/project-id"]), "oidc.circleci.com/project-id"),
            Self::Terraform | Self::Spacelift | Self::Kubernetes | Self::Generic => {
                let is_enough = conditions.of("sub").is_some() && conditions.count() > 1;
                return if is_enough { Ok(()) } else { Err(InvalidTrust::TooLittle(self.as_str())) };
            }
        };
        if is_enough { Ok(()) } else { Err(InvalidTrust::NotPinned(pins)) }
    }

    /// Whether a token is of the workloads that a policy is about, as far as the claims say that nobody else's tokens have:
    /// for an issuer that is not shared, all are.
    pub fn is_about(self, conditions: &Conditions, claims: &Map<String, Value>) -> bool {
        let pins: &[&str] = match self {
            Self::GitHub => &["repository_id", "repository_owner_id"],
            Self::GitLab => &["project_id", "namespace_id"],
            Self::Buildkite => &["organization_id", "pipeline_id"],
            Self::CircleCi => &["oidc.circleci.com/project-id"],
            Self::Terraform | Self::Spacelift | Self::Kubernetes | Self::Generic => &["sub"],
        };
        let judged = conditions.judge(claims);
        let mut pinned = judged.iter().filter(|judged| pins.contains(&judged.claim.as_str()));
        pinned.all(|judged| judged.is_met)
    }

    /// Whether the workload of a token that meets all conditions is of a sort that the policy has to name to mean it.
    pub fn refusal(self, conditions: &Conditions, claims: &Map<String, Value>) -> Option<Refusal> {
        let risky = match self {
            Self::GitHub => &GITHUB_EVENTS,
            Self::GitLab => &GITLAB_SOURCES,
            Self::CircleCi => &CIRCLECI_RERUNS,
            Self::Buildkite | Self::Terraform | Self::Spacelift | Self::Kubernetes | Self::Generic => return None,
        };
        let is_risky = match claims.get(risky.claim) {
            Some(Value::String(text)) => risky.values.contains(&text.as_str()),
            Some(Value::Bool(flag)) => risky.values.contains(&if *flag { "true" } else { "false" }),
            _ => false,
        };
        let is_named = conditions.of(risky.claim).is_some();
        (is_risky && !is_named).then_some(Refusal { claim: risky.claim, why: risky.why })
    }

    /// What the maker of a policy should think about.
    pub fn warnings(self, conditions: &Conditions) -> Vec<Warning> {
        let is = |claim: &str, text: &str| matches!(conditions.of(claim), Some(Expected::Exact(expected)) if expected == text);
        match self {
            Self::GitLab if !is("ref_protected", "true") => vec![Warning {
                claim: "ref_protected",
                why: "anybody who can push a branch gets a token; add \"ref_protected\": \"true\"",
            }],
            Self::GitHub if conditions.of("ref").is_none() && conditions.of("environment").is_none() => vec![Warning {
                claim: "ref",
                why: "anybody who can push a branch gets a token; add a condition on ref or on environment",
            }],
            Self::GitHub
            | Self::GitLab
            | Self::Buildkite
            | Self::CircleCi
            | Self::Terraform
            | Self::Spacelift
            | Self::Kubernetes
            | Self::Generic => Vec::new(),
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn object(value: Value) -> Map<String, Value> {
        let Value::Object(object) = value else { panic!("{value}") };
        object
    }

    #[test]
    fn an_issuer_belongs_to_its_preset() {
        let ghes = "https://github.example.org/_services/token";
        let rows = [
            (Some(Preset::GitHub), None, Ok((Preset::GitHub, GITHUB))),
            (None, Some(GITHUB), Ok((Preset::GitHub, GITHUB))),
            (Some(Preset::GitHub), Some(ghes), Ok((Preset::GitHub, ghes))),
            (Some(Preset::GitHub), Some("https://example.org"), Err("issuer must be")),
            (Some(Preset::Generic), Some(GITHUB), Err("preset must be github")),
            (Some(Preset::Kubernetes), Some("https://oidc.circleci.com/org/x"), Err("preset must be circleci")),
            (Some(Preset::GitLab), None, Err("issuer is required")),
            (None, None, Err("issuer is required")),
            (
                Some(Preset::GitLab),
                Some("https://gitlab.example.org"),
                Ok((Preset::GitLab, "https://gitlab.example.org")),
            ),
            (Some(Preset::Buildkite), Some("https://example.org"), Err("issuer must be")),
            (Some(Preset::CircleCi), Some("https://example.org"), Err("issuer must be")),
            (None, Some("https://idp.example.org"), Ok((Preset::Generic, "https://idp.example.org"))),
        ];
        for (preset, issuer, expected) in rows {
            match (Preset::settle(preset, issuer), expected) {
                (Ok((found, at)), Ok((preset, issuer))) => assert_eq!((found, at.as_str()), (preset, issuer)),
                (Err(error), Err(text)) => assert!(error.to_string().contains(text), "{error}"),
                (found, expected) => panic!("{preset:?} {issuer:?}: {found:?}, not {expected:?}"),
            }
        }
    }

    #[test]
    fn a_shared_issuer_needs_a_claim_that_cannot_change_hands() {
        let rows = [
            (Preset::GitHub, json!({"repository_id": "1"}), true),
            (Preset::GitHub, json!({"repository_owner_id": {"in": ["1", "2"]}}), true),
            (Preset::GitHub, json!({"repository": "acme/api", "sub": "x"}), false),
            (Preset::GitHub, json!({"repository_id": {"glob": "1*"}}), false),
            (Preset::GitLab, json!({"project_id": "1"}), true),
            (Preset::GitLab, json!({"project_path": "acme/api"}), false),
            (Preset::Buildkite, json!({"organization_id": "1"}), false),
            (Preset::Buildkite, json!({"organization_id": "1", "pipeline_id": "2"}), true),
            (Preset::CircleCi, json!({"oidc.circleci.com/project-id": "1"}), true),
            (Preset::CircleCi, json!({"sub": "x", "aud2": "y"}), false),
            (Preset::Generic, json!({"sub": "x"}), false),
            (Preset::Generic, json!({"a": "x", "b": "y"}), false),
            (Preset::Generic, json!({"sub": "x", "email": "y"}), true),
            (Preset::Kubernetes, json!({"sub": "x", "/kubernetes.io/namespace": "y"}), true),
        ];
        for (preset, written, expected) in rows {
            let conditions = Conditions::read(&object(written.clone())).unwrap();
            assert_eq!(preset.check(&conditions).is_ok(), expected, "{preset:?} {written}");
        }
    }

    #[test]
    fn jobs_that_may_run_code_of_strangers_have_to_be_named() {
        let ids = json!({"repository_id": "1"});
        let named = json!({"repository_id": "1", "event_name": {"in": ["push", "pull_request"]}});
        let rows = [
            (Preset::GitHub, &ids, json!({"event_name": "push"}), false),
            (Preset::GitHub, &ids, json!({}), false),
            (Preset::GitHub, &ids, json!({"event_name": "pull_request"}), true),
            (Preset::GitHub, &ids, json!({"event_name": "pull_request_target"}), true),
            (Preset::GitHub, &ids, json!({"event_name": "workflow_run"}), true),
            (Preset::GitHub, &named, json!({"event_name": "pull_request"}), false),
            (Preset::GitLab, &ids, json!({"pipeline_source": "merge_request_event"}), true),
            (Preset::GitLab, &ids, json!({"pipeline_source": "push"}), false),
            (Preset::CircleCi, &ids, json!({"oidc.circleci.com/ssh-rerun": true}), true),
            (Preset::CircleCi, &ids, json!({"oidc.circleci.com/ssh-rerun": "true"}), true),
            (Preset::CircleCi, &ids, json!({"oidc.circleci.com/ssh-rerun": false}), false),
            (Preset::Generic, &ids, json!({"event_name": "pull_request"}), false),
        ];
        for (preset, written, claims, expected) in rows {
            let conditions = Conditions::read(&object(written.clone())).unwrap();
            assert_eq!(preset.refusal(&conditions, &object(claims.clone())).is_some(), expected, "{preset:?} {claims}");
        }
    }
}

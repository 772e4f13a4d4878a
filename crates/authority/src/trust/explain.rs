//! What would become of an identity token: each look that the exchange makes, and each policy claim by claim. Nothing is
//! exchanged, spent or recorded.

use serde_json::{Map, Value};
use token_domain::id::{OrganizationId, TrustPolicyId};
use token_domain::record::TrustPolicy;
use token_domain::trust::{Judged, Refusal};

use super::exchange::{ExchangeError, choose};
use super::jwt::{Jwt, KeySet};
use super::{Issuers, Trust, TrustError, check_place};
use crate::origin::Caller;

/// What is tested.
pub enum Evidence<'e> {
    /// An identity token. It is not spent.
    Token(&'e str),
    /// Claims that a token might have: nothing is said of its signature and its time.
    Claims(&'e Map<String, Value>),
}

/// A look at the token itself: which one, and what is wrong if it does not pass.
pub type Look = (&'static str, Result<(), String>);

/// What would become of it.
#[derive(Debug)]
pub struct Explained {
    /// The looks at the token itself, in order; nothing where claims alone were given. `Ok` where it passes.
    pub looks: Vec<Look>,
    /// Each policy of the organisation, or the one asked about.
    pub policies: Vec<ExplainedPolicy>,
    /// The policy it would be exchanged under, if all looks pass as well.
    pub chosen: Option<TrustPolicyId>,
    /// Why there is none.
    pub why_not: Option<String>,
}

/// One policy beside the claims.
#[derive(Debug)]
pub struct ExplainedPolicy {
    /// The policy.
    pub policy: TrustPolicy,
    /// Its issuer and its audience, where the claims say one, and each condition.
    pub judged: Vec<Judged>,
    /// Why it refuses the job all the same.
    pub refusal: Option<Refusal>,
}

impl ExplainedPolicy {
    /// Whether the policy fits.
    pub fn fits(&self) -> bool {
        self.policy.is_enabled && self.refusal.is_none() && self.judged.iter().all(|judged| judged.is_met)
    }
}

impl Trust {
    /// Tests one policy, or all of the organisation.
    ///
    /// # Errors
    /// No such policy; a text that is no token.
    pub async fn test(
        &self,
        caller: &Caller,
        organization: OrganizationId,
        id: Option<TrustPolicyId>,
        evidence: Evidence<'_>,
        issuers: &dyn Issuers,
    ) -> Result<Explained, TrustError> {
        check_place(caller, organization)?;
        let policies = match id {
            Some(id) => vec![self.get(caller, organization, id).await?],
            None => self.all(organization).await?,
        };
        let token = match evidence {
            Evidence::Claims(claims) => return Ok(self.explain(Vec::new(), claims, policies)),
            Evidence::Token(text) => Jwt::read(text)?,
        };
        let issuer = token.issuer()?;
        // Only issuers that the organisation trusts: otherwise callers could make this service send requests to any URL.
        let is_trusted = policies.iter().any(|policy| policy.issuer == issuer);
        let keys = if is_trusted { issuers.keys(issuer, &token, &self.context).await } else { None };
        Ok(self.explain(self.looks(&token, keys.as_deref()), token.claims(), policies))
    }

    fn explain(&self, looks: Vec<Look>, claims: &Map<String, Value>, policies: Vec<TrustPolicy>) -> Explained {
        let passes = looks.iter().all(|(_, look)| look.is_ok());
        let explained: Vec<ExplainedPolicy> = policies.into_iter().map(|policy| self.beside(policy, claims)).collect();
        let fitting: Vec<&TrustPolicy> = explained.iter().filter(|one| one.fits()).map(|one| &one.policy).collect();
        let chosen = choose(claims, &fitting).map(|policy| policy.id);
        let (chosen, why_not) = match chosen {
            Ok(id) if passes => (Some(id), None),
            Ok(_) => (None, Some("a policy fits, but the token itself would be refused".to_owned())),
            Err(ExchangeError::NoPolicy) => (None, Some("no policy fits".to_owned())),
            Err(error) => (None, Some(error.to_string())),
        };
        Explained { looks, policies: explained, chosen, why_not }
    }

    fn looks(&self, jwt: &Jwt, keys: Option<&KeySet>) -> Vec<Look> {
        let said = |look: Result<(), super::jwt::JwtError>| look.map_err(|error| format!("the token {error}"));
        let signature = match keys {
            Some(keys) => said(jwt.verify(keys)),
            None => Err("the issuer's keys could not be fetched, or no trust policy here names this issuer".to_owned()),
        };
        vec![
            ("signature", signature),
            ("audience", said(jwt.audience().map(drop))),
            ("time", said(jwt.check_time(self.context.wall()).map(drop))),
        ]
    }

    fn beside(&self, policy: TrustPolicy, claims: &Map<String, Value>) -> ExplainedPolicy {
        let says = |claim: &str| {
            claims.get(claim).and_then(|value| match value {
                Value::String(text) => Some(text.as_str()),
                Value::Array(several) if several.len() == 1 => several[0].as_str(),
                _ => None,
            })
        };
        let own = |claim: &str, expected: Option<&str>| {
            says(claim).map(|actual| Judged {
                claim: claim.to_owned(),
                expected: Value::from(expected),
                actual: Some(actual.to_owned()),
                is_met: expected == Some(actual),
            })
        };
        let own = [own("iss", Some(&policy.issuer)), own("aud", self.audience_of(&policy))];
        ExplainedPolicy {
            judged: own.into_iter().flatten().chain(policy.conditions.judge(claims)).collect(),
            refusal: policy.preset.refusal(&policy.conditions, claims),
            policy,
        }
    }
}

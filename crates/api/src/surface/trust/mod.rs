//! Trust policies: which workloads may exchange the identity tokens of their CI system or cluster.

mod create_trust_policy;
mod delete_trust_policy;
mod edit_trust_policy;
mod get_trust_policy;
pub mod issuer_keys;
mod list_static_tokens;
mod list_trust_attempts;
mod list_trust_policies;
mod test_trust_policies;
mod view;

use authority::trust::{MOST_POLICIES, TrustError};
use token_domain::id::TrustPolicyId;
use token_domain::trust::InvalidTrust;
use utoipa_actix_web::service_config::ServiceConfig;

use super::failing;
use crate::surface::path::{Operations, Organization, Segment, Unreadable};
use edge::codes::Code;
use edge::error::ApiError;
use edge::routes::closed;

pub(super) fn register(config: &mut ServiceConfig<'_>) {
    config
        .service(list_trust_policies::list_trust_policies)
        .service(create_trust_policy::create_trust_policy)
        // Register before those with an id, or `…/test` would match `…/{policy_id}`.
        .service(test_trust_policies::test_trust_policies);
    closed(config, "/v1/organizations/{org_id}/trust-policies/test");
    config
        .service(test_trust_policies::test_trust_policy)
        .service(list_trust_attempts::list_trust_attempts)
        .service(list_static_tokens::list_static_tokens)
        .service(get_trust_policy::get_trust_policy)
        .service(edit_trust_policy::edit_trust_policy)
        .service(delete_trust_policy::delete_trust_policy);
}

impl Segment<Operations> for TrustPolicyId {
    const NAME: &'static str = "policy_id";
    const UNREADABLE: Unreadable = Unreadable::NotFound;

    fn read(text: &str) -> Option<Self> {
        Self::parse(text).ok()
    }
}

/// An error of this family.
pub(super) fn error(error: TrustError) -> ApiError {
    match error {
        TrustError::NotFound => Code::NotFound.into(),
        TrustError::Confined => {
            ApiError::from(Code::Forbidden).message("Use a credential that is not bound to one project.")
        }
        TrustError::TooMany => ApiError::from(Code::TooManyTrustPolicies).with("limit", MOST_POLICIES),
        TrustError::Invalid(invalid) => {
            let field = match invalid {
                InvalidTrust::IssuerNeeded(_) | InvalidTrust::OtherIssuer(..) => "issuer",
                InvalidTrust::OtherPreset(_) => "preset",
                InvalidTrust::NotPinned(_) | InvalidTrust::TooLittle(_) => "match",
            };
            ApiError::invalid(field, invalid.to_string())
        }
        TrustError::NotAJwt(unreadable) => ApiError::invalid("jwt", unreadable.to_string()),
        TrustError::AudienceNeeded => ApiError::invalid("audience", "is required while server.public_url is not set"),
        TrustError::NoSuchActor => ApiError::invalid("actor_id", "must be an actor of the project in project_id"),
        TrustError::Token(error) => failing::token(error),
        TrustError::Refused(refused) => failing::refused(&refused),
        TrustError::Failed(failure) => failing::failed(&failure),
    }
}

//! The identity providers of a deployment, and what the program around the authority does for it: all requests to them.

use std::fmt;
use std::pin::Pin;
use std::sync::Arc;

use serde_json::{Map, Value};
use token_domain::person::BuiltInRole;
use token_domain::text::{Email, Slug};
use zeroize::Zeroizing;

use crate::context::{Context, TrustedProvider};
use crate::trust::jwt::{Jwt, KeySet};

/// A provider, as the operator configured it.
#[derive(Clone)]
pub struct Provider {
    /// Its name in paths.
    pub id: String,
    /// What people call it.
    pub name: String,
    /// The exact `iss` of its tokens.
    pub issuer: String,
    /// This deployment, as it knows it.
    pub client_id: String,
    /// The secret of this deployment; nothing for a client that has PKCE alone.
    pub client_secret: Option<Zeroizing<String>>,
    /// Where it sends browsers back to: one address for each provider, so that no provider answers for another.
    pub redirect_uri: String,
    /// The scopes that are asked for.
    pub scopes: Vec<String>,
    /// What its tokens have to claim, such as the company whose people are meant, where the provider has those of others as well.
    pub required_claims: Vec<(String, Value)>,
    /// The domains whose addresses it may vouch for, in small letters.
    pub domains: Vec<String>,
    /// The organisation that its people sign in to, and that trusts it.
    pub organization: Slug,
    /// The role of people whose groups have none; nothing: only members are let in.
    pub default_role: Option<BuiltInRole>,
    /// The claim that names groups.
    pub groups_claim: String,
    /// The roles of groups. Empty: roles are given here, not there.
    pub roles: Vec<(String, BuiltInRole)>,
    /// Whether members of the organisation sign in by this provider alone. Owners may use their password when it fails.
    pub is_required: bool,
}

impl fmt::Debug for Provider {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Provider").field("id", &self.id).field("issuer", &self.issuer).finish_non_exhaustive()
    }
}

impl Provider {
    /// What of it the policy of the deployment has to know.
    pub fn trusted(&self) -> TrustedProvider {
        let (id, organization) = (self.id.clone(), self.organization.clone());
        TrustedProvider { id, organization, is_required: self.is_required }
    }

    /// Whether the address is in one of its domains; a domain does not stand for those below it.
    pub(crate) fn may_vouch_for(&self, email: &Email) -> bool {
        let key = email.key();
        let domain = key.rsplit_once('@').map(|(_, domain)| domain);
        domain.is_some_and(|domain| self.domains.iter().any(|permitted| permitted == domain))
    }

    /// The role of somebody in these groups: the strongest of all.
    pub(crate) fn role_of(&self, groups: &[String]) -> Option<BuiltInRole> {
        let of_groups = self.roles.iter().filter(|(group, _)| groups.contains(group)).map(|(_, role)| *role).min();
        of_groups.or(self.default_role)
    }
}

/// Where a provider has people sign in.
#[derive(Clone, Debug)]
pub struct Authorization {
    /// Where browsers are sent to.
    pub endpoint: String,
    /// Whether its answers always name the issuer (RFC 9207).
    pub names_issuer: bool,
}

/// What a code was exchanged for.
pub struct Redeemed {
    /// Says who the person is. Nothing in it is believed yet.
    pub id_token: Zeroizing<String>,
    /// Opens the person's claims at the provider.
    pub access_token: Option<Zeroizing<String>>,
}

/// Something that a provider is asked for; `None` if it cannot be had.
pub type Finding<'a, T> = Pin<Box<dyn Future<Output = Option<T>> + 'a>>;

/// Requests to providers.
pub trait IdentityProviders: Send + Sync {
    /// Where people sign in.
    fn authorization<'a>(&'a self, provider: &'a Provider, context: &'a Context) -> Finding<'a, Authorization>;

    /// An address with these parameters added to its query.
    fn with_query(&self, address: &str, parameters: &[(&str, &str)]) -> String;

    /// The tokens for a code.
    fn redeem<'a>(
        &'a self,
        provider: &'a Provider,
        code: &'a str,
        verifier: &'a str,
        context: &'a Context,
    ) -> Finding<'a, Redeemed>;

    /// More claims about the person, for their access token (`OpenID` Connect Core 1.0 §5.3); none, if the provider has no more.
    fn user_info<'a>(
        &'a self,
        provider: &'a Provider,
        access_token: &'a str,
        context: &'a Context,
    ) -> Finding<'a, Map<String, Value>>;

    /// The keys that verify a token of this issuer.
    fn keys<'a>(&'a self, issuer: &'a str, jwt: &'a Jwt, context: &'a Context) -> Finding<'a, Arc<KeySet>>;
}

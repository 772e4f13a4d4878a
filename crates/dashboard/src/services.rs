//! The authority's verbs for the pages: the same instances that the JSON operations call.

use std::future::{Ready, ready};

use actix_web::dev::Payload;
use actix_web::http::StatusCode;
use actix_web::web::Data;
use actix_web::{FromRequest, HttpRequest};
use authority::access_scopes::AccessScopes;
use authority::actors::Actors;
use authority::audit::read::Audit;
use authority::invitations::Invitations;
use authority::members::Members;
use authority::notices::NoticeSettings;
use authority::organizations::Organizations;
use authority::password_resets::PasswordResets;
use authority::people::People;
use authority::policies::Policies;
use authority::projects::Projects;
use authority::roles::Roles;
use authority::second_factors::SecondFactors;
use authority::sessions::Sessions;
use authority::setup::{PendingSetup, Setup};
use authority::sso::Sso;
use authority::tokens::Tokens;
use authority::trust::{Issuers, Trust};
use authority::webhooks::{Targets, Webhooks};
use authority::{Context, Failure};
use token_domain::text::Slug;

/// The public address of the dashboard.
#[derive(Clone, Debug, Default)]
pub struct Place {
    /// Scheme and host that people type, such as `https://tokens.example.org`, if configured. Requests that change
    /// something have to come from a page of this origin.
    pub origin: Option<String>,
}

impl Services {
    /// Whether the deployment still waits to be set up. One that was set up when this process started is not asked about.
    pub(crate) async fn awaits_setup(&self) -> Result<bool, Failure> {
        if self.pending_setup.0.is_some() { self.setup.is_due().await } else { Ok(false) }
    }

    /// The identity providers of an organisation, or all: the path of a sign-in that leads to the page `next`, and the name.
    pub(crate) fn providers(&self, next: &str, organization: Option<&Slug>) -> Vec<(String, String)> {
        let next = percent_encoding::utf8_percent_encode(next, percent_encoding::NON_ALPHANUMERIC);
        let providers = self.sso.providers().iter();
        let wanted = providers.filter(|provider| organization.is_none_or(|slug| provider.organization == *slug));
        wanted.map(|provider| (format!("/sign-in/sso/{}?next={next}", provider.id), provider.name.clone())).collect()
    }
}

macro_rules! services {
    ($($field:ident: $service:ty),+ $(,)?) => {
        /// Everything a page may call.
        #[derive(Clone)]
        pub(crate) struct Services {
            $(pub(crate) $field: Data<$service>,)+
            pub(crate) place: Place,
        }

        impl FromRequest for Services {
            type Error = actix_web::Error;
            type Future = Ready<Result<Self, actix_web::Error>>;

            fn from_request(request: &HttpRequest, _: &mut Payload) -> Self::Future {
                let found = || {
                    Some(Self {
                        $($field: request.app_data::<Data<$service>>()?.clone(),)+
                        place: request.app_data::<Data<Place>>().map(|place| place.get_ref().clone()).unwrap_or_default(),
                    })
                };
                let lacking = || actix_web::error::InternalError::new(
                    "the application was built without its services",
                    StatusCode::INTERNAL_SERVER_ERROR,
                ).into();
                ready(found().ok_or_else(lacking))
            }
        }
    };
}

services! {
    context: Context,
    tokens: Tokens,
    sessions: Sessions,
    sso: Sso,
    people: People,
    password_resets: PasswordResets,
    notices: NoticeSettings,
    organizations: Organizations,
    members: Members,
    roles: Roles,
    invitations: Invitations,
    policies: Policies,
    second_factors: SecondFactors,
    projects: Projects,
    access_scopes: AccessScopes,
    actors: Actors,
    audit: Audit,
    trust: Trust,
    issuers: dyn Issuers,
    webhooks: Webhooks,
    targets: dyn Targets,
    setup: Setup,
    pending_setup: PendingSetup,
}

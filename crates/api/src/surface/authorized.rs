//! The permission in the handler's signature: a handler that takes `Authorized<ManageTokens>` cannot forget the check.

use std::marker::PhantomData;
use std::pin::Pin;

use actix_web::dev::Payload;
use actix_web::{FromRequest, HttpMessage as _, HttpRequest, web};
use authority::audit::{Denial, log_denial};
use authority::legacy::ForeignKey;
use authority::sessions::{AuthError, Presented as Credential, SessionToken, Sessions};
use authority::{Admission, Caller, Context, Origin, Via};
use token_domain::Requirement;

use super::{ending, failing, origin};
use edge::codes::Code;
use edge::error::{ApiError, ApiResult};
use edge::extract::credentials::{self, ForeignTexts, Presented};
use edge::extract::turn::Turn;

/// A permission that a handler requires of its caller.
pub trait Permission: 'static {
    /// The required scope; `None` if any valid credential is enough.
    const SCOPE: Option<&'static str>;
    /// How a person is treated who lacks the second factor that their organisation requires.
    const WITHOUT_SECOND_FACTOR: Lacking = Lacking::Refused;
}

/// How a caller is treated who lacks a required second factor.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Lacking {
    /// Refused, and told to set one up: the rule.
    Refused,
    /// Admitted, because the operation sets one up or leaves the organisation.
    Admitted,
}

macro_rules! permissions {
    ($($(#[$doc:meta])* $name:ident = $scope:literal;)+) => {
        /// The permissions handlers ask for.
        pub mod permission {
            use super::{Lacking, Permission};

            /// Any valid credential.
            #[derive(Clone, Copy, Debug)]
            pub enum Anyone {}
            impl Permission for Anyone {
                const SCOPE: Option<&'static str> = None;
            }
            /// Any valid credential, also of a person who still has to set up a second factor.
            #[derive(Clone, Copy, Debug)]
            pub enum Enrolling {}
            impl Permission for Enrolling {
                const SCOPE: Option<&'static str> = None;
                const WITHOUT_SECOND_FACTOR: Lacking = Lacking::Admitted;
            }
            $($(#[$doc])* #[derive(Clone, Copy, Debug)] pub enum $name {}
            impl Permission for $name {
                const SCOPE: Option<&'static str> = Some($scope);
            })+
        }

        /// All scopes that handlers require. The server refuses to start with a catalogue that lacks one of them.
        pub const PERMISSIONS: &[&str] = &[$($scope),+];
    };
}

permissions! {
    /// Submit coverage, have it judged, and set baselines.
    SubmitCoverage = "execute";
    /// See executions, baselines and repositories.
    ReadCoverage = "read";
    /// See the organisation's tokens.
    ReadTokens = "tokens:read";
    /// Make, change and revoke the organisation's tokens.
    ManageTokens = "tokens:manage";
    /// See how often tokens are used.
    ReadUsage = "usage:read";
    /// Ask about many tokens at once.
    ValidateTokens = "authority:validate";
    /// Ask what is known about a token.
    IntrospectTokens = "authority:introspect";
    /// Rotate the token that authenticates the request.
    RotateSelf = "self:rotate";
    /// See the organisation's basic data and settings.
    ReadOrganization = "org:read";
    /// Change them, and make further organisations.
    WriteOrganization = "org:write";
    /// See the organisation's members and invitations.
    ReadMembers = "org.memberships:read";
    /// Invite, change and remove members.
    ManageMembers = "org.memberships:manage";
    /// See the organisation's roles.
    ReadRoles = "roles:read";
    /// Make, change and delete the organisation's roles.
    WriteRoles = "roles:write";
    /// See projects.
    ReadProjects = "projects:read";
    /// Make and rename projects.
    ManageProjects = "projects:manage";
    /// Delete projects.
    DeleteProjects = "projects:delete";
    /// See the access scopes of projects.
    ReadAccessScopes = "access-scopes:read";
    /// Make, change and delete access scopes.
    ManageAccessScopes = "access-scopes:manage";
    /// See the actors of projects.
    ReadActors = "actors:read";
    /// Make, change, assign and delete actors, and rotate their tokens.
    ManageActors = "actors:manage";
    /// Read, export and verify the audit trail.
    ReadAudit = "audit:read";
    /// See one's own account.
    ReadSelf = "user:read";
    /// Change one's own account.
    WriteSelf = "user:write";
}

/// A caller who may do `P`, with the request they sent.
#[derive(Clone, Debug)]
pub struct Authorized<P> {
    /// The caller.
    pub caller: Caller,
    /// The origin of the request.
    pub origin: Origin,
    permission: PhantomData<fn() -> P>,
}

impl<P: Permission> FromRequest for Authorized<P> {
    type Error = ApiError;
    type Future = Pin<Box<dyn Future<Output = ApiResult<Self>>>>;

    fn from_request(request: &HttpRequest, _: &mut Payload) -> Self::Future {
        let presented = credentials::presented(request.headers());
        let turn = Turn::take(request);
        let request = request.clone();
        Box::pin(async move {
            let caller = admit::<P>(&request, presented?).await?;
            drop(turn);
            Ok(Self { caller, origin: origin::of(&request), permission: PhantomData })
        })
    }
}

/// The caller who presents this credential, if they may do `P`.
pub(super) async fn admit<P: Permission>(request: &HttpRequest, presented: Presented) -> ApiResult<Caller> {
    let sessions = request.app_data::<web::Data<Sessions>>().cloned();
    let context = request.app_data::<web::Data<Context>>().cloned();
    let (Some(sessions), Some(context)) = (sessions, context) else {
        return Err(ApiError::internal("the application was built without its services"));
    };
    let origin = origin::of(request);
    let caller = authenticate(&context, &sessions, presented, &origin, P::WITHOUT_SECOND_FACTOR).await?;
    if let Some(notice) = ending::notice(&caller, &context) {
        request.extensions_mut().insert(notice);
    }
    let requirement = allow::<P>(&context, &caller, &origin)?;
    if let Via::Token { token_id, .. } = caller.via {
        context.note_scopes(token_id, &requirement);
    }
    let admission = Admission { requirement, is_enrolling: P::WITHOUT_SECOND_FACTOR == Lacking::Admitted };
    Ok(caller.admitted(admission))
}

/// An optional caller: the credential may be absent, but one that is presented must be valid.
#[derive(Clone, Debug)]
pub(super) struct Perhaps {
    /// The caller; `None` without a credential.
    pub(super) caller: Option<Caller>,
    /// The origin of the request.
    pub(super) origin: Origin,
}

impl FromRequest for Perhaps {
    type Error = ApiError;
    type Future = Pin<Box<dyn Future<Output = ApiResult<Self>>>>;

    fn from_request(request: &HttpRequest, payload: &mut Payload) -> Self::Future {
        let origin = origin::of(request);
        if matches!(credentials::presented(request.headers()), Ok(Presented::None)) {
            return Box::pin(async move { Ok(Self { caller: None, origin }) });
        }
        let who = Authorized::<permission::Anyone>::from_request(request, payload);
        Box::pin(async move { Ok(Self { caller: Some(who.await?.caller), origin }) })
    }
}

async fn authenticate(
    context: &Context,
    sessions: &Sessions,
    presented: Presented,
    origin: &Origin,
    lacking: Lacking,
) -> ApiResult<Caller> {
    let credential = match presented {
        Presented::None => return Err(Code::Unauthenticated.into()),
        Presented::Malformed => return Err(denied(context, origin)),
        Presented::Token(token) => Credential::Token(token),
        Presented::Foreign(texts) => match foreign_key(context, &texts)? {
            Some(key) => Credential::Foreign(key),
            None => return Err(denied(context, origin)),
        },
        Presented::Session(text) => match SessionToken::parse(text.expose()) {
            Some(token) => Credential::Session(token),
            None => return Err(denied(context, origin)),
        },
    };
    let caller = match lacking {
        Lacking::Refused => sessions.authenticate(&credential, origin).await,
        Lacking::Admitted => sessions.authenticate_to_enrol(&credential, origin).await,
    };
    caller.map_err(|error| match error {
        AuthError::Invalid => denied(context, origin),
        AuthError::SecondFactorRequired => {
            log_denial(context, Denial::SecondFactor, None, origin);
            Code::SecondFactorSetupRequired.into()
        }
        AuthError::Elsewhere => {
            log_denial(context, Denial::Elsewhere, None, origin);
            Code::AddressNotAllowed.into()
        }
        AuthError::Failed(failure) => failing::failed(&failure),
    })
}

/// The key of another system among these texts, where the deployment accepts such keys.
///
/// # Errors
/// 400 when two of them have the format of one, because choosing one would be a guess.
pub(super) fn foreign_key(context: &Context, texts: &ForeignTexts) -> ApiResult<Option<ForeignKey>> {
    let shapes = context.legacy_shapes();
    if shapes.is_empty() {
        return Ok(None);
    }
    let mut keys = texts.expose().filter_map(|text| shapes.read(text));
    match (keys.next(), keys.next()) {
        (Some(_), Some(_)) => Err(Code::ConflictingCredentials.into()),
        (key, _) => Ok(key),
    }
}

fn denied(context: &Context, origin: &Origin) -> ApiError {
    log_denial(context, Denial::Invalid, None, origin);
    Code::InvalidToken.into()
}

/// The requirement of `P`. Loading the catalogue has checked that it has the scope, so a failure is a fault of this
/// program.
fn requirement<P: Permission>(context: &Context) -> ApiResult<Requirement> {
    let Some(scope) = P::SCOPE else { return Ok(Requirement::NOTHING) };
    let required = context.catalogue().require_all(&[scope]);
    required.map_err(|_| ApiError::internal(format_args!("the catalogue has no {scope}")))
}

/// Whether the caller may do `P`. A refusal is not logged.
pub(super) fn may<P: Permission>(context: &Context, caller: &Caller) -> bool {
    requirement::<P>(context).is_ok_and(|requirement| requirement.check(&caller.effective).is_ok())
}

fn allow<P: Permission>(context: &Context, caller: &Caller, origin: &Origin) -> ApiResult<Requirement> {
    let Some(scope) = P::SCOPE else { return Ok(Requirement::NOTHING) };
    let (catalogue, requirement) = (context.catalogue(), requirement::<P>(context)?);
    requirement.check(&caller.effective).map_err(|missing| {
        log_denial(context, Denial::Lacks(scope), Some(caller), origin);
        ApiError::insufficient_scope(&catalogue.names(missing.0))
            .accepting(&catalogue.sufficient_names(requirement.scopes()))
    })?;
    Ok(requirement)
}

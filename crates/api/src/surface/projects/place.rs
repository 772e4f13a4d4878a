//! Project access: the caller, who may do `P`, in the project that the path names or, on a short path, that the
//! credential is bound to; and the id after it.
//!
//! One extractor does all three in this order, so that the caller is authorised before the ids are parsed.

use std::marker::PhantomData;
use std::pin::Pin;

use actix_web::dev::Payload;
use actix_web::{FromRequest, HttpRequest};
use authority::projects::Ground;
use authority::{Caller, Origin};
use token_domain::id::{AccessScopeId, ActorId, OrganizationId, ProjectId};

use super::errors;
use crate::surface::Authorized;
use crate::surface::authorized::Permission;
use crate::surface::path::{self, Named, Operations, Segment, Unreadable};
use edge::error::{ApiError, ApiResult};

/// The format of the answer, by the form of the path.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::surface) enum Dialect {
    /// The format of this API: the path names the project.
    Own,
    /// The format of the published clients, which use short paths: with `actorTokenId` and `isActive` in addition.
    Client,
}

/// A caller who may do `P` in a project, and the ids in the path.
pub(in crate::surface) struct At<P, T = ()> {
    pub(in crate::surface) ground: Ground,
    pub(in crate::surface) id: T,
    pub(in crate::surface) origin: Origin,
    pub(in crate::surface) dialect: Dialect,
    permission: PhantomData<fn() -> P>,
}

/// A caller who may do `P` in the organisation that the path names.
pub(in crate::surface) struct InOrganization<P> {
    pub(in crate::surface) caller: Caller,
    pub(in crate::surface) organization: OrganizationId,
    pub(in crate::surface) origin: Origin,
    permission: PhantomData<fn() -> P>,
}

impl<P: Permission, T: Named> FromRequest for At<P, T> {
    type Error = ApiError;
    type Future = Pin<Box<dyn Future<Output = ApiResult<Self>>>>;

    fn from_request(request: &HttpRequest, payload: &mut Payload) -> Self::Future {
        let who = Authorized::<P>::from_request(request, payload);
        let request = request.clone();
        Box::pin(async move {
            let Authorized { caller, origin, .. } = who.await?;
            let (ground, dialect) = if request.match_info().get(ProjectId::NAME).is_some() {
                let organization = path::read(&request)?;
                (Ground::of(&caller, organization, path::read(&request)?), Dialect::Own)
            } else {
                (Ground::bound(&caller), Dialect::Client)
            };
            // Parsed before the project is looked up: a malformed id is 400 whatever the project.
            let id = T::read(&request)?;
            Ok(Self { ground: ground.map_err(errors::tenancy)?, id, origin, dialect, permission: PhantomData })
        })
    }
}

impl<P: Permission> FromRequest for InOrganization<P> {
    type Error = ApiError;
    type Future = Pin<Box<dyn Future<Output = ApiResult<Self>>>>;

    fn from_request(request: &HttpRequest, payload: &mut Payload) -> Self::Future {
        let who = Authorized::<P>::from_request(request, payload);
        let request = request.clone();
        Box::pin(async move {
            let Authorized { caller, origin, .. } = who.await?;
            let organization = path::read(&request)?;
            Ok(Self { caller, organization, origin, permission: PhantomData })
        })
    }
}

impl Segment<Operations> for OrganizationId {
    const NAME: &'static str = "org_id";
    const UNREADABLE: Unreadable = Unreadable::Invalid("must be an organization id: org_ and 26 characters, or a UUID");

    fn read(text: &str) -> Option<Self> {
        Self::parse(text).ok()
    }
}

impl Segment<Operations> for ProjectId {
    const NAME: &'static str = "project_id";
    const UNREADABLE: Unreadable = Unreadable::Invalid("must be a project id: a UUID");

    fn read(text: &str) -> Option<Self> {
        Self::parse(text).ok()
    }
}

impl Segment<Operations> for AccessScopeId {
    const NAME: &'static str = "scope_id";
    const UNREADABLE: Unreadable = Unreadable::Invalid("must be an access scope id: a UUID");

    fn read(text: &str) -> Option<Self> {
        Self::parse(text).ok()
    }
}

impl Segment<Operations> for ActorId {
    const NAME: &'static str = "actor_id";
    const UNREADABLE: Unreadable = Unreadable::Invalid("must be an actor id: a UUID");

    fn read(text: &str) -> Option<Self> {
        Self::parse(text).ok()
    }
}

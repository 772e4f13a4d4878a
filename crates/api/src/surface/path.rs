//! Path segments as types of the domain.

use std::pin::Pin;

use actix_web::dev::Payload;
use actix_web::{FromRequest, HttpRequest};
use edge::error::{ApiError, ApiResult};
use edge::extract::path;
use token_domain::id::{AccessScopeId, ActorId, InvitationId, OrganizationId, ProjectId, UserId};
use token_domain::person::RoleRef;

pub(super) use edge::extract::path::{Segment, Unreadable};

/// The marker of this crate for [`Segment`].
pub(super) enum Operations {}

/// The organisation in the path of one of its settings. A malformed id is 404.
pub(super) struct Organization(pub(super) OrganizationId);

impl Segment<Operations> for Organization {
    const NAME: &'static str = "org_id";
    const UNREADABLE: Unreadable = Unreadable::NotFound;

    fn read(text: &str) -> Option<Self> {
        OrganizationId::parse(text).ok().map(Self)
    }
}

/// A segment of the path as the domain's type.
pub(super) struct PathParam<T>(pub(super) T);

impl<T: Segment<Operations> + 'static> FromRequest for PathParam<T> {
    type Error = ApiError;
    type Future = Pin<Box<dyn Future<Output = ApiResult<Self>>>>;

    fn from_request(request: &HttpRequest, _: &mut Payload) -> Self::Future {
        let found = path::extract(request);
        Box::pin(async move { found.await.map(Self) })
    }
}

/// Reads a segment for an extractor that has identified the caller itself.
///
/// # Errors
/// The type's answer to a text that does not parse.
pub(super) fn read<T: Segment<Operations>>(request: &HttpRequest) -> ApiResult<T> {
    path::read(request)
}

/// What a text for this segment is told that is no id, where it is told apart from an id that leads nowhere. An
/// organisation's is so below its projects only.
pub(crate) fn told_of_segment(name: &str) -> Option<&'static str> {
    const fn of<T: Segment<Operations>>() -> (&'static str, Unreadable) {
        (T::NAME, T::UNREADABLE)
    }
    let told = [of::<ProjectId>(), of::<AccessScopeId>(), of::<ActorId>()];
    told.into_iter().find_map(|(segment, unreadable)| match unreadable {
        Unreadable::Invalid(advice) if segment == name => Some(advice),
        Unreadable::Invalid(_) | Unreadable::NotFound => None,
    })
}

/// The ids in a path after its organisation or project: none, one or two.
pub(super) trait Named: Sized + 'static {
    fn read(request: &HttpRequest) -> ApiResult<Self>;
}

impl Named for () {
    fn read(_: &HttpRequest) -> ApiResult<Self> {
        Ok(())
    }
}

impl<A: Segment<Operations> + 'static, B: Segment<Operations> + 'static> Named for (A, B) {
    fn read(request: &HttpRequest) -> ApiResult<Self> {
        Ok((read(request)?, read(request)?))
    }
}

/// A macro rather than a blanket implementation for [`Segment`], which would conflict with the one for `()`.
macro_rules! named {
    ($($id:ty),+) => {
        $(impl Named for $id {
            fn read(request: &HttpRequest) -> ApiResult<Self> {
                read(request)
            }
        })+
    };
}

named!(AccessScopeId, ActorId, UserId, RoleRef, InvitationId);

//! Segments of paths as types of the domain.

use std::pin::Pin;

use actix_web::dev::Payload;
use actix_web::{FromRequest, HttpRequest};
use edge::error::{ApiError, ApiResult};
use edge::extract::path;
use token_domain::id::{AccessScopeId, ActorId, InvitationId, UserId};
use token_domain::person::RoleRef;

pub(super) use edge::extract::path::{Segment, Unreadable};

/// Marks what the operations read from paths, see [`Segment`].
pub(super) enum Operations {}

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

/// Reads a segment for an extractor that knows the caller by itself.
///
/// # Errors
/// The type's answer for a text that does not parse.
pub(super) fn read<T: Segment<Operations>>(request: &HttpRequest) -> ApiResult<T> {
    path::read(request)
}

/// What a path names beside the place it stands in: nothing, one id, or two.
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

/// Not for every [`Segment`]: the compiler cannot know that `()` will never be one.
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

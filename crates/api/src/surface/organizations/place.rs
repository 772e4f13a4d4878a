//! Organisation access: the caller, who may do `P`, in the organisation that the path names, and the id after it.
//!
//! One extractor does all three in this order, so that the caller is authorised before the ids are parsed. A malformed
//! id is 404, like one of another organisation.

use std::marker::PhantomData;
use std::pin::Pin;

use actix_web::dev::Payload;
use actix_web::{FromRequest, HttpRequest};
use authority::Origin;
use authority::organizations::Seat;
use token_domain::id::{InvitationId, OrganizationId, UserId};
use token_domain::person::RoleRef;

use super::errors;
use crate::surface::Authorized;
use crate::surface::authorized::Permission;
use crate::surface::path::{self, Named, Operations, Segment, Unreadable};
use edge::error::{ApiError, ApiResult};

/// A caller who may do `P` in their organisation, and the id in the path, if any.
pub(in crate::surface) struct Seated<P, T = ()> {
    pub(in crate::surface) seat: Seat,
    pub(in crate::surface) id: T,
    pub(in crate::surface) origin: Origin,
    permission: PhantomData<fn() -> P>,
}

/// The organisation in a path of this family. A malformed id is 404, like one that does not exist; in the paths of
/// projects it is 400.
struct ConcealedOrganization(OrganizationId);

impl<P: Permission, T: Named> FromRequest for Seated<P, T> {
    type Error = ApiError;
    type Future = Pin<Box<dyn Future<Output = ApiResult<Self>>>>;

    fn from_request(request: &HttpRequest, payload: &mut Payload) -> Self::Future {
        let who = Authorized::<P>::from_request(request, payload);
        let request = request.clone();
        Box::pin(async move {
            let Authorized { caller, origin, .. } = who.await?;
            let ConcealedOrganization(organization) = path::read(&request)?;
            let seat = Seat::of(&caller, organization).map_err(errors::organization)?;
            Ok(Self { seat, id: T::read(&request)?, origin, permission: PhantomData })
        })
    }
}

impl Segment<Operations> for ConcealedOrganization {
    const NAME: &'static str = "org_id";
    const UNREADABLE: Unreadable = Unreadable::NotFound;

    fn read(text: &str) -> Option<Self> {
        OrganizationId::parse(text).ok().map(Self)
    }
}

impl Segment<Operations> for UserId {
    const NAME: &'static str = "user_id";
    const UNREADABLE: Unreadable = Unreadable::NotFound;

    fn read(text: &str) -> Option<Self> {
        Self::parse(text).ok()
    }
}

impl Segment<Operations> for RoleRef {
    const NAME: &'static str = "role_id";
    const UNREADABLE: Unreadable = Unreadable::NotFound;

    fn read(text: &str) -> Option<Self> {
        super::parse_role(text)
    }
}

impl Segment<Operations> for InvitationId {
    const NAME: &'static str = "invitation_id";
    const UNREADABLE: Unreadable = Unreadable::NotFound;

    fn read(text: &str) -> Option<Self> {
        Self::parse(text).ok()
    }
}

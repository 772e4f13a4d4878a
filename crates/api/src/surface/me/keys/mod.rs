//! Personal API keys: the caller's own, and nobody else's.

mod cancel_key_rotation;
mod create_key;
mod edit_key;
mod get_key;
mod list_keys;
mod revoke_key;
mod rotate_key;

use crate::surface::path::{Operations, Segment, Unreadable};
use token_domain::id::TokenId;
use utoipa_actix_web::service_config::ServiceConfig;

pub(super) fn register(config: &mut ServiceConfig<'_>) {
    config
        .service(create_key::create_key)
        .service(list_keys::list_keys)
        .service(get_key::get_key)
        .service(edit_key::edit_key)
        .service(rotate_key::rotate_key)
        .service(cancel_key_rotation::cancel_key_rotation)
        .service(revoke_key::revoke_key);
}

/// The id of a key in a path.
struct KeyId(TokenId);

impl Segment<Operations> for KeyId {
    const NAME: &'static str = "key_id";
    const UNREADABLE: Unreadable = Unreadable::NotFound;

    fn read(text: &str) -> Option<Self> {
        TokenId::parse(text).ok().map(Self)
    }
}

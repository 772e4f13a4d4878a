//! The tokens of an organisation.

mod bulk_revoke;
mod cancel_rotation;
mod count_tokens;
mod create_token;
pub(super) mod details;
mod edit_token;
mod get_self;
mod get_token;
mod get_usage;
pub(super) mod idempotency;
mod import_tokens;
mod list_tokens;
mod lookup_token;
mod revoke_self;
mod revoke_token;
mod revoke_with_reason;
mod rotate_self;
mod rotate_token;
mod view;

pub(super) use create_token::CreatedToken;
pub(super) use details::asked;
pub(super) use edit_token::EditToken;
pub(super) use get_usage::{Counts, UsageQuery, UsageStep, report};
pub(super) use list_tokens::{ListTokensQuery, TokenList};
pub(super) use rotate_token::{RotateToken, RotatedToken};
pub(super) use view::TokenView;

use crate::surface::path::{Operations, Segment, Unreadable};
use edge::routes::closed;
use token_domain::id::TokenId;
use utoipa_actix_web::service_config::ServiceConfig;

pub(super) fn register(config: &mut ServiceConfig<'_>) {
    config
        .service(create_token::create_token)
        .service(list_tokens::list_tokens)
        // Register before those with an id, or `/tokens/counts` would match `/tokens/{token_id}`.
        .service(count_tokens::count_tokens)
        .service(lookup_token::lookup_token)
        .service(bulk_revoke::bulk_revoke_tokens)
        .service(import_tokens::import_tokens)
        .service(get_self::get_self)
        .service(rotate_self::rotate_self)
        .service(revoke_self::revoke_self);
    for word in ["counts", "lookup", "bulk-revoke", "import", "self", "self/rotate"] {
        closed(config, &format!("/v1/tokens/{word}"));
    }
    config
        .service(get_token::get_token)
        .service(get_usage::get_usage)
        .service(edit_token::edit_token)
        .service(rotate_token::rotate_token)
        .service(cancel_rotation::cancel_rotation)
        .service(revoke_token::revoke_token)
        .service(revoke_with_reason::revoke_with_reason);
}

impl Segment<Operations> for TokenId {
    const NAME: &'static str = "token_id";
    const UNREADABLE: Unreadable = Unreadable::NotFound;

    fn read(text: &str) -> Option<Self> {
        Self::parse(text).ok()
    }
}

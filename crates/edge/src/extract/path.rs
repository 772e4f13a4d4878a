//! Ids and names in paths, parsed into the domain's own types.

use std::future::Future;
use std::pin::Pin;

use actix_web::dev::Payload;
use actix_web::{FromRequest, HttpRequest};

use super::turn::After;
use crate::codes::Code;
use crate::error::{ApiError, ApiResult};

/// What a path segment is read into: the type says what a text that does not parse means in its family.
///
/// A crate that reads segments into types of other crates implements it for a marker of its own, `Surface`, and has an
/// extractor that answers with [`extract`]: coherence allows neither without a local type. `PathParam` is the extractor
/// of a crate's own types.
pub trait Segment<Surface = ()>: Sized {
    /// The name in the route pattern: `token_id` of `/v1/tokens/{token_id}`.
    const NAME: &'static str;
    /// The answer for a text that does not parse.
    const UNREADABLE: Unreadable;

    /// Reads the decoded segment.
    fn read(text: &str) -> Option<Self>;
}

/// What a segment that does not parse is answered with.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Unreadable {
    /// 404, like anything that is not there.
    NotFound,
    /// 400, naming the segment; the text says what would be right.
    Invalid(&'static str),
}

/// A segment of the path as the domain's type.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PathParam<T>(pub T);

impl<T: Segment + 'static> FromRequest for PathParam<T> {
    type Error = ApiError;
    type Future = Pin<Box<dyn Future<Output = ApiResult<Self>>>>;

    fn from_request(request: &HttpRequest, _: &mut Payload) -> Self::Future {
        let found = extract(request);
        Box::pin(async move { found.await.map(Self) })
    }
}

/// Reads a segment for an extractor: a text that does not parse is not spoken of before the caller is known.
///
/// # Errors
/// The caller's, then the type's answer for a text that does not parse.
pub fn extract<T: Segment<Surface> + 'static, Surface>(
    request: &HttpRequest,
) -> impl Future<Output = ApiResult<T>> + use<T, Surface> {
    After::caller(request).settle(read::<T, Surface>(request))
}

/// Reads a segment for an extractor that knows the caller by itself.
///
/// # Errors
/// The type's answer for a text that does not parse.
pub fn read<T: Segment<Surface>, Surface>(request: &HttpRequest) -> ApiResult<T> {
    let Some(segment) = request.match_info().get(T::NAME) else {
        return Err(ApiError::internal(format_args!("the route has no segment {}", T::NAME)));
    };
    decode(segment).as_deref().and_then(T::read).ok_or_else(|| match T::UNREADABLE {
        Unreadable::NotFound => Code::NotFound.into(),
        Unreadable::Invalid(message) => ApiError::invalid(T::NAME, message),
    })
}

/// Decodes a segment; unlike in a query, `+` stands for itself. The router has replaced what is not UTF-8 by U+FFFD, which
/// no id or name has a use for.
fn decode(segment: &str) -> Option<String> {
    if segment.contains(char::REPLACEMENT_CHARACTER) {
        return None;
    }
    super::query::text(&segment.replace('+', "%2B"))
}

#[cfg(test)]
mod tests {
    use actix_web::test::TestRequest;

    use super::*;

    #[derive(Debug, PartialEq)]
    struct Slug(String);

    impl Segment for Slug {
        const NAME: &'static str = "slug";
        const UNREADABLE: Unreadable = Unreadable::Invalid("must be lowercase");

        fn read(text: &str) -> Option<Self> {
            (!text.is_empty() && !text.contains(char::is_uppercase)).then(|| Self(text.to_owned()))
        }
    }

    #[test]
    fn segments_are_decoded_once_and_judged_by_their_type() {
        let rows = [
            ("abc", Some("abc")),
            ("a%2Fb", Some("a/b")),
            ("a+b", Some("a+b")),
            ("a%2541", Some("a%41")),
            ("ABC", None),
            ("%ff", None),
            ("a\u{fffd}b", None),
            ("%00", None),
            ("%4", None),
        ];
        for (segment, expected) in rows {
            let request = TestRequest::default().param("slug", segment.to_owned()).to_http_request();
            let found = read::<Slug, ()>(&request);
            assert_eq!(found.as_ref().ok().map(|slug| slug.0.as_str()), expected, "{segment}");
            if let Err(error) = found {
                assert_eq!(error.body(), ApiError::invalid("slug", "must be lowercase").body());
            }
        }
    }
}

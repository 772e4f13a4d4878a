//! Ids and names in paths, parsed into the domain's own types.

use std::future::Future;
use std::pin::Pin;

use actix_web::dev::Payload;
use actix_web::{FromRequest, HttpRequest};

use super::turn::After;
use crate::codes::Code;
use crate::error::{ApiError, ApiResult};

/// A type that a path segment is parsed into. The type decides how a text that does not parse is answered.
///
/// A crate that parses segments into types of other crates implements this trait for its own marker `Surface`, and has
/// its own extractor that calls [`extract`]: coherence allows neither without a local type. `PathParam` is the
/// extractor for types of the same crate.
pub trait Segment<Surface = ()>: Sized {
    /// The name in the route pattern: `token_id` of `/v1/tokens/{token_id}`.
    const NAME: &'static str;
    /// The answer to a text that does not parse.
    const UNREADABLE: Unreadable;

    /// Parses the decoded segment.
    fn read(text: &str) -> Option<Self>;
}

/// The answer to a segment that does not parse.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Unreadable {
    /// 404, as for an id that does not exist.
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

/// Reads a segment for an extractor. The error for a text that does not parse waits until the caller is known, because
/// an error about the caller has precedence.
///
/// # Errors
/// The type's answer to a text that does not parse.
pub fn extract<T: Segment<Surface> + 'static, Surface>(
    request: &HttpRequest,
) -> impl Future<Output = ApiResult<T>> + use<T, Surface> {
    After::caller(request).settle(read::<T, Surface>(request))
}

/// Reads a segment for an extractor that has identified the caller itself.
///
/// # Errors
/// The type's answer to a text that does not parse.
pub fn read<T: Segment<Surface>, Surface>(request: &HttpRequest) -> ApiResult<T> {
    let Some(segment) = request.match_info().get(T::NAME) else {
        return Err(ApiError::internal(format_args!("the route has no segment {}", T::NAME)));
    };
    decode(segment).as_deref().and_then(T::read).ok_or_else(|| match T::UNREADABLE {
        Unreadable::NotFound => Code::NotFound.into(),
        Unreadable::Invalid(message) => ApiError::invalid(T::NAME, message),
    })
}

/// Decodes a segment; unlike in a query, `+` is not a space. The router has replaced bytes that are not UTF-8 by
/// U+FFFD, which no id or name may contain.
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

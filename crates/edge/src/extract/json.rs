//! The JSON body of a request: an object, read strictly, whatever `Content-Type` says.
//!
//! Clients that forget the header, or send the one of a form, are common and harmless. A browser cannot exploit this to
//! send a cross-site request with a credential, because credentials travel in headers that need CORS.

use std::future::Future;
use std::pin::Pin;

use actix_web::dev::Payload;
use actix_web::web::Bytes;
use actix_web::{FromRequest, HttpRequest};
use serde::de::DeserializeOwned;

use super::body::{self, MAX_BODY};
use super::explain::explain;
use super::strict;
use super::turn::After;
use crate::codes::Code;
use crate::error::{ApiError, ApiResult};

/// A JSON object of at most `MAX` bytes, parsed into `T`. Fields that `T` does not have are ignored.
#[derive(Clone, Debug)]
pub struct Json<T, const MAX: usize = MAX_BODY>(pub T);

/// As [`Json`], with an optional body: without one, `T` has its default.
#[derive(Clone, Debug)]
pub struct OptionalJson<T>(pub T);

impl<T: DeserializeOwned + 'static, const MAX: usize> FromRequest for Json<T, MAX> {
    type Error = ApiError;
    type Future = Pin<Box<dyn Future<Output = ApiResult<Self>>>>;

    fn from_request(request: &HttpRequest, payload: &mut Payload) -> Self::Future {
        let reading = body::read(request, payload, MAX);
        let after = After::caller(request);
        Box::pin(async move { after.settle(reading.await.and_then(|body| parse(&body).map(Self))).await })
    }
}

impl<T: DeserializeOwned + Default + 'static> FromRequest for OptionalJson<T> {
    type Error = ApiError;
    type Future = Pin<Box<dyn Future<Output = ApiResult<Self>>>>;

    fn from_request(request: &HttpRequest, payload: &mut Payload) -> Self::Future {
        let reading = body::read(request, payload, MAX_BODY);
        let after = After::caller(request);
        Box::pin(async move {
            let read = |body: &Bytes| if body.is_empty() { Ok(Self(T::default())) } else { parse(body).map(Self) };
            after.settle(reading.await.and_then(|body| read(&body))).await
        })
    }
}

/// Parses a complete body.
pub fn parse<T: DeserializeOwned>(body: &[u8]) -> ApiResult<T> {
    if body.is_empty() {
        return Err(ApiError::from(Code::MalformedRequest).message("Send a JSON object as the body."));
    }
    // The first character of valid JSON tells its type, so a body that is not an object can be refused here.
    if body.iter().find(|byte| !byte.is_ascii_whitespace()) != Some(&b'{') {
        return Err(Code::MalformedRequest.into());
    }
    strict::check(body).map_err(|flaw| match flaw {
        None => ApiError::from(Code::MalformedRequest),
        Some(flaw) => ApiError::invalid(flaw.field, flaw.advice),
    })?;
    let mut reader = serde_json::Deserializer::from_slice(body);
    serde_path_to_error::deserialize(&mut reader).map_err(|error| explain(error.path(), &error.inner().to_string()))
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use serde::Deserialize;

    use super::*;

    #[derive(Debug, Deserialize)]
    #[expect(dead_code, reason = "read by the test through Debug alone")]
    struct Form {
        name: String,
        #[serde(default)]
        count: u32,
        #[serde(default)]
        mode: Option<Mode>,
        #[serde(default)]
        items: Vec<Item>,
        #[serde(default)]
        labels: BTreeMap<String, bool>,
    }

    #[derive(Debug, Deserialize)]
    #[serde(rename_all = "snake_case")]
    enum Mode {
        FirstUse,
        Grace,
    }

    #[derive(Debug, Deserialize)]
    #[expect(dead_code, reason = "read by the test through Debug alone")]
    struct Item {
        id: i64,
    }

    #[test]
    fn errors_name_the_field_and_never_the_value() {
        let rows = [
            (r#"{"name":"a","ignored":{"x":[1]}}"#, ""),
            (r#"{"name":"a","mode":"first_use"}"#, ""),
            (" \n{\"name\":\"a\"} \n", ""),
            ("", r#"{"error":"malformed request","message":"Send a JSON object as the body.","statusCode":400}"#),
            (
                "[]",
                r#"{"error":"malformed request","message":"Send a JSON object in UTF-8, without duplicate keys, at most 32 levels deep.","statusCode":400}"#,
            ),
            (
                "\"s3cret\"",
                r#"{"error":"malformed request","message":"Send a JSON object in UTF-8, without duplicate keys, at most 32 levels deep.","statusCode":400}"#,
            ),
            ("{}", r#"{"error":"invalid request","message":"name is required","field":"name","statusCode":400}"#),
            (
                r#"{"name":7731}"#,
                r#"{"error":"invalid request","message":"name must be a string","field":"name","statusCode":400}"#,
            ),
            (
                r#"{"name":null}"#,
                r#"{"error":"invalid request","message":"name must be a string","field":"name","statusCode":400}"#,
            ),
            (
                r#"{"name":"a","count":"s3cret, expected s3cret"}"#,
                r#"{"error":"invalid request","message":"count must be a whole number, neither negative nor too large","field":"count","statusCode":400}"#,
            ),
            (
                r#"{"name":"a","count":-1}"#,
                r#"{"error":"invalid request","message":"count must be a whole number, neither negative nor too large","field":"count","statusCode":400}"#,
            ),
            (
                r#"{"name":"a","count":1.5}"#,
                r#"{"error":"invalid request","message":"count must be a whole number, neither negative nor too large","field":"count","statusCode":400}"#,
            ),
            (
                r#"{"name":"a","mode":"s3cret"}"#,
                r#"{"error":"invalid request","message":"mode must be `first_use` or `grace`","field":"mode","statusCode":400}"#,
            ),
            (
                r#"{"name":"a","items":{}}"#,
                r#"{"error":"invalid request","message":"items must be a list","field":"items","statusCode":400}"#,
            ),
            (
                r#"{"name":"a","items":[{"id":1},{"id":"s3cret"}]}"#,
                r#"{"error":"invalid request","message":"items[1].id must be a whole number that is not too large","field":"items[1].id","statusCode":400}"#,
            ),
            (
                r#"{"name":"a","items":[{}]}"#,
                r#"{"error":"invalid request","message":"items[0].id is required","field":"items[0].id","statusCode":400}"#,
            ),
            (
                r#"{"name":"a","items":["s3cret"]}"#,
                r#"{"error":"invalid request","message":"items[0] must be an object","field":"items[0]","statusCode":400}"#,
            ),
            (
                r#"{"name":"a","labels":{"k":"s3cret"}}"#,
                r#"{"error":"invalid request","message":"labels.k must be a boolean","field":"labels.k","statusCode":400}"#,
            ),
            (
                r#"{"name":"a","name":"s3cret"}"#,
                r#"{"error":"invalid request","message":"name must be given once","field":"name","statusCode":400}"#,
            ),
        ];
        for (body, expected) in rows {
            let answer = parse::<Form>(body.as_bytes()).map_or_else(|error| error.body(), |_| String::new());
            assert_eq!(answer, expected, "{body}");
            assert!(!answer.contains("s3cret") && !answer.contains("7731"));
        }
    }
}

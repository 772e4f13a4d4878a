//! The fields of a submitted form, and which of them are shown again when it could not be carried out.

use actix_web::HttpRequest;

/// Bytes of the longest form: a page of checked boxes and two long texts.
pub(crate) const LONGEST: usize = 128 * 1024;

/// Fields that are never repeated on a page: nobody must be able to read them from the screen or from a saved page.
const SECRET: [&str; 7] = ["password", "current_password", "new_password", "code", "token", "_csrf", "_restore"];

/// The fields of a form, in their order.
#[derive(Clone, Debug, Default)]
pub(crate) struct Form(Vec<(String, String)>);

impl Form {
    /// Reads a body of `application/x-www-form-urlencoded`; a malformed body has no fields.
    pub(crate) fn read(body: &[u8]) -> Self {
        Self(serde_urlencoded::from_bytes(body).unwrap_or_default())
    }

    /// Reads a query string.
    pub(crate) fn query(request: &HttpRequest) -> Self {
        Self::read(request.query_string().as_bytes())
    }

    /// A form with these fields.
    pub(crate) const fn of(fields: Vec<(String, String)>) -> Self {
        Self(fields)
    }

    /// A field's text as it was sent; empty where it was not.
    pub(crate) fn raw(&self, name: &str) -> &str {
        self.0.iter().find(|(key, _)| key == name).map_or("", |(_, value)| value)
    }

    /// A field's text without white space around it.
    pub(crate) fn text(&self, name: &str) -> &str {
        self.raw(name).trim()
    }

    /// A field's text, if there is any.
    pub(crate) fn some(&self, name: &str) -> Option<&str> {
        Some(self.text(name)).filter(|text| !text.is_empty())
    }

    /// Every value of a field.
    pub(crate) fn all(&self, name: &str) -> Vec<String> {
        self.0.iter().filter(|(key, _)| key == name).map(|(_, value)| value.clone()).collect()
    }

    /// Whether the field was sent.
    pub(crate) fn has(&self, name: &str) -> bool {
        self.0.iter().any(|(key, _)| key == name)
    }

    /// Whether the form is sent again after signing in: then it is shown and not carried out.
    pub(crate) fn is_restored(&self) -> bool {
        self.has("_restore")
    }

    /// The fields that may be repeated on a page.
    pub(crate) fn kept(&self) -> Vec<(String, String)> {
        self.0.iter().filter(|(key, _)| !SECRET.contains(&key.as_str())).cloned().collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fields_are_read_and_secrets_are_not_kept() {
        let form = Form::read(b"name=a+b&scope=x&scope=y&password=p&code=1&_csrf=c&token=nlp_1&empty=");
        assert_eq!(
            (form.text("name"), form.all("scope"), form.some("empty")),
            ("a b", vec!["x".into(), "y".into()], None)
        );
        let kept: Vec<String> = form.kept().into_iter().map(|(key, _)| key).collect();
        assert_eq!(kept, ["name", "scope", "scope", "empty"]);
        assert_eq!(Form::read(b"%ff%fe").raw("x"), "");
    }
}

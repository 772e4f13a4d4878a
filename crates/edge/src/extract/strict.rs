//! The first of two passes over a JSON body: refuses input that `serde_json` would accept, before any type sees it.
//!
//! Refused are duplicate keys (RFC 8259 §4 leaves open which one counts, so two parsers may disagree), NUL in strings
//! and keys (some databases cut there), and nesting beyond a bound. The whole body is checked, including fields that
//! the second pass ignores.

use std::collections::HashSet;
use std::fmt;

use serde::de::{self, DeserializeSeed, Deserializer, MapAccess, SeqAccess, Visitor};

/// How deep arrays and objects may nest; the outermost object is the first level.
pub(super) const MAX_DEPTH: usize = 32;

/// What the first pass refuses, in words for the client.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Flaw {
    /// Dotted path of the value, empty at the top level.
    pub(super) field: String,
    /// What would be right.
    pub(super) advice: &'static str,
}

/// Checks a whole body. `Err(None)` means that it is not JSON at all.
pub(super) fn check(body: &[u8]) -> Result<(), Option<Flaw>> {
    let mut flaw = None;
    let mut reader = serde_json::Deserializer::from_slice(body);
    let walked =
        Walk { path: &mut Vec::new(), depth: 0, flaw: &mut flaw }.deserialize(&mut reader).and_then(|()| reader.end());
    walked.map_err(|_| flaw)
}

/// The visitor of one value of the body.
struct Walk<'a> {
    path: &'a mut Vec<Step>,
    depth: usize,
    flaw: &'a mut Option<Flaw>,
}

enum Step {
    Key(String),
    Item(usize),
}

impl Walk<'_> {
    fn refuse<E: de::Error>(self, advice: &'static str) -> E {
        *self.flaw = Some(Flaw { field: render(self.path), advice });
        E::custom(advice)
    }

    /// Names the outermost field only: the whole path would be a long row of brackets.
    fn refuse_depth<E: de::Error>(self) -> E {
        self.path.truncate(1);
        self.refuse("must not be nested so deep")
    }

    fn text<E: de::Error>(self, text: &str) -> Result<(), E> {
        if text.contains('\0') { Err(self.refuse("must not contain NUL")) } else { Ok(()) }
    }

    fn child(&mut self) -> Walk<'_> {
        Walk { path: self.path, depth: self.depth, flaw: self.flaw }
    }
}

impl<'de> DeserializeSeed<'de> for Walk<'_> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Walk<'_> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("JSON")
    }

    fn visit_bool<E>(self, _: bool) -> Result<(), E> {
        Ok(())
    }

    fn visit_i64<E>(self, _: i64) -> Result<(), E> {
        Ok(())
    }

    fn visit_u64<E>(self, _: u64) -> Result<(), E> {
        Ok(())
    }

    fn visit_f64<E>(self, _: f64) -> Result<(), E> {
        Ok(())
    }

    fn visit_unit<E>(self) -> Result<(), E> {
        Ok(())
    }

    fn visit_str<E: de::Error>(self, text: &str) -> Result<(), E> {
        self.text(text)
    }

    fn visit_seq<A: SeqAccess<'de>>(mut self, mut items: A) -> Result<(), A::Error> {
        self.depth += 1;
        if self.depth > MAX_DEPTH {
            return Err(self.refuse_depth());
        }
        for index in 0.. {
            self.path.push(Step::Item(index));
            if items.next_element_seed(self.child())?.is_none() {
                self.path.pop();
                return Ok(());
            }
            self.path.pop();
        }
        Ok(())
    }

    fn visit_map<A: MapAccess<'de>>(mut self, mut entries: A) -> Result<(), A::Error> {
        self.depth += 1;
        if self.depth > MAX_DEPTH {
            return Err(self.refuse_depth());
        }
        let mut seen = HashSet::new();
        while let Some(key) = entries.next_key::<String>()? {
            self.path.push(Step::Key(key.clone()));
            if key.contains('\0') {
                return Err(self.refuse("must not contain NUL"));
            }
            if !seen.insert(key) {
                return Err(self.refuse("must be given once"));
            }
            entries.next_value_seed(self.child())?;
            self.path.pop();
        }
        Ok(())
    }
}

/// `a.b[3]`, cut after 100 characters; keys come from the client, so control characters are dropped.
fn render(path: &[Step]) -> String {
    let mut text = String::new();
    for step in path {
        match step {
            Step::Key(key) if text.is_empty() => text.push_str(key),
            Step::Key(key) => {
                text.push('.');
                text.push_str(key);
            }
            Step::Item(index) => text.push_str(&["[", &index.to_string(), "]"].concat()),
        }
    }
    text.chars().filter(|letter| !letter.is_control()).take(100).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn flaws_are_found_at_any_depth() {
        let deep = |levels: usize| format!("{}1{}", "[".repeat(levels), "]".repeat(levels));
        let rows = [
            (r#"{"a":1,"b":[{"c":null}]}"#.to_owned(), Ok(())),
            (deep(MAX_DEPTH), Ok(())),
            (r#"{"a":1,"a":2}"#.to_owned(), Err(Some(("a", "must be given once")))),
            (r#"{"x":[0,{"a":1,"\u0061":2}]}"#.to_owned(), Err(Some(("x[1].a", "must be given once")))),
            (r#"{"x":{"y":"a\u0000b"}}"#.to_owned(), Err(Some(("x.y", "must not contain NUL")))),
            (r#"{"a\u0000b":1}"#.to_owned(), Err(Some(("ab", "must not contain NUL")))),
            (format!("{{\"n\":{}}}", deep(MAX_DEPTH)), Err(Some(("n", "must not be nested so deep")))),
            ("{".to_owned(), Err(None)),
            ("{} {}".to_owned(), Err(None)),
            ("\u{feff}{}".to_owned(), Err(None)),
            (r#"{"a":"\ud800"}"#.to_owned(), Err(None)),
            (r#"{"a":1e999}"#.to_owned(), Err(None)),
            (r#"{"a":NaN}"#.to_owned(), Err(None)),
            (r#"{"a":1,}"#.to_owned(), Err(None)),
            (deep(100_000), Err(None)),
        ];
        for (body, expected) in rows {
            let found = check(body.as_bytes());
            let found = match &found {
                Ok(()) => Ok(()),
                Err(flaw) => Err(flaw.as_ref().map(|flaw| (flaw.field.as_str(), flaw.advice))),
            };
            if body.len() > 1000 {
                assert!(found.is_err());
                continue;
            }
            assert_eq!(found, expected, "{body}");
        }
        assert_eq!(check(b"{\"a\":\"\xff\"}"), Err(None));
    }
}

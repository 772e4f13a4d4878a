//! Whatever a client wants to remember about a thing: a JSON object of bounded size and depth.
//!
//! It is read by one walk that writes the canonical text as it goes, and stops at the first byte too many or level too
//! deep. A parsed tree would be the simpler way, but is built before it can be measured, and torn down by recursion.

use std::collections::BTreeMap;
use std::fmt;

use serde::de::{self, DeserializeSeed, MapAccess, SeqAccess, Visitor};
use serde::ser::Error as _;
use serde::{Deserialize, Deserializer, Serialize, Serializer};

use crate::text::{HOLDS_SECRET, holds_secret};

/// A JSON object as its canonical text: no white space, keys in the order of their bytes and each once, strings
/// escaped as little as JSON allows, numbers in their shortest form. Equal objects have equal texts.
///
/// Whole numbers keep every digit up to 64 bits; others are as exact as a 64-bit float, as everywhere in JSON.
#[derive(Clone, PartialEq, Eq, Hash)]
pub struct Metadata(Box<str>);

/// Why a value is no metadata; the message completes the sentence "`metadata` …".
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum InvalidMetadata {
    /// Not JSON at all, or something follows it.
    #[error("must be valid JSON")]
    NotJson,
    /// JSON, but a list, text, number or nothing.
    #[error("must be {}", Metadata::EXPECTED)]
    NotAnObject,
    /// The canonical text is longer than 4 KiB.
    #[error("must have at most {} bytes as compact JSON", Metadata::LARGEST)]
    TooLarge,
    /// More than 8 levels of objects and lists, the outermost included.
    #[error("must nest at most {} levels deep", Metadata::DEEPEST)]
    TooDeep,
    /// A key twice in one object: readers differ on which one counts.
    #[error("must have each key once")]
    DuplicateKey,
    /// U+0000 in a key or text, which not every database can hold.
    #[error("must not contain NUL")]
    Nul,
    /// A token, a session or the code of an invitation in a key or text.
    #[error("{HOLDS_SECRET}")]
    Secret,
}

impl Metadata {
    /// The most bytes of canonical text.
    pub const LARGEST: usize = 4096;
    /// The most levels of objects and lists.
    pub const DEEPEST: usize = 8;
    const EXPECTED: &'static str = "a JSON object";

    /// Reads a JSON text.
    ///
    /// # Errors
    /// The first thing found wrong with it. No text, however long or deep, takes more than its own length of memory
    /// or a few levels of stack.
    pub fn parse(json: &str) -> Result<Self, InvalidMetadata> {
        Self::within(Budget::default(), json)
    }

    /// Reads a text back that was accepted before the rule on secrets was.
    ///
    /// # Errors
    /// As [`Self::parse`], but for secrets.
    pub fn parse_stored(json: &str) -> Result<Self, InvalidMetadata> {
        Self::within(Budget { refuses_secrets: false, ..Budget::default() }, json)
    }

    fn within(mut budget: Budget, json: &str) -> Result<Self, InvalidMetadata> {
        let mut reader = serde_json::Deserializer::from_str(json);
        match budget.object(&mut reader) {
            Ok(text) => reader.end().map(|()| Self(text.into())).map_err(|_| InvalidMetadata::NotJson),
            Err(error) => Err(budget.flaw.unwrap_or(match error.classify() {
                serde_json::error::Category::Data => InvalidMetadata::NotAnObject,
                serde_json::error::Category::Io
                | serde_json::error::Category::Syntax
                | serde_json::error::Category::Eof => InvalidMetadata::NotJson,
            })),
        }
    }

    /// The canonical text.
    pub fn as_json(&self) -> &str {
        &self.0
    }
}

impl Default for Metadata {
    /// `{}`.
    fn default() -> Self {
        Self("{}".into())
    }
}

impl fmt::Debug for Metadata {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl Serialize for Metadata {
    /// As the object it is. Its size and depth make the detour through a tree cheap and safe.
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let tree: serde_json::Value = serde_json::from_str(&self.0).map_err(S::Error::custom)?;
        tree.serialize(serializer)
    }
}

impl<'de> Deserialize<'de> for Metadata {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Budget::default().object(deserializer).map(|text| Self(text.into()))
    }
}

/// What is left to spend on a text, and why nothing more may be.
struct Budget {
    bytes: usize,
    refuses_secrets: bool,
    flaw: Option<InvalidMetadata>,
}

impl Default for Budget {
    fn default() -> Self {
        Self { bytes: Metadata::LARGEST, refuses_secrets: true, flaw: None }
    }
}

impl Budget {
    fn object<'de, D: Deserializer<'de>>(&mut self, deserializer: D) -> Result<String, D::Error> {
        deserializer.deserialize_map(Walk { budget: self, level: 1 })
    }

    fn refuse<E: de::Error>(&mut self, flaw: InvalidMetadata) -> E {
        self.flaw = Some(flaw);
        E::custom(flaw)
    }

    fn spend<E: de::Error>(&mut self, bytes: usize) -> Result<(), E> {
        match self.bytes.checked_sub(bytes) {
            Some(left) => {
                self.bytes = left;
                Ok(())
            }
            None => Err(self.refuse(InvalidMetadata::TooLarge)),
        }
    }

    fn write<E: de::Error>(&mut self, text: String) -> Result<String, E> {
        self.spend(text.len()).map(|()| text)
    }

    fn quote<E: de::Error>(&mut self, text: &str) -> Result<String, E> {
        // Quoting only makes it longer: what is too long already need not be copied.
        if text.len() > self.bytes {
            return Err(self.refuse(InvalidMetadata::TooLarge));
        }
        if text.contains('\0') {
            return Err(self.refuse(InvalidMetadata::Nul));
        }
        if self.refuses_secrets && holds_secret(text) {
            return Err(self.refuse(InvalidMetadata::Secret));
        }
        serde_json::to_string(text).map_err(E::custom).and_then(|quoted| self.write(quoted))
    }
}

/// One value on the way down; becomes its canonical text.
struct Walk<'a> {
    budget: &'a mut Budget,
    /// How deep an object or list would lie that began here.
    level: usize,
}

impl Walk<'_> {
    /// Pays for two brackets, and for being here at all.
    fn enter<E: de::Error>(&mut self) -> Result<(), E> {
        if self.level > Metadata::DEEPEST {
            return Err(self.budget.refuse(InvalidMetadata::TooDeep));
        }
        self.budget.spend(2)
    }

    fn inner(&mut self) -> Walk<'_> {
        Walk { budget: self.budget, level: self.level + 1 }
    }
}

impl<'de> DeserializeSeed<'de> for Walk<'_> {
    type Value = String;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<String, D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Walk<'_> {
    type Value = String;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(Metadata::EXPECTED)
    }

    fn visit_unit<E: de::Error>(self) -> Result<String, E> {
        self.budget.write("null".to_owned())
    }

    fn visit_bool<E: de::Error>(self, value: bool) -> Result<String, E> {
        self.budget.write(value.to_string())
    }

    fn visit_i64<E: de::Error>(self, value: i64) -> Result<String, E> {
        self.budget.write(value.to_string())
    }

    fn visit_u64<E: de::Error>(self, value: u64) -> Result<String, E> {
        self.budget.write(value.to_string())
    }

    fn visit_f64<E: de::Error>(self, value: f64) -> Result<String, E> {
        match serde_json::Number::from_f64(value) {
            Some(number) => self.budget.write(number.to_string()),
            None => Err(self.budget.refuse(InvalidMetadata::NotJson)),
        }
    }

    fn visit_str<E: de::Error>(self, value: &str) -> Result<String, E> {
        self.budget.quote(value)
    }

    fn visit_seq<A: SeqAccess<'de>>(mut self, mut list: A) -> Result<String, A::Error> {
        self.enter()?;
        let mut text = String::from("[");
        while let Some(item) = list.next_element_seed(self.inner())? {
            if text.len() > 1 {
                self.budget.spend(1)?;
                text.push(',');
            }
            text.push_str(&item);
        }
        text.push(']');
        Ok(text)
    }

    fn visit_map<A: MapAccess<'de>>(mut self, mut object: A) -> Result<String, A::Error> {
        self.enter()?;
        let mut entries = BTreeMap::new();
        while let Some(key) = object.next_key::<String>()? {
            // A colon, and a comma from the second entry on.
            self.budget.spend(1 + usize::from(!entries.is_empty()))?;
            let quoted = self.budget.quote(&key)?;
            let value = object.next_value_seed(self.inner())?;
            if entries.insert(key, quoted + ":" + &value).is_some() {
                return Err(self.budget.refuse(InvalidMetadata::DuplicateKey));
            }
        }
        let entries: Vec<String> = entries.into_values().collect();
        Ok(format!("{{{}}}", entries.join(",")))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn equal_objects_have_one_text() {
        for (json, text) in [
            ("{}", "{}"),
            (" {\n} ", "{}"),
            (r#"{"b": 1, "a": [ ] , "B": {"z":null,"y":true}}"#, r#"{"B":{"y":true,"z":null},"a":[],"b":1}"#),
            (r#"{"a":"\u00e9\/\u0041\n\u001b"}"#, "{\"a\":\"é/A\\n\\u001b\"}"),
            (r#"{"a":[1.50,1e2,-0.0,-0,1E-7]}"#, r#"{"a":[1.5,100.0,-0.0,-0.0,1e-7]}"#),
            (
                r#"{"a":[18446744073709551615,-9223372036854775808]}"#,
                r#"{"a":[18446744073709551615,-9223372036854775808]}"#,
            ),
            (r#"{"a":[[],{},"",[0]]}"#, r#"{"a":[[],{},"",[0]]}"#),
            ("{\"\u{ff61}\":1,\"\u{1f600}\":2,\"\":3}", "{\"\":3,\"\u{ff61}\":1,\"\u{1f600}\":2}"),
        ] {
            let metadata = Metadata::parse(json).unwrap();
            assert_eq!(metadata.as_json(), text, "{json}");
            assert_eq!(serde_json::to_string(&metadata).unwrap(), text, "{json}");
            assert_eq!(serde_json::from_str::<Metadata>(json).unwrap(), metadata, "{json}");
            assert_eq!(Metadata::parse(text), Ok(metadata), "{json}");
        }
        assert_eq!(Metadata::parse("{}"), Ok(Metadata::default()));
    }

    #[test]
    fn says_what_is_wrong() {
        for (json, why) in [
            ("", InvalidMetadata::NotJson),
            ("{", InvalidMetadata::NotJson),
            ("{} x", InvalidMetadata::NotJson),
            ("{} {}", InvalidMetadata::NotJson),
            (r#"{"a":1,}"#, InvalidMetadata::NotJson),
            (r#"{"a":NaN}"#, InvalidMetadata::NotJson),
            (r#"{"a":1e999}"#, InvalidMetadata::NotJson),
            (r#"{"a":"\ud800"}"#, InvalidMetadata::NotJson),
            ("[]", InvalidMetadata::NotAnObject),
            ("null", InvalidMetadata::NotAnObject),
            ("\"{}\"", InvalidMetadata::NotAnObject),
            ("1", InvalidMetadata::NotAnObject),
            (r#"{"a":1,"a":1}"#, InvalidMetadata::DuplicateKey),
            (r#"{"a":[{"b":1,"\u0062":2}]}"#, InvalidMetadata::DuplicateKey),
            (r#"{"a":"\u0000"}"#, InvalidMetadata::Nul),
            (r#"{"\u0000":1}"#, InvalidMetadata::Nul),
            (r#"{"a":["nlp_00112233445566778899aabbccddeeff550c911c"]}"#, InvalidMetadata::Secret),
        ] {
            assert_eq!(Metadata::parse(json), Err(why), "{json}");
            let message = serde_json::from_str::<Metadata>(json).unwrap_err().to_string();
            match why {
                InvalidMetadata::NotJson => {}
                InvalidMetadata::NotAnObject => assert!(message.contains(Metadata::EXPECTED), "{message}"),
                InvalidMetadata::TooLarge
                | InvalidMetadata::TooDeep
                | InvalidMetadata::DuplicateKey
                | InvalidMetadata::Nul
                | InvalidMetadata::Secret => assert!(message.starts_with(&why.to_string()), "{message}"),
            }
        }
    }

    fn nested(levels: usize, open: &str, close: &str) -> String {
        format!("{{\"a\":{}1{}}}", open.repeat(levels - 1), close.repeat(levels - 1))
    }

    #[test]
    fn eight_levels_and_no_more() {
        for (open, close) in [("[", "]"), ("{\"a\":", "}")] {
            assert!(Metadata::parse(&nested(8, open, close)).is_ok());
            for levels in [9, 10, 127, 128, 10_000, 200_000] {
                assert_eq!(Metadata::parse(&nested(levels, open, close)), Err(InvalidMetadata::TooDeep), "{levels}");
            }
            // Nor does it need the end of what it refuses.
            assert_eq!(Metadata::parse(&format!("{{\"a\":{}", open.repeat(10_000))), Err(InvalidMetadata::TooDeep));
        }
    }

    #[test]
    fn four_kibibytes_and_not_a_byte_more() {
        let text = |length: usize| format!("{{\"a\":\"{}\"}}", "x".repeat(length - 8));
        let list = |length: usize| format!("{{\"a\":[1{}]}}", ",1".repeat((length - 9) / 2));
        let objects = |count: usize| {
            let entries: Vec<String> = (0..count).map(|entry| format!("\"{entry:05}\":{{}}")).collect();
            format!("{{{}}}", entries.join(","))
        };
        for json in [text(4096), list(4095), objects(372)] {
            assert!(json.len() <= 4096 && json.len() > 4080, "{}", json.len());
            assert_eq!(Metadata::parse(&json).unwrap().as_json(), json);
        }
        for json in [text(4097), list(4097), objects(373), text(1 << 20), list(1 << 20), objects(100_000)] {
            assert_eq!(Metadata::parse(&json), Err(InvalidMetadata::TooLarge), "{}", json.len());
        }
        // What counts is the compact text, not how it was written.
        let spaced = text(4096).replace(':', &(":".to_owned() + &" ".repeat(9_000))).replace('x', "\\u0078");
        assert_eq!(Metadata::parse(&spaced).unwrap().as_json(), text(4096));
    }
}

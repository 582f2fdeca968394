//! Reads fields into the structs of messages: a serde format that takes nothing but what the page allows.
//!
//! What lives here: one deserializer over a [`Cursor`]. A value is of exactly the type that is due: no tag
//! stands before it, `null` is no value, a field's name is text. A field with an unknown name is skipped
//! whatever its value is, if its name is there once. The item was scanned before: see [`super::scan`].

use std::borrow::Cow;
use std::fmt;

use serde::de::value::BorrowedStrDeserializer;
use serde::de::{self, DeserializeOwned, DeserializeSeed, Visitor};

use super::scan::{ARRAY, BYTES, Cursor, MAP, SIMPLE, TEXT, UINT};

/// The rule that the bytes break, without control characters.
#[derive(Debug)]
pub(super) struct Broken(pub(super) Cow<'static, str>);

type Read<T> = Result<T, Broken>;

/// The fields of a message; `body` is one CBOR item that was scanned.
///
/// # Errors
///
/// If they are not the fields of a `T` in the form of the page.
pub(super) fn read<T: DeserializeOwned>(body: &[u8]) -> Read<T> {
    let mut at = Cursor { rest: body };
    T::deserialize(Reader(&mut at))
}

/// The value that comes next.
struct Reader<'a, 'de>(&'a mut Cursor<'de>);

impl<'de> Reader<'_, 'de> {
    fn argument(&mut self, major: u8) -> Read<u64> {
        self.0.argument(major).ok_or(OTHER_TYPE)
    }

    fn string(&mut self, major: u8) -> Read<&'de [u8]> {
        let length = self.argument(major)?;
        self.0.take(length).ok_or(CUT_SHORT)
    }

    fn text(&mut self) -> Read<&'de str> {
        let bytes = self.string(TEXT)?;
        str::from_utf8(bytes).map_err(|_| Broken(Cow::Borrowed("text is not UTF-8")))
    }
}

const OTHER_TYPE: Broken = Broken(Cow::Borrowed("a value is not of the type that is due"));
const CUT_SHORT: Broken = Broken(Cow::Borrowed("CBOR item cut short"));
const WRONG_LENGTH: Broken = Broken(Cow::Borrowed("an array has another length than is due"));
const TWICE: Broken = Broken(Cow::Borrowed("an unknown field is there twice"));

macro_rules! unsigned {
    ($($method:ident)*) => {
        $(fn $method<V: Visitor<'de>>(mut self, visitor: V) -> Read<V::Value> {
            visitor.visit_u64(self.argument(UINT)?)
        })*
    };
}

macro_rules! text {
    ($($method:ident)*) => {
        $(fn $method<V: Visitor<'de>>(mut self, visitor: V) -> Read<V::Value> {
            visitor.visit_borrowed_str(self.text()?)
        })*
    };
}

macro_rules! not_there {
    ($($method:ident)*) => {
        $(fn $method<V: Visitor<'de>>(self, _: V) -> Read<V::Value> {
            Err(OTHER_TYPE)
        })*
    };
}

impl<'de> de::Deserializer<'de> for Reader<'_, 'de> {
    type Error = Broken;

    unsigned! { deserialize_u8 deserialize_u16 deserialize_u32 deserialize_u64 }
    text! { deserialize_str deserialize_string deserialize_identifier }
    // No message has a value of these types.
    not_there! {
        deserialize_any deserialize_i8 deserialize_i16 deserialize_i32 deserialize_i64 deserialize_f32
        deserialize_f64 deserialize_char deserialize_unit deserialize_map
    }

    fn deserialize_bool<V: Visitor<'de>>(self, visitor: V) -> Read<V::Value> {
        match self.0.head() {
            Some((SIMPLE, 20)) => visitor.visit_bool(false),
            Some((SIMPLE, 21)) => visitor.visit_bool(true),
            _ => Err(OTHER_TYPE),
        }
    }

    fn deserialize_bytes<V: Visitor<'de>>(mut self, visitor: V) -> Read<V::Value> {
        visitor.visit_borrowed_bytes(self.string(BYTES)?)
    }

    fn deserialize_byte_buf<V: Visitor<'de>>(self, visitor: V) -> Read<V::Value> {
        self.deserialize_bytes(visitor)
    }

    /// A field that may be absent and is there has a value: `null` is none.
    fn deserialize_option<V: Visitor<'de>>(self, visitor: V) -> Read<V::Value> {
        visitor.visit_some(self)
    }

    fn deserialize_newtype_struct<V: Visitor<'de>>(
        self,
        _: &'static str,
        visitor: V,
    ) -> Read<V::Value> {
        visitor.visit_newtype_struct(self)
    }

    fn deserialize_seq<V: Visitor<'de>>(mut self, visitor: V) -> Read<V::Value> {
        let left = self.argument(ARRAY)?;
        let mut elements = Elements { at: self.0, left };
        let value = visitor.visit_seq(&mut elements)?;
        if elements.left == 0 {
            Ok(value)
        } else {
            Err(WRONG_LENGTH)
        }
    }

    fn deserialize_tuple<V: Visitor<'de>>(self, _: usize, visitor: V) -> Read<V::Value> {
        self.deserialize_seq(visitor)
    }

    fn deserialize_tuple_struct<V: Visitor<'de>>(
        self,
        _: &'static str,
        _: usize,
        visitor: V,
    ) -> Read<V::Value> {
        self.deserialize_seq(visitor)
    }

    fn deserialize_struct<V: Visitor<'de>>(
        mut self,
        _: &'static str,
        names: &'static [&'static str],
        visitor: V,
    ) -> Read<V::Value> {
        let left = self.argument(MAP)?;
        visitor.visit_map(Fields {
            at: self.0,
            left,
            names,
            unknown: Vec::new(),
        })
    }

    fn deserialize_enum<V: Visitor<'de>>(
        self,
        _: &'static str,
        _: &'static [&'static str],
        _: V,
    ) -> Read<V::Value> {
        Err(OTHER_TYPE)
    }

    fn deserialize_unit_struct<V: Visitor<'de>>(self, _: &'static str, _: V) -> Read<V::Value> {
        Err(OTHER_TYPE)
    }

    fn deserialize_ignored_any<V: Visitor<'de>>(self, visitor: V) -> Read<V::Value> {
        self.0.skip_item().ok_or(CUT_SHORT)?;
        visitor.visit_unit()
    }

    fn is_human_readable(&self) -> bool {
        false
    }
}

/// What is left of an array.
struct Elements<'a, 'de> {
    at: &'a mut Cursor<'de>,
    left: u64,
}

impl<'de> de::SeqAccess<'de> for &mut Elements<'_, 'de> {
    type Error = Broken;

    fn next_element_seed<T: DeserializeSeed<'de>>(&mut self, seed: T) -> Read<Option<T::Value>> {
        if self.left == 0 {
            return Ok(None);
        }
        self.left -= 1;
        seed.deserialize(Reader(self.at)).map(Some)
    }

    // Each takes a byte at least, which the scan has seen.
    fn size_hint(&self) -> Option<usize> {
        usize::try_from(self.left).ok()
    }
}

/// What is left of a map.
struct Fields<'a, 'de> {
    at: &'a mut Cursor<'de>,
    left: u64,
    /// The names that are known.
    names: &'static [&'static str],
    /// The other names that were there.
    unknown: Vec<&'de str>,
}

impl<'de> de::MapAccess<'de> for Fields<'_, 'de> {
    type Error = Broken;

    fn next_key_seed<K: DeserializeSeed<'de>>(&mut self, seed: K) -> Read<Option<K::Value>> {
        if self.left == 0 {
            // That a known one is there twice is noticed where it is put.
            self.unknown.sort_unstable();
            let is_twice = self.unknown.windows(2).any(|pair| pair[0] == pair[1]);
            return if is_twice { Err(TWICE) } else { Ok(None) };
        }
        self.left -= 1;
        let name = Reader(self.at).text()?;
        if !self.names.contains(&name) {
            self.unknown.push(name);
        }
        seed.deserialize(BorrowedStrDeserializer::new(name))
            .map(Some)
    }

    fn next_value_seed<V: DeserializeSeed<'de>>(&mut self, seed: V) -> Read<V::Value> {
        seed.deserialize(Reader(self.at))
    }
}

impl de::Error for Broken {
    fn custom<T: fmt::Display>(rule: T) -> Broken {
        // serde may quote what the sender wrote.
        let is_plain = |c: char| c == ' ' || c.is_ascii_graphic();
        let plain = |c| if is_plain(c) { c } else { '?' };
        Broken(rule.to_string().chars().map(plain).take(120).collect())
    }
}

impl fmt::Display for Broken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl std::error::Error for Broken {}

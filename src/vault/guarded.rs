//! Documents of which a part is sealed: which members, and how they leave the document and come back. Pure.

use base64::Engine;
use base64::engine::general_purpose::STANDARD_NO_PAD;
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::{Map, Value};
use zeroize::Zeroizing;

use super::envelope::SubjectKey;
use crate::db::Json;
use crate::kernel::ids::ResourceId;
use crate::kernel::{Error, Result};

/// A document that says what of it is for nobody's eyes. It has no way into a column but through the vault:
/// `Json::of` takes only what is declared clear.
pub trait Guarded: Serialize + DeserializeOwned {
    /// Table and column; part of what a sealed value is bound to, and never to change.
    const PLACE: &'static str;
    /// Paths of the sealed members (`verdicts/*/reason`; `*` stands for every item of a list). Empty: all of it.
    const SECRET: &'static [&'static str];
}

/// Name of the member that holds what is sealed.
const SEALED: &str = "sealed";
/// Lengths tell: the content is filled up to a multiple of this.
const STEP: usize = 64;

fn identity(place: &str, subject: ResourceId, record: ResourceId) -> String {
    format!("sistra/1|{place}|{}|{}", subject.uuid(), record.uuid())
}

/// Blanks behind the text: JSON ignores them.
fn filled(mut text: Vec<u8>) -> Zeroizing<Vec<u8>> {
    let length = text.len().next_multiple_of(STEP);
    text.resize(length, b' ');
    Zeroizing::new(text)
}

fn bad(place: &str) -> Error {
    Error::internal(format!("the document of {place} cannot be read"))
}

/// Seals a document's guarded part.
pub fn seal<T: Guarded>(key: &SubjectKey, subject: ResourceId, record: ResourceId, value: &T) -> Result<Json> {
    let unwritable = |_| bad(T::PLACE);
    let put = |content: Vec<u8>| -> Result<Value> {
        let sealed = key.seal(&identity(T::PLACE, subject, record), filled(content))?;
        Ok(Value::String(STANDARD_NO_PAD.encode(sealed)))
    };
    if T::SECRET.is_empty() {
        let sealed = put(serde_json::to_vec(value).map_err(unwritable)?)?;
        return Json::sealed(&Value::Object(Map::from_iter([(SEALED.to_owned(), sealed)])));
    }
    let mut document = serde_json::to_value(value).map_err(unwritable)?;
    let mut taken = Map::new();
    for path in T::SECRET {
        let segments: Vec<&str> = path.split('/').collect();
        take(&mut document, &segments, String::new(), &mut taken);
    }
    if !taken.is_empty() {
        let sealed = put(serde_json::to_vec(&taken).map_err(unwritable)?)?;
        let object = document.as_object_mut().ok_or_else(|| bad(T::PLACE))?;
        object.insert(SEALED.to_owned(), sealed);
    }
    Json::sealed(&document)
}

/// Takes the values at a path out of a document; each is noted under its pointer.
fn take(at: &mut Value, path: &[&str], pointer: String, taken: &mut Map<String, Value>) {
    match (path, at) {
        (["*", rest @ ..], Value::Array(items)) => {
            for (index, item) in items.iter_mut().enumerate() {
                take(item, rest, format!("{pointer}/{index}"), taken);
            }
        }
        ([last], Value::Object(members)) => {
            if members.get(*last).is_some_and(|v| !v.is_null())
                && let Some(value) = members.remove(*last)
            {
                taken.insert(format!("{pointer}/{last}"), value);
            }
        }
        ([name, rest @ ..], Value::Object(members)) => {
            if let Some(inner) = members.get_mut(*name) {
                take(inner, rest, format!("{pointer}/{name}"), taken);
            }
        }
        _ => {}
    }
}

/// Opens a document.
pub fn open<T: Guarded>(key: &SubjectKey, subject: ResourceId, record: ResourceId, stored: &Json) -> Result<T> {
    let unreadable = |_| bad(T::PLACE);
    let mut document: Value = serde_json::from_str(stored.as_str()).map_err(unreadable)?;
    let object = document.as_object_mut().ok_or_else(|| bad(T::PLACE))?;
    let Some(sealed) = object.remove(SEALED) else {
        // Nothing of it was there to be sealed; a document that is sealed as a whole always has its seal.
        return if T::SECRET.is_empty() { Err(bad(T::PLACE)) } else { serde_json::from_value(document).map_err(unreadable) };
    };
    let bytes = sealed.as_str().and_then(|s| STANDARD_NO_PAD.decode(s).ok()).ok_or_else(|| bad(T::PLACE))?;
    let content = key.open(&identity(T::PLACE, subject, record), &bytes)?;
    if T::SECRET.is_empty() {
        return serde_json::from_slice(&content).map_err(unreadable);
    }
    let taken: Map<String, Value> = serde_json::from_slice(&content).map_err(unreadable)?;
    for (pointer, value) in taken {
        let (parent, name) = pointer.rsplit_once('/').ok_or_else(|| bad(T::PLACE))?;
        let parent = document.pointer_mut(parent).and_then(Value::as_object_mut).ok_or_else(|| bad(T::PLACE))?;
        parent.insert(name.to_owned(), value);
    }
    serde_json::from_value(document).map_err(unreadable)
}

/// A document without its sealed part, to be stored in its place when its key is destroyed.
pub fn strip(stored: &Json) -> Result<Json> {
    let mut document: Value = serde_json::from_str(stored.as_str()).map_err(|_| bad("an erased record"))?;
    if let Some(object) = document.as_object_mut() {
        object.remove(SEALED);
    }
    Json::sealed(&document)
}

/// A document without its guarded part, as it is written when there is no key any more.
pub fn bare<T: Guarded>(value: &T) -> Result<Json> {
    if T::SECRET.is_empty() {
        return Err(Error::Erased);
    }
    let mut document = serde_json::to_value(value).map_err(|_| bad(T::PLACE))?;
    for path in T::SECRET {
        let segments: Vec<&str> = path.split('/').collect();
        take(&mut document, &segments, String::new(), &mut Map::new());
    }
    Json::sealed(&document)
}

/// A document whose key is destroyed: the clear part, where it can stand alone.
pub fn without<T: Guarded>(stored: &Json) -> Result<T> {
    let mut document: Value = serde_json::from_str(stored.as_str()).map_err(|_| bad(T::PLACE))?;
    if T::SECRET.is_empty() {
        return Err(Error::Erased);
    }
    if let Some(object) = document.as_object_mut() {
        object.remove(SEALED);
    }
    serde_json::from_value(document).map_err(|_| Error::Erased)
}

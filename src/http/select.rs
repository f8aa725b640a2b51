//! `fields=`: only what the caller asked for, by paths of the contract's own schemas.

use serde_json::{Map, Value};

use super::body::SCHEMAS;
use super::query::decode;
use crate::kernel::FaultCode;
use crate::kernel::error::{Error, Fault, Result};

/// Most paths of one request.
const MOST: usize = 30;
/// What stays in any case: without it nobody could tell which record it is, and what was withheld.
const KEPT: &[&str] = &["id", "version", "redacted"];

/// The paths that a request selects; none for everything.
pub struct Selection(Vec<Vec<String>>);

impl Selection {
    /// From the query string, checked against the schema of the answer (of an item, for a page).
    pub fn of(query: &str, schema: &str) -> Result<Option<Self>> {
        let mut pairs = query.split('&').filter_map(|pair| pair.split_once('='));
        let Some((_, text)) = pairs.find(|(name, _)| decode(name).is_some_and(|n| n == "fields")) else {
            return Ok(None);
        };
        let text = decode(text).unwrap_or_default();
        let fault = |code| Error::InvalidParameter(vec![Fault::parameter("fields", code)]);
        let paths: Vec<Vec<String>> = text.split(',').map(|p| p.split('.').map(str::to_owned).collect()).collect();
        if paths.len() > MOST {
            return Err(fault(FaultCode::MaxItems));
        }
        let document = SCHEMAS.get().map(|s| s.document()).ok_or_else(|| Error::internal("no schemas"))?;
        let whole = serde_json::json!({"$ref": format!("#/components/schemas/{schema}")});
        let item = property(document, &whole, "items").and_then(|items| items.get("items")).unwrap_or(&whole).clone();
        let known = |path: &Vec<String>| {
            let mut at = &item;
            path.iter().all(|name| {
                property(document, at, name).is_some_and(|next| {
                    at = next;
                    true
                })
            })
        };
        if !paths.iter().all(known) {
            return Err(fault(FaultCode::Enum));
        }
        Ok(Some(Self(paths)))
    }

    /// What of a value is selected; of every item, if it is a page.
    pub fn apply(&self, value: Value) -> Value {
        match value {
            Value::Object(mut page)
                if page.get("items").is_some_and(Value::is_array) && page.contains_key("next_cursor") =>
            {
                if let Some(Value::Array(items)) = page.remove("items") {
                    let items = items.into_iter().map(|item| self.pick(item)).collect();
                    page.insert("items".to_owned(), Value::Array(items));
                }
                Value::Object(page)
            }
            one => self.pick(one),
        }
    }

    fn pick(&self, value: Value) -> Value {
        let mut picked = Map::new();
        for path in &self.0 {
            copy(&value, path, &mut picked);
        }
        for name in KEPT {
            if let Some(own) = value.get(*name) {
                picked.insert((*name).to_owned(), own.clone());
            }
        }
        Value::Object(picked)
    }
}

fn copy(from: &Value, path: &[String], to: &mut Map<String, Value>) {
    let Some((name, rest)) = path.split_first() else { return };
    let Some(value) = from.get(name) else { return };
    if rest.is_empty() {
        to.insert(name.clone(), value.clone());
        return;
    }
    match value {
        Value::Object(_) => {
            let inner = to.entry(name.clone()).or_insert_with(|| Value::Object(Map::new()));
            if let Value::Object(inner) = inner {
                copy(value, rest, inner);
            }
        }
        Value::Array(items) => {
            let inner = to.entry(name.clone()).or_insert_with(|| Value::Array(vec![Value::Object(Map::new()); items.len()]));
            for (slot, item) in inner.as_array_mut().into_iter().flatten().zip(items) {
                if let Value::Object(slot) = slot {
                    copy(item, rest, slot);
                }
            }
        }
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {
            to.insert(name.clone(), value.clone());
        }
    }
}

/// The schema of a property, through references, alternatives, compositions and lists.
fn property<'d>(document: &'d Value, schema: &'d Value, name: &str) -> Option<&'d Value> {
    if let Some(target) = schema.get("$ref").and_then(Value::as_str) {
        return property(document, document.pointer(target.strip_prefix('#')?)?, name);
    }
    if let Some(found) = schema.get("properties").and_then(|p| p.get(name)) {
        return Some(found);
    }
    let inner = ["oneOf", "anyOf", "allOf"].iter().filter_map(|k| schema.get(*k)?.as_array()).flatten();
    inner.chain(schema.get("items")).find_map(|s| property(document, s, name))
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn select(fields: &str, value: Value) -> Value {
        Selection(fields.split(',').map(|p| p.split('.').map(str::to_owned).collect()).collect()).apply(value)
    }

    #[test]
    fn paths_go_through_objects_and_lists_and_keep_what_names_the_record() {
        let record = json!({"id": 1, "version": 2, "redacted": [], "a": {"b": 1, "c": 2}, "l": [{"x": 1, "y": 2}, {"x": 3}], "n": null, "z": 9});
        assert_eq!(
            select("a.b,l.x,n", record.clone()),
            json!({"id": 1, "version": 2, "redacted": [], "a": {"b": 1}, "l": [{"x": 1}, {"x": 3}], "n": null})
        );
        assert_eq!(
            select("z", json!({"items": [record], "next_cursor": "c"})),
            json!({"items": [{"id": 1, "version": 2, "redacted": [], "z": 9}], "next_cursor": "c"})
        );
    }
}

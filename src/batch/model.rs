//! What may stand in a batch, and how an operation names what an earlier one made. Pure.

use std::collections::HashMap;

use serde_json::{Map, Value};

use super::wire::{Method, OperationCreate};
use crate::kernel::{Fault, FaultCode};

/// What does more than write to the registry, or answers questions: not in a batch.
const NOT_HERE: [&str; 9] =
    ["batch", "deconfliction", "break-glass", "imports", "exports", "jobs", "webhooks", "clients", "audit"];
/// What is read beside the registry's transaction, or waits: not in a batch either.
const NOT_READ: [&str; 5] = ["events", "statistics", "open-data", "catalogues", "status"];

/// What an operation answered, for those after it.
#[derive(Clone, Debug)]
pub struct Answered {
    /// Its tag.
    pub etag: Option<String>,
    /// Its body.
    pub body: Value,
}

/// An operation with everything in its place.
#[derive(Clone, Debug, PartialEq)]
pub struct Ready {
    /// Method.
    pub method: Method,
    /// Path.
    pub path: String,
    /// Tag.
    pub if_match: Option<String>,
    /// Body.
    pub body: Value,
}

/// A reference `${ID}` or `${ID#where}`: the operation, and what of its answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Reference<'t> {
    id: &'t str,
    what: &'t str,
}

/// What of an answer a reference without a pointer stands for.
const ID: &str = "/id";
/// The tag of an answer.
const ETAG: &str = "etag";

/// The reference that a text is, if it is one and nothing else.
fn whole(text: &str) -> Option<Reference<'_>> {
    let inner = text.strip_prefix("${")?.strip_suffix('}')?;
    if inner.contains(['{', '}', '$']) {
        return None;
    }
    let (id, what) = inner.split_once('#').unwrap_or((inner, ID));
    (!id.is_empty()).then_some(Reference { id, what })
}

/// The parts of a path: plain texts and references in turn.
fn parts(path: &str) -> Option<Vec<Result<&str, Reference<'_>>>> {
    let mut parts = Vec::new();
    let mut rest = path;
    while let Some(at) = rest.find("${") {
        let (before, from) = rest.split_at(at);
        let end = from.find('}')? + 1;
        let (reference, after) = from.split_at(end);
        parts.push(Ok(before));
        parts.push(Err(whole(reference)?));
        rest = after;
    }
    parts.push(Ok(rest));
    Some(parts)
}

/// Everything that can be said against a batch before it is begun.
pub fn faults(operations: &[OperationCreate]) -> Vec<Fault> {
    let mut faults = Vec::new();
    let mut known: Vec<&str> = Vec::new();
    for (n, operation) in operations.iter().enumerate() {
        let OperationCreate { id, method, path, if_match, body } = operation;
        let at = |name: &str| format!("/operations/{n}/{name}");
        let mut fault = |pointer: String, code| faults.push(Fault::body(pointer, code));
        if !id.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'_' || b == b'-') {
            fault(at("id"), FaultCode::Pattern);
        }
        if known.contains(&id.as_str()) {
            fault(at("id"), FaultCode::UniqueItems);
        }
        match parts(path) {
            None => fault(at("path"), FaultCode::Pattern),
            Some(parts) => {
                let plain: String = parts.iter().map(|p| p.unwrap_or("x")).collect();
                let first = plain.strip_prefix("/v1/").and_then(|rest| rest.split('/').next()).unwrap_or_default();
                if first.is_empty() || plain.contains(['?', '#', ' ', '%']) || plain.contains("//") {
                    fault(at("path"), FaultCode::Pattern);
                } else if NOT_HERE.contains(&first)
                    || plain.ends_with("/search")
                    || *method == Method::Get && NOT_READ.contains(&first)
                {
                    fault(at("path"), FaultCode::Enum);
                }
                if parts.iter().any(|p| p.is_err_and(|r| !known.contains(&r.id))) {
                    fault(at("path"), FaultCode::ReferenceNotFound);
                }
            }
        }
        if if_match.as_deref().and_then(whole).is_some_and(|r| !known.contains(&r.id)) {
            fault(at("if_match"), FaultCode::ReferenceNotFound);
        }
        if *method == Method::Get {
            if !body.is_empty() {
                fault(at("body"), FaultCode::CrossField);
            }
            if if_match.is_some() {
                fault(at("if_match"), FaultCode::CrossField);
            }
        }
        unknown(&Value::Object(body.clone()), &at("body"), &known, &mut faults);
        known.push(id);
    }
    faults
}

/// References of a body to operations that do not come before.
fn unknown(value: &Value, pointer: &str, known: &[&str], faults: &mut Vec<Fault>) {
    match value {
        Value::Object(members) => {
            for (name, member) in members {
                let name = name.replace('~', "~0").replace('/', "~1");
                unknown(member, &format!("{pointer}/{name}"), known, faults);
            }
        }
        Value::Array(items) => {
            for (n, item) in items.iter().enumerate() {
                unknown(item, &format!("{pointer}/{n}"), known, faults);
            }
        }
        Value::String(text) if whole(text).is_some_and(|r| !known.contains(&r.id)) => {
            faults.push(Fault::body(pointer, FaultCode::ReferenceNotFound));
        }
        _ => {}
    }
}

/// What a reference stands for.
fn value(reference: Reference<'_>, answers: &HashMap<String, Answered>) -> Option<Value> {
    let answer = answers.get(reference.id)?;
    if reference.what == ETAG {
        return answer.etag.clone().map(Value::String);
    }
    answer.body.pointer(reference.what).cloned()
}

/// An operation with its references replaced by what they stand for; the fault says where there is nothing.
pub fn ready(n: usize, operation: &OperationCreate, answers: &HashMap<String, Answered>) -> Result<Ready, Fault> {
    let OperationCreate { id: _, method, path, if_match, body } = operation;
    let missing = |name: &str| Fault::body(format!("/operations/{n}/{name}"), FaultCode::ReferenceNotFound);
    let mut target = String::new();
    for part in parts(path).ok_or_else(|| missing("path"))? {
        match part {
            Ok(plain) => target.push_str(plain),
            Err(reference) => match value(reference, answers) {
                // What is put into a path is an id or a code: nothing that could lead elsewhere.
                Some(Value::String(text)) if text.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-' || b == b'_') => {
                    target.push_str(&text);
                }
                _ => return Err(missing("path")),
            },
        }
    }
    let if_match = match if_match {
        None => None,
        Some(text) => match whole(text) {
            None => Some(text.clone()),
            Some(reference) => match value(reference, answers) {
                Some(Value::String(tag)) => Some(tag),
                _ => return Err(missing("if_match")),
            },
        },
    };
    let body = filled(Value::Object(body.clone()), &format!("/operations/{n}/body"), answers)?;
    Ok(Ready { method: *method, path: target, if_match, body })
}

fn filled(value_of: Value, pointer: &str, answers: &HashMap<String, Answered>) -> Result<Value, Fault> {
    Ok(match value_of {
        Value::Object(members) => Value::Object(
            members
                .into_iter()
                .map(|(name, member)| {
                    let at = name.replace('~', "~0").replace('/', "~1");
                    Ok((name, filled(member, &format!("{pointer}/{at}"), answers)?))
                })
                .collect::<Result<Map<_, _>, Fault>>()?,
        ),
        Value::Array(items) => Value::Array(
            items
                .into_iter()
                .enumerate()
                .map(|(n, item)| filled(item, &format!("{pointer}/{n}"), answers))
                .collect::<Result<_, _>>()?,
        ),
        Value::String(text) => match whole(&text) {
            Some(reference) => {
                value(reference, answers).ok_or_else(|| Fault::body(pointer, FaultCode::ReferenceNotFound))?
            }
            None => Value::String(text),
        },
        other => other,
    })
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::indexing_slicing)]

    use super::*;
    use crate::kernel::Location;
    use proptest::prelude::*;
    use serde_json::json;

    fn operation(id: &str, path: &str, body: Value) -> OperationCreate {
        serde_json::from_value(json!({"id": id, "method": "POST", "path": path, "body": body})).unwrap()
    }

    fn pointers(operations: &[OperationCreate]) -> Vec<(String, FaultCode)> {
        let at = |f: Fault| match f.at {
            Location::Pointer(p) => (p, f.code),
            at => panic!("{at:?}"),
        };
        faults(operations).into_iter().map(at).collect()
    }

    #[test]
    fn only_writes_of_the_registry_and_only_what_came_before_can_be_named() {
        let good = [
            operation("a", "/v1/cases", json!({"title": "t"})),
            operation(
                "b",
                "/v1/cases/${a}/victims",
                json!({"label": "${a}", "n": [{"x": "${a#/code}"}], "text": "cost: ${5}!"}),
            ),
            operation("c", "/v1/referrals/${b#/id}/transitions", json!({})),
        ];
        assert_eq!(pointers(&good), []);
        for path in [
            "/v1/batch",
            "/v1/victims/search",
            "/v1/deconfliction",
            "/v1/break-glass",
            "/v1/exports",
            "/v1/webhooks/1/redeliveries",
        ] {
            assert_eq!(
                pointers(&[operation("a", path, json!({}))]),
                [("/operations/0/path".into(), FaultCode::Enum)],
                "{path}"
            );
        }
        for path in [
            "/oauth/token",
            "/v1/",
            "/v1/cases?x=1",
            "v1/cases",
            "/v1//cases",
            "/v1/cases/${a",
            "/v1/cases/%2e",
            "/v1/${}x{",
        ] {
            let found = pointers(&[operation("a", path, json!({}))]);
            assert_eq!(found.first(), Some(&("/operations/0/path".into(), FaultCode::Pattern)), "{path}");
        }
        let forward =
            [operation("a", "/v1/cases/${b}", json!({"deep": [{"x/y": "${a}"}]})), operation("a", "/v1/cases", json!({}))];
        assert_eq!(
            pointers(&forward),
            [
                ("/operations/0/path".into(), FaultCode::ReferenceNotFound),
                ("/operations/0/body/deep/0/x~1y".into(), FaultCode::ReferenceNotFound),
                ("/operations/1/id".into(), FaultCode::UniqueItems),
            ]
        );
    }

    #[test]
    fn references_stand_for_values_of_earlier_answers_and_lead_nowhere_else() {
        let answers = HashMap::from([(
            "a".to_owned(),
            Answered { etag: Some("\"1.o\"".into()), body: json!({"id": "0193", "list": [{"n": 7}], "evil": "../clients"}) },
        )]);
        let mut second = operation(
            "b",
            "/v1/cases/${a}/victims/${a#/id}",
            json!({"case_id": "${a}", "n": ["${a#/list/0}"], "s": "x ${a}"}),
        );
        second.if_match = Some("${a#etag}".into());
        let ready_now = ready(1, &second, &answers).unwrap();
        assert_eq!(ready_now.path, "/v1/cases/0193/victims/0193");
        assert_eq!(
            (ready_now.if_match.as_deref(), ready_now.body),
            (Some("\"1.o\""), json!({"case_id": "0193", "n": [{"n": 7}], "s": "x ${a}"}))
        );
        for path in ["/v1/cases/${a#/evil}", "/v1/cases/${a#/list}", "/v1/cases/${a#/none}"] {
            let refused = ready(1, &operation("b", path, json!({})), &answers).unwrap_err();
            assert_eq!(refused, Fault::body("/operations/1/path", FaultCode::ReferenceNotFound), "{path}");
        }
        let refused = ready(1, &operation("b", "/v1/cases", json!({"x": "${a#/none}"})), &answers).unwrap_err();
        assert_eq!(refused, Fault::body("/operations/1/body/x", FaultCode::ReferenceNotFound));
    }

    proptest! {
        /// A path without references is itself; no text makes the reader fail, or a path that leaves the registry.
        #[test]
        fn any_text_is_a_path_or_a_fault(path in "\\PC{0,40}", id in "[a-z]{1,3}") {
            let one = operation(&id, &path, json!({}));
            let said = faults(std::slice::from_ref(&one));
            if said.is_empty() {
                prop_assert!(path.starts_with("/v1/"));
                prop_assert_eq!(ready(0, &one, &HashMap::new()).unwrap().path, path);
            }
        }
    }
}

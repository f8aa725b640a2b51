//! Every answer that any test gets is one that the contract allows: its status is documented, its body has the schema.

use std::collections::HashMap;
use std::sync::{Arc, LazyLock, Mutex};

use jsonschema::Validator;
use serde_json::{Value, json};

use super::Answer;

pub static DOCUMENT: LazyLock<Value> = LazyLock::new(|| sistra::http::contract::document(&sistra::app::contract()));

static VALIDATORS: LazyLock<Mutex<HashMap<String, Arc<Validator>>>> = LazyLock::new(Mutex::default);

/// A validator of a schema of the contract.
pub fn validator(schema: &Value) -> Arc<Validator> {
    let mut validators = VALIDATORS.lock().unwrap();
    let made = validators.entry(schema.to_string()).or_insert_with(|| {
        let mut whole = schema.clone();
        whole["$schema"] = json!("https://json-schema.org/draft/2020-12/schema");
        whole["components"] = DOCUMENT["components"].clone();
        Arc::new(jsonschema::draft202012::options().should_validate_formats(true).build(&whole).unwrap())
    });
    Arc::clone(made)
}

/// The operation of a request, if the contract has it.
pub fn operation(method: &str, path: &str) -> Option<&'static Value> {
    let given: Vec<&str> = path.split('/').collect();
    let fits = |template: &str| {
        let template: Vec<&str> = template.split('/').collect();
        template.len() == given.len()
            && template.iter().zip(&given).all(|(t, g)| t == g || (t.starts_with('{') && !g.is_empty()))
    };
    let paths = DOCUMENT["paths"].as_object().unwrap();
    let method = if method == "HEAD" { "get".to_owned() } else { method.to_lowercase() };
    // A path in words wins over a template.
    let found = paths.get(path).or_else(|| paths.iter().find(|(template, _)| fits(template)).map(|(_, item)| item))?;
    found.get(method)
}

/// Panics if the contract does not allow this answer.
pub fn check(method: &str, target: &str, answer: &Answer) {
    let (path, query) = target.split_once('?').unwrap_or((target, ""));
    let Some(operation) = operation(method, path) else { return };
    let status = answer.status.to_string();
    let mut documented = &operation["responses"][&status];
    assert!(documented.is_object(), "{method} {path} answers {status}, which the contract does not know: {}", answer.text);
    if let Some(target) = documented["$ref"].as_str() {
        documented = DOCUMENT.pointer(&target[1..]).unwrap();
    }
    // `fields=` shows less than the schema; a preference for nothing shows nothing.
    if method == "HEAD" || answer.text.is_empty() || (answer.status == 200 && query.contains("fields=")) {
        return;
    }
    let content = answer.header("content-type");
    let schema = &documented["content"][content.split(';').next().unwrap()]["schema"];
    assert!(schema.is_object(), "{method} {path} answers {status} as {content}, which the contract does not know");
    // A file is what its operation's own tests say.
    if !content.contains("json") || content.contains("ndjson") {
        return;
    }
    let body: Value = serde_json::from_str(&answer.text).unwrap();
    let faults: Vec<String> = validator(schema).iter_errors(&body).map(|e| format!("{}: {e}", e.instance_path())).collect();
    assert!(faults.is_empty(), "{method} {path} {status} breaks the contract: {faults:?} in {body}");
}

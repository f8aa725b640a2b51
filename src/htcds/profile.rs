//! The JSON profile: records as nested objects, and the JSON Schema that says so. Made of the same table. Pure.

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value as Json, json};

use super::files::Unreadable;
use super::record::{MOST_REPEATS, Record, Slot, Value};
use super::table::{Field, Kind, Part, VERSION, standard};
use super::values::LONGEST;
use crate::catalogue::Labels;
use crate::kernel::PartialDate;

/// Where the schema is published.
pub const SCHEMA_ID: &str = "https://sistra-registry.github.io/schemas/htcds-2.0.schema.json";

#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    #[serde(rename = "$schema", default, skip_serializing_if = "Option::is_none")]
    schema: Option<String>,
    htcds: String,
    records: Vec<Map<String, Json>>,
}

/// Writes records.
pub fn write(records: &[Record]) -> Json {
    let records: Vec<Json> = records.iter().map(object).collect();
    json!({ "$schema": SCHEMA_ID, "htcds": VERSION, "records": records })
}

fn object(record: &Record) -> Json {
    let mut object = Map::new();
    if let Some(key) = &record.key {
        object.insert("id".to_owned(), json!(key));
    }
    for part in Part::ALL {
        let mut items: Vec<Map<String, Json>> = Vec::new();
        for (slot, value) in &record.values {
            let Some(field) = slot.field().filter(|f| f.part == part) else { continue };
            let nth = usize::from(slot.nth());
            if items.len() <= nth {
                items.resize(nth + 1, Map::new());
            }
            if let Some(item) = items.get_mut(nth) {
                item.insert(field.name.clone(), json_of(field, value));
            }
        }
        if part.repeats() && !items.is_empty() {
            object.insert(part.member().to_owned(), json!(items));
        } else if let Some(item) = items.into_iter().next() {
            object.insert(part.member().to_owned(), Json::Object(item));
        }
    }
    if !record.extensions.is_empty() {
        object.insert("extensions".to_owned(), json!(record.extensions));
    }
    Json::Object(object)
}

fn is_list(field: &Field) -> bool {
    matches!(field.kind, Kind::Codes | Kind::Countries)
}

fn json_of(field: &Field, value: &Value) -> Json {
    match value {
        Value::Text(text) => json!(text),
        Value::Codes(codes) if is_list(field) => json!(codes),
        Value::Codes(codes) => json!(codes.first()),
        Value::Date(date) => json!(date.to_string()),
        Value::Number(number) => json!(number),
        Value::Flag(flag) => json!(flag),
    }
}

/// Reads a file; every record with its place from 1.
pub fn read(bytes: &[u8]) -> Result<Vec<(u32, Record)>, Unreadable> {
    if bytes.len() > super::files::LARGEST_FILE {
        return Err(Unreadable::TooLarge);
    }
    let File { schema: _, htcds, records } = serde_json::from_slice(bytes).map_err(|_| Unreadable::NotTheProfile(0))?;
    if htcds != VERSION {
        return Err(Unreadable::NotTheProfile(0));
    }
    let read = |(line, object)| record(object).map(|r| (line, r)).ok_or(Unreadable::NotTheProfile(line));
    (1..).zip(records).map(read).collect()
}

fn record(object: Map<String, Json>) -> Option<Record> {
    let mut record = Record::default();
    for (member, value) in object {
        match (member.as_str(), value) {
            ("id", Json::String(key)) => record.key = Some(key),
            ("extensions", Json::Object(members)) => {
                for (name, value) in members {
                    record.extensions.insert(name, value.as_str()?.to_owned());
                }
            }
            (member, value) => {
                let part = *Part::ALL.iter().find(|p| p.member() == member)?;
                let items = match value {
                    Json::Object(item) if !part.repeats() => vec![item],
                    Json::Array(items) if part.repeats() => {
                        items.into_iter().map(|i| i.as_object().cloned()).collect::<Option<Vec<_>>>()?
                    }
                    _ => return None,
                };
                for (nth, item) in (0..MOST_REPEATS).zip(items) {
                    for (name, value) in item {
                        let place = standard().place(&name)?;
                        let field = standard().field(place).filter(|f| f.part == part)?;
                        record.values.insert(Slot::new(place, nth), value_of(field, &value)?);
                    }
                }
            }
        }
    }
    Some(record)
}

fn value_of(field: &Field, value: &Json) -> Option<Value> {
    let codes = |codes: Vec<&str>| -> Option<Value> {
        let list = field.list.as_deref().map(|l| standard().list(l));
        let countries = standard().countries();
        let known = |code: &&str| match (field.kind, list) {
            (Kind::Country | Kind::Countries, _) => countries.contains(code),
            (Kind::Language, _) => matches!(code.len(), 2 | 3) && code.bytes().all(|b| b.is_ascii_lowercase()),
            (_, Some(list)) => list.iter().any(|c| c.code == **code),
            _ => false,
        };
        let mut codes: Vec<String> = codes.into_iter().filter(known).map(str::to_owned).collect();
        if let Some(list) = list {
            codes.sort_by_key(|code| list.iter().position(|c| c.code == *code));
        }
        codes.dedup();
        (!codes.is_empty()).then_some(Value::Codes(codes))
    };
    match field.kind {
        Kind::Text | Kind::Long | Kind::Phone | Kind::Decimal => {
            let text = value.as_str().and_then(super::record::tidy)?;
            (text.chars().count() <= LONGEST).then_some(Value::Text(text))
        }
        Kind::Date => PartialDate::parse(value.as_str()?).map(Value::Date),
        Kind::Number => u32::try_from(value.as_u64()?).ok().filter(|n| *n <= 200).map(Value::Number),
        Kind::Flag => value.as_bool().map(Value::Flag),
        Kind::Code | Kind::Country | Kind::Language => {
            let code = value.as_str()?;
            codes(vec![code])
        }
        Kind::Codes | Kind::Countries => {
            let all = value.as_array()?;
            let texts = all.iter().map(Json::as_str).collect::<Option<Vec<_>>>()?;
            codes(texts).filter(|_| !all.is_empty())
        }
    }
}

/// The schema (draft 2020-12).
pub fn schema() -> Json {
    let mut properties = Map::new();
    properties.insert(
        "id".to_owned(),
        json!({ "type": "string", "minLength": 1, "maxLength": 100, "title": "Case",
            "description": "The number of the case in the system that wrote the file. Records with the same number tell of persons in the same case.",
            "examples": ["NGO-2026-0042"] }),
    );
    for part in Part::ALL {
        let reference = json!({ "$ref": format!("#/$defs/{}", part.member()) });
        let property = if part.repeats() {
            json!({ "type": "array", "minItems": 1, "maxItems": MOST_REPEATS, "items": reference })
        } else {
            reference
        };
        properties.insert(part.member().to_owned(), property);
    }
    properties.insert(
        "extensions".to_owned(),
        json!({ "type": "object", "maxProperties": 200, "title": "Extensions",
            "description": "What the writing system says and the standard has no field for, by the name that it has there.",
            "additionalProperties": { "type": "string", "minLength": 1, "maxLength": LONGEST },
            "examples": [{ "Shelter room": "4" }] }),
    );
    let mut defs = Map::new();
    for part in Part::ALL {
        defs.insert(part.member().to_owned(), definition(part));
    }
    for name in lists() {
        defs.insert(format!("list_{name}"), list(name));
    }
    defs.insert(
        "country".to_owned(),
        json!({ "title": "Country", "description": "ISO 3166-1 alpha-2", "enum": standard().countries() }),
    );
    json!({
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "$id": SCHEMA_ID,
        "title": "Human Trafficking Case Data Standard (HTCDS) 2.0: JSON profile",
        "description": "Records of persons in cases of human trafficking, in the fields and code lists of the Human Trafficking Case Data Standard (HTCDS) 2.0 by the International Organization for Migration (IOM), CC BY 4.0. This profile and its Spanish and French labels are not IOM's, and IOM does not endorse them. Absent means not said.",
        "$comment": "Generated from the table of the program: do not edit.",
        "version": "1.0.0",
        "type": "object",
        "required": ["htcds", "records"],
        "additionalProperties": false,
        "properties": {
            "$schema": { "type": "string" },
            "htcds": { "const": VERSION, "title": "Version of the standard" },
            "records": { "type": "array", "title": "Records", "description": "One for each person in each case.",
                "items": { "$ref": "#/$defs/record" } }
        },
        "$defs": Json::Object({
            let mut all = Map::new();
            all.insert("record".to_owned(), json!({ "type": "object", "additionalProperties": false, "title": "A person in a case",
                "properties": properties }));
            all.extend(defs);
            all
        }),
        "examples": [example()],
    })
}

fn lists() -> Vec<&'static str> {
    let mut all: Vec<&str> = standard().fields().iter().filter_map(|f| f.list.as_deref()).collect();
    all.sort_unstable();
    all.dedup();
    all
}

fn words(labels: &Labels) -> Json {
    let Labels { es, en, fr } = labels;
    json!({ "en": en, "es": es, "fr": fr })
}

fn list(name: &str) -> Json {
    let codes: Vec<Json> = standard()
        .list(name)
        .iter()
        .map(|code| json!({ "const": code.code, "title": code.labels.en, "x-labels": words(&code.labels) }))
        .collect();
    json!({ "type": "string", "oneOf": codes })
}

fn definition(part: Part) -> Json {
    let mut properties = Map::new();
    for field in standard().fields().iter().filter(|f| f.part == part) {
        let mut schema = shape(field);
        if let Some(schema) = schema.as_object_mut() {
            schema.insert("title".to_owned(), json!(field.labels.en));
            schema.insert("description".to_owned(), json!(field.descriptions.en));
            schema.insert("x-labels".to_owned(), words(&field.labels));
            schema.insert("x-descriptions".to_owned(), words(&field.descriptions));
            if let Some(core) = field.core {
                schema.insert("x-template-column".to_owned(), json!(core));
            }
            if field.deprecated {
                schema.insert("deprecated".to_owned(), json!(true));
            }
        }
        properties.insert(field.name.clone(), schema);
    }
    let mut schema = json!({ "type": "object", "additionalProperties": false, "properties": properties });
    if part.repeats()
        && let Some(schema) = schema.as_object_mut()
    {
        // An item holds the place of its number: of several events the second may be all that is known.
        schema.insert("$comment".to_owned(), json!("May be empty where only a later item of the list says something."));
    }
    schema
}

fn shape(field: &Field) -> Json {
    let one = || match field.kind {
        Kind::Country | Kind::Countries => json!({ "$ref": "#/$defs/country" }),
        _ => json!({ "$ref": format!("#/$defs/list_{}", field.list.as_deref().unwrap_or_default()) }),
    };
    match field.kind {
        Kind::Text | Kind::Long => json!({ "type": "string", "minLength": 1, "maxLength": LONGEST }),
        Kind::Phone => json!({ "type": "string", "minLength": 1, "maxLength": LONGEST,
            "$comment": "E.164 (^\\+?[1-9]\\d{1,14}$) is the standard's advice; what is not is kept as written.", "examples": ["+51900000000"] }),
        Kind::Decimal => {
            json!({ "type": "string", "pattern": "^-?[0-9]{1,3}([.][0-9]{1,17})?$", "examples": ["-12.046374"] })
        }
        Kind::Date => {
            json!({ "type": "string", "pattern": "^[0-9]{4}(-[0-9]{2}(-[0-9]{2})?)?$", "examples": ["2012", "2012-03", "2012-03-14"] })
        }
        Kind::Number => json!({ "type": "integer", "minimum": 0, "maximum": 200 }),
        Kind::Flag => json!({ "type": "boolean" }),
        Kind::Language => json!({ "type": "string", "pattern": "^[a-z]{2,3}$", "examples": ["que", "es"] }),
        Kind::Code | Kind::Country => one(),
        Kind::Codes | Kind::Countries => json!({ "type": "array", "minItems": 1, "uniqueItems": true, "items": one() }),
    }
}

/// A record that shows every part.
fn example() -> Json {
    json!({ "htcds": VERSION, "records": [{
        "id": "NGO-2026-0042",
        "case": { "cas_CaseOwner": "Northern team", "cas_Status": "Active", "cas_IncomingReferralDate": "2026-03-14" },
        "consent": { "con_Consent": true },
        "person": { "prs_FirstName": "Rosa", "prs_SecondName": "Quispe Mamani", "prs_Gender": "Feminine", "prs_Birthdate": "2004-05",
            "prs_Citizenship": ["PE"], "prs_PrimaryLanguage": "que" },
        "victim": { "vic_TraffickingStatus": "PossibleVictimOfTrafficking", "vic_MethodOfRecruitment": ["ThroughAnOnlineAdvertisement"],
            "vic_MethodsOfControl": ["DebtBondage", "WithholdsDocuments"], "vic_TypeOfExploitation": ["ForcedLabour"],
            "vic_ForcedLabourIndustry": "I_AccommodationAndFoodServiceActivities" },
        "events": [{ "hte_Type": "Recruitment", "hte_Date": "2026-01", "hte_City": "Cusco", "hte_Country": "PE" }],
        "outgoing_referrals": [{ "cas_ReferredOrganisation": "Shelter North", "cas_OutgoingReferralDate": "2026-03-16" }],
        "extensions": { "Shelter room": "4" }
    }] })
}

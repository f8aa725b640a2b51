//! How sensitive each property of the contract is: P0 (open) to P4 (protected). Written into `x-data-class`.
//!
//! A schema has a default, some properties differ, and a schema that nobody has classified counts as P1.

use serde_json::{Map, Value, json};

/// Records of the directory, of the service itself, and what moves them: no person in sight.
const OPEN: &[&str] = &[
    "AgencyCreate",
    "AgencyNames",
    "AgencyPage",
    "AgencyPatch",
    "AgencyRecord",
    "AvailableTransition",
    "Campaign",
    "CampaignCreate",
    "CampaignPage",
    "CampaignPatch",
    "CampaignPhase",
    "CampaignReach",
    "CampaignTransitionCreate",
    "CampaignVenue",
    "AvailableTransitions",
    "AgencyQuality",
    "ConsistencyProof",
    "Funding",
    "FundingCreate",
    "FundingPage",
    "FundingPatch",
    "FundingSum",
    "FundingUse",
    "FundingUseInput",
    "ExportCreate",
    "CubeRow",
    "FieldCompleteness",
    "Flow",
    "FunnelStep",
    "HistoryEvent",
    "JobManifest",
    "JobOutput",
    "JobPage",
    "JobProgress",
    "JobRecord",
    "JobTransitionCreate",
    "HistoryPage",
    "Inconsistency",
    "LedgerCheckpoint",
    "LedgerCheckpointPage",
    "Money",
    "ParticipantCount",
    "ParticipantGroup",
    "ParticipantTotals",
    "CareProtocolEntry",
    "CareStateEntry",
    "CareTransitionEntry",
    "CareCatalogue",
    "ListedCube",
    "Methodology",
    "OpenDataCube",
    "OpenDataManifest",
    "Problem",
    "ProblemFault",
    "ProblemType",
    "ProtectionRules",
    "ReleaseAsOf",
    "ReleasePreview",
    "ReleaseProposal",
    "ReleaseProposalPage",
    "ReleaseTransitionCreate",
    "ServiceStatus",
    "Slogan",
    "TestResult",
    "StatisticsAsOf",
    "StatisticsFilter",
    "StatisticsRelease",
    "StatisticsReleaseCreate",
    "StatisticsReleasePage",
    "ProgrammeScope",
    "StatisticsScope",
    "Introspection",
    "TokenError",
    "TokenForm",
    "TokenKey",
    "TokenRequest",
    "TokenResponse",
    "Training",
    "TrainingCreate",
    "TrainingPage",
    "TrainingPatch",
    "TrainingTotals",
];
/// Who a person is.
const IDENTITY: &[&str] = &[
    "VictimIdentity",
    "VictimIdentityInput",
    "AccusedIdentity",
    "AccusedIdentityInput",
    "Document",
    "DocumentInput",
    "VictimSearch",
    "AccusedSearch",
    "DeconflictionQuestion",
    "Contact",
];
/// What tells nothing of a person, whichever record it stands in.
const PLAIN: &[&str] = &[
    "id",
    "version",
    "created_at",
    "updated_at",
    "created_by_agency",
    "owner_agency",
    "case_id",
    "victim_id",
    "accused_id",
    "charge_id",
    "referral_id",
    "break_glass_id",
    "code",
    "number",
    "stage",
    "state",
    "status",
    "jurisdiction",
    "procedural_code",
    "complexity",
    "exploitation",
    "scope",
    "redacted",
    "items",
    "next_cursor",
    "trigger",
    "into",
    "merged_into",
    "record_id",
    "merged_at",
    "merged_by",
    "survivor_changed",
    "legal_hold_id",
    "erasure_id",
    "retention_review_id",
    "basis",
    "best_interest",
    "ground",
    "blocked_by",
    "active",
    "agency",
    "label",
];
/// Health (a service tells of it), origin, orientation and how to reach somebody in danger: wherever they stand.
const SPECIAL: &[&str] = &["disability", "indigenous_people", "gender", "safe_contact_instructions", "need", "assessment"];

/// The class of a property.
pub fn of(schema: &str, property: &str) -> &'static str {
    let identity = IDENTITY.contains(&schema) || (schema.starts_with("Beneficiary") && property == "name");
    if SPECIAL.contains(&property) {
        "P3"
    } else if identity && !["version", "updated_at", "victim_id", "accused_id", "limit"].contains(&property)
        || ["identity", "evidence", "explained_by"].contains(&property)
    {
        "P2"
    } else if OPEN.contains(&schema) || PLAIN.contains(&property) {
        "P0"
    } else {
        "P1"
    }
}

/// Writes the class of every property into the schemas.
pub fn write(schemas: &mut Map<String, Value>) {
    for (name, schema) in schemas.iter_mut() {
        classify(name, schema);
    }
}

fn classify(name: &str, schema: &mut Value) {
    if let Some(properties) = schema.get_mut("properties").and_then(Value::as_object_mut) {
        for (property, inner) in properties {
            if let Some(inner) = inner.as_object_mut() {
                inner.insert("x-data-class".into(), json!(of(name, property)));
            }
        }
    }
    for part in ["allOf", "oneOf"].iter().filter_map(|k| schema.get(*k).is_some().then_some(*k)).collect::<Vec<_>>() {
        for inner in schema.get_mut(part).and_then(Value::as_array_mut).into_iter().flatten() {
            classify(name, inner);
        }
    }
}

/// The highest class that a schema reaches.
pub fn highest(document: &Value, schema: &Value) -> &'static str {
    let mut seen = Vec::new();
    walk(document, schema, &mut seen)
}

fn walk<'d>(document: &'d Value, schema: &'d Value, seen: &mut Vec<&'d str>) -> &'static str {
    let mut class = ["P0", "P1", "P2", "P3", "P4"]
        .into_iter()
        .find(|c| schema.get("x-data-class").and_then(Value::as_str) == Some(c))
        .unwrap_or("P0");
    if let Some(target) = schema.get("$ref").and_then(Value::as_str) {
        if seen.contains(&target) {
            return class;
        }
        seen.push(target);
        if let Some(found) = target.strip_prefix('#').and_then(|t| document.pointer(t)) {
            class = class.max(walk(document, found, seen));
        }
    }
    let inner = schema.get("properties").and_then(Value::as_object).into_iter().flat_map(|p| p.values());
    let parts = ["allOf", "oneOf", "anyOf"].iter().filter_map(|k| schema.get(*k)?.as_array()).flatten();
    for next in inner.chain(parts).chain(schema.get("items")) {
        class = class.max(walk(document, next, seen));
    }
    class
}

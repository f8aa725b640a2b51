//! Files of an export: which there are, and how a record is written into one. Pure.

use serde_json::Value;

use super::wire::{ExportCreate, ExportFormat, ExportType};
use crate::htcds::FileFormat;
use crate::imports::csv::write_record;
use crate::kernel::{Error, Fault, FaultCode, Result};

/// Form of a file with a record on each line.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Lines {
    /// As JSON.
    Ndjson,
    /// Under a header of paths.
    Csv,
}

/// What an export makes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Form {
    /// A file for each kind of record.
    Lines(Lines),
    /// One file of the field's own format.
    Htcds(FileFormat),
}

impl ExportCreate {
    /// What it makes.
    pub fn form(&self) -> Form {
        match self.format {
            ExportFormat::Ndjson => Form::Lines(Lines::Ndjson),
            ExportFormat::Csv => Form::Lines(Lines::Csv),
            ExportFormat::HtcdsCsv => Form::Htcds(FileFormat::Csv),
            ExportFormat::HtcdsXlsx => Form::Htcds(FileFormat::Xlsx),
            ExportFormat::HtcdsJson => Form::Htcds(FileFormat::Json),
        }
    }

    /// What is wrong with it: a row of HTCDS is a person by name, in a case.
    pub fn faults(&self) -> Vec<Fault> {
        let Form::Htcds(_) = self.form() else { return Vec::new() };
        let mut faults = Vec::new();
        if self.types != [ExportType::Case, ExportType::Victim, ExportType::Accused] {
            faults.push(Fault::body("/types", FaultCode::CrossField));
        }
        if !self.identities {
            faults.push(Fault::body("/identities", FaultCode::CrossField));
        }
        faults
    }
}

/// A file of an export.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Sheet {
    /// Its name without the ending.
    pub name: &'static str,
    /// The schema of its records in the contract.
    pub schema: &'static str,
    /// Its columns as CSV: paths into the record.
    pub columns: &'static [&'static str],
}

/// Cases.
pub const CASES: Sheet = Sheet {
    name: "cases",
    schema: "CaseRecord",
    columns: &[
        "id",
        "version",
        "created_at",
        "updated_at",
        "created_by_agency",
        "owner_agency",
        "code",
        "external_ref",
        "identifiers",
        "jurisdiction",
        "procedural_code",
        "stage",
        "stage_since",
        "complexity",
        "title",
        "summary",
        "reported_at",
        "report_channel",
        "facts_from",
        "facts_from_estimated",
        "facts_to",
        "facts_to_estimated",
        "territory",
        "scope",
        "exploitation",
        "continues",
        "continued_in",
        "joined_from",
        "split_into",
        "restricted_since",
        "extensions",
        "redacted",
    ],
};

/// Victims in their cases.
pub const VICTIMS: Sheet = Sheet {
    name: "victims",
    schema: "CaseVictim",
    columns: &[
        "case_id",
        "victim_id",
        "version",
        "updated_at",
        "status",
        "acts",
        "means",
        "purposes",
        "recruitment",
        "control",
        "victim.code",
        "victim.sex",
        "victim.gender",
        "victim.age_at_identification",
        "victim.age_band",
        "victim.minor",
        "victim.nationalities",
        "victim.country_of_birth",
        "victim.languages",
        "victim.education",
        "victim.disability",
        "victim.indigenous_people",
        "victim.of_age_since",
        "victim.version",
        "victim.created_at",
        "victim.updated_at",
        "victim.created_by_agency",
        "victim.merged_into",
    ],
};

/// Accused persons.
pub const ACCUSED: Sheet = Sheet {
    name: "accused",
    schema: "Accused",
    columns: &[
        "case_id",
        "id",
        "version",
        "created_at",
        "updated_at",
        "created_by_agency",
        "code",
        "kind",
        "sex",
        "age_band",
        "nationalities",
        "occupation",
        "merged_into",
    ],
};

/// Charges.
pub const CHARGES: Sheet = Sheet {
    name: "charges",
    schema: "Charge",
    columns: &[
        "id",
        "version",
        "created_at",
        "updated_at",
        "created_by_agency",
        "case_id",
        "accused_id",
        "offence_code",
        "offence_version",
        "article",
        "role",
        "aggravators",
        "state",
        "victims",
        "recharacterisations",
        "verdict",
        "reparation",
        "continues",
        "continued_as",
        "merged",
        "redacted",
    ],
};

/// Referrals; as CSV each is one cell of JSON beside what lists are made of.
pub const REFERRALS: Sheet = Sheet {
    name: "referrals",
    schema: "ReferralRecord",
    columns: &["id", "version", "number", "case_id", "from_agency", "to_agency", "kind", "state", "updated_at", "record"],
};

/// Who victims are.
pub const VICTIM_IDENTITIES: Sheet = Sheet {
    name: "victim_identities",
    schema: "VictimIdentity",
    columns: &[
        "victim_id",
        "version",
        "updated_at",
        "given_names",
        "paternal_surname",
        "maternal_surname",
        "other_names",
        "birth_date",
        "documents",
        "contacts",
        "address",
        "safe_contact_instructions",
        "extensions",
    ],
};

/// Who accused persons are.
pub const ACCUSED_IDENTITIES: Sheet = Sheet {
    name: "accused_identities",
    schema: "AccusedIdentity",
    columns: &[
        "accused_id",
        "version",
        "updated_at",
        "given_names",
        "paternal_surname",
        "maternal_surname",
        "legal_name",
        "other_names",
        "birth_date",
        "documents",
        "contacts",
        "address",
        "extensions",
    ],
};

/// The files of an order.
pub fn sheets(order: &ExportCreate) -> Vec<Sheet> {
    let has = |kind: ExportType| order.types.contains(&kind);
    let mut sheets = Vec::new();
    for (kind, sheet, identities) in [
        (ExportType::Case, CASES, None),
        (ExportType::Victim, VICTIMS, Some(VICTIM_IDENTITIES)),
        (ExportType::Accused, ACCUSED, Some(ACCUSED_IDENTITIES)),
        (ExportType::Charge, CHARGES, None),
        (ExportType::Referral, REFERRALS, None),
    ] {
        if has(kind) {
            sheets.push(sheet);
            sheets.extend(identities.filter(|_| order.identities));
        }
    }
    sheets
}

impl Sheet {
    /// Name of the file.
    pub fn file(&self, format: Lines) -> String {
        match format {
            Lines::Ndjson => format!("{}.ndjson", self.name),
            Lines::Csv => format!("{}.csv", self.name),
        }
    }

    /// What stands at the top of the file.
    pub fn head(&self, format: Lines) -> Vec<u8> {
        let mut head = Vec::new();
        if format == Lines::Csv {
            write_record(&mut head, self.columns.iter().copied());
        }
        head
    }

    /// Writes a record.
    pub fn write(&self, format: Lines, record: &Value, to: &mut Vec<u8>) -> Result<()> {
        match format {
            Lines::Ndjson => {
                serde_json::to_writer(&mut *to, record).map_err(|_| Error::internal("a record cannot be written"))?;
                to.push(b'\n');
            }
            Lines::Csv => {
                let cells: Vec<String> = self.columns.iter().map(|path| cell(record, path)).collect();
                write_record(to, cells.iter().map(String::as_str));
            }
        }
        Ok(())
    }
}

impl Lines {
    /// Media type of the files.
    pub fn media_type(self) -> &'static str {
        match self {
            Self::Ndjson => "application/x-ndjson",
            Self::Csv => "text/csv",
        }
    }
}

/// What stands in a column: lists of codes with semicolons, whatever else has parts as JSON.
fn cell(record: &Value, path: &str) -> String {
    let value = if path == "record" { Some(record) } else { record.pointer(&format!("/{}", path.replace('.', "/"))) };
    match value {
        None | Some(Value::Null) => String::new(),
        Some(Value::String(text)) => text.clone(),
        Some(Value::Array(items)) if items.iter().all(Value::is_string) => {
            items.iter().filter_map(Value::as_str).collect::<Vec<_>>().join(";")
        }
        Some(other) => other.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn every_property_of_a_record_has_a_column() {
        let contract = crate::http::contract::document(&crate::app::contract());
        let properties = |schema: &str| -> Vec<String> {
            let found = &contract["components"]["schemas"][schema]["properties"];
            found.as_object().unwrap_or_else(|| panic!("{schema}")).keys().cloned().collect()
        };
        for sheet in [CASES, VICTIMS, ACCUSED, CHARGES, VICTIM_IDENTITIES, ACCUSED_IDENTITIES] {
            for property in properties(sheet.schema) {
                let nested = sheet.columns.iter().any(|c| c.starts_with(&format!("{property}.")));
                assert!(nested || sheet.columns.contains(&property.as_str()), "{}: {property}", sheet.name);
            }
        }
        for property in properties("Victim") {
            let known = ["id", "redacted"].contains(&property.as_str());
            assert!(known || VICTIMS.columns.contains(&format!("victim.{property}").as_str()), "{property}");
        }
    }

    #[test]
    fn cells_hold_what_lists_and_formulas_are_made_of() {
        let mut text = Vec::new();
        let record = json!({"victim_id": "x", "given_names": "=cmd", "other_names": ["a", "b"], "documents": [{"type": "other"}], "version": 2});
        VICTIM_IDENTITIES.write(Lines::Csv, &record, &mut text).unwrap();
        assert_eq!(String::from_utf8(text).unwrap(), "x,2,,'=cmd,,,a;b,,\"[{\"\"type\"\":\"\"other\"\"}]\",,,,\r\n");
    }
}

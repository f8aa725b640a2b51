//! What can be asked: subjects, dimensions, filters, bounds. Pure.

use chrono::NaiveDate;

/// What is counted.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Subject {
    /// Files.
    Cases,
    /// Persons harmed, each once.
    Victims,
    /// Persons accused, each once.
    Accused,
    /// One accused × one offence.
    Charges,
}

impl Subject {
    /// Every subject.
    pub const ALL: [Self; 4] = [Self::Cases, Self::Victims, Self::Accused, Self::Charges];

    /// The word in the path.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Cases => "cases",
            Self::Victims => "victims",
            Self::Accused => "accused",
            Self::Charges => "charges",
        }
    }

    /// What one of it is.
    pub fn unit(self) -> &'static str {
        match self {
            Self::Cases => "cases",
            Self::Victims | Self::Accused => "persons",
            Self::Charges => "charges",
        }
    }

    /// What it can be broken down by.
    pub fn dimensions(self) -> &'static [Dimension] {
        use Dimension as D;
        const CASES: &[D] = &[
            D::Stage,
            D::Exploitation,
            D::Form,
            D::Sector,
            D::Scope,
            D::Department,
            D::Place,
            D::Month,
            D::Quarter,
            D::Year,
            D::Agency,
            D::Channel,
            D::Complexity,
            D::Procedure,
        ];
        const VICTIMS: &[D] = &[
            D::Sex,
            D::AgeBand,
            D::Minority,
            D::Nationality,
            D::Status,
            D::Recruitment,
            D::Purpose,
            D::CareState,
            D::CareReached,
            D::Stage,
            D::Exploitation,
            D::Form,
            D::Sector,
            D::Scope,
            D::Department,
            D::Place,
            D::Month,
            D::Quarter,
            D::Year,
            D::Agency,
        ];
        const ACCUSED: &[D] = &[
            D::Kind,
            D::Sex,
            D::AgeBand,
            D::Nationality,
            D::Stage,
            D::Exploitation,
            D::Form,
            D::Sector,
            D::Scope,
            D::Department,
            D::Place,
            D::Month,
            D::Quarter,
            D::Year,
            D::Agency,
        ];
        const CHARGES: &[D] = &[
            D::Offence,
            D::ChargeState,
            D::Role,
            D::Outcome,
            D::DecidedYear,
            D::Stage,
            D::Exploitation,
            D::Form,
            D::Sector,
            D::Scope,
            D::Department,
            D::Place,
            D::Month,
            D::Quarter,
            D::Year,
            D::Agency,
        ];
        match self {
            Self::Cases => CASES,
            Self::Victims => VICTIMS,
            Self::Accused => ACCUSED,
            Self::Charges => CHARGES,
        }
    }
}

macro_rules! dimensions {
    ($($name:ident = $code:literal $list:expr, $about:literal;)*) => {
        /// Something that a count can be broken down by, and filtered by.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
        pub enum Dimension {$(
            #[doc = $about]
            $name,
        )*}

        impl Dimension {
            /// Every dimension.
            pub const ALL: &[Self] = &[$(Self::$name),*];

            /// The code, which is the name of the parameter that filters by it.
            pub fn as_str(self) -> &'static str {
                match self { $(Self::$name => $code),* }
            }

            /// The code list whose codes its values are; none where they are not of a list.
            pub fn list(self) -> Option<&'static str> {
                match self { $(Self::$name => $list),* }
            }
        }
    };
}

dimensions! {
    Stage = "stage" Some("case_stage"), "Stage of the case.";
    Exploitation = "exploitation" Some("exploitation"), "Forms of exploitation of the case; several count each.";
    Form = "form" None, "Group of forms: `sexual`, `labour`, `other`, `mixed`.";
    Sector = "sector" None, "Section of economic activity (ISIC Rev. 4).";
    Scope = "reach" Some("scope"), "Internal, international, local cross-border.";
    Department = "department" None, "First two digits of the UBIGEO.";
    Place = "place" None, "UBIGEO as recorded.";
    Month = "month" None, "Month of the report.";
    Quarter = "quarter" None, "Quarter of the report.";
    Year = "year" None, "Year of the report.";
    Agency = "agency" None, "Agency that owns the case.";
    Channel = "channel" Some("report_channel"), "How it was reported.";
    Complexity = "complexity" Some("complexity"), "Class of the case.";
    Procedure = "procedure" None, "Code of procedure.";
    Sex = "sex" Some("sex"), "Sex.";
    AgeBand = "age_band" Some("age_band"), "Age band at identification.";
    Minority = "minority" None, "`minor`, `adult`, `presumed_minor`.";
    Nationality = "nationality" None, "Nationalities; several count each.";
    Status = "status" Some("victim_status"), "Status of the victim in the case.";
    Recruitment = "recruitment" Some("recruitment"), "How the victim was recruited.";
    Purpose = "purpose" Some("purpose"), "Purposes; several count each.";
    CareState = "care_state" Some("care_state"), "Where the victim's care stands.";
    CareReached = "care_reached" Some("care_state"), "States that the victim's care ever reached; several count each: its funnel.";
    Kind = "kind" Some("accused_kind"), "Person, legal person, not identified.";
    Offence = "offence" None, "Offence.";
    ChargeState = "charge_state" Some("charge_state"), "State of the charge.";
    Role = "role" Some("role"), "Role of the accused.";
    Outcome = "outcome" Some("verdict_outcome"), "What a court decided last.";
    DecidedYear = "decided_year" None, "Year of that decision.";
}

impl Dimension {
    /// Whether it tells of a victim's care, which is seen with the help alone.
    pub fn is_care(self) -> bool {
        matches!(self, Self::CareState | Self::CareReached)
    }

    /// A dimension by its code.
    pub fn parse(code: &str) -> Option<Self> {
        Self::ALL.iter().copied().find(|d| d.as_str() == code)
    }
}

/// Most dimensions of one table.
pub const MOST_DIMENSIONS: usize = 3;

/// One question.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Question {
    /// What is counted.
    pub subject: Subject,
    /// By what, at most three.
    pub by: Vec<Dimension>,
    /// Only what has one of these values.
    pub only: Vec<(Dimension, Vec<String>)>,
    /// First day of the report that counts.
    pub from: Option<NaiveDate>,
    /// Last day of the report that counts.
    pub to: Option<NaiveDate>,
}

impl Question {
    /// A bare count.
    pub fn of(subject: Subject) -> Self {
        Self { subject, by: Vec::new(), only: Vec::new(), from: None, to: None }
    }
}

/// A table of counts.
#[derive(Clone, Debug, PartialEq, Eq, Default)]
pub struct Table {
    /// How many there are, each once.
    pub total: u64,
    /// The cells that are not empty: one value per dimension, and the count. In the order of the values.
    pub cells: Vec<(Vec<String>, u64)>,
}

/// Which rows a question is about.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Lane {
    /// Every case, identities apart: oversight.
    All,
    /// What one agency may see.
    Agency(String),
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_dimension_has_a_code_of_its_own_and_belongs_to_a_subject() {
        for (n, dimension) in Dimension::ALL.iter().enumerate() {
            assert_eq!(Dimension::parse(dimension.as_str()), Some(*dimension));
            assert!(Dimension::ALL.iter().take(n).all(|d| d.as_str() != dimension.as_str()));
            assert!(Subject::ALL.iter().any(|s| s.dimensions().contains(dimension)), "{dimension:?}");
        }
    }
}

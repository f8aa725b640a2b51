//! Cases opened in an emergency: one row per agency, case and break-glass, in the agency's lane, with its last instant.
//!
//! Nothing has to happen for it to end: every look asks the rows whose time has not come. Why it was opened, and who
//! reviews it, is the business of `break_glass`.

use diesel::prelude::*;

use super::docket::{Relation, Sight};
use super::sections::{Section, Sections};
use crate::auth::Scope;
use crate::db::Conn;
use crate::db::schema::{case_file, glass_open as t};
use crate::kernel::ids::{BreakGlassId, CaseId};
use crate::kernel::{AgencyCode, Error, Result, Timestamp};

/// The owner of a case, whoever asks: breaking glass needs nobody's consent and tells the owner.
pub fn owner(conn: &mut Conn, case: CaseId) -> Result<AgencyCode> {
    let (bucket, id) = case.key();
    let owner: String = case_file::table
        .filter(case_file::bucket.eq(bucket))
        .filter(case_file::id.eq(id))
        .select(case_file::owner_agency)
        .first(conn)?;
    AgencyCode::parse(&owner).ok_or_else(|| Error::internal("agency code in case"))
}

/// Opens sections of a case to an agency until an instant.
pub fn open(
    tx: &mut Conn,
    agency: &AgencyCode,
    case: CaseId,
    glass: BreakGlassId,
    sections: Sections,
    until: Timestamp,
) -> Result<()> {
    diesel::insert_into(t::table)
        .values((
            t::bucket.eq(agency.bucket().number()),
            t::agency_code.eq(agency.as_str()),
            t::case_id.eq(case),
            t::break_glass_id.eq(glass),
            t::sections.eq(sections.to_string()),
            t::until_at.eq(until),
        ))
        .execute(tx)?;
    Ok(())
}

/// Ends it sooner.
pub fn shorten(tx: &mut Conn, agency: &AgencyCode, case: CaseId, glass: BreakGlassId, until: Timestamp) -> Result<()> {
    diesel::update(
        t::table
            .filter(t::bucket.eq(agency.bucket().number()))
            .filter(t::agency_code.eq(agency.as_str()))
            .filter(t::case_id.eq(case))
            .filter(t::break_glass_id.eq(glass)),
    )
    .set(t::until_at.eq(until))
    .execute(tx)?;
    Ok(())
}

/// One case that is open to the caller's agency now, because of one emergency.
#[derive(Clone, Copy, Debug)]
pub struct Opened {
    /// The case.
    pub case: CaseId,
    /// What is open of it.
    pub sections: Sections,
    /// Why.
    pub glass: BreakGlassId,
}

/// What is open to the caller's agency of these cases now.
pub fn opened(conn: &mut Conn, scope: &Scope, cases: &[CaseId]) -> Result<Vec<Opened>> {
    if scope.oversight() || cases.is_empty() {
        return Ok(Vec::new());
    }
    let rows: Vec<(CaseId, String, BreakGlassId)> = t::table
        .filter(t::bucket.eq(scope.lane_bucket().number()))
        .filter(t::agency_code.eq(scope.lane()))
        .filter(t::case_id.eq_any(cases.to_vec()))
        .filter(t::until_at.gt(scope.at()))
        .select((t::case_id, t::sections, t::break_glass_id))
        .load(conn)?;
    let opened = |(case, sections, glass): (CaseId, String, BreakGlassId)| Opened {
        case,
        sections: Sections::from_stored(&sections),
        glass,
    };
    Ok(rows.into_iter().map(opened).collect())
}

/// A sight with what was opened beside it; where that shows more than there was, the request's entries will say so.
pub fn widen(scope: &Scope, sight: Option<Sight>, opened: Opened) -> Sight {
    let wider = wide(sight.clone(), opened.sections);
    if sight.as_ref() != Some(&wider) {
        scope.trail().under(opened.glass);
    }
    wider
}

/// An owner sees everything already.
fn wide(sight: Option<Sight>, opened: Sections) -> Sight {
    let seen = |section: Section| opened.has(section);
    match sight {
        None => Sight { relation: Relation::Participant, sections: opened, victims: None, identities: None },
        Some(sight) if sight.relation != Relation::Participant => sight,
        Some(Sight { relation, sections, victims, identities }) => Sight {
            relation,
            sections: sections.union(opened),
            victims: victims.filter(|_| !seen(Section::Victims)),
            identities: identities.filter(|_| !seen(Section::VictimIdentity)),
        },
    }
}

//! What a victim's care is tied to: needs, relatives who join, referrals, measures of protection; and whether a caller sees it.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::wire::{LinkInput, LinkView};
use crate::act::Act;
use crate::cases::docket;
use crate::db::Conn;
use crate::kernel::ids::{AssistanceId, MeasureId, ReferralId, ResourceId, ReunificationId, VictimId};
use crate::kernel::{Error, Fault, FaultCode, Result};
use crate::measures::model::Subject;
use crate::{assistance, measures, referrals, reunifications};

/// What can be part of a victim's care.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
#[schema(as = CareLinkKind)]
pub enum LinkKind {
    /// A need and who meets it.
    Assistance,
    /// Relatives who join her or him.
    Reunification,
    /// A request to another agency.
    Referral,
    /// A measure that protects her or him.
    Measure,
}

/// Whether a record is there, is about one of these records of the person, and the caller sees it. Help is seen with the
/// section that shows the care itself; a referral by its parties, a measure by those who see the case.
fn sees(conn: &mut Conn, act: &Act, records: &[VictimId], kind: LinkKind, id: ResourceId) -> Result<bool> {
    let id = id.uuid();
    let found = match kind {
        LinkKind::Assistance => {
            assistance::store::find(conn, AssistanceId::from_uuid(id)).map(|found| records.contains(&found.victim))
        }
        LinkKind::Reunification => {
            reunifications::store::find(conn, ReunificationId::from_uuid(id)).map(|found| records.contains(&found.victim))
        }
        LinkKind::Referral => referrals::store::find(conn, &act.scope, ReferralId::from_uuid(id))
            .map(|(found, _)| found.detail.victims.as_ref().is_some_and(|all| all.iter().any(|v| records.contains(v)))),
        LinkKind::Measure => measure(conn, act, records, MeasureId::from_uuid(id)),
    };
    match found {
        Err(Error::NotFound) => Ok(false),
        other => other,
    }
}

fn measure(conn: &mut Conn, act: &Act, records: &[VictimId], id: MeasureId) -> Result<bool> {
    let found = measures::store::find(conn, id)?;
    let sight = docket::sight(conn, &act.scope, found.case)?;
    Ok(matches!(found.subject, Subject::Victim(victim) if records.contains(&victim)) && found.visible(&sight))
}

/// Faults of links that a request names. What the record already has is not asked for again.
pub fn faults(
    conn: &mut Conn,
    act: &Act,
    records: &[VictimId],
    had: &[LinkInput],
    named: &[LinkInput],
) -> Result<Vec<Fault>> {
    let mut faults = Vec::new();
    for (index, link) in named.iter().enumerate() {
        let at = format!("/links/{index}");
        if named.iter().take(index).any(|other| other == link) {
            faults.push(Fault::body(at, FaultCode::UniqueItems));
        } else if !had.contains(link) && !sees(conn, act, records, link.kind, link.resource_id)? {
            faults.push(Fault::body(format!("{at}/resource_id"), FaultCode::ReferenceNotFound));
        }
    }
    Ok(faults)
}

/// The links as a caller sees them, with the pointers of what it does not.
pub fn views(conn: &mut Conn, act: &Act, records: &[VictimId], links: &[LinkInput]) -> Result<(Vec<LinkView>, Vec<String>)> {
    let (mut views, mut redacted) = (Vec::new(), Vec::new());
    for (index, LinkInput { kind, resource_id }) in links.iter().enumerate() {
        let seen = match kind {
            LinkKind::Assistance | LinkKind::Reunification => true,
            LinkKind::Referral | LinkKind::Measure => sees(conn, act, records, *kind, *resource_id)?,
        };
        if !seen {
            redacted.push(format!("#/links/{index}/resource_id"));
        }
        views.push(LinkView { kind: *kind, resource_id: Some(*resource_id).filter(|_| seen) });
    }
    Ok((views, redacted))
}

//! What only the store knows of a funding: the donor, what it paid for, and what of it is sealed. What can be done with
//! it is what can be done with every record of a programme (`programmes::actions`).

use super::model::FundingContent;
use crate::act::Act;
use crate::campaigns::model::CampaignContent;
use crate::db::Conn;
use crate::kernel::{Error, Fault, FaultCode, Id, Result};
use crate::programmes::actions::{directory_faults, exists};
use crate::trainings::model::TrainingContent;
use crate::vault::Guarded;
use crate::{assistance, reunifications};

impl Guarded for FundingContent {
    const PLACE: &'static str = "programme.detail.funding";
    const SECRET: &'static [&'static str] = &["project"];
}

/// Faults of the donor and of what is not there, or not the caller's to see. What stood before stays: it was paid, whoever
/// sees it today.
pub fn outside(conn: &mut Conn, act: &Act, content: &FundingContent, before: Option<&FundingContent>) -> Result<Vec<Fault>> {
    let mut faults = directory_faults(conn, act, std::iter::once(("/donor".to_owned(), &content.donor)))?;
    let stood = |id| before.is_some_and(|b| b.uses.iter().any(|u| u.resource_id == id));
    for (n, one) in content.uses.iter().enumerate().filter(|(_, one)| !stood(one.resource_id)) {
        let id = one.resource_id.uuid();
        let there = match one.kind.as_str() {
            "campaign" => exists::<CampaignContent>(conn, Id::from_uuid(id))?,
            "training" => exists::<TrainingContent>(conn, Id::from_uuid(id))?,
            "assistance" => seen(assistance::actions::find(conn, act, Id::from_uuid(id)))?,
            "reunification" => seen(reunifications::actions::find(conn, act, Id::from_uuid(id)))?,
            _ => true,
        };
        if !there {
            faults.push(Fault::body(format!("/uses/{n}/resource_id"), FaultCode::ReferenceNotFound));
        }
    }
    Ok(faults)
}

fn seen<T>(found: Result<T>) -> Result<bool> {
    match found {
        Ok(_) => Ok(true),
        Err(Error::NotFound) => Ok(false),
        Err(other) => Err(other),
    }
}

//! What only the store knows of a campaign, what of it is sealed, and what may happen next. What can be done with it is
//! what can be done with every record of a programme (`programmes::actions`).

use super::model::CampaignContent;
use super::states::{State, Trigger};
use crate::act::Act;
use crate::db::{Conn, Store};
use crate::kernel::ids::CampaignId;
use crate::kernel::{Fault, Result};
use crate::programmes::actions::{directory_faults, listed};
use crate::programmes::store;
use crate::transitions::{AvailableTransition, AvailableTransitions};
use crate::vault::Guarded;

impl Guarded for CampaignContent {
    const PLACE: &'static str = "programme.detail.campaign";
    const SECRET: &'static [&'static str] =
        &["name", "slogans/*/text", "venues/*/name", "phases/*/name", "phases/*/goal", "audience", "hotline", "evaluation"];
}

/// Faults of the agencies that it names.
pub fn outside(
    conn: &mut Conn,
    act: &Act,
    content: &CampaignContent,
    _before: Option<&CampaignContent>,
) -> Result<Vec<Fault>> {
    let named = listed("organisers", &content.organisers).chain(listed("funders", &content.funders));
    directory_faults(conn, act, named)
}

/// Every transition out of the current state, and what stands against it for this caller.
pub async fn available(store: &Store, act: &Act, id: CampaignId, lang: &'static str) -> Result<AvailableTransitions> {
    let act = act.clone();
    store
        .read(move |conn| {
            let record = store::find::<CampaignContent>(conn, id)?;
            let state = State::parse(&record.state);
            let items = Trigger::ALL
                .into_iter()
                .filter_map(|trigger| {
                    let next = state?.after(trigger)?;
                    let mut failed = record.content.failed_guards(trigger);
                    if !record.is_own(&act) {
                        failed.push("owner_only");
                    }
                    Some(AvailableTransition {
                        trigger: trigger.as_str().to_owned(),
                        to: next.as_str().to_owned(),
                        label: trigger.label(lang).to_owned(),
                        basis: None,
                        requires_legal_act: false,
                        legal_acts: Vec::new(),
                        actors: Vec::new(),
                        allowed: failed.is_empty(),
                        failed_guards: failed.into_iter().map(str::to_owned).collect(),
                    })
                })
                .collect();
            Ok(AvailableTransitions { state: record.state, items })
        })
        .await
}

//! `sistra referrals …`: what the server's housekeeper does every minute, for those who want it now or from a timer.

use clap::Subcommand;
use serde_json::json;

use super::{print, vault};
use crate::config::DataArgs;
use crate::kernel::Timestamp;
use crate::referrals::{Said, remind};

#[derive(Debug, Subcommand)]
pub enum ReferralsCommand {
    /// Remind and escalate what has waited long enough; each is told once, however often this runs
    Remind(DataArgs),
}

/// Runs one of them.
pub fn run(command: ReferralsCommand) -> Result<(), String> {
    let ReferralsCommand::Remind(data) = command;
    let (store, _) = vault(&data)?;
    let said = remind(&store, Timestamp::now()).map_err(|e| format!("not everybody was told: {e:?}"))?;
    let Said { reminded, escalated } = said;
    print(&json!({ "reminded": reminded, "escalated": escalated }))
}

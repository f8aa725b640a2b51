//! `sistra export ctdc …`: the file of victims for the Counter-Trafficking Data Collaborative.

use std::path::PathBuf;
use std::sync::Arc;

use clap::Args;
use serde_json::json;

use super::{print, say, vault};
use crate::config::DataArgs;
use crate::ctdc::actions::Release;
use crate::ctdc::{Profile, profile};
use crate::kernel::{AgencyCode, Timestamp};
use crate::ledger::access::AccessLog;

#[derive(Debug, Args)]
pub struct ExportCommand {
    #[command(flatten)]
    data: DataArgs,
    /// The file to write; overwrites nothing
    file: PathBuf,
    /// In whose sight: an agency sees its own cases and those shared with it, one that supervises sees all
    #[arg(long)]
    agency: String,
    /// Columns of which release
    #[arg(long, default_value = "ctdc-gsd-2024")]
    profile: String,
    /// Fewest persons who share any combination of quasi-identifiers
    #[arg(long, default_value_t = 11, value_parser = clap::value_parser!(u16).range(3..=1000))]
    k: u16,
    /// Only those who consented to research; without it, all who neither refused nor withdrew that consent
    #[arg(long)]
    consented_only: bool,
}

/// Writes the file; prints what was given up for it.
pub fn export(command: &ExportCommand) -> Result<(), String> {
    let ExportCommand { data, file, agency, profile, k, consented_only } = command;
    let agency = AgencyCode::parse(agency).ok_or_else(|| format!("\"{agency}\" is no agency code"))?;
    let profile = Profile::named(profile).ok_or_else(|| {
        let known: Vec<String> = profile::all().into_iter().map(|p| p.name).collect();
        format!("no profile \"{profile}\": there are {}", known.join(", "))
    })?;
    if file.exists() {
        return Err(format!("{} is there already: an export overwrites nothing", file.display()));
    }
    let law = Arc::new(data.catalogue()?);
    let (store, _) = vault(data)?;
    let known = agency.clone();
    let found = store
        .read_blocking(move |conn| crate::agencies::store::find(conn, &known))
        .map_err(|_| format!("there is no agency {agency} in the directory"))?;
    let index = Arc::new(crate::app::index_key(&store)?);
    let access = AccessLog::start(&store).map_err(|e| format!("no thread for the ledger: {e}"))?;
    let release = Release {
        store,
        law,
        index,
        agency,
        oversight: found.oversight,
        profile,
        k: usize::from(*k),
        consented_only: *consented_only,
    };
    let bar = indicatif::ProgressBar::new_spinner().with_message("cases");
    let (bytes, account) = actix_rt::System::new()
        .block_on(release.make(&access, |done| bar.set_position(done)))
        .map_err(|e| format!("nothing was written: {e:?}"))?;
    bar.finish_and_clear();
    super::htcds::private(file, &bytes).map_err(|e| format!("cannot write {}: {e}", file.display()))?;
    say("A file is published once: two that were cut otherwise can be compared, and then say more than each of them");
    print(&json!({ "file": file, "bytes": bytes.len(), "made_at": Timestamp::now(), "account": account }))
}

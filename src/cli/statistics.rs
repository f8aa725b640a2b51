//! `sistra statistics`: the facts that figures are made of, and releases.

use clap::{Args, Subcommand};
use serde_json::json;

use super::{print, progress, vault};
use crate::config::DataArgs;
use crate::kernel::trail::Trail;
use crate::kernel::{Error, Timestamp};
use crate::ledger::Actor;
use crate::statistics::Figures;
use crate::statistics::period::Period;
use crate::statistics::publish::{Again, Publisher, propose, recompute};
use crate::statistics::wire_release::ReleaseProposalView;

#[derive(Debug, Subcommand)]
pub enum StatisticsCommand {
    /// Compute the facts of every case anew and write those that differ; the server may run meanwhile
    Rebuild(DataArgs),
    /// Propose the release of a period that is over; a client with the scope `statistics:approve` lets it go
    Release(ReleaseArgs),
    /// Make a release again from the facts as they were, and compare: exit code 0 if every byte is the same
    Verify(ReleaseArgs),
}

#[derive(Debug, Args)]
pub struct ReleaseArgs {
    #[command(flatten)]
    data: DataArgs,
    /// `2025`, `2025-H1`, `2025-Q3` or `2025-03`
    #[arg(long)]
    period: String,
}

/// Runs a command.
pub fn run(command: StatisticsCommand) -> Result<(), String> {
    match command {
        StatisticsCommand::Rebuild(data) => {
            let (store, _) = vault(&data)?;
            let law = data.catalogue()?;
            let bar = progress(0, "cases");
            let figures = Figures::open(&store).map_err(|e| format!("the facts cannot be read: {e:?}"))?;
            let (cases, differed) = figures
                .rebuild(&store, &law, |seen| bar.set_position(seen))
                .map_err(|e| format!("the facts could not be made again: {e:?}"))?;
            bar.finish_and_clear();
            print(&json!({ "cases": cases, "differed": differed }))
        }
        StatisticsCommand::Release(ReleaseArgs { data, period }) => {
            let period = parse(&period)?;
            let (store, _) = vault(&data)?;
            let law = data.catalogue()?;
            let actor = Actor {
                client: None,
                agency: None,
                user: None,
                purpose: None,
                request_id: uuid::Uuid::new_v4(),
                trail: Trail::default(),
            };
            let by = Publisher { actor, agency: None, now: Timestamp::now() };
            let (proposal, _) = propose(&store, &law, &by, None, &period).map_err(|e| match e {
                Error::StateConflict(guards) => format!("not proposed: {}", guards.join(", ")),
                Error::Validation(_) => format!("{period} is not over yet"),
                other => format!("not proposed: {other:?}"),
            })?;
            print(&json!(ReleaseProposalView::of(&proposal)))
        }
        StatisticsCommand::Verify(ReleaseArgs { data, period }) => {
            let period = parse(&period)?;
            let (store, _) = vault(&data)?;
            let law = data.catalogue()?;
            let Again { kept, made, differing } = recompute(&store, &law, period.as_str()).map_err(|e| match e {
                Error::NotFound => format!("there is no release {period}"),
                other => format!("the release could not be made again: {other:?}"),
            })?;
            let same = differing.is_empty();
            let hashes = json!({ "release": kept.period, "published": kept.sha256, "made_again": made.sha256, "differing": differing });
            print(&hashes)?;
            if same { Ok(()) } else { Err("the release differs from what its facts give".to_owned()) }
        }
    }
}

fn parse(text: &str) -> Result<Period, String> {
    Period::parse(text).ok_or_else(|| format!("\"{text}\" is no period: 2025, 2025-H1, 2025-Q3 or 2025-03"))
}

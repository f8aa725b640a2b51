//! What can be asked of the figures. Counting is work for a processor, so it is done on a thread that may be busy.

use std::sync::Arc;

use super::memory::{AsOf, Memory};
use super::projector::Figures;
use super::question::{Lane, Question, Table};
use crate::auth::Scope;
use crate::kernel::{Error, Result};

/// Most cells of one answer.
pub const MOST_CELLS: usize = 20_000;

/// The rows that a caller's figures are about.
pub fn lane(scope: &Scope) -> Lane {
    if scope.oversight() { Lane::All } else { Lane::Agency(scope.agency().to_string()) }
}

/// Runs a count away from the threads that serve connections; with it, up to where it is complete.
pub async fn ask<T: Send + 'static>(
    figures: &Arc<Figures>,
    f: impl FnOnce(&Memory) -> T + Send + 'static,
) -> Result<(T, AsOf)> {
    let figures = Arc::clone(figures);
    tokio::task::spawn_blocking(move || figures.ask(|memory| (f(memory), memory.as_of)))
        .await
        .map_err(|_| Error::internal("panic while counting"))?
}

/// The table of a question.
pub async fn table(figures: &Arc<Figures>, lane: Lane, question: Question) -> Result<(Table, AsOf)> {
    ask(figures, move |memory| memory.table(&lane, &question)).await
}

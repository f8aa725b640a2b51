//! What only the store knows of a training: the agencies that it names, and what of it is sealed. What can be done with
//! it is what can be done with every record of a programme (`programmes::actions`).

use super::model::TrainingContent;
use crate::act::Act;
use crate::db::Conn;
use crate::kernel::{Fault, Result};
use crate::programmes::actions::{directory_faults, listed};
use crate::vault::Guarded;

impl Guarded for TrainingContent {
    const PLACE: &'static str = "programme.detail.training";
    const SECRET: &'static [&'static str] = &["title", "place"];
}

/// Faults of the agencies that it names.
pub fn outside(
    conn: &mut Conn,
    act: &Act,
    content: &TrainingContent,
    _before: Option<&TrainingContent>,
) -> Result<Vec<Fault>> {
    let named = listed("organisers", &content.organisers).chain(listed("funders", &content.funders));
    directory_faults(conn, act, named)
}

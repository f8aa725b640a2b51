//! The states of a campaign and what leads from one to another. Pure.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// Where a campaign stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum State {
    /// To come.
    Planned,
    /// Seen and heard.
    Running,
    /// Interrupted.
    Paused,
    /// Over.
    Completed,
    /// Over, and looked back on.
    Evaluated,
}

impl State {
    /// Every state.
    pub const ALL: [Self; 5] = [Self::Planned, Self::Running, Self::Paused, Self::Completed, Self::Evaluated];

    /// The code (code list `campaign_state`).
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Planned => "planned",
            Self::Running => "running",
            Self::Paused => "paused",
            Self::Completed => "completed",
            Self::Evaluated => "evaluated",
        }
    }

    /// The state of a code.
    pub fn parse(code: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|s| s.as_str() == code)
    }

    /// Where a trigger leads from here; none where it does not apply.
    pub fn after(self, trigger: Trigger) -> Option<Self> {
        match (self, trigger) {
            (Self::Planned, Trigger::Start) | (Self::Paused, Trigger::Resume) => Some(Self::Running),
            (Self::Running, Trigger::Pause) => Some(Self::Paused),
            (Self::Running | Self::Paused, Trigger::Complete) => Some(Self::Completed),
            (Self::Completed, Trigger::Evaluate) => Some(Self::Evaluated),
            _ => None,
        }
    }
}

/// What can happen to a campaign.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
#[schema(as = CampaignTrigger)]
pub enum Trigger {
    /// It begins.
    Start,
    /// It is interrupted.
    Pause,
    /// It goes on.
    Resume,
    /// It ends.
    Complete,
    /// It is looked back on.
    Evaluate,
}

impl Trigger {
    /// Every trigger.
    pub const ALL: [Self; 5] = [Self::Start, Self::Pause, Self::Resume, Self::Complete, Self::Evaluate];

    /// The code.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Start => "start",
            Self::Pause => "pause",
            Self::Resume => "resume",
            Self::Complete => "complete",
            Self::Evaluate => "evaluate",
        }
    }

    /// Its name for a reader: `es`, `en` or `fr`.
    pub fn label(self, lang: &str) -> &'static str {
        let (es, en, fr) = match self {
            Self::Start => ("Iniciar", "Start", "Commencer"),
            Self::Pause => ("Pausar", "Pause", "Interrompre"),
            Self::Resume => ("Reanudar", "Resume", "Reprendre"),
            Self::Complete => ("Concluir", "Complete", "Terminer"),
            Self::Evaluate => ("Evaluar", "Evaluate", "Évaluer"),
        };
        match lang {
            "en" => en,
            "fr" => fr,
            _ => es,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::catalogue::Catalogue;

    /// One row per state, one column per trigger, `.` where nothing leads out.
    #[test]
    fn every_pair_of_state_and_trigger_leads_where_the_table_says() {
        let law = Catalogue::embedded().unwrap();
        assert!(
            State::ALL
                .into_iter()
                .all(|s| law.has_ever("campaign_state", s.as_str()) && State::parse(s.as_str()) == Some(s))
        );
        let table: Vec<String> = State::ALL
            .into_iter()
            .map(|state| {
                let cells: Vec<&str> = Trigger::ALL.into_iter().map(|t| state.after(t).map_or(".", State::as_str)).collect();
                format!("{}: {}", state.as_str(), cells.join(" "))
            })
            .collect();
        // start pause resume complete evaluate
        assert_eq!(
            table,
            [
                "planned: running . . . .",
                "running: . paused . completed .",
                "paused: . . running completed .",
                "completed: . . . . evaluated",
                "evaluated: . . . . .",
            ]
        );
    }
}

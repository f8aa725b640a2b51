//! Which entries of the ledger are events, whom they concern, and what a reader must see to be shown one. Pure.

use serde::{Deserialize, Serialize};

use crate::auth::Purpose;
use crate::auth::policy::is_identity;
use crate::cases::{Section, Sight};
use crate::kernel::Timestamp;
use crate::kernel::ids::{ClientId, EntryId, ResourceId, VictimId};
use crate::ledger::Action;

/// What a reader must have in sight at the moment of reading.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Gate {
    /// Nothing: it is addressed to the lane.
    Open,
    /// The case, in whatever part.
    Case,
    /// Its title and summary.
    Narrative,
    /// Its victims.
    Victims,
    /// This victim.
    Victim,
    /// This victim's identity.
    VictimIdentity,
    /// Its accused.
    Accused,
    /// Its accused persons' identities.
    AccusedIdentity,
    /// Its charges.
    Charges,
    /// Its hearings and decisions.
    Proceedings,
    /// The help that this victim gets.
    Assistance,
    /// Nothing, but it must be this client that reads.
    Client,
}

impl Gate {
    const ALL: [Self; 12] = [
        Self::Open,
        Self::Case,
        Self::Narrative,
        Self::Victims,
        Self::Victim,
        Self::VictimIdentity,
        Self::Accused,
        Self::AccusedIdentity,
        Self::Charges,
        Self::Proceedings,
        Self::Assistance,
        Self::Client,
    ];

    /// As stored.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Open => "open",
            Self::Case => "case",
            Self::Narrative => "narrative",
            Self::Victims => "victims",
            Self::Victim => "victim",
            Self::VictimIdentity => "victim_identity",
            Self::Accused => "accused",
            Self::AccusedIdentity => "accused_identity",
            Self::Charges => "charges",
            Self::Proceedings => "proceedings",
            Self::Assistance => "assistance",
            Self::Client => "client",
        }
    }

    /// From the store. A word of a newer program opens nothing.
    pub fn parse(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|g| g.as_str() == text)
    }

    /// Whether what is seen of the case opens it; `person` is whom the event is about. What is not of a case is the
    /// reader's business.
    pub fn opens(self, sight: &Sight, person: Option<ResourceId>) -> bool {
        let victim = person.map(|p| VictimId::from_uuid(p.uuid()));
        match self {
            Self::Open | Self::Case => true,
            Self::Client => false,
            Self::Narrative => sight.sees(Section::Narrative),
            Self::Victims => sight.sees(Section::Victims),
            Self::Victim => victim.is_some_and(|v| sight.sees_victim(v)),
            Self::VictimIdentity => victim.is_some_and(|v| sight.sees_identity(v)),
            Self::Accused => sight.sees(Section::Accused),
            Self::AccusedIdentity => sight.sees(Section::Accused) && sight.sees(Section::AccusedIdentity),
            Self::Charges => sight.sees(Section::Charges),
            Self::Proceedings => sight.sees(Section::Proceedings),
            Self::Assistance => victim.is_some_and(|v| sight.sees_victim(v)) && sight.sees(Section::Assistance),
        }
    }
}

/// How the cases of a resource are found, and with them the lanes that it is laid on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Way {
    /// It is the case.
    Case,
    /// Its row names the case: the table.
    Part(&'static str),
    /// A victim: every case of hers or his, and of the records that are of the same person.
    Victim,
    /// An accused: the same.
    Accused,
    /// The victim of a consent, and so every case.
    Consent,
    /// The victim whose care it is, and so every case.
    Care,
    /// Help to a victim: those who see it with the victim, and whoever gives it.
    Assistance,
    /// Relatives who join a victim: the same.
    Reunification,
    /// A measure: the case, and of the case the person whom it concerns.
    Measure,
    /// A note: for everybody who sees the narrative, or for its agency alone.
    Note,
    /// Broken glass: the case's owner, oversight, and the agency that broke it.
    Glass,
    /// A referral: its sender, its receiver once it is sent, and oversight.
    Referral,
    /// A proposal: who made it, the record's owner, and oversight.
    Correction,
    /// What belongs to one client.
    Job,
    /// What belongs to the agency that did it.
    Own,
    /// No lane at all.
    Nobody,
}

/// What the feed knows of a type of resource.
#[derive(Clone, Copy, Debug)]
pub struct Followed {
    /// Its name in the ledger.
    pub name: &'static str,
    /// How its lanes are found.
    pub way: Way,
    /// What a reader must see.
    pub gate: Gate,
    /// The scope that a reader must have: the one that reads the record.
    pub scope: &'static str,
}

macro_rules! followed {
    ($($name:literal => $way:expr, $gate:ident, $scope:literal;)*) => {
        /// Every type of resource that the ledger names in a change. A test compares it with the source.
        pub const FOLLOWED: &[Followed] = &[$(Followed { name: $name, way: $way, gate: Gate::$gate, scope: $scope }),*];
    };
}

followed! {
    "case" => Way::Case, Case, "cases:read";
    "case_victim" => Way::Case, Victims, "victims:read";
    "case_accused" => Way::Case, Accused, "accused:read";
    "victim" => Way::Victim, Victim, "victims:read";
    "victim_identity" => Way::Victim, VictimIdentity, "victims.identity:read";
    "accused" => Way::Accused, Accused, "accused:read";
    "accused_identity" => Way::Accused, AccusedIdentity, "accused.identity:read";
    "charge" => Way::Part("charge"), Charges, "charges:read";
    "participant" => Way::Part("case_participant"), Case, "cases:read";
    "hearing" => Way::Part("hearing"), Proceedings, "cases:read";
    "decision" => Way::Part("decision"), Proceedings, "cases:read";
    "measure" => Way::Measure, Case, "cases:read";
    "note" => Way::Note, Narrative, "cases:read";
    "consent" => Way::Consent, Victim, "victims:read";
    "victim_merge" => Way::Victim, Victim, "victims:read";
    "accused_merge" => Way::Accused, Accused, "accused:read";
    "assistance" => Way::Assistance, Assistance, "assistance:read";
    "care_process" => Way::Care, Assistance, "assistance:read";
    "reunification" => Way::Reunification, Assistance, "assistance:read";
    "correction" => Way::Correction, Open, "corrections:read";
    "job" => Way::Job, Client, "";
    "campaign" => Way::Own, Open, "programmes:read";
    "training" => Way::Own, Open, "programmes:read";
    "funding" => Way::Own, Open, "programmes:read";
    "break_glass" => Way::Glass, Open, "break_glass:review";
    "referral" => Way::Referral, Open, "referrals:read";
    "webhook" => Way::Own, Open, "webhooks:manage";
    // The directory and the law are public and cached; the ledger has checkpoints; a token is its client's business; a
    // relative is told of with the reunification, a receipt with the referral, the records of a batch one by one; that a
    // correction is proposed, its parties are told. Deconfliction tells the agencies of the person (`Matched`), never the
    // asker's question.
    "token" => Way::Nobody, Open, "";
    "beneficiary" => Way::Nobody, Open, "";
    "receipt" => Way::Nobody, Open, "";
    "batch" => Way::Nobody, Open, "";
    "record_correction" => Way::Nobody, Open, "";
    "agency" => Way::Nobody, Open, "";
    "ledger" => Way::Nobody, Open, "";
    "deconfliction" => Way::Nobody, Open, "";
    // Who looks too much is told to oversight on its desk. Released figures are public; holds, requests to forget and
    // runs of retention are those' who keep them: what they do to a person is told (`person.erased`).
    "audit_alert" => Way::Nobody, Open, "";
    "statistics_release" => Way::Nobody, Open, "";
    "statistics_proposal" => Way::Nobody, Open, "";
    "legal_hold" => Way::Nobody, Open, "";
    "erasure" => Way::Nobody, Open, "";
    "retention_run" => Way::Nobody, Open, "";
    "retention_review" => Way::Nobody, Open, "";
}

/// What is known of a type; nothing of one that a newer program wrote.
pub fn followed(name: &str) -> Option<&'static Followed> {
    FOLLOWED.iter().find(|f| f.name == name)
}

/// What an action is to the feed. Exhaustive: a new action does not compile until somebody has decided.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Told {
    /// Nothing: a look, a question, or something of the ledger itself.
    No,
    /// A change, to all who see the record: `TYPE.VERB`.
    Change,
    /// To the agency that was let in.
    LetIn,
    /// To the agency that was shut out.
    ShutOut,
    /// To those who know a person: somebody asked for her or him.
    AskedFor,
    /// To all who see the person: what they hold must go.
    Erasure,
}

/// The decision.
pub fn told(action: Action) -> Told {
    match action {
        Action::Created | Action::Updated | Action::Transitioned | Action::Linked | Action::Reminded | Action::Escalated => {
            Told::Change
        }
        Action::Read | Action::Asked | Action::Alerted | Action::Reopened => Told::No,
        Action::Granted => Told::LetIn,
        Action::Revoked => Told::ShutOut,
        Action::Matched => Told::AskedFor,
        Action::Erased => Told::Erasure,
    }
}

/// An agency sees a case that it did not see, or more of it.
pub const GRANTED: &str = "access.granted";
/// An agency sees less of a case, and still some of it.
pub const CHANGED: &str = "access.changed";
/// An agency sees a case no longer: what it holds of it must go.
pub const REVOKED: &str = "access.revoked";
/// A person was erased: what is held must go.
pub const ERASED: &str = "person.erased";
/// Another agency asked whether somebody knows this person.
pub const MATCHED: &str = "deconfliction.matched";

/// The type of a change: `case.updated`; where a move matters by its end, `referral.sent`.
pub fn change(resource_type: &str, action: Action, to: Option<&str>) -> String {
    match (resource_type, action, to) {
        ("referral" | "webhook" | "job", Action::Transitioned, Some(state)) => format!("{resource_type}.{state}"),
        ("break_glass", Action::Created, _) => "break_glass.invoked".to_owned(),
        _ => format!("{resource_type}.{}", action.verb()),
    }
}

/// One event as a lane holds it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Event {
    /// The ledger entry.
    pub id: EntryId,
    /// When it happened.
    pub at: Timestamp,
    /// What.
    pub kind: String,
    /// Type of the record.
    pub resource_type: String,
    /// The record.
    pub resource_id: ResourceId,
    /// Its version after the change.
    pub version: Option<i64>,
}

/// Where a reader stands in its lane.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Mark {
    /// The last position that was looked at; -1 before the first.
    #[serde(rename = "p")]
    pub position: i64,
    /// Everything sealed before this instant (seconds) was looked at: says whether retention has left a gap.
    #[serde(rename = "s")]
    pub seen_to: i64,
}

/// How long a sealing transaction may be under way: an empty look says nothing of the last hour.
const UNDER_WAY_S: i64 = 3_600;
/// A day, seconds.
const DAY_S: i64 = 86_400;

/// How long events are kept. Three instants a day apart, so that nobody who goes on reading meets the broom: where
/// `begin` starts, which marks are too old, and what is swept away.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Retention {
    /// Days, as set.
    pub days: u32,
}

impl Retention {
    fn ago(self, now: Timestamp, more: i64) -> Timestamp {
        now.plus_seconds(-(i64::from(self.days) + more) * DAY_S)
    }

    /// `begin` starts with what was sealed from here on.
    pub fn begins(self, now: Timestamp) -> Timestamp {
        self.ago(now, 0)
    }

    /// A mark that was last good before this is too old.
    pub fn ends(self, now: Timestamp) -> Timestamp {
        self.ago(now, 1)
    }

    /// What was sealed before this goes.
    pub fn sweeps(self, now: Timestamp) -> Timestamp {
        self.ago(now, 2)
    }
}

impl Mark {
    /// Before the first event that is kept.
    pub fn begin(now: Timestamp) -> Self {
        Self { position: -1, seen_to: now.unix_seconds() }
    }

    /// After the row that was looked at last.
    pub fn after(position: i64, sealed_at: Timestamp) -> Self {
        Self { position, seen_to: sealed_at.unix_seconds() }
    }

    /// The same place, looked at again to the end of the lane.
    #[must_use]
    pub fn refreshed(self, now: Timestamp) -> Self {
        Self { seen_to: self.seen_to.max(now.unix_seconds() - UNDER_WAY_S), ..self }
    }

    /// Whether something after it may be gone.
    pub fn truncated(self, now: Timestamp, retention: Retention) -> bool {
        self.seen_to < retention.ends(now).unix_seconds()
    }
}

/// What a reader asks for and may have.
#[derive(Clone, Debug, Default)]
pub struct Wanted {
    /// Any of these types; all if empty. `case.*` stands for every type that begins so.
    pub types: Vec<String>,
    /// Only events of this type of resource.
    pub resource_type: Option<String>,
    /// The scopes of the reader.
    pub scopes: Vec<&'static str>,
    /// The purposes for which it may look.
    pub purposes: Vec<Purpose>,
    /// The reader.
    pub client: Option<ClientId>,
}

/// Whether a text is a type of events, or all of a kind (`case.*`).
pub fn is_type(text: &str) -> bool {
    let word = |w: &str| !w.is_empty() && w.bytes().all(|b| b.is_ascii_lowercase() || b == b'_');
    let Some((kind, verb)) = text.split_once('.') else { return false };
    text.len() <= 80 && word(kind) && (verb == "*" || word(verb))
}

impl Wanted {
    /// Whether an event passes the reader's filters.
    pub fn asks_for(&self, kind: &str, resource_type: &str) -> bool {
        let named = |t: &String| t == kind || t.strip_suffix('*').is_some_and(|start| kind.starts_with(start));
        (self.types.is_empty() || self.types.iter().any(named))
            && self.resource_type.as_ref().is_none_or(|wanted| wanted == resource_type)
    }

    /// Whether the reader's scopes and purposes open what needs `scope`.
    pub fn may(&self, scope: &str) -> bool {
        let named = scope.is_empty() || self.scopes.contains(&scope);
        named && (!is_identity(scope) || self.purposes.iter().any(|p| crate::auth::policy::OPERATIONAL.contains(p)))
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use regex::Regex;

    use super::*;

    fn sources(folder: &std::path::Path, found: &mut String) {
        for entry in std::fs::read_dir(folder).unwrap().flatten() {
            let path = entry.path();
            if path.is_dir() {
                sources(&path, found);
            } else if path.extension().is_some_and(|e| e == "rs") {
                *found += &std::fs::read_to_string(&path).unwrap();
            }
        }
    }

    #[test]
    fn every_resource_that_a_change_names_has_its_place_in_the_feed() {
        let mut text = String::new();
        sources(std::path::Path::new("src"), &mut text);
        let kinds = include_str!("../kernel/ids.rs");
        let name_of = |alias: &str| {
            let row = Regex::new(&format!(r#"(?m)^    {alias}, \w+, "(\w+)""#)).unwrap();
            row.captures(kinds).map(|c| c[1].to_owned())
        };
        let mut named: BTreeSet<String> = BTreeSet::new();
        // `Entry::new(Action::Verb, …)` up to the next entry or the end of the statement, with what it is about.
        let entry = Regex::new(r"Entry::new\(\s*Action::(\w+),\s*([^;]*?)(?:;|Entry::new)").unwrap();
        let about = Regex::new(r#"\.about\("(\w+)"\)"#).unwrap();
        let mut from = 0;
        while let Some(found) = entry.captures_at(&text, from) {
            from = found.get(2).unwrap().start();
            if &found[1] != "Read" {
                named.extend(about.captures(&found[2]).map(|c| c[1].to_owned()));
            }
        }
        assert!(named.contains("case_victim") && named.contains("victim_identity"), "{named:?}");
        let never = ["Client", "Entry", "Resource", "TransitionRecord", "Delivery"];
        let alias = Regex::new(r#"(?m)^    (\w+), \w+Id, "\w+""#).unwrap();
        named.extend(alias.captures_iter(kinds).filter(|c| !never.contains(&&c[1])).filter_map(|c| name_of(&c[1])));
        let missing: Vec<_> = named.iter().filter(|name| followed(name).is_none()).collect();
        assert!(missing.is_empty(), "nobody has said who is told of {missing:?}: src/events/model.rs");
    }

    #[test]
    fn every_action_is_known_by_its_verb() {
        let verbs = Regex::new(r#"Self::\w+ => "(\w+)""#).unwrap();
        let written: Vec<String> =
            verbs.captures_iter(include_str!("../ledger/entry.rs")).map(|c| c[1].to_owned()).collect();
        assert_eq!(written, Action::ALL.iter().map(|a| a.verb().to_owned()).collect::<Vec<_>>());
        assert!(written.iter().all(|verb| Action::parse(verb).is_some_and(|a| a.verb() == verb)));
    }

    #[test]
    fn types_are_asked_for_by_name_or_by_kind() {
        let wanted = |types: &[&str]| Wanted { types: types.iter().map(|t| (*t).to_owned()).collect(), ..Wanted::default() };
        assert!(wanted(&[]).asks_for("case.created", "case"));
        assert!(wanted(&["case.*"]).asks_for("case.created", "case"));
        assert!(!wanted(&["case.*"]).asks_for("case_victim.linked", "case_victim"));
        assert!(wanted(&["x.y", "case.created"]).asks_for("case.created", "case"));
        assert!(!wanted(&["case.updated"]).asks_for("case.created", "case"));
        for (text, good) in [
            ("case.created", true),
            ("case.*", true),
            ("*", false),
            ("case", false),
            ("Case.x", false),
            ("a.b.c", false),
            ("*.x", false),
        ] {
            assert_eq!(is_type(text), good, "{text}");
        }
    }

    #[test]
    fn a_mark_is_as_good_as_what_was_kept_since() {
        let now = Timestamp::from_unix_millis(1_764_000_000_000).unwrap();
        let kept = |days| Retention { days };
        let mark = Mark::after(7, now.plus_seconds(-10 * DAY_S));
        assert!(!mark.truncated(now, kept(9)) && mark.truncated(now, kept(8)));
        assert!(!mark.refreshed(now).truncated(now, kept(1)), "whoever keeps asking loses nothing");
        assert_eq!(mark.refreshed(now).position, 7);
        assert!(!Mark::begin(now).truncated(now, kept(1)));
        let first = Mark::after(7, kept(400).begins(now));
        assert!(!first.truncated(now.plus_seconds(DAY_S), kept(400)), "who starts at the edge has a day for each page");
        assert!(kept(400).sweeps(now) < kept(400).ends(now));
    }

    #[test]
    fn identities_are_told_to_those_only_who_may_look_at_them() {
        let with = |purposes: &[Purpose]| Wanted {
            scopes: vec!["victims.identity:read"],
            purposes: purposes.to_vec(),
            ..Wanted::default()
        };
        assert!(with(&[Purpose::Assistance]).may("victims.identity:read"));
        assert!(!with(&[Purpose::Statistics]).may("victims.identity:read"));
        assert!(!with(&[Purpose::Assistance]).may("victims:read"));
    }
}

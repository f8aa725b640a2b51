//! Participations: an agency's share in a case, begun and ended by its owner or by a referral.
//!
//! Owns the table. Every change takes the case's row lock first and leaves the docket settled, so that what an
//! agency sees and what it was granted never part, not even between two changes at once.

use diesel::prelude::*;

use super::docket::{self, Relation, Sight, settle};
use super::sections::{self, Sections};
use super::store;
use super::wire::{ParticipantCreate, ParticipantView};
use crate::act::Act;
use crate::cases::actions::{Written, must_match};
use crate::db::schema::case_participant as t;
use crate::db::{Conn, Json, Store};
use crate::http::idempotency::{self, Claim, Once};
use crate::kernel::error::no_faults;
use crate::kernel::ids::{CaseId, ParticipantId, ReferralId, VictimId};
use crate::kernel::{AgencyCode, Error, Fault, FaultCode, Result, Timestamp};
use crate::ledger::{self, Action, Entry};
use crate::{agencies, victims};

/// Most participations that one case is read with.
const MOST: i64 = 1_000;

/// A participation.
#[derive(Clone, Debug, PartialEq)]
pub struct Participant {
    /// The participation, in its case's bucket.
    pub id: ParticipantId,
    /// Version: 1 running, 2 ended.
    pub version: i64,
    /// The case.
    pub case: CaseId,
    /// The agency.
    pub agency: AgencyCode,
    /// Its part.
    pub role: String,
    /// What it sees.
    pub sections: Sections,
    /// The only victims that it sees; none means all of them.
    pub victims: Option<Vec<VictimId>>,
    /// The referral that granted it.
    pub referral: Option<ReferralId>,
    /// Since when.
    pub granted_at: Timestamp,
    /// Until when.
    pub ended_at: Option<Timestamp>,
    /// Who granted it.
    pub created_by_agency: AgencyCode,
}

impl Participant {
    /// The participation as somebody with this sight of the case may see it: of the victims, those in sight.
    pub fn view(self, sight: &Sight) -> ParticipantView {
        let Self {
            id,
            version,
            case: _,
            agency,
            role,
            sections,
            victims,
            referral,
            granted_at,
            ended_at,
            created_by_agency,
        } = self;
        let victims = victims.map(|all| match sight.relation {
            Relation::Owner => all,
            Relation::Participant | Relation::Oversight => all.into_iter().filter(|v| sight.sees_victim(*v)).collect(),
        });
        ParticipantView {
            id,
            version,
            agency,
            role,
            sections: sections.codes(),
            victims,
            referral_id: referral,
            granted_at,
            ended_at,
            created_by_agency,
        }
    }
}

/// Lets an agency in; answers the ledger entry.
pub fn grant(tx: &mut Conn, act: &Act, new: &Participant) -> Result<Entry> {
    let case = store::locked(tx, new.case)?;
    case.must_be_shareable()?;
    let listing = case.listing();
    let client = act.actor.client.ok_or_else(|| Error::internal("a participation without a client"))?;
    diesel::insert_into(t::table)
        .values((
            t::bucket.eq(new.id.bucket().number()),
            t::id.eq(new.id),
            t::case_id.eq(new.case),
            t::agency_code.eq(new.agency.as_str()),
            t::role.eq(&new.role),
            t::sections.eq(new.sections.to_string()),
            t::victim_ids.eq(new.victims.as_ref().map(Json::of).transpose()?),
            t::referral_id.eq(new.referral),
            t::granted_at.eq(new.granted_at),
            t::ended_at.eq(new.ended_at),
            t::version.eq(new.version),
            t::created_at.eq(act.now),
            t::created_by_agency.eq(new.created_by_agency.as_str()),
            t::created_by_client.eq(client),
            t::updated_at.eq(act.now),
        ))
        .execute(tx)?;
    settle(tx, &listing, &new.agency)?;
    Ok(Entry::new(Action::Granted, new.case, None).agency(&new.agency))
}

/// Ends a running participation; answers the ledger entry.
fn end(tx: &mut Conn, now: Timestamp, participant: &Participant) -> Result<Entry> {
    let listing = store::locked_listing(tx, participant.case)?;
    let (bucket, id) = participant.id.key();
    let ended = diesel::update(
        t::table
            .filter(t::bucket.eq(bucket))
            .filter(t::id.eq(id))
            .filter(t::version.eq(participant.version))
            .filter(t::ended_at.is_null()),
    )
    .set((t::ended_at.eq(now), t::version.eq(participant.version + 1), t::updated_at.eq(now)))
    .execute(tx)?;
    if ended == 0 {
        return Err(Error::PreconditionFailed { current_version: participant.version + 1 });
    }
    settle(tx, &listing, &participant.agency)?;
    Ok(Entry::new(Action::Revoked, participant.case, None).agency(&participant.agency))
}

/// Ends every running participation of a case, whoever granted it; answers the ledger entries.
pub fn end_all(tx: &mut Conn, now: Timestamp, case: CaseId) -> Result<Vec<Entry>> {
    let running = of_case(tx, case)?;
    running.iter().filter(|p| p.ended_at.is_none()).map(|p| end(tx, now, p)).collect()
}

/// Ends what a referral granted, if it granted anything; answers the ledger entries.
pub fn end_by_referral(tx: &mut Conn, act: &Act, case: CaseId, referral: ReferralId) -> Result<Vec<Entry>> {
    let rows: Vec<Row> = t::table
        .filter(t::bucket.eq(case.bucket().number()))
        .filter(t::case_id.eq(case))
        .filter(t::referral_id.eq(referral))
        .filter(t::ended_at.is_null())
        .select(columns())
        .order(t::id.asc())
        .load(tx)?;
    rows.into_iter().map(|row| end(tx, act.now, &participant(row)?)).collect()
}

type Row = (
    ParticipantId,
    i64,
    CaseId,
    String,
    String,
    String,
    Option<Json>,
    Option<ReferralId>,
    Timestamp,
    Option<Timestamp>,
    String,
);

#[diesel::dsl::auto_type(no_type_alias)]
fn columns() -> _ {
    (
        t::id,
        t::version,
        t::case_id,
        t::agency_code,
        t::role,
        t::sections,
        t::victim_ids,
        t::referral_id,
        t::granted_at,
        t::ended_at,
        t::created_by_agency,
    )
}

fn participant(row: Row) -> Result<Participant> {
    let (id, version, case, agency, role, sections, victims, referral, granted_at, ended_at, created_by) = row;
    let code = |text: &str| AgencyCode::parse(text).ok_or_else(|| Error::internal("agency code in participation"));
    Ok(Participant {
        id,
        version,
        case,
        agency: code(&agency)?,
        role,
        sections: Sections::from_stored(&sections),
        victims: victims.map(|v| v.read()).transpose()?,
        referral,
        granted_at,
        ended_at,
        created_by_agency: code(&created_by)?,
    })
}

/// The participations of a case, ended ones included, oldest first.
pub fn of_case(conn: &mut Conn, case: CaseId) -> Result<Vec<Participant>> {
    let rows: Vec<Row> = t::table
        .filter(t::bucket.eq(case.bucket().number()))
        .filter(t::case_id.eq(case))
        .select(columns())
        .order(t::id.asc())
        .limit(MOST)
        .load(conn)?;
    rows.into_iter().map(participant).collect()
}

/// One participation of a case.
pub fn one(conn: &mut Conn, case: CaseId, id: ParticipantId) -> Result<Participant> {
    let row: Row = t::table
        .filter(t::bucket.eq(case.bucket().number()))
        .filter(t::id.eq(id))
        .filter(t::case_id.eq(case))
        .select(columns())
        .first(conn)?;
    participant(row)
}

/// Faults of naming an agency to share with: it must exist, be active, and be no supervisor (its clients look
/// through the oversight lane, where a grant means nothing).
pub fn receiver_faults(conn: &mut Conn, agency: &AgencyCode, pointer: &str, now: Timestamp) -> Result<Vec<Fault>> {
    use agencies::Standing;
    Ok(match agencies::standing(conn, agency, now.date())? {
        Standing::Active { oversight: false } => Vec::new(),
        Standing::Active { oversight: true } => vec![Fault::body(pointer, FaultCode::CrossField)],
        Standing::Absent | Standing::Inactive => vec![Fault::body(pointer, FaultCode::ReferenceNotFound)],
    })
}

/// Faults of a list of victims that are not in the case.
pub fn victim_faults(conn: &mut Conn, case: CaseId, named: Option<&Vec<VictimId>>, pointer: &str) -> Result<Vec<Fault>> {
    let Some(named) = named else { return Ok(Vec::new()) };
    let known = victims::in_case(conn, case)?;
    Ok(named
        .iter()
        .enumerate()
        .filter(|(_, victim)| !known.contains(victim))
        .map(|(index, _)| Fault::body(format!("{pointer}/{index}"), FaultCode::ReferenceNotFound))
        .collect())
}

/// The agencies that share a case, as the caller may see them.
pub async fn list_participants(store: &Store, act: &Act, case: CaseId) -> Result<Vec<ParticipantView>> {
    let scope = act.scope.clone();
    store
        .read(move |conn| {
            let sight = docket::sight(conn, &scope, case)?;
            Ok(of_case(conn, case)?.into_iter().map(|p| p.view(&sight)).collect())
        })
        .await
}

/// One agency's share in a case.
pub async fn read_participant(
    store: &Store,
    act: &Act,
    case: CaseId,
    id: ParticipantId,
) -> Result<Written<ParticipantView>> {
    let scope = act.scope.clone();
    store
        .read(move |conn| {
            let sight = docket::sight(conn, &scope, case)?;
            Ok(Written { view: one(conn, case, id)?.view(&sight), tag: sight.view(), replayed: false })
        })
        .await
}

/// Lets an agency into a case by decision of its owner.
pub async fn add_participant(
    store: &Store,
    act: Act,
    once: Once,
    case: CaseId,
    new: ParticipantCreate,
) -> Result<Written<ParticipantView>> {
    let ParticipantCreate { agency, role, sections: codes, victims } = new;
    let mut faults = sections::faults(&codes, "/sections");
    if !act.catalogue.has_code("participant_role", &role) {
        faults.push(Fault::body("/role", FaultCode::Enum));
    }
    if agency == *act.agency() {
        faults.push(Fault::body("/agency", FaultCode::CrossField));
    }
    for index in victims.as_deref().map(sections::repeated).unwrap_or_default() {
        faults.push(Fault::body(format!("/victims/{index}"), FaultCode::UniqueItems));
    }
    let participant = Participant {
        id: act.id(case.bucket()),
        version: 1,
        case,
        agency,
        role,
        sections: Sections::parse(codes.iter().map(String::as_str)).unwrap_or(Sections::NONE),
        victims,
        referral: None,
        granted_at: act.now,
        ended_at: None,
        created_by_agency: act.agency().clone(),
    };
    store
        .write(move |tx| {
            let head = store::head_for_write(tx, &act.scope, case)?;
            let tag = head.sight.view();
            let claim = idempotency::claim(tx, &once, participant.id.erase(), 1, act.now)?;
            if let Claim::Replay { resource, .. } = claim {
                let stored = one(tx, case, ParticipantId::from_uuid(resource.uuid()))?;
                return Ok(Written { view: stored.view(&head.sight), tag, replayed: true });
            }
            let mut faults = faults.clone();
            faults.extend(receiver_faults(tx, &participant.agency, "/agency", act.now)?);
            faults.extend(victim_faults(tx, case, participant.victims.as_ref(), "/victims")?);
            no_faults(faults)?;
            let entries = vec![Entry::new(Action::Created, participant.id, Some(1)), grant(tx, &act, &participant)?];
            ledger::append(tx, &act.actor, act.now, entries)?;
            Ok(Written { view: participant.clone().view(&head.sight), tag, replayed: false })
        })
        .await
}

/// Ends a participation that the owner decided. What a referral granted ends with the referral.
pub async fn end_participant(
    store: &Store,
    act: Act,
    once: Once,
    case: CaseId,
    id: ParticipantId,
    version: i64,
    reason: Option<String>,
) -> Result<Written<ParticipantView>> {
    let record: crate::kernel::ids::TransitionId = act.id(case.bucket());
    store
        .write(move |tx| {
            let head = store::head_for_write(tx, &act.scope, case)?;
            let tag = head.sight.view();
            let before = one(tx, case, id)?;
            let claim = idempotency::claim(tx, &once, id.erase(), version + 1, act.now)?;
            if let Claim::Replay { .. } = claim {
                return Ok(Written { view: before.view(&head.sight), tag, replayed: true });
            }
            must_match(before.version, version)?;
            if before.ended_at.is_some() {
                return Err(Error::StateConflict(vec!["already_ended".into()]));
            }
            if before.referral.is_some() {
                return Err(Error::StateConflict(vec!["granted_by_referral".into()]));
            }
            let revoked = end(tx, act.now, &before)?;
            let ended = one(tx, case, id)?;
            let (from, to) = ("running", "ended");
            crate::transitions::append(
                tx,
                &act,
                case,
                id,
                &crate::transitions::Done {
                    id: record,
                    trigger: "end".to_owned(),
                    from: from.to_owned(),
                    to: to.to_owned(),
                    legal_act: None,
                    effective_on: None,
                    reason: reason.clone(),
                    version: ended.version,
                    reach: crate::transitions::Reach::default(),
                },
            )?;
            let moved = Entry::new(Action::Transitioned, id, Some(ended.version)).moved("end", from, to);
            ledger::append(tx, &act.actor, act.now, vec![moved, revoked])?;
            Ok(Written { view: ended.view(&head.sight), tag, replayed: false })
        })
        .await
}

//! Registers synthetic cases by the same actions that serve real ones.

use std::sync::Arc;

use futures_util::StreamExt;
use futures_util::stream;

use super::life::Move;
use super::story::{Fate, Sharing, Story};
use crate::act::{Act, Chance};
use crate::assistance::actions::{make_move, register};
use crate::assistance::states::Trigger as Service;
use crate::assistance::wire::{AssistanceCreate, AssistanceTransitionCreate};
use crate::auth::{Caller, Purpose};
use crate::cases::actions::{Opening, commit_opening, move_case};
use crate::cases::wire::CaseTransitionCreate;
use crate::catalogue::Catalogue;
use crate::charges::verdicts::VerdictInput;
use crate::consents::actions::{move_consent, offer_consent};
use crate::consents::states::Trigger as Answer;
use crate::consents::wire::{ConsentCreate, ConsentTransitionCreate};
use crate::db::Store;
use crate::http::idempotency::{Key, Once};
use crate::kernel::ids::{CaseId, ChargeId, ClientId, ConsentId, ReferralId, VictimId};
use crate::kernel::trail::Trail;
use crate::kernel::{AgencyCode, Error, Result, Timestamp};
use crate::ledger::Actor;
use crate::persons::IndexKey;
use crate::referrals::actions::{draft_referral, move_referral};
use crate::referrals::states::Trigger;
use crate::referrals::wire::ReferralTransitionCreate;
use crate::transitions::LegalAct;

/// The client under whose name synthetic records are written. It is no registered client and cannot get a token.
pub const LOADER: &str = "00000000-0000-4000-8000-00000000de40";
/// Cases in the making at the same time: bounds the memory, whatever the number of cases.
const TOGETHER: usize = 64;

/// What was made.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Done {
    /// Cases.
    pub cases: u64,
    /// Victims.
    pub victims: u64,
    /// Referrals.
    pub referrals: u64,
}

pub(super) struct Loader<'s> {
    pub(super) store: &'s Store,
    law: Arc<Catalogue>,
    index: Arc<IndexKey>,
    client: ClientId,
    seed: u64,
}

/// Registers cases 0 to `cases` of the registry of `seed`; `progress` hears the number done after each. Case 0 is that of
/// the press release, with the programmes of its year.
pub async fn fill(
    store: &Store,
    law: &Arc<Catalogue>,
    index: &Arc<IndexKey>,
    seed: u64,
    cases: u64,
    mut progress: impl FnMut(u64),
) -> Result<Done> {
    let client = LOADER.parse().map_err(|()| Error::internal("loader id"))?;
    let loader = Loader { store, law: Arc::clone(law), index: Arc::clone(index), client, seed };
    let loader = &loader;
    let mut done = if cases == 0 { Done::default() } else { loader.press_release().await? };
    progress(done.cases);
    let mut running = stream::iter(1..cases).map(|number| loader.register(number)).buffer_unordered(TOGETHER);
    while let Some(one) = running.next().await {
        let Done { cases, victims, referrals } = one?;
        done.cases += cases;
        done.victims += victims;
        done.referrals += referrals;
        progress(done.cases);
    }
    Ok(done)
}

/// The victims of a case who may be given help: one whom it names, minor or not, and one who agreed.
struct Helped {
    first: Option<(VictimId, bool)>,
    consented: Option<(VictimId, ConsentId)>,
}

impl Loader<'_> {
    async fn register(&self, number: u64) -> Result<Done> {
        let story =
            Story::tell(&self.law, self.seed, number).ok_or_else(|| Error::internal("the demo's constants are wrong"))?;
        let Story { owner, at, case, victim_documents, accused_documents, moves, sharing } = story;
        let act = self.act(&owner, Purpose::Prosecution, number, 0, at);
        let once = self.once(number, "case")?;
        let mut opening = Opening::plan(case, &act, once.bucket())?;
        // Past the check that refuses such numbers at the door: these are made to fail it.
        for (person, documents) in opening.persons.iter_mut().zip(victim_documents) {
            person.identity.documents = documents;
        }
        for (person, documents) in opening.suspects.iter_mut().zip(accused_documents) {
            person.identity.documents = documents;
        }
        let victims = u64::try_from(opening.persons.len()).unwrap_or(0);
        let fact_date = opening.case.fact_date();
        let terms: Vec<(ChargeId, u32)> = opening
            .counts
            .iter()
            .map(|charge| {
                let band = charge.band(&self.law, fact_date);
                (charge.id, band.map_or(60, |b| b.min_months + (b.max_months - b.min_months) / 4))
            })
            .collect();
        let first = opening.persons.first().map(|p| (p.id, p.victim.detail.minor()));
        let case = commit_opening(self.store, act, once, opening).await?.view.id;
        let referrals = u64::from(sharing.is_some());
        if let Some(sharing) = sharing {
            self.share(number, &owner, case, first, &sharing).await?;
        }
        for (step, one) in (1..).zip(moves) {
            self.step(number, &owner, case, step, one, &terms).await?;
        }
        Ok(Done { cases: 1, victims, referrals })
    }

    async fn step(
        &self,
        number: u64,
        owner: &AgencyCode,
        case: CaseId,
        step: u32,
        one: Move,
        terms: &[(ChargeId, u32)],
    ) -> Result<()> {
        let Move { trigger, legal_act, outcome, at } = one;
        let verdicts = outcome.map(|outcome| {
            terms.iter().map(move |(charge_id, months)| VerdictInput {
                charge_id: *charge_id,
                outcome: outcome.to_owned(),
                imprisonment_months: (outcome == "convicted").then_some(*months),
                life_imprisonment: false,
                day_fines: None,
                disqualification: Vec::new(),
                disqualification_months: None,
                reparation: Vec::new(),
                out_of_band_reason: None,
            })
        });
        let request = CaseTransitionCreate {
            trigger: trigger.to_owned(),
            legal_act: Some(LegalAct {
                kind: legal_act.to_owned(),
                number: Some(format!("{step:02}-SINT")),
                date: Some(crate::kernel::PartialDate::from_date(at.date())),
                authority: None,
                document_ref: None,
            }),
            effective_on: None,
            reason: None,
            actor: None,
            charges: None,
            verdicts: verdicts.into_iter().flatten().collect(),
            into_case_id: None,
            to_agency: None,
            accused: Vec::new(),
        };
        let act = self.act(owner, Purpose::Prosecution, number, u64::from(step), at);
        let once = self.once(number, &format!("move-{step}"))?;
        move_case(self.store, act, once, case, i64::from(step), request).await.map(drop)
    }

    async fn share(
        &self,
        number: u64,
        owner: &AgencyCode,
        case: CaseId,
        first: Option<(VictimId, bool)>,
        sharing: &Sharing,
    ) -> Result<()> {
        let Sharing { to, at, fate, .. } = sharing;
        let act = |stream, agency: &AgencyCode, purpose, hours: i64| {
            self.act(agency, purpose, number, 100 + stream, at.plus_seconds(3_600 * hours))
        };
        let consented = match first.filter(|_| sharing.rests_on_consent()) {
            None => None,
            Some((victim, minor)) => {
                let offer = self.once(number, "consent")?;
                let asking = act(20, owner, Purpose::Assistance, 0);
                let id = offer_consent(self.store, asking, offer, victim, consent(minor), false).await?.view.id;
                let (answering, answer) = (act(21, owner, Purpose::Assistance, 0), self.once(number, "consent-give")?);
                let given = ConsentTransitionCreate { trigger: Answer::Give, at: None, evidence: None, reason: None };
                move_consent(self.store, answering, answer, id, 1, given, false).await?;
                Some((victim, id))
            }
        };
        let once = self.once(number, "referral")?;
        let drafted =
            draft_referral(self.store, act(0, owner, Purpose::Referral, 0), once, sharing.request(case, consented)).await?;
        let id: ReferralId = drafted.view.id;
        let sent = self.once(number, "referral-send")?;
        let send = request(Trigger::Send, None, None);
        move_referral(self.store, act(1, owner, Purpose::Referral, 1), sent, id, 1, send, None).await?;
        let answers: &[(Trigger, Option<&str>, Option<&str>)] = match fate {
            Fate::Sent => &[],
            Fate::Rejected => &[(Trigger::Reject, Some("Sin cupo en la región."), Some("no_capacity"))],
            Fate::Accepted => &[(Trigger::Accept, None, None)],
            Fate::Completed => &[(Trigger::Accept, None, None), (Trigger::Complete, None, Some("service_delivered"))],
        };
        for (stream, (trigger, reason, outcome)) in (2_u64..).zip(answers) {
            let once = self.once(number, &format!("referral-{}", trigger.as_str()))?;
            let act = act(stream, to, Purpose::Assistance, if stream == 2 { 8 } else { 400 });
            let version = i64::try_from(stream).unwrap_or(0);
            move_referral(self.store, act, once, id, version, request(*trigger, *reason, *outcome), None).await?;
        }
        self.help(number, owner, Helped { first, consented }, sharing).await
    }

    /// What was asked for is given: the service of an accepted request, until it is done.
    async fn help(
        &self,
        number: u64,
        owner: &AgencyCode,
        Helped { first, consented }: Helped,
        sharing: &Sharing,
    ) -> Result<()> {
        let Sharing { to, at, fate, .. } = sharing;
        let ground = match (consented, first) {
            (Some((victim, consent)), _) => Some((victim, "consent", Some(consent))),
            (None, Some((victim, true))) => Some((victim, "minor_protection", None)),
            (None, _) => None,
        };
        let steps: &[Service] = match fate {
            Fate::Sent | Fate::Rejected => return Ok(()),
            Fate::Accepted => &[Service::Plan, Service::Start],
            Fate::Completed => &[Service::Plan, Service::Start, Service::Meet],
        };
        let (Some((victim, basis, consent_id)), Some(need)) = (ground, sharing.service()) else { return Ok(()) };
        let act = |stream, agency: &AgencyCode, hours: i64| {
            self.act(agency, Purpose::Assistance, number, 140 + stream, at.plus_seconds(3_600 * hours))
        };
        let new = AssistanceCreate {
            need: need.to_owned(),
            provider_agency: Some(to.clone()),
            legal_basis: Some(basis.to_owned()),
            consent_id,
            ..AssistanceCreate::default()
        };
        let id = register(self.store, act(0, owner, 9), self.once(number, "help")?, victim, new).await?.view.id;
        for (version, step) in (1_i64..).zip(steps) {
            let (agency, hours) = match step {
                Service::Plan => (owner, 10),
                Service::Start => (to, 30),
                _ => (to, 400),
            };
            let once = self.once(number, &format!("help-{}", step.as_str()))?;
            let moved = AssistanceTransitionCreate {
                trigger: *step,
                effective_on: None,
                unmet_reason: None,
                cost: None,
                reason: None,
            };
            make_move(self.store, act(version.unsigned_abs(), agency, hours), once, id, version, moved).await?;
        }
        Ok(())
    }

    pub(super) fn act(&self, agency: &AgencyCode, purpose: Purpose, number: u64, stream: u64, now: Timestamp) -> Act {
        let chance = Chance::seeded(self.seed, number * 1_000 + stream);
        let caller = Caller {
            client: self.client,
            agency: agency.clone(),
            oversight: false,
            user: None,
            scopes: Vec::new(),
            purpose,
            expires_at: now,
        };
        Act {
            actor: Actor {
                client: Some(self.client),
                agency: Some(agency.clone()),
                user: None,
                purpose: Some(purpose),
                request_id: uuid::Uuid::from_u128(u128::from(number)),
                trail: Trail::default(),
            },
            scope: caller.scope(now),
            now,
            catalogue: Arc::clone(&self.law),
            index: Arc::clone(&self.index),
            chance,
        }
    }

    pub(super) fn once(&self, number: u64, what: &str) -> Result<Once> {
        let key = Key::parse(&format!("demo-{}-{number:012}-{what}", self.seed))
            .ok_or_else(|| Error::internal("the demo's keys are malformed"))?;
        Ok(Once::new(self.client, key, "demo".to_owned()))
    }
}

fn consent(minor: bool) -> ConsentCreate {
    ConsentCreate {
        purposes: vec!["referral".to_owned(), "assistance".to_owned()],
        recipients: Vec::new(),
        language: "es".to_owned(),
        interpreter: false,
        form: "written".to_owned(),
        given_by: if minor { "guardian" } else { "self" }.to_owned(),
        guardian_conflict: false,
        text_version: None,
        explained_by: None,
        expires_at: None,
    }
}

fn request(trigger: Trigger, reason: Option<&str>, outcome: Option<&str>) -> ReferralTransitionCreate {
    let (reason, outcome) = (reason.map(str::to_owned), outcome.map(str::to_owned));
    ReferralTransitionCreate { trigger, reason, outcome, to_agency: None }
}

//! The year 2012 of the press release that the registry was built after, in synthetic persons: six victims in the United
//! States reunited with relatives, a campaign that begins at Lima's airport, eighty professionals trained with money of
//! Canada, and the funds that paid for it. Pure but for the loader's writes.

use serde_json::{Value, json};

use super::load::{Done, Loader};
use crate::assistance::actions as help;
use crate::auth::Purpose;
use crate::campaigns::model::{self as campaign};
use crate::campaigns::wire::CampaignTransitionCreate;
use crate::cases::actions::{Opening, commit_opening};
use crate::consents::actions::{move_consent, offer_consent};
use crate::fundings::model as funding;
use crate::kernel::ids::{BeneficiaryId, Kind, ReunificationId, TransitionId, VictimId};
use crate::kernel::{AgencyCode, Day, Error, Id, Result, Timestamp};
use crate::programmes::actions as programmes;
use crate::reunifications::actions as reunions;
use crate::trainings::model as training;

/// Number of the case of the six: no story has it.
pub const NUMBER: u64 = 0;
/// Whose case it is.
const OWNER: &str = "PE-MP-FISTRAP-LIMA";
/// Who helps with visas and tickets, and holds the campaign.
const IOM: &str = "INT-IOM";

/// A victim in the United States: sex, age, who joins her or him, and when.
type One = (&'static str, i32, &'static str, &'static str, i32, &'static str, &'static str);

/// Sex, age, relation of the one who joins, sex, age, visa, day of the reunion.
const SIX: [One; 6] = [
    ("female", 31, "child", "female", 9, "us_t3", "2012-03-21"),
    ("female", 27, "child", "male", 6, "us_t3", "2012-05-04"),
    ("female", 38, "spouse", "male", 41, "us_t2", "2012-06-15"),
    ("male", 44, "spouse", "female", 39, "us_t2", "2012-07-27"),
    ("female", 24, "sibling", "female", 16, "us_t5", "2012-08-15"),
    ("female", 20, "parent", "female", 47, "us_t4", "2012-10-02"),
];

/// The way of each of them, and how many days before the reunion.
const WAY: [(&str, u64); 7] = [
    ("check_eligibility", 150),
    ("gather_documents", 120),
    ("apply_for_visa", 100),
    ("grant_visa", 30),
    ("book_travel", 20),
    ("travel", 1),
    ("reunite", 0),
];

/// A body, as a client would send it: members that come later have their defaults.
fn body<T: serde::de::DeserializeOwned>(value: Value) -> Result<T> {
    serde_json::from_value(value).map_err(|e| Error::internal(format!("a body of the demo: {e}")))
}

fn code(text: &str) -> Result<AgencyCode> {
    AgencyCode::parse(text).ok_or_else(|| Error::internal("agency of the demo"))
}

fn at(day: &str) -> Result<Timestamp> {
    let noon = |day: Day| day.midnight().plus_seconds(15 * 3_600);
    Day::parse(day).map(noon).ok_or_else(|| Error::internal("day of the demo"))
}

/// The day so many days before another, and its noon.
fn before(day: &str, days: u64) -> Result<(Day, Timestamp)> {
    let day = Day::parse(day).and_then(|d| d.date().checked_sub_days(chrono::Days::new(days))).map(Day::from_date);
    let day = day.ok_or_else(|| Error::internal("day of the demo"))?;
    Ok((day, day.midnight().plus_seconds(15 * 3_600)))
}

impl Loader<'_> {
    /// The whole year.
    pub(super) async fn press_release(&self) -> Result<Done> {
        let owner = code(OWNER)?;
        let reported = at("2011-10-17")?;
        let victims: Vec<Value> = SIX
            .iter()
            .enumerate()
            .map(|(n, (sex, age, ..))| {
                json!({"label": format!("v{n}"), "sex": sex, "age_at_identification": age, "nationalities": ["PE"],
                    "country_of_birth": "PE", "languages": ["es"], "status": "recognised", "acts": ["recruit", "transport"],
                    "means": ["deception"], "purposes": ["labour_exploitation"], "recruitment": "false_job"})
            })
            .collect();
        let case = json!({"title": "Peruanos explotados en el servicio doméstico en los Estados Unidos",
            "summary": "Registro sintético. Seis víctimas identificadas por el consulado.", "reported_at": reported,
            "report_channel": "consulate", "facts_from": "2009", "territory": "150101", "scope": "international",
            "exploitation": ["domestic_servitude"], "complexity": "complex", "victims": victims,
            "accused": [{"label": "a0", "kind": "unidentified"}], "charges": []});
        let act = self.act(&owner, Purpose::Prosecution, NUMBER, 0, reported);
        let once = self.once(NUMBER, "case")?;
        let opening = Opening::plan(body(case)?, &act, once.bucket())?;
        let persons: Vec<VictimId> = opening.persons.iter().map(|p| p.id).collect();
        commit_opening(self.store, act, once, opening).await?;
        let mut reunited = Vec::new();
        for (n, (victim, one)) in (1_u64..).zip(persons.iter().zip(SIX)) {
            reunited.push(self.reunion(&owner, n * 40, *victim, one).await?);
        }
        let campaign = self.campaign().await?;
        let trainings = self.trainings().await?;
        self.funds(campaign, &trainings, &reunited).await?;
        Ok(Done { cases: 1, victims: 6, referrals: 0 })
    }

    /// One victim: her consent, the help with visa and tickets, and the relative who joins her.
    async fn reunion(&self, owner: &AgencyCode, stream: u64, victim: VictimId, one: One) -> Result<ReunificationId> {
        let (_, _, relation, sex, age, visa, on) = one;
        let iom = code(IOM)?;
        let act = |n: u64, agency: &AgencyCode, now| self.act(agency, Purpose::Assistance, NUMBER, stream + n, now);
        let once = |what: &str| self.once(NUMBER, &format!("{what}-{stream}"));
        let (_, asked) = before(on, 170)?;
        let offer = body(
            json!({"purposes": ["assistance"], "recipients": [IOM], "language": "es", "form": "written", "given_by": "self"}),
        )?;
        let consent = offer_consent(self.store, act(0, owner, asked), once("consent")?, victim, offer, false).await?.view.id;
        let given = body(json!({"trigger": "give"}))?;
        move_consent(self.store, act(1, owner, asked), once("consent-give")?, consent, 1, given, false).await?;
        let need =
            body(json!({"need": "visa_support", "provider_agency": IOM, "legal_basis": "consent", "consent_id": consent,
            "plan": {"goal": "Reunificación con su familia."}, "cost": {"amount_minor": 48_000, "currency": "USD"}}))?;
        let need = help::register(self.store, act(2, owner, asked), once("need")?, victim, need).await?.view.id;
        for (n, (trigger, agency, days)) in (1_i64..).zip([("plan", owner, 165), ("start", &iom, 160), ("meet", &iom, 0)]) {
            let (day, now) = before(on, days)?;
            let moved = body(json!({"trigger": trigger, "effective_on": day}))?;
            let stream = 3 + n.unsigned_abs();
            help::make_move(self.store, act(stream, agency, now), once(&format!("need-{trigger}"))?, need, n, moved).await?;
        }
        let (leaves, _) = before(on, 1)?;
        let minor = age < 18;
        let new = body(
            json!({"country": "US", "host_status": "us_t1", "sponsor_agency": IOM, "legal_basis": "consent", "consent_id": consent,
            "beneficiaries": [{"relation": relation, "sex": sex, "age": age, "visa": visa,
            "escort": minor.then(|| json!({"kind": "agency_staff", "agency": IOM})),
            "best_interest": minor.then(|| format!("IEN-{stream}-2012")),
            "tickets": [{"route": ["LIM", "MIA", "IAD"], "travels_on": leaves, "cost": {"amount_minor": 92_000, "currency": "USD"}, "paid_by": IOM}]}]}),
        )?;
        let made = reunions::begin(self.store, act(10, owner, asked), once("reunion")?, victim, new, false).await?.view;
        let relative: BeneficiaryId = made
            .beneficiaries
            .first()
            .map(|b| b.id)
            .ok_or_else(|| Error::internal("a reunion of the demo without a relative"))?;
        for (n, (trigger, days)) in (1_i64..).zip(WAY) {
            let (day, now) = before(on, days)?;
            let moved = body(json!({"trigger": trigger, "effective_on": day}))?;
            let (stream, key) = (10 + n.unsigned_abs(), once(&format!("reunion-{trigger}"))?);
            reunions::make_move(self.store, act(stream, &iom, now), key, (made.id, relative), n, moved, false).await?;
        }
        Ok(made.id)
    }

    async fn campaign(&self) -> Result<crate::kernel::ids::CampaignId> {
        let iom = code(IOM)?;
        let act = |stream, now| self.act(&iom, Purpose::Assistance, NUMBER, 400 + stream, now);
        let slogan = "El Perú unido contra la trata de personas";
        let new = json!({"name": slogan, "slogans": [{"language": "es", "text": slogan}, {"language": "en", "text": "Peru united against human trafficking"}],
            "organisers": [IOM, "PE-MP", "PE-MIGRACIONES"], "funders": [IOM], "channels": ["poster", "screen", "leaflet"],
            "audience": "Pasajeros y personal de aeropuertos y puestos de frontera",
            "venues": [{"place_code": "LIM", "kind": "airport", "territory": "070101", "name": "Aeropuerto Internacional Jorge Chávez"},
                {"place_code": "CUZ", "kind": "airport", "territory": "080101", "name": "Aeropuerto Alejandro Velasco Astete"},
                {"place_code": "TACNA", "kind": "border_post", "territory": "230101", "name": "Complejo fronterizo Santa Rosa"}],
            "phases": [{"name": "Primera fase", "starts_on": "2012-09-01", "ends_on": "2012-11-30", "venues": ["LIM"]},
                {"name": "Otros aeropuertos y fronteras", "starts_on": "2013-01-15", "ends_on": "2013-04-15", "venues": ["CUZ", "TACNA"]}],
            "reach": [{"channel": "screen", "persons": 640_000, "as_of": "2012-11-30"}]});
        let act_now = act(0, at("2012-07-02")?);
        let prepared = campaign::plan(body(new)?, &act_now);
        let once = self.once(NUMBER, "campaign")?;
        let outside = crate::campaigns::actions::outside;
        let id = programmes::create(self.store, act_now, once, prepared, outside, campaign::view).await?.view.id;
        let moves = [
            (json!({"trigger": "start", "effective_on": "2012-09-01"}), "2012-09-01"),
            (json!({"trigger": "complete", "effective_on": "2013-04-15"}), "2013-04-15"),
            (
                json!({"trigger": "evaluate", "effective_on": "2013-06-03", "evaluation": "Registro sintético. Más llamadas a la línea."}),
                "2013-06-03",
            ),
        ];
        for (n, (moved, on)) in (1_i64..).zip(moves) {
            let new: CampaignTransitionCreate = body(moved)?;
            let act = act(n.unsigned_abs(), at(on)?);
            let (once, done): (_, TransitionId) = (self.once(NUMBER, &format!("campaign-{n}"))?, act.id(id.bucket()));
            let change = move |record: &mut _, act: &_| campaign::make_move(record, done, &new, act);
            programmes::make_move(self.store, act, once, (id, n), change, campaign::view).await?;
        }
        Ok(id)
    }

    /// Eighty judges, prosecutors and police officers, in two courses.
    async fn trainings(&self) -> Result<Vec<crate::kernel::ids::TrainingId>> {
        let iom = code(IOM)?;
        let courses = [
            json!({"title": "Investigación y juzgamiento de la trata de personas", "starts_on": "2012-05-14", "ends_on": "2012-05-18", "territory": "150101",
                "hours": 30, "organisers": [IOM, "PE-MP"], "funders": ["CA"], "participants": [
                {"profession": "judge", "sex": "female", "district": "PE-DF-LIMA-CENTRO", "count": 9}, {"profession": "judge", "sex": "male", "district": "PE-DF-LIMA-CENTRO", "count": 11},
                {"profession": "prosecutor", "sex": "female", "district": "PE-DF-LIMA-CENTRO", "count": 16}, {"profession": "prosecutor", "sex": "male", "district": "PE-DF-LIMA-CENTRO", "count": 9}],
                "pre_test": {"taken": 45, "passed": 19, "mean_permille": 471}, "post_test": {"taken": 44, "passed": 41, "mean_permille": 822}}),
            json!({"title": "Detección de víctimas y primera respuesta", "starts_on": "2012-08", "territory": "080101", "hours": 24, "organisers": [IOM, "PE-PNP"],
                "funders": ["CA"], "participants": [
                {"profession": "police", "sex": "female", "district": "PE-DF-CUSCO", "count": 12}, {"profession": "police", "sex": "male", "district": "PE-DF-CUSCO", "count": 23}]}),
        ];
        let mut made = Vec::new();
        for (n, course) in (0_u64..).zip(courses) {
            let act = self.act(&iom, Purpose::Assistance, NUMBER, 500 + n, at("2012-09-10")?);
            let prepared = training::register(body(course)?, &act);
            let once = self.once(NUMBER, &format!("training-{n}"))?;
            let outside = crate::trainings::actions::outside;
            made.push(programmes::create(self.store, act, once, prepared, outside, training::view).await?.view.id);
        }
        Ok(made)
    }

    /// Canada pays the courses, the mission's own funds the rest.
    async fn funds(
        &self,
        campaign: crate::kernel::ids::CampaignId,
        trainings: &[crate::kernel::ids::TrainingId],
        reunited: &[ReunificationId],
    ) -> Result<()> {
        fn paid<K: Kind>(kind: &str, id: Id<K>, amount: i64) -> Value {
            json!({"kind": kind, "resource_id": id, "amount_minor": amount})
        }
        let iom = code(IOM)?;
        let courses: Vec<Value> = trainings.iter().map(|id| paid("training", *id, 6_800_000)).collect();
        let rest: Vec<Value> = std::iter::once(paid("campaign", campaign, 3_150_000))
            .chain(reunited.iter().map(|id| paid("reunification", *id, 140_000)))
            .collect();
        let given = [
            json!({"donor": "CA", "year": 2012, "amount": {"amount_minor": 15_000_000, "currency": "CAD"},
                "project": "Fortalecimiento de capacidades contra la trata de personas", "uses": courses}),
            json!({"donor": IOM, "year": 2012, "amount": {"amount_minor": 5_000_000, "currency": "USD"}, "project": "Fondos de la misión", "uses": rest}),
        ];
        for (n, one) in (0_u64..).zip(given) {
            let act = self.act(&iom, Purpose::Assistance, NUMBER, 600 + n, at("2012-12-14")?);
            let prepared = funding::register(body(one)?, &act)?;
            let once = self.once(NUMBER, &format!("funding-{n}"))?;
            let outside = crate::fundings::actions::outside;
            programmes::create(self.store, act, once, prepared, outside, funding::view).await?;
        }
        Ok(())
    }
}

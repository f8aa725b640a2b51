//! Figures over a registry of so many cases, with two victims and one and a half charges a case: every documented kind of
//! question, beside plain SQL that groups the same rows in a table made for it.
//!
//! `cargo bench --bench throughput -- statistics --cases 1000000`

use std::sync::Arc;
use std::time::{Duration, Instant};

use chrono::{Days, NaiveDate};
use diesel::RunQueryDsl;
use diesel::connection::SimpleConnection;
use sistra::app::start;
use sistra::auth::Purpose;
use sistra::auth::clients::{Credential, NewClient, create};
use sistra::config::Config;
use sistra::db::connection::{Role, open};
use sistra::db::{Conn, DatabaseUrl};
use sistra::kernel::ids::{AccusedId, CaseId, VictimId};
use sistra::kernel::{AgencyCode, Bucket, Timestamp};
use sistra::statistics::facts::{AccusedFacts, CaseFacts, ChargeFacts, Share, VictimFacts};
use sistra::statistics::store;

use crate::load::{once, request};

/// Numbers that look random and are the same every time.
struct Dice(u64);

impl Dice {
    fn roll(&mut self, sides: u64) -> u64 {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) % sides
    }

    /// One of a list, the first ones more often.
    fn pick<'l>(&mut self, list: &[&'l str]) -> &'l str {
        let n = list.len() as u64;
        list[self.roll(n).min(self.roll(n)) as usize]
    }
}

const STAGES: [&str; 8] =
    ["archived", "preliminary_inquiry", "formal_investigation", "reported", "trial", "indicted", "enforcement", "judged"];
const FORMS: [&str; 8] = [
    "sexual_adult",
    "sexual_child",
    "labour_mining",
    "labour_food_service",
    "begging",
    "domestic_servitude",
    "labour_textile",
    "forced_crime",
];
const OWNERS: [&str; 6] = [
    "PE-MP-FISTRAP-LIMA",
    "PE-MP-FISTRAP-MDD",
    "PE-MP-FISTRAP-PUNO",
    "PE-MP-FISTRAP-LORETO",
    "PE-MP-FISTRAP-CUSCO",
    "PE-MP-FISTRAP-PIURA",
];
const SEXES: [&str; 5] = ["female", "male", "unknown", "not_asked", "refused"];
const AGES: [&str; 6] = ["age_13_17", "age_18_24", "age_25_29", "age_30_44", "unknown", "age_0_12"];
const COUNTRIES: [&str; 6] = ["PE", "VE", "CO", "BO", "EC", "BR"];
const OFFENCES: [&str; 5] = ["PE-CP-129-A", "PE-CP-129-B", "PE-CP-129-C", "PE-CP-129-O", "PE-CP-303-A"];
const STATES: [&str; 6] = ["archived", "under_inquiry", "formalised", "indicted", "convicted_final", "acquitted_final"];

fn facts(dice: &mut Dice) -> CaseFacts {
    let text = str::to_owned;
    let reported = NaiveDate::from_ymd_opt(2016, 1, 1).unwrap() + Days::new(dice.roll(3_650));
    let after = |dice: &mut Dice, sides: u64| reported + Days::new(20 + dice.roll(sides));
    let depth = dice.roll(10).saturating_sub(5) as usize;
    let mut steps = [None; 4];
    for (n, step) in steps.iter_mut().enumerate().take(depth) {
        *step = Some(after(dice, 200 * (n as u64 + 1)));
    }
    let victims = (0..1 + dice.roll(3))
        .map(|_| VictimFacts {
            id: VictimId::from_uuid(uuid::Uuid::from_u64_pair(dice.roll(u64::MAX >> 34) << 30 | dice.roll(1 << 30), dice.0)),
            person: None,
            again: dice.roll(50) == 0,
            sex: text(dice.pick(&SEXES)),
            age_band: text(dice.pick(&AGES)),
            nationalities: vec![text(dice.pick(&COUNTRIES))],
            birth: None,
            status: text(dice.pick(&["presumed", "recognised", "not_victim"])),
            recruitment: Some(text(dice.pick(&["false_job", "online", "acquaintance", "partner"]))),
            means: vec![text("deception")],
            purposes: vec![text(dice.pick(&["sexual_exploitation", "labour_exploitation", "begging"]))],
            care: None,
        })
        .collect();
    let accused: Vec<AccusedFacts> = (0..1 + dice.roll(2))
        .map(|_| AccusedFacts {
            id: AccusedId::from_uuid(uuid::Uuid::from_u64_pair(dice.0, dice.roll(1 << 30) << 20 | dice.roll(1 << 20))),
            person: None,
            again: false,
            kind: text("natural_person"),
            sex: text(dice.pick(&SEXES)),
            age_band: text(dice.pick(&AGES)),
            nationalities: vec![text(dice.pick(&COUNTRIES))],
        })
        .collect();
    let charges = accused
        .iter()
        .map(|a| {
            let state = dice.pick(&STATES);
            let decided = state.ends_with("_final").then(|| after(dice, 900));
            ChargeFacts {
                accused: a.id,
                offence: text(dice.pick(&OFFENCES)),
                version: text("PE-TRATA@2021"),
                state: text(state),
                role: text(dice.pick(&["author", "promoter", "facilitator"])),
                elsewhere: false,
                outcome: decided.map(|_| text(if state.starts_with("conv") { "convicted" } else { "acquitted" })),
                decided,
                months: None,
            }
        })
        .collect();
    let shared = dice.roll(10) == 0;
    CaseFacts {
        owner: text(dice.pick(&OWNERS)),
        jurisdiction: text("PE"),
        procedure: text("NCPP2004"),
        stage: text(dice.pick(&STAGES)),
        reported,
        registered: reported + Days::new(dice.roll(20)),
        territory: Some(format!("{:02}{:02}01", 1 + dice.roll(25), 1 + dice.roll(8))),
        scope: Some(text(dice.pick(&["internal", "international", "cross_border_local"]))),
        channel: text(dice.pick(&["police", "hotline", "in_person", "ngo"])),
        complexity: text("simple"),
        exploitation: vec![text(dice.pick(&FORMS))],
        dated: true,
        elsewhere: false,
        steps,
        shares: if shared {
            vec![Share { agency: text("PE-MIMP-INABIF"), sections: text("victims"), victims: None }]
        } else {
            Vec::new()
        },
        victims,
        accused,
        charges,
    }
}

/// Every kind of question, and the SQL that answers it on the plain tables; none where SQL would be another program.
const QUESTIONS: &[(&str, &str)] = &[
    ("/v1/statistics/cases", "SELECT count(*) AS n FROM bench_case"),
    (
        "/v1/statistics/cases?by=department,year,stage",
        "SELECT department, year, stage, count(*) AS n FROM bench_case GROUP BY 1, 2, 3",
    ),
    (
        "/v1/statistics/victims?by=sex,age_band",
        "SELECT sex, age_band, count(DISTINCT person) AS n FROM bench_victim GROUP BY 1, 2",
    ),
    (
        "/v1/statistics/victims?by=sex,form,month",
        "SELECT sex, form, month, count(DISTINCT person) AS n FROM bench_victim GROUP BY 1, 2, 3",
    ),
    (
        "/v1/statistics/victims?by=nationality&from=2020-01-01&to=2020-12-31&department=15,17&sex=female",
        "SELECT nationality, count(DISTINCT person) AS n FROM bench_victim \
         WHERE year = 2020 AND department IN ('15', '17') AND sex = 'female' GROUP BY 1",
    ),
    ("/v1/statistics/accused?by=sex,age_band,nationality", ""),
    (
        "/v1/statistics/charges?by=offence,charge_state,decided_year",
        "SELECT offence, state, decided_year, count(*) AS n FROM bench_charge GROUP BY 1, 2, 3",
    ),
    ("/v1/statistics/funnel", ""),
    ("/v1/statistics/flows", ""),
    ("/v1/statistics/quality", ""),
    ("/v1/statistics/glotip?year=2020", ""),
    ("/v1/statistics/ic-tip?year=2020", ""),
    ("/v1/statistics/sdg-16-2-2?year=2020", ""),
];

#[derive(diesel::QueryableByName)]
struct Counted {
    #[diesel(sql_type = diesel::sql_types::BigInt)]
    n: i64,
}

fn median(mut took: Vec<Duration>) -> f64 {
    took.sort_unstable();
    took[took.len() / 2].as_secs_f64() * 1e3
}

fn fill(url: &DatabaseUrl, cases: usize) {
    let mut conn = open(url, Role::Write, 3_600_000).unwrap();
    conn.batch_execute(
        "CREATE TABLE bench_case (department TEXT, year BIGINT, stage TEXT); \
         CREATE TABLE bench_victim (person BIGINT, sex TEXT, age_band TEXT, form TEXT, month TEXT, nationality TEXT, year BIGINT, department TEXT); \
         CREATE TABLE bench_charge (offence TEXT, state TEXT, decided_year BIGINT)",
    )
    .unwrap();
    let mut dice = Dice(7);
    let now = Timestamp::now();
    for chunk in (0..cases).collect::<Vec<_>>().chunks(500) {
        let rows: Vec<(CaseId, CaseFacts)> =
            chunk.iter().map(|_| (CaseId::generate(now, Bucket::random()), facts(&mut dice))).collect();
        let (mut of_cases, mut of_victims, mut of_charges) = (Vec::new(), Vec::new(), Vec::new());
        for (_, f) in &rows {
            let (department, day) = (&f.territory.as_ref().unwrap()[..2], f.reported);
            of_cases.push(format!("('{department}', {}, '{}')", day.format("%Y"), f.stage));
            for v in &f.victims {
                of_victims.push(format!(
                    "({}, '{}', '{}', '{}', '{}', '{}', {}, '{department}')",
                    v.id.uuid().as_u64_pair().1 >> 1,
                    v.sex,
                    v.age_band,
                    f.exploitation[0],
                    day.format("%Y-%m"),
                    v.nationalities[0],
                    day.format("%Y"),
                ));
            }
            for c in &f.charges {
                let year = c.decided.map_or_else(|| "NULL".to_owned(), |d| d.format("%Y").to_string());
                of_charges.push(format!("('{}', '{}', {year})", c.offence, c.state));
            }
        }
        conn.batch_execute("BEGIN").unwrap();
        store::insert_many(&mut conn, &rows, 1).unwrap();
        for (table, values) in [("bench_case", of_cases), ("bench_victim", of_victims), ("bench_charge", of_charges)] {
            conn.batch_execute(&format!("INSERT INTO {table} VALUES {}", values.join(","))).unwrap();
        }
        conn.batch_execute("COMMIT").unwrap();
    }
    conn.batch_execute("INSERT INTO statistics_head (bucket, name, position, at) VALUES (0, 'facts', 1, NULL)").unwrap();
    conn.batch_execute("ANALYZE").unwrap();
}

/// Runs the questions on one engine.
pub fn run(engine: &str, database: DatabaseUrl, dir: std::path::PathBuf, cases: usize) {
    let mut config = Config::for_tests(database.clone(), dir);
    config.serve.token_ttl_s = 900;
    // Schema first; the server that is measured starts on the filled database, as after any restart.
    start(&config).unwrap().stop();
    let filled = Instant::now();
    fill(&database, cases);
    println!("\n{engine}: {cases} cases made in {:.0} s", filled.elapsed().as_secs_f64());
    let running = start(&config).unwrap();
    let loading = Instant::now();
    let loaded = running.figures.load(&running.store).unwrap();
    println!("{loaded} cases read into memory in {:.1} s", loading.elapsed().as_secs_f64());
    let bytes = running.figures.ask(sistra::statistics::memory::Memory::bytes).unwrap();
    println!("{:.0} MB in memory, {} bytes a case with its persons and charges", bytes as f64 / 1e6, bytes / loaded.max(1));
    let new = NewClient {
        agency: AgencyCode::parse("PE-DP").unwrap(),
        name: "bench".into(),
        scopes: vec!["statistics:read".into()],
        purposes: vec![Purpose::Oversight],
        credential: Credential::Secret,
    };
    let (id, _) = running.store.write_blocking(move |tx| Ok(create(tx, &new, Timestamp::now()))).unwrap().unwrap();
    running.authenticator.directory.refresh(&running.store).unwrap();
    let client: Arc<_> = running.authenticator.directory.find(id).unwrap().unwrap();
    let token =
        running.authenticator.token_for(&client, &client.scopes, Purpose::Oversight, None, Timestamp::now()).unwrap();
    let mut conn = open(&database, Role::Write, 600_000).unwrap();
    println!("{:<100} {:>9} {:>9}", "question (one at a time, median of 9)", "ms", "SQL ms");
    for (path, sql) in QUESTIONS {
        let bytes = request("GET", path, &token, &[], "");
        let took = |_| {
            let asked = Instant::now();
            let (status, answer) = once(running.addr, &bytes);
            assert_eq!(status, 200, "{path}: {answer}");
            asked.elapsed()
        };
        let ours = median((0..9).map(took).collect());
        let theirs = (!sql.is_empty()).then(|| {
            let took = |_| {
                let asked = Instant::now();
                let rows: Vec<Counted> = match &mut conn {
                    Conn::Postgres(c) => diesel::sql_query(*sql).load(c).unwrap(),
                    Conn::Sqlite(c) => diesel::sql_query(*sql).load(c).unwrap(),
                };
                assert!(rows.iter().all(|r| r.n > 0));
                asked.elapsed()
            };
            median((0..3).map(took).collect())
        });
        println!("{path:<100} {ours:>9.1} {:>9}", theirs.map_or_else(|| "-".to_owned(), |ms| format!("{ms:.1}")));
    }
    running.stop();
}

//! A small registry for tests: one case with three victims, its owner, two receivers, a supervisor, a closed agency.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing, clippy::panic)]

use std::sync::Arc;

use diesel::prelude::*;

use super::actions;
use super::states::Trigger;
use super::wire::{ReferralCreate, ReferralTransitionCreate, ReferralView};
use crate::act::Act;
use crate::agencies::model::{Agency, AgencyDetail};
use crate::agencies::wire::AgencyNames;
use crate::auth::clients::Directory;
use crate::auth::issuers::Issuers;
use crate::auth::keys::SigningKeys;
use crate::auth::{Authenticator, Caller, Purpose, Signer};
use crate::cases::model::{Case, CaseDetail};
use crate::cases::{Sight, docket};
use crate::catalogue::Catalogue;
use crate::db::connection::{Role, open};
use crate::db::schema::{case_victim, ledger_entry, victim};
use crate::db::{DatabaseUrl, Json, Store, StoreSettings, migrations};
use crate::http::idempotency::{Key, Once};
use crate::kernel::ids::{CaseId, ClientId, VictimId};
use crate::kernel::trail::Trail;
use crate::kernel::{AgencyCode, Bucket, Error, Result, Timestamp};
use crate::ledger::Actor;
use crate::vault::{KeyringSettings, Source, Vault};

/// Whose case it is.
pub const OWNER: &str = "PE-MP";
/// Those with whom it can be shared.
pub const RECEIVERS: [&str; 2] = ["PE-PNP", "NGO-A"];

pub struct World {
    pub store: Store,
    pub runtime: tokio::runtime::Runtime,
    pub catalogue: Arc<Catalogue>,
    pub case: CaseId,
    pub victims: Vec<VictimId>,
    dir: std::path::PathBuf,
}

impl Drop for World {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.dir);
    }
}

pub fn code(text: &str) -> AgencyCode {
    AgencyCode::parse(text).unwrap()
}

fn agency(text: &str, oversight: bool, active_to: Option<&str>) -> Agency {
    let names = AgencyNames { es: text.into(), en: text.into(), fr: text.into() };
    Agency {
        code: code(text),
        version: 1,
        kind: "police".into(),
        country: Some("PE".into()),
        territory: None,
        parent: None,
        oversight,
        detail: AgencyDetail {
            names,
            services: vec![],
            active_from: None,
            active_to: active_to.map(|d| d.parse().unwrap()),
        },
        created_at: Timestamp::now(),
        updated_at: Timestamp::now(),
    }
}

impl World {
    pub fn found() -> Self {
        let dir = std::env::temp_dir().join(format!("sistra-referrals-{}", uuid::Uuid::new_v4()));
        std::fs::create_dir_all(&dir).unwrap();
        let url = DatabaseUrl::Sqlite(dir.join("registry.sqlite"));
        let now = Timestamp::now();
        let mut conn = open(&url, Role::Write, 5_000).unwrap();
        migrations::up(&mut conn).unwrap();
        let source = Source::File(dir.join("keyring.json"));
        let ring = KeyringSettings { source, erased: dir.join("erased.log"), make: true };
        let vault = Some(Vault::open(&mut conn, &ring, now).unwrap());
        let store = Store::open(&StoreSettings { connections: 2, vault, ..StoreSettings::new(url) }).unwrap();
        let case_id = CaseId::generate(now, Bucket::random());
        let victims: Vec<VictimId> = (0..3).map(|_| VictimId::generate(now, Bucket::random())).collect();
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        let catalogue = Arc::new(Catalogue::embedded().unwrap());
        let world = Self { store, runtime, catalogue, case: case_id, victims: victims.clone(), dir };
        let act = world.act(OWNER, false);
        let case = Case {
            id: case_id,
            version: 1,
            code: "TP".into(),
            owner: code(OWNER),
            jurisdiction: "PE".into(),
            procedural_code: "NCPP2004".into(),
            stage: "reported".into(),
            reported_at: now,
            territory: None,
            external_ref: None,
            detail: CaseDetail {
                identifiers: vec![],
                title: "t".into(),
                summary: None,
                report_channel: "police".into(),
                facts_from: None,
                facts_from_estimated: false,
                facts_to: None,
                facts_to_estimated: false,
                scope: None,
                exploitation: vec![],
                complexity: "simple".into(),
                extensions: vec![],
                stage_since: now.date(),
                chain: crate::cases::model::Chain::default(),
                restricted_since: None,
                written_under: crate::catalogue::WrittenUnder::default(),
            },
            created_at: now,
            created_by_agency: code(OWNER),
            updated_at: now,
        };
        world
            .store
            .write_blocking(move |tx| {
                for new in [OWNER, RECEIVERS[0], RECEIVERS[1]].map(|a| agency(a, false, None)) {
                    crate::agencies::store::insert(tx, &new)?;
                }
                crate::agencies::store::insert(tx, &agency("PE-DP", true, None))?;
                crate::agencies::store::insert(tx, &agency("PE-OLD", false, Some("2001-01-01")))?;
                crate::cases::store::insert(tx, &act, &case)?;
                let client = act.actor.client.unwrap();
                for id in &victims {
                    diesel::insert_into(victim::table)
                        .values((
                            victim::bucket.eq(id.bucket().number()),
                            victim::id.eq(*id),
                            victim::code.eq("V"),
                            victim::detail.eq(Json::of(&())?),
                            victim::version.eq(1),
                            victim::created_at.eq(now),
                            victim::created_by_agency.eq(OWNER),
                            victim::created_by_client.eq(client),
                            victim::updated_at.eq(now),
                        ))
                        .execute(tx)?;
                    diesel::insert_into(case_victim::table)
                        .values((
                            case_victim::bucket.eq(case_id.bucket().number()),
                            case_victim::case_id.eq(case_id),
                            case_victim::victim_id.eq(*id),
                            case_victim::detail.eq(Json::of(&())?),
                            case_victim::version.eq(1),
                            case_victim::created_at.eq(now),
                            case_victim::created_by_agency.eq(OWNER),
                            case_victim::created_by_client.eq(client),
                            case_victim::updated_at.eq(now),
                        ))
                        .execute(tx)?;
                }
                Ok(())
            })
            .unwrap();
        world
    }

    pub fn act(&self, agency: &str, oversight: bool) -> Act {
        let now = Timestamp::now();
        let client = ClientId::generate(now, Bucket::random());
        let caller = Caller {
            client,
            agency: code(agency),
            oversight,
            user: None,
            scopes: vec![],
            purpose: Purpose::Referral,
            expires_at: now,
        };
        let actor = Actor {
            client: Some(client),
            agency: Some(code(agency)),
            user: None,
            purpose: Some(Purpose::Referral),
            request_id: uuid::Uuid::new_v4(),
            trail: Trail::default(),
        };
        Act {
            actor,
            scope: caller.scope(now),
            now,
            catalogue: Arc::clone(&self.catalogue),
            index: Arc::new(crate::persons::IndexKey::from_secret(&[7; 32]).unwrap()),
            chance: crate::act::Chance::System,
        }
    }

    pub fn once(&self) -> Once {
        let client = ClientId::generate(Timestamp::now(), Bucket::random());
        Once::new(client, Key::parse("abcdefgh12345678").unwrap(), "f".into())
    }

    pub fn draft(&self, new: ReferralCreate) -> Result<ReferralView> {
        let act = self.act(OWNER, false);
        self.runtime.block_on(actions::draft_referral(&self.store, act, self.once(), new)).map(|w| w.view)
    }

    pub fn fire(&self, of: &ReferralView, agency: &str, trigger: Trigger) -> Result<ReferralView> {
        let to_agency = (trigger == Trigger::Redirect).then(|| code(RECEIVERS[1]));
        let new = ReferralTransitionCreate { trigger, reason: Some("r".into()), outcome: None, to_agency };
        let act = self.act(agency, false);
        self.runtime
            .block_on(actions::move_referral(&self.store, act, self.once(), of.id, of.version, new, Some(self.signer())))
            .map(|w| w.view)
    }

    /// Who signs receipts: keys of this world's directory.
    pub fn signer(&self) -> Signer {
        let keys = SigningKeys::load_or_create(&self.dir, Timestamp::now()).unwrap();
        let directory = Directory::load(&self.store).unwrap();
        Signer::new(Arc::new(Authenticator::new("https://registry.test".into(), keys, directory, Issuers::none(), 300)))
    }

    pub fn sight(&self, agency: &str) -> Option<Sight> {
        let scope = self.act(agency, false).scope;
        let case = self.case;
        match self.store.read_blocking(move |conn| docket::sight(conn, &scope, case)) {
            Ok(sight) => Some(sight),
            Err(Error::NotFound) => None,
            Err(other) => panic!("{other:?}"),
        }
    }

    pub fn verbs(&self, resource: crate::kernel::ids::ResourceId) -> Vec<String> {
        self.store
            .read_blocking(move |conn| {
                Ok(ledger_entry::table
                    .filter(ledger_entry::bucket.eq(resource.bucket().number()))
                    .filter(ledger_entry::resource_id.eq(resource))
                    .select(ledger_entry::action)
                    .order(ledger_entry::id.asc())
                    .load(conn)?)
            })
            .unwrap()
    }

    pub fn create(&self, to: &str, sections: &[&str], victims: Option<Vec<VictimId>>) -> ReferralCreate {
        ReferralCreate {
            case_id: self.case,
            kind: "communication".into(),
            to_agency: code(to),
            victims,
            sections: sections.iter().map(ToString::to_string).collect(),
            services: vec![],
            purpose: "assistance".into(),
            urgency: None,
            legal_basis: "statutory_duty".into(),
            consent_id: None,
            consent_ref: None,
            message: Some("m".into()),
            due_at: None,
            counter_of: None,
            reported_outcome: None,
        }
    }
}

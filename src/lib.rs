//! SISTRA: a registry of human-trafficking accusations, judicial cases, victims and referrals.
//!
//! # The map
//!
//! | where | what it owns |
//! |---|---|
//! | [`kernel`] | words without I/O: ids, instants, partial dates, pages, errors |
//! | [`db`] | the store: connections, the writer, column types, migrations |
//! | [`vault`] | keyring, keys and the sealed form of what names a person or tells a story |
//! | [`ledger`] | the append-only record of everything that happened, its tree and its checkpoints |
//! | [`audit`] | that record as an auditor reads it, and its proofs |
//! | [`auth`] | clients, keys, tokens, the table of permissions |
//! | [`http`] | the only shared code that knows HTTP |
//! | [`catalogue`] | the law as dated data |
//! | [`cases`] [`victims`] [`accused`] [`charges`] [`referrals`] [`agencies`] | the slices |
//! | [`measures`] [`hearings`] [`decisions`] [`notes`] | what happens in a case: coercion, protection, courts, notes |
//! | [`persons`] | who a person is: the same for victims and accused; how somebody is looked for |
//! | [`alerts`] | who looks at more than the work explains, and who must hear of it |
//! | [`holds`] [`erasures`] [`retention`] | what must be kept, who is forgotten, and when |
//! | [`assistance`] [`reunifications`] | the help that victims need and get, and the relatives who join them |
//! | [`care`] | what a victim goes through from the first signs to a life of her or his own |
//! | [`campaigns`] [`trainings`] [`fundings`] | what organisations do for everybody, whom they train, who pays |
//! | [`programmes`] | what these share: money, donors, the ground of help, the totals |
//! | [`deconfliction`] | whether another agency knows a person |
//! | [`jobs`] [`imports`] [`exports`] | work behind a request: files of cases in, files of records out |
//! | [`events`] | what changed, for those who see it: the feed |
//! | [`webhooks`] | the feed, brought to a partner's endpoint |
//! | [`tls`] | whom the registry believes when it calls out |
//! | [`extensions`] | what another system says and the registry has no field for |
//! | [`htcds`] | the field's own format, IOM's HTCDS, in and out |
//! | [`ctdc`] | the file of victims that nobody can be found in, for CTDC |
//! | [`corrections`] | what another agency says is wrong in a record |
//! | [`batch`] | many operations as one |
//! | [`transitions`] | moves of state, for every kind of resource |
//! | [`statistics`] | figures, releases, open data |
//! | [`demo`] | a synthetic registry |
//! | [`app`] [`config`] [`cli`] | composition, settings, commands |
//!
//! # Glossary
//!
//! * **docket**: one row per agency and case that it may see; the only thing that decides visibility.
//! * **sight**: what a caller sees of one case: relation, sections, victims.
//! * **section**: a part of a case that can be granted on its own.
//! * **entry**: one line of the ledger. **sealer**: gives entries their position. **notary**: signs their tree.
//! * **bucket**: 12 bits of an id; the shard key of its row.
//! * **claim**: a row that makes something unique across the registry.

// Tests may stop at once where the program must not.
#![cfg_attr(
    test,
    allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing, clippy::panic, clippy::as_conversions)
)]

pub mod accused;
pub mod act;
pub mod agencies;
pub mod alerts;
pub mod app;
pub mod assistance;
pub mod audit;
pub mod auth;
pub mod batch;
pub mod break_glass;
pub mod campaigns;
pub mod care;
pub mod cases;
pub mod catalogue;
pub mod charges;
pub mod cli;
pub mod config;
pub mod consents;
pub mod corrections;
pub mod ctdc;
pub mod db;
pub mod deadlines;
pub mod decisions;
pub mod deconfliction;
pub mod demo;
pub mod erasures;
pub mod events;
pub mod exports;
pub mod extensions;
pub mod fundings;
pub mod hearings;
pub mod holds;
pub mod htcds;
pub mod http;
pub mod imports;
pub mod jobs;
pub mod kernel;
pub mod ledger;
pub mod measures;
pub mod notes;
pub mod persons;
pub mod programmes;
pub mod referrals;
pub mod retention;
pub mod reunifications;
pub mod statistics;
pub mod tls;
pub mod trainings;
pub mod transitions;
pub mod vault;
pub mod victims;
pub mod webhooks;

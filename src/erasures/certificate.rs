//! The certificate of an erasure, made anew from the record whenever somebody asks, and signed by the ledger's notary.

use super::model::{Erasure, State};
use super::store;
use super::wire::{ErasureCertificate, SignedCertificate};
use crate::act::Act;
use crate::db::{Conn, Store};
use crate::kernel::ids::ErasureId;
use crate::kernel::{Error, Result};
use crate::ledger::{Notary, tree};
use crate::persons::erasure::{CERTIFICATE, DESTROYED};
use crate::retention::desk;

/// The certificate of an erasure that lies on the caller's desk and was executed.
pub async fn certificate(store: &Store, act: &Act, notary: &Notary, id: ErasureId) -> Result<SignedCertificate> {
    let (scope, iss) = (act.scope.clone(), notary.origin(1));
    let certificate = store
        .read(move |conn| {
            if !desk::holds(conn, &scope, id)? {
                return Err(Error::NotFound);
            }
            let erasure = store::find(conn, id)?;
            of(conn, &erasure, iss)
        })
        .await?;
    let text = serde_json::to_vec(&certificate).map_err(|_| Error::internal("a certificate that cannot be written"))?;
    let jws = notary.attest(CERTIFICATE, &text)?;
    Ok(SignedCertificate { certificate, jws, key: notary.key(1).to_string() })
}

fn of(conn: &mut Conn, erasure: &Erasure, iss: String) -> Result<ErasureCertificate> {
    let detail = &erasure.detail;
    let (State::Executed, Some(erased_at), Some(entry), Some(approved_by), Some(approved_at)) =
        (erasure.state, detail.erased_at, detail.entry, detail.decided_by.clone(), detail.decided_at)
    else {
        return Err(Error::StateConflict(vec!["not_executed".into()]));
    };
    let lane = detail.entry_agency.as_ref().map(|agency| agency.as_str());
    Ok(ErasureCertificate {
        iss,
        erasure_id: erasure.id,
        person_type: erasure.person.kind().to_owned(),
        person_id: erasure.person.subject(),
        other_records: detail.other_records.clone(),
        cases: detail.cases,
        destroyed: DESTROYED.map(str::to_owned).to_vec(),
        ground: detail.ground.clone(),
        basis: detail.basis.clone(),
        best_interest: detail.best_interest.clone(),
        proposed_by: erasure.agency.clone(),
        proposed_at: erasure.created_at,
        approved_by,
        approved_at,
        erased_at,
        ledger_entry_id: entry,
        ledger_position: tree::position(conn, lane, entry)?,
    })
}

//! Lines become cases: planned outside the transaction, written many at once inside it, by the actions of the slices.
//!
//! A batch is one transaction. New cases are written together; a line that meets a case that is there already is
//! compared with what it said the last time and applied in a savepoint of its own. A refused line leaves nothing.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use super::model::{ImportLine, ImportRecord, Outcome, Status};
use super::prints::Prints;
use super::store::{self, Origin};
use super::update::{self, Met};
use crate::act::Act;
use crate::cases::actions::{Opening, Sealed, register};
use crate::cases::model::{Claimed, ref_claim};
use crate::cases::store::{claim_all, unclaim};
use crate::db::{Conn, Store, in_savepoint};
use crate::kernel::ids::CaseId;
use crate::kernel::{Bucket, Error, Fault, FaultCode, Result};

/// What the importer may write besides cases.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Rights {
    /// Who victims are.
    pub victim_identities: bool,
    /// Who accused are.
    pub accused_identities: bool,
}

/// A line with everything that can be known of it before the transaction.
#[derive(Debug)]
pub struct Planned {
    line: u64,
    external_ref: Option<String>,
    what: What,
}

#[derive(Debug)]
enum What {
    /// It cannot be.
    Refused(Vec<Fault>),
    /// The case is there and the line says what it said the last time.
    Known(CaseId),
    /// A case; with its opening where there is none of that key.
    Record(Box<(ImportRecord, Option<Fresh>)>),
}

/// A case that is not there yet.
#[derive(Debug)]
struct Fresh {
    opening: Opening,
    sealed: Sealed,
    origin: Origin,
}

/// Turns lines into cases of one agency.
#[derive(Clone)]
pub struct Importer {
    store: Store,
    prints: Arc<Prints>,
    rights: Rights,
}

impl Importer {
    /// For whoever has these rights.
    pub fn new(store: &Store, rights: Rights) -> Result<Self> {
        Ok(Self { store: store.clone(), prints: Arc::new(Prints::new(store)?), rights })
    }

    /// Reads, checks and seals what can be before the transaction.
    pub fn plan(&self, act: &Act, lines: Vec<ImportLine>) -> Result<Vec<Planned>> {
        let claim = |record: &ImportRecord| ref_claim(act.agency(), &record.external_ref);
        let claims: Vec<String> = lines.iter().filter_map(|(_, r)| r.as_ref().ok()).map(claim).collect();
        let known = self.store.read_blocking(|conn| {
            let mut known = BTreeMap::new();
            for (claim, case) in store::holders(conn, &claims)? {
                known.insert(claim, (case, store::fingerprint(conn, case)?));
            }
            Ok(known)
        })?;
        let one = |(line, record): ImportLine| -> Result<Planned> {
            let record = match record {
                Ok(record) => record,
                Err(faults) => return Ok(Planned { line, external_ref: None, what: What::Refused(faults) }),
            };
            let external_ref = Some(record.external_ref.clone());
            let mut faults = self.forbidden(&record);
            let what = if let Some((case, before)) = known.get(&claim(&record)) {
                match before {
                    Some(before) if *before == self.prints.of(&record.case)? => What::Known(*case),
                    _ => What::Record(Box::new((record, None))),
                }
            } else {
                match Opening::plan(record.case.clone(), act, Bucket::random()) {
                    Ok(opening) => {
                        let origin = self.prints.origin(&record, &opening)?;
                        let sealed = Sealed::new(&opening, self.store.vault()?, act)?;
                        What::Record(Box::new((record, Some(Fresh { opening, sealed, origin }))))
                    }
                    Err(error) => {
                        faults.extend(refusal(error)?);
                        What::Refused(Vec::new())
                    }
                }
            };
            let what = if faults.is_empty() { what } else { What::Refused(faults) };
            Ok(Planned { line, external_ref, what })
        };
        lines.into_iter().map(one).collect()
    }

    /// Names and documents need their own scopes, whichever door they come in by.
    fn forbidden(&self, record: &ImportRecord) -> Vec<Fault> {
        let Rights { victim_identities, accused_identities } = self.rights;
        let victims = record.case.victims.iter().map(|v| v.identity.is_some() && !victim_identities);
        let accused = record.case.accused.iter().map(|a| a.identity.is_some() && !accused_identities);
        let fault = |list: &'static str| {
            move |(index, forbidden): (usize, bool)| {
                forbidden.then(|| Fault::body(format!("/{list}/{index}/identity"), FaultCode::ReadOnly))
            }
        };
        let victims = victims.enumerate().filter_map(fault("victims"));
        victims.chain(accused.enumerate().filter_map(fault("accused"))).collect()
    }

    /// Writes a batch in the caller's transaction; answers what became of each line, in order.
    pub fn write(&self, tx: &mut Conn, act: &Act, planned: &[Planned]) -> Result<Vec<Outcome>> {
        let fresh: Vec<&Fresh> = planned
            .iter()
            .filter_map(|p| match &p.what {
                What::Record(record) => record.1.as_ref(),
                What::Refused(_) | What::Known(_) => None,
            })
            .collect();
        let claims: Vec<(String, CaseId)> = fresh
            .iter()
            .flat_map(|Fresh { opening, .. }| opening.case.claims().into_iter().map(|(claim, _)| (claim, opening.case.id)))
            .collect();
        let made: BTreeSet<(String, CaseId)> = claim_all(tx, &claims)?;
        let free = |fresh: &Fresh| {
            let case = &fresh.opening.case;
            case.claims().into_iter().all(|(claim, _)| made.contains(&(claim, case.id)))
        };
        let (new, taken): (Vec<&Fresh>, Vec<&Fresh>) = fresh.into_iter().partition(|fresh| free(fresh));
        for Fresh { opening, .. } in taken {
            for (claim, _) in opening.case.claims() {
                if made.contains(&(claim.clone(), opening.case.id)) {
                    unclaim(tx, &claim)?;
                }
            }
        }
        register(tx, act, &new.iter().map(|f| (&f.opening, &f.sealed)).collect::<Vec<_>>())?;
        store::insert(tx, &new.iter().map(|f| (f.opening.case.id, &f.origin)).collect::<Vec<_>>(), act.now)?;
        let written: BTreeSet<CaseId> = new.iter().map(|f| f.opening.case.id).collect();
        let mut outcomes = Vec::with_capacity(planned.len());
        for Planned { line, external_ref, what } in planned {
            let blank = Outcome {
                line: *line,
                external_ref: external_ref.clone(),
                status: Status::Rejected,
                id: None,
                changed: Vec::new(),
                faults: Vec::new(),
            };
            outcomes.push(match what {
                What::Refused(faults) => Outcome { faults: faults.clone(), ..blank },
                What::Known(case) => Outcome { status: Status::Unchanged, id: Some(*case), ..blank },
                What::Record(record) => match &record.1 {
                    Some(Fresh { opening, .. }) if written.contains(&opening.case.id) => {
                        Outcome { status: Status::Created, id: Some(opening.case.id), ..blank }
                    }
                    fresh => {
                        let opening = fresh.as_ref().map(|fresh| &fresh.opening);
                        match in_savepoint(tx, |tx| self.meet(tx, act, &record.0, opening))? {
                            Ok(Met { status, case, changed }) => Outcome { status, id: Some(case), changed, ..blank },
                            Err(error) => Outcome { faults: refusal(error)?, ..blank },
                        }
                    }
                },
            });
        }
        Ok(outcomes)
    }

    /// A line whose case is there already, or one of whose numbers is another case's.
    fn meet(&self, tx: &mut Conn, act: &Act, record: &ImportRecord, opening: Option<&Opening>) -> Result<Met> {
        let claim = ref_claim(act.agency(), &record.external_ref);
        if let Some(case) = crate::cases::store::holder(tx, &claim)? {
            return update::apply(tx, act, &self.prints, case, record);
        }
        let taken = match opening {
            Some(opening) => {
                let claims = opening.case.claims();
                let mut first = None;
                for (claim, what) in claims.into_iter().filter(|(_, what)| *what != Claimed::ExternalRef) {
                    if first.is_none() && crate::cases::store::holder(tx, &claim)?.is_some() {
                        first = Some(what);
                    }
                }
                first
            }
            None => None,
        };
        // Neither: the case was there when the line was planned, and its key is free now. The next import finds out.
        Err(taken.map_or(Error::field("/external_ref", FaultCode::ReferenceNotFound), Claimed::taken))
    }
}

/// The faults that an error of the slices stands for; bad luck and bugs are none.
pub fn refusal(error: Error) -> Result<Vec<Fault>> {
    match error {
        Error::Validation(faults)
        | Error::IdentifierTaken(faults)
        | Error::FieldForbidden(faults)
        | Error::Rule { faults, .. } => Ok(faults),
        Error::ExternalRefTaken => Ok(vec![Fault::body("/external_ref", FaultCode::UniqueItems)]),
        Error::NotFound | Error::OwnerOnly => Ok(vec![Fault::body("/external_ref", FaultCode::ReferenceNotFound)]),
        Error::StateConflict(_) | Error::Erased | Error::PreconditionFailed { .. } => {
            Ok(vec![Fault::body("", FaultCode::CrossField)])
        }
        other => Err(other),
    }
}

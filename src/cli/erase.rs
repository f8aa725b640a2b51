//! `sistra erase`: destroys a person's key and prints the certificate; `sistra certificate`: checks one, this command's or
//! the service's, against the ledger's key.

use std::path::PathBuf;
use std::sync::Arc;

use clap::{Args, Subcommand};
use serde_json::{Value, json};

use super::{print, vault};
use crate::config::DataArgs;
use crate::kernel::{Error, Timestamp};
use crate::ledger::Notary;
use crate::ledger::checkpoint::VerifyingKey;
use crate::persons::erasure::{self, CERTIFICATE, Order, Person, is_reference};

#[derive(Debug, Args)]
pub struct EraseCommand {
    #[command(flatten)]
    data: DataArgs,
    /// Id of a victim
    #[arg(long, required_unless_present = "accused", conflicts_with = "accused")]
    victim: Option<String>,
    /// Id of an accused
    #[arg(long)]
    accused: Option<String>,
    /// Reference of the order or request on which it rests; no names
    #[arg(long)]
    basis: String,
    /// Reference of the determination of the child's best interest; needed for minors, and where the age is not known
    #[arg(long)]
    best_interest: Option<String>,
    /// Say whether it may be done, and do nothing
    #[arg(long)]
    dry_run: bool,
}

#[derive(Debug, Subcommand)]
pub enum CertificateCommand {
    /// Check the certificate of an erasure and print what it attests; exit code 1 if its signature does not hold
    Verify {
        #[command(flatten)]
        data: DataArgs,
        /// What `sistra erase` printed, or the service answered, or the `jws` of it alone
        file: PathBuf,
        /// The verifying key that was kept with somebody else, instead of the one in the data directory
        #[arg(long)]
        key: Option<String>,
    },
}

/// Erases a person, or says whether that may be; what was done is signed with the ledger's key.
pub fn run(command: &EraseCommand) -> Result<(), String> {
    let EraseCommand { data, victim, accused, basis, best_interest, dry_run } = command;
    for reference in [Some(basis), best_interest.as_ref()].into_iter().flatten() {
        if !is_reference(reference) {
            return Err("a reference is 3–60 of A–Z a–z 0–9 . _ / - with a digit among them".to_owned());
        }
    }
    let person = match (victim, accused) {
        (Some(id), _) => Person::Victim(id.parse().map_err(|()| format!("\"{id}\" is no id of a victim"))?),
        (None, Some(id)) => Person::Accused(id.parse().map_err(|()| format!("\"{id}\" is no id of an accused"))?),
        (None, None) => return Err("name the person with --victim or --accused".to_owned()),
    };
    let law = Arc::new(data.catalogue()?);
    let (store, _) = vault(data)?;
    // What cannot be attested is not done.
    let notary = if *dry_run { None } else { Some(notary(data)?) };
    let order = Order { basis: basis.clone(), best_interest: best_interest.clone() };
    let certificate = erasure::erase(&store, &law, person, &order, Timestamp::now(), *dry_run).map_err(|e| match e {
        Error::NotFound => "there is no such person".to_owned(),
        Error::Erased => "this person is erased already".to_owned(),
        Error::StateConflict(guards) => format!("not erased: {}", guards.join(", ")),
        other => format!("not erased: {other:?}"),
    })?;
    let mut attested = json!(certificate);
    let Some(notary) = notary else { return print(&json!({ "certificate": attested, "jws": null, "key": null })) };
    if let Some(members) = attested.as_object_mut() {
        members.insert("iss".to_owned(), json!(notary.origin(1)));
    }
    let jws = notary.attest(CERTIFICATE, attested.to_string().as_bytes());
    let jws = jws.map_err(|e| format!("the person is erased, and the certificate could not be signed: {e:?}"))?;
    print(&json!({ "certificate": attested, "jws": jws, "key": notary.key(1).to_string() }))
}

fn notary(data: &DataArgs) -> Result<Notary, String> {
    Notary::load(&data.data_dir, data.ledger_memory.as_deref())
}

/// Checks a certificate.
pub fn certificate(command: CertificateCommand) -> Result<(), String> {
    let CertificateCommand::Verify { data, file, key } = command;
    let key: VerifyingKey = match key {
        Some(text) => text.parse()?,
        None => notary(&data)?.key(1),
    };
    let text = std::fs::read_to_string(&file).map_err(|e| format!("cannot read {}: {e}", file.display()))?;
    let jws = match serde_json::from_str::<Value>(&text) {
        Ok(whole) => whole.get("jws").and_then(Value::as_str).map(str::to_owned).ok_or("there is no jws in it")?,
        Err(_) => text.trim().to_owned(),
    };
    let attested =
        key.attested(CERTIFICATE, &jws).ok_or("the signature does not hold: this is no certificate of this ledger")?;
    let attested: Value = serde_json::from_slice(&attested).map_err(|_| "what was signed is no certificate")?;
    // What stands beside the signature may have been changed: only what was signed is printed.
    print(&json!({ "ok": true, "certificate": attested }))
}

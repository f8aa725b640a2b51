//! A certificate authority of a test: what it signs is good, expired, or for another name, as it is asked.

use openssl::asn1::Asn1Time;
use openssl::bn::BigNum;
use openssl::ec::{EcGroup, EcKey};
use openssl::hash::MessageDigest;
use openssl::nid::Nid;
use openssl::pkey::{PKey, Private};
use openssl::ssl::{SslAcceptor, SslMethod};
use openssl::x509::extension::{BasicConstraints, SubjectAlternativeName};
use openssl::x509::{X509, X509Name};

const DAY: i64 = 86_400;

pub struct Authority {
    key: PKey<Private>,
    certificate: X509,
}

fn key() -> PKey<Private> {
    let group = EcGroup::from_curve_name(Nid::X9_62_PRIME256V1).unwrap();
    PKey::from_ec_key(EcKey::generate(&group).unwrap()).unwrap()
}

/// A certificate; its issuer is itself where none is given. It is valid from so many days on to so many.
fn certificate(
    name: &str,
    of: &PKey<Private>,
    by: Option<&Authority>,
    alt: Option<SubjectAlternativeName>,
    days: [i64; 2],
) -> X509 {
    let mut subject = X509Name::builder().unwrap();
    subject.append_entry_by_text("CN", name).unwrap();
    let subject = subject.build();
    let now = sistra::kernel::Timestamp::now().unix_seconds();
    let at = |day: i64| Asn1Time::from_unix(now + day * DAY).unwrap();
    let mut made = X509::builder().unwrap();
    made.set_version(2).unwrap();
    let serial = BigNum::from_u32(u32::try_from(now % 1_000_000).unwrap() + 1).unwrap().to_asn1_integer().unwrap();
    made.set_serial_number(&serial).unwrap();
    made.set_subject_name(&subject).unwrap();
    made.set_issuer_name(by.map_or(&*subject, |a| a.certificate.subject_name())).unwrap();
    made.set_pubkey(of).unwrap();
    made.set_not_before(&at(days[0])).unwrap();
    made.set_not_after(&at(days[1])).unwrap();
    match alt {
        None => made.append_extension(BasicConstraints::new().critical().ca().build().unwrap()).unwrap(),
        Some(alt) => {
            let context = made.x509v3_context(by.map(|a| &*a.certificate), None);
            let alt = alt.build(&context).unwrap();
            made.append_extension(alt).unwrap();
        }
    }
    made.sign(by.map_or(of, |a| &a.key), MessageDigest::sha256()).unwrap();
    made.build()
}

fn acceptor(key: &PKey<Private>, certificate: &X509) -> SslAcceptor {
    let mut acceptor = SslAcceptor::mozilla_intermediate_v5(SslMethod::tls()).unwrap();
    acceptor.set_private_key(key).unwrap();
    acceptor.set_certificate(certificate).unwrap();
    acceptor.build()
}

impl Authority {
    pub fn new(name: &str) -> Self {
        let key = key();
        let certificate = certificate(name, &key, None, None, [-1, 30]);
        Self { key, certificate }
    }

    pub fn pem(&self) -> Vec<u8> {
        self.certificate.to_pem().unwrap()
    }

    fn signs(&self, mut alt: SubjectAlternativeName, days: [i64; 2]) -> SslAcceptor {
        let key = key();
        alt.critical();
        acceptor(&key, &certificate("endpoint", &key, Some(self), Some(alt), days))
    }

    /// What a server at 127.0.0.1 shows.
    pub fn here(&self) -> SslAcceptor {
        self.signs(local(), [-1, 30])
    }

    /// The same, and its time is over.
    pub fn expired(&self) -> SslAcceptor {
        self.signs(local(), [-30, -1])
    }

    /// What a server elsewhere shows.
    pub fn elsewhere(&self) -> SslAcceptor {
        let mut alt = SubjectAlternativeName::new();
        alt.dns("hooks.example");
        self.signs(alt, [-1, 30])
    }
}

fn local() -> SubjectAlternativeName {
    let mut alt = SubjectAlternativeName::new();
    alt.ip("127.0.0.1");
    alt
}

/// What a server at 127.0.0.1 shows that nobody has signed but itself.
pub fn alone() -> SslAcceptor {
    let key = key();
    acceptor(&key, &certificate("endpoint", &key, None, Some(local()), [-1, 30]))
}

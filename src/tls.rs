//! Whom the registry believes when it calls somebody over TLS: endpoints of webhooks, and key sets of issuers.
//!
//! One set of authorities for the process: the system's, or those of one file. Must not know what is said.

use std::path::Path;

use ureq::tls::{PemItem, RootCerts, TlsConfig, TlsProvider, parse_pem};

/// What every connection out is made with: certificates are checked against the system's authorities, or against those
/// of a PEM file in their place. The error says what is wrong with the file.
pub fn settings(authorities: Option<&Path>) -> Result<TlsConfig, String> {
    let roots = match authorities {
        None => RootCerts::PlatformVerifier,
        Some(path) => read(path)?,
    };
    Ok(TlsConfig::builder().provider(TlsProvider::NativeTls).root_certs(roots).build())
}

fn read(path: &Path) -> Result<RootCerts, String> {
    let text = std::fs::read(path).map_err(|e| format!("cannot read {}: {e}", path.display()))?;
    let mut found = Vec::new();
    for item in parse_pem(&text) {
        match item {
            Ok(PemItem::Certificate(certificate)) => found.push(certificate),
            Ok(_) => {}
            Err(_) => return Err(format!("{} is not PEM", path.display())),
        }
    }
    if found.is_empty() {
        return Err(format!("{} holds no certificate", path.display()));
    }
    Ok(found.into())
}

/// Why a certificate was not believed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Refusal {
    /// No authority that is believed stands behind it.
    Unknown,
    /// Its time is over, or has not come.
    Expired,
    /// It is for another name.
    Name,
    /// TLS did not come about for another reason.
    Other,
}

/// Why TLS did not come about, if that is what an error tells.
pub fn refusal(error: &ureq::Error) -> Option<Refusal> {
    let ureq::Error::NativeTls(error) = error else { return None };
    // The library says what the verifier found in words only: OpenSSL's own (`X509_verify_cert_error_string`).
    let text = error.to_string();
    let says = |words: &[&str]| words.iter().any(|w| text.contains(w));
    Some(if says(&["expired", "not yet valid"]) {
        Refusal::Expired
    } else if says(&["hostname mismatch", "IP address mismatch", "Hostname mismatch"]) {
        Refusal::Name
    } else if says(&["certificate verify failed"]) {
        Refusal::Unknown
    } else {
        Refusal::Other
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_that_holds_no_authority_is_named_and_not_passed_over() {
        let file = std::env::temp_dir().join(format!("sistra-tls-{}", uuid::Uuid::new_v4()));
        let says = |path: &Path| settings(Some(path)).unwrap_err();
        assert!(says(&file).starts_with("cannot read "));
        for (text, fault) in [
            ("", "holds no certificate"),
            ("-----BEGIN PUBLIC KEY-----\nAAAA\n-----END PUBLIC KEY-----\n", "holds no certificate"),
            ("-----BEGIN CERTIFICATE-----\n!\n-----END CERTIFICATE-----\n", "is not PEM"),
        ] {
            std::fs::write(&file, text).unwrap();
            assert!(says(&file).ends_with(fault), "{text}: {}", says(&file));
        }
        std::fs::remove_file(&file).unwrap();
        assert!(matches!(settings(None).unwrap().root_certs(), RootCerts::PlatformVerifier));
    }
}

//! What it means when no TLS connection comes about.

use core::error::Error as _;
use std::io;

use placet_core::store::StoreErrorKind::Unavailable;
use rustls::{AlertDescription, CertificateError, Error};

use crate::fault::{Judged, Worth};

const UNTRUSTED: Judged = (
    Worth::Never,
    Unavailable,
    "the server's certificate is not signed by anybody who is trusted",
    "give the certificate of the authority that signed it as `sslrootcert`",
);

const OTHER_HOST: Judged = (
    Worth::Never,
    Unavailable,
    "the server's certificate is for another host",
    "use the host name that the certificate has as subject alternative name (a common name does not count), or have one made for this host",
);

const EXPIRED: Judged = (
    Worth::Never,
    Unavailable,
    "the server's certificate is not valid at this time",
    "renew it, or set the clock of this machine",
);

const UNUSABLE: Judged = (
    Worth::Never,
    Unavailable,
    "the server's certificate cannot be used",
    "look at the cause; it must be of version 3, for servers, and not the certificate of an authority itself",
);

const REJECTED: Judged = (
    Worth::Never,
    Unavailable,
    "the server does not accept the client's certificate",
    "give one as `sslcert` that an authority in the server's ssl_ca_file signed, and that is still valid",
);

const NO_TLS: Judged = (
    Worth::Never,
    Unavailable,
    "the server has no TLS",
    "switch `ssl` on in the server's configuration; only on a network that nobody else is in use `sslmode=disable`",
);

// A session that was under way may end so, too: then it is worth connecting again.
const FAILED: Judged = (
    Worth::Lost,
    Unavailable,
    "no TLS connection came about",
    "look at the cause; TLS 1.2 and 1.3 are spoken",
);

/// What a failure means; `None` where it is none of TLS.
pub(crate) fn judge(cause: &tokio_postgres::Error) -> Option<Judged> {
    let source = cause.source()?;
    let Some(io) = source.downcast_ref::<io::Error>() else {
        // Said by the driver itself, in words only.
        let is_tls = cause.to_string() == "error performing TLS handshake";
        let has_none = source.to_string() == "server does not support TLS";
        return is_tls.then_some(if has_none { NO_TLS } else { FAILED });
    };
    io.get_ref()?.downcast_ref::<Error>().map(by_error)
}

#[expect(
    clippy::wildcard_enum_match_arm,
    reason = "the library has dozens of failures, and may add more; few of them have an answer of their own"
)]
fn by_error(error: &Error) -> Judged {
    use AlertDescription as Alert;
    match error {
        Error::InvalidCertificate(why) => match why {
            CertificateError::UnknownIssuer | CertificateError::BadSignature => UNTRUSTED,
            CertificateError::NotValidForName | CertificateError::NotValidForNameContext { .. } => {
                OTHER_HOST
            }
            CertificateError::Expired
            | CertificateError::ExpiredContext { .. }
            | CertificateError::NotValidYet
            | CertificateError::NotValidYetContext { .. } => EXPIRED,
            _ => UNUSABLE,
        },
        Error::AlertReceived(
            Alert::AccessDenied
            | Alert::BadCertificate
            | Alert::CertificateExpired
            | Alert::CertificateRequired
            | Alert::CertificateRevoked
            | Alert::CertificateUnknown
            | Alert::UnknownCA
            | Alert::UnsupportedCertificate,
        ) => REJECTED,
        _ => FAILED,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_certificate_that_the_server_rejects_is_named() {
        // What PostgreSQL says of a certificate of another authority, of an expired one, and of none.
        for alert in [
            AlertDescription::UnknownCA,
            AlertDescription::CertificateExpired,
            AlertDescription::CertificateRequired,
            AlertDescription::BadCertificate,
        ] {
            let (_, kind, said, help) = by_error(&Error::AlertReceived(alert));
            assert_eq!(kind, Unavailable);
            assert_eq!(said, "the server does not accept the client's certificate", "{alert:?}");
            assert!(help.contains("sslcert"), "{help}");
        }
        // An alert about anything else says nothing about it.
        let (_, _, said, _) = by_error(&Error::AlertReceived(AlertDescription::ProtocolVersion));
        assert_eq!(said, "no TLS connection came about");
    }
}

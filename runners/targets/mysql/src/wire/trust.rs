//! Whom a connection trusts.

use std::path::PathBuf;
use std::sync::Arc;

use rustls::crypto::ring;
use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject as _;
use rustls::{ClientConfig, RootCertStore};

use crate::wire::{Fault, Place};

/// When connections are encrypted.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub(crate) enum When {
    /// When what is sent leaves this machine.
    #[default]
    Away,
    /// Always, sockets of this machine aside.
    Always,
    Never,
}

/// Whom a connection trusts.
#[derive(Clone, Debug, Default)]
pub(crate) struct Trust {
    pub(crate) when: When,
    /// A file of authorities in PEM form. Without one, those of the system count.
    pub(crate) authorities: Option<PathBuf>,
}

impl Trust {
    /// How connections to `place` are encrypted; `None` where they are not.
    pub(crate) fn config(&self, place: &Place) -> Result<Option<Arc<ClientConfig>>, Fault> {
        let encrypted = match self.when {
            When::Away => !place.is_here(),
            When::Always => true,
            When::Never => false,
        };
        if !encrypted {
            return Ok(None);
        }
        let mut roots = RootCertStore::empty();
        // One that cannot be used makes nobody trusted who should not be.
        let (usable, _unusable) = roots.add_parsable_certificates(self.certificates()?);
        if usable == 0 {
            return Err(Fault::Broken("there is no authority whose certificates count"));
        }
        // The provider by name: that of the process may be missing, or another one.
        let config = ClientConfig::builder_with_provider(Arc::new(ring::default_provider()))
            .with_safe_default_protocol_versions()
            .map_err(|_| Fault::Broken("TLS cannot be set up"))?
            .with_root_certificates(roots)
            .with_no_client_auth();
        Ok(Some(Arc::new(config)))
    }

    fn certificates(&self) -> Result<Vec<CertificateDer<'static>>, Fault> {
        let Some(file) = &self.authorities else {
            return Ok(rustls_native_certs::load_native_certs().certs);
        };
        CertificateDer::pem_file_iter(file)
            .and_then(Iterator::collect)
            .map_err(|_| Fault::Broken("the file of authorities cannot be read"))
    }
}

//! Authorities and certificates, made with `openssl` for one test.

use std::path::{Path, PathBuf};
use std::process::Command;

use tempfile::TempDir;

use crate::story::skip;

/// What a certificate of a server says of itself.
pub(crate) const HERE: &str = "subjectAltName = IP:127.0.0.1";
pub(crate) const ELSEWHERE: &str = "subjectAltName = DNS:db.elsewhere.example";
/// And one of a client: only its name counts.
pub(crate) const CLIENT: &str = "extendedKeyUsage = clientAuth";

const EC: &str = "ec -pkeyopt ec_paramgen_curve:prime256v1";

const CONFIG: &str = "[ca]
default_ca = here
[here]
database = index
serial = serial
new_certs_dir = .
default_md = sha256
policy = any
unique_subject = no
[any]
commonName = supplied
[req]
distinguished_name = empty
[empty]
";

/// Somebody who signs.
pub(crate) struct Authority {
    folder: TempDir,
}

impl Authority {
    /// `None` where there is no `openssl`; then the test is over.
    pub(crate) fn found() -> Option<Self> {
        Self::with_key(EC)
    }

    /// One whose signatures name no digest, so that no login can be bound to a certificate with one.
    pub(crate) fn found_ed25519() -> Option<Self> {
        Self::with_key("ed25519")
    }

    fn with_key(key: &str) -> Option<Self> {
        if !Command::new("openssl").arg("version").output().is_ok_and(|it| it.status.success()) {
            skip("`openssl` is not installed");
            return None;
        }
        let folder = tempfile::Builder::new().prefix("placet-authority").tempdir().unwrap();
        let authority = Self { folder };
        for (name, text) in [("config", CONFIG), ("index", ""), ("serial", "01\n")] {
            std::fs::write(authority.path(name), text).unwrap();
        }
        authority.run(&format!(
            "req -config config -x509 -days 30 -subj /CN=authority -nodes \
             -addext basicConstraints=critical,CA:TRUE -addext keyUsage=keyCertSign \
             -newkey {key} -keyout ca.key -out ca.pem"
        ));
        Some(authority)
    }

    /// Runs `openssl`.
    fn run(&self, words: &str) {
        let output = Command::new("openssl")
            .args(words.split_whitespace())
            .current_dir(self.folder.path())
            .output()
            .unwrap();
        assert!(output.status.success(), "{words}: {}", String::from_utf8_lossy(&output.stderr));
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// Its own certificate, which others trust.
    pub(crate) fn root(&self) -> PathBuf {
        self.path("ca.pem")
    }

    pub(crate) fn root_key(&self) -> PathBuf {
        self.path("ca.key")
    }

    /// Signs a certificate for `name` with this extension; it and its key.
    pub(crate) fn sign(&self, name: &str, extension: &str) -> (PathBuf, PathBuf) {
        self.sign_with(name, extension, "20200101000000Z 20491231235959Z")
    }

    /// One whose time is over.
    pub(crate) fn sign_expired(&self, name: &str, extension: &str) -> (PathBuf, PathBuf) {
        self.sign_with(name, extension, "20200101000000Z 20200102000000Z")
    }

    /// One that nobody else signed, and that signs for nobody else.
    pub(crate) fn sign_itself(&self, name: &str, alternative: &str) -> (PathBuf, PathBuf) {
        let alternative = alternative.replace(' ', "");
        self.run(&format!(
            "req -config config -x509 -days 30 -subj /CN={name} -nodes -newkey {EC} \
             -addext basicConstraints=CA:FALSE -addext {alternative} \
             -keyout {name}.key -out {name}.pem"
        ));
        (self.path(&format!("{name}.pem")), self.path(&format!("{name}.key")))
    }

    fn sign_with(&self, name: &str, extension: &str, dates: &str) -> (PathBuf, PathBuf) {
        let (start, end) = dates.split_once(' ').unwrap();
        std::fs::write(
            self.path("extension"),
            format!("basicConstraints = CA:FALSE\n{extension}\n"),
        )
        .unwrap();
        self.run(&format!(
            "req -config config -new -nodes -subj /CN={name} -newkey {EC} \
             -keyout {name}.key -out {name}.csr"
        ));
        self.run(&format!(
            "ca -batch -notext -config config -cert ca.pem -keyfile ca.key -extfile extension \
             -startdate {start} -enddate {end} -in {name}.csr -out {name}.pem"
        ));
        (self.path(&format!("{name}.pem")), self.path(&format!("{name}.key")))
    }

    /// The same key, locked with a passphrase.
    pub(crate) fn lock(&self, key: &Path) -> PathBuf {
        self.run(&format!(
            "pkcs8 -topk8 -passout pass:hunter2 -in {} -out locked.key",
            key.display()
        ));
        self.path("locked.key")
    }
}

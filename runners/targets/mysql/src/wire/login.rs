//! Answers to the server's question who asks. A password is sent readable only where nobody can listen.

use sha1::Sha1;
use sha2::{Digest as _, Sha256};

use crate::wire::Fault;

/// The ways that are known.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Way {
    /// MariaDB's usual one, and MySQL's before 8.0.
    Native,
    /// MySQL's usual one since 8.0.
    CachingSha2,
}

impl Way {
    pub(crate) fn named(name: &[u8]) -> Result<Self, Fault> {
        match name {
            b"mysql_native_password" | b"" => Ok(Self::Native),
            b"caching_sha2_password" => Ok(Self::CachingSha2),
            _ => Err(Fault::Broken("the server wants a login that placet does not know")),
        }
    }

    pub(crate) const fn name(self) -> &'static [u8] {
        match self {
            Self::Native => b"mysql_native_password",
            Self::CachingSha2 => b"caching_sha2_password",
        }
    }

    /// The answer to the server's `challenge`.
    pub(crate) fn answer(self, password: &str, challenge: &[u8]) -> Vec<u8> {
        if password.is_empty() {
            return Vec::new();
        }
        match self {
            // SHA1(password) XOR SHA1(challenge, SHA1(SHA1(password)))
            Self::Native => {
                let once = Sha1::digest(password.as_bytes());
                let twice = Sha1::digest(once);
                let mixed = Sha1::new().chain_update(challenge).chain_update(twice).finalize();
                once.iter().zip(mixed).map(|(a, b)| a ^ b).collect()
            }
            // SHA256(password) XOR SHA256(SHA256(SHA256(password)), challenge)
            Self::CachingSha2 => {
                let once = Sha256::digest(password.as_bytes());
                let twice = Sha256::digest(once);
                let mixed = Sha256::new().chain_update(twice).chain_update(challenge).finalize();
                once.iter().zip(mixed).map(|(a, b)| a ^ b).collect()
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use placet_core::digest::to_hex;

    use super::Way;

    #[test]
    fn answers_are_those_of_the_manual() {
        let challenge: Vec<u8> = (1..=20).collect();
        // Made with Python's hashlib from the formulas of the manual.
        for (way, due) in [(Way::Native, NATIVE), (Way::CachingSha2, CACHING)] {
            assert_eq!(to_hex(&way.answer("correct-horse", &challenge)), due);
            assert!(way.answer("", &challenge).is_empty());
            assert_eq!(Way::named(way.name()).unwrap(), way);
        }
        Way::named(b"mysql_clear_password").unwrap_err();
    }

    const NATIVE: &str = "246e8a4c3b54df73da43801e72fed564e628fd43";
    const CACHING: &str = "34582c5500e3803434ad0ad1358140e587cd710c901c30e9bca848c8203faf07";
}

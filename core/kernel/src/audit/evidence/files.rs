//! The files of a bundle: taken one by one, and what must be in the log proven to be.

use std::collections::BTreeMap;

use super::manifest::ROTATIONS;
use super::story::{Story, wrong};
use super::{leaf_path, proof_path, record_path};
use crate::audit::encoding::{in_file, malformed, tampered};
use crate::audit::{KeyRotation, Leaf, LogProof, VerifierKey};
use crate::error::Error;
use crate::id::RequestId;

/// The files of a bundle that nothing was done with yet.
#[derive(Debug)]
pub(super) struct Files<'a> {
    left: BTreeMap<&'a str, Vec<u8>>,
}

impl<'a> Files<'a> {
    pub(super) const fn new(files: BTreeMap<&'a str, Vec<u8>>) -> Self {
        Self { left: files }
    }

    pub(super) fn take(&mut self, path: &str) -> Result<Vec<u8>, Error> {
        self.left.remove(path).ok_or_else(|| missing(path))
    }

    /// One that nobody asked for.
    pub(super) fn left_over(&self) -> Option<&str> {
        self.left.keys().next().copied()
    }

    /// The leaves, each proven to be in the log under the head of the bundle.
    pub(super) fn leaves(
        &mut self,
        signed_head: &[u8],
        origin: &str,
        key: &VerifierKey,
    ) -> Result<Vec<(u64, Leaf)>, Error> {
        let is_proof = |path: &&str| path.ends_with(".tlog-proof");
        let proofs: Vec<&str> = self.left.keys().copied().filter(is_proof).collect();
        let mut leaves = Vec::with_capacity(proofs.len());
        for path in proofs {
            let proof = LogProof::parse(&self.take(path)?).map_err(at(path))?;
            let index = proof.index();
            if proof_path(index) != path || proof.checkpoint().to_string().as_bytes() != signed_head
            {
                return Err(wrong(
                    "path",
                    path,
                    "is the proof of another leaf, or under another head",
                ));
            }
            let bytes = self.take(&leaf_path(index))?;
            proof.verify(&bytes, origin, key).map_err(at(path))?;
            leaves.push((index, Leaf::from_bytes(&bytes).map_err(at(path))?));
        }
        leaves.sort_by_key(|(index, _)| *index);
        Ok(leaves)
    }

    /// Checks that each rotation of the log's key follows the one before it, and the last one leads to `key`.
    pub(super) fn rotations(&mut self, key: &VerifierKey) -> Result<(), Error> {
        let is_rotation = |path: &&str| path.starts_with(ROTATIONS);
        let paths: Vec<&str> = self.left.keys().copied().filter(is_rotation).collect();
        let mut before: Option<VerifierKey> = None;
        for path in paths {
            let rotation = rotation_of(&self.take(path)?).map_err(at(path))?;
            let next = rotation.unverified_next().clone();
            rotation.note().verify(core::slice::from_ref(&next)).map_err(at(path))?;
            if let Some(before) = &before {
                rotation.follow(before.name(), before).map_err(at(path))?;
            }
            before = Some(next);
        }
        match before {
            Some(last) if last != *key => {
                Err(wrong("path", ROTATIONS, "does not lead to the key that signed"))
            }
            Some(_) | None => Ok(()),
        }
    }

    /// The records that the leaves left, as far as they are here.
    pub(super) fn records(
        &mut self,
        leaves: &[(u64, Leaf)],
        request: RequestId,
    ) -> Result<BTreeMap<String, Vec<u8>>, Error> {
        let names = Story::left(leaves, request).into_keys();
        names.map(|name| Ok((name.to_owned(), self.take(&record_path(name))?))).collect()
    }
}

/// The rotation in one file. It vouches for itself where its keys do.
pub(super) fn rotation_of(bytes: &[u8]) -> Result<KeyRotation, Error> {
    let text = core::str::from_utf8(bytes)
        .map_err(|_| malformed("a key rotation is not text").with_detail("byte", 0))?;
    KeyRotation::parse(text)
}

pub(super) fn missing(path: &str) -> Error {
    wrong("path", path, "is missing")
}

/// Says in which file something is wrong.
pub(super) fn at(path: &str) -> impl FnOnce(Error) -> Error {
    move |cause| {
        let error = tampered(format!("the file `{path}` of the bundle does not verify: {cause}"))
            .with_help("get the bundle again; if it stays so, ask the operator of the log why")
            .with_detail("path", path);
        in_file(error, &cause).with_source(cause)
    }
}

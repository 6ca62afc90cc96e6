//! How to check a bundle by hand and with other tools, as a file in it.

use super::manifest::Manifest;
use crate::audit::VerifierKey;

/// The text of the file `README.md`.
pub(crate) fn readme(manifest: &Manifest, key: &VerifierKey) -> String {
    let Manifest { origin, request, made_at, files: _ } = manifest;
    let (mut row, mut step) = ("", "");
    if manifest.rotations().next().is_some() {
        row = "| `keys/N.note` | one key of the log vouches for the next, as entry N of the log says (c2sp.org/signed-note) |\n";
        step = "
The log was signed with other keys before. With one of those you can check it too: each `keys/N.note` is a signed note
that names the next key, signed by the one before it and by itself. Follow them from the key that you have, in the order
of N, to the one above. A key that was stolen vouches for whatever its thief likes: then start from a later one.
";
    }
    format!(
        "# Evidence of `{request}`

Made {made_at} (UTC) from the audit log `{origin}`. What follows needs nothing of whoever made it but the log's
verifier key, which you should have from somewhere else than this folder:

```text
{key}
```
{step}
## What is here

| file | what it is |
|---|---|
| `report.html` | the story for people; print it for a PDF |
| `leaves/N.json` | entry N of the log, byte for byte; it holds ids and digests, no names |
| `leaves/N.tlog-proof` | the proof that the log has this entry (c2sp.org/tlog-proof) |
| `checkpoint` | the signed head of the log that all proofs are under (c2sp.org/tlog-checkpoint) |
| `records/…` | what the entries vouch for by digest: the request, its revisions with payload and plan, its history with comments, its runs |
{row}| `keys.txt` | the verifier key as this folder has it (c2sp.org/signed-note) |
| `manifest` | all other files with length and SHA-256, signed with the key of the log (c2sp.org/signed-note) |

## Check all of it

The Rust function `placet_core::audit::verify_evidence` does everything below, without a network.

## Check it by hand

1. `manifest` is a signed note. The signature line ends in base64 of four bytes of key id and 64 bytes of Ed25519
   signature; what is signed is the text up to and with the newline before the empty line. Any tool for signed notes
   will do.
2. Each line of it after the first four is digest, length and path: `sha256sum` must print the same digest.
3. `checkpoint` is a signed note too: origin, number of entries, root in base64. Compare it with a head of this log that
   you or a witness kept: the log must begin with it.
4. For each `leaves/N.json`: the leaf hash is SHA-256 of a zero byte and the file. With the hashes of
   `leaves/N.tlog-proof` it must lead to the root in `checkpoint` (RFC 6962, section 2.1.1). Any verifier of tlog-proof
   files will do.
5. Each entry lists under `records` the names of what it wrote, with SHA-256 before and after. For one name, `before` is
   what the entry before it left as `after`; the first one of `request/{request}` has no `before`. So no step of the
   request is missing between them. The last `after` of each name is the SHA-256 of `records/NAME.json`.
6. In `records/revision/…`, SHA-256 of the text `payload` is `payload_digest` of the request. Each approval in the request
   names the digest of exactly one change; the entries name the same one under `change`.

## What it does not say

- What happened to the request after this folder was made: the entries end where they end.
- That no denial was left out: a denial changes no record, so nothing leads from one to the next. The whole log does.
- Names of people: entries and records hold ids. Names stay with the host, where they can be erased.
- That the change was wise.
"
    )
}

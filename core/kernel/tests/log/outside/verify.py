"""Verifies an exported log with `tamperlog` (RFC 6962) and `cryptography` (Ed25519), which we did not write:
`verify.py FOLDER KEY`. This file only hands them the files; every hash and every signature is theirs."""

import base64
import pathlib
import sys

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from tamperlog.merkle import leaf_hashes_for, merkle_root, verify_consistency, verify_inclusion


def number(index):
    digits = f"{index:03d}"
    digits = digits.zfill(-(-len(digits) // 3) * 3)
    parts = [digits[at : at + 3] for at in range(0, len(digits), 3)]
    return "/".join([f"x{part}" for part in parts[:-1]] + parts[-1:])


def path(kind, index, width):
    return f"tile/{kind}/{number(index)}" + (f".p/{width}" if width < 256 else "")


def opened(note, key):
    name, key_id, key = key.split("+", 2)
    text, signatures = note.split(b"\n\n", 1)
    text += b"\n"
    for line in signatures.decode().splitlines():
        _, signer, signature = line.split(" ")
        signature = base64.b64decode(signature)
        if signer == name and signature[:4].hex() == key_id:
            public = base64.b64decode(key)[1:]
            Ed25519PublicKey.from_public_bytes(public).verify(signature[4:], text)
            return text.decode()
    raise ValueError("the checkpoint has no signature of that key")


def entries(bundle, width):
    found = []
    for _ in range(width):
        length = int.from_bytes(bundle[:2], "big")
        assert len(bundle) >= 2 + length, "a bundle breaks off"
        found.append(bundle[2 : 2 + length])
        bundle = bundle[2 + length :]
    assert not bundle, "a bundle goes on after its last entry"
    return found


def main(folder, key):
    folder = pathlib.Path(folder)
    read = lambda path: (folder / path).read_bytes()
    origin, size, root, _ = opened(read("checkpoint"), key).split("\n")
    size, root = int(size), base64.b64decode(root)
    assert origin == key.split("+")[0], "the checkpoint is that of another log"

    # The leaves, and level by level the tiles above them.
    leaves = []
    for first in range(0, size, 256):
        width = min(256, size - first)
        leaves += leaf_hashes_for(entries(read(path("entries", first // 256, width)), width))
    level, row = 0, leaves
    while row:
        for first in range(0, len(row), 256):
            tile = row[first : first + 256]
            found = read(path(level, first // 256, len(tile)))
            assert found == b"".join(tile), f"tile {first // 256} of level {level} is wrong"
        full = range(0, len(row) // 256 * 256, 256)
        level, row = level + 1, [merkle_root(row[first : first + 256]) for first in full]
    assert merkle_root(leaves) == root, "the entries have another root"

    counts = {"inclusion": 0, "consistency": 0}
    for line in read("proofs").decode().splitlines():
        kind, place, *proof = line.split(" ")
        place, proof = int(place), [base64.b64decode(hash) for hash in proof]
        if kind == "inclusion":
            verify_inclusion(place, size, leaves[place], proof, root)
        else:
            verify_consistency(place, merkle_root(leaves[:place]), size, root, proof)
        counts[kind] += 1
    told = f"{counts['inclusion']} inclusion, {counts['consistency']} consistency"
    print(f"{size} entries, {told}, root {base64.b64encode(root).decode()}")


main(sys.argv[1], sys.argv[2])

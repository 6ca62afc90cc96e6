//! The tree against published values, and against RFC 6962 written down as it stands there.

use proptest::prelude::*;

use super::*;

/// The leaves of the reference tree of the Certificate Transparency test data.
fn reference() -> MerkleTree {
    let leaves: [&[u8]; 8] = [
        b"",
        &[0x00],
        &[0x10],
        &[0x20, 0x21],
        &[0x30, 0x31],
        &[0x40, 0x41, 0x42, 0x43],
        &[0x50, 0x51, 0x52, 0x53, 0x54, 0x55, 0x56, 0x57],
        &[
            0x60, 0x61, 0x62, 0x63, 0x64, 0x65, 0x66, 0x67, 0x68, 0x69, 0x6a, 0x6b, 0x6c, 0x6d,
            0x6e, 0x6f,
        ],
    ];
    leaves.into_iter().map(leaf_hash).collect()
}

fn hashes(texts: &[&str]) -> Vec<Digest> {
    texts.iter().map(|text| text.parse().unwrap()).collect()
}

#[test]
fn the_reference_tree_has_its_published_roots() {
    let roots = hashes(&[
        "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855",
        "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d",
        "fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125",
        "aeb6bcfe274b70a14fb067a5e5578264db0fa9b51af5e0ba159158f329e06e77",
        "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
        "4e3bbb1f7b478dcfe71fb631631519a3bca12c9aefca1612bfce4c13a86264d4",
        "76e67dadbcdf1e10e1b74ddc608abd2f98dfb16fbce75277b5232a127f2087ef",
        "ddb89be403809e325750d3d263cd78929c2942b7942a34b77e122c9594a74c8c",
        "5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328",
    ]);
    for (size, root) in (0..).zip(&roots) {
        assert_eq!(reference().root_at(size).unwrap(), *root, "{size} leaves");
    }
    assert_eq!(reference().root(), roots[8]);
}

#[test]
fn the_reference_tree_has_its_published_proofs() {
    let first = hashes(&[
        "96a296d224f285c67bee93c30f8a309157f0daa35dc5b87e410b78630a09cfc7",
        "5f083f0a1a33ca076a95279832580db3e0ef4584bdff1f54c8a360f50de3031e",
        "6b47aaf29ee3c2af9af889bc1fb9254dabd31177f16232dd6aab035ca39bf6e4",
    ]);
    assert_eq!(reference().inclusion_proof(0, 8).unwrap(), first);
    let sixth = hashes(&[
        "bc1a0643b12e4d2d7c77918f44e0f4f79a838b6cf9ec5b5c283e1f4d88599e6b",
        "ca854ea128ed050b41b35ffc1b87b8eb2bde461e9e3b5596ece6b9d5975a0ae0",
        "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
    ]);
    assert_eq!(reference().inclusion_proof(5, 8).unwrap(), sixth);
    let from_six = hashes(&[
        "0ebc5d3437fbe2db158b9f126a1d118e308181031d0a949f8dededebc558ef6a",
        "ca854ea128ed050b41b35ffc1b87b8eb2bde461e9e3b5596ece6b9d5975a0ae0",
        "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
    ]);
    assert_eq!(reference().consistency_proof(6, 8).unwrap(), from_six);
    let from_two = hashes(&[
        "5f083f0a1a33ca076a95279832580db3e0ef4584bdff1f54c8a360f50de3031e",
        "bc1a0643b12e4d2d7c77918f44e0f4f79a838b6cf9ec5b5c283e1f4d88599e6b",
    ]);
    assert_eq!(reference().consistency_proof(2, 5).unwrap(), from_two);
}

#[test]
fn sizes_and_leaves_that_never_were_are_refused() {
    let tree = reference();
    let refused = [
        tree.root_at(9).unwrap_err(),
        tree.inclusion_proof(8, 8).unwrap_err(),
        tree.inclusion_proof(0, 0).unwrap_err(),
        tree.inclusion_proof(0, u64::MAX).unwrap_err(),
        tree.consistency_proof(5, 4).unwrap_err(),
        tree.consistency_proof(4, 9).unwrap_err(),
    ];
    assert!(refused.iter().all(|error| error.code() == Code::InvalidInput));
}

/// RFC 6962, section 2.1, word for word.
fn mth(leaves: &[Digest]) -> Digest {
    match leaves {
        [] => empty_root(),
        [leaf] => *leaf,
        _ => {
            let (left, right) = leaves.split_at(leaves.len().next_power_of_two() / 2);
            node_hash(&mth(left), &mth(right))
        }
    }
}

/// RFC 6962, section 2.1.1, word for word.
fn path(index: usize, leaves: &[Digest]) -> Vec<Digest> {
    if leaves.len() == 1 {
        return Vec::new();
    }
    let cut = leaves.len().next_power_of_two() / 2;
    let (left, right) = leaves.split_at(cut);
    let (mut proof, beside) =
        if index < cut { (path(index, left), right) } else { (path(index - cut, right), left) };
    proof.push(mth(beside));
    proof
}

/// RFC 6962, section 2.1.2, word for word.
fn subproof(earlier: usize, leaves: &[Digest], known: bool) -> Vec<Digest> {
    if earlier == leaves.len() {
        return if known { Vec::new() } else { vec![mth(leaves)] };
    }
    let cut = leaves.len().next_power_of_two() / 2;
    let (left, right) = leaves.split_at(cut);
    let (mut proof, beside) = if earlier <= cut {
        (subproof(earlier, left, known), right)
    } else {
        (subproof(earlier - cut, right, false), left)
    };
    proof.push(mth(beside));
    proof
}

fn numbered(count: u64) -> Vec<Digest> {
    (0..count).map(|number| leaf_hash(&number.to_be_bytes())).collect()
}

#[test]
fn every_root_up_to_300_leaves_is_that_of_the_definition() {
    let leaves = numbered(300);
    let tree: MerkleTree = leaves.iter().copied().collect();
    for size in 0..=leaves.len() {
        assert_eq!(tree.root_at(to_u64(size)).unwrap(), mth(&leaves[..size]), "{size} leaves");
    }
}

#[test]
fn every_proof_up_to_40_leaves_holds_and_no_other() {
    let leaves = numbered(40);
    let tree: MerkleTree = leaves.iter().copied().collect();
    for size in 1..=40 {
        let root = tree.root_at(size).unwrap();
        for index in 0..size {
            let leaf = tree.subtree(0, index).unwrap();
            let proof = tree.inclusion_proof(index, size).unwrap();
            verify_inclusion(&leaf, index, size, &proof, &root).unwrap();
            for other in (0..size).filter(|other| *other != index) {
                verify_inclusion(&leaf, other, size, &proof, &root).unwrap_err();
            }
        }
        for earlier in 0..=size {
            let before = tree.root_at(earlier).unwrap();
            let proof = tree.consistency_proof(earlier, size).unwrap();
            verify_consistency(earlier, size, &proof, &before, &root).unwrap();
            if earlier > 0 {
                verify_consistency(earlier - 1, size, &proof, &before, &root).unwrap_err();
            }
        }
    }
}

proptest! {
    #[test]
    fn proofs_are_those_of_the_definition(size in 1_usize..=300, a: usize, b: usize) {
        let leaves = numbered(to_u64(size));
        let tree: MerkleTree = leaves.iter().copied().collect();
        let (size_u64, root) = (to_u64(size), tree.root());

        let index = a % size;
        let proof = tree.inclusion_proof(to_u64(index), size_u64).unwrap();
        prop_assert_eq!(&proof, &path(index, &leaves));
        verify_inclusion(&leaves[index], to_u64(index), size_u64, &proof, &root).unwrap();

        let earlier = b % size + 1;
        let before = mth(&leaves[..earlier]);
        let proof = tree.consistency_proof(to_u64(earlier), size_u64).unwrap();
        prop_assert_eq!(&proof, &subproof(earlier, &leaves, true));
        verify_consistency(to_u64(earlier), size_u64, &proof, &before, &root).unwrap();
    }

    #[test]
    fn a_changed_proof_shows_nothing(size in 2_u64..=300, a: u64, which: usize, bit in 0_usize..256) {
        let tree: MerkleTree = numbered(size).into_iter().collect();
        let index = a % size;
        let leaf = tree.subtree(0, index).unwrap();
        let good = tree.inclusion_proof(index, size).unwrap();

        let mut flipped = good.clone();
        let at = which % flipped.len();
        let mut bytes = *flipped[at].as_bytes();
        bytes[bit / 8] ^= 1 << (bit % 8);
        flipped[at] = Digest::from_bytes(bytes);
        let mut longer = good.clone();
        longer.push(leaf);
        let shorter = &good[1..];
        for bad in [flipped.as_slice(), longer.as_slice(), shorter] {
            let error = verify_inclusion(&leaf, index, size, bad, &tree.root()).unwrap_err();
            prop_assert_eq!(error.code(), Code::LogTampered);
        }
    }

    #[test]
    fn no_input_makes_the_verifiers_panic(a: u64, b: u64, count in 0_u64..70) {
        let (proof, root) = (numbered(count), empty_root());
        let _either_way = verify_inclusion(&root, a, b, &proof, &root);
        let _either_way = verify_consistency(a, b, &proof, &root, &root);
    }
}

//! Paths, bundles and the files of an export, against the examples of the specification.

use proptest::prelude::*;

use super::*;

fn path(text: &str) -> TilePath {
    text.parse().unwrap()
}

#[test]
fn paths_are_spelled_as_the_specification_spells_them() {
    for (made, text) in [
        (TilePath::hashes(0, 0, 256), "tile/0/000"),
        (TilePath::hashes(0, 999, 256), "tile/0/999"),
        (TilePath::hashes(1, 1000, 255), "tile/1/x001/000.p/255"),
        (TilePath::hashes(63, 1_234_067, 1), "tile/63/x001/x234/067.p/1"),
        (TilePath::entries(1_234_067, 256), "tile/entries/x001/x234/067"),
        (TilePath::entries(5, 17), "tile/entries/005.p/17"),
    ] {
        let made = made.unwrap();
        assert_eq!(made.to_string(), text);
        assert_eq!(path(text), made);
    }
}

#[test]
fn other_spellings_of_a_path_are_refused() {
    for wrong in [
        "",
        "checkpoint",
        "tile/0",
        "tile/0/",
        "tile/00/000",
        "tile/64/000",
        "tile/-1/000",
        "tile/+1/000",
        "tile/0/0",
        "tile/0/0000",
        "tile/0/x000/000",
        "tile/0/001/000",
        "tile/0/x001/x000",
        "tile/0/000.p/0",
        "tile/0/000.p/256",
        "tile/0/000.p/01",
        "tile/0/000.p/1/",
        "tile/entries/000/",
        "/tile/0/000",
        "tile/0/../000",
        "tile/0/x999/x999/x999/x999/x999/x999/999",
    ] {
        assert_eq!(wrong.parse::<TilePath>().unwrap_err().code(), Code::InvalidInput, "{wrong}");
    }
    TilePath::hashes(64, 0, 1).unwrap_err();
    TilePath::entries(0, 0).unwrap_err();
    TilePath::entries(u64::MAX, 1).unwrap_err();
}

#[test]
fn a_tree_of_70_000_leaves_has_the_tiles_that_the_specification_counts() {
    let tiles: Vec<_> = tiles_of(70_000).filter(|path| path.level().is_some()).collect();
    let count = |level, full| {
        let wanted =
            |path: &&TilePath| path.level() == Some(level) && (path.width() == 256) == full;
        tiles.iter().filter(wanted).count()
    };
    assert_eq!([count(0, true), count(0, false)], [273, 1]);
    assert_eq!([count(1, true), count(1, false)], [1, 1]);
    assert_eq!([count(2, true), count(2, false)], [0, 1]);
    assert_eq!(tiles.len(), 277);
    for partial in ["tile/0/273.p/112", "tile/1/001.p/17", "tile/2/000.p/1"] {
        assert!(tiles.contains(&path(partial)), "{partial}");
    }
    let small: Vec<_> = tiles_of(256).map(|path| path.to_string()).collect();
    assert_eq!(small, ["tile/entries/000", "tile/0/000", "tile/1/000.p/1"]);
    assert_eq!(tiles_of(0).count(), 0);
}

#[test]
fn an_entry_that_does_not_fit_a_bundle_is_refused() {
    let (fits, too_long) = (vec![7; ENTRY_BYTES_MAX], vec![7; ENTRY_BYTES_MAX + 1]);
    let bytes = encode_bundle(&[fits.as_slice()]).unwrap();
    assert_eq!(decode_bundle(&bytes).collect::<Vec<_>>(), [Some(fits.as_slice())]);
    assert_eq!(encode_bundle(&[too_long.as_slice()]).unwrap_err().code(), Code::TooLarge);
}

proptest! {
    #[test]
    fn bundles_are_read_as_they_were_written(entries: Vec<Vec<u8>>) {
        let bytes = encode_bundle(&entries).unwrap();
        let read: Option<Vec<_>> = decode_bundle(&bytes).map(|entry| entry.map(<[u8]>::to_vec)).collect();
        prop_assert_eq!(read.unwrap(), entries);
    }

    #[test]
    fn any_bytes_are_a_bundle_or_are_refused(bytes: Vec<u8>) {
        let read: Option<Vec<_>> = decode_bundle(&bytes).collect();
        if let Some(entries) = read {
            prop_assert_eq!(encode_bundle(&entries).unwrap(), bytes);
        }
    }

    #[test]
    fn paths_have_one_spelling(text in "tile/([0-9]{1,2}|entries)/(x[0-9]{3}/){0,3}[0-9]{1,4}(\\.p/[0-9]{1,3})?") {
        if let Ok(path) = text.parse::<TilePath>() {
            prop_assert_eq!(path.to_string(), text);
        }
    }

    #[test]
    fn every_size_has_countable_tiles(size: u64) {
        prop_assert!(tiles_of(size).take(3).count() <= 3);
    }
}

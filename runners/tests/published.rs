//! Compiled plugins of each published version of the interface, as somebody built them then: this host still runs them.

use std::fs;
use std::path::{Path, PathBuf};

use placet_core::runner::Runner as _;
use placet_runners::conformance::{Candidate, SqlWorld, examine};
use placet_runners::{Grant, Manifest, WasmRunner};

const PUBLISHED: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/fixtures/published");

fn inside(folder: impl AsRef<Path>) -> Vec<PathBuf> {
    let mut found: Vec<PathBuf> =
        fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect();
    found.sort();
    found
}

/// The version of the interface in `text`.
fn version(text: &str) -> &str {
    text.split_once("package placet:runner@").unwrap().1.split_once(';').unwrap().0
}

#[test]
fn every_published_version_is_kept_and_still_runs() {
    let mut ran = 0;
    for folder in inside(PUBLISHED).into_iter().filter(|path| path.is_dir()) {
        let read = |name: &str| fs::read_to_string(folder.join(name)).unwrap();
        let (manifest, payload) =
            (Manifest::from_json(&read("manifest.json")).unwrap(), read("payload.json"));
        let components: Vec<PathBuf> = inside(&folder)
            .into_iter()
            .filter(|path| path.extension().is_some_and(|kind| kind == "wasm"))
            .collect();
        assert!(!components.is_empty(), "{}", folder.display());
        for path in components {
            let bytes = fs::read(&path).unwrap();
            let name = manifest.name.parse().unwrap();
            let host = WasmRunner::builder()
                .plugin(name, bytes.clone(), manifest.clone(), Grant::none().with("sql"))
                .build()
                .unwrap();
            let info = host.describe(&manifest.name.parse().unwrap()).unwrap();
            assert_eq!(info.title, "Close orders", "{}", path.display());
            let candidate = Candidate::new(bytes, manifest.clone()).unwrap();
            let report = examine(&candidate, &[&payload], &SqlWorld::new("sqlite")).unwrap();
            assert!(report.passes(), "{}:\n{report}", path.display());
            ran = usize::saturating_add(ran, 1);
        }
    }
    assert!(ran >= 2, "only {ran} components ran");
}

#[test]
fn the_present_version_is_kept() {
    let wit = fs::read_to_string(concat!(env!("CARGO_MANIFEST_DIR"), "/wit/runner.wit")).unwrap();
    let kept = Path::new(PUBLISHED).join(version(&wit));
    assert!(kept.is_dir(), "`{}` is missing: keep compiled plugins of it", kept.display());
}

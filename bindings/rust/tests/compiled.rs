//! A gate keeps its compiled plugins in its folder.

use std::fs;

use placet::Gate;
use placet::error::Code;
use placet::runner::Runner as _;
use placet::runners::{CompiledKey, Grant, Manifest, WasmRunner, shipped};

/// The SQL plugin under another digest, so that no other test of this process holds it compiled.
fn component(word: &str) -> Vec<u8> {
    let mut component = shipped::sql().component.into_owned();
    let length = u8::try_from(word.len()).unwrap();
    component.extend([0, length + 1, length]);
    component.extend(word.as_bytes());
    component
}

fn manifest() -> Manifest {
    Manifest::new("own", "0.1.0").with_capability("sql").with_connection("target")
}

#[test]
fn a_gate_makes_its_key_once_and_later_gates_use_it() {
    let temporary = tempfile::tempdir().unwrap();
    let folder = temporary.path().join("gate");
    let open = || {
        Gate::builder(&folder)
            .plugin("own", component("gate"), manifest(), Grant::none().with("sql"))
            .open()
    };
    drop(open().unwrap());
    let made = fs::read_to_string(folder.join("compiled.key")).unwrap();
    assert_eq!(made.trim_end().len(), 64);
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt as _;
        let mode = |name: &str| fs::metadata(folder.join(name)).unwrap().permissions().mode();
        assert_eq!((mode("compiled.key") & 0o777, mode("compiled") & 0o777), (0o600, 0o700));
    }
    drop(open().unwrap());
    assert_eq!(fs::read_to_string(folder.join("compiled.key")).unwrap(), made);

    // It vouches for what is in the folder: a host with the same bytes of the key loads what one before it kept.
    let key: Vec<u8> = (0..32)
        .map(|at| u8::from_str_radix(made.get(2 * at..2 * at + 2).unwrap(), 16).unwrap())
        .collect();
    let host = |key: &[u8]| {
        let key = CompiledKey::from_bytes(key.try_into().unwrap());
        let granted = Grant::none().with("sql");
        let host = WasmRunner::builder()
            .plugin("own".parse().unwrap(), component("gate"), manifest(), granted)
            .compiled_in(folder.join("compiled"), key)
            .build()
            .unwrap();
        host.describe(&"own".parse().unwrap()).unwrap();
        host.compilations()
    };
    assert_eq!((host(&key).compiled, host(&key).loaded), (1, 1));
    assert_eq!((host(&[0; 32]).ignored, host(&key).ignored), (1, 1));
}

#[test]
fn a_damaged_key_is_said_and_another_is_made_where_it_is_removed() {
    let temporary = tempfile::tempdir().unwrap();
    let folder = temporary.path().join("gate");
    drop(Gate::open(&folder).unwrap());
    for text in ["", "abc", "zz", &"0".repeat(63), &"é".repeat(32)] {
        fs::write(folder.join("compiled.key"), text).unwrap();
        let error = Gate::open(&folder).unwrap_err();
        assert_eq!(error.code(), Code::StoreUnavailable, "{text}: {error}");
        assert!(error.help().unwrap().contains("remove the file"));
    }
    fs::remove_file(folder.join("compiled.key")).unwrap();
    assert!(Gate::open(&folder).is_ok());
}

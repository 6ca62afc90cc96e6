//! A folder that somebody else has.

use placet_store_sled::SledStore;

use crate::tool::Tool;

#[test]
fn while_a_host_has_the_folder_nobody_else_gets_in() {
    let tool = Tool::founded();
    let host = SledStore::open(tool.path("gate/store")).unwrap();
    for words in [
        "org show",
        "audit verify",
        "audit verify --deep",
        "audit show",
        "audit export public",
        "org create-project --code a --name A",
        "request list shop",
        "who-can approve platform",
    ] {
        let refused = tool.run(words);
        assert_eq!(refused.code, 8, "{words}: {} {}", refused.out, refused.err);
        assert!(refused.err.starts_with("error[store_locked]: "), "{}", refused.err);
        assert!(refused.err.contains("next: "), "{}", refused.err);
    }
    assert_eq!(tool.json("org show")["error"]["code"], "store_locked");
    // Nothing is wrong with being in use.
    let healthy = tool.json("doctor");
    assert_eq!(healthy["healthy"], true);
    drop(host);
    assert_eq!(tool.run("org show").code, 0);
}

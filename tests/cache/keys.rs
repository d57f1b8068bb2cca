//! Golden keys: a change here makes every cache in the world a miss, so it must be meant.

use std::collections::BTreeMap;

use kfood::{cache::KeyDocument, digest::Digest, stage::Resource};

use super::fake::Fake;

#[test]
fn the_key_of_a_cpu_stage_is_pinned() {
    let mut stage = Fake::new("any name", 7);
    stage.settings = serde_json::json!({"rate": 0.1, "order": [2, 1]});
    let inputs = BTreeMap::from([("split".to_owned(), Digest::of(b"a"))]);
    let document = KeyDocument::of(&stage, inputs);
    assert_eq!(
        document.canonical(),
        "{\"format\":1,\"inputs\":{\"split\":\"17762fddd969a453925d65717ac3eea21320b66b54342fde15128d6caf21215f\"},\
         \"kind\":\"fake\",\"libtorch\":null,\"settings\":{\"modulo\":1000,\"order\":[2,1],\"rate\":0.1,\"value\":7},\
         \"version\":1}"
    );
    assert_eq!(
        document.key().to_string(),
        "0c9e9240c44d385c42f17d8971abb3169159548b7231afb4fb5a4140bf98ff53"
    );
}

#[test]
fn the_key_of_a_tensor_stage_holds_libtorch_without_its_build() {
    let mut stage = Fake::new("x", 7);
    stage.resource = Resource::Tensor;
    let document = KeyDocument::of(&stage, BTreeMap::new());
    assert!(document.canonical().contains("\"libtorch\":\"2.11.0\""));
    assert_eq!(
        document.key().to_string(),
        "fe04477bbf3c6f5096fd603e0ed118ef0c4ce770ea548e0f75d55f361a14d176"
    );
}

#[test]
fn a_name_is_no_part_of_a_key() {
    let key = |name: &str| KeyDocument::of(&Fake::new(name, 7), BTreeMap::new()).key();
    assert_eq!(key("a"), key("b"));
}

//! Any bytes in place of a key: judged without a panic, and never an identity.

use authcore_testkit::TestHead;
use proptest::prelude::*;

use crate::support::{KEY, Store, builder, head, record, verdict};

fn accepted(head: &TestHead) -> bool {
    let runtime = tokio::runtime::Builder::new_current_thread().build().expect("a runtime");
    let keys = builder(&Store::new(record())).as_bearer().build().expect("good settings");
    runtime.block_on(verdict(&keys, head)).is_some_and(|verdict| verdict.is_ok())
}

proptest! {
    #[test]
    fn any_bytes_are_no_key(value: Vec<u8>, other: Vec<u8>) {
        prop_assert!(!accepted(&head("x-api-key", &value)));
        prop_assert!(!accepted(&head("x-api-key", &value).header("x-api-key", &other)));
        prop_assert!(!accepted(&head("authorization", [b"Bearer ".as_slice(), &value].concat())));
        prop_assert!(!accepted(&head("authorization", &value)));
    }

    #[test]
    fn no_other_spelling_of_a_key_is_accepted(at: prop::sample::Index, to: u8) {
        let mut changed = KEY.as_bytes().to_vec();
        changed[at.index(KEY.len())] = to;
        prop_assert_eq!(accepted(&head("x-api-key", &changed)), changed == KEY.as_bytes());
    }
}

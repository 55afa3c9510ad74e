//! The owner that a body names: `alice` may send it exactly if no member of either name is anything but her id or null.
#![no_main]

use authcore::{BodyOwner, Identity, Method, UserId};
use authcore_fuzz::json::Node;
use authcore_fuzz::{assert_tells_no_secret, planted};

libfuzzer_sys::fuzz_target!(|data: &[u8]| {
    let data = planted(data);
    let alice = Identity::assertion(UserId::new("alice").expect("an id"), Method::Other("fuzz")).into_identity();
    let scope = alice.scope();
    let read: Result<BodyOwner, _> = serde_json::from_slice(&data);
    let body = Node::read(&data);
    let named = match read {
        Ok(named) => named,
        // What cannot be read has no owner to be checked, and no handler either.
        Err(_) => return assert!(!matches!(body, Some(Node::Null | Node::Object(_))), "a body is not read"),
    };
    let verdict = named.check(&scope);
    assert_eq!(named, serde_json::from_slice(&data).expect("it was read before"));
    if let Err(refusal) = &verdict {
        assert_eq!((refusal.status(), refusal.reason()), (403, "not_owner_in_body"));
        assert_tells_no_secret(&format!("{refusal:?} {}", refusal.body()));
    }
    // What nobody reads may be no text; then there is no second reading of the whole.
    let Some(Node::Object(members)) = body else { return };
    let mut owners = members.iter().filter(|(name, _)| name == "user_id" || name == "userId").map(|(_, value)| value);
    let is_hers = owners.all(|owner| matches!(owner, Node::Null) || owner.text() == Some("alice"));
    assert_eq!(verdict.is_ok(), is_hers);
});

//! Only an isolation says what may be done to an object, and which rows.

use authcore::{Action, Identity, Method, Object, Permit, Rows, UserId};

fn main() {
    let caller = Identity::assertion(UserId::new("ann").unwrap(), Method::Other("me")).into_identity();
    let _permit = Permit { object: Object::new("document", "17"), action: Action::Write, caller: caller.clone() };
    let _rows = Rows { caller, action: Action::Write, are_all: true, organizations: vec![], include_shared: true };
}

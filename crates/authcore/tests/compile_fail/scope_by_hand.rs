//! A scope has no public constructor and no public field.

use authcore::{Access, Identity, Method, UserId, UserScope};

fn main() {
    let bob = UserId::new("bob").unwrap();
    let caller = Identity::assertion(UserId::new("ann").unwrap(), Method::Other("me")).into_identity();
    let _scope = UserScope { owner: bob, caller, access: Access::Full, organization: None };
}

//! A scope has no public constructor and no public field.

use authcore::{Access, UserId, UserScope};

fn main() {
    let bob = UserId::new("bob").unwrap();
    let _scope = UserScope { owner: bob.clone(), actor: bob, access: Access::Full };
}

//! A store function that takes a scope cannot be called with an id, however it was come by.

use authcore::{UserId, UserScope};

fn list(_scope: &UserScope) {}

fn main() {
    list("bob");
    list(&UserId::new("bob").unwrap());
}

//! Only an isolation says what may be done to an object, and which rows.

use authcore::{Action, Object, Permit, Rows};

fn publish(_: &Permit<'_>) {}

fn list(_: &Rows) {}

fn main() {
    publish(&Object::new("document", "17"));
    list(&Action::Read);
}

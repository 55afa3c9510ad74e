//! Isolation: on the first line a template, on the second a path. Whoever is admitted is admitted to the rows of the user
//! whose once-decoded id stands in the owner's place, by a plain second reading.
#![no_main]

use authcore::{Attempt, AuthError, Authenticator, Glance, Guard, Identity, Isolation, Method, RequestHead, UserId};
use authcore_fuzz::{first_line, path::owner_named};
use authcore_testkit::TestHead;

libfuzzer_sys::fuzz_target!(|data: &[u8]| {
    let (template, path) = first_line(data);
    let (Ok(template), Ok(path)) = (std::str::from_utf8(template), std::str::from_utf8(path)) else { return };
    let guard =
        |role| Guard::builder().authenticator(Always(role)).isolate(Isolation::path(template).allow_role("admin"));
    let (Ok(anyone), Ok(administrator)) = (guard("user").build(), guard("admin").build()) else { return };
    assert!(is_template(template), "{template}");

    let named = owner_named(template, path);
    match owner_admitted(&anyone, path) {
        Ok(owner) => {
            assert_eq!(owner, "alice");
            assert!(named.as_deref().is_none_or(|named| named == "alice"), "alice at {named:?}: {path}");
        }
        Err("not_owner") => assert!(named.as_deref().is_some_and(|named| named != "alice"), "{path}"),
        Err(reason) => assert_eq!(reason, "ambiguous_path"),
    }
    match owner_admitted(&administrator, path) {
        Ok(owner) => assert_eq!(owner, named.as_deref().unwrap_or("alice"), "{path}"),
        // An id that no user can have.
        Err("not_owner") => assert!(named.is_some_and(|named| UserId::new(&named).is_err()), "{path}"),
        Err(reason) => assert_eq!(reason, "ambiguous_path"),
    }
});

/// Whose rows the caller is let in to, or why not.
fn owner_admitted(guard: &Guard, path: &str) -> Result<String, &'static str> {
    let head = TestHead::get(path);
    match guard.begin(&head) {
        Attempt::Ready(Ok(admission)) => Ok(admission.scope().expect("a caller").owner().to_string()),
        Attempt::Ready(Err(refusal)) => Err(refusal.reason()),
        Attempt::Pending(_) => panic!("nothing to wait for"),
    }
}

/// What a template with one owner may look like.
fn is_template(template: &str) -> bool {
    let Some(inside) = template.strip_prefix('/') else { return false };
    let pieces: Vec<_> = inside.split('/').collect();
    let owners = pieces.iter().filter(|piece| piece.starts_with('{') && piece.ends_with('}')).count();
    let rest = pieces.iter().position(|piece| *piece == "**").is_none_or(|place| place + 1 == pieces.len());
    owners == 1 && rest && pieces.iter().all(|piece| !piece.is_empty() && !piece.contains('%'))
}

/// Takes every request for one of alice's, in this role.
struct Always(&'static str);

impl Authenticator for Always {
    type Credential = ();

    fn credential(&self, _: &dyn RequestHead) -> Result<Option<()>, AuthError> {
        Ok(Some(()))
    }

    async fn verify(&self, (): ()) -> Result<Identity, AuthError> {
        Ok(self.alice())
    }

    fn glance(&self, _: &dyn RequestHead) -> Glance<()> {
        Glance::Judged(Ok(self.alice()))
    }
}

impl Always {
    fn alice(&self) -> Identity {
        let alice = UserId::new("alice").expect("an id");
        Identity::assertion(alice, Method::Other("fuzz")).roles(self.0).into_identity()
    }
}

//! The wrong way does not compile, and the compiler says which way is right. After a change of its wording:
//! `TRYBUILD=overwrite cargo test -p authcore-sqlx --all-features --test compile_fail`, and read the difference.

#[test]
fn rows_cannot_be_reached_around_the_scope() {
    trybuild::TestCases::new().compile_fail("tests/compile_fail/*.rs");
}

//! The wrong way does not compile. After a change of the compiler's wording: `TRYBUILD=overwrite cargo test -p authcore
//! --test compile_fail`, and read the difference.

#[test]
fn data_access_cannot_be_reached_around_the_check() {
    trybuild::TestCases::new().compile_fail("tests/compile_fail/*.rs");
}

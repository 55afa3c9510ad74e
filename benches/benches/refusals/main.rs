//! What it costs to refuse: processor time and memory for the worst that each section of docs/security/cases.md sends, in
//! the library and in both example servers.
//!
//! `cargo bench -p authcore-benches --bench refusals`

mod inputs;
mod keys;
mod library;
mod outside;

use authcore_benches::is_measured;
use authcore_benches::report::section;

fn main() {
    let within = library::table();
    if is_measured() {
        let outside = outside::table();
        section("What a refusal costs", "refusals", &format!("{within}\n{outside}"));
    }
}

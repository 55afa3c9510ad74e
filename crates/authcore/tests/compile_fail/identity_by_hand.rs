//! Neither an identity nor an admission can be conjured up; vouching has one name, `Identity::assertion`.

use authcore::{Admission, Identity};

fn main() {
    let _identity = Identity::default();
    let _admission = Admission::default();
}

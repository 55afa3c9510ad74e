//! Whose rows a statement is about, as an argument that no text can stand in for.

use authcore::{Rows, UserId};
#[cfg(any(feature = "postgres", feature = "sqlite", feature = "mysql"))]
use sqlx::{Database, Encode, Type, encode::IsNull, error::BoxDynError};

use crate::scope::Scope;

/// The owner of a scope, to be bound in a statement: text, as [`UserId::as_str`] has it.
///
/// Only a scope makes one, so a function that takes an `Owner` cannot be called with an id from a request.
///
/// ```
/// # use authcore::{Identity, Method, UserId};
/// # fn main() -> Result<(), Box<dyn std::error::Error>> {
/// # let ann = UserId::new("ann")?;
/// # let identity = Identity::assertion(ann, Method::Other("example")).into_identity();
/// let owner = authcore_sqlx::Owner::of(&identity.scope());
/// assert_eq!(owner.user_id().as_str(), "ann");
/// # Ok(())
/// # }
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Owner(UserId);

impl Owner {
    /// The owner of this scope.
    #[must_use]
    pub fn of<S: Scope + ?Sized>(scope: &S) -> Self {
        Self(scope.proven().owner().clone())
    }

    /// The owner's id.
    #[must_use]
    pub fn user_id(&self) -> &UserId {
        &self.0
    }
}

/// The caller of these rows.
pub(crate) fn caller_of(rows: &Rows) -> Owner {
    Owner(rows.user_id().clone())
}

#[cfg(any(feature = "postgres", feature = "sqlite", feature = "mysql"))]
macro_rules! bound_as_text {
    ($feature:literal, $engine:ty) => {
        #[cfg(feature = $feature)]
        #[cfg_attr(docsrs, doc(cfg(feature = $feature)))]
        impl Type<$engine> for Owner {
            fn type_info() -> <$engine as Database>::TypeInfo {
                <str as Type<$engine>>::type_info()
            }

            fn compatible(declared: &<$engine as Database>::TypeInfo) -> bool {
                <str as Type<$engine>>::compatible(declared)
            }
        }

        #[cfg(feature = $feature)]
        #[cfg_attr(docsrs, doc(cfg(feature = $feature)))]
        impl Encode<'_, $engine> for Owner {
            fn encode_by_ref(&self, buffer: &mut <$engine as Database>::ArgumentBuffer) -> Result<IsNull, BoxDynError> {
                <&str as Encode<'_, $engine>>::encode(self.0.as_str(), buffer)
            }
        }
    };
}

#[cfg(any(feature = "postgres", feature = "sqlite", feature = "mysql"))]
const _: () = {
    bound_as_text!("postgres", sqlx::Postgres);
    bound_as_text!("sqlite", sqlx::Sqlite);
    bound_as_text!("mysql", sqlx::MySql);
};

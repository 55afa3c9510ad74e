//! What a decision is about: something with an id, and whose it is.

/// What is to be done.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Action {
    /// Looking only.
    Read,
    /// Making, changing, deleting.
    Write,
}

impl Action {
    /// The word in logs and audits.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Read => "read",
            Self::Write => "write",
        }
    }
}

/// One thing, and whose it is: a user's, an organization's, both (a user's in an organization), or nobody's.
///
/// Owners are told from what the database says of it, never from the request; a column may be null. What belongs to the
/// organization alone, its author's included, names no user: a user keeps what is theirs when they leave.
///
/// ```
/// use authcore::Object;
///
/// let document = Object::new("document", "17").of_user("ann").of_organization("acme");
/// assert_eq!(document.id(), "17");
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Object<'o> {
    kind: &'o str,
    id: &'o str,
    user: Option<&'o str>,
    organization: Option<&'o str>,
}

impl<'o> Object<'o> {
    /// The kind of thing, such as `document`, and its id among its kind.
    #[must_use]
    pub fn new(kind: &'o str, id: &'o str) -> Self {
        Self { kind, id, user: None, organization: None }
    }

    /// It belongs to this user; to none, where the id is empty.
    #[must_use]
    pub fn of_user(mut self, id: impl Into<Option<&'o str>>) -> Self {
        self.user = id.into().filter(|id| !id.is_empty());
        self
    }

    /// It belongs to this organization; to none, where the id is empty.
    #[must_use]
    pub fn of_organization(mut self, id: impl Into<Option<&'o str>>) -> Self {
        self.organization = id.into().filter(|id| !id.is_empty());
        self
    }

    /// The kind of thing.
    #[must_use]
    pub fn kind(&self) -> &'o str {
        self.kind
    }

    /// Its id.
    #[must_use]
    pub fn id(&self) -> &'o str {
        self.id
    }

    /// The user it belongs to.
    #[must_use]
    pub fn user(&self) -> Option<&'o str> {
        self.user
    }

    /// The organization it belongs to.
    #[must_use]
    pub fn organization(&self) -> Option<&'o str> {
        self.organization
    }
}

//! The claims an identity keeps: their JSON text, and what is read from it often.

use std::ops::Range;

/// The claims as one text, with places in it: none of the places is [`Place::Within`] another text than this one.
#[derive(Clone)]
pub(crate) struct Claims {
    pub(crate) json: Box<str>,
    pub(crate) roles: Option<Place>,
    pub(crate) token_id: Option<Place>,
    pub(crate) session_id: Option<Place>,
}

/// Where a text is: among the claims, or by itself where they spell it in another way.
#[derive(Clone, Debug)]
pub(crate) enum Place {
    Within(Range<usize>),
    Apart(Box<str>),
}

impl Claims {
    pub(super) fn read<'c>(&'c self, place: Option<&'c Place>) -> Option<&'c str> {
        match place? {
            Place::Within(range) => self.json.get(range.clone()),
            Place::Apart(text) => Some(text),
        }
    }

    /// How long its texts are.
    pub(super) fn bytes(&self) -> usize {
        let apart = |place: &Place| if let Place::Apart(text) = place { text.len() } else { 0 };
        let places = [&self.roles, &self.token_id, &self.session_id];
        self.json.len() + places.into_iter().flatten().map(apart).sum::<usize>()
    }
}

impl Default for Claims {
    fn default() -> Self {
        Self { json: "{}".into(), roles: None, token_id: None, session_id: None }
    }
}

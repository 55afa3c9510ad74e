//! The claims an identity keeps: their JSON text, and what is read from it often.

use std::num::NonZeroU32;
use std::ops::Range;

/// The claims as one text, with places in it. Small, since each remembered token has one.
#[derive(Clone)]
pub(crate) struct Claims {
    /// The JSON, and behind it what it spells in another way.
    text: Box<str>,
    json_length: u32,
    roles: Option<Span>,
    token_id: Option<Span>,
    session_id: Option<Span>,
}

/// What [`Claims`] are made of.
pub(crate) struct Parts {
    pub(crate) json: String,
    pub(crate) roles: Option<Place>,
    pub(crate) token_id: Option<Place>,
    pub(crate) session_id: Option<Place>,
}

/// Where a text is: in the JSON, or by itself where that spells it in another way.
#[derive(Debug)]
pub(crate) enum Place {
    Within(Range<usize>),
    Apart(Box<str>),
}

/// Where a text is in that of the claims: never at its beginning, where their brace is.
#[derive(Clone, Copy)]
struct Span {
    start: NonZeroU32,
    length: u32,
}

impl Claims {
    /// The longest JSON that is kept whole with all that it spells in another way, in bytes.
    pub(crate) const MAX_JSON: usize = 1 << 30;

    pub(super) fn json(&self) -> &str {
        self.at(0, self.json_length)
    }

    pub(super) fn roles(&self) -> Option<&str> {
        self.read(self.roles)
    }

    pub(super) fn token_id(&self) -> Option<&str> {
        self.read(self.token_id)
    }

    pub(super) fn session_id(&self) -> Option<&str> {
        self.read(self.session_id)
    }

    /// How long its texts are.
    pub(super) fn bytes(&self) -> usize {
        self.text.len()
    }

    fn read(&self, span: Option<Span>) -> Option<&str> {
        span.map(|Span { start, length }| self.at(start.get(), length))
    }

    fn at(&self, start: u32, length: u32) -> &str {
        let start = start as usize;
        self.text.get(start..start + length as usize).unwrap_or_default()
    }
}

impl Parts {
    /// Without any claims.
    pub(super) fn none() -> Self {
        Self { json: "{}".to_owned(), roles: None, token_id: None, session_id: None }
    }

    pub(super) fn joined(self) -> Claims {
        self.joined_within(Claims::MAX_JSON)
    }

    fn joined_within(self, max_json: usize) -> Claims {
        let Self { mut json, roles, token_id, session_id } = self;
        if json.len() > max_json {
            // What was asserted apart from it still counts.
            let apart = |place: Option<Place>| place.filter(|place| matches!(place, Place::Apart(_)));
            let [roles, token_id, session_id] = [roles, token_id, session_id].map(apart);
            return Self { roles, token_id, session_id, ..Self::none() }.joined_within(max_json);
        }
        let json_length = u32::try_from(json.len()).unwrap_or(0);
        if json_length == 0 {
            json.push(' ');
        }
        // The ids first, since a revocation asks for them.
        let [token_id, session_id, roles] = [token_id, session_id, roles].map(|place| keep(place?, &mut json));
        Claims { text: json.into(), json_length, roles, token_id, session_id }
    }
}

fn keep(place: Place, text: &mut String) -> Option<Span> {
    let Range { start, end } = match place {
        Place::Within(range) => range,
        Place::Apart(apart) => {
            let start = text.len();
            text.push_str(&apart);
            start..text.len()
        }
    };
    let length = u32::try_from(end.checked_sub(start)?).ok()?;
    Some(Span { start: NonZeroU32::new(u32::try_from(start).ok()?)?, length })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn joined(json: &str, [roles, token_id, session_id]: [Option<Place>; 3]) -> Claims {
        Parts { json: json.to_owned(), roles, token_id, session_id }.joined()
    }

    #[test]
    fn texts_are_found_in_the_json_and_behind_it() {
        let apart = |text: &str| Some(Place::Apart(text.into()));
        let json = r#"{"sid":"s-1"}"#;
        let claims = joined(json, [apart("user,admin"), apart("a\"b"), Some(Place::Within(8..11))]);
        assert_eq!((claims.json(), claims.roles()), (json, Some("user,admin")));
        assert_eq!((claims.token_id(), claims.session_id()), (Some("a\"b"), Some("s-1")));
        assert_eq!(claims.bytes(), json.len() + "user,admin".len() + "a\"b".len());
    }

    #[test]
    fn an_empty_text_is_not_the_same_as_none() {
        let claims = joined("", [None, Some(Place::Apart("".into())), Some(Place::Apart("s".into()))]);
        assert_eq!((claims.json(), claims.roles()), ("", None));
        assert_eq!((claims.token_id(), claims.session_id()), (Some(""), Some("s")));
    }

    #[test]
    fn of_claims_that_are_too_long_what_was_asserted_apart_is_kept() {
        let within = |max_json| {
            let [roles, token_id] = ["admin", "t"].map(|text| Some(Place::Apart(text.into())));
            let session_id = Some(Place::Within(8..11));
            Parts { json: r#"{"sid":"s-1"}"#.to_owned(), roles, token_id, session_id }.joined_within(max_json)
        };
        let told = |claims: &Claims| {
            [Some(claims.json()), claims.roles(), claims.token_id(), claims.session_id()]
                .map(|text| text.map(str::to_owned).unwrap_or_default())
        };
        for max_json in [13, 14] {
            assert_eq!(told(&within(max_json)), [r#"{"sid":"s-1"}"#, "admin", "t", "s-1"]);
        }
        for max_json in [12, 2] {
            assert_eq!(told(&within(max_json)), ["{}", "admin", "t", ""]);
        }
        let [roles, token_id] = [None, None];
        let session_id = Some(Place::Apart("s".into()));
        let claims = Parts { json: "{ }".to_owned(), roles, token_id, session_id }.joined_within(2);
        assert_eq!(told(&claims), ["{}", "", "", "s"]);
    }

    #[test]
    fn claims_are_small() {
        assert_eq!(size_of::<Claims>(), 48);
    }
}

//! Path templates: literals, one named owner, `*` for any segment, `**` for the rest.

use std::borrow::Cow;

use super::path::RequestPath;
use crate::error::ConfigError;

/// A parsed template such as `/api/{user_id}/tasks/**`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Template {
    pieces: Vec<Piece>,
    trailing_slash: bool,
}

/// In order of precedence: where two templates match, the one with the earlier piece at the first difference decides, as
/// a static segment beats a parameter in a router.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Piece {
    Literal(Box<str>),
    Owner,
    Any,
    Rest,
}

/// What a template found in a path.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Match<'r> {
    /// The segment in the owner's place, decoded, if the template has one.
    pub(crate) owner: Option<Cow<'r, str>>,
}

impl Template {
    pub(crate) fn parse(text: &str) -> Result<Self, ConfigError> {
        let refused = |why: &str| ConfigError::new(format!("path template `{text}`: {why}"));
        let inside = text.strip_prefix('/').ok_or_else(|| refused("must begin with `/`"))?;
        let pieces = inside.split('/').filter(|_| !inside.is_empty()).map(|piece| match piece {
            "" => Err(refused("has an empty segment")),
            "*" => Ok(Piece::Any),
            "**" => Ok(Piece::Rest),
            name if is_owner(name) => Ok(Piece::Owner),
            // What routers write in other ways, such as `{*rest}` or `:id`, must not pass for something it is not.
            literal if literal.contains(['{', '}', '*', '%']) || literal.starts_with(':') => {
                Err(refused("a segment is a literal that is not encoded, `{name}`, `*` or a final `**`"))
            }
            literal => Ok(Piece::Literal(literal.into())),
        });
        let pieces = pieces.collect::<Result<Vec<_>, _>>()?;
        if pieces.iter().rev().skip(1).any(|piece| *piece == Piece::Rest) {
            return Err(refused("`**` stands last"));
        }
        if pieces.iter().filter(|piece| **piece == Piece::Owner).count() > 1 {
            return Err(refused("names one owner; `*` is for other segments"));
        }
        Ok(Self { pieces, trailing_slash: false })
    }

    /// This path alone, which needs no escapes. It may end in a slash.
    pub(crate) fn of_path(path: &str) -> Self {
        let inside = path.strip_prefix('/').unwrap_or(path);
        let segments = inside.strip_suffix('/').unwrap_or(inside);
        let pieces = segments.split('/').filter(|_| !segments.is_empty()).map(|name| Piece::Literal(name.into()));
        Self { pieces: pieces.collect(), trailing_slash: segments != inside }
    }

    pub(crate) fn names_owner(&self) -> bool {
        self.pieces.contains(&Piece::Owner)
    }

    /// Compares a path's segments one by one. `**` also stands for no segment at all.
    pub(crate) fn matches<'r>(&self, path: RequestPath<'r>) -> Option<Match<'r>> {
        let mut owner = None;
        let mut segments = path.segments();
        for piece in &self.pieces {
            match (piece, segments.next()) {
                (Piece::Rest, _) => return Some(Match { owner }),
                (Piece::Literal(literal), Some(segment)) if **literal == *segment => {}
                (Piece::Owner, Some(segment)) => owner = Some(segment),
                (Piece::Any, Some(_)) => {}
                _ => return None,
            }
        }
        segments.next().is_none().then_some(Match { owner })
    }

    /// Whether a path that matches is spelt as the template is: literals not percent-encoded, no slash at the end that it
    /// does not have. Routers may take other spellings for other routes.
    pub(crate) fn is_spelt_out_in(&self, path: RequestPath<'_>) -> bool {
        let is_literal = |(piece, segment): (&Piece, &str)| match piece {
            Piece::Literal(literal) => **literal == *segment,
            Piece::Owner | Piece::Any | Piece::Rest => true,
        };
        let open_ended = self.pieces.last() == Some(&Piece::Rest);
        self.pieces.iter().zip(path.raw_segments()).all(is_literal)
            && (open_ended || path.has_trailing_slash() == self.trailing_slash)
    }

    /// For sorting: the template that decides comes first.
    pub(crate) fn precedence(&self) -> Vec<u8> {
        let rank = |piece: &Piece| match piece {
            Piece::Literal(_) => 0,
            Piece::Owner | Piece::Any => 1,
            Piece::Rest => 3,
        };
        // The end of a template outranks `**` and nothing else can follow there.
        self.pieces.iter().map(rank).chain([2]).collect()
    }
}

/// Whether a piece is `{name}`, of letters, digits and `_`.
fn is_owner(piece: &str) -> bool {
    let name = piece.strip_prefix('{').and_then(|rest| rest.strip_suffix('}'));
    name.is_some_and(|name| !name.is_empty() && name.chars().all(|c| c.is_alphanumeric() || c == '_'))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn owner_of(template: &str, path: &str) -> Option<Option<String>> {
        let template = Template::parse(template).expect("a good template");
        let path = RequestPath::parse(path).expect("a good path");
        template.matches(path).map(|found| found.owner.map(Cow::into_owned))
    }

    #[test]
    fn the_owner_is_the_decoded_segment() {
        assert_eq!(owner_of("/api/{user_id}/tasks/**", "/api/ann%2D1/tasks"), Some(Some("ann-1".into())));
        assert_eq!(owner_of("/api/{user_id}/tasks/**", "/api/ann/tasks/7/complete"), Some(Some("ann".into())));
        assert_eq!(owner_of("/api/{user_id}/tasks/**", "/api/ann/notes"), None);
        assert_eq!(owner_of("/api/*/x", "/api/anything/x"), Some(None));
        assert_eq!(owner_of("/api/*/x", "/api/x"), None);
        assert_eq!(owner_of("/**", "/"), Some(None));
        assert_eq!(owner_of("/", "/"), Some(None));
        assert_eq!(owner_of("/a", "/a/"), Some(None));
    }

    #[test]
    fn templates_that_mean_nothing_are_refused() {
        for bad in ["", "a", "/a//b", "/**/b", "/{a}/{b}", "/a{b}", "/a%20b", "/{}"] {
            assert!(Template::parse(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn what_routers_write_for_the_rest_is_not_taken_for_one_segment() {
        for bad in ["/a/{*rest}", "/a/{tail:.*}", "/a/{id:[0-9]+}", "/a/{x}-{y}", "/a/:id", "/a/*rest", "/a/{ }"] {
            assert!(Template::parse(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn a_static_segment_beats_a_parameter_and_both_beat_the_rest() {
        let mut order = ["/**", "/api/**", "/api/{id}/**", "/api/{id}", "/api/user/**", "/api/user"];
        order.sort_by_key(|text| Template::parse(text).map(|template| template.precedence()).unwrap_or_default());
        assert_eq!(order, ["/api/user", "/api/user/**", "/api/{id}", "/api/{id}/**", "/api/**", "/**"]);
    }
}

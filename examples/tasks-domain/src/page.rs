//! The query of a list: which page, and which tasks.

use std::borrow::Cow;

use authcore::{FieldError, Refusal};
use url::form_urlencoded;

/// Which tasks of a list are wanted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Page {
    pub(crate) limit: u8,
    /// The id after which the page begins.
    pub(crate) after: i64,
    pub(crate) completed: Option<bool>,
}

impl Page {
    /// Reads the query of a request target, without its `?`. Parameters nobody asks for are ignored.
    ///
    /// # Errors
    ///
    /// `422 validation_failed` for a value out of range, or one parameter given twice.
    pub fn read(query: Option<&str>) -> Result<Self, Refusal> {
        let query = query.unwrap_or_default();
        let mut errors = Vec::new();
        let mut take = |field: &'static str, message: &'static str, accept: &dyn Fn(&str) -> Option<i64>| {
            let value = sole_value(query, field).map(|value| value.map(|text| accept(&text)));
            match value {
                Ok(None) => None,
                Ok(Some(Some(number))) => Some(number),
                Ok(Some(None)) | Err(GivenTwice) => {
                    errors.push(FieldError { field: field.into(), message: message.into() });
                    None
                }
            }
        };
        let limit = take("limit", "must be one number from 1 to 100", &|text| {
            decimal(text).filter(|limit| (1..=100).contains(limit))
        });
        let after = take("after", "must be one cursor, as in the `next` of a list", &decimal);
        let completed = take("completed", "must be one of true and false", &|text| match text {
            "true" => Some(1),
            "false" => Some(0),
            _ => None,
        });
        if !errors.is_empty() {
            return Err(Refusal::validation_failed(errors));
        }
        let limit = limit.and_then(|limit| u8::try_from(limit).ok()).unwrap_or(DEFAULT_LIMIT);
        Ok(Self { limit, after: after.unwrap_or(0), completed: completed.map(|flag| flag == 1) })
    }
}

impl Default for Page {
    fn default() -> Self {
        Self { limit: DEFAULT_LIMIT, after: 0, completed: None }
    }
}

/// A parameter stands twice in a query: which one counts would be a guess.
#[derive(Debug)]
pub(crate) struct GivenTwice;

/// The value of a query parameter that may be given once.
pub(crate) fn sole_value<'q>(query: &'q str, name: &str) -> Result<Option<Cow<'q, str>>, GivenTwice> {
    let mut values = form_urlencoded::parse(query.as_bytes()).filter(|(key, _)| key == name).map(|(_, value)| value);
    match (values.next(), values.next()) {
        (_, Some(_)) => Err(GivenTwice),
        (value, None) => Ok(value),
    }
}

fn decimal(text: &str) -> Option<i64> {
    text.parse().ok().filter(|_| text.bytes().all(|byte| byte.is_ascii_digit()))
}

const DEFAULT_LIMIT: u8 = 50;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_defaults_are_the_first_fifty_of_all() {
        let all = Page { limit: 50, after: 0, completed: None };
        assert_eq!(Page::read(None).ok(), Some(all));
        assert_eq!(Page::read(Some("user_id=bob&sort=x")).ok(), Some(all));
        assert_eq!(Page::default(), all);
    }

    #[test]
    fn values_in_range_are_taken() {
        let page = Page { limit: 100, after: 7, completed: Some(false) };
        assert_eq!(Page::read(Some("limit=100&after=7&completed=false")).ok(), Some(page));
        assert_eq!(Page::read(Some("%6Cimit=%31")).map(|page| page.limit).ok(), Some(1));
    }

    #[test]
    fn i129_values_out_of_range_are_422_and_named() {
        let refused = [
            ("limit", "limit=0"),
            ("limit", "limit=101"),
            ("limit", "limit=1000000"),
            ("limit", "limit=-1"),
            ("limit", "limit=1.5"),
            ("limit", "limit="),
            ("limit", "limit"),
            ("limit", "limit=%zz"),
            ("limit", "limit=%D9%A7"),
            ("limit", "limit=+5"),
            ("limit", "limit=5&limit=5"),
            ("after", "after=x"),
            ("after", "after=9223372036854775808"),
            ("completed", "completed=1"),
            ("completed", "completed=TRUE"),
        ];
        for (field, query) in refused {
            let refusal = Page::read(Some(query)).expect_err(query);
            assert_eq!(refusal.status(), 422, "{query}");
            assert!(refusal.body().contains(&format!(r#""field":"{field}""#)), "{query}");
        }
    }
}

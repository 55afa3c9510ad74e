//! What the environment says, shown without the user and password that a URL may hold.

use url::Url;

/// A URL, less user, password, query and fragment; `None` for what cannot be read as one, which may hold anything.
pub(super) fn url(text: &str) -> Option<String> {
    let mut url = Url::parse(text).ok().filter(Url::has_host)?;
    url.set_username("").and_then(|()| url.set_password(None)).ok()?;
    url.set_query(None);
    url.set_fragment(None);
    Some(url.into())
}

/// A name, as of an issuer, byte for byte; but where it is a URL that holds a user, or may be one, as [`url`].
pub(super) fn name(text: &str) -> String {
    let is_told = match Url::parse(text) {
        Ok(url) => url.username().is_empty() && url.password().is_none(),
        Err(_) => !(text.contains("//") && text.contains('@')),
    };
    if is_told {
        return text.to_owned();
    }
    let shown = url(text).unwrap_or_else(|| "(no URL, not shown)".to_owned());
    // A URL without a path is written with one.
    if text.ends_with('/') { shown } else { shown.trim_end_matches('/').to_owned() }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_url_is_shown_without_what_may_be_secret_in_it() {
        for text in
            ["https://u:pw@h/jwks", "https://pw@h/jwks?pw#pw", "https:u:p%77@h/jwks", "HTTPS:\\\\u:p/w@h/../jwks"]
        {
            let shown = url(text).unwrap_or_default();
            assert!(!shown.contains('@') && !shown.contains("u:"), "{text}: {shown}");
        }
        assert_eq!(url("https://u:pw@h:8443/jwks?pw#pw").as_deref(), Some("https://h:8443/jwks"));
        for text in ["", "u:pw@h/jwks", "https://u:pw@h:99999/jwks", "//u:pw@h"] {
            assert_eq!(url(text), None, "{text}");
        }
    }

    #[test]
    fn a_name_is_shown_byte_for_byte_unless_it_holds_a_user() {
        for text in ["https://id.example.com", "https://ID.example.com/", "tasks-api", "svc@id.example.com", "urn:a@b"]
        {
            assert_eq!(name(text), text);
        }
        assert_eq!([name("https://u:pw@h"), name("https://u:pw@h/")], ["https://h", "https://h/"]);
        assert_eq!(name("https://u:pw@h:99999/"), "(no URL, not shown)");
    }
}

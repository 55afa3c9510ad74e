//! A plain second reading of whose rows a path names.

/// The segment in the owner's place, decoded once; `None` when the template does not match.
#[must_use]
pub fn owner_named(template: &str, target: &str) -> Option<String> {
    let path = target.split('?').next()?.strip_prefix('/')?;
    let inside = path.strip_suffix('/').unwrap_or(path);
    let segments: Vec<_> = inside.split('/').filter(|_| !inside.is_empty()).map(decoded).collect();
    let pieces: Vec<_> = template.strip_prefix('/')?.split('/').collect();
    let mut owner = None;
    for (place, piece) in pieces.iter().enumerate() {
        match (*piece, segments.get(place)) {
            ("**", _) => return owner,
            ("*", Some(_)) => {}
            (name, Some(segment)) if name.starts_with('{') => owner = Some(segment.clone()?),
            (literal, Some(segment)) if segment.as_deref() == Some(literal) => {}
            _ => return None,
        }
    }
    owner.filter(|_| pieces.len() == segments.len())
}

fn decoded(segment: &str) -> Option<String> {
    let mut pieces = segment.split('%');
    let mut decoded = pieces.next()?.as_bytes().to_vec();
    for piece in pieces {
        let digits = piece.get(..2).filter(|digits| digits.bytes().all(|digit| digit.is_ascii_hexdigit()))?;
        decoded.push(u8::from_str_radix(digits, 16).ok()?);
        decoded.extend(piece[2..].bytes());
    }
    String::from_utf8(decoded).ok()
}

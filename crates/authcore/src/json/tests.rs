use std::collections::HashSet;
use std::fmt;

use proptest::prelude::*;
use serde::de::{self, Deserialize, Deserializer, MapAccess, SeqAccess, Visitor};

use super::*;

/// A plain second reading by serde_json: whether some object names a member twice.
struct NamesTwice(bool);

impl<'de> Deserialize<'de> for NamesTwice {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(AnyValue)
    }
}

struct AnyValue;

impl<'de> Visitor<'de> for AnyValue {
    type Value = NamesTwice;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("JSON")
    }

    fn visit_unit<E: de::Error>(self) -> Result<NamesTwice, E> {
        Ok(NamesTwice(false))
    }

    fn visit_bool<E: de::Error>(self, _: bool) -> Result<NamesTwice, E> {
        Ok(NamesTwice(false))
    }

    fn visit_i64<E: de::Error>(self, _: i64) -> Result<NamesTwice, E> {
        Ok(NamesTwice(false))
    }

    fn visit_u64<E: de::Error>(self, _: u64) -> Result<NamesTwice, E> {
        Ok(NamesTwice(false))
    }

    fn visit_f64<E: de::Error>(self, _: f64) -> Result<NamesTwice, E> {
        Ok(NamesTwice(false))
    }

    fn visit_str<E: de::Error>(self, _: &str) -> Result<NamesTwice, E> {
        Ok(NamesTwice(false))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<NamesTwice, A::Error> {
        let mut twice = false;
        while let Some(NamesTwice(inside)) = seq.next_element()? {
            twice |= inside;
        }
        Ok(NamesTwice(twice))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<NamesTwice, A::Error> {
        let (mut names, mut twice) = (HashSet::new(), false);
        while let Some((name, NamesTwice(inside))) = map.next_entry::<String, _>()? {
            twice |= inside | !names.insert(name);
        }
        Ok(NamesTwice(twice))
    }
}

/// Asserts that a text is taken exactly if serde_json takes it and no name stands twice.
#[track_caller]
fn agrees(text: &str) {
    let is_object = text.trim_start_matches([' ', '\t', '\r', '\n']).starts_with('{');
    match serde_json::from_str::<NamesTwice>(text) {
        Ok(NamesTwice(false)) if is_object => assert_eq!(check(text), Ok(()), "{text:?}"),
        Ok(NamesTwice(true)) if is_object => assert_eq!(check(text), Err(Fault::DuplicateMember), "{text:?}"),
        Ok(_) => assert_eq!(check(text), Err(Fault::NotAnObject), "{text:?}"),
        // A name that stands twice may be met before what is no JSON.
        Err(_) => assert!(check(text).is_err(), "{text:?}"),
    }
}

/// Texts that are JSON or nearly so: made of its own pieces.
fn pieces() -> impl Strategy<Value = String> {
    let piece = prop_oneof![
        4 => prop::sample::select(vec!["{", "}", "[", "]", ":", ",", "\"", "\"a\":", "\"\\u0061\":", "\"b\":{", " ", "\n"]),
        2 => prop::sample::select(vec!["0", "-", "1", "12", ".", "5", "e", "E", "+", "1e400", "-0", "00", "1.0e-7"]),
        1 => prop::sample::select(vec!["true", "false", "null", "nul", "\u{0}", "\u{1f}", "\u{7f}", "ü", "\u{2028}", "\u{feff}"]),
        2 => prop::sample::select(vec!["\\", "\\\"", "\\u", "\\ud83d", "\\ude00", "\\n", "\\x", "12345678", "abcdefgh", "😀"]),
    ];
    prop::collection::vec(piece, 0..24).prop_map(|pieces| pieces.concat())
}

/// What may stand as a value, well made.
fn value() -> impl Strategy<Value = String> {
    let text = "(\\\\[nrt\"/]|\\\\u00[0-7][0-9a-f]|\\\\ud83d\\\\ude00|[a-zA-Z0-9 ü€]){0,24}";
    let leaf = prop_oneof![
        Just("null".to_owned()),
        any::<i64>().prop_map(|number| number.to_string()),
        any::<f64>().prop_filter("a JSON number", |number| number.is_finite()).prop_map(|number| format!("{number:?}")),
        text.prop_map(|text| format!("\"{text}\"")),
    ];
    leaf.prop_recursive(5, 48, 6, |inner| {
        let name = prop_oneof!["[ab]", "\\\\u006[1-3]", "[a-z]{6,10}"];
        let member = (name, inner.clone()).prop_map(|(name, value)| format!("\"{name}\" :{value}"));
        prop_oneof![
            prop::collection::vec(inner, 0..4).prop_map(|values| format!("[{}]", values.join(" ,"))),
            prop::collection::vec(member, 0..20).prop_map(|members| format!("{{{}}}", members.join(", "))),
        ]
    })
}

proptest! {
    #[test]
    fn pieces_of_json_are_judged_as_serde_json_does(text in pieces()) {
        agrees(&text);
        agrees(&format!("{{{text}}}"));
        agrees(&format!("{{\"x\":{text}}}"));
        agrees(&format!("{{\"x\":\"{text}\"}}"));
    }

    #[test]
    fn values_are_judged_as_serde_json_does(text in value()) {
        agrees(&text);
        agrees(&format!("{{\"x\":{text},\"y\":{text}}}"));
        agrees(&format!("\t{{\"a\":{text}, \"\\u0061\" : {text}}}\r\n"));
    }

    /// One character more, less or other.
    #[test]
    fn spoilt_values_are_judged_as_serde_json_does(text in value(), at: prop::sample::Index, by in "[\\[\\]{}\":,0-9.eE+\\\\ -]?") {
        let text: Vec<char> = format!("{{\"x\":{text}}}").chars().collect();
        let at = at.index(text.len());
        agrees(&text[..at].iter().copied().chain(by.chars()).chain(text[at + 1..].iter().copied()).collect::<String>());
        agrees(&text[..at].iter().copied().chain(by.chars()).chain(text[at..].iter().copied()).collect::<String>());
    }

    #[test]
    fn a_member_is_found_whatever_stands_around_it(before in value(), wanted in value(), after in value()) {
        let text = format!("{{\"before\":{before},\"\\u0077anted\":{wanted},\"after\":{after}}}");
        let mut taken = [None];
        if walk(&text, &Wanted::new(["wanted"]), &mut taken).is_ok() {
            let found = taken[0].expect("it is there");
            prop_assert_eq!(found.get(), &wanted);
            prop_assert_eq!(found.string().map(Cow::into_owned), serde_json::from_str::<String>(&wanted).ok());
            if let Some((plain, at)) = found.plain_string() {
                prop_assert_eq!(&text[at..at + plain.len()], plain);
            }
        }
    }
}

#[test]
fn depth_is_bounded_as_by_serde_json() {
    for depth in [1, 126, 127, 128, 5000] {
        let (lists, objects) = ("[".repeat(depth - 1), "{\"a\":".repeat(depth));
        agrees(&format!("{{\"a\":{lists}{}}}", "]".repeat(depth - 1)));
        agrees(&format!("{objects}1{}", "}".repeat(depth)));
    }
    let deepest = format!("{}1{}", "{\"a\":".repeat(127), "}".repeat(127));
    assert_eq!(check(&deepest), Ok(()));
    assert_eq!(check(&format!("{{\"a\":{deepest}}}")), Err(Fault::NotAnObject));
}

#[test]
fn numbers_are_those_of_serde_json() {
    let long = "9".repeat(299);
    let numbers = [
        "0",
        "-0",
        "-",
        "00",
        "01",
        "-01",
        "1.",
        ".5",
        "1.5",
        "1e5",
        "1E+5",
        "1e-5",
        "1e",
        "1e+",
        "1.e5",
        "+1",
        "0x1",
        "1e308",
        "1e309",
        "-1e309",
        "1e-400",
        "1_0",
        "1 0",
        "--1",
        "NaN",
        "Infinity",
        &long,
        &format!("{long}9"),
        &format!("{long}9999999999"),
        &format!("{long}9999999999.5"),
        &format!("0.{long}{long}"),
    ];
    for number in numbers {
        agrees(&format!("{{\"n\":{number}}}"));
        agrees(&format!("{{\"n\":[{number},{number}]}}"));
    }
}

#[test]
fn a_number_too_large_for_anybody_is_left_to_whoever_asked_for_it() {
    let wanted = Wanted::new(["exp"]);
    assert_eq!(walk(r#"{"exp":1e400}"#, &wanted, &mut [None]), Ok(()));
    assert_eq!(walk(r#"{"other":1e400}"#, &wanted, &mut [None]), Err(Fault::NotAnObject));
    assert_eq!(walk(r#"{"exp":[1e400]}"#, &wanted, &mut [None]), Err(Fault::NotAnObject));
    assert_eq!(walk(r#"{"exp":1e+}"#, &wanted, &mut [None]), Err(Fault::NotAnObject));
}

#[test]
fn names_count_by_what_they_mean_however_many_there_are() {
    for count in [2, 15, 16, 17, 300] {
        for length in [1, 6, 7, 8, 9, 20, 255, 256, 300] {
            let names: Vec<_> = (0..count).map(|n| format!("{n:0length$}")).collect();
            let last = names.last().expect("some");
            let object = |names: &[String]| {
                let members: Vec<_> = names.iter().map(|name| format!("\"{name}\":0")).collect();
                format!("{{{}}}", members.join(","))
            };
            let differ = names.iter().collect::<HashSet<_>>().len() == names.len();
            assert_eq!(check(&object(&names)).is_ok(), differ, "{count} names of {length}");
            let twice = object(&[&names[..], std::slice::from_ref(last)].concat());
            assert_eq!(check(&twice), Err(Fault::DuplicateMember), "{count} names of {length}");
            let escaped = format!("\\u00{:02x}{}", last.as_bytes()[0], &last[1..]);
            let twice = object(&[&names[..], &[escaped]].concat());
            assert_eq!(check(&twice), Err(Fault::DuplicateMember), "{count} names of {length}");
        }
    }
}

#[test]
fn what_was_opened_is_closed_by_its_own_bracket() {
    for text in
        [r#"{"a":1]"#, r#"{"a":[1}}"#, r#"{"a":[1:]}"#, r#"{"a":1""#, r#"{"a":1 2}"#, r#"{"a":[1 2]}"#, r#"{"a":[],}"#]
    {
        assert_eq!(check(text), Err(Fault::NotAnObject), "{text}");
    }
    assert_eq!(check(r#"{"a":[1,{}],"b":{"c":[]}}"#), Ok(()));
}

#[test]
fn strings_are_read_alone_or_from_a_list() {
    let read = |text: &str| {
        let text = format!("{{\"x\":{text}}}");
        let mut taken = [None];
        walk(&text, &Wanted::new(["x"]), &mut taken).expect("an object");
        let mut all = Vec::new();
        taken[0].expect("it is there").each_string(|one| all.push(one.to_owned())).map(|()| all)
    };
    assert_eq!(read(r#""a""#), Some(vec!["a".to_owned()]));
    assert_eq!(read(r#"[ "a" , "\u0062" ]"#), Some(vec!["a".to_owned(), "b".to_owned()]));
    assert_eq!(read("[]"), Some(vec![]));
    let plain = |text: &str, at| {
        let mut taken = [None];
        walk(text, &Wanted::new(["x"]), &mut taken).expect("an object");
        assert_eq!(taken[0].and_then(Json::plain_string), at, "{text}");
    };
    plain(r#"{"x":"ab"}"#, Some(("ab", 6)));
    plain(r#"{"x" : "" }"#, Some(("", 8)));
    plain(r#"{"x":"a\u0062"}"#, None);
    plain(r#"{"x":1}"#, None);
    for none in ["1", "null", "{}", r#"["a",1]"#, r#"[["a"]]"#, r#"{"a":"b"}"#] {
        assert_eq!(read(none), None, "{none}");
    }
}

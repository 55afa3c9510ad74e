//! What is made of public keys, key ids and header parameters.

use std::time::Duration;

use authcore::Algorithm;
use authcore_testkit::{Mint, SigningKey, b64, mint, mirrored_es256};
use serde_json::json;
use tasks_conformance::Example;

use crate::{Issuer, assert_accepted, assert_refused};

fn key(algorithm: Algorithm) -> &'static SigningKey {
    SigningKey::fixed(algorithm)
}

/// A token that says it is of this key.
fn naming(key: &SigningKey) -> Mint {
    mint().header("kid", key.kid())
}

#[test]
fn a37_a38_a39_the_key_says_which_algorithm_it_is_for() {
    let ours = key(Algorithm::EdDsa);
    let issuer = Issuer::publishing(&[ours]);
    for example in Example::ALL {
        let server = issuer.ready(example);
        for alg in ["none", "None", "none ", "n\u{43e}ne", "", "eddsa", "HS256", "ES256", "Ed448", "dir"] {
            let case = format!("{}: alg {alg:?}", example.name());
            assert_refused(&server, &naming(ours).header("alg", alg).sign(ours), &case);
            assert_refused(&server, &naming(ours).header("alg", alg).unsigned(), &case);
        }
        for alg in [json!(null), json!(7), json!(["EdDSA"]), json!({})] {
            assert_refused(&server, &naming(ours).header("alg", alg).sign(ours), example.name());
        }
        assert_refused(&server, &naming(ours).without_header("alg").sign(ours), example.name());
        assert_accepted(&server, &mint().sign(ours), example.name());
    }
}

#[test]
fn a40_a_public_key_is_no_shared_secret() {
    let public = [Algorithm::Rs256, Algorithm::Es256, Algorithm::EdDsa].map(key);
    let issuer = Issuer::publishing(&public);
    let of_its_own = ("BETTER_AUTH_SECRET", "a secret that these tests share with nobody else");
    for example in Example::ALL {
        // HS256 refused altogether, and accepted beside the published keys.
        for settings in [&[][..], &[of_its_own, ("BETTER_AUTH_HS256", "on")]] {
            let server = issuer.server(example, settings);
            for public in public {
                for (form, bytes) in public.public_forms() {
                    for hmac in [Algorithm::Hs256, Algorithm::Hs384, Algorithm::Hs512] {
                        let forger = SigningKey::hmac(hmac, &bytes);
                        let case = format!("{}: {hmac} with {form}", example.name());
                        assert_refused(&server, &naming(public).sign(&forger), &case);
                        assert_refused(&server, &mint().sign(&forger), &case);
                        let declared = naming(public).header("alg", public.algorithm().name());
                        assert_refused(&server, &declared.sign(&forger), &case);
                    }
                }
                assert_accepted(&server, &mint().sign(public), example.name());
            }
        }
    }
}

#[test]
fn a43_a_key_serves_the_algorithm_it_was_published_for() {
    let published = [Algorithm::Rs256, Algorithm::Ps384, Algorithm::Es256, Algorithm::EdDsa].map(key);
    let issuer = Issuer::publishing(&published);
    for example in Example::ALL {
        let server = issuer.ready(example);
        for (algorithm, others) in [
            (Algorithm::Rs256, &["PS256", "RS384", "RS512", "ES256", "HS256"][..]),
            (Algorithm::Ps384, &["RS384", "PS256", "PS512"]),
            (Algorithm::Es256, &["ES384", "ES512", "RS256", "EdDSA"]),
            (Algorithm::EdDsa, &["ES256", "Ed448"]),
        ] {
            for alg in others {
                let token = naming(key(algorithm)).header("alg", *alg).sign(key(algorithm));
                assert_refused(&server, &token, &format!("{}: {algorithm} as {alg}", example.name()));
            }
        }
        // Good by the numbers of the key, and not by what it was published for.
        for algorithm in [Algorithm::Rs384, Algorithm::Rs512, Algorithm::Ps256] {
            let same_numbers = key(Algorithm::Rs256).clone().with_algorithm(algorithm);
            assert_refused(&server, &mint().sign(&same_numbers), &format!("{}: {algorithm}", example.name()));
        }
    }
}

#[test]
fn a44_a45_a46_a_key_id_is_only_looked_up_and_is_in_no_log() {
    let ours = key(Algorithm::EdDsa);
    for example in Example::ALL {
        let issuer = Issuer::publishing(&[ours]);
        let mut server = issuer.server(example, &[("RUST_LOG", "debug")]);
        assert_accepted(&server, &mint().sign(ours), example.name());
        let kid = ours.kid().expect("an id");
        let unknown = ["", " ", "tattle", &format!("{kid} "), &format!(" {kid}"), &kid.to_uppercase(), &kid[1..]];
        let hostile = [
            "../../tattle",
            "https://tattle.example/k",
            "' OR 'tattle'='tattle' --",
            "$(touch tattle)",
            "tattle\r\nX-Tattle: y",
            "tattle\0",
            &"tattle".repeat(1_000),
        ];
        for kid in unknown.into_iter().chain(hostile) {
            assert_refused(&server, &mint().header("kid", kid).sign(ours), &format!("{}: {kid:?}", example.name()));
        }
        for kid in [json!(1), json!(["tattle"]), json!({"tattle": 1}), json!(null), json!(true)] {
            let token = mint().header("kid", kid.clone()).sign(ours);
            assert_refused(&server, &token, &format!("{}: {kid}", example.name()));
        }
        assert!(issuer.fake.requests() <= 2, "{}: {} fetches", example.name(), issuer.fake.requests());
        server.signal("TERM");
        assert!(server.ended_within(Duration::from_secs(15)).is_some(), "{}", example.name());
        let log = server.log().to_lowercase();
        assert!(log.contains("token_invalid") && !log.contains("tattle"), "{log}");
    }
}

#[test]
fn a48_a49_without_an_id_no_published_key_is_tried() {
    let (one, other) = (key(Algorithm::EdDsa), SigningKey::generate(Algorithm::EdDsa));
    for published in [&[one][..], &[one, &other]] {
        let issuer = Issuer::publishing(published);
        for example in Example::ALL {
            let server = issuer.ready(example);
            assert_refused(&server, &mint().without_header("kid").sign(one), example.name());
        }
    }
}

#[test]
fn a50_a51_a_signature_counts_for_the_key_it_names() {
    let (one, other) = (key(Algorithm::EdDsa), SigningKey::generate(Algorithm::EdDsa));
    let attacker = SigningKey::generate(Algorithm::EdDsa);
    let issuer = Issuer::publishing(&[one, &other]);
    for example in Example::ALL {
        let server = issuer.ready(example);
        assert_refused(&server, &naming(&other).sign(one), example.name());
        assert_refused(&server, &naming(one).sign(&other), example.name());
        let named = naming(one).header("jwk", attacker.public_jwk());
        let own = mint().header("jwk", attacker.public_jwk());
        let chain = naming(one).header("x5c", json!(["MIIB"]));
        for token in [named, own, chain] {
            assert_refused(&server, &token.sign(&attacker), example.name());
        }
        assert_accepted(&server, &mint().sign(&other), example.name());
    }
}

#[test]
fn a52_a53_nobody_is_asked_for_the_sake_of_a_header() {
    let (ours, attacker) = (key(Algorithm::EdDsa), SigningKey::generate(Algorithm::EdDsa));
    let (issuer, elsewhere) = (Issuer::publishing(&[ours]), Issuer::publishing(&[&attacker]));
    let asked_by = Example::ALL.len() as u64;
    for example in Example::ALL {
        let server = issuer.ready(example);
        let urls =
            [elsewhere.fake.jwks_url(), "file:///etc/passwd".into(), "http://169.254.169.254/latest/meta-data".into()];
        for parameter in ["jku", "x5u"] {
            for url in &urls {
                let token = naming(ours).header(parameter, url.as_str());
                assert_refused(&server, &token.sign(&attacker), &format!("{}: {parameter} {url}", example.name()));
                assert_accepted(&server, &token.sign(ours), example.name());
            }
        }
    }
    assert_eq!((elsewhere.fake.requests(), issuer.fake.requests()), (0, asked_by));
}

#[test]
fn a54_a55_a56_a57_parameters_that_change_the_rules_are_refused() {
    let ours = key(Algorithm::Es256);
    let issuer = Issuer::publishing(&[ours]);
    for example in Example::ALL {
        let server = issuer.ready(example);
        for (name, value) in [
            ("crit", json!(["exp"])),
            ("crit", json!([])),
            ("crit", json!(["b64"])),
            ("b64", json!(false)),
            ("zip", json!("DEF")),
            ("enc", json!("A256GCM")),
            ("cty", json!("JWT")),
            ("typ", json!("dpop+jwt")),
            ("typ", json!("logout+jwt")),
            ("typ", json!(["JWT"])),
        ] {
            let case = format!("{}: {name} {value}", example.name());
            assert_refused(&server, &mint().header(name, value).sign(ours), &case);
        }
    }
}

#[test]
fn a58_a59_a60_a61_signatures_have_one_form() {
    let keys =
        [Algorithm::Es256, Algorithm::Es384, Algorithm::Es512, Algorithm::EdDsa, Algorithm::Rs256, Algorithm::Ps256]
            .map(key);
    let issuer = Issuer::publishing(&keys);
    let (pkcs1, pss, ecdsa) = (key(Algorithm::Rs256), key(Algorithm::Ps256), key(Algorithm::Es256));
    for example in Example::ALL {
        let server = issuer.ready(example);
        for key in keys {
            assert_accepted(&server, &mint().sign(key), &format!("{}: {}", example.name(), key.algorithm()));
            for (what, token) in key.spoilt_tokens(&mint()) {
                assert_refused(&server, &token, &format!("{}: {}, {what}", example.name(), key.algorithm()));
            }
        }
        assert_refused(&server, &naming(pss).header("alg", "PS256").sign(pkcs1), "PKCS#1 for PSS");
        assert_refused(&server, &naming(pkcs1).header("alg", "RS256").sign(pss), "PSS for PKCS#1");
        let input = mint().signing_input(ecdsa);
        let mirrored = mirrored_es256(&ecdsa.sign(input.as_bytes()));
        assert_accepted(&server, &format!("{input}.{}", b64(mirrored)), "(r, n - s)");
    }
}

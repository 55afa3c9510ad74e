//! What a URL says of TLS is what happens.

use std::path::Path;

use authcore_better_auth::{Schema, SqlSessions};

use crate::bench::SqlBench;
use crate::database::Database;
use crate::support::engines::Engine;
use crate::{mariadb, postgres};

const FOLDER: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/testdata/tls");

/// How an engine spells what is asked of TLS.
struct Words {
    disable: &'static str,
    require: &'static str,
    verify: &'static str,
    authority: &'static str,
    /// What a server that insists on TLS says to those who come without.
    insists: &'static str,
}

async fn holds(engine: Engine, url: impl Fn(&Engine) -> String, words: &Words) {
    let refusal = async |engine: &Engine, asked: &str| {
        let connected = SqlSessions::connect(&format!("{}?{asked}", url(engine))).await;
        connected.expect_err("not as it was asked for").to_string()
    };
    let plain = refusal(&engine, words.require).await;
    assert!(plain.contains("does not support TLS"), "no silent fall back to plain text: {plain}");

    let engine = engine.encrypted(Path::new(FOLDER));
    Database::at(&url(&engine)).await;
    let authority = format!("{}={FOLDER}/authority.pem", words.authority);
    for asked in [words.require.to_owned(), format!("{}&{authority}", words.verify)] {
        let connected = SqlSessions::connect(&format!("{}?{asked}", url(&engine))).await;
        connected.unwrap_or_else(|error| panic!("{asked}: {error}"));
    }
    let unencrypted = refusal(&engine, words.disable).await;
    assert!(unencrypted.contains(words.insists), "{unencrypted}");
    let unknown = refusal(&engine, words.verify).await;
    assert!(unknown.contains("UnknownIssuer"), "an authority that nobody named: {unknown}");
}

#[tokio::test]
async fn tls_is_as_asked_for_on_postgres() {
    let (engine, form) = (Engine::postgres(), postgres::built_in());
    let url = |engine: &Engine| engine.first_database();
    SqlBench::new(Database::at(&url(&engine)).await, &url(&engine), form, Schema::better_auth()).await;
    let words = Words {
        disable: "sslmode=disable",
        require: "sslmode=require",
        verify: "sslmode=verify-full",
        authority: "sslrootcert",
        insists: "no encryption",
    };
    holds(engine, url, &words).await;
}

#[tokio::test]
async fn tls_is_as_asked_for_on_mariadb() {
    let (engine, form) = (Engine::mariadb(), mariadb::built_in());
    let url = |engine: &Engine| engine.first_database();
    SqlBench::new(Database::at(&url(&engine)).await, &url(&engine), form, Schema::better_auth()).await;
    let words = Words {
        disable: "ssl-mode=DISABLED",
        require: "ssl-mode=REQUIRED",
        verify: "ssl-mode=VERIFY_IDENTITY",
        authority: "ssl-ca",
        insists: "Access denied",
    };
    holds(engine, url, &words).await;
}

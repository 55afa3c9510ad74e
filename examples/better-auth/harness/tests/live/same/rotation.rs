//! Another secret comes first: who is signed in then?

use authcore::Secret;
use authcore_better_auth::{BearerSessions, CookieNames, Secrets, SqlSessions};
use better_auth_harness::Release::{Latest, Pinned};
use better_auth_harness::{BetterAuthServer, Release};

use super::site::{Presented, authenticator, verdict};
use super::verdict::{Says, Verdict};
use crate::database::SqliteFile;

/// The row of `docs/better-auth.md`: the one difference that one has to ask for.
pub(crate) const ROW: &str = "A cookie signed with an earlier secret";

const OLD: &str = "1:the-old-one-with-32-bytes-or-more-of-it";

const BOTH: &str = "2:the-new-one-with-32-bytes-or-more-of-it,1:the-old-one-with-32-bytes-or-more-of-it";

#[tokio::test(flavor = "multi_thread")]
async fn same_as_get_session_after_a_rotation_of_secrets() {
    for release in [Pinned, Latest] {
        let file = SqliteFile::new(&format!("rotation-{}", release.number()));
        let member = start(release, &file, OLD).sign_up("ada@example.com").unwrap_or_else(|error| panic!("{error}"));
        let server = start(release, &file, BOTH);
        let store = SqlSessions::connect(&file.url()).await.expect("the tables fit");
        let names = CookieNames::at(server.url());
        let secrets = Secrets::versioned(&Secret::new(BOTH)).expect("good secrets");
        let ours = |secrets: &Secrets| authenticator(&names, secrets, Some(store.clone()), None, BearerSessions::Off);
        let before = Presented::cookie(member.cookie.clone());

        let theirs = server.browser().with_cookie(&member.cookie).get_session().expect("an answer");
        assert!(theirs.is_null(), "{theirs}");
        let refused = Some(Says::Nobody("session_bad_signature"));
        assert_eq!(verdict(&ours(&secrets), &before).await.says(), refused);
        let lenient = ours(&secrets.clone().accept_previous(true));
        assert_eq!(verdict(&lenient, &before).await.says(), Some(Says::Session));

        let mut ada = server.browser();
        ada.sign_in("ada@example.com").expect("a session");
        let theirs = Verdict::of_server(&ada.clone().get_session().expect("an answer"));
        assert!(theirs.agrees(&verdict(&ours(&secrets), &Presented::from(&ada)).await), "the new secret is known");
    }
}

fn start(release: Release, file: &SqliteFile, secrets: &str) -> BetterAuthServer {
    let settings = [("DATABASE_PATH", file.path()), ("BETTER_AUTH_SECRETS", secrets)];
    BetterAuthServer::start_release(release, &settings).unwrap_or_else(|error| panic!("{error}"))
}

//! What stands in Better Auth's database, changed under a cookie that is good: S-107 and S-108.

use std::str::FromStr as _;

use sqlx::sqlite::{SqliteConnectOptions, SqliteConnection};
use sqlx::{AssertSqlSafe, ConnectOptions as _};
use tasks_conformance::Example;

use crate::{Auth, assert_no_session, assert_user, better_auth, by_cookie};

/// Nothing is removed along with what is deleted here.
async fn open(auth: &Auth) -> SqliteConnection {
    let options = SqliteConnectOptions::from_str(&auth.database).expect("a URL of ours").foreign_keys(false);
    options.connect().await.expect("Better Auth has made the file")
}

#[tokio::test]
async fn s107_s108_a_session_that_is_over_or_nobodys_is_none() {
    let auth = better_auth("rows", &[("ADMIN_EMAILS", "root@example.com")]);
    let mut root = auth.server.browser();
    root.sign_up("root@example.com").expect("an account");
    let mut database = open(&auth).await;
    for example in Example::ALL {
        let server = auth.api(example, &[("BETTER_AUTH_DATABASE_URL", &auth.database)]);
        let changes = [
            ("expired", "UPDATE session SET expiresAt = '2020-01-01T00:00:00.000Z' WHERE userId = ?"),
            ("missing", "DELETE FROM session WHERE userId = ?"),
            ("without its user", "DELETE FROM user WHERE id = ?"),
        ];
        for (number, (what, statement)) in changes.into_iter().enumerate() {
            let case = format!("{}: {what}", example.name());
            let member = auth.sign_up(&format!("member-{number}-{}", example.name()));
            assert_user(&by_cookie(&server, "GET", "/api/tasks", &member), &member, &case);
            let changed = sqlx::query(AssertSqlSafe(statement)).bind(&member.id).execute(&mut database).await;
            assert_eq!(changed.expect("the change").rows_affected(), 1, "{case}");
            assert_no_session(&by_cookie(&server, "GET", "/api/tasks", &member), &case);
        }

        let banned = auth.sign_up(&format!("banned-{}", example.name()));
        assert_user(&by_cookie(&server, "GET", "/api/tasks", &banned), &banned, example.name());
        // Better Auth also ends the sessions of who is banned: the ban alone is enough.
        let ban = "UPDATE user SET banned = 1 WHERE id = ?";
        let changed = sqlx::query(ban).bind(&banned.id).execute(&mut database).await;
        assert_eq!(changed.expect("the change").rows_affected(), 1);
        assert_no_session(&by_cookie(&server, "GET", "/api/tasks", &banned), &format!("{}: banned", example.name()));

        let revoked = auth.sign_up(&format!("revoked-{}", example.name()));
        root.ban(&revoked.id, None).expect("a ban");
        assert_no_session(&by_cookie(&server, "GET", "/api/tasks", &revoked), &format!("{}: revoked", example.name()));
    }
}

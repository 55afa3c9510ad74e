//! Users and memberships by their ids, on each engine.

use authcore::UserId;
use authcore_better_auth::{Schema, SqlSessions, User, UserDirectory, UserStore as _};

use crate::bench::{Form, SqlBench, number, text_id, uuid};
use crate::database::{Database, SqliteFile};
use crate::store_suite::{Bench, Seed};
use crate::support::engines::Engine;
use crate::{mariadb, postgres, sqlite};

fn id(text: &str) -> UserId {
    UserId::new(text).expect("an id")
}

fn names(found: &[Option<User>]) -> Vec<Option<&str>> {
    found.iter().map(|user| user.as_ref().map(|user| user.name.as_str())).collect()
}

async fn holds_to_the_directory(database: Database, url: &str, form: Form) {
    let (user_id, is_numbered) = (form.id.1, form.id.0 == "integer");
    let bench = SqlBench::new(database, url, form, Schema::better_auth()).await;
    for user in 1..=12 {
        bench.insert(&Seed::live(&format!("Token{user}"), user)).await;
    }
    let users: UserDirectory = bench.sessions.users();
    let ids = |numbers: &[u32]| numbers.iter().map(|user| id(&user_id(*user))).collect::<Vec<_>>();

    assert!(users.get_many(&[]).await.expect("it answers").is_empty());
    let found = users.get_many(&ids(&[3, 99, 1, 3])).await.expect("it answers");
    let (one, three) = (Some("User 1 ü"), Some("User 3 ü"));
    assert_eq!(names(&found), [three, None, one, three], "in order, absence included");
    let all = users.get_many(&ids(&(1..=12).collect::<Vec<_>>())).await.expect("it answers");
    assert_eq!(names(&all).iter().flatten().count(), 12, "more than the smallest statement takes");

    let strange = ["1 OR 1=1", "nobody", "HXIEJ8ZGRJBF3UYFSWWE9ECWLXMV0001", "1x", "01", "+1", "1.0"];
    for text in strange.into_iter().filter(|text| !is_numbered || *text != "1") {
        assert!(users.user(&id(text)).await.expect("no engine stumbles").is_none(), "{text}");
    }
    assert_eq!(users.user(&id(&user_id(2))).await.expect("it answers").expect("there").email, "user2@example.com");

    let thousand: Vec<_> = (1..=1000).map(|user| id(&user_id(user))).collect();
    assert_eq!(users.get_many(&thousand).await.expect("it answers").iter().flatten().count(), 12);
    let too_many: Vec<_> = (1..=1001).map(|user| id(&user_id(user))).collect();
    let error = users.get_many(&too_many).await.expect_err("one too many");
    let cause = std::error::Error::source(&error).map(ToString::to_string);
    assert_eq!(cause.as_deref(), Some("more than 1000 users were asked for at once"));

    holds_to_the_memberships(&bench, user_id).await;
}

async fn holds_to_the_memberships(bench: &SqlBench, user_id: fn(u32) -> String) {
    let error = bench.sessions.memberships().expect_err("no such table yet").to_string();
    assert!(error.contains("no table of members"), "{error}");

    let (anna, bert, carl, dora) = (user_id(1), user_id(2), user_id(3), user_id(4));
    let text = "varchar(64)";
    let tables = format!(
        "CREATE TABLE \"member\" (\"organizationId\" {text}, \"userId\" {text}, \"role\" {text}); \
         CREATE TABLE \"team\" (\"id\" {text}, \"organizationId\" {text}); \
         CREATE TABLE \"teamMember\" (\"teamId\" {text}, \"userId\" {text}); \
         INSERT INTO \"member\" VALUES ('Acme', '{anna}', 'owner, admin'), ('Acme', '{bert}', 'member'), \
             ('Other', '{dora}', 'owner'); \
         INSERT INTO \"team\" VALUES ('Red', 'Acme'), ('Blue', 'Other'); \
         INSERT INTO \"teamMember\" VALUES ('Red', '{anna}'), ('Red', '{carl}'), ('Blue', '{anna}')"
    );
    bench.database.run(&tables).await;
    bench
        .reconnect(async |sessions: SqlSessions| {
            let members = sessions.memberships().expect("the tables are there");
            let of = async |organization, user: &String| {
                let found = members.of(organization, &id(user)).await.expect("it answers");
                found.map(|membership| membership.roles().collect::<Vec<_>>().join(" "))
            };
            assert_eq!(of("Acme", &anna).await.as_deref(), Some("owner admin"));
            assert_eq!(of("Acme", &bert).await.as_deref(), Some("member"));
            assert_eq!(of("Acme", &carl).await, None, "a row in a team is no membership");
            assert_eq!(of("Other", &anna).await, None);
            assert_eq!(of("acme", &anna).await, None, "another organization, whatever the collation says");

            let in_team = async |organization, team, user: &String| {
                members.in_team(organization, team, &id(user)).await.expect("it answers").is_some()
            };
            assert!(in_team("Acme", "Red", &anna).await);
            assert!(!in_team("Acme", "Red", &bert).await, "not in the team");
            assert!(!in_team("Acme", "Red", &carl).await, "in the team, and removed from the organization");
            assert!(!in_team("Acme", "Blue", &anna).await, "a team of another organization");
            assert!(!in_team("Other", "Blue", &anna).await, "not of that organization");
            assert!(!in_team("Acme", "red", &anna).await, "another team, whatever the collation says");
        })
        .await;
}

#[tokio::test]
async fn users_and_members_are_found_in_sqlite() {
    for (name, id) in [("users", ("text", text_id as fn(u32) -> String)), ("numbered", ("integer", number))] {
        let file = SqliteFile::new(name);
        holds_to_the_directory(Database::sqlite(&file).await, &file.url(), Form { id, ..sqlite::built_in() }).await;
    }
}

#[tokio::test]
async fn users_and_members_are_found_in_postgres() {
    let engine = Engine::postgres();
    let first = Database::at(&engine.first_database()).await;
    for (name, id) in
        [("text", ("text", text_id as fn(u32) -> String)), ("uuids", ("uuid", uuid)), ("int", ("integer", number))]
    {
        first.run(&format!("CREATE DATABASE \"{name}\"")).await;
        let url = engine.url(name);
        holds_to_the_directory(Database::at(&url).await, &url, Form { id, ..postgres::built_in() }).await;
    }
}

#[tokio::test]
async fn users_and_members_are_found_in_mariadb() {
    let engine = Engine::mariadb();
    let first = Database::at(&engine.first_database()).await;
    for (name, id) in [("text", ("varchar(36)", text_id as fn(u32) -> String)), ("int", ("integer", number))] {
        first.run(&format!("CREATE DATABASE \"{name}\"")).await;
        let url = engine.url(name);
        holds_to_the_directory(Database::at(&url).await, &url, Form { id, ..mariadb::built_in() }).await;
    }
}

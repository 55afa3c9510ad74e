//! What happens to sessions: each scenario with users of its own, both sides asked after each action.

use std::time::Duration;

use authcore::UserId;
use better_auth_harness::Browser;
use serde_json::{Value, json};

use super::site::{Presented, Site, Storage};

/// Why a scenario could not go on: the server refused an action.
type Done = Result<(), String>;

/// All of them, one after the other. A scenario that cannot go on is a finding, and the next one begins.
pub(crate) async fn run(site: &mut Site) {
    macro_rules! scenarios {
        ($($scenario:ident)*) => {$(
            if let Err(error) = $scenario(site).await {
                site.check(&format!("{} cannot go on: {error}", stringify!($scenario)), false);
            }
        )*};
    }
    scenarios!(
        nobody sign_up sign_in_again remember_me_off sign_out sign_out_and_a_cache_of_a_second
        revoked_by_another revoke_sessions revoke_other_sessions change_password
        change_password_and_revoke delete_user update_user date_like_name set_role ban ban_that_ends
        ban_flag_by_hand impersonate active_organization removed_member expired_by_hand user_deleted_by_hand
        cache_lost two_accounts bearer odd_cookies
    );
}

async fn nobody(site: &mut Site) -> Done {
    site.ask("no credential", Presented::default()).await;
    site.ask("an unknown token", Presented::cookie(format!("{}=unknown.AAAA", site.names.session_token()))).await;
    Ok(())
}

async fn sign_up(site: &mut Site) -> Done {
    let (ada, id) = site.sign_up("ada")?;
    let seen = site.ask("sign-up", &ada).await;
    site.check("somebody who signed up is signed in", seen.seen().is_some() && !id.is_empty());
    if site.plan.chunked {
        let is_chunk = |(name, _): (&str, &str)| name == format!("{}.1", site.names.session_data());
        let is_chunked = ada.cookies().any(is_chunk);
        site.check("the cache is in chunks", is_chunked);
    }
    if site.plan.https {
        let is_secure = ada.cookies().all(|(name, _)| name.starts_with("__Secure-"));
        site.check("all names are secure ones", is_secure);
        let plain = ada.cookie().replace("__Secure-", "");
        site.ask("the plain names at a secure server", Presented::cookie(plain)).await;
    }
    Ok(())
}

async fn sign_in_again(site: &mut Site) -> Done {
    let (mut browser, _) = site.sign_up("again")?;
    let before = browser.clone();
    browser.sign_in("again@example.com")?;
    site.ask("sign-in again in the same browser", &browser).await;
    site.ask("sign-in again: the session before", &before).await;
    Ok(())
}

async fn remember_me_off(site: &mut Site) -> Done {
    site.sign_up("brief")?;
    let mut browser = site.server.browser();
    browser.sign_in_with("brief@example.com", json!({"rememberMe": false}))?;
    let forgets = browser.cookies().any(|(name, _)| name.ends_with("dont_remember"));
    site.check("rememberMe: false leaves its cookie", forgets);
    site.ask("rememberMe off", &browser).await;
    browser.sign_out()?;
    site.ask("rememberMe off: after the sign-out", &browser).await;
    Ok(())
}

async fn sign_out(site: &mut Site) -> Done {
    let (mut browser, _) = site.sign_up("leaving")?;
    let copy = browser.clone();
    browser.sign_out()?;
    site.ask("sign-out", &browser).await;
    let seen = site.ask("sign-out: a copy of the cookies", &copy).await;
    site.check("a session that was signed out is gone", seen.seen().is_none());
    Ok(())
}

async fn sign_out_and_a_cache_of_a_second(site: &mut Site) -> Done {
    if site.plan.cache == "off" {
        return Ok(());
    }
    let (mut browser, _) = site.sign_up("impatient")?;
    let copy = browser.clone();
    browser.sign_out()?;
    tokio::time::sleep(Duration::from_millis(1500)).await;
    site.ask("impatient: a cache older than ours may be, after the sign-out", &copy).await;
    Ok(())
}

async fn revoked_by_another(site: &mut Site) -> Done {
    let (mut one, _) = site.sign_up("revoker")?;
    let other = site.sign_in("revoker")?;
    one.revoke_session(&token_of(&other)?)?;
    site.ask("revoke-session: the one who did it", &one).await;
    site.ask("revoke-session: the one revoked", &other).await;
    Ok(())
}

async fn revoke_sessions(site: &mut Site) -> Done {
    let (mut one, _) = site.sign_up("all")?;
    let other = site.sign_in("all")?;
    let copy = one.clone();
    one.post("revoke-sessions", json!({}))?;
    site.ask("revoke-sessions: the one who did it", &one).await;
    site.ask("revoke-sessions: a copy of the cookies", &copy).await;
    site.ask("revoke-sessions: another one", &other).await;
    let again = site.sign_in("all")?;
    site.ask("revoke-sessions: a sign-in after it", &again).await;
    Ok(())
}

async fn revoke_other_sessions(site: &mut Site) -> Done {
    let (mut one, _) = site.sign_up("others")?;
    let other = site.sign_in("others")?;
    one.post("revoke-other-sessions", json!({}))?;
    let seen = site.ask("revoke-other-sessions: the one who did it", &one).await;
    site.check("revoke-other-sessions keeps one's own", seen.seen().is_some());
    site.ask("revoke-other-sessions: another one", &other).await;
    Ok(())
}

async fn change_password(site: &mut Site) -> Done {
    let (mut one, _) = site.sign_up("changer")?;
    let other = site.sign_in("changer")?;
    one.change_password("another horse battery", false)?;
    site.ask("change-password", &one).await;
    site.ask("change-password: another session", &other).await;
    Ok(())
}

async fn change_password_and_revoke(site: &mut Site) -> Done {
    let (mut one, _) = site.sign_up("renewer")?;
    let (copy, other) = (one.clone(), site.sign_in("renewer")?);
    one.change_password("another horse battery", true)?;
    site.ask("change-password with revokeOtherSessions", &one).await;
    site.ask("change-password with revokeOtherSessions: the cookies before", &copy).await;
    site.ask("change-password with revokeOtherSessions: another session", &other).await;
    Ok(())
}

async fn delete_user(site: &mut Site) -> Done {
    let (mut one, _) = site.sign_up("deleted")?;
    let (copy, other) = (one.clone(), site.sign_in("deleted")?);
    one.delete_user()?;
    site.ask("delete-user", &one).await;
    site.ask("delete-user: a copy of the cookies", &copy).await;
    site.ask("delete-user: another session", &other).await;
    Ok(())
}

async fn update_user(site: &mut Site) -> Done {
    let (mut one, _) = site.sign_up("renamed")?;
    let other = site.sign_in("renamed")?;
    one.post("update-user", json!({"name": "Rena Med", "image": "https://example.com/r.png"}))?;
    site.ask("update-user", &one).await;
    site.ask("update-user: another session", &other).await;
    Ok(())
}

/// Better Auth's reader takes such a text for a date, and then refuses its own cache.
async fn date_like_name(site: &mut Site) -> Done {
    let mut browser = site.server.browser();
    browser.sign_up_with("dated@example.com", json!({"name": "2024-01-01T00:00:00Z"}))?;
    let copy = browser.clone();
    site.ask("a name that looks like a date", &browser).await;
    browser.sign_out()?;
    site.ask("a name that looks like a date, after the sign-out", &copy).await;
    Ok(())
}

async fn set_role(site: &mut Site) -> Done {
    let (browser, id) = site.sign_up("promoted")?;
    admin(site, "root")?.set_role(&id, "admin")?;
    site.ask("set-role", &browser).await;
    Ok(())
}

async fn ban(site: &mut Site) -> Done {
    let (browser, id) = site.sign_up("banned")?;
    let mut root = admin(site, "root")?;
    root.ban(&id, None)?;
    site.ask("ban", &browser).await;
    site.check("nobody signs in while banned", site.sign_in("banned").is_err());
    root.unban(&id)?;
    site.ask("unban: the session before the ban", &browser).await;
    let again = site.sign_in("banned")?;
    site.ask("unban: a sign-in after it", &again).await;
    Ok(())
}

async fn ban_that_ends(site: &mut Site) -> Done {
    let (browser, id) = site.sign_up("suspended")?;
    admin(site, "root")?.ban(&id, Some(1))?;
    site.ask("ban for a second", &browser).await;
    tokio::time::sleep(Duration::from_millis(1100)).await;
    let again = site.sign_in("suspended")?;
    site.ask("ban for a second: a sign-in after it", &again).await;
    Ok(())
}

/// A flag that somebody set past the admin plugin, so that no session was ended.
async fn ban_flag_by_hand(site: &mut Site) -> Done {
    let (browser, id) = site.sign_up("flagged")?;
    for (step, end) in [
        ("ban flag set by hand, without an end", None),
        ("ban flag set by hand, still in force", Some("2037-01-01T00:00:00.000Z")),
        ("ban flag set by hand, that has ended", Some("1990-01-01T00:00:00.000Z")),
    ] {
        if site.is_in_database() {
            let end = end.map_or("NULL".to_owned(), |end| time(site, end));
            site.database
                .run(&format!("UPDATE \"user\" SET banned = {}, \"banExpires\" = {end} WHERE id = '{id}'", yes(site)))
                .await;
        } else {
            edit(site, &browser, |record| {
                record["user"]["banned"] = true.into();
                record["user"]["banExpires"] = end.into();
            })?;
        }
        site.ask(step, &browser).await;
    }
    Ok(())
}

async fn impersonate(site: &mut Site) -> Done {
    let (target, id) = site.sign_up("target")?;
    let mut boss = admin(site, "boss")?;
    let before = boss.clone();
    boss.impersonate(&id)?;
    let seen = site.ask("impersonate", &boss).await;
    site.check("an impersonation says by whom", seen.seen().is_some_and(super::verdict::Seen::is_impersonated));
    site.ask("impersonate: the administrator's own session", &before).await;
    site.ask("impersonate: the user's own session", &target).await;
    let acting = boss.clone();
    boss.stop_impersonating()?;
    let seen = site.ask("stop-impersonating", &boss).await;
    site.check("the administrator is back", seen.seen().is_some_and(|seen| !seen.is_impersonated()));
    site.ask("stop-impersonating: a copy of the cookies", &acting).await;
    Ok(())
}

async fn active_organization(site: &mut Site) -> Done {
    let (mut owner, _) = site.sign_up("owner")?;
    let id = owner.create_organization("acme")?;
    let seen = site.ask("an organization is made", &owner).await;
    site.check("making one chooses it", seen.seen().and_then(|seen| seen.organization()) == Some(&id));
    owner.set_active_organization(None)?;
    site.ask("no organization is active", &owner).await;
    owner.set_active_organization(Some(&id))?;
    let seen = site.ask("an organization is active", &owner).await;
    site.check("the chosen one is active", seen.seen().and_then(|seen| seen.organization()) == Some(&id));
    Ok(())
}

async fn removed_member(site: &mut Site) -> Done {
    let (mut owner, _) = site.sign_up("chief")?;
    let (mut member, user) = site.sign_up("member")?;
    let user = UserId::new(&user).map_err(|error| error.to_string())?;
    let id = owner.create_organization("guild")?;
    let invitation = owner.invite(&id, "member@example.com")?;
    member.accept_invitation(&invitation)?;
    member.set_active_organization(Some(&id))?;
    site.ask("a member", &member).await;
    if let Some(members) = &site.memberships {
        let membership = members.of(&id, &user).await.map_err(|error| error.to_string())?;
        site.check("a member is looked up", membership.is_some_and(|found| found.has_role("member")));
    }
    owner.remove_member(&id, "member@example.com")?;
    let seen = site.ask("a removed member", &member).await;
    site.check("the session names it still", seen.seen().and_then(|seen| seen.organization()) == Some(&id));
    if let Some(members) = &site.memberships {
        let membership = members.of(&id, &user).await.map_err(|error| error.to_string())?;
        site.check("a removed member is none", membership.is_none());
    }
    Ok(())
}

async fn expired_by_hand(site: &mut Site) -> Done {
    let (browser, _) = site.sign_up("late")?;
    let past = "2020-01-01T00:00:00.000Z";
    if site.is_in_database() {
        let (token, past) = (token_of(&browser)?, time(site, past));
        site.database.run(&format!("UPDATE \"session\" SET \"expiresAt\" = {past} WHERE token = '{token}'")).await;
    } else {
        edit(site, &browser, |record| record["session"]["expiresAt"] = past.into())?;
    }
    let seen = site.ask("a session that expired", &browser).await;
    site.check("an expired session is none", seen.seen().is_none());
    Ok(())
}

async fn user_deleted_by_hand(site: &mut Site) -> Done {
    let (browser, id) = site.sign_up("vanished")?;
    site.database.run(&format!("DELETE FROM \"account\" WHERE \"userId\" = '{id}'")).await;
    site.database.run(&format!("DELETE FROM \"user\" WHERE id = '{id}'")).await;
    site.ask("a user deleted from the database", &browser).await;
    Ok(())
}

async fn cache_lost(site: &mut Site) -> Done {
    let (mut browser, _) = site.sign_up("forgetful")?;
    for cookie in caches(site, &browser) {
        browser.set_cookie(&cookie, "");
    }
    site.ask("the session cookie alone", &browser).await;
    let (mut browser, _) = site.sign_up("cached")?;
    browser.set_cookie(&site.names.session_token(), "");
    site.ask("the cache without the session cookie", &browser).await;

    // Another's cache beside one's own session: it has to be about this very session.
    let (mut one, _) = site.sign_up("one")?;
    let (other, _) = site.sign_up("other")?;
    for cookie in caches(site, &one) {
        one.set_cookie(&cookie, "");
    }
    for cookie in caches(site, &other) {
        let value = other.cookies().find(|(name, _)| *name == cookie).map(|(_, value)| value.to_owned());
        one.set_cookie(&cookie, &value.unwrap_or_default());
    }
    site.ask("the cache of another session", &one).await;
    Ok(())
}

async fn two_accounts(site: &mut Site) -> Done {
    if !site.plan.multi_session {
        return Ok(());
    }
    let (mut browser, _) = site.sign_up("first")?;
    let first = browser.clone();
    browser.sign_up("second@example.com")?;
    let second = browser.clone();
    site.ask("two accounts: the second is active", &browser).await;
    browser.set_active_session(&token_of(&first)?)?;
    site.ask("two accounts: the first is active", &browser).await;
    let mut alone = browser.clone();
    alone.set_cookie(&site.names.session_token(), "");
    site.ask("two accounts: none is active", &alone).await;
    browser.revoke_device_session(&token_of(&first)?)?;
    site.ask("two accounts: the first is revoked", &browser).await;
    site.ask("two accounts: the first one's cookies after that", &first).await;
    site.ask("two accounts: the second one's cookies after that", &second).await;
    Ok(())
}

async fn bearer(site: &mut Site) -> Done {
    let (browser, _) = site.sign_up("bearer")?;
    let raw = token_of(&browser)?;
    let jwt = browser.clone().get("token")?["token"].as_str().unwrap_or_default().to_owned();
    site.ask("bearer: a JWT beside a good cookie", Presented::bearer(&jwt).and_cookie_of(&browser)).await;
    if site.plan.bearer == "off" {
        site.ask("bearer: a session token that nobody reads", Presented::bearer(&raw)).await;
        let both = Presented::bearer(&raw).and_cookie_of(&browser);
        site.ask("bearer: a session token that nobody reads beside a good cookie", both).await;
        return Ok(());
    }
    let given = browser.bearer().ok_or("no set-auth-token")?.to_owned();
    let signed = given.replace("%2B", "+").replace("%2F", "/").replace("%3D", "=");
    site.ask("bearer: raw", Presented::bearer(&raw)).await;
    site.ask("bearer: raw, unknown", Presented::bearer("unknown")).await;
    site.ask("bearer: raw, unknown, beside a good cookie", Presented::bearer("unknown").and_cookie_of(&browser)).await;
    site.ask("bearer: set-auth-token as it came", Presented::bearer(&given)).await;
    site.ask("bearer: signed", Presented::bearer(&signed)).await;
    let lower = Presented { authorization: Some(format!("bearer {given}")), cookie: None };
    site.ask("bearer: in lower case", lower).await;
    let escaped = signed.replace('+', "%2B").replace('/', "%2F").replace('=', "%3D");
    site.ask("bearer: signed and percent-encoded", Presented::bearer(&escaped)).await;
    let wrong = Presented::bearer(&signed.replace('.', "x."));
    site.ask("bearer: signed wrongly", wrong.clone()).await;
    site.ask("bearer: signed wrongly beside a good cookie", wrong.and_cookie_of(&browser)).await;
    browser.clone().sign_out()?;
    site.ask("bearer: raw, after the sign-out", Presented::bearer(&raw)).await;
    site.ask("bearer: signed, after the sign-out", Presented::bearer(&signed)).await;
    Ok(())
}

async fn odd_cookies(site: &mut Site) -> Done {
    let (one, _) = site.sign_up("odd")?;
    let (other, _) = site.sign_up("even")?;
    let name = site.names.session_token();
    let value =
        |browser: &Browser| browser.cookies().find(|(known, _)| *known == name).map(|(_, value)| value.to_owned());
    let (one, other) = (value(&one).ok_or("no cookie")?, value(&other).ok_or("no cookie")?);
    let cookie = |text: String| Presented::cookie(format!("{name}={text}"));
    site.ask("two session cookies that are alike", cookie(format!("{one}; {name}={one}"))).await;
    site.ask("two session cookies that contradict each other", cookie(format!("{one}; {name}={other}"))).await;
    site.ask("a signature of another token", cookie(one.replacen('.', "x.", 1))).await;
    site.ask("a session cookie in quotes", cookie(format!("\"{one}\""))).await;
    site.ask("a session cookie in half a pair of quotes", cookie(format!("\"{one}x"))).await;
    let plain = one.replace("%2B", "+").replace("%2F", "/").replace("%3D", "=");
    site.ask("a session cookie without escapes", cookie(plain.clone())).await;
    site.ask("a session cookie escaped twice", cookie(one.replace('%', "%25"))).await;
    site.ask("a signature in its other spelling", cookie(other_spelling(&plain))).await;
    site.ask("a signature without its padding", cookie(plain.trim_end_matches('=').to_owned())).await;
    Ok(())
}

fn token_of(browser: &Browser) -> Result<String, String> {
    browser.session_token().ok_or_else(|| "no session cookie".to_owned())
}

/// The administrator of this name, who signs up when first asked for.
fn admin(site: &Site, name: &str) -> Result<Browser, String> {
    site.sign_in(name).or_else(|_| site.sign_up(name).map(|(browser, _)| browser))
}

/// The names of the cookies that the cache of this browser is in.
fn caches(site: &Site, browser: &Browser) -> Vec<String> {
    let name = site.names.session_data();
    browser.cookies().filter(|(known, _)| known.starts_with(&name)).map(|(known, _)| known.to_owned()).collect()
}

/// The same bytes with one of the unused bits of the last character set.
fn other_spelling(signed: &str) -> String {
    let (body, last) = signed.trim_end_matches('=').split_at(signed.trim_end_matches('=').len() - 1);
    let next = last.bytes().next().map(|byte| match byte {
        b'Z' => 'a',
        b'z' => '0',
        b'9' => '+',
        b'+' => '/',
        byte => (byte + 1) as char,
    });
    format!("{body}{}=", next.unwrap_or('A'))
}

/// Changes the record that Redis has of this browser's session.
fn edit(site: &Site, browser: &Browser, change: impl Fn(&mut Value)) -> Done {
    let redis = site.redis.as_ref().ok_or("no Redis")?;
    let key = format!("{}{}", site.redis_prefix(), token_of(browser)?);
    let mut record: Value = serde_json::from_str(&redis.run(&["GET", &key])).map_err(|error| error.to_string())?;
    change(&mut record);
    let done = redis.run(&["SET", &key, &record.to_string(), "KEEPTTL"]);
    if done == "+OK" { Ok(()) } else { Err(done) }
}

fn yes(site: &Site) -> &'static str {
    if site.plan.storage == Storage::Postgres { "true" } else { "1" }
}

/// A time as this database takes it.
fn time(site: &Site, iso: &str) -> String {
    if site.plan.storage == Storage::MariaDb {
        format!("'{}'", iso.replace('T', " ").trim_end_matches('Z'))
    } else {
        format!("'{iso}'")
    }
}

//! A client as Better Auth's own are: keeps cookies, sends `Origin`, speaks JSON.

use std::fmt;

use serde_json::{Map, Value, json};

use crate::http::{Answer, Request};

/// Everybody's password, until they change it.
pub const PASSWORD: &str = "correct horse battery";

/// A browser on a page of the server's own origin, with a jar of cookies. A clone has the same cookies and goes its own
/// way from there, as a copy in an attacker's hands does.
///
/// Calls are `Err` for any answer but 200, saying which.
#[derive(Clone)]
pub struct Browser {
    authority: String,
    origin: String,
    base_path: String,
    jar: Vec<(String, String)>,
    bearer: Option<String>,
}

type Answered = Result<Value, String>;

impl Browser {
    /// One that has never been at this `host:port`, on a page of this base URL.
    #[must_use]
    pub fn new(authority: &str, base_url: &str) -> Self {
        let (scheme, rest) = base_url.split_once("://").unwrap_or(("http", base_url));
        let (host, path) = rest.split_once('/').unwrap_or((rest, ""));
        let base_path = if path.is_empty() { "/api/auth".to_owned() } else { format!("/{path}") };
        let origin = format!("{scheme}://{host}");
        Self { authority: authority.to_owned(), origin, base_path, jar: Vec::new(), bearer: None }
    }

    /// With the cookies of this `Cookie` field and no others.
    #[must_use]
    pub fn with_cookie(mut self, field: &str) -> Self {
        let pairs = field.split("; ").filter_map(|pair| pair.split_once('='));
        self.jar = pairs.map(|(name, value)| (name.to_owned(), value.to_owned())).collect();
        self
    }

    /// The `Cookie` field it sends; empty when it has none.
    #[must_use]
    pub fn cookie(&self) -> String {
        self.jar.iter().map(|(name, value)| format!("{name}={value}")).collect::<Vec<_>>().join("; ")
    }

    /// Each cookie's name and value, in the order they came.
    pub fn cookies(&self) -> impl Iterator<Item = (&str, &str)> {
        self.jar.iter().map(|(name, value)| (name.as_str(), value.as_str()))
    }

    /// Puts a cookie into the jar; an empty value takes it out.
    pub fn set_cookie(&mut self, name: &str, value: &str) {
        self.jar.retain(|(known, _)| known != name);
        if !value.is_empty() {
            self.jar.push((name.to_owned(), value.to_owned()));
        }
    }

    /// The session token in the signed cookie, whatever that is called in full.
    #[must_use]
    pub fn session_token(&self) -> Option<String> {
        let cookie = self.jar.iter().find(|(name, _)| name.ends_with("session_token"))?;
        cookie.1.split('.').next().map(str::to_owned)
    }

    /// What the bearer plugin gave for `Authorization: Bearer`, at the last sign-in.
    #[must_use]
    pub fn bearer(&self) -> Option<&str> {
        self.bearer.as_deref()
    }

    /// Sends `GET <base path>/<path>`.
    ///
    /// # Errors
    ///
    /// An answer other than 200.
    pub fn get(&mut self, path: &str) -> Answered {
        self.send(Request::new("GET", self.target(path)), path)
    }

    /// Sends `POST <base path>/<path>`.
    ///
    /// # Errors
    ///
    /// An answer other than 200.
    pub fn post(&mut self, path: &str, body: Value) -> Answered {
        self.send(Request::new("POST", self.target(path)).json(body), path)
    }

    fn target(&self, path: &str) -> String {
        format!("{}/{path}", self.base_path)
    }

    fn send(&mut self, request: Request, path: &str) -> Answered {
        let request = request.field("Origin", self.origin.as_str());
        let cookie = self.cookie();
        let request = if cookie.is_empty() { request } else { request.field("Cookie", cookie) };
        let answer = request.send_to(&self.authority).map_err(|error| format!("{path}: {error}"))?;
        self.keep_cookies(&answer);
        if answer.status == 200 {
            Ok(answer.json())
        } else {
            Err(format!("{path}: {} {}", answer.status, answer.text()))
        }
    }

    /// Cookies by their names alone: there is one host here. `Max-Age=0` takes one out.
    fn keep_cookies(&mut self, answer: &Answer) {
        for (name, line) in answer.fields_without(&[]) {
            match &*name {
                "set-cookie" => {
                    let (pair, attributes) = line.split_once(';').unwrap_or((&line, ""));
                    let Some((name, value)) = pair.split_once('=') else { continue };
                    let is_over = attributes.split(';').any(|attribute| attribute.trim() == "Max-Age=0");
                    self.set_cookie(name, if is_over { "" } else { value });
                }
                "set-auth-token" => self.bearer = Some(line),
                _ => {}
            }
        }
    }

    /// Makes an account, and is signed in to it. Gives the user's id.
    ///
    /// # Errors
    ///
    /// When Better Auth does not want it.
    pub fn sign_up(&mut self, email: &str) -> Result<String, String> {
        self.sign_up_with(email, json!({}))
    }

    /// The same with more fields, or others than the usual ones.
    ///
    /// # Errors
    ///
    /// When Better Auth does not want it.
    pub fn sign_up_with(&mut self, email: &str, fields: Value) -> Result<String, String> {
        let name = email.split('@').next().unwrap_or(email);
        let mut body = json!({"name": name, "email": email, "password": PASSWORD});
        if let (Value::Object(body), Value::Object(fields)) = (&mut body, fields) {
            body.extend(fields);
        }
        self.post("sign-up/email", body).and_then(|answer| text(&answer["user"], "id"))
    }

    /// Signs in. Gives the session's token.
    ///
    /// # Errors
    ///
    /// When Better Auth does not let them in.
    pub fn sign_in(&mut self, email: &str) -> Result<String, String> {
        self.sign_in_with(email, json!({}))
    }

    /// The same with more fields, such as `rememberMe`, or another password.
    ///
    /// # Errors
    ///
    /// When Better Auth does not let them in.
    pub fn sign_in_with(&mut self, email: &str, fields: Value) -> Result<String, String> {
        let mut body = json!({"email": email, "password": PASSWORD});
        if let (Value::Object(body), Value::Object(fields)) = (&mut body, fields) {
            body.extend(fields);
        }
        self.post("sign-in/email", body).and_then(|answer| text(&answer, "token"))
    }

    /// Ends this session.
    ///
    /// # Errors
    ///
    /// When there is none.
    pub fn sign_out(&mut self) -> Answered {
        self.post("sign-out", json!({}))
    }

    /// What the server says of this session: `null`, or `session` and `user`. Its cookies are kept, as a page's visit does.
    ///
    /// # Errors
    ///
    /// When it says nothing.
    pub fn get_session(&mut self) -> Answered {
        self.get("get-session")
    }

    /// Ends another session of the same user.
    ///
    /// # Errors
    ///
    /// When Better Auth does not.
    pub fn revoke_session(&mut self, token: &str) -> Answered {
        self.post("revoke-session", json!({"token": token}))
    }

    /// Changes the password, and ends the other sessions if told so.
    ///
    /// # Errors
    ///
    /// When Better Auth does not.
    pub fn change_password(&mut self, new: &str, revoke_other_sessions: bool) -> Answered {
        let body =
            json!({"currentPassword": PASSWORD, "newPassword": new, "revokeOtherSessions": revoke_other_sessions});
        self.post("change-password", body)
    }

    /// Deletes the own account, which takes `DELETE_USER=on`.
    ///
    /// # Errors
    ///
    /// When Better Auth does not.
    pub fn delete_user(&mut self) -> Answered {
        self.post("delete-user", json!({"password": PASSWORD}))
    }

    /// As an administrator: bans a user, for these seconds or for good.
    ///
    /// # Errors
    ///
    /// When Better Auth does not.
    pub fn ban(&mut self, user: &str, seconds: Option<u32>) -> Answered {
        let mut body = json!({"userId": user});
        if let Some(seconds) = seconds {
            body["banExpiresIn"] = seconds.into();
        }
        self.post("admin/ban-user", body)
    }

    /// As an administrator: lets a user in again.
    ///
    /// # Errors
    ///
    /// When Better Auth does not.
    pub fn unban(&mut self, user: &str) -> Answered {
        self.post("admin/unban-user", json!({"userId": user}))
    }

    /// As an administrator: acts as this user from now on.
    ///
    /// # Errors
    ///
    /// When Better Auth does not.
    pub fn impersonate(&mut self, user: &str) -> Answered {
        self.post("admin/impersonate-user", json!({"userId": user}))
    }

    /// Is the administrator again.
    ///
    /// # Errors
    ///
    /// When Better Auth does not.
    pub fn stop_impersonating(&mut self) -> Answered {
        self.post("admin/stop-impersonating", json!({}))
    }

    /// As an administrator: gives a user another role.
    ///
    /// # Errors
    ///
    /// When Better Auth does not.
    pub fn set_role(&mut self, user: &str, role: &str) -> Answered {
        self.post("admin/set-role", json!({"userId": user, "role": role}))
    }

    /// Makes an organization, is its owner and has it active. Gives its id.
    ///
    /// # Errors
    ///
    /// When Better Auth does not.
    pub fn create_organization(&mut self, slug: &str) -> Result<String, String> {
        self.post("organization/create", json!({"name": slug, "slug": slug})).and_then(|made| text(&made, "id"))
    }

    /// Chooses the active organization; `None` for no longer any.
    ///
    /// # Errors
    ///
    /// When Better Auth does not.
    pub fn set_active_organization(&mut self, id: Option<&str>) -> Answered {
        self.post("organization/set-active", json!({"organizationId": id}))
    }

    /// As an owner: asks somebody into the organization. Gives the invitation's id.
    ///
    /// # Errors
    ///
    /// When Better Auth does not.
    pub fn invite(&mut self, organization: &str, email: &str) -> Result<String, String> {
        let body = json!({"organizationId": organization, "email": email, "role": "member"});
        self.post("organization/invite-member", body).and_then(|made| text(&made, "id"))
    }

    /// Becomes a member, and has the organization active.
    ///
    /// # Errors
    ///
    /// When Better Auth does not.
    pub fn accept_invitation(&mut self, id: &str) -> Answered {
        self.post("organization/accept-invitation", json!({"invitationId": id}))
    }

    /// As an owner: puts a member out, by id or address.
    ///
    /// # Errors
    ///
    /// When Better Auth does not.
    pub fn remove_member(&mut self, organization: &str, member: &str) -> Answered {
        let body = json!({"organizationId": organization, "memberIdOrEmail": member});
        self.post("organization/remove-member", body)
    }

    /// Goes over to another session of this browser, which takes `MULTI_SESSION=on`.
    ///
    /// # Errors
    ///
    /// When Better Auth does not.
    pub fn set_active_session(&mut self, token: &str) -> Answered {
        self.post("multi-session/set-active", json!({"sessionToken": token}))
    }

    /// Ends one of the sessions of this browser, which takes `MULTI_SESSION=on`.
    ///
    /// # Errors
    ///
    /// When Better Auth does not.
    pub fn revoke_device_session(&mut self, token: &str) -> Answered {
        self.post("multi-session/revoke", json!({"sessionToken": token}))
    }

    /// Makes an API key, which takes `API_KEYS`. Gives all of Better Auth's answer, the plain `key` in it.
    ///
    /// # Errors
    ///
    /// When Better Auth does not.
    pub fn create_api_key(&mut self, name: &str) -> Result<Map<String, Value>, String> {
        match self.post("api-key/create", json!({"name": name}))? {
            Value::Object(made) if made["key"].is_string() => Ok(made),
            other => Err(format!("api-key/create: {other}")),
        }
    }
}

impl fmt::Debug for Browser {
    /// The cookies' names: their values are credentials.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let names: Vec<_> = self.jar.iter().map(|(name, _)| name).collect();
        f.debug_struct("Browser").field("origin", &self.origin).field("cookies", &names).finish_non_exhaustive()
    }
}

fn text(answer: &Value, member: &str) -> Result<String, String> {
    answer[member].as_str().map(str::to_owned).ok_or_else(|| format!("an answer without `{member}`: {answer}"))
}

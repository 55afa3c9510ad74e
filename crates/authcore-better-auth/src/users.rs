//! Users by their ids, and what they may do in an organization, from the database that holds the sessions.

use std::collections::HashMap;

use authcore::{Membership, Unavailable, UserId};

use crate::session::User;
use crate::sql::{MAX_USERS, SqlSessions};
use crate::store::UserStore;

/// Users by their ids: the authors of comments, the names behind a list of tasks. Made by [`SqlSessions::users`].
#[derive(Clone, Debug)]
pub struct UserDirectory(SqlSessions);

impl UserDirectory {
    /// How many users [`Self::get_many`] gives at most.
    pub const MAX: usize = MAX_USERS;

    pub(crate) fn new(sessions: SqlSessions) -> Self {
        Self(sessions)
    }

    /// These users in this order, by one statement; `None` where there is no user of this id. An id may be there twice.
    ///
    /// # Errors
    ///
    /// [`Unavailable`] when the database cannot be asked, or holds what cannot be read, and when more than [`Self::MAX`] different users are asked for.
    pub async fn get_many(&self, ids: &[UserId]) -> Result<Vec<Option<User>>, Unavailable> {
        if ids.is_empty() {
            return Ok(Vec::new());
        }
        let mut different: Vec<&str> = ids.iter().map(UserId::as_str).collect();
        different.sort_unstable();
        different.dedup();
        let found = self.0.users_by_id(&different).await?;
        // By the bytes of the id: a database may find `Ann` for `ann`.
        let found: HashMap<_, _> = found.into_iter().map(|user| (user.id.clone(), user)).collect();
        Ok(ids.iter().map(|id| found.get(id).cloned()).collect())
    }
}

impl UserStore for UserDirectory {
    async fn user(&self, id: &UserId) -> Result<Option<User>, Unavailable> {
        let found = self.get_many(std::slice::from_ref(id)).await?;
        Ok(found.into_iter().next().flatten())
    }
}

/// Who belongs to which organization (organization plugin). Made by [`SqlSessions::memberships`].
///
/// The organization and the team that a session names are what its user chose last, and stay there after the user was
/// removed: they say where to look, and this says whether.
#[derive(Clone, Debug)]
pub struct Memberships(SqlSessions);

impl Memberships {
    pub(crate) fn new(sessions: SqlSessions) -> Self {
        Self(sessions)
    }

    /// What the user is in this organization; `None` when nothing.
    ///
    /// # Errors
    ///
    /// [`Unavailable`] when the database cannot be asked, or holds what cannot be read.
    pub async fn of(&self, organization_id: &str, user: &UserId) -> Result<Option<Membership>, Unavailable> {
        let roles = self.0.member_roles(organization_id, user.as_str()).await?;
        Ok(membership(organization_id, user, &roles))
    }

    /// What the user is in this organization, if they are in this team of it as well.
    ///
    /// # Errors
    ///
    /// [`Unavailable`] as [`Self::of`] has it, and when the database has no teams.
    pub async fn in_team(
        &self,
        organization_id: &str,
        team_id: &str,
        user: &UserId,
    ) -> Result<Option<Membership>, Unavailable> {
        let roles = self.0.team_roles(organization_id, team_id, user.as_str()).await?;
        Ok(membership(organization_id, user, &roles))
    }
}

/// From the comma lists of all rows for one user. There should be one row; of several, what all of them grant.
fn membership(organization_id: &str, user: &UserId, rows: &[String]) -> Option<Membership> {
    let (first, others) = rows.split_first()?;
    let granted_by_all = |role: &&str| others.iter().all(|row| list(row).any(|other| other == *role));
    Some(Membership::assertion(organization_id, user.clone(), list(first).filter(granted_by_all)))
}

fn list(roles: &str) -> impl Iterator<Item = &str> {
    roles.split(',').map(str::trim).filter(|role| !role.is_empty())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn roles(rows: &[&str]) -> Option<Vec<String>> {
        let rows: Vec<_> = rows.iter().map(|row| (*row).to_owned()).collect();
        let found = membership("org", &UserId::new("ann").expect("an id"), &rows);
        found.map(|found| found.roles().map(str::to_owned).collect())
    }

    #[test]
    fn roles_are_a_comma_list() {
        assert_eq!(roles(&[]), None);
        assert_eq!(roles(&["admin, member ,,"]).expect("a member"), ["admin", "member"]);
        assert!(roles(&[""]).expect("a member").is_empty(), "a member without a role is one");
    }

    #[test]
    fn of_two_rows_for_one_member_the_lesser_counts() {
        assert_eq!(roles(&["owner,member", "member"]).expect("a member"), ["member"]);
    }
}

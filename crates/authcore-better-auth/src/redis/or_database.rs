//! Redis first, the database for what Redis has lost.

use authcore::Unavailable;

use super::{Found, RedisSessions};
use crate::session::SessionRecord;
use crate::store::SessionStore;
use crate::token::SessionToken;

/// [`RedisSessions`] with a second store behind it, as Better Auth reads with `storeSessionInDatabase`.
///
/// The second is asked only when Redis answers that it has no such key. A session that Redis knows to be revoked is over,
/// by the mark of its user too where only the database has it still; and while Redis cannot be asked nobody is judged: the
/// database may still hold what was ended.
#[derive(Clone, Debug)]
pub struct RedisOrDatabase<S> {
    redis: RedisSessions,
    database: S,
}

impl<S> RedisOrDatabase<S> {
    pub(super) fn new(redis: RedisSessions, database: S) -> Self {
        Self { redis, database }
    }

    /// What the database has, unless all sessions of its user were ended since. The mark is there before the rows go.
    async fn standing(&self, found: Option<SessionRecord>) -> Result<Option<SessionRecord>, Unavailable> {
        let Some(record) = found else { return Ok(None) };
        Ok(if self.redis.is_revoked(&record.session).await? { None } else { Some(record) })
    }
}

impl<S: SessionStore> SessionStore for RedisOrDatabase<S> {
    async fn session(&self, token: &SessionToken) -> Result<Option<SessionRecord>, Unavailable> {
        match self.redis.find(token).await? {
            Found::Live(record) => Ok(Some(*record)),
            Found::Revoked => Ok(None),
            Found::Missing => self.standing(self.database.session(token).await?).await,
        }
    }

    async fn session_now(&self, token: &SessionToken) -> Result<Option<SessionRecord>, Unavailable> {
        match self.redis.find(token).await? {
            Found::Live(record) => Ok(Some(*record)),
            Found::Revoked => Ok(None),
            Found::Missing => self.standing(self.database.session_now(token).await?).await,
        }
    }

    fn source(&self) -> &'static str {
        self.redis.source()
    }
}

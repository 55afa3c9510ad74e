//! Asking whichever server has the key, within the deadline.

use std::sync::Arc;
use std::time::Duration;

use authcore::{BoxError, Unavailable};
use aws_lc_rs::digest;
use redis::aio::MultiplexedConnection;
use redis::{Cmd, FromRedisValue, RedisError};

use crate::servers::{Servers, Slot};
use authcore_redis_link::{LONGEST_PAUSE, Link, told};

/// A Redis, or a cluster of them, as everything here asks it.
#[doc(hidden)]
pub struct Redis {
    pub(crate) servers: Servers,
    /// What keys begin with.
    pub(crate) prefix: String,
    pub(crate) deadline: Duration,
}

/// Something to ask about one slot.
pub(crate) trait Question: Sync {
    type Answer;

    /// Asks over this connection; where the slot is about to be, only `asking` for leave first (`ASK` redirections).
    fn ask(
        &self,
        redis: MultiplexedConnection,
        asking: bool,
    ) -> impl Future<Output = Result<Self::Answer, RedisError>> + Send;
}

impl Redis {
    pub(crate) async fn ask<Q: Question>(&self, slot: Slot, question: &Q) -> Result<Q::Answer, Unavailable> {
        let mut server = self.servers.with(slot);
        let answer = tokio::time::timeout(self.deadline, self.follow(&mut server, slot, question)).await;
        let answer = answer.unwrap_or_else(|_| {
            server.overdue();
            Err(format!("no answer within {} ms", self.deadline.as_millis()).into())
        });
        answer.map_err(|error| Unavailable::new(format!("Redis: {error}"), RETRY_AFTER))
    }

    /// Asks the server, and whichever it leads to: after each step that is the one that is being waited for.
    async fn follow<Q: Question>(
        &self,
        server: &mut Arc<Link>,
        slot: Slot,
        question: &Q,
    ) -> Result<Q::Answer, BoxError> {
        let mut asking = false;
        // Those that were no help: another may know who has taken over.
        let mut useless = Vec::new();
        for _ in 0..MOST_STEPS {
            let error = match server.connection().await {
                Err(error) => error,
                Ok(connection) => match question.ask(connection, asking).await {
                    Ok(answer) => return Ok(answer),
                    Err(error) => {
                        if error.code() == Some("READONLY") {
                            server.read_only();
                        }
                        if let Some((address, is_asking)) = redirection(&error) {
                            *server = self.servers.named(&address, server).ok_or("a redirection to no address")?;
                            asking = is_asking;
                            if useless.iter().any(|known| Arc::ptr_eq(known, server)) {
                                return Err("who has the key cannot be reached".into());
                            }
                            if !asking {
                                self.servers.moved(slot, server);
                            }
                            continue;
                        }
                        if error.code() != Some("CLUSTERDOWN") {
                            return Err(told(&error).into());
                        }
                        told(&error).into()
                    }
                },
            };
            self.servers.forget(slot, server);
            useless.push(Arc::clone(server));
            *server = self.servers.other_than(&useless).ok_or(error)?;
            asking = false;
        }
        Err("redirected in a circle".into())
    }
}

/// Where an error leads, and whether only for this once (`ASK`).
fn redirection(error: &RedisError) -> Option<(String, bool)> {
    if let Some((address, _)) = error.redirect_node() {
        return Some((address.to_owned(), error.code() == Some("ASK")));
    }
    // In a pipeline the detail stands with the command's own error.
    let errors = error.clone().into_server_errors()?;
    let (_, first) = errors.first()?;
    let is_asking = first.code() == "ASK";
    let leads = is_asking || first.code() == "MOVED";
    let address = first.details()?.split_ascii_whitespace().nth(1)?;
    leads.then(|| (address.to_owned(), is_asking))
}

/// Runs one command, asking for leave first where that is called for.
pub(crate) async fn run<T: FromRedisValue>(
    command: Cmd,
    mut redis: MultiplexedConnection,
    asking: bool,
) -> Result<T, RedisError> {
    if !asking {
        return command.query_async(&mut redis).await;
    }
    let mut commands = redis::pipe();
    commands.cmd("ASKING").ignore().add_command(command);
    let (answer,): (T,) = commands.query_async(&mut redis).await?;
    Ok(answer)
}

pub(crate) fn sha256(text: &[u8]) -> [u8; 32] {
    let mut bytes = [0; 32];
    bytes.copy_from_slice(digest::digest(&digest::SHA256, text).as_ref());
    bytes
}

/// How often one question follows redirections: twice while slots move and somebody takes over, hardly ever more.
const MOST_STEPS: u32 = 6;

/// When trying again may help: reconnecting takes no longer.
const RETRY_AFTER: Duration = LONGEST_PAUSE;

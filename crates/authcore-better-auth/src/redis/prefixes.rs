//! Which prefixes Better Auth's keys have in a Redis, by the lists of sessions that it keeps.

use std::collections::BTreeSet;

use authcore::Unavailable;

use super::{LIST, RedisSessions, told};

/// A walk over the names of keys, of which none is handed on.
pub(super) async fn in_use(redis: &RedisSessions) -> Result<Vec<String>, Unavailable> {
    let mut found = BTreeSet::new();
    let mut cursor = 0_u64;
    for _ in 0..MOST_STEPS {
        let step = redis.in_time(async {
            let mut connection = redis.link.connection().await?;
            let mut scan = redis::cmd("SCAN");
            scan.arg(cursor).arg("MATCH").arg(format!("*{LIST}*")).arg("COUNT").arg(STEP);
            let step = scan.query_async::<(u64, Vec<Vec<u8>>)>(&mut connection).await;
            Ok(step.map_err(|error| told(&error))?)
        });
        let (next, keys) = step.await?;
        let text = keys.iter().filter_map(|key| std::str::from_utf8(key).ok());
        found.extend(text.filter_map(|key| key.split_once(LIST)).map(|(prefix, _)| prefix.to_owned()));
        cursor = next;
        if cursor == 0 {
            break;
        }
    }
    Ok(found.into_iter().collect())
}

/// Keys looked at in one step, about.
const STEP: u32 = 1_000;

const MOST_STEPS: u32 = 100;

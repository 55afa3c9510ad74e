//! Whether a chain is as it was written.

use sqlx::Pool;

use super::chain::{ChainHead, Head};
use super::entry::{COLUMNS, Entry};
use super::table::AuditTable;
use crate::dialect::{Dialect, Draft, Sink as _, Value};
use crate::engine::Engine;

/// What a look at a chain found.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Chained {
    /// Every row follows from the one before. This is the last.
    Whole(ChainHead),
    /// The row in this place is missing, or is not the one that was written: the first of them.
    Broken {
        /// Its place: 1 for the first row.
        seq: i64,
    },
}

impl AuditTable {
    /// The ids of all chains, one for each start of a writer.
    ///
    /// # Errors
    ///
    /// Those of the database.
    pub async fn chains<DB: Engine>(&self, pool: &Pool<DB>) -> Result<Vec<String>, sqlx::Error> {
        let chain = DB::quoted("chain");
        let text = format!("SELECT DISTINCT {chain} FROM {} ORDER BY {chain}", self.quoted::<DB>());
        let rows = DB::rows(&mut *pool.acquire().await?, Draft::new(text, false)).await?;
        rows.iter().map(|row| Ok(DB::text(row, 0)?.unwrap_or_default())).collect()
    }

    /// Walks a chain from its first row.
    ///
    /// It finds rows that were changed, removed from between others, or put there. It cannot find that the last rows were
    /// removed, or that the chain was written anew by somebody who computed all its hashes: [`Self::verify_beyond`] can. Nor
    /// can either find well-made rows after the last: hashes are no signature.
    ///
    /// # Errors
    ///
    /// Those of the database, and a column of another type than [`Self::create_table`] gives it.
    pub async fn verify<DB: Engine>(&self, pool: &Pool<DB>, chain: &str) -> Result<Chained, sqlx::Error> {
        self.walk(pool, &Head::of(chain).to_public()).await
    }

    /// Walks a chain, which has to come by a head that was noted elsewhere before.
    ///
    /// # Errors
    ///
    /// As [`Self::verify`].
    pub async fn verify_beyond<DB: Engine>(&self, pool: &Pool<DB>, noted: &ChainHead) -> Result<Chained, sqlx::Error> {
        self.walk(pool, noted).await
    }

    async fn walk<DB: Engine>(&self, pool: &Pool<DB>, noted: &ChainHead) -> Result<Chained, sqlx::Error> {
        let mut head = Head::of(&noted.chain);
        // What is before the first row was added to it.
        let mut from = i64::MIN;
        loop {
            let page = self.page(pool, &noted.chain, from).await?;
            for (seq, entry, hash) in &page {
                let next = head.then(entry);
                if *seq != next.seq || *hash != next.hash() || next.seq == noted.seq && *hash != noted.hash {
                    return Ok(Chained::Broken { seq: next.seq.min(*seq) });
                }
                head = next;
            }
            let Some((last, ..)) = page.last().filter(|_| page.len() == PAGE) else { break };
            from = last.saturating_add(1);
        }
        if head.seq < noted.seq {
            return Ok(Chained::Broken { seq: head.seq + 1 });
        }
        Ok(Chained::Whole(head.to_public()))
    }

    async fn page<DB: Engine>(
        &self,
        pool: &Pool<DB>,
        chain: &str,
        from: i64,
    ) -> Result<Vec<(i64, Entry, String)>, sqlx::Error> {
        let columns: String = COLUMNS.map(|column| format!(", {}", DB::quoted(column))).concat();
        let hash = DB::quoted("hash");
        let mut draft = self.of_chain::<DB>(&format!("{}{columns}, {hash}", DB::quoted("seq")), chain, ">=", from);
        draft.text(&format!(" ORDER BY {} LIMIT {PAGE}", DB::quoted("seq")));
        let rows = DB::rows(&mut *pool.acquire().await?, draft).await?;
        rows.iter().map(read::<DB>).collect()
    }

    /// The hash of the row in this place.
    pub(super) async fn hash_at<DB: Engine>(
        &self,
        pool: &Pool<DB>,
        chain: &str,
        seq: i64,
    ) -> Result<Option<String>, sqlx::Error> {
        let draft = self.of_chain::<DB>(&DB::quoted("hash"), chain, "=", seq);
        let rows = DB::rows(&mut *pool.acquire().await?, draft).await?;
        rows.first().map_or(Ok(None), |row| DB::text(row, 0))
    }

    fn of_chain<DB: Dialect>(&self, columns: &str, chain: &str, relation: &str, seq: i64) -> Draft<DB> {
        let begin = format!("SELECT {columns} FROM {} WHERE {} = ", self.quoted::<DB>(), DB::quoted("chain"));
        let mut draft = Draft::new(begin, false);
        draft.value(chain.into());
        draft.text(&format!(" AND {} {relation} ", DB::quoted("seq")));
        draft.value(Value::Number(seq));
        draft
    }
}

/// Rows that are asked for at once.
const PAGE: usize = 500;

fn read<DB: Dialect>(row: &DB::Row) -> Result<(i64, Entry, String), sqlx::Error> {
    let mut fields = [const { None }; COLUMNS.len()];
    for (index, field) in fields.iter_mut().enumerate() {
        *field = DB::text(row, index + 1)?;
    }
    let hash = DB::text(row, COLUMNS.len() + 1)?.unwrap_or_default();
    Ok((DB::number(row, 0)?, Entry(fields), hash))
}

#![doc = include_str!("../README.md")]
#![cfg_attr(docsrs, feature(doc_cfg))]

mod audit;
mod dialect;
mod engine;
// Set for every crate of a build that cargo-fuzz makes, users' own included, and these may want fewer features.
#[cfg(all(fuzzing, feature = "postgres"))]
#[doc(hidden)]
pub mod fuzzing;
mod grants;
mod lease;
#[cfg(feature = "mysql")]
mod mysql;
mod outage;
mod owner;
mod pool;
#[cfg(feature = "postgres")]
mod postgres;
mod query;
mod rows;
mod scope;
#[cfg(feature = "sqlite")]
mod sqlite;
mod table;
mod transaction;

pub use audit::{AuditTable, AuditWriter, ChainHead, Chained, SqlAudit};
pub use engine::Engine;
pub use grants::{GrantTable, Grants, WritePermit};
pub use outage::unavailable;
pub use owner::Owner;
pub use pool::ScopedPool;
pub use query::{BindsOwner, OwnerBound, OwnerMissing, ScopedQuery};
pub use rows::{RowsQuery, RowsTx, WriteRows};
pub use scope::{MayWrite, Scope, WriteScope};
pub use table::{OwnedTable, OwnerType};
pub use transaction::{ReadTx, Reads, ScopedTx, Writable, WriteTx, Writes};

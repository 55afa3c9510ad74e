#![doc = include_str!("../README.md")]
#![cfg_attr(docsrs, feature(doc_cfg))]

mod engine;
mod lease;
#[cfg(feature = "mysql")]
mod mysql;
mod outage;
mod owner;
mod pool;
#[cfg(feature = "postgres")]
mod postgres;
mod query;
mod scope;
#[cfg(feature = "sqlite")]
mod sqlite;
#[cfg(any(feature = "postgres", feature = "mysql"))]
mod table;
mod transaction;

pub use engine::Engine;
pub use outage::unavailable;
pub use owner::Owner;
pub use pool::ScopedPool;
pub use query::{BindsOwner, OwnerBound, OwnerMissing, ScopedQuery};
pub use scope::{MayWrite, Scope, WriteScope};
#[cfg(any(feature = "postgres", feature = "mysql"))]
pub use table::{OwnedTable, OwnerType};
pub use transaction::{ReadTx, Reads, ScopedTx, Writable, WriteTx, Writes};

//! How often: quotas, who is counted and by which address, the decision, and where counts are kept.
//!
//! Counting is by GCRA, the generic cell rate algorithm: of each key one number is kept, the time at which its quota would
//! be whole again. Nothing is counted in windows, so there is no moment at which twice the quota gets through.

mod address;
mod client_addr;
mod course;
mod decision;
#[cfg(feature = "in-process-limits")]
mod gcra;
mod key;
mod limit;
mod limits;
#[cfg(feature = "in-process-limits")]
mod memory;
mod quota;
#[cfg(feature = "in-process-limits")]
mod slot;
#[cfg(feature = "in-process-limits")]
mod stopwatch;
mod store;
#[cfg(feature = "in-process-limits")]
mod table;
mod tally;

pub use address::Address;
pub use client_addr::{ClientAddresses, ForwardingHeader};
pub(crate) use course::Course;
pub use decision::Decision;
pub use key::RateKey;
pub use limit::{Limit, Outage};
pub(crate) use limits::Prepared;
pub use limits::RateLimits;
#[cfg(feature = "in-process-limits")]
#[cfg_attr(docsrs, doc(cfg(feature = "in-process-limits")))]
pub use memory::{InProcess, Occupancy};
pub use quota::Quota;
pub use store::{Counted, Counter, RateStore};
pub(crate) use tally::Tally;

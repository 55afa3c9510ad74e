//! The task API without a framework: settings, store, rules and answers, shared by every server that speaks it.
//!
//! A server adds routes, extractors and a listener. What it must not add is a decision: two servers give the same bytes
//! because all of them come from here or from `authcore`.

mod backend;
pub mod body;
mod caller;
mod demo;
mod edge;
mod limits;
mod page;
mod reply;
mod routes;
mod settings;
mod start;
mod store;
mod task;
#[cfg(test)]
mod testing;

pub use backend::Backend;
pub use caller::{Action, Data, Greeting, Message, Profile};
pub use edge::{Edge, Visit, normal_target};
pub use page::Page;
pub use reply::Reply;
pub use settings::{Database, Settings};
pub use start::{DRAIN, Panicked, StartError, Started, drain_is_over, exit_code, stop_requested, unless_it_panics};
pub use store::TaskStore;
pub use task::{NewTask, Task, TaskChange, TaskList, TaskPath};

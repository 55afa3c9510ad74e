//! API keys in requests, through the public API only: how they are read, refused and counted, whatever store has them.

mod counting;
mod properties;
mod requests;
mod support;

//! The real command, asked as a person or a script asks it.

mod batch;
mod counting;
mod doctor;
mod judging;
mod parts;
mod readme;
mod requests;
mod session;
mod support;
mod terminal;
mod verify;

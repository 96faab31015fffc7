//! The folder the events are in: what to do before it is read, and what to
//! say when there is nothing in it.

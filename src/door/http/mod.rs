//! HTTP/1.1 as the metrics door speaks it: heads of requests to values, answers to bytes. No body is ever accepted, so
//! no two programs on the way can disagree about where a request ends.

mod answer;
mod head;
mod host;

#[cfg(test)]
mod tests;

pub use answer::{Answer, Status};
pub use head::{Head, Method, Parsed, parse};
pub use host::Host;

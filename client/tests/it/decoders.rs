//! The twin of the fuzz target `frame`: the client's decoder on arbitrary bytes.

use testkit::twin;

#[path = "../../../fuzz/src/client.rs"]
#[allow(unreachable_pub, reason = "a file of another crate")]
mod client;
#[path = "../../../fuzz/src/pieces.rs"]
mod pieces;

#[test]
fn frames_of_a_server() {
    twin::check("frame", client::frame);
}

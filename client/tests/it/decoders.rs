//! The twins of the fuzz targets `frame` and `past`: the client's decoders on arbitrary bytes.

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

#[test]
fn pages_of_a_server() {
    twin::check("past", client::past);
}

//! `history` in a chatload without the cargo feature `history`: the arguments are refused before this is called.

use super::args::{Args, Past};
use super::report::Report;
use super::run::Stop;

/// Runs nothing.
///
/// # Errors
/// Always.
pub(super) fn conduct(_: &Args, _: &Past, _: Stop) -> Result<Report, String> {
    Err("this chatload was built without the cargo feature history".to_owned())
}

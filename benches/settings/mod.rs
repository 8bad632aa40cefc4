//! How all benches are measured.

use std::time::Duration;

use criterion::Criterion;

/// Long enough to tell a change of some percent, short enough to be run while one is made.
pub(crate) fn short() -> Criterion {
    Criterion::default()
        .sample_size(30)
        .warm_up_time(Duration::from_millis(300))
        .measurement_time(Duration::from_secs(1))
        .configure_from_args()
}

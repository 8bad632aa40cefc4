//! The settings of all benches.

use std::time::Duration;

use criterion::Criterion;

/// Long enough to detect a change of some percent, short enough to run during development.
pub(crate) fn short() -> Criterion {
    Criterion::default()
        .sample_size(30)
        .warm_up_time(Duration::from_millis(300))
        .measurement_time(Duration::from_secs(1))
        .configure_from_args()
}

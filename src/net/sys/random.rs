//! Random bytes from the kernel.

use crate::engine::Random;

/// The kernel's random numbers.
pub(crate) struct Kernel;

impl Random for Kernel {
    fn fill(&mut self, bytes: &mut [u8]) -> bool {
        match getrandom::fill(bytes) {
            Ok(()) => true,
            Err(error) => {
                log::debug!("getrandom: {error}");
                false
            }
        }
    }
}

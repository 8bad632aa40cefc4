//! What no library asks of the kernel, or of the C library, for us.

use std::os::fd::AsRawFd as _;

use mio::net::TcpStream;

/// How many bytes the kernel has taken for the peer that the peer has not acknowledged yet, our end of stream counted
/// as one. `None` if the socket does not say.
#[expect(unsafe_code, reason = "ioctl(2) has no safe form")]
pub(super) fn unacknowledged(stream: &TcpStream) -> Option<u32> {
    let mut bytes: libc::c_int = 0;
    // SAFETY: the descriptor is open as long as `stream` is borrowed, and SIOCOUTQ (tcp(7); the same number as
    // TIOCOUTQ) writes one int to the address given, which is that of a live local.
    let result = unsafe { libc::ioctl(stream.as_raw_fd(), libc::TIOCOUTQ, &raw mut bytes) };
    if result == 0 { u32::try_from(bytes).ok() } else { None }
}

/// Has the allocator give back what it keeps of memory that was freed. Where it has no such call, it does as it thinks fit.
#[cfg_attr(target_env = "gnu", expect(unsafe_code, reason = "malloc_trim(3) has no safe form"))]
pub(super) fn give_memory_back() {
    // SAFETY: it takes no pointer, touches only memory that is not in use, and takes the allocator's own locks.
    #[cfg(target_env = "gnu")]
    unsafe {
        libc::malloc_trim(0);
    }
}

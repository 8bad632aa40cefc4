//! The one question to the kernel that no library asks for us.

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

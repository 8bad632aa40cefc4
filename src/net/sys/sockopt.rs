//! Calls to the kernel and to the C library that no other library wraps.

use std::mem::{MaybeUninit, offset_of};
use std::os::fd::{AsFd, AsRawFd as _};

use mio::net::TcpStream;

use crate::engine::{InFlight, Path};

/// Number of values in SO_MEMINFO; `SK_MEMINFO_DROPS` is the last of them.
const MEMINFO_NUMBERS: usize = libc::SK_MEMINFO_DROPS as usize + 1;

/// Bytes that the kernel has accepted and the peer has not acknowledged yet, counting our end of the stream as one.
/// `None` if the socket does not say.
#[expect(unsafe_code, reason = "ioctl(2) has no safe form")]
pub(crate) fn unacknowledged(stream: &impl AsFd) -> Option<u32> {
    let mut bytes: libc::c_int = 0;
    // SAFETY: the descriptor is open as long as `stream` is borrowed. SIOCOUTQ (tcp(7); the same number as TIOCOUTQ)
    // writes one int to the given address, which is that of a live local.
    let result = unsafe { libc::ioctl(stream.as_fd().as_raw_fd(), libc::TIOCOUTQ, &raw mut bytes) };
    if result == 0 { u32::try_from(bytes).ok() } else { None }
}

/// The bytes that the kernel holds for a peer. The state of the path is included only if `with_path`.
pub(crate) fn in_flight(stream: &TcpStream, with_path: bool) -> InFlight {
    let unacknowledged = unacknowledged(stream);
    let path = if with_path && unacknowledged != Some(0) { path(stream) } else { None };
    InFlight { unacknowledged, path }
}

/// The state of a path (TCP_INFO, tcp(7)). `None` if the socket does not say.
#[expect(unsafe_code, reason = "getsockopt(2) has no safe form for this option")]
fn path(stream: &TcpStream) -> Option<Path> {
    let mut info = MaybeUninit::<libc::tcp_info>::zeroed();
    let mut bytes = size_of_val(&info) as libc::socklen_t;
    // SAFETY: the descriptor is open as long as `stream` is borrowed. The kernel writes at most `bytes` bytes to the
    // address of a live local of that size, and their count to that of another.
    let result = unsafe {
        let info = info.as_mut_ptr().cast();
        libc::getsockopt(stream.as_raw_fd(), libc::IPPROTO_TCP, libc::TCP_INFO, info, &raw mut bytes)
    };
    // SAFETY: the struct consists of integers only, for which all bytes are valid, and each was set to 0 before.
    let info = unsafe { info.assume_init() };
    let has_times = result == 0 && bytes as usize >= offset_of!(libc::tcp_info, tcpi_pmtu);
    has_times.then_some(Path {
        is_in_flight: info.tcpi_unacked > 0,
        probes: info.tcpi_probes,
        sent_ms: info.tcpi_last_data_sent,
        acknowledged_ms: info.tcpi_last_ack_recv,
    })
}

/// Tells the allocator to release the freed memory that it keeps. Does nothing if the C library has no such call.
#[cfg_attr(target_env = "gnu", expect(unsafe_code, reason = "malloc_trim(3) has no safe form"))]
pub(crate) fn give_memory_back() {
    // SAFETY: the call takes no pointer, touches only unused memory, and takes the allocator's own locks.
    #[cfg(target_env = "gnu")]
    unsafe {
        libc::malloc_trim(0);
    }
}

/// Number of datagrams for this socket that the kernel has dropped because its queue was full (or their checksums
/// wrong): a counter of 32 bits, which wraps to 0. `None` if the kernel (Linux before 4.12) does not say.
#[expect(unsafe_code, reason = "getsockopt(2) has no safe form for this option")]
pub(crate) fn drops(socket: &impl AsFd) -> Option<u32> {
    let mut numbers = [0u32; MEMINFO_NUMBERS];
    let mut bytes = size_of_val(&numbers) as libc::socklen_t;
    let descriptor = socket.as_fd().as_raw_fd();
    // SAFETY: the descriptor is open as long as `socket` is borrowed. The kernel writes at most `bytes` bytes to the
    // address of a live local of that size, for which all bytes are valid, and their count to that of another.
    let result = unsafe {
        libc::getsockopt(descriptor, libc::SOL_SOCKET, libc::SO_MEMINFO, numbers.as_mut_ptr().cast(), &raw mut bytes)
    };
    let is_all = result == 0 && bytes as usize == size_of_val(&numbers);
    if is_all { numbers.last().copied() } else { None }
}

#[cfg(test)]
mod tests {
    use std::io::{Read as _, Write as _};
    use std::net::{TcpListener, UdpSocket};
    use std::time::{Duration, Instant};

    use super::*;

    #[test]
    fn what_waits_for_a_window_is_in_the_air_until_it_is_read() {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let mut peer = std::net::TcpStream::connect(listener.local_addr().unwrap()).unwrap();
        let (stream, _) = listener.accept().unwrap();
        stream.set_nonblocking(true).unwrap();
        let mut stream = TcpStream::from_std(stream);
        assert!(in_flight(&stream, true).path.is_none());
        let mut written = 0;
        while let Ok(count) = stream.write(&[b'x'; 65_536]) {
            written += count;
        }
        let now = in_flight(&stream, true).path.unwrap();
        assert!(now.sent_ms < 10_000 && now.acknowledged_ms < 10_000, "{now:?}");
        let mut all = vec![0; written];
        peer.read_exact(&mut all).unwrap();
        let deadline = Instant::now() + Duration::from_secs(10);
        while in_flight(&stream, true).path.is_some() {
            assert!(Instant::now() < deadline, "{:?}", in_flight(&stream, true));
            std::thread::sleep(Duration::from_millis(5));
        }
    }

    #[test]
    fn what_does_not_fit_into_a_queue_is_counted() {
        let (here, there) = (UdpSocket::bind("127.0.0.1:0").unwrap(), UdpSocket::bind("127.0.0.1:0").unwrap());
        socket2::SockRef::from(&there).set_recv_buffer_size(4096).unwrap();
        assert_eq!(drops(&there), Some(0));
        for _ in 0..100 {
            here.send_to(&[0; 1000], there.local_addr().unwrap()).unwrap();
        }
        // Over loopback a datagram has arrived, or is lost, as soon as it is sent.
        let lost = drops(&there).unwrap();
        there.set_read_timeout(Some(Duration::from_millis(1))).unwrap();
        let taken = std::iter::from_fn(|| there.recv(&mut [0; 2000]).ok()).count();
        assert_eq!((lost as usize + taken, drops(&there), drops(&here)), (100, Some(lost), Some(0)));
        assert!(lost > 0 && taken > 0);
    }
}

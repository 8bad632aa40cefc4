//! A file system for SQLite that passes each call through to its own, notes what changes, and fails when it is told to.
//! It is SQLite's default in this process; files outside of the watched folders are only passed through.

use std::ffi::{CStr, c_char, c_int, c_void};
use std::mem::size_of;
use std::os::unix::fs::MetadataExt as _;
use std::path::Path;
use std::ptr;
use std::sync::{Arc, Mutex, Once, PoisonError, Weak};

use rusqlite::ffi::{
    SQLITE_IOERR_DELETE, SQLITE_OK, SQLITE_OPEN_MAIN_JOURNAL, SQLITE_OPEN_SUPER_JOURNAL, SQLITE_OPEN_WAL, sqlite3_file,
    sqlite3_initialize, sqlite3_int64, sqlite3_io_methods, sqlite3_vfs, sqlite3_vfs_find, sqlite3_vfs_register,
};

use rustix::fs::{AtFlags, CWD, Timespec, Timestamps, utimensat};

use super::model::{Disk, FAILED, FileId, How, Step};

/// The folders that are watched.
static DISKS: Mutex<Vec<Weak<Disk>>> = Mutex::new(Vec::new());

/// Notes what happens in this disk's folder for as long as the disk is there.
pub(super) fn watch(disk: &Arc<Disk>) {
    install();
    let mut disks = DISKS.lock().unwrap_or_else(PoisonError::into_inner);
    disks.retain(|disk| disk.strong_count() > 0);
    disks.push(Arc::downgrade(disk));
}

/// The disk of the folder with this file, and the file's name there.
fn disk_of(path: &Path) -> Option<(Arc<Disk>, String)> {
    let disks = DISKS.lock().unwrap_or_else(PoisonError::into_inner);
    let disk = disks.iter().filter_map(Weak::upgrade).find(|disk| path.parent() == Some(disk.folder()))?;
    Some((disk, path.file_name()?.to_str()?.to_owned()))
}

/// An open file. SQLite allocates it, with room for the file of the system behind it.
#[repr(C)]
struct File {
    methods: *const sqlite3_io_methods,
    /// Of a watched file; else null. From `Box::into_raw`.
    watched: *mut Watched,
}

struct Watched {
    disk: Arc<Disk>,
    name: String,
}

/// The file of the system, behind ours.
fn inner(file: *mut sqlite3_file) -> *mut sqlite3_file {
    // SAFETY: `szOsFile` has room for both.
    unsafe { file.cast::<File>().add(1).cast() }
}

fn watched<'a>(file: *mut sqlite3_file) -> Option<&'a Watched> {
    // SAFETY: `open` has set the field to null or to a box that lives until `close`.
    unsafe { (*file.cast::<File>()).watched.as_ref() }
}

/// Calls a method of the file of the system.
macro_rules! pass {
    ($file:expr, $method:ident $(, $argument:expr)*) => {{
        let file = inner($file);
        // SAFETY: the system's file was opened, so that it has its methods, all of those that SQLite calls.
        unsafe { ((*(*file).pMethods).$method.expect("a method"))(file $(, $argument)*) }
    }};
}

unsafe extern "C" fn close(file: *mut sqlite3_file) -> c_int {
    let result = pass!(file, xClose);
    // SAFETY: the field is null or from `Box::into_raw`, and set to null with the box.
    unsafe {
        let watched = std::mem::replace(&mut (*file.cast::<File>()).watched, ptr::null_mut());
        if !watched.is_null() {
            drop(Box::from_raw(watched));
        }
    }
    result
}

unsafe extern "C" fn read(file: *mut sqlite3_file, to: *mut c_void, len: c_int, at: sqlite3_int64) -> c_int {
    pass!(file, xRead, to, len, at)
}

unsafe extern "C" fn write(file: *mut sqlite3_file, from: *const c_void, len: c_int, at: sqlite3_int64) -> c_int {
    let Some(Watched { disk, name }) = watched(file) else { return pass!(file, xWrite, from, len, at) };
    let mut state = disk.lock();
    let fault = state.next_fault();
    let done = match fault {
        None => len,
        Some(How::Short(_)) => len / 2,
        Some(How::Error(_)) => 0,
    };
    if done > 0 {
        let result = pass!(file, xWrite, from, done, at);
        assert_eq!(result, SQLITE_OK, "the disk under the model works");
        // SAFETY: SQLite gives `len` bytes.
        let bytes = unsafe { std::slice::from_raw_parts(from.cast::<u8>(), done as usize) }.to_vec();
        state.on_step(Step::Write { name: name.clone(), at: at as usize, bytes });
    }
    code(fault)
}

fn code(fault: Option<How>) -> c_int {
    match fault {
        None => SQLITE_OK,
        Some(How::Error(code) | How::Short(code)) => code,
    }
}

unsafe extern "C" fn truncate(file: *mut sqlite3_file, len: sqlite3_int64) -> c_int {
    let Some(Watched { disk, name }) = watched(file) else { return pass!(file, xTruncate, len) };
    let mut state = disk.lock();
    let fault = state.next_fault();
    if fault.is_some() {
        return code(fault);
    }
    state.on_step(Step::Truncate { name: name.clone(), len: len as usize });
    pass!(file, xTruncate, len)
}

unsafe extern "C" fn sync(file: *mut sqlite3_file, flags: c_int) -> c_int {
    // The model decides what is on disk. A real sync would only take time.
    let Some(Watched { disk, name }) = watched(file) else { return pass!(file, xSync, flags) };
    let mut state = disk.lock();
    let fault = state.next_fault();
    if fault.is_some() {
        let time = Timespec { tv_sec: FAILED, tv_nsec: 0 };
        let times = Timestamps { last_access: time, last_modification: time };
        utimensat(CWD, disk.folder().join(name), &times, AtFlags::empty()).expect("a time for the file");
    }
    state.on_step(Step::Sync { name: name.clone(), is_done: fault.is_none() });
    code(fault)
}

unsafe extern "C" fn file_size(file: *mut sqlite3_file, size: *mut sqlite3_int64) -> c_int {
    pass!(file, xFileSize, size)
}

unsafe extern "C" fn lock(file: *mut sqlite3_file, level: c_int) -> c_int {
    pass!(file, xLock, level)
}

unsafe extern "C" fn unlock(file: *mut sqlite3_file, level: c_int) -> c_int {
    pass!(file, xUnlock, level)
}

unsafe extern "C" fn check_reserved_lock(file: *mut sqlite3_file, result: *mut c_int) -> c_int {
    pass!(file, xCheckReservedLock, result)
}

unsafe extern "C" fn file_control(file: *mut sqlite3_file, what: c_int, argument: *mut c_void) -> c_int {
    pass!(file, xFileControl, what, argument)
}

unsafe extern "C" fn sector_size(file: *mut sqlite3_file) -> c_int {
    pass!(file, xSectorSize)
}

unsafe extern "C" fn device_characteristics(file: *mut sqlite3_file) -> c_int {
    pass!(file, xDeviceCharacteristics)
}

unsafe extern "C" fn shm_map(
    file: *mut sqlite3_file,
    page: c_int,
    size: c_int,
    extend: c_int,
    memory: *mut *mut c_void,
) -> c_int {
    pass!(file, xShmMap, page, size, extend, memory)
}

unsafe extern "C" fn shm_lock(file: *mut sqlite3_file, offset: c_int, count: c_int, flags: c_int) -> c_int {
    pass!(file, xShmLock, offset, count, flags)
}

unsafe extern "C" fn shm_barrier(file: *mut sqlite3_file) {
    pass!(file, xShmBarrier);
}

unsafe extern "C" fn shm_unmap(file: *mut sqlite3_file, delete: c_int) -> c_int {
    pass!(file, xShmUnmap, delete)
}

/// Version 2: shared memory, but no mapped files, whose changes nobody would see.
static METHODS: sqlite3_io_methods = sqlite3_io_methods {
    iVersion: 2,
    xClose: Some(close),
    xRead: Some(read),
    xWrite: Some(write),
    xTruncate: Some(truncate),
    xSync: Some(sync),
    xFileSize: Some(file_size),
    xLock: Some(lock),
    xUnlock: Some(unlock),
    xCheckReservedLock: Some(check_reserved_lock),
    xFileControl: Some(file_control),
    xSectorSize: Some(sector_size),
    xDeviceCharacteristics: Some(device_characteristics),
    xShmMap: Some(shm_map),
    xShmLock: Some(shm_lock),
    xShmBarrier: Some(shm_barrier),
    xShmUnmap: Some(shm_unmap),
    xFetch: None,
    xUnfetch: None,
};

/// SQLite's own file system.
fn system(vfs: *mut sqlite3_vfs) -> *mut sqlite3_vfs {
    // SAFETY: `install` has put it there.
    unsafe { (*vfs).pAppData.cast() }
}

fn path<'a>(name: *const c_char) -> Option<&'a Path> {
    if name.is_null() {
        return None; // a temporary file
    }
    // SAFETY: SQLite gives a string that ends in NUL and outlives the call.
    unsafe { CStr::from_ptr(name) }.to_str().ok().map(Path::new)
}

unsafe extern "C" fn open(
    vfs: *mut sqlite3_vfs,
    at: *const c_char,
    file: *mut sqlite3_file,
    flags: c_int,
    flags_out: *mut c_int,
) -> c_int {
    let ours = file.cast::<File>();
    // SAFETY: SQLite gives `szOsFile` bytes. Without methods it does not call `close`.
    unsafe { ours.write(File { methods: ptr::null(), watched: ptr::null_mut() }) };
    let found = path(at).and_then(disk_of);
    let before = path(at).filter(|_| found.is_some()).and_then(|path| std::fs::read(path).ok());
    let system = system(vfs);
    // SAFETY: these are the arguments that SQLite would have given to its own file system.
    let result = unsafe { ((*system).xOpen.expect("a method"))(system, at, inner(file), flags, flags_out) };
    if result != SQLITE_OK {
        return result;
    }
    if let Some((disk, name)) = found {
        let is_journal = flags & (SQLITE_OPEN_MAIN_JOURNAL | SQLITE_OPEN_SUPER_JOURNAL | SQLITE_OPEN_WAL) != 0;
        if let Some(about) = path(at).and_then(|path| std::fs::metadata(path).ok()) {
            let file = FileId { number: about.ino(), changed_s: about.mtime() };
            disk.lock().on_open(&name, file, before, is_journal);
        }
        // SAFETY: as above.
        unsafe { (*ours).watched = Box::into_raw(Box::new(Watched { disk, name })) };
    }
    // SAFETY: as above.
    unsafe { (*ours).methods = &raw const METHODS };
    SQLITE_OK
}

unsafe extern "C" fn delete(vfs: *mut sqlite3_vfs, name: *const c_char, sync_folder: c_int) -> c_int {
    let system = system(vfs);
    // SAFETY: these are the arguments that SQLite would have given to its own file system.
    let pass = || unsafe { ((*system).xDelete.expect("a method"))(system, name, sync_folder) };
    let Some((disk, name)) = path(name).and_then(disk_of) else { return pass() };
    let mut state = disk.lock();
    if state.next_fault().is_some() {
        return SQLITE_IOERR_DELETE;
    }
    let result = pass();
    if result == SQLITE_OK {
        state.on_step(Step::Delete { name, is_synced: sync_folder != 0 });
    }
    result
}

/// Makes this the file system of all connections that are opened from now on.
fn install() {
    static ONCE: Once = Once::new();
    // SAFETY: SQLite's own file system is there once it is initialized, and stays. Its functions, but for `xOpen`, do not
    // look at the table that they are called through, so they may stand in ours. Ours is never freed.
    ONCE.call_once(|| unsafe {
        assert_eq!(sqlite3_initialize(), SQLITE_OK);
        let system = sqlite3_vfs_find(ptr::null());
        assert!(!system.is_null(), "a file system");
        let mut ours = *system;
        ours.szOsFile += size_of::<File>() as c_int;
        ours.zName = c"trouble".as_ptr();
        ours.pAppData = system.cast();
        ours.pNext = ptr::null_mut();
        ours.xOpen = Some(open);
        ours.xDelete = Some(delete);
        assert_eq!(sqlite3_vfs_register(Box::into_raw(Box::new(ours)), 1), SQLITE_OK);
    });
}

//! The file of a database as SQLite has it open: what SQLite writes there, and pages that are read and written beside
//! SQLite. All of it goes through SQLite's own handle, so no lock gets lost.

#![expect(unsafe_code, reason = "SQLite gives its files as tables of C functions")]

use std::ffi::{CStr, c_int, c_void};
use std::ptr::{self, NonNull};
use std::slice;
use std::sync::{Mutex, PoisonError};

use rusqlite::Connection;
use rusqlite::ffi::{
    SQLITE_FCNTL_FILE_POINTER, SQLITE_IOERR, SQLITE_OK, SQLITE_SHM_EXCLUSIVE, SQLITE_SHM_LOCK, SQLITE_SHM_UNLOCK,
    SQLITE_SYNC_NORMAL, sqlite3_file, sqlite3_file_control, sqlite3_int64, sqlite3_io_methods,
};

use super::page;

/// The lock of whoever moves the log into the file, as SQLite's format of the log has it.
const CHECKPOINT_LOCK: c_int = 1;

/// A table of functions with our `xWrite`, made once for each file system, and never freed.
#[repr(C)]
struct Methods {
    /// First, so that a pointer to this is a pointer to the table.
    table: sqlite3_io_methods,
    /// The file system's own.
    write: Write,
    /// The address of its table.
    system: usize,
}

type Write = unsafe extern "C" fn(*mut sqlite3_file, *const c_void, c_int, sqlite3_int64) -> c_int;

/// All tables.
static ALL: Mutex<Vec<&'static Methods>> = Mutex::new(Vec::new());

/// From now on each page that this connection writes into the file of this database has zeros in its unused parts.
///
/// # Errors
/// Of SQLite.
pub(in crate::history::store) fn watch(db: &Connection, schema: &CStr) -> rusqlite::Result<()> {
    let Some(file) = file(db, schema)? else { return Ok(()) };
    // SAFETY: the file is open for as long as the connection, which nobody else uses meanwhile; it has a table.
    unsafe {
        let table = (*file.as_ptr()).pMethods;
        if let Some(ours) = ours(&*table, table.addr()) {
            // The whole of it, not its first field alone: `write` reads what follows.
            (*file.as_ptr()).pMethods = ptr::from_ref(ours).cast();
        }
    }
    Ok(())
}

/// Our table for one of a file system's.
fn ours(table: &sqlite3_io_methods, address: usize) -> Option<&'static Methods> {
    let mut all = ALL.lock().unwrap_or_else(PoisonError::into_inner);
    let is_ours = |ours: &&&Methods| ours.system == address || ptr::from_ref::<Methods>(ours).addr() == address;
    if let Some(found) = all.iter().find(is_ours) {
        return Some(found);
    }
    let write = table.xWrite?;
    let table = sqlite3_io_methods { xWrite: Some(self::write), ..*table };
    let made: &'static Methods = Box::leak(Box::new(Methods { table, write, system: address }));
    all.push(made);
    Some(made)
}

/// The open file of a database; `None` for one in memory.
fn file(db: &Connection, schema: &CStr) -> rusqlite::Result<Option<NonNull<sqlite3_file>>> {
    let mut file: *mut sqlite3_file = ptr::null_mut();
    // SAFETY: the connection is open; this operation writes a pointer.
    let code = unsafe {
        let argument: *mut c_void = (&raw mut file).cast();
        sqlite3_file_control(db.handle(), schema.as_ptr(), SQLITE_FCNTL_FILE_POINTER, argument)
    };
    check(code)?;
    // SAFETY: the pointer is null or to a file of the connection. Without a table it is not open.
    Ok(NonNull::new(file).filter(|file| unsafe { !file.as_ref().pMethods.is_null() }))
}

fn check(code: c_int) -> rusqlite::Result<()> {
    if code == SQLITE_OK { Ok(()) } else { Err(error(code)) }
}

fn error(code: c_int) -> rusqlite::Error {
    rusqlite::Error::SqliteFailure(rusqlite::ffi::Error::new(code), None)
}

/// SQLite writes a page, or something else.
unsafe extern "C" fn write(file: *mut sqlite3_file, from: *const c_void, length: c_int, at: sqlite3_int64) -> c_int {
    // SAFETY: the table of a file with this function is the first field of `Methods`. SQLite gives `length` bytes.
    let (methods, bytes) = unsafe {
        let length = usize::try_from(length).unwrap_or(0);
        (&*(*file).pMethods.cast::<Methods>(), slice::from_raw_parts(from.cast::<u8>(), length))
    };
    let is_page = matches!(length, 512..=65_536) && length.count_ones() == 1 && at % sqlite3_int64::from(length) == 0;
    let mut page = Vec::new();
    if is_page && page::is_tree(bytes, at == 0) && !is_too_large(file, &methods.table, length) {
        page.extend_from_slice(bytes);
        page::clean(&mut page, at == 0);
    }
    let from = if page.is_empty() { from } else { page.as_ptr().cast() };
    // SAFETY: these are the arguments that SQLite would have given, or as many bytes of our own.
    unsafe { (methods.write)(file, from, length, at) }
}

fn is_too_large(file: *mut sqlite3_file, table: &sqlite3_io_methods, page: c_int) -> bool {
    let mut size = 0;
    // SAFETY: the file is open, and this is its own function.
    let code = table.xFileSize.map(|file_size| unsafe { file_size(file, &raw mut size) });
    code != Some(SQLITE_OK) || size / sqlite3_int64::from(page) >= page::MOST
}

/// The file while nobody can move the log into it: nobody writes there but whoever has this.
pub(in crate::history::store) struct Held<'a> {
    file: NonNull<sqlite3_file>,
    table: sqlite3_io_methods,
    _db: &'a Connection,
}

impl<'a> Held<'a> {
    /// `None` if somebody is moving the log, or the database has none. Not in a transaction.
    ///
    /// # Errors
    /// Of SQLite, as with all methods here.
    pub(in crate::history::store) fn take(db: &'a Connection) -> rusqlite::Result<Option<Self>> {
        let Some(file) = file(db, c"main")? else { return Ok(None) };
        // SAFETY: the file is open for as long as the connection.
        let table = unsafe { *file.as_ref().pMethods };
        let held = Self { file, table, _db: db };
        match held.lock(SQLITE_SHM_LOCK) {
            SQLITE_OK => Ok(Some(held)),
            _ => {
                // There is nothing to give back.
                std::mem::forget(held);
                Ok(None)
            }
        }
    }

    fn lock(&self, what: c_int) -> c_int {
        if self.table.iVersion < 2 {
            return SQLITE_IOERR;
        }
        // SAFETY: the file is open, and this is its own function. SQLite takes this lock of the connection only while it
        // moves the log, and that is not now.
        self.table.xShmLock.map_or(SQLITE_IOERR, |lock| unsafe {
            lock(self.file.as_ptr(), CHECKPOINT_LOCK, 1, what | SQLITE_SHM_EXCLUSIVE)
        })
    }

    /// The size of the file in bytes.
    pub(super) fn size(&self) -> rusqlite::Result<u64> {
        let mut size = 0;
        let file_size = self.table.xFileSize.ok_or_else(|| error(SQLITE_IOERR))?;
        // SAFETY: the file is open, and this is its own function.
        check(unsafe { file_size(self.file.as_ptr(), &raw mut size) })?;
        Ok(u64::try_from(size).unwrap_or(0))
    }

    /// Reads from this byte on. Behind the end are zeros.
    pub(super) fn read(&self, at: u64, to: &mut [u8]) -> rusqlite::Result<()> {
        let read = self.table.xRead.ok_or_else(|| error(SQLITE_IOERR))?;
        let (length, at) = range(to, at)?;
        // SAFETY: the file is open, this is its own function, and there is room for so many bytes.
        match unsafe { read(self.file.as_ptr(), to.as_mut_ptr().cast(), length, at) } {
            rusqlite::ffi::SQLITE_IOERR_SHORT_READ => Ok(()),
            code => check(code),
        }
    }

    /// Writes at this byte.
    pub(super) fn write(&self, at: u64, bytes: &[u8]) -> rusqlite::Result<()> {
        let write = self.table.xWrite.ok_or_else(|| error(SQLITE_IOERR))?;
        let (length, at) = range(bytes, at)?;
        // SAFETY: the file is open, this is its own function, and there are so many bytes.
        check(unsafe { write(self.file.as_ptr(), bytes.as_ptr().cast(), length, at) })
    }

    /// Brings what was written to disk.
    pub(super) fn sync(&self) -> rusqlite::Result<()> {
        let sync = self.table.xSync.ok_or_else(|| error(SQLITE_IOERR))?;
        // SAFETY: the file is open, and this is its own function.
        check(unsafe { sync(self.file.as_ptr(), SQLITE_SYNC_NORMAL) })
    }
}

impl Drop for Held<'_> {
    fn drop(&mut self) {
        self.lock(SQLITE_SHM_UNLOCK);
    }
}

fn range(bytes: &[u8], at: u64) -> rusqlite::Result<(c_int, sqlite3_int64)> {
    let range = c_int::try_from(bytes.len()).ok().zip(sqlite3_int64::try_from(at).ok());
    range.ok_or_else(|| error(SQLITE_IOERR))
}

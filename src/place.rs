//! Identity and kind of files: whether two paths lead to one file, and what kind of file that is.

use std::fs::{self, FileType};
use std::os::unix::fs::{FileTypeExt as _, MetadataExt as _};
use std::path::{Path, PathBuf};

/// Symbolic links to follow before giving up: as many as Linux does.
const LINKS_MOST: usize = 40;

/// Whether both paths lead to the same regular file, links included, or would create the same new file. False for
/// devices, pipes and folders.
pub fn is_one_file(one: &Path, other: &Path) -> bool {
    match (fs::metadata(one), fs::metadata(other)) {
        (Ok(one), Ok(other)) => one.is_file() && (one.dev(), one.ino()) == (other.dev(), other.ino()),
        (Err(_), Err(_)) => resolve(one).is_some_and(|one| resolve(other) == Some(one)),
        (Ok(_), Err(_)) | (Err(_), Ok(_)) => false,
    }
}

/// The kind of a file with its article: `a folder`, `a pipe`.
pub fn kind(file: FileType) -> &'static str {
    if file.is_file() {
        "a regular file"
    } else if file.is_dir() {
        "a folder"
    } else if file.is_fifo() {
        "a pipe"
    } else if file.is_socket() {
        "a socket"
    } else if file.is_block_device() {
        "a block device"
    } else if file.is_char_device() {
        "a character device"
    } else {
        "a symbolic link"
    }
}

/// The path at which this path would create a file: the folder without links, and the file name. `None` if that cannot
/// be determined.
fn resolve(path: &Path) -> Option<PathBuf> {
    let mut path = path.to_owned();
    for _ in 0..LINKS_MOST {
        let folder = match path.parent() {
            Some(folder) if folder.as_os_str().is_empty() => Path::new("."),
            Some(folder) => folder,
            None => return None,
        };
        match fs::read_link(&path) {
            Ok(target) => path = folder.join(target),
            Err(_) => return Some(fs::canonicalize(folder).ok()?.join(path.file_name()?)),
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::symlink;

    use super::*;

    #[test]
    fn one_file_by_many_paths() {
        let folder = tempfile::tempdir().unwrap();
        let at = |name: &str| folder.path().join(name);
        fs::create_dir(at("inner")).unwrap();
        fs::write(at("file"), "").unwrap();
        fs::write(at("other"), "").unwrap();
        fs::hard_link(at("file"), at("hard")).unwrap();
        symlink("file", at("link")).unwrap();
        symlink(at("missing"), at("inner/dangling")).unwrap();
        symlink("inner", at("door")).unwrap();
        symlink("circle", at("circle")).unwrap();
        let check = |one: &str, other: &str, expected: bool| {
            assert_eq!(is_one_file(&at(one), &at(other)), expected, "{one} {other}");
            assert_eq!(is_one_file(&at(other), &at(one)), expected, "{other} {one}");
        };
        check("file", "file", true);
        check("file", "inner/../file", true);
        check("file", "hard", true);
        check("hard", "link", true);
        check("file", "other", false);
        check("file", "missing", false);
        check("missing", "door/../missing", true);
        check("missing", "inner/dangling", true);
        check("missing", "door/dangling", true);
        check("inner/new", "door/new", true);
        check("inner/new", "new", false);
        check("circle", "circle", false);
        check("nowhere/file", "nowhere/file", false);
        check("inner", "door", false);
        assert!(!is_one_file(Path::new("/dev/null"), Path::new("/dev/null")));
    }
}

//! Who may read a file with a secret: root, the server's user, and its groups.

use std::fs::Metadata;
use std::os::unix::fs::MetadataExt as _;
use std::path::Path;

use rustix::process::{getegid, geteuid, getgroups};

/// The permission to read.
#[cfg(feature = "tls")]
pub(crate) const READ: u32 = 0o4;
/// All permissions.
pub(crate) const ALL: u32 = 0o7;

/// Whose a file is, and its mode.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Owner {
    user: u32,
    group: u32,
    mode: u32,
}

/// Who reads it.
#[derive(Clone, Debug)]
pub(crate) struct Reader {
    user: u32,
    groups: Vec<u32>,
}

impl Reader {
    /// This process.
    pub(crate) fn ours() -> Self {
        let mut groups = vec![getegid().as_raw()];
        groups.extend(getgroups().unwrap_or_default().iter().map(|group| group.as_raw()));
        Self { user: geteuid().as_raw(), groups }
    }
}

impl Owner {
    /// The owner of a file.
    pub(crate) fn of(about: &Metadata) -> Self {
        Self { user: about.uid(), group: about.gid(), mode: about.mode() }
    }

    /// The command that takes these permissions from others; `None` if only root, the reader and its groups have one.
    pub(crate) fn mend(self, reader: &Reader, permissions: u32, path: &Path) -> Option<String> {
        let path = path.display();
        let is_others_group = self.group != 0 && !reader.groups.contains(&self.group);
        if self.user != 0 && self.user != reader.user {
            Some(format!("chown {} {path}", reader.user))
        } else if self.mode & permissions != 0 || self.mode & (permissions << 3) != 0 && is_others_group {
            Some(format!("chmod {} {path}", if is_others_group { "600" } else { "o=" }))
        } else {
            None
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Checks the rule for a reader whose user is 100 and whose groups are 100 and 44.
    #[track_caller]
    fn check(permissions: u32, (user, group, mode): (u32, u32, u32), expected: Option<&str>) {
        let reader = Reader { user: 100, groups: vec![100, 44] };
        let mend = Owner { user, group, mode }.mend(&reader, permissions, Path::new("k"));
        assert_eq!(mend.as_deref(), expected, "{user}:{group} {mode:o}");
    }

    #[test]
    fn who_may_read_a_key() {
        check(0o4, (100, 100, 0o600), None);
        check(0o4, (0, 0, 0o640), None);
        check(0o4, (0, 44, 0o640), None);
        check(0o4, (0, 50, 0o600), None);
        check(0o4, (100, 100, 0o644), Some("chmod o= k"));
        check(0o4, (0, 50, 0o640), Some("chmod 600 k"));
        check(0o4, (0, 50, 0o604), Some("chmod 600 k"));
        check(0o4, (101, 100, 0o600), Some("chown 100 k"));
    }

    #[test]
    fn only_the_server_has_a_token() {
        check(ALL, (100, 100, 0o100_600), None);
        check(ALL, (0, 44, 0o100_640), None);
        check(ALL, (0, 0, 0o100_640), None);
        check(ALL, (100, 100, 0o100_604), Some("chmod o= k"));
        check(ALL, (0, 50, 0o100_640), Some("chmod 600 k"));
        check(ALL, (50, 100, 0o100_600), Some("chown 100 k"));
    }
}

//! Resume tokens: for a day, a client may present one instead of its password, and no hash is computed.
//!
//! A token is `t1.<expiry>.<mac>`: the expiry in seconds since 1970, and in hexadecimal an HMAC-SHA-256 of a tag for
//! this use, the name in lower case, the account's epoch and the expiry. The server stores no tokens: all it needs is
//! in the account (the epoch) and in the token.
//!
//! The key is 32 random bytes in `<accounts.file>.key`, one line: `chatd-key 1:<64 hex>:<checksum>`, with the checksum
//! of the account file's lines.

use std::fmt::Write as _;
use std::fs::File;
use std::io::Read as _;
use std::path::Path;

use hmac::{Hmac, KeyInit as _, Mac as _};
use sha2::Sha256;
use subtle::ConstantTimeEq as _;
use zeroize::Zeroizing;

use super::request::OpenError;
use super::store::files;
use super::store::record::checksum;
use crate::hub::names::UserName;
use crate::limits::{TOKEN_LIFE_S, TOKEN_MAX_BYTES};

/// Bytes of the key: as many as the hash has.
const KEY_BYTES: usize = 32;
/// The beginning of the key file.
const KEY_HEADER: &str = "chatd-key 1:";
/// The longest key file that is read; valid ones are shorter.
const KEY_FILE_MOST: u64 = 128;
/// The beginning of every token.
const PREFIX: &str = "t1.";
/// The beginning of the authenticated bytes, so that a MAC of this key is valid for tokens only.
const DOMAIN: &[u8] = b"chatd resume token 1\0";

/// The key that authenticates tokens.
pub(super) struct Key(Zeroizing<[u8; KEY_BYTES]>);

/// The state of the account file at a start.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Before {
    /// It has lines of accounts.
    Accounts,
    /// It has a header only: nobody has registered yet.
    NoAccounts,
    /// It is missing or empty.
    Nothing,
}

impl Key {
    /// Reads the key of an account file, or creates one. A new key is also created if the file has no accounts: the
    /// first account of a name has the same epoch in every file, so a token of an earlier file would be valid for the
    /// name's new owner. A key without an account file, or accounts without a key, are logged as a warning: an earlier
    /// start created both, so one of them was lost.
    ///
    /// # Errors
    /// [`OpenError::Unusable`]: the key is damaged, others may read it, or it cannot be created.
    pub(super) fn open(account_file: &Path, found: Before) -> Result<Self, OpenError> {
        let path = files::beside(account_file, "key");
        let Some(file) = files::open_private(&path)? else {
            let key = Self::make(&path)?;
            if found == Before::Accounts {
                log::warn!(
                    "accounts: {} has accounts, but {} is missing: a new key was created, and all tokens are void; \
                     everybody has to log in by password once",
                    account_file.display(),
                    path.display()
                );
            }
            return Ok(key);
        };
        let key = Self::read(file, &path)?;
        if found == Before::Accounts {
            return Ok(key);
        }
        if found == Before::Nothing {
            log::warn!(
                "accounts: {} is empty, but {} is there from an earlier start: all names are free, and all tokens \
                 void; if there were accounts, stop chatd and put a copy of the file back",
                account_file.display(),
                path.display()
            );
        }
        Self::make(&path)
    }

    /// Checks that the key of an account file, if it exists, is usable. Creates nothing.
    ///
    /// # Errors
    /// Those of [`Key::open`].
    pub(super) fn check(account_file: &Path) -> Result<(), OpenError> {
        let path = files::beside(account_file, "key");
        files::open_private(&path)?.map_or(Ok(()), |file| Self::read(file, &path).map(drop))
    }

    fn read(file: File, path: &Path) -> Result<Self, OpenError> {
        let mut text = Zeroizing::new(String::new());
        let key = file.take(KEY_FILE_MOST).read_to_string(&mut text).ok().and_then(|_| Self::parse(&text));
        key.ok_or_else(|| files::unusable(path, "is damaged; remove it, and everybody has to log in by password once"))
    }

    /// A token for `name` that is valid until `expiry`, in seconds since 1970.
    pub(super) fn token(&self, name: &UserName, epoch: u32, expiry: u64) -> String {
        #[expect(clippy::expect_used, reason = "HMAC takes a key of any length")]
        let mut mac = Hmac::<Sha256>::new_from_slice(self.0.as_slice()).expect("any length");
        mac.update(DOMAIN);
        mac.update(name.as_str().to_ascii_lowercase().as_bytes());
        mac.update(&[0]);
        mac.update(&epoch.to_be_bytes());
        mac.update(&expiry.to_be_bytes());
        format!("{PREFIX}{expiry}.{}", *hex(&mac.finalize().into_bytes()))
    }

    /// The check of a room's password, under the room's name as it is compared.
    pub(super) fn room_tag(&self, room: &str, password: &str) -> [u8; KEY_BYTES] {
        #[expect(clippy::expect_used, reason = "HMAC takes a key of any length")]
        let mut mac = Hmac::<Sha256>::new_from_slice(self.0.as_slice()).expect("any length");
        for part in ["room", room] {
            mac.update(part.as_bytes());
            mac.update(&[0]);
        }
        mac.update(password.as_bytes());
        mac.finalize().into_bytes().into()
    }

    /// Whether `token` was made for `name` in this epoch and is valid at `unix`, in seconds since 1970. The token is
    /// recomputed and compared as a whole, so each has one spelling.
    pub(super) fn accepts(&self, token: &[u8], name: &UserName, epoch: u32, unix: u64) -> bool {
        let Some(expiry) = expiry(token) else { return false };
        // A longer lifetime than tokens have means that the clock was ahead when it was made.
        let timely = expiry > unix && expiry - unix <= TOKEN_LIFE_S;
        let genuine = self.token(name, epoch, expiry).as_bytes().ct_eq(token);
        bool::from(genuine) && timely
    }

    /// Replaces the key of an account file, which ends all tokens.
    ///
    /// # Errors
    /// [`OpenError::Unusable`]: it cannot be created.
    pub(super) fn renew(account_file: &Path) -> Result<Self, OpenError> {
        Self::make(&files::beside(account_file, "key"))
    }

    fn make(path: &Path) -> Result<Self, OpenError> {
        let mut key = Self(Zeroizing::new([0; KEY_BYTES]));
        getrandom::fill(key.0.as_mut_slice())
            .map_err(|e| files::unusable(path, &format!("cannot be created: the kernel gave no randomness: {e}")))?;
        files::create_whole(path, key.text().as_bytes())
            .map_err(|e| files::unusable(path, &format!("cannot be created: {e}; check that chatd may write there")))?;
        Ok(key)
    }

    pub(super) fn text(&self) -> Zeroizing<String> {
        // Reserve the memory at once: a string that is reallocated leaves copies behind.
        let mut text = Zeroizing::new(String::with_capacity(KEY_HEADER.len() + 2 * KEY_BYTES + 10));
        text.push_str(KEY_HEADER);
        text.push_str(&hex(self.0.as_slice()));
        text.push(':');
        let seal = checksum(&text);
        text.push_str(&seal);
        text.push('\n');
        text
    }

    /// The key of the fuzz targets.
    pub(super) fn of_zeros() -> Self {
        Self(Zeroizing::new([0; KEY_BYTES]))
    }

    pub(super) fn parse(text: &str) -> Option<Self> {
        let digits = text.strip_prefix(KEY_HEADER)?.get(..2 * KEY_BYTES)?;
        let mut key = Self(Zeroizing::new([0; KEY_BYTES]));
        for (byte, pair) in key.0.iter_mut().zip(digits.as_bytes().chunks_exact(2)) {
            *byte = u8::from_str_radix(std::str::from_utf8(pair).ok()?, 16).ok()?;
        }
        (*key.text() == text).then_some(key)
    }
}

/// The expiry in a token, before it is authenticated.
fn expiry(token: &[u8]) -> Option<u64> {
    if token.len() > TOKEN_MAX_BYTES {
        return None;
    }
    std::str::from_utf8(token).ok()?.strip_prefix(PREFIX)?.split_once('.')?.0.parse().ok()
}

fn hex(bytes: &[u8]) -> Zeroizing<String> {
    let mut text = Zeroizing::new(String::with_capacity(2 * bytes.len()));
    for byte in bytes {
        // Writing to a String cannot fail.
        let _ = write!(text, "{byte:02x}");
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: u64 = 1_760_000_000;
    const END: u64 = NOW + TOKEN_LIFE_S;

    fn key() -> Key {
        Key(Zeroizing::new([7; KEY_BYTES]))
    }

    fn name(text: &str) -> UserName {
        UserName::parse(text).unwrap()
    }

    #[test]
    fn tokens_are_printable_and_short() {
        let token = key().token(&name(&"a".repeat(32)), u32::MAX, u64::MAX);
        assert!(token.len() <= TOKEN_MAX_BYTES && token.bytes().all(|b| b.is_ascii_graphic()), "{token}");
    }

    #[track_caller]
    fn check(who: &str, epoch: u32, unix: u64, expected: bool) {
        let token = key().token(&name("Alice"), 3, END);
        assert_eq!(key().accepts(token.as_bytes(), &name(who), epoch, unix), expected, "{who} {epoch} {unix}");
    }

    #[test]
    fn a_token_is_for_one_name_epoch_and_time() {
        check("alice", 3, NOW, true);
        check("ALICE", 3, END - 1, true);
        check("alicf", 3, NOW, false);
        check("alice", 4, NOW, false);
        check("alice", 2, NOW, false);
        check("alice", 3, END, false);
        check("alice", 3, u64::MAX, false);
        check("alice", 3, NOW - 1, false);
        check("alice", 3, 0, false);
        let other = Key(Zeroizing::new([8; KEY_BYTES])).token(&name("alice"), 3, END);
        assert!(!key().accepts(other.as_bytes(), &name("alice"), 3, NOW));
    }

    #[test]
    fn no_flipped_bit_passes() {
        let token = key().token(&name("alice"), 3, END).into_bytes();
        for at in 0..token.len() * 8 {
            let mut bad = token.clone();
            bad[at / 8] ^= 1 << (at % 8);
            assert!(!key().accepts(&bad, &name("alice"), 3, NOW), "bit {at}");
        }
        for length in 0..token.len() {
            assert!(!key().accepts(&token[..length], &name("alice"), 3, NOW), "length {length}");
        }
        assert!(!key().accepts(&[token.clone(), vec![b'0']].concat(), &name("alice"), 3, NOW));
        assert!(!key().accepts(&vec![b'1'; 100_000], &name("alice"), 3, NOW));
        let padded = String::from_utf8(token).unwrap().replace("t1.", "t1.0");
        assert!(!key().accepts(padded.as_bytes(), &name("alice"), 3, NOW));
    }

    #[test]
    fn the_key_outlives_the_process() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("accounts");
        let made = Key::open(&file, Before::NoAccounts).unwrap();
        assert_eq!(*Key::open(&file, Before::Accounts).unwrap().0, *made.0);
        assert_ne!(*made.0, [0; KEY_BYTES]);
        assert_ne!(*Key::open(&file, Before::NoAccounts).unwrap().0, *made.0, "no accounts: nobody's tokens");
    }

    #[test]
    fn a_damaged_key_is_refused() {
        let folder = tempfile::tempdir().unwrap();
        let (file, path) = (folder.path().join("accounts"), folder.path().join("accounts.key"));
        Key::open(&file, Before::Accounts).unwrap();
        let sound = std::fs::read(&path).unwrap();
        let mut bad = (0..sound.len()).map(|cut| sound[..cut].to_vec()).collect::<Vec<_>>();
        bad.extend((0..sound.len()).map(|at| {
            let mut flipped = sound.clone();
            flipped[at] ^= 1;
            flipped
        }));
        bad.push([&sound[..], b"\n"].concat());
        bad.push(vec![0; 32]);
        for bytes in bad {
            std::fs::write(&path, &bytes).unwrap();
            assert!(Key::open(&file, Before::Accounts).is_err(), "{bytes:?}");
        }
    }
}

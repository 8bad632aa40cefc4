//! For the fuzz targets: the private decoders of account files, keys and tokens, which must accept any bytes. Not part
//! of the public interface.

use zeroize::Zeroizing;

use super::bans::{decode, encode};
use super::store::reader::{parse, read};
use super::store::record;
use super::token::Key;
use crate::hub::names::UserName;

/// The content of an account file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Found {
    /// The number of accounts.
    pub accounts: usize,
    /// The number of complete lines without the header.
    pub lines: usize,
    /// The bytes of those lines with the header.
    pub good: usize,
}

/// Reads an account file.
///
/// # Errors
/// The number of the first damaged line, counted from 1.
pub fn load(file: &[u8]) -> Result<Found, usize> {
    let loaded = parse(file).map_err(|damage| damage.line)?;
    Ok(Found { accounts: loaded.accounts.len(), lines: loaded.seq as usize, good: loaded.good })
}

/// Reads an account file as an editor may have left it. Gives its complete lines as the server would have written them.
///
/// # Errors
/// The number of the first damaged line, counted from 1.
pub fn load_edited(file: &[u8]) -> Result<Vec<u8>, usize> {
    let (loaded, text) = read(file).map_err(|damage| damage.line)?;
    Ok(text.get(..loaded.good).unwrap_or_default().to_vec())
}

/// Reads a line of an account file, without its LF, and writes it again. `None` if it cannot be read.
pub fn spell_again(line: &[u8]) -> Option<String> {
    let (seq, change) = record::decode(line).ok()?;
    let mut again = String::new();
    record::encode(&change, seq, &mut again);
    again.pop();
    Some(again)
}

/// The checksum of a line that begins with `body`.
pub fn seal(body: &str) -> String {
    record::checksum(body)
}

/// Reads a list of bans and writes it again.
///
/// # Errors
/// The number of the first bad line, counted from 1.
pub fn bans_again(file: &[u8]) -> Result<String, usize> {
    decode(file).map(|bans| encode(&bans)).map_err(|bad| bad.line)
}

/// Reads a key file and writes it again. `None` if it cannot be read.
pub fn key_again(file: &str) -> Option<Zeroizing<String>> {
    Key::parse(file).map(|key| key.text())
}

/// A resume token, under a key of zeros.
pub fn token(name: &UserName, epoch: u32, expiry: u64) -> String {
    Key::of_zeros().token(name, epoch, expiry)
}

/// Whether a resume token is accepted, under a key of zeros.
pub fn accepts(token: &[u8], name: &UserName, epoch: u32, unix: u64) -> bool {
    Key::of_zeros().accepts(token, name, epoch, unix)
}

//! One line of the account file.
//!
//! ```text
//! <op>:<seq>:<unix>:<name>:<epoch>:<phc>:<checksum>
//! A:1:1760000000:alice:1:$argon2id$v=19$m=19456,t=2,p=1$<salt>$<tag>:0f3a5c77
//! ```
//!
//! The checksum is CRC-32C (Castagnoli, reflected, as in iSCSI and SSE 4.2) in eight lower-case hexadecimal digits. It
//! covers all bytes of the line before it, with the last colon. Each record has exactly one spelling. A line that
//! parses but is spelled differently (`01` for `1`, `0F` for `0f`) was not written by this server and is damaged, so no
//! flipped bit passes.

use std::fmt::{self, Write as _};
use std::str::FromStr;

use crc::{CRC_32_ISCSI, Crc};

use crate::auth::hash;
use crate::hub::names::UserName;

/// The first line of the account file.
pub(in crate::auth) const HEADER: &str = "chatd-accounts 1\n";

static CRC32C: Crc<u32> = Crc::<u32>::new(&CRC_32_ISCSI);

/// The effect of a line on its account.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::auth) enum Op {
    /// Creates the account, which must not exist.
    Add,
    /// Replaces the password hash and the epoch.
    Update,
    /// Removes the account. The line keeps the epoch, so that no old token is valid for a later account.
    Delete,
}

/// One change of one account: a line without its number.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(in crate::auth) struct Change {
    pub(in crate::auth) op: Op,
    /// The time, in seconds since 1970.
    pub(in crate::auth) unix: u64,
    pub(in crate::auth) name: UserName,
    /// Rises when the account's tokens must become void.
    pub(in crate::auth) epoch: u32,
    /// The password hash; empty in a deletion.
    pub(in crate::auth) phc: Box<str>,
}

/// What is wrong with a line.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(in crate::auth) enum Fault {
    Header,
    Checksum,
    Fields,
    Op,
    Number,
    Name,
    Hash,
    Sequence { expected: u64, found: u64 },
    Exists,
    Missing,
    EpochFell,
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Header => write!(f, "it is not '{}'", HEADER.trim_end()),
            Self::Checksum => f.write_str("its checksum does not fit"),
            Self::Fields => f.write_str("it does not have seven fields"),
            Self::Op => f.write_str("its first field is not A, U or D"),
            Self::Number => f.write_str("one of its numbers is invalid or too large"),
            Self::Name => f.write_str("its name is not valid"),
            Self::Hash => f.write_str("its password hash is not one that chatd can check"),
            Self::Sequence { expected, found } => {
                write!(f, "it is number {found} where {expected} is due: a line is missing or duplicated")
            }
            Self::Exists => f.write_str("it adds an account that exists"),
            Self::Missing => f.write_str("it changes an account that does not exist"),
            Self::EpochFell => f.write_str("its epoch is lower than an earlier one of the account"),
        }
    }
}

/// Writes `change` as line number `seq` to the end of `out`, with its LF.
pub(in crate::auth) fn encode(change: &Change, seq: u64, out: &mut String) {
    let start = out.len();
    let op = match change.op {
        Op::Add => 'A',
        Op::Update => 'U',
        Op::Delete => 'D',
    };
    let Change { unix, name, epoch, phc, .. } = change;
    // Writing to a String cannot fail.
    let _ = write!(out, "{op}:{seq}:{unix}:{name}:{epoch}:{phc}:");
    let checksum = checksum(out.get(start..).unwrap_or_default());
    let _ = writeln!(out, "{checksum}");
}

/// Reads a line, given without its LF. Gives its number and its change.
pub(in crate::auth) fn decode(line: &[u8]) -> Result<(u64, Change), Fault> {
    let line = std::str::from_utf8(line).map_err(|_| Fault::Checksum)?;
    let (body, given) = line.rsplit_once(':').ok_or(Fault::Fields)?;
    let covered = line.get(..=body.len()).ok_or(Fault::Fields)?;
    if checksum(covered) != given {
        return Err(Fault::Checksum);
    }
    let mut fields = body.split(':');
    let (Some(op), Some(seq), Some(unix), Some(name), Some(epoch), Some(phc), None) =
        (fields.next(), fields.next(), fields.next(), fields.next(), fields.next(), fields.next(), fields.next())
    else {
        return Err(Fault::Fields);
    };
    let op = match op {
        "A" => Op::Add,
        "U" => Op::Update,
        "D" => Op::Delete,
        _ => return Err(Fault::Op),
    };
    let sound_hash = match op {
        Op::Add | Op::Update => hash::is_sound(phc),
        Op::Delete => phc.is_empty(),
    };
    if !sound_hash {
        return Err(Fault::Hash);
    }
    let name = UserName::from_record(name).map_err(|_| Fault::Name)?;
    Ok((number(seq)?, Change { op, unix: number(unix)?, name, epoch: number(epoch)?, phc: phc.into() }))
}

/// The checksum of `text`, eight hexadecimal digits.
pub(in crate::auth) fn checksum(text: &str) -> String {
    format!("{:08x}", CRC32C.checksum(text.as_bytes()))
}

/// Parses a number in its only spelling: no sign, no leading zero.
fn number<T: FromStr + fmt::Display>(text: &str) -> Result<T, Fault> {
    let number = text.parse::<T>().map_err(|_| Fault::Number)?;
    if number.to_string() == text { Ok(number) } else { Err(Fault::Number) }
}

#[cfg(test)]
mod tests {
    use super::*;

    const PHC: &str = "$argon2id$v=19$m=8,t=1,p=1$AAAAAAAAAAAAAAAAAAAAAA$AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA";

    fn change(op: Op) -> Change {
        let phc = if op == Op::Delete { "" } else { PHC };
        Change { op, unix: 1_760_000_000, name: UserName::parse("Alice.1").unwrap(), epoch: 7, phc: phc.into() }
    }

    fn sealed(body: &str) -> String {
        format!("{body}{}", checksum(body))
    }

    #[track_caller]
    fn check(body: &str, expected: Fault) {
        assert_eq!(decode(sealed(body).as_bytes()), Err(expected), "{body}");
    }

    #[test]
    fn checksum_is_castagnoli() {
        assert_eq!(checksum("123456789"), "e3069283");
    }

    #[test]
    fn round_trip() {
        for op in [Op::Add, Op::Update, Op::Delete] {
            let mut line = String::from("what stands before is left alone\n");
            let before = line.len();
            encode(&change(op), 42, &mut line);
            let line = line[before..].strip_suffix('\n').unwrap();
            assert_eq!(decode(line.as_bytes()), Ok((42, change(op))), "{line}");
        }
    }

    #[test]
    fn no_flipped_bit_passes() {
        let mut line = String::new();
        encode(&change(Op::Add), 1, &mut line);
        let line = line.trim_end().as_bytes();
        for at in 0..line.len() * 8 {
            let mut bad = line.to_vec();
            bad[at / 8] ^= 1 << (at % 8);
            assert!(decode(&bad).is_err(), "bit {at}");
        }
    }

    #[test]
    fn sealed_nonsense_is_refused() {
        check(&format!("X:1:0:bob:1:{PHC}:"), Fault::Op);
        check(&format!("A:01:0:bob:1:{PHC}:"), Fault::Number);
        check(&format!("A:+1:0:bob:1:{PHC}:"), Fault::Number);
        check(&format!("A:1:0:bob:4294967296:{PHC}:"), Fault::Number);
        check(&format!("A:1:0:1bob:1:{PHC}:"), Fault::Name);
        check("A:1:0:bob:1::", Fault::Hash);
        check("A:1:0:bob:1:$argon2id$v=19$m=8:", Fault::Hash);
        check(&format!("D:1:0:bob:1:{PHC}:"), Fault::Hash);
        check(&format!("A:1:0:bob:1:{PHC}:x:"), Fault::Fields);
        check("A:", Fault::Fields);
        assert_eq!(decode(b""), Err(Fault::Fields));
        assert_eq!(decode(b"\xff\xfe:00000000"), Err(Fault::Checksum));
    }
}

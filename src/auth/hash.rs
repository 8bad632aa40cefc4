//! Password hashes: Argon2id (RFC 9106, version 1.3) as PHC strings, in memory that is allocated once.

use std::fmt;
use std::hint::black_box;

use argon2::password_hash::phc::{Output, ParamsString, PasswordHash, Salt};
use argon2::{ARGON2ID_IDENT, Algorithm, Argon2, Block, Params, Version};
use subtle::ConstantTimeEq;
use zeroize::Zeroizing;

use super::request::Secret;
use crate::limits::{Argon2Cost, HASH_MEMORY_MOST_KIB, HASH_WORK_MOST_KIB};

/// Bytes of a new salt, as RFC 9106 recommends.
const SALT_BYTES: usize = 16;
/// Bytes of a new tag.
const TAG_BYTES: usize = 32;
/// Bytes of the shortest tag that is accepted in a stored hash. Shorter ones could be matched by chance.
const TAG_LEAST_BYTES: usize = 16;
/// Version 1.3 of Argon2, as PHC strings write it.
const PHC_VERSION: u32 = 19;

/// Why a password could not be hashed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum HashError {
    /// No memory for the blocks.
    Memory,
    /// The kernel gave no randomness.
    Random,
    /// The parameters are out of bounds.
    Cost,
}

impl fmt::Display for HashError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Memory => "not enough memory",
            Self::Random => "no randomness from the kernel",
            Self::Cost => "parameters out of bounds",
        })
    }
}

/// Hashes passwords one at a time, in the same memory.
pub(super) struct Hasher {
    cost: Argon2Cost,
    blocks: Vec<Block>,
}

impl Hasher {
    /// A hasher that makes hashes of `cost`. It allocates its memory now, so that it has it later.
    ///
    /// # Errors
    /// [`HashError::Cost`] or [`HashError::Memory`].
    pub(super) fn new(cost: Argon2Cost) -> Result<Self, HashError> {
        let params = bounded(cost, TAG_BYTES).ok_or(HashError::Cost)?;
        let mut hasher = Self { cost, blocks: Vec::new() };
        hasher.reserve(params.block_count())?;
        Ok(hasher)
    }

    /// Sets the cost of new hashes. A cost out of bounds is ignored, because the configuration was checked before.
    pub(super) fn set_cost(&mut self, cost: Argon2Cost) {
        if cost != self.cost && is_possible(cost) {
            self.cost = cost;
            self.give_back();
        }
    }

    /// Hashes a new password. Gives a PHC string with its own salt.
    ///
    /// # Errors
    /// [`HashError`], of any kind.
    pub(super) fn hash(&mut self, password: &Secret) -> Result<Box<str>, HashError> {
        let mut salt = [0; SALT_BYTES];
        getrandom::fill(&mut salt).map_err(|_| HashError::Random)?;
        let params = bounded(self.cost, TAG_BYTES).ok_or(HashError::Cost)?;
        let tag = self.run(&params, password, &salt, TAG_BYTES)?;
        let phc = PasswordHash {
            algorithm: ARGON2ID_IDENT,
            version: Some(PHC_VERSION),
            params: ParamsString::try_from(&params).map_err(|_| HashError::Cost)?,
            salt: Some(Salt::new(&salt).map_err(|_| HashError::Cost)?),
            hash: Some(Output::new(&tag).map_err(|_| HashError::Cost)?),
        };
        Ok(phc.to_string().into())
    }

    /// Whether `password` matches `phc`. The cost is that of `phc`.
    ///
    /// # Errors
    /// [`HashError::Memory`], and [`HashError::Cost`] if `phc` is not [sound](is_sound).
    pub(super) fn verify(&mut self, password: &Secret, phc: &str) -> Result<bool, HashError> {
        let stored = Stored::parse(phc).ok_or(HashError::Cost)?;
        let params = bounded(stored.cost, stored.tag.len()).ok_or(HashError::Cost)?;
        let tag = self.run(&params, password, stored.salt.as_ref(), stored.tag.len());
        self.give_back();
        Ok(tag?.ct_eq(stored.tag.as_bytes()).into())
    }

    /// Does the work of [`Hasher::verify`] at today's cost and drops the result, so that the time does not tell whether
    /// a name has an account.
    ///
    /// # Errors
    /// [`HashError::Memory`].
    pub(super) fn waste(&mut self, password: &Secret) -> Result<(), HashError> {
        let params = bounded(self.cost, TAG_BYTES).ok_or(HashError::Cost)?;
        let tag = self.run(&params, password, &[0; SALT_BYTES], TAG_BYTES)?;
        black_box(tag);
        Ok(())
    }

    /// Whether a stored hash costs less to guess than one made today.
    pub(super) fn is_weak(&self, phc: &str) -> bool {
        Stored::parse(phc).is_none_or(|stored| {
            stored.cost.memory_kib < self.cost.memory_kib || stored.cost.iterations < self.cost.iterations
        })
    }

    fn run(
        &mut self,
        params: &Params,
        password: &Secret,
        salt: &[u8],
        tag_bytes: usize,
    ) -> Result<Zeroizing<Vec<u8>>, HashError> {
        self.reserve(params.block_count())?;
        let mut tag = Zeroizing::new(vec![0; tag_bytes]);
        Argon2::new(Algorithm::Argon2id, Version::V0x13, params.clone())
            .hash_password_into_with_memory(password.as_bytes(), salt, &mut tag, &mut self.blocks)
            .map_err(|_| HashError::Cost)?;
        Ok(tag)
    }

    fn reserve(&mut self, blocks: usize) -> Result<(), HashError> {
        if let Some(missing) = blocks.checked_sub(self.blocks.len()).filter(|missing| *missing > 0) {
            self.blocks.try_reserve_exact(missing).map_err(|_| HashError::Memory)?;
            self.blocks.resize(blocks, Block::new());
        }
        Ok(())
    }

    /// Releases memory that only a more expensive hash needed.
    fn give_back(&mut self) {
        let need = bounded(self.cost, TAG_BYTES).map_or(0, |params| params.block_count());
        if self.blocks.len() > need {
            self.blocks.truncate(need);
            self.blocks.shrink_to_fit();
        }
    }
}

/// Whether passwords can be hashed at this cost.
pub(super) fn is_possible(cost: Argon2Cost) -> bool {
    bounded(cost, TAG_BYTES).is_some()
}

/// Whether this server can check `phc`: Argon2id version 1.3, parameters within bounds, in this server's spelling.
pub(super) fn is_sound(phc: &str) -> bool {
    Stored::parse(phc).is_some_and(|stored| bounded(stored.cost, stored.tag.len()).is_some())
}

/// A parsed PHC string.
struct Stored {
    cost: Argon2Cost,
    salt: Salt,
    tag: Output,
}

impl Stored {
    fn parse(phc: &str) -> Option<Self> {
        let parsed = PasswordHash::new(phc).ok()?;
        let decimal = |name: &str| parsed.params.get_decimal(name);
        let cost = Argon2Cost { memory_kib: decimal("m")?, iterations: decimal("t")?, parallelism: decimal("p")? };
        let Argon2Cost { memory_kib, iterations, parallelism } = cost;
        let plain = parsed.params.as_str() == format!("m={memory_kib},t={iterations},p={parallelism}");
        let ours = parsed.algorithm == ARGON2ID_IDENT && parsed.version == Some(PHC_VERSION);
        let (salt, tag) = (parsed.salt?, parsed.hash?);
        (plain && ours && tag.len() >= TAG_LEAST_BYTES && parsed.to_string() == phc).then_some(Self { cost, salt, tag })
    }
}

/// Argon2's parameters for `cost`, if they are within its bounds and ours.
fn bounded(cost: Argon2Cost, tag_bytes: usize) -> Option<Params> {
    let work = u64::from(cost.memory_kib) * u64::from(cost.iterations);
    if cost.memory_kib > HASH_MEMORY_MOST_KIB || work > HASH_WORK_MOST_KIB {
        return None;
    }
    Params::new(cost.memory_kib, cost.iterations, cost.parallelism, Some(tag_bytes)).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn cost(memory_kib: u32, iterations: u32, parallelism: u32) -> Argon2Cost {
        Argon2Cost { memory_kib, iterations, parallelism }
    }

    fn secret(text: &str) -> Secret {
        Secret::new(text.as_bytes().to_vec())
    }

    #[test]
    fn a_hash_fits_its_password_only() {
        let mut hasher = Hasher::new(cost(8, 1, 1)).unwrap();
        let phc = hasher.hash(&secret("correct horse")).unwrap();
        assert!(phc.starts_with("$argon2id$v=19$m=8,t=1,p=1$") && is_sound(&phc), "{phc}");
        assert_eq!(hasher.verify(&secret("correct horse"), &phc), Ok(true));
        assert_eq!(hasher.verify(&secret("correct hors"), &phc), Ok(false));
        assert_ne!(hasher.hash(&secret("correct horse")).unwrap(), phc, "each has its own salt");
    }

    /// Made by the reference implementation: `printf password | argon2 somesalt -id -m 16 -t 2 -p 1`.
    #[test]
    fn others_hashes_are_understood() {
        let phc = "$argon2id$v=19$m=65536,t=2,p=1$c29tZXNhbHQ$CTFhFdXPJO1aFaMaO6Mm5c8y7cJHAph8ArZWb2GRPPc";
        let mut hasher = Hasher::new(cost(8, 1, 1)).unwrap();
        assert_eq!(hasher.verify(&secret("password"), phc), Ok(true));
        assert_eq!(hasher.blocks.len(), 8, "the 64 MiB are given back");
    }

    #[test]
    fn weak_is_cheaper_than_today() {
        let mut hasher = Hasher::new(cost(16, 2, 1)).unwrap();
        let phc = hasher.hash(&secret("password")).unwrap();
        assert!(!hasher.is_weak(&phc));
        hasher.set_cost(cost(8, 2, 1));
        assert!(!hasher.is_weak(&phc));
        hasher.set_cost(cost(16, 3, 1));
        assert!(hasher.is_weak(&phc));
        hasher.set_cost(cost(7, 9, 1));
        assert_eq!(hasher.cost, cost(16, 3, 1), "an impossible cost changes nothing");
    }

    #[test]
    fn costs_are_bounded() {
        for good in [cost(8, 1, 1), cost(19_456, 2, 1), cost(64, 1, 8), cost(2 * 1024 * 1024, 1, 4)] {
            assert!(is_possible(good), "{good:?}");
        }
        for bad in
            [cost(7, 1, 1), cost(8, 0, 1), cost(8, 1, 0), cost(15, 1, 2), cost(u32::MAX, 1, 1), cost(8, u32::MAX, 1)]
        {
            assert!(!is_possible(bad), "{bad:?}");
        }
    }

    #[test]
    fn what_is_not_sound() {
        let salt_and_tag = "AAAAAAAAAAAAAAAAAAAAAA$AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA";
        assert!(is_sound(&format!("$argon2id$v=19$m=8,t=1,p=1${salt_and_tag}")));
        for bad in [
            format!("$argon2i$v=19$m=8,t=1,p=1${salt_and_tag}"),
            format!("$argon2id$v=16$m=8,t=1,p=1${salt_and_tag}"),
            format!("$argon2id$m=8,t=1,p=1${salt_and_tag}"),
            format!("$argon2id$v=19$m=8,p=1,t=1${salt_and_tag}"),
            format!("$argon2id$v=19$m=08,t=1,p=1${salt_and_tag}"),
            format!("$argon2id$v=19$m=4294967295,t=1,p=1${salt_and_tag}"),
            format!("$argon2id$v=19$m=8,t=4294967295,p=1${salt_and_tag}"),
            format!("$argon2id$v=19$m=8,t=1,p=1,keyid=AAAA${salt_and_tag}"),
            "$argon2id$v=19$m=8,t=1,p=1$AAAAAAAAAAAAAAAAAAAAAA$AAAAAAAAAAAAAAAA".to_owned(),
            "$argon2id$v=19$m=8,t=1,p=1$AAAAAAAAAAAAAAAAAAAAAA".to_owned(),
            String::new(),
            "$".to_owned(),
        ] {
            assert!(!is_sound(&bad), "{bad}");
        }
    }
}

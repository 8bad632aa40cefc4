//! A value for each kind of spelling.

use crate::door::Kind;
use crate::door::irc::Bits;

/// A value for each kind. Those of the kinds of IRC take memory from the first time on that one of them is asked for.
#[derive(Debug, Default)]
pub(crate) struct ByKind<T> {
    plain: [T; Kind::PLAIN.len()],
    irc: Option<Box<[T; Bits::COUNT]>>,
}

impl<T: Default> ByKind<T> {
    /// The value of a kind; `None` only for a kind of IRC, if none of them was asked for.
    pub(crate) fn get(&self, kind: Kind) -> Option<&T> {
        match kind.index().checked_sub(Kind::PLAIN.len()) {
            None => self.plain.get(kind.index()),
            Some(index) => self.irc.as_ref()?.get(index),
        }
    }

    /// The value of a kind, to be changed. There always is one.
    pub(crate) fn get_mut(&mut self, kind: Kind) -> Option<&mut T> {
        match kind.index().checked_sub(Kind::PLAIN.len()) {
            None => self.plain.get_mut(kind.index()),
            Some(index) => self.irc.get_or_insert_with(Box::default).get_mut(index),
        }
    }

    /// All values that there are.
    pub(crate) fn iter(&self) -> impl Iterator<Item = &T> {
        self.plain.iter().chain(self.irc.iter().flat_map(|irc| irc.iter()))
    }

    /// The kinds whose values there are.
    pub(crate) fn kinds(&self) -> impl Iterator<Item = Kind> + use<T> {
        let irc = if self.irc.is_some() { Bits::COUNT } else { 0 };
        Kind::PLAIN.into_iter().chain((0..irc).map(|index| Kind::Irc(Bits::of_index(index))))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn kinds_of_irc_take_memory_when_they_are_used() {
        let mut values = ByKind::<u32>::default();
        for kind in Kind::PLAIN {
            *values.get_mut(kind).unwrap() = kind.index() as u32 + 1;
        }
        assert!(values.irc.is_none() && values.get(Kind::Irc(Bits::of_index(3))).is_none());
        assert_eq!((values.iter().count(), values.kinds().count()), (5, 5));
        for index in 0..Bits::COUNT {
            let kind = Kind::Irc(Bits::of_index(index));
            *values.get_mut(kind).unwrap() = kind.index() as u32 + 1;
        }
        assert!(values.iter().copied().eq(1..=21));
        assert!(values.kinds().map(Kind::index).eq(0..21));
        assert!(values.kinds().all(|kind| values.get(kind) == Some(&(kind.index() as u32 + 1))));
    }
}

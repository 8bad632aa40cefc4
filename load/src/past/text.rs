//! Texts of a history: words of a language, the n-th of which is n times as rare as the first. Without a clock.

/// Words of the language.
const WORDS: u32 = 2_000;
/// A rare word is in one of this many messages …
const RARE_EVERY: u64 = 5_000;
/// … and there are this many of them.
const RARE: u64 = 100;
/// The parts of words.
const CONSONANTS: [&str; 10] = ["b", "d", "g", "k", "l", "m", "n", "r", "s", "t"];
const VOWELS: [&str; 4] = ["a", "e", "i", "o"];

/// Numbers that look random, and are always the same.
#[derive(Clone, Copy, Debug)]
pub(super) struct Numbers(u64);

impl Numbers {
    /// Those of a seed.
    pub(super) fn new(seed: u64) -> Self {
        Self(seed)
    }

    /// The next one (splitmix64).
    pub(super) fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    /// One below `bound`, or 0.
    pub(super) fn below(&mut self, bound: u64) -> u64 {
        ((u128::from(self.next()) * u128::from(bound)) >> 64) as u64
    }

    /// One from 0 to 1.
    fn part(&mut self) -> f64 {
        (self.next() >> 11) as f64 / (1u64 << 53) as f64
    }
}

/// The texts of a history.
pub(super) struct Texts {
    size: usize,
    words: Vec<String>,
}

impl Texts {
    /// Texts of at most this many bytes, but for one word at least.
    pub(super) fn new(size: usize) -> Self {
        Self { size, words: (0..WORDS).map(word).collect() }
    }

    /// Appends the text of the n-th message.
    pub(super) fn write(&mut self, n: u64, text: &mut String) {
        let mut numbers = Numbers::new(n);
        if n.is_multiple_of(RARE_EVERY) {
            text.push_str(&rare(n / RARE_EVERY % RARE));
        }
        loop {
            // The logarithm is even, so the n-th word is n times as rare as the first.
            let rank = (numbers.part() * f64::from(WORDS).ln()).exp() as usize;
            let Some(word) = self.words.get(rank.saturating_sub(1)) else { continue };
            if !text.is_empty() && text.len() + 1 + word.len() > self.size {
                break;
            }
            if !text.is_empty() {
                text.push(' ');
            }
            text.push_str(word);
        }
    }
}

/// The word of this rank, from 0. No two are equal.
pub(super) fn word(rank: u32) -> String {
    let mut word = String::new();
    let mut rest = rank as usize;
    loop {
        let syllable = rest % (CONSONANTS.len() * VOWELS.len());
        word.push_str(CONSONANTS.get(syllable / VOWELS.len()).copied().unwrap_or_default());
        word.push_str(VOWELS.get(syllable % VOWELS.len()).copied().unwrap_or_default());
        rest /= CONSONANTS.len() * VOWELS.len();
        if rest == 0 {
            return word;
        }
        rest -= 1;
    }
}

/// A rare word.
pub(super) fn rare(n: u64) -> String {
    format!("needle{}", n % RARE)
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::*;

    #[test]
    fn words_differ() {
        let words: HashSet<String> = (0..WORDS).map(word).collect();
        assert_eq!(words.len(), WORDS as usize);
        assert_eq!((word(0).as_str(), word(1).as_str(), word(40).as_str()), ("ba", "be", "baba"));
    }

    #[test]
    fn texts_are_the_same_each_time_and_fit() {
        let mut texts = Texts::new(29);
        let mut all = 0;
        let mut common = 0;
        for n in 0..10_000 {
            let (mut text, mut again) = (String::new(), String::new());
            texts.write(n, &mut text);
            texts.write(n, &mut again);
            assert_eq!(text, again);
            assert!(!text.is_empty() && text.len() <= 29, "{text:?}");
            all += text.len();
            common += usize::from(text.split(' ').any(|part| part == word(0)));
        }
        assert!(all > 24 * 10_000, "{all}");
        assert!((2_000..6_000).contains(&common), "{common}");
        let mut text = String::new();
        texts.write(0, &mut text);
        assert!(text.starts_with("needle0 "), "{text}");
        text.clear();
        Texts::new(1).write(1, &mut text);
        assert!(!text.is_empty() && !text.contains(' '), "one word at least: {text}");
    }
}

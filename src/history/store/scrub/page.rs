//! The unused parts of a page, as SQLite's file format has them: the gap between the cell pointers and the cells of a
//! b-tree page, and its free blocks.

use std::ops::Range;

/// The bytes before the header of the first page.
const FILE_HEADER: usize = 100;
/// In a file with fewer pages no page of another kind begins as a b-tree does, also after the log was moved into it.
pub(super) const MOST: i64 = 1 << 24;
/// The smallest cell, and the smallest free block.
const LEAST: usize = 4;

/// Writes zeros over the unused parts of a page. True if something else was there. A page that is not part of a b-tree, or
/// that is damaged, stays as it is.
///
/// The first byte tells b-trees from all other pages: these are zero or begin with the number of a page, and that is below
/// 2²⁵ in files of up to [`MOST`] pages.
pub(super) fn clean(page: &mut [u8], is_first: bool) -> bool {
    let Some(gap) = gap(page, is_first) else { return false };
    let mut was_used = zero(page, gap.clone());
    for block in free_blocks(page, is_first, gap.end).unwrap_or_default() {
        was_used |= zero(page, block);
    }
    was_used
}

/// Whether a page may be part of a b-tree, by its kind.
pub(super) fn is_tree(page: &[u8], is_first: bool) -> bool {
    page.get(start(is_first)).is_some_and(|kind| matches!(kind, 2 | 5 | 10 | 13))
}

fn start(is_first: bool) -> usize {
    if is_first { FILE_HEADER } else { 0 }
}

fn number(page: &[u8], at: usize) -> Option<usize> {
    let bytes: [u8; 2] = page.get(at..at.checked_add(2)?)?.try_into().ok()?;
    Some(u16::from_be_bytes(bytes).into())
}

/// Where the pointers to the cells are.
fn pointers(page: &[u8], is_first: bool) -> Option<Range<usize>> {
    let start = start(is_first);
    let header = match page.get(start)? {
        2 | 5 => 12,
        10 | 13 => 8,
        _ => return None,
    };
    let first = start + header;
    Some(first..first + 2 * number(page, start + 3)?)
}

/// The bytes between the cell pointers and the cells. All cells are behind them.
fn gap(page: &[u8], is_first: bool) -> Option<Range<usize>> {
    let pointers = pointers(page, is_first)?;
    let cells = match number(page, start(is_first) + 5)? {
        0 => 1 << 16,
        cells => cells,
    };
    if pointers.end > cells || cells > page.len() {
        return None;
    }
    for at in pointers.clone().step_by(2) {
        let cell = number(page, at)?;
        if cell < cells || cell + LEAST > page.len() {
            return None;
        }
    }
    Some(pointers.end..cells)
}

/// The free blocks, without their headers; `None` if one is damaged.
fn free_blocks(page: &[u8], is_first: bool, cells: usize) -> Option<Vec<Range<usize>>> {
    let (mut blocks, mut least) = (Vec::new(), cells);
    let mut at = number(page, start(is_first) + 1)?;
    while at != 0 {
        let (next, length) = (number(page, at)?, number(page, at + 2)?);
        if at < least || length < LEAST || at + length > page.len() {
            return None;
        }
        blocks.push(at + LEAST..at + length);
        (least, at) = (at + length, next);
    }
    let is_free = |cell: usize| blocks.iter().any(|block| block.start - LEAST <= cell && cell < block.end);
    if !blocks.is_empty() {
        for pointer in pointers(page, is_first)?.step_by(2) {
            if is_free(number(page, pointer)?) {
                return None;
            }
        }
    }
    Some(blocks)
}

fn zero(page: &mut [u8], part: Range<usize>) -> bool {
    let Some(part) = page.get_mut(part) else { return false };
    let was_used = part.iter().any(|byte| *byte != 0);
    part.fill(0);
    was_used
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A leaf of a table with two cells of 8 bytes, a free block of 12 bytes between them, and a gap.
    fn leaf(is_first: bool) -> Vec<u8> {
        let mut page = vec![0xaa; 512];
        let at = start(is_first);
        page[at..at + 8].copy_from_slice(&[13, 0x01, 0xec, 0, 2, 0x01, 0xe4, 0]);
        page[at + 8..at + 12].copy_from_slice(&[0x01, 0xf8, 0x01, 0xe4]);
        page[492..496].copy_from_slice(&[0, 0, 0, 12]);
        page
    }

    #[test]
    fn the_gap_and_free_blocks_are_emptied_and_nothing_else() {
        for is_first in [false, true] {
            let mut page = leaf(is_first);
            let mut expected = page.clone();
            expected[start(is_first) + 12..484].fill(0);
            expected[496..504].fill(0);
            assert!(clean(&mut page, is_first));
            assert_eq!(page, expected);
            assert!(!clean(&mut page, is_first), "again");
        }
    }

    #[test]
    fn an_inner_page_has_a_longer_header() {
        let mut page = vec![0xaa; 512];
        page[..12].copy_from_slice(&[5, 0, 0, 0, 0, 2, 0, 0, 9, 9, 9, 9]);
        assert!(clean(&mut page, false));
        assert_eq!((&page[8..12], page[11..].iter().filter(|byte| **byte != 0).count()), (&[9; 4][..], 1));
    }

    #[test]
    fn an_empty_page_of_the_largest_size_is_all_gap() {
        let mut page = vec![0xaa; 1 << 16];
        page[..8].copy_from_slice(&[13, 0, 0, 0, 0, 0, 0, 0]);
        assert!(clean(&mut page, false));
        assert!(page[8..].iter().all(|byte| *byte == 0));
    }

    #[test]
    fn a_damaged_page_stays_as_it_is() {
        #[track_caller]
        fn check(change: impl Fn(&mut [u8])) {
            let mut page = leaf(false);
            change(&mut page);
            let before = page.clone();
            assert!(!clean(&mut page, false));
            assert_eq!(page, before);
        }
        for kind in (0..=255).filter(|kind| ![2, 5, 10, 13].contains(kind)) {
            check(|page| page[0] = kind);
        }
        check(|page| page[3] = 1); // pointers behind the cells
        check(|page| page[5] = 2); // cells behind the end
        check(|page| page[9] = 0xfd); // a cell that the end cuts
        check(|page| page[10] = 0); // a cell in the gap
    }

    #[test]
    fn a_damaged_free_block_is_left_alone() {
        #[track_caller]
        fn check(change: impl Fn(&mut [u8])) {
            let mut page = leaf(false);
            change(&mut page);
            let before = page.clone();
            clean(&mut page, false);
            assert_eq!(page[484..], before[484..]);
        }
        check(|page| page[495] = 3);
        check(|page| page[495] = 21);
        check(|page| page[495] = 14); // over a cell
        check(|page| page[493] = 1); // back
        check(|page| page[2] = 0x10); // in the gap
    }

    #[test]
    fn no_bytes_make_it_fail() {
        let mut random = crate::history::store::fixture::Random(7);
        for _ in 0..20_000 {
            let mut page = leaf(false);
            page.truncate(random.below(513));
            for _ in 0..random.below(8) {
                let at = random.below(page.len().max(1)).min(16);
                if let Some(byte) = page.get_mut(at) {
                    *byte = random.below(256) as u8;
                }
            }
            clean(&mut page, false);
            clean(&mut page, true);
        }
    }
}

//! A stream as it comes: in pieces.

/// `sent`, cut into pieces of the sizes that `steps` say, again and again: 1 to 32 bytes, or some hundreds.
pub(crate) fn pieces<'a>(sent: &'a [u8], steps: &'a [u8]) -> impl Iterator<Item = &'a [u8]> {
    let mut rest = sent;
    steps.iter().cycle().map_while(move |step| {
        let size = if *step < 128 { usize::from(*step) % 32 + 1 } else { usize::from(*step - 127) * 37 };
        let (piece, behind) = rest.split_at(size.min(rest.len()));
        rest = behind;
        (!piece.is_empty()).then_some(piece)
    })
}

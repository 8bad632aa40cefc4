//! A question with the answers yes and no.

use std::io::{self, BufRead as _, IsTerminal as _, Write as _};

/// Asks at the terminal. Where standard input is none, nobody is asked, and the answer is yes.
///
/// # Errors
/// A line for the operator.
pub(super) fn yes(question: &str) -> Result<bool, String> {
    if !io::stdin().is_terminal() {
        return Ok(true);
    }
    let failed = |error: io::Error| format!("the terminal: {error}; nothing was changed");
    let mut terminal = io::stderr().lock();
    terminal.write_all(question.as_bytes()).and_then(|()| terminal.flush()).map_err(failed)?;
    let mut answer = String::new();
    io::stdin().lock().read_line(&mut answer).map_err(failed)?;
    Ok(is_yes(&answer))
}

fn is_yes(answer: &str) -> bool {
    ["y", "yes"].contains(&answer.trim().to_ascii_lowercase().as_str())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_yes_is_yes() {
        assert!(["y\n", "Yes\n", " YES "].into_iter().all(is_yes));
        assert!(!["", "\n", "n\n", "yess\n", "yes no\n"].into_iter().any(is_yes));
    }
}

//! Enough of Rust's grammar to find the paths that a source file names.

/// Words, `::` and single signs, without comments, literals and test items.
pub(super) type Tokens = Vec<String>;

/// The tokens of a source text, and the names of modules declared for tests only (`#[cfg(test)] mod sim;`).
pub(super) fn tokens(text: &str) -> (Tokens, Vec<String>) {
    without_tests(&words(text))
}

/// All paths of two or more segments, and the leaves of all `use` trees.
pub(super) fn paths(code: &Tokens) -> Vec<Vec<String>> {
    let mut found = Vec::new();
    let mut at = 0;
    while at < code.len() {
        if code[at..].iter().take(3).eq(["pub", "(", "in"]) {
            at = closing(code, at + 1);
            continue;
        }
        let is_used = code[at] == "use";
        let starts_path = is_word(&code[at]) && code.get(at + 1).is_some_and(|next| next == "::");
        if is_used || starts_path {
            let from = if is_used { at + 1 } else { at };
            at = tree(code, from, &[], &mut found).max(at + 1);
        } else {
            at += 1;
        }
    }
    found
}

/// Reads one path or use tree from `at` on, adds each of its leaves after `stem`, and returns where it ended.
fn tree(code: &Tokens, mut at: usize, stem: &[String], found: &mut Vec<Vec<String>>) -> usize {
    let mut path = stem.to_vec();
    if code.get(at).is_some_and(|token| token == "::") {
        at += 1;
    }
    loop {
        match code.get(at).map(String::as_str) {
            Some("{") => {
                at += 1;
                while code.get(at).is_some_and(|token| token != "}") {
                    // Commas and renamings (`as name`) separate the branches.
                    at = match code[at].as_str() {
                        "," => at + 1,
                        "as" => at + 2,
                        _ => tree(code, at, &path, found).max(at + 1),
                    };
                }
                return at + 1;
            }
            Some(word) if is_word(word) || word == "*" => {
                path.push(word.to_owned());
                at += 1;
                if code.get(at).is_none_or(|token| token != "::") {
                    break;
                }
                at += 1;
            }
            // A turbofish ends the path: its content is read as separate paths.
            _ => break,
        }
    }
    // `use<'a>` and the like name nothing.
    if !path.is_empty() {
        found.push(path);
    }
    at
}

fn is_word(token: &str) -> bool {
    token.starts_with(|c: char| c.is_alphanumeric() || c == '_')
}

/// Removes each item with `#[cfg(test)]`.
fn without_tests(code: &Tokens) -> (Tokens, Vec<String>) {
    const MARK: [&str; 7] = ["#", "[", "cfg", "(", "test", ")", "]"];
    let (mut kept, mut modules) = (Vec::new(), Vec::new());
    let mut at = 0;
    while at < code.len() {
        if !code[at..].iter().take(MARK.len()).eq(MARK.iter()) {
            kept.push(code[at].clone());
            at += 1;
            continue;
        }
        let end = end_of_item(code, at + MARK.len());
        let item = &code[at..end];
        if let [.., word, name, semicolon] = item
            && word == "mod"
            && semicolon == ";"
        {
            modules.push(name.clone());
        }
        at = end;
    }
    (kept, modules)
}

/// The end of the item that begins at `at` (perhaps with more attributes).
fn end_of_item(code: &Tokens, mut at: usize) -> usize {
    while code.get(at).is_some_and(|token| token == "#") {
        at = closing(code, at + 1);
    }
    let is_use = code.get(at).is_some_and(|token| token == "use");
    while let Some(token) = code.get(at) {
        match token.as_str() {
            ";" => return at + 1,
            "{" if !is_use => return closing(code, at),
            "{" | "(" | "[" => at = closing(code, at),
            _ => at += 1,
        }
    }
    at
}

/// The end of the bracket that opens at `at`.
fn closing(code: &Tokens, mut at: usize) -> usize {
    let mut depth = 0;
    while let Some(token) = code.get(at) {
        at += 1;
        match token.as_str() {
            "{" | "(" | "[" => depth += 1,
            "}" | ")" | "]" => depth -= 1,
            _ => {}
        }
        if depth == 0 {
            break;
        }
    }
    at
}

/// Cuts a text into words, `::` and single signs, without comments and literals.
fn words(text: &str) -> Tokens {
    let chars: Vec<char> = text.chars().collect();
    let starts = |at: usize, what: &str| what.chars().enumerate().all(|(n, c)| chars.get(at + n) == Some(&c));
    let mut tokens = Vec::new();
    let mut at = 0;
    while let Some(&c) = chars.get(at) {
        if starts(at, "//") {
            at += chars[at..].iter().position(|c| *c == '\n').unwrap_or(chars.len() - at);
        } else if starts(at, "/*") {
            at = after_comment(&chars, at);
        } else if c == '"' {
            at = after_text(&chars, at, 0, false);
        } else if c == '\'' {
            at = after_quote(&chars, at);
        } else if c.is_alphanumeric() || c == '_' {
            let length = chars[at..].iter().take_while(|c| c.is_alphanumeric() || **c == '_').count();
            let word: String = chars[at..at + length].iter().collect();
            at += length;
            let hashes = chars[at..].iter().take_while(|c| **c == '#').count();
            if ["r", "br", "cr"].contains(&word.as_str()) && chars.get(at + hashes) == Some(&'"') {
                at = after_text(&chars, at + hashes, hashes, true);
            } else {
                tokens.push(word);
            }
        } else if starts(at, "::") {
            tokens.push("::".to_owned());
            at += 2;
        } else {
            if !c.is_whitespace() {
                tokens.push(c.to_string());
            }
            at += 1;
        }
    }
    tokens
}

/// The end of the block comment at `at`; they nest.
fn after_comment(chars: &[char], mut at: usize) -> usize {
    let mut depth = 0;
    while at < chars.len() {
        match (chars[at], chars.get(at + 1)) {
            ('/', Some('*')) => (depth, at) = (depth + 1, at + 2),
            ('*', Some('/')) => (depth, at) = (depth - 1, at + 2),
            _ => at += 1,
        }
        if depth == 0 {
            break;
        }
    }
    at
}

/// The end of the string whose opening quote is at `at`: a quote with as many hashes after it.
fn after_text(chars: &[char], mut at: usize, hashes: usize, is_raw: bool) -> usize {
    at += 1;
    while let Some(&c) = chars.get(at) {
        at += 1;
        if c == '\\' && !is_raw {
            at += 1;
        } else if c == '"' && chars[at..].iter().take(hashes).filter(|c| **c == '#').count() == hashes {
            return at + hashes;
        }
    }
    at
}

/// The end of a character literal. A lifetime is only its quote; its name is an ordinary word.
fn after_quote(chars: &[char], at: usize) -> usize {
    if chars.get(at + 1) == Some(&'\\') {
        let rest = chars.get(at + 3..).unwrap_or_default();
        at + 4 + rest.iter().position(|c| *c == '\'').unwrap_or(rest.len())
    } else if chars.get(at + 2) == Some(&'\'') {
        at + 3
    } else {
        at + 1
    }
}

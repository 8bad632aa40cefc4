//! Takes out of the page's scripts and styles what only their readers need: comments, indentation, and spaces and ends
//! of lines beside signs. It happens once, at the start, so there is no build step, and the page is loaded in fewer bytes.
//!
//! It knows as much of JavaScript as the page needs: strings in double quotes, templates, regular expressions, comments
//! that fill lines. It relies on a semicolon after each statement that does not end with a block. The tests of the page
//! run on what is served, too.

/// A script without its comments and with fewer spaces and ends of lines.
pub(super) fn script(source: &str) -> String {
    let lines = source.lines().map(str::trim_start);
    let kept: Vec<&str> = lines.filter(|line| !line.is_empty() && !is_comment(line)).collect();
    Squeeze::new(&kept.join("\n")).run()
}

/// A style with fewer spaces. It has no comments and no texts with spaces.
pub(super) fn style(source: &str) -> String {
    let lines = source.lines().map(str::trim).filter(|line| !line.is_empty());
    let mut out: String = lines.collect::<Vec<_>>().join("\n");
    for (long, short) in [
        (": ", ":"),
        ("; ", ";"),
        (", ", ","),
        (" {", "{"),
        ("{ ", "{"),
        (";\n", ";"),
        ("{\n", "{"),
        (" }", "}"),
        ("}\n", "}"),
        (",\n", ","),
        (" > ", ">"),
    ] {
        out = out.replace(long, short);
    }
    out.replace(";}", "}")
}

fn is_comment(line: &str) -> bool {
    line.starts_with("//") || line.starts_with("/**") || line.starts_with("* ") || line == "*/"
}

struct Squeeze {
    source: Vec<char>,
    at: usize,
    out: String,
    /// For each parenthesis that is open: whether it is the head of a statement, such as `if (…)`.
    heads: Vec<bool>,
    /// Whether the last parenthesis that was closed was one.
    was_head: bool,
    /// For each bracket that is open, and for the whole: whether the statement in it is a declaration by `let`.
    lets: Vec<bool>,
}

impl Squeeze {
    fn new(source: &str) -> Self {
        Self {
            source: source.chars().collect(),
            at: 0,
            out: String::new(),
            heads: Vec::new(),
            was_head: false,
            lets: vec![false],
        }
    }

    fn run(mut self) -> String {
        while let Some(c) = self.peek(0) {
            self.step(c);
        }
        self.out
    }

    fn step(&mut self, c: char) {
        match c {
            '"' => self.quoted('"'),
            '`' => self.template(),
            '/' if self.is_expression_next() => self.pattern(),
            ' ' => self.space(),
            '\n' => self.line_end(),
            'c' if self.is_next("const") => self.declaration("const"),
            'l' if self.is_next("let") => self.declaration("let"),
            't' if self.is_value_next("true") => self.replaced("true", "!0"),
            'f' if self.is_value_next("false") => self.replaced("false", "!1"),
            _ => self.sign(c),
        }
    }

    fn peek(&self, ahead: usize) -> Option<char> {
        self.source.get(self.at + ahead).copied()
    }

    fn take(&mut self) {
        self.out.extend(self.peek(0));
        self.at += 1;
    }

    /// A sign or a letter. Neither a semicolon is needed at the end of a block, but for a statement that is nothing
    /// else, nor a comma at the end of a list, nor parentheses around the only parameter of a function.
    fn sign(&mut self, c: char) {
        if self.out.ends_with(';') {
            self.set_let(false);
        }
        if ")]}".contains(c) {
            self.lets.pop();
        }
        match c {
            '(' if self.parameter() => return,
            '(' => self.heads.push(["if", "for", "while"].iter().any(|word| self.ends_with_word(word))),
            ')' => self.was_head = self.heads.pop().unwrap_or_default(),
            ']' | '}' if self.out.ends_with(',') && !self.out.ends_with(",,") && !self.out.ends_with("[,") => {
                self.out.pop();
            }
            '}' if self.out.ends_with(';') && !(self.out.ends_with(");") && self.was_head) => {
                self.out.pop();
            }
            _ => {}
        }
        if "([{".contains(c) {
            self.lets.push(false);
        }
        self.take();
    }

    /// `(name) =>` without its parentheses.
    fn parameter(&mut self) -> bool {
        let rest = self.source.iter().skip(self.at + 1);
        let name: String = rest.take_while(|c| is_word(**c)).collect();
        let end = self.at + 1 + name.chars().count();
        let is_arrow = self.source.get(end..).is_some_and(|rest| rest.starts_with(&[')', ' ', '=', '>']));
        if !is_arrow || name.is_empty() || self.out.ends_with(is_word) {
            return false;
        }
        self.out.push_str(&name);
        self.at = end + 1;
        true
    }

    /// `const` or `let`. What is never assigned to may as well be a `let`, and declarations in a row are one.
    fn declaration(&mut self, word: &str) {
        self.at += word.len();
        if self.out.ends_with(';') && self.lets.last() == Some(&true) {
            self.out.pop();
            self.out.push(',');
            return;
        }
        if self.out.is_empty() || self.out.ends_with([';', '{', '}']) {
            self.set_let(true);
        }
        self.out.push_str("let");
    }

    fn set_let(&mut self, is_let: bool) {
        if let Some(last) = self.lets.last_mut() {
            *last = is_let;
        }
    }

    fn replaced(&mut self, word: &str, value: &str) {
        if self.out.ends_with(' ') {
            self.out.pop();
        }
        self.out.push_str(value);
        self.at += word.len();
    }

    /// A space between words stays, and one between signs that would be another sign together.
    fn space(&mut self) {
        let (Some(before), Some(after)) = (self.out.chars().next_back(), self.peek(1)) else {
            self.at += 1;
            return;
        };
        let is_joined = before == after && "+-/".contains(before);
        if is_word(before) && is_word(after) || is_joined {
            self.take();
        } else {
            self.at += 1;
        }
    }

    /// The end of a line, where statements end with a semicolon or a brace.
    fn line_end(&mut self) {
        let is_inside = self.out.is_empty() || self.out.ends_with(['{', '}', ';', ',', '(', '[', ':']);
        if is_inside || self.peek(1).is_none_or(|after| "}.?:&|".contains(after)) {
            self.at += 1;
        } else {
            self.take();
        }
    }

    /// A text in quotes, or what a backslash protects in it.
    fn quoted(&mut self, end: char) {
        self.take();
        while let Some(c) = self.peek(0) {
            self.take();
            match c {
                '\\' => self.take(),
                c if c == end => return,
                _ => {}
            }
        }
    }

    fn template(&mut self) {
        self.take();
        while let Some(c) = self.peek(0) {
            self.take();
            match c {
                '\\' => self.take(),
                '$' if self.peek(0) == Some('{') => self.expression(),
                '`' => return,
                _ => {}
            }
        }
    }

    /// `{…}` in a template.
    fn expression(&mut self) {
        self.take();
        let mut depth = 1_u32;
        while let Some(c) = self.peek(0) {
            match c {
                '{' => depth += 1,
                '}' => depth -= 1,
                _ => {}
            }
            self.step(c);
            if depth == 0 {
                return;
            }
        }
    }

    /// Whether a slash begins a regular expression: it does where a value may begin.
    fn is_expression_next(&self) -> bool {
        let before = self.out.trim_end();
        self.ends_with_word("return") || before.chars().next_back().is_none_or(|c| "(,=:[!&|?{};>".contains(c))
    }

    fn pattern(&mut self) {
        let mut is_in_class = false;
        self.take();
        while let Some(c) = self.peek(0) {
            self.take();
            match c {
                '\\' => self.take(),
                '[' => is_in_class = true,
                ']' => is_in_class = false,
                '/' if !is_in_class => return,
                _ => {}
            }
        }
    }

    /// Whether this word comes, and is no part of another one, nor a property.
    fn is_next(&self, word: &str) -> bool {
        let is_begun = self.out.ends_with(|c| is_word(c) || c == '.');
        let mut rest = self.source.iter().skip(self.at);
        !is_begun && word.chars().all(|c| rest.next() == Some(&c)) && rest.next().is_none_or(|c| !is_word(*c))
    }

    /// Whether this word comes, and is no key of an object.
    fn is_value_next(&self, word: &str) -> bool {
        let is_key = self.peek(word.len()) == Some(':') && self.out.ends_with(['{', ',']);
        self.is_next(word) && !is_key
    }

    fn ends_with_word(&self, word: &str) -> bool {
        let before = self.out.trim_end().strip_suffix(word);
        before.is_some_and(|rest| !rest.ends_with(|c| is_word(c) || c == '.'))
    }
}

fn is_word(c: char) -> bool {
    c.is_alphanumeric() || c == '_' || c == '$' || c == '#'
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_said_stays() {
        for (source, expected) in [
            ("// why\n  const a = { b: 1 };\n", "let a={b:1};"),
            ("/** A: b. */\nif (a) return b;\n", "if(a)return b;"),
            ("a = {\n  b: `c,\nd`,\n};\nf()\ng();\n", "a={b:`c,\nd`};f()\ng();"),
            ("while (a()) {\n  if (b) c();\n  d();\n}\ne();", "while(a()){if(b)c();d()}e();"),
            ("f(() => { while (a()); }, \"const ; }\");", "f(()=>{while(a());},\"const ; }\");"),
            ("const [a] = b.const, constant = 1;", "let[a]=b.const,constant=1;"),
            ("a = b\n  ? c + +d\n  : e - 1 / 2;", "a=b?c+ +d:e-1/2;"),
            (
                "const a = 1;\nlet b;\n[b] = [a];\nconst c = 2;\nf(() => {\n  const d = 3;\n  const e = 4;\n});",
                "let a=1,b;[b]=[a];let c=2;f(()=>{let d=3,e=4});",
            ),
            ("const a = (b) => (c, d) => async (e) => f(g);", "let a=b=>(c,d)=>async(e)=>f(g);"),
            (
                "a = { true: false, b: [true,\n], untrue: c ? true : d.false };",
                "a={true:!1,b:[!0],untrue:c?!0:d.false};",
            ),
            ("switch (a) {\n  case 1:\n    return true;\n}", "switch(a){case 1:return!0}"),
            ("[, a] = [,];", "[,a]=[,];"),
            ("for (const a of b) await f\n  .g(a);", "for(let a of b)await f.g(a);"),
            (
                "/**\n * A.\n */\nf(\"a , b\", `c : ${d( { e : \"}\" } )} , f`);",
                "f(\"a , b\",`c : ${d({e:\"}\"})} , f`);",
            ),
            ("x = /[/ ,]\\/ =\"/.test(y) ? a / b : c - -d;", "x=/[/ ,]\\/ =\"/.test(y)?a/b:c- -d;"),
            ("`a ${b ? `c = ${d}` : \"\"} e = f`; a = \"\\\" = \";", "`a ${b?`c = ${d}`:\"\"} e = f`;a=\"\\\" = \";"),
            ("return /^a = b$/;\nx => /c = d/", "return/^a = b$/;x=>/c = d/"),
        ] {
            assert_eq!(script(source), expected);
        }
    }

    #[test]
    fn styles() {
        assert_eq!(
            style("a { b: c; d: e, f; }\n@media (x: y) {\n\tg { h: i; }\n}\n"),
            "a{b:c;d:e,f}@media (x:y){g{h:i}}"
        );
        assert_eq!(style(".a :is(b, c) > d { e: calc(1px + 2px); }"), ".a :is(b,c)>d{e:calc(1px + 2px)}");
    }
}

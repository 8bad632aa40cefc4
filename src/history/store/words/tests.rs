use proptest::prelude::*;

use super::*;

/// A row's words as a list.
fn row(text: &str) -> Vec<String> {
    of_row(text).split_whitespace().map(str::to_owned).collect()
}

/// Whether a search for all words of `query` finds `text`. `None` if the query has no words.
fn finds(text: &str, query: &str, is_prefix: bool) -> Option<bool> {
    let (row, wanted) = (row(text), of_query(query, is_prefix));
    let has = |wanted: &Wanted| {
        row.iter().any(|word| *word == wanted.word || wanted.is_prefix && word.starts_with(&wanted.word))
    };
    (!wanted.is_empty()).then(|| wanted.iter().all(has))
}

#[track_caller]
fn check(text: &str, query: &str, expected: Option<bool>) {
    assert_eq!(finds(text, query, false), expected, "'{query}' in '{text}'");
}

#[track_caller]
fn check_words(text: &str, expected: &[&str]) {
    assert_eq!(row(text), expected, "{text}");
}

#[test]
fn words_of_rows() {
    check_words("", &[]);
    check_words("Hello, World!  it's 5pm.", &["hello", "world", "it", "s", "5pm"]);
    check_words("上海市", &["上海", "海市", "市"]);
    check_words("in 上海, ok", &["in", "上海", "海", "ok"]);
    check_words("iPhone手机", &["iphone", "手机", "机"]);
    check_words("snake_case a-b c.d", &["snake", "case", "a", "b", "c", "d"]);
    check_words("\u{301}\u{301} - * \" ( )", &[]);
}

#[test]
fn case_and_diacritics() {
    for (text, query) in [
        ("Straße", "STRASSE"),
        ("STRASSE", "straße"),
        ("STRAẞE", "strasse"),
        ("caf\u{e9}", "CAFE\u{301}"),
        ("cafe\u{301}", "cafe"),
        ("cafe", "caf\u{e9}"),
        ("ＦＵＬＬ　ｗｉｄｔｈ１", "full WIDTH1"),
        ("full", "ＦＵＬＬ"),
        ("\u{130}stanbul", "istanbul"),
        ("istanbul", "\u{130}STANBUL"),
        ("Việt Nam", "viet NAM"),
        ("ΟΔΟΣ", "οδος"),
        ("ПРИВЕТ", "привет"),
        ("ﬁnal", "FINAL"),
        ("№ 5 ㎏", "no KG"),
        ("ﷺ", "صلى"),
        ("x² ½", "X2"),
        ("한국어", "\u{1112}\u{1161}\u{11ab}국어"),
        ("ǅungla", "dzungla"),
        ("می\u{200c}خواهم", "میخواهم"),
        ("soft\u{ad}hyphen", "softhyphen"),
    ] {
        check(text, query, Some(true));
    }
    for (text, query) in
        [("straße", "stras"), ("й", "и"), ("가", "나"), ("hello", "hell"), ("が", "か"), ("día", "dia s")]
    {
        check(text, query, Some(false));
    }
}

#[test]
fn scripts_without_spaces() {
    for (text, query) in [
        ("我在上海工作", "上海"),
        ("我在上海工作", "作"),
        ("我在上海工作", "我"),
        ("我在上海工作", "海"),
        ("我在上海工作", "在上海工"),
        ("ｶﾞｷﾞ", "ガギ"),
        ("か\u{3099}く", "がく"),
        ("コーヒー", "ーヒ"),
        ("食べる人々", "べる"),
        ("食べる人々", "人々"),
        ("สวัสดีครับ", "สวัสดี"),
        ("สวัสดีครับ", "ครับ"),
        ("ສະບາຍດີ", "ບາຍ"),
        ("សួស្តី", "ស្តី"),
        ("မင်္ဂလာပါ", "လာ"),
        ("买iPhone手机壳", "iphone手机"),
    ] {
        check(text, query, Some(true));
    }
    check("海上", "上海", Some(false));
    check("上 海", "上海", Some(false));
    check("买iPhone手机", "手表", Some(false));
}

#[test]
fn beginnings_of_words() {
    assert_eq!(finds("good weather", "wea", true), Some(true));
    assert_eq!(finds("good weather", "WEÄ", true), Some(true));
    assert_eq!(finds("good weather", "ood", true), Some(false));
    assert_eq!(finds("good weather", "goo-wea", true), Some(false), "only the last one");
    assert_eq!(finds("good weather", "good-wea", true), Some(true));
    assert_eq!(finds("我在上海工作", "上海", true), Some(true));
    assert_eq!(finds("上班", "上", true), Some(true));
}

#[test]
fn emoji_are_not_found() {
    for text in ["👋", "👩\u{200d}💻", "❤\u{fe0f}", "🏳\u{fe0f}\u{200d}🌈", "🇩🇪", "👍🏽", "🅰", "🅱\u{fe0f}", "✅ ‼"]
    {
        check_words(text, &[]);
        check(text, text, None);
    }
    check_words("1\u{fe0f}\u{20e3} a👋b", &["1", "a", "b"]);
}

#[test]
fn syntax_is_words() {
    for (query, words) in [
        ("AND", &["and"][..]),
        ("NEAR(", &["near"]),
        ("\"", &[]),
        ("*", &[]),
        ("a* OR b", &["a", "or", "b"]),
        ("text : x", &["text", "x"]),
        ("{text place}:^p1", &["text", "place", "p1"]),
        ("'; DROP TABLE message; --", &["drop", "table", "message"]),
        ("\0\u{1}a", &["a"]),
    ] {
        let found: Vec<String> = of_query(query, false).into_iter().map(|wanted| wanted.word).collect();
        assert_eq!(found, words, "{query}");
    }
}

#[test]
fn exact_words() {
    #[track_caller]
    fn check(row: &str, phrase: &str, expected: bool) {
        assert_eq!(has_exactly(&spelled(row), &spelled(phrase)), expected, "'{phrase}' in '{row}'");
    }
    check("the quick, brown fox", "Quick brown", true);
    check("the quick, brown fox", "quick fox", false);
    check("the quick, brown fox", "brown quick", false);
    check("the quick, brown fox", "uick brown", false);
    check("the quick, brown fox", "quick brow", false);
    check("the quick", "the quick", true);
    check("我在上海工作", "上海工", true);
    check("我在上海工作", "上工", false);
    check("x上海y", "x上", true);
    check("Straße 5", "STRASSE 5", true);
}

#[test]
fn every_character_has_one_form() {
    // One of many Han characters and Hangul syllables; those of planes 2 and 3 are Han, those above have hardly any.
    let many = (0x3400..0xd7a4).step_by(41).chain(0x2_f800..0x2_fa20).chain(0xe_0000..0xe_0200);
    let all = (0..0x3400).chain(0xd7a4..0x1_1a00).chain(0x1_d000..0x1_fc00).chain(many).filter_map(char::from_u32);
    for c in all {
        let text = format!("a{c}b{c}");
        let once = form(&text);
        assert_eq!(form(&once), once, "U+{:04x}", u32::from(c));
        assert!(of_row(&text).bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b' ' || b >= 0x80));
    }
}

#[test]
fn long_texts_take_linear_time() {
    for text in [
        "\u{301}".repeat(2048),
        "a\u{316}\u{301}".repeat(2048),
        format!("a{}", "\u{301}\u{316}".repeat(20_000)),
        format!("й{}", "\u{301}\u{316}".repeat(20_000)),
        "\u{fdfa}".repeat(2_000),
        "上".repeat(20_000),
        "\u{1112}\u{1161}".repeat(10_000),
        "a ".repeat(20_000),
        "x".repeat(100_000),
    ] {
        let words = of_row(&text);
        assert!(words.len() <= 20 * text.len() + 1);
        assert!(has_exactly(&spelled(&text), &spelled(&text)));
    }
    assert_eq!(of_row(&"x".repeat(4096)).len(), WORD_CHARS);
    check(&"x".repeat(4096), &"x".repeat(4096), Some(true));
}

/// Texts of few characters, in which much is special.
fn texts() -> impl Strategy<Value = String> {
    let special = "[aAéEß İıſKﬁ上海かガーｶﾞﾟกำ์ສខမ\u{301}\u{3099}\u{345}\u{fe0f}\u{200d}👋🅰1²½ﷺ한한\"*():AND-]{0,24}";
    prop_oneof![special, ".{0,40}", any::<String>()]
}

proptest! {
    #[test]
    fn a_word_of_a_row_is_found_in_it(text in texts()) {
        for word in text.split_whitespace() {
            prop_assert_ne!(finds(&text, word, false), Some(false), "'{}' in '{}'", word, &text);
            prop_assert_ne!(finds(&text, word, true), Some(false));
        }
        prop_assert_ne!(finds(&text, &text, false), Some(false));
        prop_assert!(has_exactly(&spelled(&text), &spelled(&text)));
    }

    #[test]
    fn words_of_words_are_the_same(text in texts()) {
        let once = form(&text);
        prop_assert_eq!(form(&once), once);
        let words = row(&text);
        for word in row(&words.join(" ")) {
            // Pairs that are alone have their last character alone.
            prop_assert!(words.iter().any(|of_row| of_row.contains(&word)), "{} of {}", word, text);
        }
        for word in &words {
            prop_assert_ne!(finds(&text, word, false), Some(false), "'{}' in '{}'", word, &text);
        }
    }

    #[test]
    fn a_text_cut_anywhere_is_no_trouble(text in texts()) {
        for (at, _) in text.char_indices() {
            let (start, end) = text.split_at(at);
            prop_assert_ne!(finds(start, start, false), Some(false));
            prop_assert_ne!(finds(end, end, true), Some(false));
            prop_assert!(has_exactly(&spelled(start), &spelled(start)));
        }
    }

    #[test]
    fn a_part_of_a_run_is_found(run in "[上海市工作我在]{1,12}", from in 0_usize..12, length in 1_usize..12) {
        let part: String = run.chars().skip(from).take(length).collect();
        if !part.is_empty() {
            prop_assert_eq!(finds(&format!("ok{run}!"), &part, false), Some(true));
        }
    }
}

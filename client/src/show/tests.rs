use super::*;

/// 2026-11-20 23:56:03.123 UTC.
const NOW: Now = Now { monotonic_ms: 0, unix_ms: 1_795_218_963_123 };

fn view(form: Form) -> View {
    View::new(form, TimeZone::UTC)
}

fn said(place: Place, text: &str) -> Message {
    let id = NOW.unix_ms << 20 | 7;
    let (from, confirmed) = ("alice".to_owned(), None);
    let (stands_out, is_own, is_past) = (false, false, false);
    let (id, unix_ms, text) = (Some(id), id >> 20, text.to_owned());
    Message { place, from, text, id, unix_ms, confirmed, stands_out, is_own, is_past }
}

fn confirmed(place: Place, text: &str) -> Message {
    Message { id: None, confirmed: Some("sent to 3".to_owned()), is_own: true, ..said(place, text) }
}

fn with(name: &str) -> Place {
    Place::Direct { with: name.to_owned() }
}

fn status(weight: Weight, text: &str) -> Shown {
    Shown::Status(Status { weight, kind: "lost", text: text.to_owned() })
}

fn hole() -> Shown {
    let (place, text) = (Place::Room("lobby".to_owned()), "12 messages were not kept: disk full".to_owned());
    Shown::Hole(Hole { place, id: NOW.unix_ms << 20 | 7, text })
}

#[track_caller]
fn check(form: Form, shown: Shown, expected: &str) {
    assert_eq!(view(form).show(&shown, NOW, 0).text, format!("{expected}\n"));
}

#[test]
fn lines_for_people() {
    let people = Form::People { colour: false };
    check(people, Shown::Message(said(Place::Public, "hi\u{1b}[2J")), "23:56 alice: hi\\x1b[2J");
    check(people, Shown::Message(said(Place::Room("lobby".to_owned()), "hi")), "23:56 [lobby] alice: hi");
    check(people, Shown::Message(said(with("alice"), "psst")), "23:56 alice -> you: psst");
    check(people, Shown::Message(confirmed(with("bob"), "psst")), "23:56 -> bob: psst (sent to 3)");
    check(people, Shown::Message(confirmed(Place::Public, "hi")), "23:56 alice: hi (sent to 3)");
    check(people, Shown::Reply { code: 211, more: true, text: "bob".to_owned() }, "23:56   bob");
    check(people, Shown::Reply { code: 550, more: false, text: "no\u{7}".to_owned() }, "23:56 ! no\\x07");
    check(people, Shown::Notice { code: 103, text: "lobby bob entered".to_owned() }, "23:56 -- lobby bob entered");
    check(people, status(Weight::Note, "so\u{202e}"), "23:56 -- so\\u{202e}");
    check(people, status(Weight::Trouble, "lost"), "23:56 !! lost");
}

#[test]
fn the_past() {
    let people = Form::People { colour: true };
    let past = |place, text: &str| Message { is_past: true, ..said(place, text) };
    let dim = |text: &str| format!("\u{1b}[2m23:56\u{1b}[0m \u{1b}[2m{text}\u{1b}[0m");
    check(people, Shown::Message(past(Place::Room("lobby".to_owned()), "hi\u{7}")), &dim("[lobby] alice: hi\\x07"));
    check(people, Shown::Message(past(with("alice"), "hi")), &dim("alice -> you: hi"));
    check(people, Shown::Message(Message { is_own: true, ..past(with("bob"), "hi") }), &dim("-> bob: hi"));
    let loud = Message { stands_out: true, ..past(Place::Public, "hi bob") };
    let seen = view(people).show(&Shown::Message(loud), NOW, 0);
    assert!(seen.text.ends_with(&format!("{} \u{1b}[1mhi bob\u{1b}[0m\n", dim("alice:"))), "{seen:?}");
    check(Form::Plain, Shown::Message(past(Place::Public, "hi")), "2026-11-20 23:56:03 alice: hi");
    check(Form::Plain, hole(), "2026-11-20 23:56:03 [lobby] ... 12 messages were not kept: disk full");
    check(Form::People { colour: false }, Shown::New, "--- new ---");
    let topic = Shown::Notice { code: 105, text: "lobby by bob: tea".to_owned() };
    let erased = Shown::Notice { code: 109, text: format!("lobby {}", NOW.unix_ms << 20) };
    check(Form::Plain, erased, "2026-11-20 23:56:03 -- erased: the message of 23:56 in lobby");
    check(Form::Plain, topic, "2026-11-20 23:56:03 -- the topic of lobby, by bob: tea");
}

#[test]
fn what_people_do() {
    let people = Form::People { colour: false };
    for form in [people, Form::Plain] {
        let stamp = if form == people { "23:56" } else { "2026-11-20 23:56:03" };
        for (message, expected) in [
            (said(Place::Public, "/me waves"), "* alice waves"),
            (said(Place::Public, "/ME  waves"), "* alice  waves"),
            (said(Place::Room("den".to_owned()), "/me waves\u{1b}[2J"), "[den] * alice waves\\x1b[2J"),
            (said(with("alice"), "/me waves"), "-> you: * alice waves"),
            (confirmed(with("bob"), "/me waves"), "-> bob: * alice waves (sent to 3)"),
            (Message { is_past: true, ..said(Place::Public, "/me waved") }, "* alice waved"),
            (said(Place::Public, "/me"), "alice: /me"),
            (said(Place::Public, "/me  "), "alice: /me  "),
            (said(Place::Public, "/meé"), "alice: /meé"),
            (said(Place::Public, "//me waves"), "alice: //me waves"),
        ] {
            check(form, Shown::Message(message), &format!("{stamp} {expected}"));
        }
    }
    // No action looks like a notice about a room of the same name.
    let forged = Message { from: "lobby".to_owned(), ..said(Place::Public, "/me bob entered") };
    check(Form::Plain, Shown::Message(forged), "2026-11-20 23:56:03 * lobby bob entered");
    let json = view(Form::Json).show(&Shown::Message(said(Place::Public, "/me waves")), NOW, 0).text;
    assert!(json.contains(r#""text":"/me waves""#), "{json}");
}

#[test]
fn presence_and_erased_messages() {
    let notice = |code, text: &str| Shown::Notice { code, text: text.to_owned() };
    check(Form::People { colour: false }, notice(101, "bob away l\u{7}unch"), "23:56 -- bob is away: l\\x07unch");
    let erased = format!("den {} carol", NOW.unix_ms << 20);
    check(Form::Plain, notice(109, &erased), "2026-11-20 23:56:03 -- erased: carol's message of 23:56 in den");
    for (shown, expected) in [
        (
            notice(101, "bob away to lunch"),
            r#""name":"bob","presence":"away","away":"to lunch","text":"bob away to lunch"}"#,
        ),
        (notice(101, "bob online"), r#""name":"bob","presence":"online","text":"bob online"}"#),
        (notice(101, "what?"), r#""code":101,"text":"what?"}"#),
        (notice(109, "den 17 carol"), r#""place":"den","from":"carol","code":109,"text":"den 17"}"#),
        (notice(109, "@bob 17"), r#""place":"@bob","code":109,"text":"@bob 17"}"#),
        (notice(109, "* all bob"), r#""place":"*","from":"bob","code":109,"text":"* all bob"}"#),
        (
            Shown::Reply { code: 215, more: true, text: "about I am  x".to_owned() },
            r#""code":215,"more":true,"key":"about","value":"I am  x","text":"about I am  x"}"#,
        ),
        (Shown::Reply { code: 215, more: false, text: "bob".to_owned() }, r#""more":false,"text":"bob"}"#),
    ] {
        let json = view(Form::Json).show(&shown, NOW, 0).text;
        assert!(json.trim_end().ends_with(expected), "{json}");
    }
}

#[test]
fn days_of_the_past() {
    let mut view = view(Form::People { colour: false });
    let mut at = |unix_ms| {
        let past = Message { is_past: true, unix_ms, ..said(Place::Public, "x") };
        view.show(&Shown::Message(past), NOW, 0).text
    };
    let day = 24 * 60 * 60 * 1000;
    assert_eq!(at(NOW.unix_ms), "23:56 alice: x\n");
    assert_eq!(at(NOW.unix_ms - 2 * day), "-- Wednesday, 18 November 2026 --\n23:56 alice: x\n");
    assert_eq!(at(NOW.unix_ms - 2 * day + 60_000), "23:57 alice: x\n");
    assert_eq!(at(NOW.unix_ms - day), "-- Thursday, 19 November 2026 --\n23:56 alice: x\n");
    assert_eq!(at(NOW.unix_ms), "-- Friday, 20 November 2026 --\n23:56 alice: x\n");
}

#[test]
fn plain_lines_have_the_date_and_no_escape() {
    check(Form::Plain, Shown::Message(said(Place::Public, "hi")), "2026-11-20 23:56:03 alice: hi");
    let loud = Message { stands_out: true, ..said(with("alice"), "hi") };
    check(Form::Plain, Shown::Message(loud), "2026-11-20 23:56:03 alice -> you: hi");
}

#[test]
fn colours() {
    let people = Form::People { colour: true };
    check(people, status(Weight::Note, "x"), "\u{1b}[2m23:56\u{1b}[0m \u{1b}[2m-- x\u{1b}[0m");
    let pen = Pen { colour: true, user: "bob" };
    assert_eq!(pen.name("Alice").to_lowercase(), pen.name("alice"));
    let colours: std::collections::BTreeSet<String> =
        (0..200).map(|n| pen.name(&format!("n{n}")).split('m').next().unwrap().to_owned()).collect();
    assert_eq!(colours.len(), NAMES.len());
    let loud = Message { stands_out: true, ..said(Place::Public, "hi bob") };
    let seen = view(people).show(&Shown::Message(loud), NOW, 0);
    assert!(seen.text.ends_with("\u{1b}[1mhi bob\u{1b}[0m\n"), "{seen:?}");
}

#[test]
fn ones_own_name_is_marked() {
    let shown = |colour, text: &str| {
        let loud = Message { stands_out: true, ..said(with("alice"), text) };
        let text =
            View::new(Form::People { colour }, TimeZone::UTC).for_user("bob").show(&Shown::Message(loud), NOW, 0).text;
        text.split_once("you: ").unwrap().1.trim_end().replace("\u{1b}[0m", "⏎").replace('\u{1b}', "")
    };
    assert_eq!(shown(true, "hi Bob, -bob- bobby"), "[1mhi ⏎[1;7mBob⏎[1m, -⏎[1;7mbob⏎[1m- bobby⏎");
    assert_eq!(shown(true, "bob"), "[1;7mbob⏎");
    assert_eq!(shown(true, "\u{1b}bob\u{7}\u{202e}bob"), "[1m\\x1b⏎[1;7mbob⏎[1m\\x07\\u{202e}⏎[1;7mbob⏎");
    assert_eq!(shown(true, "nobody"), "[1mnobody⏎");
    assert_eq!(shown(false, "hi bob\u{7}"), "hi bob\\x07");
    let quiet = View::new(Form::People { colour: true }, TimeZone::UTC).for_user("bob").show(
        &Shown::Message(said(Place::Public, "bob")),
        NOW,
        0,
    );
    assert!(quiet.text.ends_with(": bob\n"), "only where it stands out: {quiet:?}");
}

#[test]
fn whether_to_colour() {
    for (is_terminal, is_refused, no_color, term, expected) in [
        (true, false, None, None, true),
        (true, false, Some(""), Some("xterm"), true),
        (true, false, Some("1"), None, false),
        (true, true, None, None, false),
        (false, false, None, None, false),
        (true, false, None, Some("dumb"), false),
    ] {
        assert_eq!(may_colour(is_terminal, is_refused, no_color, term), expected);
    }
}

#[test]
fn the_day_when_it_changes() {
    let mut view = view(Form::People { colour: false });
    let mut at = |unix_ms| view.show(&status(Weight::Note, "x"), Now { unix_ms, ..NOW }, 0).text;
    assert_eq!(at(NOW.unix_ms), "23:56 -- x\n");
    assert_eq!(at(NOW.unix_ms + 240_000), "-- Saturday, 21 November 2026 --\n00:00 -- x\n");
    assert_eq!(at(NOW.unix_ms + 300_000), "00:01 -- x\n");
}

#[test]
fn the_zone_counts() {
    let zone = TimeZone::fixed(jiff::tz::offset(1));
    let mut view = View::new(Form::People { colour: false }, zone);
    assert_eq!(view.show(&status(Weight::Note, "x"), NOW, 0).text, "00:56 -- x\n");
}

#[test]
fn times_that_no_calendar_has() {
    for form in [Form::People { colour: true }, Form::Plain, Form::Json] {
        for unix_ms in [0, u64::MAX >> 20, u64::MAX] {
            let message = Message { unix_ms, ..said(Place::Public, "hi") };
            assert!(view(form).show(&Shown::Message(message), NOW, 0).text.ends_with('\n'));
        }
    }
}

#[test]
fn json() {
    let time = r#""time":"2026-11-20T23:56:03.123Z""#;
    check(
        Form::Json,
        Shown::Message(said(Place::Public, "a\"b\u{1b}\u{9b}\u{202e}\u{e0041}é")),
        &format!(
            r#"{{"kind":"pm","id":"1882423519475662855",{time},"place":"*","from":"alice","text":"a\"b\u001b\u009b\u202e\udb40\udc41é","past":false,"mention":false}}"#
        ),
    );
    check(
        Form::Json,
        Shown::Message(said(Place::Room("lobby".to_owned()), "hi")),
        &format!(
            r#"{{"kind":"rm","id":"1882423519475662855",{time},"place":"lobby","room":"lobby","from":"alice","text":"hi","past":false,"mention":false}}"#
        ),
    );
    check(
        Form::Json,
        Shown::Message(confirmed(with("bob"), "hi")),
        &format!(
            r#"{{"kind":"dm",{time},"place":"@bob","from":"alice","with":"bob","text":"hi","confirmed":"sent to 3","past":false,"mention":false}}"#
        ),
    );
    let past = Message { is_past: true, stands_out: true, ..said(with("bob"), "hi") };
    check(
        Form::Json,
        Shown::Message(past),
        &format!(
            r#"{{"kind":"dm","id":"1882423519475662855",{time},"place":"@bob","from":"alice","with":"bob","text":"hi","past":true,"mention":true}}"#
        ),
    );
    check(
        Form::Json,
        hole(),
        &format!(
            r#"{{"kind":"hole","id":"1882423519475662855",{time},"place":"lobby","room":"lobby","text":"12 messages were not kept: disk full","past":true}}"#
        ),
    );
    check(
        Form::Json,
        Shown::New,
        &format!(r#"{{"kind":"status",{time},"status":"new","trouble":false,"text":"--- new ---"}}"#),
    );
    check(
        Form::Json,
        Shown::Reply { code: 211, more: true, text: "bob".to_owned() },
        &format!(r#"{{"kind":"reply",{time},"code":211,"more":true,"text":"bob"}}"#),
    );
    check(
        Form::Json,
        Shown::Notice { code: 103, text: "a b entered".to_owned() },
        &format!(r#"{{"kind":"notice",{time},"code":103,"text":"a b entered"}}"#),
    );
    check(
        Form::Json,
        status(Weight::Trouble, "gone"),
        &format!(r#"{{"kind":"status",{time},"status":"lost","trouble":true,"text":"gone"}}"#),
    );
}

//! Pages, as a typed client reads them to their end.

use testkit::Client;

use super::pages::Line;

/// All lines of `HISTORY [place]` from the beginning, holes too; none for a place that is not one's own.
#[track_caller]
pub(super) fn all(client: &mut Client, me: &str, place: &str) -> Vec<Line> {
    let (mut lines, mut after) = (Vec::new(), "1".to_owned());
    loop {
        let first = client.ask(&format!("HISTORY {place} after {after} 200"));
        if first.starts_with("C 550 ") {
            return lines;
        }
        assert!(first.starts_with("C 212"), "{first:?}");
        let mut items = client.rest_of_list(&first);
        let last = items.pop().expect("a last line");
        let line = |item: &String| Line::paged(item, me).unwrap_or_else(|| panic!("a line of a page: {item:?}"));
        lines.extend(items.iter().map(line));
        match last.split_once(" next=") {
            Some((_, next)) => next.clone_into(&mut after),
            None => {
                assert!(last.ends_with(" end"), "{last:?}");
                return lines;
            }
        }
    }
}

/// The texts of all messages of a place, without holes.
#[track_caller]
pub(super) fn texts(client: &mut Client, me: &str, place: &str) -> Vec<String> {
    all(client, me, place).into_iter().filter(|line| !line.is_hole).map(|line| line.text).collect()
}

/// A client with typed frames whose account exists.
#[track_caller]
pub(super) fn back(server: &testkit::Server, name: &str) -> Client {
    let mut client = server.greeted();
    client.login_typed(name);
    client
}

//! `chatd accounts …` while a server uses the account file: the server carries it out.

use std::path::Path;

use super::accounts::{Done, Stop};
use super::ctl::{Fault, Line, Link};
use super::password::new_password;
use super::{BAD_CONFIG, IN_USE};
use crate::auth::admin;
use crate::config::{Operation, Whose};
use crate::door::operator::pairs;

/// Asks the server at this socket. `None` if none answers, or if only a stopped server allows it.
pub(super) fn carry_out(operation: &Operation, socket: &Path) -> Option<Done> {
    let (command, name) = match operation {
        Operation::List(_) => ("list", None),
        Operation::Check(_) => ("check", None),
        Operation::Add(Whose { name, .. }) => ("add", Some(name)),
        Operation::Passwd(Whose { name, .. }) => ("passwd", Some(name)),
        Operation::Delete(Whose { name, .. }) => ("delete", Some(name)),
        Operation::Repair(_) => return None,
    };
    let mut link = Link::open(socket).ok()?;
    // A word that can be no name would not arrive as one.
    if let Some(Err(failure)) = name.map(|name| admin::check_name(name, command == "add")) {
        return Some(Err(Stop::failed(failure.to_string())));
    }
    let words = [command, name.map_or("", String::as_str)].join(" ");
    Some(ask(&mut link, words.trim_end(), name.map_or("", String::as_str)))
}

/// Sends one command, with a password if the server asks for one. Gives the text for standard output.
fn ask(link: &mut Link, command: &str, name: &str) -> Done {
    let lost = |fault: Fault| match fault {
        Fault::Nobody(why) => Stop::new(IN_USE, vec![why]),
        Fault::Failed(why) => Stop::failed(why),
        Fault::Closed => Stop::failed("the connection is closed".to_owned()),
    };
    link.send(&format!("accounts {command}")).map_err(lost)?;
    let mut text = String::new();
    loop {
        match link.line().map_err(lost)? {
            Line::Item(item) => text.push_str(&shown(&item)),
            Line::Last { code: 332, .. } => {
                let password = new_password(name).map_err(Stop::failed)?;
                link.answer(&password).map_err(lost)?;
            }
            Line::Last { code: 211, .. } => return Ok(text),
            Line::Last { code: 200..=299, text: last } => return Ok(format!("{text}{last}\n")),
            Line::Last { text: last, .. } if command == "check" && !text.is_empty() => {
                let lines = text.lines().map(str::to_owned).chain([last]).collect();
                return Err(Stop::new(BAD_CONFIG, lines));
            }
            Line::Last { text: last, .. } => return Err(Stop::failed(last)),
        }
    }
}

/// An item as a line: a name with the day of its registration, or a finding.
fn shown(item: &str) -> String {
    let values: Vec<String> = pairs(item).into_iter().flatten().map(|(_, value, _)| value).collect();
    match values.as_slice() {
        [name, since] => match since.split_once('T') {
            Some((day, _)) => format!("{name} {day}\n"),
            None => format!("{name}\n"),
        },
        _ => format!("{}\n", values.join(" ")),
    }
}

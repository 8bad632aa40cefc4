//! `storm`: the server is killed and restarted, and all clients come back by token (by IRC, which has none, by password).

use super::conn::Outbox;
use super::entrance::Entrance;
use super::fleet::Handler;
use super::line::Line;
use super::report::{Report, Storm};
use super::run::{Run, SECOND};
use super::target::Target;

/// How long the connections may take to notice that the server is gone, in nanoseconds.
const NOTICE: u64 = 10 * SECOND;

/// Kills the server started for the run, starts it again in the same place, and logs all clients in again.
///
/// # Errors
/// There is no such server, it does not start again, or no client gets back in.
pub(super) fn storm(
    run: &mut Run,
    target: &mut Target,
    mut entrance: Entrance,
    at_once: usize,
    report: &mut Report,
) -> Result<(), String> {
    let Some(server) = &mut target.spawned else { return Err("storm takes a server of its own".to_owned()) };
    let returning = entrance.take_returning();
    let killed = run.fleet.now();
    server.kill();
    notice(run)?;
    server.restart(&run.stop)?;
    let begin = run.fleet.now();
    run.progress.stage("coming back", returning.len() as u64);
    let count = returning.len();
    let mut entrance = Entrance::new(returning, run.fleet.speech());
    entrance.bring_in(run, 0..count, at_once)?;
    let times = &entrance.arrivals.entered;
    let since = |time: Option<&u64>| time.map_or(0, |time| time.saturating_sub(begin)) as f64 / SECOND as f64;
    report.storm = Some(Storm {
        down_s: begin.saturating_sub(killed) as f64 / SECOND as f64,
        resumed: times.len() as u64,
        all_resumed_s: since(times.last()),
        half_resumed_s: since(times.get(times.len().div_ceil(2).saturating_sub(1))),
    });
    report.connections.failed.extend(entrance.arrivals.failed);
    report.server_went_away = run.fleet.open() == 0;
    Ok(())
}

/// Waits until every connection has noticed that the server is gone.
fn notice(run: &mut Run) -> Result<(), String> {
    let deadline = run.fleet.now() + NOTICE;
    while run.fleet.open() > 0 {
        if run.fleet.now() > deadline {
            return Err(format!("{} connections did not notice that the server is gone", run.fleet.open()));
        }
        run.fleet.turn(deadline, &mut Ignore).map_err(|error| format!("the poll failed: {error}"))?;
    }
    Ok(())
}

/// Ignores all events: the server has been killed.
struct Ignore;

impl Handler for Ignore {
    fn handle_line(&mut self, _: usize, _: Line<'_>, _: u64, _: &mut Outbox) {}
    fn handle_end(&mut self, _: usize, _: String) {}
}

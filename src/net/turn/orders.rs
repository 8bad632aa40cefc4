//! The orders phase: what operators ask of the process.

use crate::engine::Order;
use crate::net::reactor::Reactor;

impl Reactor {
    /// Carries out what operators have asked for.
    pub(super) fn carry_out_orders(&mut self) {
        while let Some(order) = self.engine.poll_order() {
            match order {
                Order::Status(id) => {
                    let outside = self.outside();
                    self.engine.handle_status(id, &outside);
                }
                Order::Reload(id) => {
                    let result = self.reload();
                    self.engine.handle_reloaded(id, result);
                }
                Order::Log(level) => log::set_max_level(level),
                Order::Stop => self.engine.handle_stop(),
            }
        }
    }
}

//! `ban`, `unban` and `bans`.

use super::Engine;
use super::listing::Rest;
use crate::auth::Deed;
use crate::auth::bans::{Ban, What, reason};
use crate::door::operator::Last;
use crate::engine::id::ConnId;
use crate::limits::REASON_BYTES;

impl<S> Engine<S> {
    pub(super) fn ban_for(&mut self, id: ConnId, what: &str, for_s: Option<u32>, why: &str) {
        let ban = match self.new_ban(what, for_s, why) {
            Ok(ban) => ban,
            Err(why) => return self.answer_last(id, &Last::Wrong(why)),
        };
        self.ask_deed(id, Deed::Ban(ban));
    }

    fn new_ban(&self, what: &str, for_s: Option<u32>, why: &str) -> Result<Ban, String> {
        let what = What::parse(what)?;
        if let What::Net(net) = &what
            && let Some(proxy) = self.settings.limits.proxies.iter().find(|proxy| proxy.overlaps(net))
        {
            return Err(format!("{proxy} is a proxy (limits.proxies); ban the addresses that it names"));
        }
        let reason = reason(why.as_bytes())
            .ok_or_else(|| format!("a reason is text of at most {REASON_BYTES} bytes, without control characters"))?;
        let until = for_s.map(|seconds| self.unix_ms / 1000 + u64::from(seconds));
        Ok(Ban { what, until, reason })
    }

    pub(super) fn unban_for(&mut self, id: ConnId, what: &str) {
        match What::parse(what) {
            Ok(what) => self.ask_deed(id, Deed::Unban(what)),
            Err(why) => self.answer_last(id, &Last::Wrong(why)),
        }
    }

    pub(super) fn list_bans(&mut self, id: ConnId) {
        let unix_s = self.unix_ms / 1000;
        let bans: Vec<Ban> = self.bans().iter().filter(|ban| ban.holds_at(unix_s)).collect();
        self.list(id, Rest::Bans(bans.into_iter()));
    }

    pub(super) fn answer_ban(&mut self, id: ConnId, ban: &Ban) {
        self.answer_item(id, |item| {
            let item = item.text("what", &ban.what.to_string());
            let item = match ban.until {
                Some(until) => item.number("until", until),
                None => item.maybe("until", None),
            };
            item.text("reason", &ban.reason)
        });
    }
}

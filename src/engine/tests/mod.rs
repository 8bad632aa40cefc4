//! A simulation of the server without sockets: virtual clients on virtual sockets, in virtual time, from a seed.
//!
//! * [`world`] owns the sockets ([`wire`]) and lets time pass; [`turn`] calls the engine as the net does.
//! * [`clients`] holds the clients; [`acts`], [`talk`] and [`guests`] send; [`hears`] and [`replies`] read and check.
//! * [`ledger`] is the shadow model of all messages, and [`shadow`] that of people; [`audit`] checks the engine after turns; [`accounts`] is the
//!   account file in memory.
//! * [`store`] is the history in memory; [`history`] has planned runs with it.
//! * [`people`] has planned runs with who people are and what they are told of each other; [`profiles`] is a part of the store.
//! * [`monitor`] asks for metrics, and degrades parts; [`web`] tests the web door. Both write to their sockets [`by_hand`].
//! * [`irc`] tests the IRC door by hand.
//! * [`irc_people`] are clients of IRC who are in; [`irc_fan`], [`irc_public`], [`irc_news`] and [`irc_alone`] test what
//!   they hear.
//! * [`relay`] has a small server of its own, and tests the relay door.
//! * [`irc_clients`] holds clients of the IRC door.
//! * [`simulation`] runs random schedules; [`attacks`] runs planned ones.

mod accounts;
mod acts;
mod attacks;
mod attending;
mod audit;
mod by_hand;
mod clients;
mod guests;
mod guests_online;
mod history;
mod hears;
mod irc;
mod irc_alone;
mod irc_clients;
mod irc_fan;
mod irc_news;
mod irc_people;
mod irc_public;
mod ledger;
mod relay;
mod monitor;
mod people;
mod profiles;
mod replies;
mod shadow;
mod simulation;
mod socket;
mod store;
mod talk;
mod turn;
mod wire;
mod web;
mod world;

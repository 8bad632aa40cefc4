//! A simulation of the whole server without sockets: virtual clients at virtual sockets, in virtual time, from a seed.
//!
//! [`world`] owns the sockets ([`wire`]) and drives the engine; [`clients`] and [`talk`] are what its clients do;
//! [`ledger`] is the shadow model; [`audit`] holds the engine to its promises after each turn; [`accounts`] answers for
//! the account file. [`simulation`] has the random runs, [`attacks`] the planned ones.

mod accounts;
mod attacks;
mod audit;
mod clients;
mod ledger;
mod simulation;
mod talk;
mod wire;
mod world;

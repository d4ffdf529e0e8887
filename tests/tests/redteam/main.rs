//! The red team: what an attacker would try, against the real command and a real server.
//!
//! - [`gate`]: statements that EXPLAIN ANALYZE must refuse, and some that it must run ([`statements`]);
//! - [`values`]: no value of the data in what is shown or recorded;
//! - [`elsewhere`]: what went wrong in comparable systems, a row for each;
//! - [`races`]: what changes between a check and the run;
//! - [`faults`]: cut connections, a server that restarts, a full disk, a killed command ([`proxy`] stops them at a known point);
//! - [`watchdog`]: what is stopped while it runs, and how soon.

mod elsewhere;
mod faults;
mod gate;
mod proxy;
mod races;
mod range;
mod statements;
mod values;
mod watchdog;

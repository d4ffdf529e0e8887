use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};
use std::time::Duration;

use super::Threads;

const LONG: Duration = Duration::from_secs(60);
const SHORT: Duration = Duration::from_millis(30);

fn lead(threads: &Threads) -> super::Lead<'_> {
    threads.lead(|| false).unwrap()
}

#[test]
fn one_thread_leads_at_a_time_and_who_was_served_meanwhile_does_not() {
    let threads = Threads::default();
    let served = AtomicU32::new(0);
    let first = lead(&threads);
    std::thread::scope(|scope| {
        let waiting: Vec<_> = (1..=3)
            .map(|n| {
                let (threads, served) = (&threads, &served);
                scope.spawn(move || threads.lead(|| served.load(Ordering::SeqCst) >= n).is_some())
            })
            .collect();
        std::thread::sleep(SHORT);
        assert!(waiting.iter().all(|thread| !thread.is_finished()), "two lead");
        served.store(2, Ordering::SeqCst);
        drop(first);
        let led: Vec<bool> = waiting.into_iter().map(|thread| thread.join().unwrap()).collect();
        assert_eq!(led, [false, false, true]);
    });
    drop(lead(&threads));
}

#[test]
fn a_leader_waits_for_who_is_sealing() {
    let threads = Threads::default();
    let lead = lead(&threads);
    lead.took(LONG);
    let (first, second) = (threads.seal(), threads.seal());
    let is_sealed = AtomicBool::new(false);
    std::thread::scope(|scope| {
        let waits = scope.spawn(|| {
            lead.wait_for_others();
            is_sealed.load(Ordering::SeqCst)
        });
        drop(first);
        std::thread::sleep(SHORT);
        is_sealed.store(true, Ordering::SeqCst);
        drop(second);
        assert!(waits.join().unwrap(), "it did not wait for the second");
    });
    // Nobody is left to wait for.
    lead.wait_for_others();
}

#[test]
fn a_leader_waits_no_longer_than_the_last_commit_took() {
    let threads = Threads::default();
    let lead = lead(&threads);
    let _never_sealed = threads.seal();
    lead.wait_for_others();
    lead.took(SHORT);
    lead.wait_for_others();
}

#[test]
fn a_thread_that_panics_holds_up_nobody() {
    let threads = Threads::default();
    std::thread::scope(|scope| {
        let panics = scope.spawn(|| {
            let _sealing = threads.seal();
            let _lead = lead(&threads);
            panic!("on purpose");
        });
        assert!(panics.join().is_err());
    });
    let lead = lead(&threads);
    lead.took(LONG);
    lead.wait_for_others();
}

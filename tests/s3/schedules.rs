//! The same job under many schedules of disturbances, all at once.

use libtest_mimic::Trial;

use super::cases::{NEW, RUN, assert_committed, fill, put_old};
use super::place::{Kind, Place, seed_to_replay};
use crate::trial;

/// Seeds of every run of the tests.
const SEEDS: std::ops::Range<u64> = 100..116;

pub fn trials() -> Vec<Trial> {
    vec![
        trial("schedule/ours", || a_job_over_old_content(Kind::Ours)),
        trial("schedule/seaweedfs", || a_job_over_old_content(Kind::SeaweedFs)),
    ]
}

fn a_job_over_old_content(kind: Kind) {
    let seeds = seed_to_replay().map_or(SEEDS, |seed| seed..seed + 1);
    let places: Vec<Place> = seeds.map(|seed| Place::with_seed(kind, "job", Some(seed))).collect();
    places.iter().for_each(|place| {
        fill(place);
        put_old(place);
    });
    let running: Vec<_> = places.iter().map(|place| place.start(&RUN)).collect();
    let finished: Vec<_> = running.into_iter().map(|running| running.finish()).collect();
    for (place, finished) in places.iter().zip(finished) {
        assert_eq!(finished.status.code(), Some(0), "{}: {}", place.bucket, finished.stderr());
        assert_committed(place, "out/", NEW);
    }
    let n_disturbed: usize = places.iter().map(Place::n_disturbed).sum();
    assert!(n_disturbed > places.len() || places.len() == 1, "{n_disturbed}");
}

//! The same job under many schedules of disturbances.

use libtest_mimic::Trial;

use super::cases::{NEW, RUN, assert_committed, fill, put_old};
use super::place::{Kind, Place, seed_to_replay};
use crate::trial;

/// Seeds of every run of the tests.
const SEEDS: std::ops::Range<u64> = 100..116;

pub fn trials() -> Vec<Trial> {
    let seeds = seed_to_replay().map_or(SEEDS, |seed| seed..seed + 1);
    let area = [(Kind::Ours, "ours"), (Kind::SeaweedFs, "seaweedfs")];
    let all = area.into_iter().flat_map(|kind| seeds.clone().map(move |seed| (kind, seed)));
    all.map(|((kind, name), seed)| {
        trial(format!("schedule/{name}/{seed}"), move || {
            a_job_over_old_content(&Place::with_seed(kind, "job", Some(seed)))
        })
    })
    .collect()
}

fn a_job_over_old_content(place: &Place) {
    fill(place);
    put_old(place);
    place.logq(&RUN).assert_code(0);
    assert_committed(place, "out/", NEW);
    assert!(place.n_disturbed() > 0 || seed_to_replay().is_some());
}

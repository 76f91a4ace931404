//! Both ways to make the words give the same places, and these are the places that a look at each byte finds.

use proptest::prelude::*;

use super::super::byte_set::ByteSet;
use super::*;

fn set_of(bytes: impl IntoIterator<Item = u8>) -> ByteSet {
    let mut set = ByteSet::default();
    bytes.into_iter().for_each(|byte| set.insert(byte));
    set
}

fn sets() -> Vec<ByteSet> {
    vec![
        set_of([b' ']),
        set_of([b' ', b'"']),
        set_of((9..=13).chain([b' '])),
        set_of(b'0'..=b'9'),
        set_of(b'0'..=b'9').complement(),
        set_of([b'"']).complement(),
        set_of((b'a'..=b'z').chain(b'A'..=b'Z').chain(b'0'..=b'9').chain([b'_', b'-'])),
        set_of([]),
    ]
}

fn index(instructions: Instructions, sets: &IndexedSets, text: &[u8], part: Range<usize>) -> ByteIndex {
    let mut index = ByteIndex { instructions, ..ByteIndex::default() };
    index.cover(sets, text, part);
    index
}

/// A text with a part of it; some texts are longer than a window.
fn text_with_part() -> impl Strategy<Value = (Vec<u8>, Range<usize>)> {
    let byte = prop_oneof![3 => Just(b' '), 2 => Just(b'"'), 6 => b'0'..=b'z', 1 => any::<u8>()];
    let piece = prop::collection::vec(byte, 0..300);
    (piece, prop_oneof![4 => Just(1_usize), 1 => 1..200_usize], any::<[prop::sample::Index; 2]>()).prop_map(
        |(piece, n_times, ends)| {
            let text = piece.repeat(n_times);
            let [a, b] = ends.map(|end| end.index(text.len() + 1));
            (text, a.min(b)..a.max(b))
        },
    )
}

#[test]
fn places_are_those_of_a_look_at_each_byte() {
    let mut all = IndexedSets::default();
    let sets: Vec<_> = sets().into_iter().map(|set| (set, all.add(set).unwrap())).collect();
    // A case that fails becomes a test of its own, not a file.
    let config = ProptestConfig { failure_persistence: None, ..ProptestConfig::default() };
    proptest!(config, |((text, part) in text_with_part())| {
        let mut detected = index(Instructions::default(), &all, &text, part.clone());
        let portable = index(Instructions::Portable, &all, &text, part.clone());
        // The chunk of zeros, the whole chunks, and what a window reads behind them.
        prop_assert_eq!(&detected.bits, &portable.bits);
        for &(set, set_idx) in &sets {
            let places: Vec<usize> = part.clone().filter(|&place| set.contains(text[place])).collect();
            let of_set = detected.places(set_idx);
            let steps = part.clone().step_by(7).chain([part.end]);
            for place in steps {
                let next = places.iter().copied().find(|&found| found >= place).unwrap_or(part.end);
                prop_assert_eq!(of_set.next(place, part.end), next);
                let last = places.iter().copied().rfind(|&found| found < place);
                prop_assert_eq!(of_set.last(part.start..place), last);
                let n_before = places.partition_point(|&found| found < place);
                for n in [1, 2, 70] {
                    let nth_last = n_before.checked_sub(n).map(|place_idx| places[place_idx]);
                    prop_assert_eq!(of_set.nth_last(part.start..place, n), nth_last);
                }
            }
            let mut of_bits = Vec::new();
            for (first, bits) in of_set.words(part.clone()) {
                of_bits.extend((0..CHUNK).filter(|bit| bits >> bit & 1 != 0).map(|bit| first + bit));
            }
            prop_assert_eq!(of_bits, places);
        }
        detected.forget();
        detected.cover(&all, b"", 0..0);
        prop_assert_eq!(detected.places(0).next(0, 0), 0);
        detected.forget();
        detected.cover(&all, b" ", 0..1);
        prop_assert_eq!(detected.places(0).next(0, 1), 0);
    });
}

#[test]
fn a_set_is_kept_once_and_not_beyond_what_helps() {
    let mut sets = IndexedSets::default();
    let numbers: Vec<_> = (b'a'..).take(SETS_MAX + 1).map(|byte| sets.add(ByteSet::of_byte(byte))).collect();
    assert_eq!(numbers[..SETS_MAX], (0..SETS_MAX).map(Some).collect::<Vec<_>>());
    // What characters beyond ASCII begin with, without what they go on with.
    let first_bytes = set_of((0..=b'z').chain(0xc0..=0xff));
    assert_eq!(IndexedSets::default().add(first_bytes), None);
    assert_eq!((numbers[SETS_MAX], sets.add(ByteSet::of_byte(b'b'))), (None, Some(1)));
}

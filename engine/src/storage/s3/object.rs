//! An object of S3 that is open for reading, and the requests that are under way for those read next.
//!
//! A task knows what it will read, in order: [`Pieces::start`] asks for it in pieces of a few megabytes, many at a
//! time, and never holds more than a window of bytes. A reader finds its pieces here in their order and parks until
//! the next one is there. What it wants besides, as when a record ends far behind its split, is asked for on the spot,
//! so that no reader can wait for room that another one holds.

use std::collections::VecDeque;
use std::ops::Range;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Instant;

use bytes::Bytes;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::task::{AbortHandle, JoinSet};

use super::Network;
use super::bucket::Bucket;
use super::meter::Meter;
use crate::bridge::{self, Awaited, Promise};
use crate::error::{Error, Result};
use crate::storage::{FileMeta, FileVersion, ReadAt};

/// Bytes of one request. What Amazon advises: 8 to 16 MB.
const PIECE_BYTES: u64 = 8 << 20;

/// Requests of one task that are under way or answered and not yet read. At 50 ms each, 64 give 1280 small objects a
/// second; a guess beyond that.
const REQUESTS_MAX: usize = 64;

/// Bytes asked for on the spot, if the object has so many.
const UNPLANNED_BYTES: u64 = 1 << 20;

/// Pieces of one file that were asked for, in order.
pub(in crate::storage) type Coming = VecDeque<(Range<u64>, Awaited<Result<Fetched>>)>;

/// A piece of an object in the chunks in which it came. Its room in the window is free once it is dropped.
#[derive(Debug)]
pub(in crate::storage) struct Fetched {
    chunks: Vec<Bytes>,
    room: Room,
}

/// Bytes of the window, and one of its requests.
type Room = (OwnedSemaphorePermit, OwnedSemaphorePermit);

/// The requests of one task. Dropped, those that are under way are given up.
#[derive(Debug)]
pub(in crate::storage) struct Pieces(AbortHandle);

impl Drop for Pieces {
    fn drop(&mut self) {
        self.0.abort();
    }
}

/// One request to make.
struct Order {
    bucket: Arc<Bucket>,
    key: String,
    etag: Option<String>,
    range: Range<u64>,
    promise: Promise<Result<Fetched>>,
}

/// A file's bucket, key and entity tag.
fn object_of(file: &FileMeta) -> Result<(String, String, Option<String>)> {
    match (file.path.as_object(), &file.version) {
        (Some(object), FileVersion::Object { etag }) => Ok((object.bucket.clone(), object.key.clone(), etag.clone())),
        _ => Err(Error::internal("a local file was taken for an object of S3")),
    }
}

impl Pieces {
    /// The requests that [`start`](Pieces::start) would make for one range of an object.
    pub fn n_requests(range: &Range<u64>, window_bytes: u64) -> u64 {
        n_pieces(range.end.saturating_sub(range.start), window_bytes)
    }

    /// Asks for these ranges, in this order, holding at most `window_bytes` of them. Gives what is coming for each.
    pub fn start(
        s3: &super::S3,
        ranges: &[(Arc<FileMeta>, Range<u64>)],
        window_bytes: u64,
    ) -> Result<(Vec<Coming>, Option<Pieces>)> {
        let mut orders = Vec::new();
        let mut coming = Vec::with_capacity(ranges.len());
        let mut network = None;
        for (file, range) in ranges {
            let mut pieces = Coming::new();
            if file.path.as_object().is_some() {
                let (bucket, key, etag) = object_of(file)?;
                let (bucket, found) = s3.bucket(&bucket)?;
                network = Some(found);
                let range_bytes = range.end.saturating_sub(range.start);
                let piece_bytes = range_bytes.div_ceil(n_pieces(range_bytes, window_bytes).max(1)).max(1);
                let mut start = range.start;
                while start < range.end {
                    let piece = start..range.end.min(start.saturating_add(piece_bytes));
                    start = piece.end;
                    let (promise, awaited) = bridge::promise();
                    pieces.push_back((piece.clone(), awaited));
                    let (bucket, key, etag) = (Arc::clone(&bucket), key.clone(), etag.clone());
                    orders.push(Order { bucket, key, etag, range: piece, promise });
                }
            }
            coming.push(pieces);
        }
        let started =
            network.map(|network| Pieces(network.handle.spawn(fetch_all(orders, window_bytes)).abort_handle()));
        Ok((coming, started))
    }
}

/// How many requests a range is worth. Two of them fit into the window, but for an eighth: the little that a split is
/// longer than others, or that is read behind its end, is no request of its own.
fn n_pieces(range_bytes: u64, window_bytes: u64) -> u64 {
    let piece_bytes = PIECE_BYTES.min(window_bytes / 2).max(1);
    range_bytes.div_ceil(piece_bytes + piece_bytes / 8)
}

/// Makes the requests in order, as far as there is room for their answers.
async fn fetch_all(orders: Vec<Order>, window_bytes: u64) {
    let n_kib = |bytes: u64| u32::try_from(bytes.div_ceil(1 << 10)).unwrap_or(u32::MAX);
    let window = Arc::new(Semaphore::new(n_kib(window_bytes).max(1) as usize));
    let requests = Arc::new(Semaphore::new(REQUESTS_MAX));
    let mut under_way = JoinSet::new();
    for order in orders {
        let n_permits = n_kib(order.range.end - order.range.start);
        let room =
            (Arc::clone(&window).acquire_many_owned(n_permits).await, Arc::clone(&requests).acquire_owned().await);
        let (Ok(bytes), Ok(request)) = room else { return };
        under_way.spawn(async move {
            let Order { bucket, key, etag, range, promise } = order;
            let answer = bucket.get(&key, range, etag.as_deref()).await;
            promise.keep(answer.map(|chunks| Fetched { chunks, room: (bytes, request) }));
        });
        while under_way.try_join_next().is_some() {}
    }
    while under_way.join_next().await.is_some() {}
}

/// One object, read by position: from the pieces that are coming as far as they reach.
#[derive(Debug)]
pub(in crate::storage) struct ObjectFile {
    bucket: Arc<Bucket>,
    network: Network,
    meter: Arc<Meter>,
    key: String,
    etag: Option<String>,
    len: u64,
    state: Mutex<State>,
}

#[derive(Debug, Default)]
struct State {
    coming: Coming,
    /// The piece read from last.
    at_hand: Option<AtHand>,
}

#[derive(Debug)]
struct AtHand {
    /// Where the piece starts in the object.
    start: u64,
    piece: Vec<Bytes>,
    /// The chunk read from last, and where it starts in the object.
    chunk: (usize, u64),
    /// Keeps the piece's room in the window taken.
    _room: Option<Room>,
}

impl AtHand {
    fn new(start: u64, piece: Vec<Bytes>, room: Option<Room>) -> Self {
        AtHand { start, piece, chunk: (0, start), _room: room }
    }

    /// The bytes from `position` to the end of a chunk; `None` if they are not at hand.
    fn bytes_at(&mut self, position: u64) -> Option<&[u8]> {
        if position < self.chunk.1 {
            self.chunk = (0, self.start);
        }
        loop {
            let (chunk_idx, chunk_start) = self.chunk;
            let skipped = usize::try_from(position.checked_sub(chunk_start)?).ok()?;
            let n_bytes = self.piece.get(chunk_idx)?.len();
            if skipped < n_bytes {
                return self.piece.get(chunk_idx)?.get(skipped..);
            }
            self.chunk = (chunk_idx + 1, chunk_start + n_bytes as u64);
        }
    }
}

impl ObjectFile {
    /// Opens `file`, which was listed. Asks for nothing.
    pub fn open(s3: &super::S3, file: &FileMeta, coming: Coming) -> Result<Self> {
        let (bucket, key, etag) = object_of(file)?;
        let (bucket, network) = s3.bucket(&bucket)?;
        let state = Mutex::new(State { coming, ..State::default() });
        Ok(ObjectFile { bucket, network, meter: Arc::clone(&s3.meter), key, etag, len: file.len, state })
    }

    /// Brings the bytes from `offset` on to hand, at least one of them.
    fn fetch(&self, state: &mut State, offset: u64) -> Result<()> {
        // Room first: the next piece may be waiting for it.
        state.at_hand = None;
        let started = Instant::now();
        let fetched = self.next_piece(state, offset);
        self.meter.add_wait(started.elapsed());
        state.at_hand = Some(fetched?);
        Ok(())
    }

    /// What is coming, if it reaches to `offset`, or what is asked for on the spot.
    fn next_piece(&self, state: &mut State, offset: u64) -> Result<AtHand> {
        while state.coming.front().is_some_and(|(range, _)| range.end <= offset) {
            state.coming.pop_front();
        }
        if state.coming.front().is_some_and(|(range, _)| range.start <= offset)
            && let Some((range, awaited)) = state.coming.pop_front()
        {
            let Fetched { chunks, room } = awaited.wait()??;
            return Ok(AtHand::new(range.start, chunks, Some(room)));
        }
        let next_planned = state.coming.front().map_or(self.len, |(range, _)| range.start);
        let end = next_planned.min(self.len).min(offset.saturating_add(UNPLANNED_BYTES));
        let (bucket, key, etag) = (Arc::clone(&self.bucket), self.key.clone(), self.etag.clone());
        let chunks = self.network.wait(async move { bucket.get(&key, offset..end, etag.as_deref()).await })??;
        Ok(AtHand::new(offset, chunks, None))
    }
}

impl ReadAt for ObjectFile {
    fn len(&self) -> u64 {
        self.len
    }

    fn read_at(&self, offset: u64, buf: &mut [u8]) -> Result<usize> {
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        let rest = self.len.saturating_sub(offset);
        let wanted = usize::try_from(rest).unwrap_or(usize::MAX).min(buf.len());
        let mut filled = 0;
        while filled < wanted {
            let position = offset + filled as u64;
            match state.at_hand.as_mut().and_then(|at_hand| at_hand.bytes_at(position)) {
                Some(found) => {
                    let n_bytes = found.len().min(wanted - filled);
                    buf[filled..filled + n_bytes].copy_from_slice(&found[..n_bytes]);
                    filled += n_bytes;
                }
                None => self.fetch(&mut state, position)?,
            }
        }
        Ok(filled)
    }

    /// Every request said which version it is about.
    fn verify(&self) -> Result<()> {
        Ok(())
    }
}

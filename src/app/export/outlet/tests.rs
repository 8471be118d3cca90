use super::*;
use crate::app::export::shares::Bounds;
use crate::domain::error::Kind;
use crate::domain::id::TenantId;

/// The size of a part: only one fits into memory.
const PART_BYTES: usize = READY_MAX_BYTES;

/// A part with a number.
#[derive(Debug, PartialEq)]
struct Numbered(u8);

/// The number of a part that is larger than the others.
const LARGE: u8 = u8::MAX;

impl Part for Numbered {
    fn length(&self) -> usize {
        PART_BYTES + usize::from(self.0 == LARGE)
    }

    fn to_bytes(&self) -> Vec<u8> {
        vec![self.0; 10]
    }

    fn from_bytes(bytes: Bytes) -> Result<Self> {
        assert!(bytes.iter().all(|byte| *byte == bytes[0]) && bytes.len() == 10);
        Ok(Self(bytes[0]))
    }
}

struct Bench {
    exports: Arc<Exports>,
    outlet: Outlet<Numbered>,
    parts: Parts<Numbered>,
    _folder: tempfile::TempDir,
}

/// Creates a queue whose encoder never waits, with two parts to a file.
fn bench(max_bytes: usize) -> Bench {
    bench_with(max_bytes, usize::MAX)
}

fn bench_with(max_bytes: usize, memory_max_bytes: usize) -> Bench {
    let folder = tempfile::tempdir().expect("a folder");
    let bounds = Bounds {
        max_bytes,
        max_bytes_per_tenant: max_bytes,
        file_bytes: 20,
        disk_free_min_bytes: 0,
        memory_max_bytes,
        memory_max_bytes_per_tenant: memory_max_bytes,
    };
    let exports = Exports::with(folder.path(), bounds).expect("exports");
    let slot = exports.slot(&TenantId::parse("a").expect("an id")).expect("a slot");
    let (outlet, parts) = queue(&exports, &slot.share, Duration::ZERO);
    Bench { exports, outlet, parts, _folder: folder }
}

async fn taken(parts: &mut Parts<Numbered>) -> Option<u8> {
    parts.take().await.map(|part| part.expect("a part").0)
}

#[tokio::test]
async fn parts_are_taken_in_order_and_each_file_is_given_back_when_it_is_read() {
    let Bench { exports, mut outlet, mut parts, _folder } = bench(100);
    for number in 0..6 {
        outlet.give(Numbered(number)).expect("it is kept");
    }
    assert_eq!(exports.spooled_bytes(), 60, "one is in memory, and five in three files");
    for number in 0..4 {
        assert_eq!(taken(&mut parts).await, Some(number));
    }
    assert_eq!(exports.spooled_bytes(), 40);
    outlet.give(Numbered(6)).expect("it is kept");
    for number in 4..7 {
        assert_eq!(taken(&mut parts).await, Some(number));
    }
    // From here on the client keeps pace again.
    for number in 7..9 {
        outlet.give(Numbered(number)).expect("there is room");
        assert_eq!(taken(&mut parts).await, Some(number));
    }
    assert_eq!(exports.spooled_bytes(), 20, "the file that is open");
    outlet.end(Ok(()));
    assert_eq!(exports.spooled_bytes(), 0);
    assert_eq!(taken(&mut parts).await, None);
}

#[tokio::test]
async fn a_part_in_memory_is_charged_until_the_next_one_is_taken() {
    let Bench { exports, mut outlet, mut parts, _folder } = bench_with(100, PART_BYTES);
    outlet.give(Numbered(0)).expect("there is room");
    assert_eq!((exports.memory_bytes(), exports.spooled_bytes()), (PART_BYTES, 0));
    assert_eq!(taken(&mut parts).await, Some(0));
    assert_eq!(exports.memory_bytes(), PART_BYTES, "it is on its way");
    // If memory is full, the first part for a client that keeps pace goes to a file, too.
    outlet.give(Numbered(1)).expect("it is kept");
    assert_eq!((exports.memory_bytes(), exports.spooled_bytes()), (PART_BYTES, 20));
    assert_eq!(taken(&mut parts).await, Some(1));
    assert_eq!((exports.memory_bytes(), exports.spooled_bytes()), (0, 20));
    outlet.end(Ok(()));
    assert_eq!(exports.spooled_bytes(), 20, "its last part is on its way");
    assert_eq!(taken(&mut parts).await, None);
    drop(parts);
    exports.close().await;
    assert_eq!(exports.spooled_bytes(), 0);
}

#[tokio::test]
async fn a_first_part_that_is_too_large_for_memory_goes_to_a_file() {
    let Bench { exports, mut outlet, mut parts, _folder } = bench(100);
    outlet.give(Numbered(LARGE)).expect("it is kept");
    assert_eq!((exports.memory_bytes(), exports.spooled_bytes()), (0, 20));
    assert_eq!(taken(&mut parts).await, Some(LARGE));
}

#[tokio::test]
async fn a_client_that_waits_is_told_of_a_part_and_of_the_end() {
    let Bench { mut outlet, mut parts, .. } = bench(100);
    let (first, ()) = futures_util::future::join(taken(&mut parts), async {
        outlet.give(Numbered(1)).expect("there is room");
    })
    .await;
    assert_eq!(first, Some(1));
    let (end, ()) =
        futures_util::future::join(taken(&mut parts), async { outlet.end(Ok(())) }).await;
    assert_eq!(end, None);
}

#[tokio::test]
async fn what_does_not_fit_ends_the_export_after_everything_that_was_kept() {
    let Bench { mut outlet, mut parts, _folder, .. } = bench(20);
    for number in 0..3 {
        outlet.give(Numbered(number)).expect("it is kept");
    }
    let error = outlet.give(Numbered(3)).expect_err("there is no room");
    assert_eq!((error.kind(), error.internal_text()), (Kind::Unavailable, None));
    outlet.end(Err(error));
    for number in 0..3 {
        assert_eq!(taken(&mut parts).await, Some(number));
    }
    let end = parts.take().await.expect("an end").expect_err("an error");
    assert_eq!(end.kind(), Kind::Unavailable);
}

#[tokio::test]
async fn a_full_disk_ends_the_export_and_is_told_to_the_operator() {
    let Bench { exports, mut outlet, mut parts, _folder } = bench(20);
    let full = SpoolFile::full(&exports, &TenantId::parse("a").expect("an id"));
    outlet.spool.open = Some((Arc::new(full), 0));
    outlet.give(Numbered(0)).expect("there is room in memory");
    let error = outlet.give(Numbered(1)).expect_err("the disk is full");
    assert_eq!(error.kind(), Kind::Unavailable);
    assert!(error.internal_text().is_some_and(|text| text.contains("space")));
    outlet.end(Err(error));
    assert_eq!(taken(&mut parts).await, Some(0));
    assert!(parts.take().await.is_some_and(|end| end.is_err()));
}

#[tokio::test]
async fn a_client_that_leaves_ends_the_encoder_and_gives_back_the_files() {
    let Bench { exports, mut outlet, parts, _folder } = bench(100);
    for number in 0..4 {
        outlet.give(Numbered(number)).expect("it is kept");
    }
    drop(parts);
    assert!(outlet.give(Numbered(4)).is_err());
    drop(outlet);
    exports.close().await;
    assert_eq!(exports.spooled_bytes(), 0);
}

#[tokio::test]
async fn an_encoder_that_panics_is_a_fault() {
    let Bench { outlet, mut parts, .. } = bench(100);
    drop(outlet);
    let end = parts.take().await.expect("an end").expect_err("an error");
    assert_eq!(end.kind(), Kind::Internal);
}

#[test]
fn a_client_of_half_the_pace_is_waited_for_and_no_longer() {
    let seconds = Duration::from_secs;
    for (elapsed, waited, expected) in
        [(0, 0, 1), (10, 0, 1), (10, 5, 1), (11, 6, 0), (30, 20, 0), (9, 5, 0), (100, 2, 1)]
    {
        let waits = may_wait(seconds(1), seconds(elapsed), seconds(waited));
        assert_eq!(waits, seconds(expected), "{waited} of {elapsed}");
    }
}

//! Seeded worlds: every fault, at every step, in random combination.
//!
//! A run is a list of actions made from a seed. When an invariant breaks, the list is cut down to
//! what is needed to break it, and the story is printed with the seed.

mod action;
mod books;
mod world;

use std::panic::AssertUnwindSafe;
use std::path::Path;
use std::sync::atomic::AtomicU64;
use std::sync::atomic::Ordering;
use std::time::Duration;

use futures_util::FutureExt as _;

use self::action::Action;
use self::world::Broken;
use self::world::World;

/// Actions of one run.
const LENGTH: usize = 60;
/// Seeds that every test run tries. `BOOKBRIDGE_SIMULATION` tries others: see [`share`].
const SEEDS: std::ops::Range<u64> = 0..300;
/// Runs spent on cutting a story down.
const MAX_SHRINKS: usize = 200;

async fn run(seed: u64, plan: &[(usize, Action)], place: &Path) -> Result<u64, Broken> {
    run_telling(seed, plan, place, false).await
}

/// `tells_all`: the story has every call, answer and status.
async fn run_telling(
    seed: u64,
    plan: &[(usize, Action)],
    place: &Path,
    tells_all: bool,
) -> Result<u64, Broken> {
    let dir = place.join(format!("{seed}"));
    let _ = std::fs::remove_dir_all(&dir);
    // A planted bug may break the world while it is being made.
    let life = async { Box::pin(World::new(seed, dir.clone(), tells_all).await.run(plan)).await };
    let went = AssertUnwindSafe(life).catch_unwind().await;
    let _ = std::fs::remove_dir_all(&dir);
    went.unwrap_or_else(|panic| {
        let said = panic.downcast_ref::<String>().cloned().unwrap_or_default();
        Err(Broken { what: format!("a panic: {said}"), story: Vec::new() })
    })
}

/// The shortest plan that still breaks something, found by leaving parts out.
async fn shrink(
    seed: u64,
    mut plan: Vec<(usize, Action)>,
    place: &Path,
) -> (Vec<(usize, Action)>, Broken) {
    let mut broken = run(seed, &plan, place).await.expect_err("it broke before");
    let mut runs = 0;
    let mut size = plan.len() / 2;
    while size > 0 {
        let mut from = 0;
        while from < plan.len() && runs < MAX_SHRINKS {
            runs += 1;
            let mut shorter = plan.clone();
            shorter.drain(from..(from + size).min(plan.len()));
            match run(seed, &shorter, place).await {
                Err(still) => {
                    plan = shorter;
                    broken = still;
                }
                Ok(_) => from += size,
            }
        }
        size /= 2;
    }
    let told = run_telling(seed, &plan, place, true).await;
    (plan, told.err().unwrap_or(broken))
}

/// Until when worlds are made.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
enum Until {
    Seed(u64),
    Time(Duration),
}

impl Until {
    fn is_over(self, next: u64, passed: Duration) -> bool {
        match self {
            Self::Seed(end) => next >= end,
            Self::Time(time) => passed >= time,
        }
    }
}

/// From which seed until when: `300..13700`, or `300..90s`, `300..10m`, `300..2h`.
fn share(text: &str) -> Option<(u64, Until)> {
    let (from, until) = text.split_once("..")?;
    let from = from.parse().ok()?;
    let unit = match until.chars().last()? {
        's' => 1,
        'm' => 60,
        'h' => 3600,
        _ => return Some((from, Until::Seed(until.parse().ok()?))),
    };
    let count: u64 = until[..until.len() - 1].parse().ok()?;
    Some((from, Until::Time(Duration::from_secs(count * unit))))
}

#[test]
fn a_share_ends_at_a_seed_or_after_a_time() {
    let check = |text, wanted| assert_eq!(share(text), wanted, "{text}");
    check("300..13700", Some((300, Until::Seed(13_700))));
    check("7..90s", Some((7, Until::Time(Duration::from_secs(90)))));
    check("7..10m", Some((7, Until::Time(Duration::from_mins(10)))));
    check("7..2h", Some((7, Until::Time(Duration::from_hours(2)))));
    check("10m", None);
    check("7..soon", None);

    assert!(!Until::Seed(9).is_over(8, Duration::from_hours(9)));
    assert!(Until::Seed(9).is_over(9, Duration::ZERO));
    assert!(!Until::Time(Duration::from_secs(2)).is_over(9, Duration::from_secs(1)));
    assert!(Until::Time(Duration::from_secs(2)).is_over(9, Duration::from_secs(2)));
}

/// Worlds side by side, each by itself and in one order: how many run changes nothing in any of them.
/// The sessions, and the first seed that broke something, if one did.
fn explore(from: u64, until: Until, place: &Path) -> (u64, u64, Option<u64>) {
    let started = std::time::Instant::now();
    let (next, sessions, end) = (AtomicU64::new(from), AtomicU64::new(0), AtomicU64::new(from));
    let broken = AtomicU64::new(u64::MAX);
    let lane = || {
        actix_web::rt::System::new().block_on(async {
            while broken.load(Ordering::SeqCst) == u64::MAX {
                let seed = next.fetch_add(1, Ordering::SeqCst);
                if until.is_over(seed, started.elapsed()) {
                    return;
                }
                match run(seed, &action::plan(seed, LENGTH), place).await {
                    Ok(count) => sessions.fetch_add(count, Ordering::SeqCst),
                    Err(_) => broken.fetch_min(seed, Ordering::SeqCst),
                };
                end.fetch_max(seed + 1, Ordering::SeqCst);
            }
        });
    };
    std::thread::scope(|threads| {
        for _ in 0..std::thread::available_parallelism().map_or(1, std::num::NonZero::get) {
            threads.spawn(lane);
        }
    });
    let broken = Some(broken.into_inner()).filter(|seed| *seed != u64::MAX);
    (sessions.into_inner(), end.into_inner(), broken)
}

#[test]
fn no_fault_loses_or_doubles_anything() {
    let place = tempfile::tempdir_in(memory()).unwrap();
    let (from, until) = match std::env::var("BOOKBRIDGE_SIMULATION") {
        Ok(told) => share(&told).expect("BOOKBRIDGE_SIMULATION is from..to or from..10m"),
        Err(_) => (SEEDS.start, Until::Seed(SEEDS.end)),
    };
    let started = std::time::Instant::now();
    let (sessions, end, broken) = explore(from, until, place.path());
    let passed = started.elapsed();
    if let Some(seed) = broken {
        let plan = action::plan(seed, LENGTH);
        let alone = actix_web::rt::System::new();
        let (plan, broken) = alone.block_on(shrink(seed, plan, place.path()));
        panic!(
            "seed {seed}: {}\n  {}\n(cut down to {} actions)",
            broken.what,
            broken.story.join("\n  "),
            plan.len()
        );
    }
    let rate = u128::from(sessions) * 1000 / passed.as_millis().max(1);
    let seconds = passed.as_secs_f64();
    println!(
        "{sessions} sessions of seeds {from}..{end} in {seconds:.1} s: {rate} sessions a second"
    );
}

/// Each planted bug breaks an invariant within the seeds that every test run tries.
#[cfg(feature = "plants")]
#[actix_web::test]
async fn every_planted_bug_is_found() {
    use bookbridge::domain::plant;

    let place = tempfile::tempdir_in(memory()).unwrap();
    let mut missed = Vec::new();
    // Power cuts find that one (`tests/power`): what is simulated here outlives a crash.
    let bugs = plant::Plant::ALL.iter().filter(|bug| **bug != plant::Plant::SkipFlush);
    for bug in bugs {
        plant::plant(Some(*bug));
        let mut found = None;
        for seed in SEEDS {
            let plan = action::plan(seed, LENGTH);
            if let Err(broken) = run(seed, &plan, place.path()).await {
                found = Some((seed, broken.what));
                break;
            }
        }
        plant::plant(None);
        match found {
            Some((seed, what)) => println!("{bug:?}: seed {seed}: {what}"),
            None => missed.push(bug),
        }
    }
    assert!(missed.is_empty(), "not found: {missed:?}");
}

/// Worlds live in memory where there is such a place: what is tried here is order, not disks.
fn memory() -> &'static Path {
    let shm = Path::new("/dev/shm");
    if shm.is_dir() { shm } else { Path::new("/tmp") }
}

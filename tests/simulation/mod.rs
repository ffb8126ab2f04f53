//! Seeded worlds: every fault, at every step, in random combination.
//!
//! A run is a list of actions made from a seed. When an invariant breaks, the list is cut down to
//! what is needed to break it, and the story is printed with the seed.

mod action;
mod books;
mod world;

use std::panic::AssertUnwindSafe;
use std::path::Path;

use futures_util::FutureExt as _;

use self::action::Action;
use self::world::Broken;
use self::world::World;

/// Actions of one run.
const LENGTH: usize = 60;
/// Seeds that every test run tries. `BOOKBRIDGE_SIMULATION=from..to` tries others.
const SEEDS: std::ops::Range<u64> = 0..300;
/// Runs spent on cutting a story down.
const MAX_SHRINKS: usize = 200;

async fn run(seed: u64, plan: &[(usize, Action)], place: &Path) -> Result<u64, Broken> {
    let dir = place.join(format!("{seed}"));
    let _ = std::fs::remove_dir_all(&dir);
    // A planted bug may break the world while it is being made.
    let life = async { Box::pin(World::new(seed, dir.clone()).await.run(plan)).await };
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
    (plan, broken)
}

fn seeds() -> std::ops::Range<u64> {
    let Ok(range) = std::env::var("BOOKBRIDGE_SIMULATION") else { return SEEDS };
    let (from, to) = range.split_once("..").expect("BOOKBRIDGE_SIMULATION is from..to");
    from.parse().unwrap()..to.parse().unwrap()
}

#[actix_web::test]
async fn no_fault_loses_or_doubles_anything() {
    let place = tempfile::tempdir_in(memory()).unwrap();
    let started = std::time::Instant::now();
    let mut sessions = 0;
    let seeds = seeds();
    for seed in seeds.clone() {
        let plan = action::plan(seed, LENGTH);
        if let Ok(count) = run(seed, &plan, place.path()).await {
            sessions += count;
        } else {
            let (plan, broken) = shrink(seed, plan, place.path()).await;
            panic!(
                "seed {seed}: {}\n  {}\n(cut down to {} actions)",
                broken.what,
                broken.story.join("\n  "),
                plan.len()
            );
        }
    }
    let seconds = started.elapsed().as_secs_f64();
    println!("{sessions} sessions of seeds {seeds:?} in {seconds:.1} s");
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

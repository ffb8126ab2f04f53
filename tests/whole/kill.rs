//! `kill -9` of the server at random moments, while records come in and the Web Connector works.
//!
//! Afterwards every record that was acknowledged is there, and QuickBooks has each synced record
//! exactly once. Invoices are the witness: QuickBooks takes two invoices of one number without a
//! word, so nothing but recovery keeps a lost answer from becoming a second invoice.

use std::collections::BTreeMap;
use std::collections::BTreeSet;
use std::sync::mpsc;
use std::sync::mpsc::RecvTimeoutError;
use std::time::Duration;
use std::time::Instant;

use serde_json::json;

use super::stage::Api;
use super::stage::Stage;

/// How often the server is killed. `BOOKBRIDGE_KILLS` says another number.
const KILLS: u32 = 50;

/// Within so long a killed server answers again: on any machine, under any load of a test run.
const REOPENED: Duration = Duration::from_secs(10);

/// Time between two records: enough come in to be interrupted, and few enough to be drained.
const PACE: Duration = Duration::from_millis(60);

/// A dead server's session counts as lost after a second; only then is there something to interrupt.
const LATEST: u64 = 2_000;

/// Numbers that look random and are the same for the same seed (xorshift64).
struct Random(u64);

impl Random {
    fn below(&mut self, limit: u64) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0 % limit
    }
}

/// What the invoices refer to.
fn prepare(api: &Api) {
    let income = json!({"Name": "Service income", "AccountType": "Income"});
    let labor = json!({"Name": "Labor", "SalesOrPurchase":
        {"Price": "125.00", "AccountRef": {"source": "Account/income"}}});
    assert!(api.put("Account", "income", &income));
    assert!(api.put("ItemService", "labor", &labor));
    assert!(api.put("Customer", "C-1", &json!({"Name": "Okafor, Adaeze"})));
}

fn invoice(number: u32) -> serde_json::Value {
    json!({
        "CustomerRef": {"source": "Customer/C-1"}, "RefNumber": number.to_string(),
        "TxnDate": "2026-02-03",
        "InvoiceLine": [{"ItemRef": {"source": "ItemService/labor"}, "Quantity": 1, "Rate": "125.00"}],
    })
}

/// Puts one invoice after the other until it is told to stop or the server dies; the numbers that
/// were acknowledged, and the first that was not tried.
fn push(stage: &Stage, api: &Api, first: u32, stop: &mpsc::Receiver<()>) -> (Vec<u32>, u32) {
    let mut acknowledged = Vec::new();
    let mut number = first;
    while stop.recv_timeout(PACE) == Err(RecvTimeoutError::Timeout) {
        // Every fifth comes from the command line.
        let was_acknowledged = if number.is_multiple_of(5) {
            stage.push_by_command("Invoice", &number.to_string(), &invoice(number))
        } else {
            api.put("Invoice", &number.to_string(), &invoice(number))
        };
        number += 1;
        if !was_acknowledged {
            break;
        }
        acknowledged.push(number - 1);
    }
    (acknowledged, number)
}

/// One life of the server: it is killed in the middle of everything.
fn round(stage: &Stage, first: u32, life: Duration, slowest: &mut Duration) -> (Vec<u32>, u32) {
    let begun = Instant::now();
    let (server, api) = stage.serve();
    *slowest = begun.elapsed().max(*slowest);
    let url = server.url.clone();
    let end = Instant::now() + life;
    std::thread::scope(|scope| {
        let (stop, stopped) = mpsc::channel();
        let pusher = scope.spawn(|| push(stage, &api, first, &{ stopped }));
        // Each session ends by itself: with nothing to do, or because the server is gone.
        let connector = scope.spawn(|| {
            while Instant::now() < end {
                let _ = stage.connector(&url).wait().unwrap();
            }
        });
        let (_keep, never) = mpsc::channel::<()>();
        let _ = never.recv_timeout(end.saturating_duration_since(Instant::now()));
        drop(server);
        drop(stop);
        connector.join().unwrap();
        pusher.join().unwrap()
    })
}

#[test]
fn killed_at_any_moment_it_loses_nothing_and_posts_nothing_twice() {
    let stage = Stage::new();
    let (server, api) = stage.serve();
    prepare(&api);
    let _ = stage.connector(&server.url).wait().unwrap();
    drop(server);

    let mut random = Random(0x9E37_79B9_7F4A_7C15);
    let mut acknowledged = BTreeSet::new();
    let mut next = 1;
    let kills = std::env::var("BOOKBRIDGE_KILLS").ok().and_then(|text| text.parse().ok());
    let (kills, mut slowest) = (kills.unwrap_or(KILLS), Duration::ZERO);
    for _ in 0..kills {
        let life = Duration::from_millis(random.below(LATEST));
        let (more, after) = round(&stage, next, life, &mut slowest);
        acknowledged.extend(more);
        next = after;
    }

    let (server, api) = stage.serve();
    let until = Instant::now() + Duration::from_mins(1);
    while ["queued", "blocked", "sent", "in_doubt"].iter().any(|status| api.count(status) > 0) {
        assert!(Instant::now() < until, "it is not drained: {}", api.get("health"));
        let _ = stage.connector(&server.url).wait().unwrap();
    }
    let records = api.records();
    let kept: BTreeMap<u32, (&str, &str)> = records
        .iter()
        .filter(|record| record["kind"] == "Invoice")
        .map(|record| {
            let number = record["sourceId"].as_str().unwrap().parse().unwrap();
            let txn_id = record["reference"]["txnId"].as_str().unwrap_or_default();
            (number, (record["status"].as_str().unwrap(), txn_id))
        })
        .collect();
    let lost: Vec<_> = acknowledged.iter().filter(|number| !kept.contains_key(number)).collect();
    assert!(lost.is_empty(), "acknowledged and lost: {lost:?}");
    for (number, (status, _)) in &kept {
        assert_eq!(*status, "synced", "invoice {number}");
    }
    let mut books: BTreeMap<u32, Vec<String>> = BTreeMap::new();
    for (number, txn_id) in stage.invoices() {
        books.entry(number).or_default().push(txn_id);
    }
    let expected: BTreeMap<u32, Vec<String>> =
        kept.iter().map(|(number, (_, txn_id))| (*number, vec![(*txn_id).to_owned()])).collect();
    assert_eq!(books, expected, "QuickBooks' books against our records");
    assert!(kept.len() > 2 * kills as usize, "{} records are no proof", kept.len());
    assert!(slowest < REOPENED, "it took {slowest:?} until it answered again");
    drop(server);
    stage.house.run(&["store", "check"]).with(0);
    println!("{kills} kills, {} invoices, open again after at most {slowest:?}", kept.len());
}

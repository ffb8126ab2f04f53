//! An export while records come in: whole, consistent, and with everything from before it began.

use std::sync::atomic::AtomicBool;
use std::sync::atomic::Ordering;

use serde_json::json;

use super::stage::Stage;

/// Threads that put records, all the time.
const WRITERS: usize = 4;

#[test]
fn an_export_while_records_come_in_has_all_that_was_acknowledged_before() {
    let stage = Stage::new();
    let (server, api) = stage.serve();
    let customer = |source: &str| json!({"Name": source, "Notes": "n".repeat(500)});
    let before: Vec<_> = (0..WRITERS)
        .flat_map(|writer| (0..10).map(move |number| format!("before-{writer}-{number}")))
        .collect();
    for source in &before {
        assert!(api.put("Customer", source, &customer(source)));
    }
    let (stop, begun) = (AtomicBool::new(false), std::sync::Barrier::new(WRITERS + 1));

    std::thread::scope(|scope| {
        for writer in 0..WRITERS {
            let (api, stop, begun) = (api.clone(), &stop, &begun);
            scope.spawn(move || {
                for number in 0_u32.. {
                    // The same records again and again, and new ones.
                    let again = format!("before-{writer}-{}", number % 10);
                    let changed = json!({"Name": again, "Notes": number.to_string()});
                    assert!(api.put("Customer", &again, &changed));
                    let new = format!("{writer}-{number}");
                    assert!(api.put("Customer", &new, &customer(&new)));
                    if number == 0 {
                        begun.wait();
                    }
                    if stop.load(Ordering::Relaxed) {
                        return;
                    }
                }
            });
        }
        begun.wait();
        for number in 0..3 {
            stage.house.run(&["export", &format!("books-{number}.ndjson")]).with(0);
        }
        stop.store(true, Ordering::Relaxed);
    });
    drop(server);

    for number in 0..3 {
        let (file, data) = (format!("books-{number}.ndjson"), format!("restored-{number}"));
        stage.house.run(&["import", &file, "--data-dir", &data]).with(0);
        let checked = stage.house.run(&["store", "check", "--data-dir", &data]).with(0);
        assert!(checked.stdout.contains("everything is whole"), "{checked:?}");
        let text = std::fs::read_to_string(stage.house.path().join(&file)).unwrap();
        let has = |source: &str| text.contains(&format!("\"source_id\":\"{source}\""));
        let first = (0..WRITERS).map(|writer| format!("{writer}-0"));
        for source in before.iter().cloned().chain(first) {
            assert!(has(&source), "{file} lacks {source}");
        }
    }
}

//! Questions whose answers are lost: they changed nothing, so they are asked anew, and never for
//! ever.

use bookbridge::domain::request::RequestStatus;
use bookbridge::engine::NewRequest;

use super::bench::Bench;
use super::bench::actor;

async fn ask(bench: &Bench) -> bookbridge::domain::ids::RequestId {
    let new = NewRequest::Xml("<CustomerQueryRq/>".to_owned());
    bench.engine.submit(&bench.id, new, None, &actor()).await.unwrap().id
}

async fn status(bench: &Bench, id: bookbridge::domain::ids::RequestId) -> RequestStatus {
    bench.engine.store().request(&bench.id, id).await.unwrap().unwrap().status
}

#[actix_web::test]
async fn a_question_that_quickbooks_never_answers_fails_after_three_tries() {
    let bench = Bench::new().await;
    let id = ask(&bench).await;
    for left in [2, 1, 0] {
        let carried = bench.open().await;
        assert!(carried.qbxml.contains("CustomerQueryRq"));
        bench.engine.close_connection(&carried.ticket).await.unwrap();
        let expected = if left == 0 { RequestStatus::Failed } else { RequestStatus::Queued };
        assert_eq!(status(&bench, id).await, expected, "{left}");
    }
}

#[actix_web::test]
async fn a_closed_quickbooks_is_no_fault_of_the_question() {
    let mut bench = Bench::new().await;
    let id = ask(&bench).await;
    for _ in 0..6 {
        let carried = bench.open().await;
        bench.throw(&carried.ticket, "0x80040408").await;
        assert_eq!(status(&bench, id).await, RequestStatus::Queued);
    }

    let carried = bench.open().await;
    let answer = bench.agree(&carried.qbxml);
    bench.bring(&carried.ticket, &answer).await;

    assert_eq!(status(&bench, id).await, RequestStatus::Answered);
}

use std::sync::mpsc;

use super::*;

fn work(places: usize, queue: usize, patience: Duration) -> Arc<Work> {
    let limits = QuotaLimits {
        work_places: places,
        work_queue: queue,
        session_queue: 2,
        client_queue: 3,
        work_patience: patience,
        ..QuotaLimits::default()
    };
    Arc::new(Work::new(&limits))
}

/// A caller unlike any other.
fn anyone() -> Caller {
    let session = SessionId::random();
    let client = ClientKey::V6(session.0.as_u64_pair().1);
    Caller { session, client }
}

/// Runs a job that ends at once.
async fn run(work: &Work, caller: Caller) -> Result<(), QuotaError> {
    work.place(caller).await?.run(|| ()).await
}

/// Starts a job that ends when the sender is used or dropped.
async fn held(
    work: &Arc<Work>,
    caller: Caller,
) -> (tokio::task::JoinHandle<Result<(), QuotaError>>, mpsc::Sender<()>) {
    let (release, wait) = mpsc::channel::<()>();
    let (began, has_begun) = tokio::sync::oneshot::channel();
    let work = Arc::clone(work);
    let task = tokio::spawn(async move {
        let place = work.place(caller).await?;
        place
            .run(move || {
                let _ = began.send(());
                let _ = wait.recv();
            })
            .await
    });
    has_begun.await.unwrap();
    (task, release)
}

#[tokio::test]
async fn a_job_keeps_its_place_when_its_caller_leaves() {
    let work = work(2, 4, Duration::from_millis(1));
    let mut releases = Vec::new();
    for _ in 0..2 {
        let (caller, release) = held(&work, anyone()).await;
        caller.abort();
        assert!(caller.await.unwrap_err().is_cancelled());
        releases.push(release);
    }
    assert_eq!(work.in_use(), (2, 0), "the jobs continue");
    let late = run(&work, anyone()).await;
    assert_eq!(late, Err(QuotaError::Busy));
}

#[tokio::test]
async fn a_session_runs_one_job_at_a_time_in_one_place() {
    let work = work(2, 4, Duration::from_secs(60));
    let session = anyone();
    let (first, release) = held(&work, session).await;
    let mut waiting = Vec::new();
    for _ in 0..2 {
        let work = Arc::clone(&work);
        waiting.push(tokio::spawn(async move { run(&work, session).await }));
        tokio::task::yield_now().await;
    }
    let third = run(&work, session).await;
    assert_eq!(third, Err(QuotaError::OwnShare), "two may wait");
    run(&work, anyone()).await.expect("others find a place");
    release.send(()).unwrap();
    assert_eq!(first.await.unwrap(), Ok(()));
    for waiter in waiting {
        waiter.await.unwrap().unwrap();
    }
    assert_eq!(work.in_use(), (0, 0));
}

/// Two sessions of one client once took both places while everybody else waited.
#[tokio::test]
async fn a_client_never_has_all_places() {
    let work = work(2, 4, Duration::from_secs(60));
    let client = ClientKey::V4(7);
    let of_client = || Caller { session: SessionId::random(), client };
    let (first, release) = held(&work, of_client()).await;
    let mut waiting = Vec::new();
    for _ in 0..3 {
        let (work, caller) = (Arc::clone(&work), of_client());
        waiting.push(tokio::spawn(async move { run(&work, caller).await }));
        tokio::task::yield_now().await;
    }
    assert_eq!(run(&work, of_client()).await, Err(QuotaError::OwnShare), "three may wait");
    run(&work, anyone()).await.expect("others find a place");
    drop(release);
    assert_eq!(first.await.unwrap(), Ok(()));
    for waiter in waiting {
        waiter.await.unwrap().unwrap();
    }
    assert_eq!(work.in_use(), (0, 0));
}

#[tokio::test]
async fn the_queue_for_places_is_bounded() {
    let work = work(2, 1, Duration::from_secs(60));
    let (_first, release_first) = held(&work, anyone()).await;
    let (_second, release_second) = held(&work, anyone()).await;
    let queued = tokio::spawn({
        let work = Arc::clone(&work);
        async move { run(&work, anyone()).await }
    });
    while work.in_use().1 == 0 {
        tokio::task::yield_now().await;
    }
    let full = run(&work, anyone()).await;
    assert_eq!(full, Err(QuotaError::Busy));
    drop((release_first, release_second));
    queued.await.unwrap().unwrap();
}

#[tokio::test]
async fn a_job_that_panics_frees_its_place() {
    let work = work(2, 4, Duration::from_secs(60));
    let session = anyone();
    let lost = work.place(session).await.unwrap().run(|| panic!("on purpose")).await;
    let lost: Result<(), _> = lost;
    assert_eq!(lost, Err(QuotaError::Lost));
    run(&work, session).await.unwrap();
    assert_eq!(work.in_use(), (0, 0));
}

use std::time::Duration;

use futures_util::future::poll_fn;
use http_body_util::{BodyExt, Full, StreamBody};
use proptest::prelude::*;

use super::*;

const SECOND: Duration = Duration::from_secs(1);

/// The verdict on `activity` in `phase`, in seconds from now if it is to wait.
fn look(activity: &ConnectionActivity, phase: Phase) -> Result<f64, Verdict> {
    match activity.verdict(phase, &ServerLimits::default()) {
        Verdict::WaitUntil(at) => Ok((at - Instant::now()).as_secs_f64()),
        verdict => Err(verdict),
    }
}

/// What happens to a connection on which nothing happens any more: when it is retired and closed,
/// in seconds.
async fn fate(activity: &ConnectionActivity, phase: Phase) -> (Option<f64>, f64) {
    let begun = Instant::now();
    let mut retired = None;
    loop {
        match activity.verdict(phase, &ServerLimits::default()) {
            Verdict::WaitUntil(at) => {
                assert!(at > Instant::now(), "it must not spin");
                assert!(begun.elapsed() < 1000 * SECOND, "it must end");
                tokio::time::sleep_until(at).await;
            }
            Verdict::Retire => {
                assert!(retired.replace(begun.elapsed().as_secs_f64()).is_none(), "once only");
                activity.retired();
            }
            Verdict::Close(_) => return (retired, begun.elapsed().as_secs_f64()),
        }
    }
}

fn body(
    bytes: usize,
    request: InProgress,
) -> TrackedBody<impl Body<Data = Bytes, Error = io::Error> + Unpin> {
    let bytes = Full::new(Bytes::from(vec![b'x'; bytes]));
    TrackedBody::new(bytes.map_err(|never| match never {}), request)
}

async fn part(body: &mut (impl Body<Data = Bytes, Error = io::Error> + Unpin)) -> Option<usize> {
    let frame = poll_fn(|context| Pin::new(&mut *body).poll_frame(context)).await?;
    Some(frame.unwrap().into_data().unwrap().len())
}

#[tokio::test(start_paused = true)]
async fn the_first_request_has_15_s_and_each_further_one() {
    let activity = ConnectionActivity::new();
    assert_eq!(fate(&activity, Phase::Serving).await, (None, 15.0));
    let activity = ConnectionActivity::new();
    tokio::time::sleep(14 * SECOND).await;
    let request = activity.begin(Version::HTTP_11);
    tokio::time::sleep(1000 * SECOND).await;
    assert!(look(&activity, Phase::Serving).is_ok(), "a request may take its time");
    drop(request);
    assert_eq!(fate(&activity, Phase::Serving).await, (None, 15.0));
}

#[tokio::test(start_paused = true)]
async fn what_is_still_being_sent_keeps_an_http1_connection() {
    let activity = ConnectionActivity::new();
    drop(activity.begin(Version::HTTP_11));
    for _ in 0..10 {
        tokio::time::sleep(14 * SECOND).await;
        assert!(look(&activity, Phase::Serving).is_ok());
        activity.sent();
    }
    assert_eq!(fate(&activity, Phase::Serving).await, (None, 15.0));
}

#[tokio::test(start_paused = true)]
async fn an_idle_http2_connection_is_retired_whatever_it_pings() {
    let activity = ConnectionActivity::new();
    drop(activity.begin(Version::HTTP_2));
    tokio::time::sleep(50 * SECOND).await;
    activity.sent();
    assert_eq!(fate(&activity, Phase::Serving).await, (Some(10.0), 40.0));
}

#[tokio::test(start_paused = true)]
async fn an_http2_client_that_keeps_its_windows_shut_is_closed() {
    let activity = ConnectionActivity::new();
    let mut first = body(MAX_PART + 1, activity.begin(Version::HTTP_2));
    assert_eq!(part(&mut first).await, Some(MAX_PART));
    assert_eq!(fate(&activity, Phase::Serving).await, (None, 30.0));
    // Another request that is not blocked, or is being worked on, keeps it.
    let second = activity.begin(Version::HTTP_2);
    assert_eq!(look(&activity, Phase::Serving), Ok(15.0));
    drop(second);
    assert!(look(&activity, Phase::Serving).is_err());
    assert_eq!(part(&mut first).await, Some(1));
    assert_eq!(look(&activity, Phase::Serving), Ok(30.0));
    assert_eq!(part(&mut first).await, None);
    assert_eq!(look(&activity, Phase::Serving), Ok(15.0));
}

#[tokio::test(start_paused = true)]
async fn at_the_stop_idle_connections_close_at_once_and_half_open_ones_soon() {
    let stopping = Phase::Stopping(Instant::now());
    let half_open = ConnectionActivity::new();
    assert_eq!(fate(&half_open, stopping).await, (None, 0.5));
    for version in [Version::HTTP_11, Version::HTTP_2] {
        let idle = ConnectionActivity::new();
        drop(idle.begin(version));
        let stopping = Phase::Stopping(Instant::now());
        assert_eq!(fate(&idle, stopping).await, (Some(0.0), 0.5), "{version:?}");
        let busy = ConnectionActivity::new();
        let request = busy.begin(version);
        assert_eq!(look(&busy, stopping), Err(Verdict::Retire));
        busy.retired();
        tokio::time::sleep(10 * SECOND).await;
        assert!(look(&busy, stopping).is_ok());
        drop(request);
        assert_eq!(fate(&busy, stopping).await, (None, 2.0), "{version:?}");
        let busy = ConnectionActivity::new();
        let _request = busy.begin(version);
        assert!(matches!(look(&busy, Phase::Closing), Err(Verdict::Close(_))));
    }
}

#[tokio::test]
async fn a_body_stays_what_it_is_in_parts() {
    for bytes in [0, 1, MAX_PART, MAX_PART + 1, 3 * MAX_PART] {
        let activity = ConnectionActivity::new();
        let mut body = body(bytes, activity.begin(Version::HTTP_11));
        assert_eq!(body.size_hint().exact(), Some(bytes as u64));
        let mut seen = 0;
        while let Some(part) = part(&mut body).await {
            assert!(part <= MAX_PART);
            seen += part;
            assert_eq!(body.size_hint().exact(), Some((bytes - seen) as u64));
        }
        assert_eq!(seen, bytes);
        assert!(body.is_end_stream());
    }
}

proptest! {
    /// Whatever requests come, move and end: once all have ended nothing is counted any more, and
    /// the connection is closed in time.
    #[test]
    fn every_connection_ends(
        http2: bool,
        steps in prop::collection::vec((0_usize..4, 0_u64..40_000), 0..60),
    ) {
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_time()
            .start_paused(true)
            .build()
            .unwrap();
        runtime.block_on(async {
            let version = if http2 { Version::HTTP_2 } else { Version::HTTP_11 };
            let activity = ConnectionActivity::new();
            let mut open = Vec::new();
            for (step, wait) in steps {
                tokio::time::sleep(Duration::from_millis(wait)).await;
                match step {
                    0 => {
                        let parts = futures_util::stream::repeat_with(|| Ok(Frame::data(Bytes::from("x"))));
                        open.push(TrackedBody::new(StreamBody::new(parts), activity.begin(version)));
                    }
                    1 => {
                        open.pop();
                    }
                    2 => if let Some(body) = open.first_mut() {
                        part(body).await;
                    },
                    _ => activity.sent(),
                }
                let state = activity.lock();
                assert_eq!(state.in_progress, open.len());
                assert!(state.blocked <= open.len());
            }
            drop(open);
            let ActivityState { in_progress, blocked, .. } = *activity.lock();
            assert_eq!((in_progress, blocked), (0, 0));
            let (_, closed) = fate(&activity, Phase::Serving).await;
            assert!(closed <= 90.0, "{closed}");
        });
    }
}

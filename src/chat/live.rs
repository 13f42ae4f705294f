//! A reader that gets an answer as HTML while it is written, beside its text.

use std::time::Duration;

use tokio::time::{Instant, timeout_at};

use super::feed::{Follower, RunningTurn, TurnEvent};
use crate::domain::Status;
use crate::markdown::LiveMarkdown;

/// HTML is sent at most this often, however fast the text arrives.
const INTERVAL: Duration = Duration::from_millis(100);

/// An event with the HTML that has become due.
#[derive(Debug)]
pub struct LiveEvent {
    /// Its id. The HTML that follows the last text has that of the text.
    pub id: String,
    /// What has happened; a text may be empty.
    pub event: TurnEvent,
    /// Blocks that have been finished since the last event with HTML.
    pub html: Option<String>,
    /// The open block, instead of the last one.
    pub tail: Option<String>,
}

/// A reader of a turn, with or without HTML.
#[derive(Debug)]
pub struct LiveFollower {
    follower: Follower,
    /// The answer so far, for a reader that wants HTML.
    live: Option<LiveMarkdown>,
    last_id: String,
    /// When HTML was last sent.
    shown: Option<Instant>,
    /// Whether there is text whose HTML has not been sent.
    is_behind: bool,
    /// The turn's end, which the rest of the HTML precedes.
    end: Option<LiveEvent>,
}

impl LiveFollower {
    /// A reader of what `follower` reads. HTML needs all of the text, so with it `follower` must
    /// start at the beginning.
    pub fn new(follower: Follower, with_html: bool) -> Self {
        Self {
            follower,
            live: with_html.then(LiveMarkdown::default),
            last_id: String::new(),
            shown: None,
            is_behind: false,
            end: None,
        }
    }

    /// The turn being read.
    pub fn turn(&self) -> &RunningTurn {
        self.follower.turn()
    }

    /// Waits for the next event; `None` after the turn's end.
    pub async fn next(&mut self) -> Option<LiveEvent> {
        if let Some(end) = self.end.take() {
            return Some(end);
        }
        let due = self.shown.filter(|_| self.is_behind).map(|shown| shown + INTERVAL);
        let next = match due {
            Some(due) => match timeout_at(due, self.follower.next()).await {
                Ok(next) => next,
                Err(_) => {
                    return Some(self.show(self.last_id.clone(), TurnEvent::Text(String::new())));
                }
            },
            None => self.follower.next().await,
        };
        let (id, event) = next?;
        self.last_id.clone_from(&id);
        let Some(live) = &mut self.live else {
            return Some(LiveEvent { id, event, html: None, tail: None });
        };
        match &event {
            TurnEvent::Text(text) => live.push(text),
            TurnEvent::Replaced(text) => {
                *live = LiveMarkdown::default();
                live.push(text);
                return Some(self.show(id, event));
            }
            TurnEvent::Done(_) | TurnEvent::Failed(_) => return Some(self.close(id, event)),
            _ => return Some(LiveEvent { id, event, html: None, tail: None }),
        }
        if self.shown.is_some_and(|shown| shown.elapsed() < INTERVAL) {
            self.is_behind = true;
            return Some(LiveEvent { id, event, html: None, tail: None });
        }
        Some(self.show(id, event))
    }

    /// `event` with the HTML as it is now.
    fn show(&mut self, id: String, event: TurnEvent) -> LiveEvent {
        self.is_behind = false;
        self.shown = Some(Instant::now());
        let html =
            self.live.as_mut().map(LiveMarkdown::take_finished).filter(|html| !html.is_empty());
        let tail = self.live.as_ref().and_then(LiveMarkdown::tail);
        // A tail that is not shown must not stay behind blocks that contain it.
        let tail = tail.or_else(|| html.is_some().then(String::new));
        LiveEvent { id, event, html, tail }
    }

    /// The end, after the rest of the HTML. A refusal replaces the text, so its HTML comes whole.
    fn close(&mut self, id: String, event: TurnEvent) -> LiveEvent {
        let is_replaced =
            matches!(&event, TurnEvent::Done(answer) if answer.status == Status::Refused);
        let html = self.live.take().filter(|_| !is_replaced).map(LiveMarkdown::end);
        let end = LiveEvent { id, event, html: None, tail: None };
        match html {
            Some(html) if !html.is_empty() => {
                let id = self.last_id.clone();
                self.end = Some(end);
                let event = TurnEvent::Text(String::new());
                LiveEvent { id, event, html: Some(html), tail: Some(String::new()) }
            }
            _ => end,
        }
    }
}

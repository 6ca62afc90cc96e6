//! The connection that hears what other nodes commit.

use core::time::Duration;
use std::sync::Arc;

use tokio::time::sleep;

use crate::heard::Heard;
use crate::place::Place;
use crate::reader::{Question, Readers, head};
use crate::record::Head;
use crate::session::{Link, Role};

/// Listens for as long as the store is open, and connects again when it must.
pub(crate) async fn listen(place: Arc<Place>, readers: Arc<Readers>, heard: Arc<Heard>) {
    let options = &place.options;
    let mut pause = options.backoff_ms_min;
    loop {
        if let Ok(mut link) = Link::make(&place, Role::Listener, Some(Arc::clone(&heard))).await {
            // What was committed before this session listened was not told to it.
            if let Ok(rows) = readers.ask(&Question::LogLen).await
                && let Some(Ok((commits, log_len, sum))) = rows.first().map(|row| head(row, 0))
                && let Ok(head) = Head::read(commits, log_len, &sum)
            {
                heard.tell(head.log_len);
                heard.listens(true);
                pause = options.backoff_ms_min;
                link.gone().await;
                heard.listens(false);
            }
        }
        sleep(Duration::from_millis(pause)).await;
        pause = pause.saturating_mul(2).min(options.backoff_ms_max);
    }
}

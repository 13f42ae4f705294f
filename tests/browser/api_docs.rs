//! Swagger UI, as `/docs` shows it.

use crate::support::{Server, Visitor, visit};

impl Visitor {
    /// Executes an operation of the shown document with its example and returns the status.
    async fn executes(&self, operation: &str) -> String {
        self.click(&format!("{operation} .opblock-summary")).await;
        self.click(&format!("{operation} .try-out__btn")).await;
        self.click(&format!("{operation} .execute")).await;
        let status = format!("{operation} .live-responses-table tbody .response-col_status");
        self.until(&format!("$('{status}')?.innerText")).await;
        self.text(&status).await
    }
}

/// The page was blank from the second visit on, because of the policy on its 304.
#[tokio::test]
async fn the_reference_is_shown_on_every_visit() {
    let server = Server::start().await;
    visit(async |visitor| {
        for _ in 0..3 {
            visitor.goto(&format!("{}/docs", server.base)).await;
            visitor.until("$$('.opblock').length === 17").await;
        }
        let first = visitor.text(".opblock-tag-section h3, .opblock-tag-section h4").await;
        assert!(first.starts_with("Sessions"), "{first}");
        visitor.click("header a[href='/']").await;
        visitor.until("location.pathname === '/'").await;
    })
    .await;
}

/// The examples name a session that does not exist, so trying them out led to 404.
#[tokio::test]
async fn the_examples_can_be_executed_as_they_stand() {
    let server = Server::start().await;
    visit(async |visitor| {
        visitor.goto(&format!("{}/docs", server.base)).await;
        visitor.until("$$('.opblock').length === 17").await;
        assert_eq!(visitor.executes("#operations-Chat-sendMessage").await, "200");
        visitor.sees("#operations-Chat-sendMessage .live-responses-table", "4.90").await;
        assert_eq!(visitor.executes("#operations-Sessions-readSession").await, "200");
        visitor.sees("#operations-Sessions-readSession .live-responses-table", "4.90").await;
    })
    .await;
}

#[tokio::test]
async fn the_reference_fits_a_phone_and_follows_the_theme() {
    let server = Server::start().await;
    visit(async |visitor| {
        visitor.prefers("prefers-color-scheme", "dark").await;
        visitor.is_on_a_phone().await;
        visitor.goto(&format!("{}/docs", server.base)).await;
        visitor.until("$$('.opblock').length === 17").await;
        assert_eq!(visitor.eval("return document.documentElement.scrollWidth").await, 390);
        assert!(visitor.lightness("body").await < 0.25);
        assert!(visitor.lightness(".opblock").await < 0.3);
    })
    .await;
}

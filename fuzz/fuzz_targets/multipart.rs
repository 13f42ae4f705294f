//! Any body sent as an upload. Input: the form, with the boundary `x`.
#![no_main]

use chatbot_widget_fuzz::server::{SESSION, send};
use poem::http::Method;

libfuzzer_sys::fuzz_target!(|data: &[u8]| {
    let kind = "multipart/form-data; boundary=x";
    let (status, answer) = send(Method::POST, "/api/files/upload", kind, data);
    if status.is_success() {
        let info = format!("/api/files/info/{SESSION}");
        let (status, info) = send(Method::GET, &info, "text/plain", b"");
        // The only session there is.
        assert!(status.is_success());
        for key in ["fileName", "fileType", "fileSize", "summary"] {
            assert_eq!(answer[key], info[key]);
        }
    }
});

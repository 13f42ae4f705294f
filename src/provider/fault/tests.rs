use serde_json::json;

use super::*;

fn classified(status: u16, body: &str) -> Fault {
    classify(StatusCode::from_u16(status).unwrap(), &HeaderMap::new(), body.as_bytes()).fault
}

fn anthropic(kind: &str, message: &str) -> String {
    json!({"type": "error", "error": {"type": kind, "message": message}}).to_string()
}

fn openai(kind: &str, code: &str, message: &str) -> String {
    json!({"error": {"message": message, "type": kind, "param": null, "code": code}}).to_string()
}

const BUSY: Fault = Fault::Busy;

#[test]
fn a_status_alone_decides_where_it_can() {
    for (statuses, fault) in [
        (&[429][..], BUSY),
        (&[402], Fault::Exhausted),
        (&[500, 501, 503, 529, 599], Fault::Overloaded),
        (&[408, 409, 502, 520, 521, 523, 530], Fault::Unreachable),
        (&[504, 522, 524], Fault::Timeout),
        (&[301, 302, 307, 308, 401, 403, 404], Fault::Misconfigured),
        (&[413], Fault::TooLong),
        (&[400, 405, 415, 418, 422], Fault::Rejected),
        (&[101, 600], Fault::Malformed),
    ] {
        for &status in statuses {
            for body in ["", "<html>Sorry</html>", "{}", "[]", "null", "{\"error\": null}"] {
                assert_eq!(classified(status, body), fault, "{status} {body}");
            }
        }
    }
}

#[test]
fn the_body_decides_where_a_status_is_ambiguous() {
    let invalid = "invalid_request_error";
    for (status, body, fault) in [
        (429, openai("insufficient_quota", "insufficient_quota", "You exceeded"), Fault::Exhausted),
        (429, openai("", "", "You exceeded your current quota, please check"), Fault::Exhausted),
        (429, openai("invalid_request_error", "credit_balance_exhausted", "no"), Fault::Exhausted),
        (429, openai("", "organization_spend_limit_exceeded", "no"), Fault::Exhausted),
        (403, openai("x", "organization_usage_limit_exceeded", "no"), Fault::Exhausted),
        (400, openai("requests", "project_spend_limit_exceeded", "no"), Fault::Exhausted),
        (429, openai("billing_not_active", "billing_not_active", "no"), Fault::Exhausted),
        // OpenAI's plain rate limit mentions its billing page, Azure's its pricing tier.
        (429, openai("requests", "rate_limit_exceeded", "Add a payment method at /billing."), BUSY),
        (429, openai("", "429", "exceeded token rate limit of your S0 pricing tier"), BUSY),
        (429, anthropic("rate_limit_error", "would exceed your organization's rate limit"), BUSY),
        (400, anthropic(invalid, "Your credit balance is too low to access"), Fault::Exhausted),
        (
            400,
            anthropic(invalid, "You have reached your specified API usage limits."),
            Fault::Exhausted,
        ),
        (
            400,
            openai(invalid, "billing_hard_limit_reached", "Billing hard limit"),
            Fault::Exhausted,
        ),
        (403, anthropic("billing_error", "pay"), Fault::Exhausted),
        (400, openai("budget_exceeded", "400", "Budget has been exceeded!"), Fault::Exhausted),
        (400, anthropic(invalid, "prompt is too long: 208310 tokens > 200000"), Fault::TooLong),
        (
            400,
            anthropic(invalid, "input length and `max_tokens` exceed context limit"),
            Fault::TooLong,
        ),
        (400, openai(invalid, "context_length_exceeded", "Your input"), Fault::TooLong),
        (
            400,
            openai("BadRequestError", "400", "This model's maximum context length is"),
            Fault::TooLong,
        ),
        (400, openai("exceed_context_size_error", "400", "no"), Fault::TooLong),
        (
            500,
            openai("server_error", "500", "the request exceeds the available context size"),
            Fault::TooLong,
        ),
        (
            400,
            openai(
                invalid,
                "",
                "max_tokens is too large: 9. This model's maximum context length is",
            ),
            Fault::Rejected,
        ),
        (
            400,
            openai(invalid, "unsupported_value", "'temperature' does not support 0.5"),
            Fault::Rejected,
        ),
        (
            400,
            json!([{"error": {"code": 400, "message": "API key not valid."}}]).to_string(),
            Fault::Misconfigured,
        ),
        (401, openai(invalid, "invalid_api_key", "credit balance"), Fault::Misconfigured),
        (
            404,
            "{\"error\": \"model 'x' not found, try pulling it first\"}".to_owned(),
            Fault::UnknownModel,
        ),
    ] {
        assert_eq!(classified(status, &body), fault, "{status} {body}");
    }
}

#[test]
fn an_unknown_model_is_distinguished_from_a_wrong_address_or_key() {
    let invalid = "invalid_request_error";
    for (status, body) in [
        (404, anthropic("not_found_error", "model: claude-9")),
        (404, openai(invalid, "model_not_found", "The model `x` does not exist")),
        (403, openai(invalid, "model_not_found", "Project `p` does not have access to model `x`")),
        (404, openai("", "DeploymentNotFound", "The API deployment does not exist.")),
        (404, openai("NotFoundError", "404", "The model `x` does not exist.")),
        (400, openai("", "400", "/chat/completions: Invalid model name passed in model=x")),
        (401, openai("key_model_access_denied", "401", "key not allowed to access model")),
        (400, openai(invalid, "invalid_request_error", "Model Not Exist")),
        (400, openai("", "400", "x is not a valid model ID")),
        (400, openai(invalid, "", "invalid model ID")),
        (400, "{\"error\": {\"message\": \"no\", \"param\": \"model\"}}".to_owned()),
        (400, anthropic(invalid, "model: String should have at most 256 characters")),
    ] {
        assert_eq!(classified(status, &body), Fault::UnknownModel, "{status} {body}");
    }
    for (status, body) in [
        (404, anthropic("not_found_error", "Not Found")),
        (404, "{\"detail\": \"Not Found\"}".to_owned()),
        (404, "<html><title>Our new model is out</title></html>".to_owned()),
        (401, openai(invalid, "invalid_api_key", "Incorrect API key provided")),
        (403, anthropic("permission_error", "no")),
        // LiteLLM without a database, asked with a wrong key.
        (400, openai("no_db_connection", "400", "No connected db.")),
        (400, openai("None", "400", "Authentication Error, No connected db.")),
        (400, openai("", "400", "Invalid API key")),
    ] {
        assert_eq!(classified(status, &body), Fault::Misconfigured, "{status} {body}");
    }
    let event = openai("NotFoundError", "404", "The model `x` does not exist.");
    assert_eq!(classify_event(event.as_bytes()).fault, Fault::UnknownModel);
}

#[test]
fn keys_are_masked_and_words_that_contain_sk_are_not() {
    for (text, masked) in [
        ("sk-0123abcd", "sk-***"),
        ("key=sk-ant-api03-AbC_9-x, retry", "key=sk-***, retry"),
        ("Bearer \"sk-proj-abcdef012345\"", "Bearer \"sk-***\""),
        ("(sk-0123abcd,sk-4567efgh)", "(sk-***,sk-***)"),
        ("sk-pr****************wxyz", "sk-***"),
        ("sk-0123\u{7}abcd", "sk-***"),
        ("a task-oriented risk-assessment", "a task-oriented risk-assessment"),
        ("mask-0123456789abcdef", "mask-0123456789abcdef"),
        ("größesk-0123456789abcdef", "größesk-0123456789abcdef"),
        ("sk-learn, sk-SK", "sk-learn, sk-SK"),
        ("sk-0123abc", "sk-0123abc"),
        ("sk-", "sk-"),
    ] {
        assert_eq!(excerpt(text), masked);
    }
}

#[test]
fn waits_are_parsed_in_all_their_forms() {
    let seconds = |n| Some(Duration::from_secs(n));
    let now = SystemTime::UNIX_EPOCH + Duration::from_secs(784_111_777);
    for (name, value, wait) in [
        ("retry-after-ms", "1500", Some(Duration::from_millis(1500))),
        ("retry-after", "7", seconds(7)),
        ("retry-after", " 0.5 ", Some(Duration::from_millis(500))),
        ("retry-after", "Sun, 06 Nov 1994 08:50:07 GMT", seconds(30)),
        ("retry-after", "Sun, 06 Nov 1994 08:00:00 GMT", seconds(0)),
        // The two obsolete forms of a date.
        ("retry-after", "Sunday, 06-Nov-94 08:50:07 GMT", seconds(30)),
        ("retry-after", "Sun Nov  6 08:50:07 1994", seconds(30)),
        // Dates of mail, not of HTTP.
        ("retry-after", "6 Nov 1994 08:50:07 +0000", None),
        ("retry-after", "-1", None),
        ("retry-after", "1e300", None),
        ("retry-after", "NaN", None),
        ("retry-after", "soon", None),
        ("retry-after", "", None),
        ("other", "7", None),
    ] {
        let mut headers = HeaderMap::new();
        headers.insert(name, value.parse().unwrap());
        assert_eq!(retry_after(&headers, now), wait, "{name}: {value}");
    }
}

#[test]
fn milliseconds_take_precedence_and_dates_are_measured_by_the_servers_clock() {
    let mut headers = HeaderMap::new();
    headers.insert("retry-after", "Sun, 06 Nov 1994 08:49:47 GMT".parse().unwrap());
    headers.insert("date", "Sun, 06 Nov 1994 08:49:37 GMT".parse().unwrap());
    let wait = |headers: &HeaderMap| {
        let error = classify(StatusCode::TOO_MANY_REQUESTS, headers, b"");
        assert_eq!(error.fault, Fault::Busy);
        error.retry_after
    };
    assert_eq!(wait(&headers), Some(Duration::from_secs(10)));
    headers.insert("retry-after-ms", "3000".parse().unwrap());
    assert_eq!(wait(&headers), Some(Duration::from_secs(3)));
}

#[test]
fn the_detail_is_short_plain_and_without_keys() {
    let words =
        openai("x", "", "Incorrect API key provided: sk-proj-abcdef012345.\n\u{1b}[31mSee\u{0}");
    let error = classify(StatusCode::UNAUTHORIZED, &HeaderMap::new(), words.as_bytes());
    assert_eq!(error.detail, "401 x: Incorrect API key provided: sk-*** [31mSee");
    let long = "ż".repeat(100_000);
    let error = classify(StatusCode::BAD_REQUEST, &HeaderMap::new(), long.as_bytes());
    assert_eq!(error.detail.chars().count(), MAX_DETAIL);
    assert!(error.detail.starts_with("400: żżż"));
    let invalid = classify(StatusCode::BAD_GATEWAY, &HeaderMap::new(), b"\xff<b>Bad");
    assert_eq!(invalid.detail, "502: \u{FFFD}<b>Bad");
}

#[test]
fn request_ids_are_found_in_headers_or_body() {
    for (name, value, id) in [
        ("request-id", "req_1", Some("req_1")),
        ("x-request-id", "req_2", Some("req_2")),
        ("other", "x", Some("req_body")),
    ] {
        let mut headers = HeaderMap::new();
        headers.insert(name, value.parse().unwrap());
        let body = br#"{"error": {"message": "m"}, "request_id": "req_body"}"#;
        let error = classify(StatusCode::INTERNAL_SERVER_ERROR, &headers, body);
        assert_eq!(error.request_id.as_deref(), id);
    }
}

#[test]
fn a_content_filter_is_distinguished_from_other_refusals() {
    let filtered = openai("", "content_filter", "The response was filtered");
    assert!(is_content_filter(StatusCode::BAD_REQUEST, filtered.as_bytes()));
    assert!(!is_content_filter(StatusCode::INTERNAL_SERVER_ERROR, filtered.as_bytes()));
    assert!(!is_content_filter(StatusCode::BAD_REQUEST, openai("", "x", "y").as_bytes()));
}

#[test]
fn the_details_that_a_retry_needs_are_kept() {
    let mut headers = HeaderMap::new();
    headers.insert("retry-after", "7".parse().unwrap());
    for (word, should_retry) in [("true", Some(true)), ("false", Some(false)), ("maybe", None)] {
        headers.insert("x-should-retry", word.parse().unwrap());
        let error = classify(StatusCode::SERVICE_UNAVAILABLE, &headers, b"");
        assert_eq!(error.should_retry, should_retry, "{word}");
        assert_eq!((error.status, error.retry_after), (Some(503), Some(Duration::from_secs(7))));
    }
    let event = classify_event(anthropic("overloaded_error", "m").as_bytes());
    assert_eq!((event.status, event.retry_after, event.should_retry), (Some(529), None, None));
}

#[test]
fn a_parameter_is_refused_only_if_the_request_is() {
    use crate::provider::parameter::{Objection, Parameter};
    let body = r#"{"error":{"message":"Unsupported value.","param":"temperature"}}"#;
    let refused =
        Some(Refused { parameter: Parameter::Temperature, objection: Objection::NotTaken });
    for (status, expected) in
        [(400, refused), (422, refused), (401, None), (429, None), (500, None)]
    {
        let status = StatusCode::from_u16(status).unwrap();
        assert_eq!(classify(status, &HeaderMap::new(), body.as_bytes()).refused, expected);
    }
    let long = openai("", "context_length_exceeded", "max_tokens");
    assert_eq!(classify(StatusCode::BAD_REQUEST, &HeaderMap::new(), long.as_bytes()).refused, None);
}

#[test]
fn a_question_that_openai_declines_is_an_answer() {
    let bad = StatusCode::BAD_REQUEST;
    for code in ["content_filter", "invalid_prompt", "bio_policy"] {
        let body = openai("invalid_request_error", code, "no");
        assert!(is_content_filter(bad, body.as_bytes()), "{code}");
        assert!(!is_content_filter(StatusCode::UNAUTHORIZED, body.as_bytes()), "{code}");
        assert!(is_declined(body.as_bytes()), "{code}");
    }
    assert!(!is_declined(openai("invalid_request_error", "invalid_value", "no").as_bytes()));
}

#[test]
fn the_codes_of_a_failed_response_stand_for_a_status() {
    for (code, fault) in [
        ("server_error", Fault::Overloaded),
        ("server_is_overloaded", Fault::Overloaded),
        ("service_unavailable_error", Fault::Overloaded),
        ("rate_limit_exceeded", BUSY),
        ("slow_down", BUSY),
        ("context_length_exceeded", Fault::TooLong),
        ("data_residency_mismatch", Fault::Misconfigured),
    ] {
        let nested = json!({"error": {"code": code, "message": "m"}}).to_string();
        let flat =
            json!({"type": "error", "code": code, "message": "m", "param": null}).to_string();
        for body in [nested, flat] {
            assert_eq!(classify_event(body.as_bytes()).fault, fault, "{body}");
        }
    }
}

#[test]
fn a_404_that_points_to_the_other_api_is_not_about_the_model() {
    let only = "This model is only supported in v1/responses and not in v1/chat/completions.";
    let body = json!({"error": {"message": only, "type": "invalid_request_error",
        "param": "model", "code": null}})
    .to_string();
    let error = classify(StatusCode::NOT_FOUND, &HeaderMap::new(), body.as_bytes());
    assert_eq!(error.fault, Fault::Rejected);
    assert_eq!(error.refused.unwrap().parameter, Parameter::Api);
}

#[test]
fn a_monthly_cap_is_no_rate_limit() {
    let body = br#"{"type":"error","error":{"type":"rate_limit_error","message":"This request would exceed a limit.","details":{"error_code":"enforced_spend_limit_reached"}}}"#;
    let error = classify(StatusCode::TOO_MANY_REQUESTS, &HeaderMap::new(), body);
    assert_eq!(error.fault, Fault::Exhausted);
}

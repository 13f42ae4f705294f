use super::*;

#[test]
fn hosts_match_by_name_subdomain_and_port() {
    let hosts = AllowedHosts::parse(
        "Example.com, .shop.test,api.test:8443,127.0.0.1,[::1]:80, münchen.test,",
    )
    .unwrap();
    assert!(!hosts.is_any());
    for host in [
        "example.com",
        "EXAMPLE.com:8000",
        "example.com.",
        "example.com:",
        "shop.test",
        "a.b.shop.test:1",
        "api.test:8443",
        "127.0.0.1:8000",
        "[::1]:80",
        "[0:0:0:0:0:0:0:1]:80",
        "xn--mnchen-3ya.test",
    ] {
        assert!(hosts.allows(host), "{host}");
    }
    for host in [
        "",
        "www.example.com",
        "example.com.evil.test",
        "evilshop.test",
        "shop.test.evil.test",
        "api.test",
        "api.test:443",
        "127.0.0.2",
        "[::1]",
        "[::1]:81",
        "[::1",
        "example.com:99999",
        "example.com:8a",
        "example.com:+80",
        "example.com/x",
        "user@example.com",
        "example.com example.com",
        "example..com",
        ".example.com",
        "a..shop.test",
        ".shop.test",
    ] {
        assert!(!hosts.allows(host), "{host}");
    }
    let any = AllowedHosts::parse("a.test,*").unwrap();
    assert!(any.is_any() && any.allows("whatever.test"));
}

#[test]
fn wrong_hosts_are_refused() {
    for text in [
        ",",
        "*.example.com",
        "https://a.test",
        "a b",
        "a.test:x",
        "..a.test",
        ".127.0.0.1",
        "::1",
        ".[::1]",
        "a.test/",
        "*,a b",
        ".",
        "mün chen.test",
    ] {
        assert!(AllowedHosts::parse(text).is_err(), "{text}");
    }
}

#[test]
fn origins_match_exactly_after_normalising_the_list() {
    let origins = AllowedOrigins::parse(
        "https://Example.com:443/, http://localhost:3000,https://münchen.test,http://[::1]:80",
    )
    .unwrap();
    assert_eq!(
        origins.list().unwrap(),
        [
            "https://example.com",
            "http://localhost:3000",
            "https://xn--mnchen-3ya.test",
            "http://[::1]"
        ]
    );
    assert!(origins.allows("https://example.com"));
    for origin in [
        "",
        "null",
        "http://example.com",
        "https://example.com:8443",
        "https://example.com.evil.test",
        "https://www.example.com",
        "https://example.com/",
        "https://münchen.test",
    ] {
        assert!(!origins.allows(origin), "{origin}");
    }
    let any = AllowedOrigins::parse("*").unwrap();
    assert!(any.is_any() && any.allows("https://x.test") && any.list().is_none());
}

#[test]
fn wrong_origins_are_refused() {
    for text in [
        ",",
        "null",
        "example.com",
        "https://",
        "https:example.com",
        "https://*.example.com",
        "https://example.com/path",
        "https://example.com//",
        "https://example.com?x",
        "https://user@example.com",
        "https://example.com:99999",
        "ftp://example.com",
        "file:///",
        "https://a b",
        "*,nope",
    ] {
        assert!(AllowedOrigins::parse(text).is_err(), "{text}");
    }
}

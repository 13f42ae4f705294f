//! Where values come from.

use super::*;

#[test]
fn flags_win_over_environment_over_dotenv_over_defaults() {
    let port = |args: &[&str], env: &[(&str, &str)], dotenv| {
        read(args, env, dotenv).unwrap().1.listen.port
    };
    let env = [("PORT", "2")];
    let file = Some("PORT=3\n");
    assert_eq!(port(&["--port", "1"], &env, file), 1);
    assert_eq!(port(&["--port=1"], &[], None), 1);
    assert_eq!(port(&[], &env, file), 2);
    assert_eq!(port(&[], &[], file), 3);
    assert_eq!(port(&[], &[], Some("")), 8000);
    // Empty counts as unset, at each level.
    assert_eq!(port(&["--port="], &env, file), 2);
    assert_eq!(port(&["--port", " "], &[("PORT", "")], file), 3);
    assert_eq!(port(&[], &[("PORT", "")], Some("PORT=")), 8000);
    // An overridden value is not even parsed.
    assert_eq!(port(&["--port", "1"], &[("PORT", "x")], Some("PORT=y")), 1);
    assert_eq!(port(&["--port", "x", "--port", "1"], &[], None), 1);
}

#[test]
fn flags_may_come_before_or_after_the_command() {
    for args in [
        ["--port", "1", "serve", "--host", "::1"],
        ["serve", "--host", "::1", "--port", "1"],
        ["--host", "::1", "--port", "1", "serve"],
    ] {
        let (command, config) = read(&args, &[("PORT", "2")], None).unwrap();
        assert_eq!(command, Command::Serve);
        assert_eq!(config.listen.address().to_string(), "[::1]:1", "{args:?}");
    }
    assert_eq!(read(&["openapi"], &[], None).unwrap().0, Command::Openapi);
    assert_eq!(read(&["healthcheck"], &[], None).unwrap().0, Command::Healthcheck);
    let after = read(&["--port", "1", "serve", "--port", "4"], &[], None).unwrap().1;
    assert_eq!(after.listen.port, 4);
}

#[test]
fn dotenv_supports_quotes_comments_export_and_crlf() {
    let file = "\u{feff}# comment\r\nBOT_NAME=\"Ada L.\"\r\nexport PORT=9\r\nPORT=10\r\n\
        UNKNOWN=1\r\nSECRET_KEY='a$b c'\r\nBOT_ICON=\r\nBOT_POWERED_BY=us ";
    let config = read(&[], &[], Some(file)).unwrap().1;
    assert_eq!(config.bot.name, "Ada L.");
    assert_eq!(config.bot.powered_by, "us");
    assert_eq!(config.listen.port, 9, "the first of two counts");
    assert_eq!(config.admin.secret_key.unwrap().expose_secret(), "a$b c");
    assert_eq!(config.bot.icon, None);
}

#[test]
fn a_broken_dotenv_is_reported_without_its_contents() {
    for (text, end) in [
        (
            "PORT=1\nBOT_NAME=two words\n",
            ".env: line 2 must be NAME=value, in quotes if the value has spaces",
        ),
        ("\n\nsk-secret\n", ".env: line 3 must be NAME=value, in quotes if the value has spaces"),
        (
            "A=1\nB='sk-secret\nC=1\n",
            ".env: line 2 must be NAME=value, in quotes if the value has spaces",
        ),
    ] {
        let error = read(&[], &[], Some(text)).unwrap_err();
        assert_eq!(error.code(), 2);
        let error = error.to_string();
        assert!(error.starts_with("error: ") && error.ends_with(end), "{error}");
        assert!(!error.contains("secret"));
    }
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join(".env");
    std::fs::write(&path, b"BOT_NAME=\xff").unwrap();
    let error = parse(["x"], &|_| None, Some(&path)).unwrap_err().to_string();
    assert!(error.ends_with(".env: must be UTF-8 text"), "{error}");
    let error = parse(["x"], &|_| None, Some(folder.path())).unwrap_err().to_string();
    assert!(error.contains(": cannot be read: "), "{error}");
    let missing = folder.path().join("none");
    assert!(parse(["x"], &|_| None, Some(&missing)).is_ok());
}

proptest::proptest! {
    #[test]
    fn any_dotenv_and_any_flag_are_parsed_without_a_panic(
        file in "([A-Z_]{0,3}(PORT|BOT_NAME)?[ =]?[a-z'\"#$ {}\\\\=.\u{e9}]{0,8}\r?\n?){0,4}",
        argument in "(--)?(port|bot-name|serve|bot-color)?=?.{0,6}",
    ) {
        for args in [&[argument.as_str()][..], &[]] {
            if let Err(Exit::Usage(line)) = read(args, &[], Some(&file)) {
                proptest::prop_assert!(!line.contains('\n'));
            }
        }
    }
}

#[test]
fn flags_alone_give_a_config_for_tests() {
    let config = Config::parse_from(["x", "--port", "0", "--data-dir", "/tmp/x"]).unwrap();
    assert_eq!((config.listen.port, config.storage.data_dir.as_path()), (0, Path::new("/tmp/x")));
    assert!(Config::parse_from(["x", "--port", "x"]).is_err());
}

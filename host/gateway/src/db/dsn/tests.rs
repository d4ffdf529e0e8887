use std::collections::BTreeMap;
use std::io;

use proptest::prelude::*;

use super::*;

/// Variables and files of a test.
#[derive(Default)]
struct Given {
    variables: BTreeMap<&'static str, &'static str>,
    files: BTreeMap<&'static str, (&'static str, bool)>,
    sockets: Vec<&'static str>,
}

impl Environment for Given {
    fn var(&self, name: &str) -> Option<String> {
        self.variables.get(name).map(|v| (*v).to_owned())
    }

    fn read(&self, path: &Path) -> io::Result<FileText> {
        let (text, open_to_others) = self
            .files
            .get(path.to_str().unwrap())
            .ok_or_else(|| io::Error::from(io::ErrorKind::NotFound))?;
        Ok(FileText {
            text: (*text).to_owned(),
            open_to_others: *open_to_others,
        })
    }

    fn exists(&self, path: &Path) -> bool {
        self.sockets.iter().any(|s| Path::new(s) == path)
    }
}

fn with(variables: &[(&'static str, &'static str)]) -> Given {
    Given {
        variables: variables.iter().copied().collect(),
        ..Given::default()
    }
}

fn flag(dsn: &str) -> Result<Target, DsnError> {
    resolve_in(Some(dsn), None, &with(&[])).map(Option::unwrap)
}

fn password(target: &Target) -> Option<&str> {
    target.password.as_ref().map(|p| p.0.as_str())
}

#[test]
fn the_flag_comes_before_the_variable_before_the_file_before_libpq() {
    let all = with(&[
        ("PG_LOGSTATS_DATABASE_URL", "postgres://u@variable/d"),
        ("PGHOST", "libpq"),
        ("PGUSER", "u"),
    ]);
    let libpq = with(&[("PGHOST", "libpq"), ("PGUSER", "u")]);
    let config = Some("postgres://u@config/d");
    for (flag, config, environment, host, origin) in [
        (Some("postgres://u@flag/d"), config, &all, "flag", DsnSource::Flag),
        (None, config, &all, "variable", DsnSource::Variable),
        (None, config, &libpq, "config", DsnSource::Config),
        (None, None, &libpq, "libpq", DsnSource::Libpq),
    ] {
        let target = resolve_in(flag, config, environment).unwrap().unwrap();
        assert_eq!((target.host(), target.origin()), (host, origin));
    }
    for name in ["PGUSER", "PGPASSWORD", "PGPORT", "HOME"] {
        assert_eq!(
            resolve_in(None, None, &with(&[(name, "1")])),
            Ok(None),
            "{name} alone means no database"
        );
    }
}

#[test]
fn a_url_and_a_keyword_string_say_the_same() {
    let url =
        flag("postgresql://al%40ice:p%3Aw%2F%C3%A9@db.example:6000/my%20db?sslmode=require&connect_timeout=7").unwrap();
    let keywords = flag(
        r"host=db.example port = 6000 user='al@ice' password='p:w/é' dbname='my db' sslmode=require connect_timeout=7",
    )
    .unwrap();
    assert_eq!(url, keywords);
    assert_eq!(
        (url.host(), url.port(), url.user(), url.database()),
        ("db.example", 6000, "al@ice", "my db")
    );
    assert_eq!(password(&url), Some("p:w/é"));
    assert_eq!((url.tls, url.connect_timeout()), (Tls::Require, Duration::from_secs(7)));
    let socket = flag("postgres:///d?host=/var/run/pg&user=u").unwrap();
    assert_eq!((socket.host(), socket.database()), ("/var/run/pg", "d"));
    assert_eq!(flag("postgres://u@%2Ftmp%2Fsocket/d").unwrap().host(), "/tmp/socket");
    assert_eq!(flag("postgres://u@[::1]:5433/d").unwrap().host(), "::1");
    assert_eq!(
        password(&flag(r"user=u password='it\'s \\ here' host=h").unwrap()),
        Some(r"it's \ here")
    );
}

#[test]
fn what_the_dsn_leaves_out_comes_from_libpq_and_its_defaults() {
    let environment = with(&[
        ("PGPORT", "6543"),
        ("PGUSER", "u"),
        ("PGPASSWORD", "w"),
        ("PGSSLMODE", "disable"),
    ]);
    let target = resolve_in(Some("host=h"), None, &environment).unwrap().unwrap();
    assert_eq!((target.port(), target.user(), target.database()), (6543, "u", "u"));
    assert_eq!((password(&target), target.tls), (Some("w"), Tls::Disable));
    assert_eq!(
        flag("host=h user=u").unwrap().connect_timeout(),
        DEFAULT_CONNECT_TIMEOUT
    );
    assert_eq!(
        flag("host=h"),
        Err(DsnError::NoUser {
            origin: DsnSource::Flag
        })
    );

    let mut local = with(&[("USER", "me")]);
    let host = |given: &Given| {
        resolve_in(Some("dbname=d"), None, given)
            .unwrap()
            .unwrap()
            .host()
            .to_owned()
    };
    assert_eq!(host(&local), "localhost");
    local.sockets = vec!["/tmp/.s.PGSQL.5432"];
    assert_eq!(host(&local), "/tmp");
    local.sockets.push("/var/run/postgresql/.s.PGSQL.5432");
    assert_eq!(host(&local), "/var/run/postgresql");
}

#[test]
fn tls_is_what_libpq_would_do_and_never_weaker() {
    let tls = |options: &str| flag(&format!("host=h user=u {options}")).map(|t| (t.tls, t.root_cert.is_some()));
    assert_eq!(tls(""), Ok((Tls::Prefer, false)));
    assert_eq!(tls("sslmode=allow"), Ok((Tls::Prefer, false)));
    assert_eq!(tls("sslmode=require"), Ok((Tls::Require, false)));
    assert_eq!(tls("sslmode=require sslrootcert=/ca.pem"), Ok((Tls::VerifyCa, true)));
    assert_eq!(
        tls("sslmode=verify-full sslrootcert=/ca.pem"),
        Ok((Tls::VerifyFull, true))
    );
    assert_eq!(tls("sslrootcert=system"), Ok((Tls::VerifyFull, false)));
    for (options, option) in [
        ("sslmode=require sslrootcert=system", "sslmode"),
        ("sslmode=verify_full", "sslmode"),
        ("sslcert=/c", "sslcert"),
        ("sslkey=/k", "sslkey"),
    ] {
        assert!(
            matches!(tls(options), Err(DsnError::InvalidValue { option: o, .. }) if o == option),
            "{options}"
        );
    }
}

#[test]
fn what_is_not_supported_is_refused_by_name() {
    for (dsn, words) in [
        (
            "host=h user=u options='-c role=postgres'",
            "option `options`, which is not supported",
        ),
        ("host=h user=u hostaddr=10.0.0.1", "option `hostaddr`"),
        ("host=h user=u channel_binding=require", "option `channel_binding`"),
        (
            "postgres://u@h/d?statement_cache_capacity=1",
            "option `statement_cache_capacity`",
        ),
        ("postgres://u@h1,h2/d", "option `host` names several hosts"),
        ("host=h user=u port=70000", "option `port` has to be"),
        ("host=h user=u port=0", "option `port` has to be"),
        (
            "host=h user=u connect_timeout=soon",
            "option `connect_timeout` has to be",
        ),
        ("mysql://u@h/d", "does not begin with `postgres://`"),
        ("", "it is empty"),
        ("production", "there is a word without `=`"),
        ("host=h user='u", "a quote is not closed"),
        ("host=h host=i user=u", "an option stands there twice"),
        ("postgres://u:a/b@h/d", "has to be written `%2F`"),
        ("postgres://u:100%@h/d", "has to be written `%25`"),
        ("postgres://u:a#b@h/d", "has to be written `%23`"),
    ] {
        let error = flag(dsn).unwrap_err().to_string();
        assert!(error.contains(words), "expected `{words}` in: {error}");
        assert!(error.starts_with("`--dsn`"), "{error}");
    }
    assert!(flag("host=h user=u application_name=mine channel_binding=prefer").is_ok());
    for variable in ["PGOPTIONS", "PGHOSTADDR", "PGREQUIREAUTH"] {
        let error = resolve_in(Some("host=h user=u"), None, &with(&[(variable, "x")])).unwrap_err();
        assert_eq!(
            error.to_string(),
            format!("the environment variable `{variable}` is set and not supported; unset it")
        );
    }
}

#[test]
fn the_password_file_is_read_as_libpq_reads_it() {
    let file = "# comment\nother:*:*:*:wrong\nh:5432:d:u\\:x:co\\:lon\\\\\nlocalhost:*:*:u:local\n*:*:*:u:any:thing\n";
    let mut environment = with(&[("HOME", "/home/me")]);
    environment.files.insert("/home/me/.pgpass", (file, false));
    let found = |dsn: &str, environment: &Given| {
        password(&resolve_in(Some(dsn), None, environment).unwrap().unwrap()).map(str::to_owned)
    };
    assert_eq!(
        found("host=h dbname=d user=u:x", &environment).as_deref(),
        Some(r"co:lon\")
    );
    assert_eq!(
        found("host=h dbname=d user=u", &environment).as_deref(),
        Some("any:thing")
    );
    assert_eq!(
        found("host=/tmp dbname=d user=u", &environment).as_deref(),
        Some("local")
    );
    assert_eq!(found("host=h dbname=d user=v", &environment), None);
    assert_eq!(
        found("host=h dbname=d user=u password=given", &environment).as_deref(),
        Some("given")
    );

    environment.files.insert("/home/me/.pgpass", (file, true));
    let target = resolve_in(Some("host=h user=u"), None, &environment).unwrap().unwrap();
    assert_eq!(password(&target), None);
    assert!(target.warnings()[0].contains("`chmod 600 /home/me/.pgpass`"));
    let target = resolve_in(Some("host=h user=u passfile=/gone"), None, &environment)
        .unwrap()
        .unwrap();
    assert!(target.warnings()[0].contains("`/gone` cannot be read"));
}

#[test]
fn a_service_fills_in_what_the_dsn_leaves_out() {
    let mut environment = with(&[("HOME", "/home/me"), ("PGSERVICE", "live")]);
    let text = "[test]\nhost=wrong\n\n[live]\n# the one\nhost = s.example\nport=6000\nuser=su\n[live]\nhost=second\n";
    environment.files.insert("/home/me/.pg_service.conf", (text, false));
    let target = resolve_in(None, None, &environment).unwrap().unwrap();
    assert_eq!((target.host(), target.port(), target.user()), ("s.example", 6000, "su"));
    let target = resolve_in(Some("service=test port=1 user=u"), None, &environment)
        .unwrap()
        .unwrap();
    assert_eq!((target.host(), target.port()), ("wrong", 1));
    let error = resolve_in(Some("service=gone user=u"), None, &environment)
        .unwrap_err()
        .to_string();
    assert!(
        error.contains("`gone` is in no service file; looked at `/home/me/.pg_service.conf` and `/etc/"),
        "{error}"
    );
    environment
        .files
        .insert("/home/me/.pg_service.conf", ("[live]\nhost\n", false));
    let error = resolve_in(None, None, &environment).unwrap_err().to_string();
    assert_eq!(
        error,
        "service file `/home/me/.pg_service.conf`, line 2: is neither `[service]` nor `option=value`"
    );
}

#[test]
fn the_target_id_is_the_database_and_not_the_role() {
    let id = |dsn: &str| flag(dsn).unwrap().target_id();
    assert_eq!(id("postgres://a:x@Db.Example/d"), id("host=db.example user=b dbname=d"));
    assert_ne!(id("postgres://a@h/d"), id("postgres://a@h/e"));
    assert_ne!(id("postgres://a@h:1/d"), id("postgres://a@h:2/d"));
    let id = id("postgres://a@h/d");
    assert!(
        id.len() == 19 && id.starts_with("db_") && id.bytes().skip(3).all(|b| b.is_ascii_hexdigit()),
        "{id}"
    );
}

#[test]
fn the_password_is_never_shown() {
    let target = flag("postgres://u:hunter2@h/d").unwrap();
    assert!(!format!("{target:?} {target:#?} {target}").contains("hunter2"));
    assert!(format!("{:?}", target.password).contains("redacted"));
}

proptest! {
    /// Whatever is typed, reading it ends, and neither the error nor the target shows the password.
    #[test]
    fn no_error_shows_a_password(before in "[a-z:/?=&@ '%\\\\]{0,24}", after in "[a-z0-9:/?=&@ '%#,\\\\]{0,24}") {
        let secret = "ZQXJSECRET";
        for dsn in [format!("postgres://{before}{secret}{after}"), format!("{before}password={secret}{after}"), format!("{before}{secret}{after}")] {
            let shown = match flag(&dsn) {
                // Where the secret was typed as a host or a role it is none.
                Ok(target) => format!("{:?}", target.password),
                Err(error) => format!("{error} {error:?}"),
            };
            prop_assert!(!shown.contains(secret), "{shown}");
        }
    }

    /// A percent-encoded password arrives as it was.
    #[test]
    fn any_password_survives_a_url(password_in in "[^\\x00]{1,40}") {
        let encoded: String = password_in.bytes().map(|b| format!("%{b:02X}")).collect();
        let target = flag(&format!("postgres://u:{encoded}@h/d")).unwrap();
        prop_assert_eq!(password(&target), Some(password_in.as_str()));
    }
}

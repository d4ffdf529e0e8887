//! No value of a statement survives, however it is spelt.

use super::form;

fn check(cases: &[(&str, &str)]) {
    let wrong: Vec<_> = cases
        .iter()
        .map(|(sql, expected)| (*sql, *expected, form(sql)))
        .filter(|(_, expected, found)| found != expected || form(found) != *found)
        .collect();
    assert!(wrong.is_empty(), "statement, expected, found: {wrong:#?}");
}

#[test]
fn a_string_goes_on_in_further_lines_by_its_own_rules() {
    check(&[
        ("select E'a'\n'b\\'secret' from t", "select ? from t"),
        (
            "select e'a' -- it's\n\t-- c\n  'b\\'secret'\r\n'c\\'d' from t",
            "select ? from t",
        ),
        ("select E'a'\r'\\'secret', b", "select ?, b"),
        ("select U&'a'\n'secret' uescape '!' from t", "select ? uescape ? from t"),
        ("select b'0'\n'1', x'f'\n'e', n'a'\n'b', c", "select ?, ?, ?, c"),
        ("select 'a'\n'secret' from t", "select ? from t"),
        // A block comment ends the string, and what follows is one by other rules.
        ("select E'a' /* c */\n'b\\'secret', d", "select ?"),
        ("select E'a' 'b\\'secret', d", "select ?"),
        ("select E'a\\\\' from t", "select ? from t"),
        ("select '''', '''secret', 'secret''', '''''', a", "select ?, ?, ?, ?, a"),
    ]);
}

#[test]
fn what_either_reading_of_a_backslash_shows_is_hidden() {
    check(&[
        (r"select 'it\'s secret' from t", "select ?"),
        (
            r"select a from t where b = 'x\' and c = 'secret'",
            "select a from t where b = ?",
        ),
        (r"select a, '\'', secret, '\''", "select a, ?"),
        (r"select a, '\\\'; secret --'", "select a, ?"),
        (r"select n'\'secret', b'\'secret'", "select ?"),
        (r"select 'a', U&'\'secret'", "select ?, ?"),
        // An even number of backslashes is read alike.
        (r"select 'a\\', b, '\\', c from d", "select ?, b, ?, c from d"),
        (r"select 'C:\x\y', '\d+', b", "select ?, ?, b"),
        // The one operand that object mappers write, which cannot be anything else.
        (
            r"select a from t where b like $1 escape '\' order by c",
            "select a from t where b like ? escape ? order by c",
        ),
        (r"select a like b escape '\'", "select a like b escape ?"),
        (r"select (a like b ESCAPE'\'), c", "select (a like b escape ?), c"),
        (r"select a like b escape '\'secret' from t", "select a like b escape ?"),
        (r"select a like b escape '\'' , secret , ' ", "select a like b escape ?"),
        (
            "select a like b escape -- it's\n/* ' */ '\\'/* ' */, c",
            "select a like b escape ?, c",
        ),
        (r"select a like b escape '\'-, secret", "select a like b escape ?"),
        (r"select escape, '\', secret", "select escape, ?"),
        (r"select xescape '\' , secret", "select xescape ?"),
    ]);
}

#[test]
fn values_of_settings_need_no_quotes() {
    check(&[
        ("SET x TO secret", "set x to ?"),
        ("set x = secret, 'secret', \"secret\", -1", "set x = ?"),
        ("set local my.x.y = secret; select a", "set local my.x.y = ?; select a"),
        ("set session x to on", "set session x to ?"),
        ("set session = secret", "set session = ?"),
        ("set \"My.x\" = 10.0.0.1/24", "set \"My.x\" = ?"),
        ("set x to default", "set x to default"),
        ("set x to default secret", "set x to default ?"),
        ("set x = true", "set x = ?"),
        ("set search_path to a, b, public", "set search_path to ?"),
        ("set role bob", "set role ?"),
        ("set local role none", "set local role none"),
        ("set role to 'bob'", "set role to ?"),
        ("set session authorization bob", "set session authorization ?"),
        ("set session authorization default", "set session authorization default"),
        ("set time zone 'UTC'", "set time zone ?"),
        ("set time zone interval '1' hour to minute", "set time zone ?"),
        ("set time zone local", "set time zone local"),
        ("set names 'utf8'", "set names ?"),
        ("set xml option document", "set xml option ?"),
        ("set x from current", "set x from current"),
        (
            "set transaction isolation level repeatable read, read only",
            "set transaction isolation level repeatable read, read only",
        ),
        ("set transaction snapshot '0-1'", "set transaction snapshot ?"),
        ("set transaction secret", "set transaction ?"),
        (
            "set session characteristics as transaction read write",
            "set session characteristics as transaction read write",
        ),
        ("set constraints a, b deferred", "set constraints a, b deferred"),
        ("set password for bob = secret", "set password ?"),
        ("set @x = secret", "set ?"),
        ("set x secret", "set x ?"),
        ("alter system set x.y to secret, b", "alter system set x.y to ?"),
        ("alter system reset x", "alter system reset x"),
        ("alter database d set x = secret", "alter database d set x = ?"),
        (
            "alter role bob in database d set x to secret; select a",
            "alter role bob in database d set x to ?; select a",
        ),
        ("alter user all set role secret", "alter user all set role ?"),
        (
            "create or replace function f(a int) returns int set x to secret, 'secret' set y = 1 language sql as $$secret$$",
            "create or replace function f(a int) returns int set x to ? set y = ? language sql as ?",
        ),
        (
            "alter function f(int) set x = secret strict",
            "alter function f(int) set x = ? strict",
        ),
        (
            "alter procedure p set x from current",
            "alter procedure p set x from current",
        ),
        (
            "create function f() begin atomic update t set a = b; select a; end",
            "create function f() begin atomic update t set a = b; select a; end",
        ),
        // No settings.
        ("update t set a = b, c = d where e", "update t set a = b, c = d where e"),
        (
            "alter table t alter a set default b",
            "alter table t alter a set default b",
        ),
        (
            "alter table t alter a set not null",
            "alter table t alter a set not null",
        ),
        (
            "alter table t set (x = secret, y.z = off, fillfactor = 70)",
            "alter table t set(x = ?, y.z = ?, fillfactor = ?)",
        ),
        (
            "create index i on t (a) with (x = secret(a, b) secret, y) where a = b",
            "create index i on t(a) with (x = ?, y) where a = b",
        ),
        (
            "create rule r as on update to v do also update t set (a, b) = (c, d)",
            "create rule r as on update to v do also update t set(a, b) = (c, d)",
        ),
    ]);
}

#[test]
fn where_only_a_string_may_stand_anything_else_ends_the_form() {
    check(
        &[
            (
                "create user mapping for bob server s options (user 'x', password secret, a 'b')",
                "create user mapping for bob server s options(user ?, password ?",
            ),
            (
                "create user mapping if not exists for bob server s options (user 'x', \"Password\" 'y')",
                "create user mapping if not exists for bob server s options(user ?, \"Password\" ?)",
            ),
            (
                "alter server s options (add password secret)",
                "alter server s options(add password ?",
            ),
            (
                "alter server s version 'x' options (set host 'x', drop port, add 'y')",
                "alter server s version ? options(set host ?, drop port, add ?)",
            ),
            ("alter server s options password secret", "alter server s options ?"),
            (
                "alter server s options (password = 'x' secret)",
                "alter server s options(password ?",
            ),
            (
                "alter server s options (password 'it' secret)",
                "alter server s options(password ?",
            ),
            (
                "create foreign table t (options text, b int options (n 'x')) server s options (n \"secret\")",
                "create foreign table t(options text, b int options(n ?)) server s options(n ?",
            ),
            (
                "import foreign schema a from server s into b options (n 'x', m secret)",
                "import foreign schema a from server s into b options(n ?, m ?",
            ),
            (
                "create subscription s connection 'host=x' publication p with (a = secret, b = 'c')",
                "create subscription s connection ? publication p with (a = ?, b = ?)",
            ),
            (
                "create subscription s connection \"password=secret\" publication p",
                "create subscription s connection ?",
            ),
            (
                "create subscription s connection password=secret publication p",
                "create subscription s connection ?",
            ),
            (
                "create subscription s connection 'password='secret' publication p",
                "create subscription s connection ?",
            ),
            (
                "alter subscription s connection 'x' 'secret' secret",
                "alter subscription s connection ?",
            ),
            (
                "comment on column \"T\".\"is\" is 'x'",
                "comment on column \"T\".\"is\" is ?",
            ),
            ("comment on table t is secret", "comment on table t is ?"),
            ("comment on table t is 'the dogs' secret", "comment on table t is ?"),
            (
                "comment on table t is null; select a",
                "comment on table t is null; select a",
            ),
            (
                "comment on table t is U&'x' uescape '!'",
                "comment on table t is ? uescape ?",
            ),
            (
                "security label for p on table t is \"secret\"",
                "security label for p on table t is ?",
            ),
            ("notify c, 'x'; select a", "notify c, ?; select a"),
            ("notify c, secret", "notify c, ?"),
            ("notify c secret", "notify c ?"),
            ("notify c", "notify c"),
            ("do $$begin end$$ language plpgsql", "do ? language plpgsql"),
            ("do language plpgsql 'x'", "do language plpgsql ?"),
            ("do $$ a $$ secret $$ b $$", "do ?"),
            ("do begin secret end", "do ?"),
            ("load secret", "load ?"),
            ("prepare transaction secret", "prepare transaction ?"),
            ("prepare p as select a", "prepare p as select a"),
            (
                "commit prepared 'x'; rollback prepared secret",
                "commit prepared ?; rollback prepared ?",
            ),
            ("rollback to savepoint a", "rollback to savepoint a"),
            (
                "create tablespace t owner bob location '/x' with (a = b)",
                "create tablespace t owner bob location ? with (a = ?)",
            ),
            ("create tablespace t location secret", "create tablespace t location ?"),
            (
                "copy t from program 'curl secret' with (format csv)",
                "copy t from program ? with (format csv)",
            ),
            ("copy t from program curl secret", "copy t from program ?"),
            ("copy t (a, b) to \"/secret\" csv", "copy t(a, b) to ?"),
            ("copy t to '/x' csv header", "copy t to ? csv header"),
            (
                "copy(select a from b) to stdout; select c",
                "copy(select a from b) to stdout; select c",
            ),
            (
                "copy t (a, b) from stdin with (format csv, null 'x', header);",
                "copy t(a, b) from stdin with (format csv, ? ?, header)",
            ),
            (
                "copy t from stdin csv force not null a, b",
                "copy t from stdin csv force not null a, b",
            ),
            // Data that a client sent as if it were SQL.
            ("copy t from stdin;\n1\tsecret\n\\.\n", "copy t from stdin"),
            ("copy t from stdin\n1\tsecret\n\\.\n", "copy t from stdin ? "),
            ("select (a; copy t from \"secret\"", "select (a; copy t from ?"),
        ]
        .map(|(sql, expected)| (sql, expected.trim_end())),
    );
}

#[test]
fn options_of_roles_are_known_ones() {
    check(&[
        (
            "create role bob with login nosuperuser connection limit -1 valid until 'x' in role a, \"B\" admin c sysid 7",
            "create role bob with login nosuperuser connection limit ? valid until ? in role a, \"B\" admin c sysid ?",
        ),
        (
            "create user 'bob' encrypted password 'x' valid until 'y'",
            "create user ? encrypted password ?",
        ),
        ("create role mapping password secret", "create role mapping password ?"),
        (
            "create role bob valid until secret password 'x'",
            "create role bob valid until ?",
        ),
        (
            "create role bob valid until 'x' password secret",
            "create role bob valid until ? password ?",
        ),
        ("alter role bob rename to alice", "alter role bob rename to alice"),
        ("alter role bob reset all", "alter role bob reset all"),
        ("alter group g add user a, b", "alter group g add user a, b"),
        ("alter group g password secret; select a", "alter group g password ?"),
        ("alter role bob password", "alter role bob password ?"),
        ("alter role bob password null", "alter role bob password ?"),
        (
            "begin alter role bob password secret",
            "begin alter role bob password ?",
        ),
        (
            "create schema s create role bob password secret",
            "create schema s create role bob password ?",
        ),
        (
            "create table t (a int) alter role bob password secret",
            "create table t(a int) alter role bob password ?",
        ),
        (
            "comment on table t alter role bob password secret",
            "comment on table t alter role bob password ?",
        ),
        (
            "alter table t alter role set not null, add password text",
            "alter table t alter role set not null, add password text",
        ),
        (
            "create user mapping for bob server s password secret",
            "create user mapping for bob server s password ?",
        ),
        (
            "create database d owner bob password secret",
            "create database d owner bob password ?",
        ),
        ("(create role bob password secret", "(create role bob password ?"),
        // The word is a name if it is quoted, and the server refuses it. It is logged all the same.
        ("alter role bob \"password\" secret", "alter role bob password ?"),
        ("alter role bob U&\"password\" secret", "alter role bob ?"),
        ("alter role bob U&\"p\\0061ssword\" 'secret'", "alter role bob ?"),
        (
            "alter role bob U&\"p!0061ssword\" uescape '!' secret",
            "alter role bob ?",
        ),
        ("alter role bob \"PASSWORD\" secret", "alter role bob ?"),
        ("alter role bob pasword secret", "alter role bob ?"),
        ("alter user bob identified by secret", "alter user bob ?"),
        ("create user bob@localhost password secret", "create user bob ?"),
        ("create user", "create user"),
        (
            "alter user mapping for bob server s options (set password 'x')",
            "alter user mapping for bob server s options(set password ?)",
        ),
        // What psql's \password sends.
        (
            "ALTER USER \"bob\" PASSWORD 'SCRAM-SHA-256$4096:x$y:z'",
            "alter user bob password ?",
        ),
        (
            "select password from users where \"role\" = 'x'",
            "select password from users where role = ?",
        ),
    ]);
}

#[test]
fn letters_that_touch_a_number_are_part_of_it() {
    check(&[
        ("select 9fsecret, b", "select ?, b"),
        (
            "select 0xzzsecret, 0x1fsecret, 1_secret, 1e5secret, 1esecret, .5secret, 1.secret",
            "select ?, ?, ?, ?, ?, ?, ?",
        ),
        ("select $1secret, $1$secret", "select ?, ?"),
        ("select 9é, 9é$secret", "select ?, ?"),
        (
            "select a from t where b=1and c=2or d=$1union select e",
            "select a from t where b = ? and c = ? or d = ? union select e",
        ),
        // A dollar is none of them: it may begin a string.
        ("select 1$$secret secret$$, $1$a$secret secret$a$", "select ? ?, ? ?"),
        ("select 1..10", "select ? .. ?"),
        ("set x = 9fsecret", "set x = ?"),
    ]);
}

#[test]
fn quotes_that_are_not_what_they_seem_hide_what_follows() {
    check(&[
        (
            "insert into t values (1, 'a', 'it's secret', 2)",
            "insert into t values (?, ?",
        ),
        (
            "insert into t values ('it's secret', 'bob's secret')",
            "insert into t values (?",
        ),
        (
            "insert into t values ('the dogs' bone, isn't secret', 'x')",
            "insert into t values (?",
        ),
        ("insert into t values ('5'6\" secret', 'x')", "insert into t values (?"),
        ("select 'a', secret 'cut", "select ?"),
        ("select 'a', secret, \"cut", "select ?"),
        ("select 'a', secret, $a$cut", "select ?"),
        ("select 'a', secret, $cut", "select ?"),
        ("select 'a', secret /* cut", "select ?"),
        ("select a /* cut", "select a"),
        ("select a, \"cut", "select a, ?"),
        ("select a in (1, 'a', secret, 'cut", "select a in (?"),
        ("values (1, 2), ('a', 'b'), (secret, 'cut", "values (?, ?)"),
        ("insert into t values ({\"a\": \"secret\"})", "insert into t values (?"),
        ("select ‘secret’, “secret”", "select ?"),
        ("select ´secret´", "select ?"),
        ("select\u{a0}secret", "?"),
        ("\u{feff}alter role bob password secret", "alter role bob password ?"),
        // What may touch a string.
        (
            "select 'a', date'b', interval'1'as c from t where d='e'and f='g'or h like'i'",
            "select ?, date ?, interval ? as c from t where d = ? and f = ? or h like ?",
        ),
        ("select $$a$$language", "select ? language"),
        ("select json_x'a', b", "select json_x ?, b"),
    ]);
}

#[test]
fn everything_else_that_holds_a_value() {
    check(&[
        (
            "select set_config('x', 'secret', false), pg_catalog.set_config(E'x', $$secret$$, true)",
            "select set_config(?, ?, ?), pg_catalog.set_config(?, ?, ?)",
        ),
        ("execute p('secret', $a$secret$a$)", "execute p(?, ?)"),
        ("declare c cursor for select 'secret'", "declare c cursor for select ?"),
        (
            "select E'\\x27secret', '{\"a\": \"secret\"}'::jsonb ? 'secret', '$1.50'::money",
            "select ?, ?::jsonb ? ?, ?::money",
        ),
        ("select $tést$ secret $tEst$ secret $tést$, a", "select ?, a"),
        ("select $a1$ secret $$ $a1$, a", "select ?, a"),
        ("select :'x', :\"y\", :z", "select : ?, : y, : z"),
        ("select 'a\0secret', b\0c", "select ?, b c"),
        ("select a -- secret\rfrom t --secret", "select a from t"),
        (
            "select a /* /* -- */ secret ' */ -- secret\r\nfrom t",
            "select a from t",
        ),
        ("select a--secret", "select a"),
        (
            "alter type e add value 'secret' before 'secret'",
            "alter type e add value ? before ?",
        ),
    ]);
}

#[test]
fn a_run_tells_whether_it_read_one_whole_statement() {
    let is_whole = |sql: &str| super::Normaliser::default().run(sql.as_bytes()).is_whole;
    for sql in ["select 1", "select 'a';", " ;; ", "select 1;;", "select a --;", ""] {
        assert!(is_whole(sql), "{sql}");
    }
    for sql in [
        "select 1; select 2",
        "select 'cut",
        "select a /*",
        r"select '\'",
        "alter role a password b",
        "copy t from stdin; x",
    ] {
        assert!(!is_whole(sql), "{sql}");
    }
}

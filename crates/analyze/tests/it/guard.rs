//! What asking in SQL may not do.

use tachograph_model::{Ask, AskError, question};

use crate::home::TestHome;

fn ask(query: &str) -> Result<tachograph_model::answer::Sql, AskError> {
    let home = TestHome::new();
    let query = query.to_owned();
    let question = question::Sql {
        query,
        row_limit: 10,
    };
    question.ask(&home.engine()).map(|(found, _)| found)
}

#[test]
fn what_does_more_than_read_is_refused_by_name() {
    for (query, word) in [
        ("COPY (SELECT 1) TO '/tmp/out.csv'", "COPY"),
        ("EXPLAIN ANALYZE COPY (SELECT 1) TO '/tmp/out.csv'", "COPY"),
        (
            "CREATE EXTERNAL TABLE t STORED AS CSV LOCATION '/etc/passwd'",
            "CREATE EXTERNAL TABLE",
        ),
        ("CREATE TABLE t AS SELECT 1", "CREATE"),
        ("CREATE VIEW v AS SELECT 1", "CREATE"),
        ("INSERT INTO events VALUES (1)", "INSERT"),
        ("DROP TABLE events", "DROP"),
        ("DELETE FROM events", "DELETE"),
        ("UPDATE events SET name = 'x'", "UPDATE"),
        ("SET datafusion.runtime.memory_limit = '100G'", "SET"),
        ("RESET datafusion.runtime.memory_limit", "RESET"),
        ("PREPARE p AS SELECT 1", "PREPARE"),
        ("USE other", "USE"),
        ("TRUNCATE TABLE events", "TRUNCATE"),
        ("ALTER TABLE events RENAME TO e", "ALTER"),
        ("SELECT 1; SELECT 2", "2 statements"),
        ("SELECT 1; DROP TABLE events", "2 statements"),
    ] {
        match ask(query) {
            Err(AskError::Forbidden { what }) => assert!(what.contains(word), "{query}: {what}"),
            other => panic!("{query}: {other:?}"),
        }
    }
}

#[test]
fn files_are_no_tables() {
    for query in [
        "SELECT * FROM '/etc/passwd'",
        "SELECT * FROM \"/etc/passwd\"",
        "SELECT * FROM read_parquet('/etc/passwd')",
        "SELECT * FROM read_csv('/etc/passwd')",
        "SELECT * FROM read_json('/etc/passwd')",
        "SELECT * FROM glob('/etc/*')",
        "SELECT read_text('/etc/passwd')",
        "SELECT pg_read_file('/etc/passwd')",
        "LOAD '/tmp/library.so'",
        "ATTACH '/tmp/x.db' AS x",
        "SELECT * FROM parquet_metadata('/etc/passwd')",
        "SELECT * FROM 'file:///etc/passwd.csv'",
        "SELECT * INTO t FROM events",
    ] {
        let result = ask(query);
        assert!(
            matches!(
                result,
                Err(AskError::Query { .. } | AskError::Forbidden { .. })
            ),
            "{query}: {result:?}"
        );
    }
}

#[test]
fn what_reads_passes() {
    for query in [
        "SELECT 1",
        "WITH a AS (SELECT 1 AS x) SELECT * FROM a",
        "EXPLAIN SELECT * FROM events",
        "DESCRIBE events",
        "SHOW TABLES",
        "SHOW COLUMNS FROM events",
        "VALUES (1), (2)",
        "SELECT count(*) FROM events;",
    ] {
        let result = ask(query);
        assert!(result.is_ok(), "{query}: {result:?}");
    }
}

#[test]
fn what_is_no_sql_says_where() {
    for query in [
        "",
        "  ;",
        "selekt 1",
        "SELECT nothing FROM events",
        "SELECT * FROM nowhere",
    ] {
        let result = ask(query);
        assert!(
            matches!(result, Err(AskError::Query { .. })),
            "{query}: {result:?}"
        );
    }
    // Without the names that a program gives to what went wrong.
    let check = |query: &str, said: &str| {
        let told = ask(query).expect_err("no SQL").to_string();
        assert!(told.ends_with(said), "{told}");
    };
    check(
        "selekt 1",
        ": Expected: an SQL statement, found: selekt at Line: 1, Column: 1",
    );
    check(
        "select\n 'x",
        ": Unterminated string literal at Line: 2, Column: 2",
    );
}

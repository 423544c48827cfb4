//! Many requests, one transaction, one flush.

use super::request::{Answer, Request, Transaction};
use crate::Error;

/// Runs each request in a savepoint of one transaction, so that a refused one spoils no other.
///
/// An error means that the whole transaction failed and nothing of any request was written.
pub(super) fn commit(
    transaction: &Transaction<'_>,
    requests: &[&Request],
) -> Result<Vec<Result<Answer, Error>>, Error> {
    let done = run_all(transaction, requests);
    if done.is_err() && !transaction.conn.is_autocommit() {
        transaction.batch("ROLLBACK")?;
    }
    done
}

fn run_all(
    transaction: &Transaction<'_>,
    requests: &[&Request],
) -> Result<Vec<Result<Answer, Error>>, Error> {
    transaction.batch("BEGIN IMMEDIATE")?;
    let mut answers = Vec::with_capacity(requests.len());
    for request in requests {
        answers.push(run_one(transaction, request)?);
    }
    transaction.batch("COMMIT")?;
    Ok(answers)
}

fn run_one(
    transaction: &Transaction<'_>,
    request: &Request,
) -> Result<Result<Answer, Error>, Error> {
    transaction.batch("SAVEPOINT request")?;
    match transaction.run(request) {
        Ok(answer) => {
            transaction.batch("RELEASE request")?;
            Ok(Ok(answer))
        }
        // SQLite gives up the whole transaction for some failures, a full disk among them.
        Err(error) if transaction.conn.is_autocommit() => Err(error),
        Err(error) => {
            transaction.batch("ROLLBACK TO request; RELEASE request")?;
            Ok(Err(error))
        }
    }
}

impl Transaction<'_> {
    fn batch(&self, sql: &str) -> Result<(), Error> {
        self.conn
            .execute_batch(sql)
            .map_err(|error| self.file.error(&error))
    }
}

#[cfg(test)]
mod tests {
    use super::super::file::File;
    use super::super::schema;
    use super::*;
    use crate::{Outgoing, Stream};

    fn append(bytes: usize) -> Request {
        let record = Outgoing {
            value: vec![7; bytes],
            ..Outgoing::default()
        };
        Request::Append {
            stream: Stream::Reports,
            partition: 0,
            records: vec![record],
        }
    }

    #[test]
    fn a_transaction_that_finds_no_room_is_an_error_and_the_next_one_works() {
        let folder = tempfile::tempdir().unwrap();
        let file = File::new(&folder.path().join("log")).unwrap();
        let conn = schema::open(&file).unwrap();
        conn.pragma_update(None, "max_page_count", 40).unwrap();
        let transaction = Transaction {
            conn: &conn,
            file: &file,
            max_bytes: None,
        };
        let (small, huge) = (append(10), append(900_000));

        let full = commit(&transaction, &[&small, &huge, &small]);
        assert!(matches!(full, Err(Error::Full { .. })), "{full:?}");
        let rows = |sql| conn.query_row(sql, [], |row| row.get::<_, i64>(0)).unwrap();
        assert_eq!(
            rows("SELECT count(*) FROM reports"),
            0,
            "it is all or nothing"
        );

        let answers = commit(&transaction, &[&small, &small]).unwrap();
        assert!(answers.iter().all(Result::is_ok), "{answers:?}");
        assert_eq!(rows("SELECT count(*) FROM reports"), 2);
    }
}

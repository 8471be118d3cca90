//! A transaction with its connection, which closes if the transaction is left open.

use crate::domain::error::Result;
use crate::store::engine::Connection;
use crate::store::{Tx, WriteTx};

/// A transaction with its connection.
pub(super) trait Transaction {
    /// Returns the connection.
    fn connection(&mut self) -> &mut Connection;
}

impl Transaction for Tx {
    fn connection(&mut self) -> &mut Connection {
        &mut self.connection
    }
}

impl Transaction for WriteTx {
    fn connection(&mut self) -> &mut Connection {
        &mut self.connection
    }
}

/// Closes a connection whose transaction was left open, because its caller left, instead of
/// returning it to the pool. The server detects this soon, even while it waits for a lock.
pub(super) struct CloseUnlessFinished<T: Transaction> {
    pub(super) tx: T,
    pub(super) is_finished: bool,
}

impl<T: Transaction> CloseUnlessFinished<T> {
    /// Ends the transaction. If this fails, the connection closes, which rolls back.
    pub(super) async fn end(&mut self, statement: &str) -> Result<()> {
        let ended = self.tx.connection().simple(statement).await;
        self.is_finished = ended.is_ok();
        ended
    }
}

impl<T: Transaction> Drop for CloseUnlessFinished<T> {
    fn drop(&mut self) {
        if let (false, Connection::Postgres(connection)) = (self.is_finished, self.tx.connection())
        {
            connection.close_on_drop();
        }
    }
}

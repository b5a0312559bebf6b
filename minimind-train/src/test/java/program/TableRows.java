package program;

import io.minimind.data.Row;
import io.minimind.data.RowReader;
import io.minimind.data.Rows;
import java.io.IOException;
import java.sql.Connection;
import java.sql.DriverManager;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.util.List;
import java.util.Optional;

/**
 * The table {@code stories} of a database.
 *
 * @param url of the database, as JDBC has it
 */
public record TableRows(String url) implements Rows {

  @Override
  public String name() {
    return "stories";
  }

  @Override
  public String fingerprint() throws IOException {
    try (Connection connection = DriverManager.getConnection(url);
        ResultSet found = query(connection, "select count(*), max(changed) from stories")) {
      found.next();
      return found.getLong(1) + " rows, changed " + found.getString(2);
    } catch (SQLException e) {
      throw new IOException("The stories cannot be counted: " + e.getMessage(), e);
    }
  }

  @Override
  public RowReader open(List<List<String>> columns) throws IOException {
    String names = String.join(", ", columns.get(0));
    try {
      Connection connection = DriverManager.getConnection(url);
      ResultSet result = query(connection, "select " + names + " from stories order by id");
      return new ResultRows(connection, result);
    } catch (SQLException e) {
      throw new IOException("The stories cannot be read: " + e.getMessage(), e);
    }
  }

  private static ResultSet query(Connection connection, String sql) throws SQLException {
    return connection.createStatement().executeQuery(sql);
  }

  private record ResultRows(Connection connection, ResultSet result) implements RowReader {

    @Override
    public Optional<Row> next() throws IOException {
      try {
        if (!result.next()) {
          return Optional.empty();
        }
        String[] cells = new String[result.getMetaData().getColumnCount()];
        for (int i = 0; i < cells.length; i++) {
          cells[i] = result.getString(i + 1);
        }
        return Optional.of(Row.of(result.getRow(), cells));
      } catch (SQLException e) {
        throw new IOException("A story cannot be read: " + e.getMessage(), e);
      }
    }

    @Override
    public void close() throws IOException {
      try {
        connection.close();
      } catch (SQLException e) {
        throw new IOException("The database cannot be closed: " + e.getMessage(), e);
      }
    }
  }
}

package program;

import io.minimind.data.Row;
import io.minimind.data.RowReader;
import io.minimind.data.Rows;
import java.util.Iterator;
import java.util.List;
import java.util.Optional;
import java.util.stream.IntStream;

/** Texts in memory. */
public record ListRows(List<String> texts) implements Rows {

  @Override
  public String name() {
    return "a list";
  }

  @Override
  public String fingerprint() {
    return Integer.toString(texts.hashCode());
  }

  @Override
  public RowReader open(List<List<String>> columns) {
    Iterator<Row> rows =
        IntStream.range(0, texts.size()).mapToObj(i -> Row.of(i + 1, texts.get(i))).iterator();
    return () -> rows.hasNext() ? Optional.of(rows.next()) : Optional.empty();
  }
}

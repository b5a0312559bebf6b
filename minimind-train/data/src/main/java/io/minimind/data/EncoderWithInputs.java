package io.minimind.data;

import io.minimind.artifact.BatchInput;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import java.util.function.BiFunction;
import java.util.stream.Collectors;
import java.util.stream.Stream;

/** The samples of another encoder with more inputs, of more columns of the row. */
record EncoderWithInputs(
    SampleEncoder encoder,
    List<String> more,
    List<BatchInput> added,
    String name,
    BiFunction<Sample, List<String>, Sample> addition)
    implements SampleEncoder {

  @Override
  public List<List<String>> columns() {
    return encoder.columns().stream()
        .map(columns -> Stream.concat(columns.stream(), more.stream()).toList())
        .toList();
  }

  @Override
  public int vocabularySize() {
    return encoder.vocabularySize();
  }

  @Override
  public int groupSize() {
    return encoder.groupSize();
  }

  @Override
  public List<BatchInput> inputs() {
    List<BatchInput> inputs = new ArrayList<>(encoder.inputs());
    inputs.addAll(added);
    return inputs;
  }

  @Override
  public String description() {
    return name + " " + encoder.description();
  }

  @Override
  public List<Sample> encode(Row row) {
    int own = row.cells().size() - more.size();
    Set<Integer> json =
        row.json().stream().filter(cell -> cell < own).collect(Collectors.toUnmodifiableSet());
    List<String> columns = row.columns().stream().limit(own).toList();
    Row inner = new Row(row.number(), row.line(), row.cells().subList(0, own), json, columns);
    List<String> cells = row.cells().subList(own, row.cells().size());
    return encoder.encode(inner).stream().map(sample -> addition.apply(sample, cells)).toList();
  }
}

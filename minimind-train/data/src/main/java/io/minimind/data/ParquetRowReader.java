package io.minimind.data;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;
import org.apache.parquet.ParquetReadOptions;
import org.apache.parquet.column.page.PageReadStore;
import org.apache.parquet.conf.PlainParquetConfiguration;
import org.apache.parquet.example.data.Group;
import org.apache.parquet.example.data.simple.convert.GroupRecordConverter;
import org.apache.parquet.hadoop.ParquetFileReader;
import org.apache.parquet.io.ColumnIOFactory;
import org.apache.parquet.io.LocalInputFile;
import org.apache.parquet.io.RecordReader;
import org.apache.parquet.schema.GroupType;
import org.apache.parquet.schema.LogicalTypeAnnotation;
import org.apache.parquet.schema.MessageType;
import org.apache.parquet.schema.PrimitiveType;
import org.apache.parquet.schema.Type;

/**
 * Rows of a Parquet file, whose columns may hold lists and structures: those become JSON. A row
 * group is in memory at a time.
 */
final class ParquetRowReader implements RowReader {

  /** What reads Parquet, as Maven names it; optional, because it weighs as much as ONNX Runtime. */
  static final String LIBRARY = "blue.strategic.parquet:parquet-floor";

  private static final JsonNodeFactory JSON = JsonNodeFactory.instance;

  private final Path file;
  private final List<List<String>> alternatives;
  private final ParquetFileReader reader;
  private final MessageType schema;
  private final long size;
  private final long rowCount;
  private RecordReader<Group> records;
  private long left;
  private long rows;

  private ParquetRowReader(
      Path file, List<List<String>> alternatives, ParquetFileReader reader, MessageType schema)
      throws IOException {
    this.file = file;
    this.alternatives = alternatives;
    this.reader = reader;
    this.schema = schema;
    size = Files.size(file);
    rowCount = Math.max(1, reader.getRecordCount());
  }

  static RowReader open(Path file, List<List<String>> alternatives) throws IOException {
    try {
      ParquetFileReader reader =
          ParquetFileReader.open(
              new LocalInputFile(file),
              ParquetReadOptions.builder(new PlainParquetConfiguration()).build());
      try {
        MessageType all = reader.getFileMetaData().getSchema();
        List<String> names = all.getFields().stream().map(Type::getName).toList();
        List<String> columns =
            alternatives.stream()
                .filter(names::containsAll)
                .findFirst()
                .orElseThrow(
                    () ->
                        new IOException(
                            "%s has none of the columns %s: its columns are %s."
                                .formatted(
                                    file,
                                    ColumnSets.describe(alternatives),
                                    ColumnSets.quoted(names))));
        MessageType wanted =
            new MessageType(all.getName(), columns.stream().distinct().map(all::getType).toList());
        reader.setRequestedSchema(wanted);
        return new ParquetRowReader(file, List.of(columns), reader, wanted);
      } catch (IOException | RuntimeException e) {
        reader.close();
        throw e;
      }
    } catch (NoClassDefFoundError e) {
      throw new IOException(
          "%s is a Parquet file, and the library for such files is missing: add the dependency %s to the application."
              .formatted(file, LIBRARY),
          e);
    } catch (RuntimeException e) {
      throw new IOException(file + " is no Parquet file, or it is damaged.", e);
    }
  }

  @Override
  public Optional<Row> next() throws IOException {
    try {
      while (left == 0) {
        PageReadStore pages = reader.readNextRowGroup();
        if (pages == null) {
          return Optional.empty();
        }
        left = pages.getRowCount();
        records =
            new ColumnIOFactory()
                .getColumnIO(schema)
                .getRecordReader(pages, new GroupRecordConverter(schema));
      }
      left--;
      rows++;
      return Optional.of(
          JsonRowReader.row(file, rows, 0, structure(records.read(), schema), alternatives));
    } catch (MalformedRowException e) {
      throw e;
    } catch (IOException | RuntimeException e) {
      throw new IOException("%s is damaged at row %d.".formatted(file, rows), e);
    }
  }

  private static ObjectNode structure(Group group, GroupType type) {
    ObjectNode object = JSON.objectNode();
    for (int i = 0; i < type.getFieldCount(); i++) {
      Type field = type.getType(i);
      if (field.isRepetition(Type.Repetition.REPEATED)) {
        ArrayNode array = object.putArray(field.getName());
        for (int n = 0; n < group.getFieldRepetitionCount(i); n++) {
          array.add(value(group, field, i, n));
        }
      } else {
        object.set(
            field.getName(),
            group.getFieldRepetitionCount(i) == 0 ? JSON.nullNode() : value(group, field, i, 0));
      }
    }
    return object;
  }

  private static JsonNode value(Group group, Type field, int index, int occurrence) {
    if (field.isPrimitive()) {
      return primitive(group, field.asPrimitiveType(), index, occurrence);
    }
    Group inner = group.getGroup(index, occurrence);
    GroupType type = field.asGroupType();
    // A list is a group of one repeated group, which holds one element.
    if (type.getLogicalTypeAnnotation() instanceof LogicalTypeAnnotation.ListLogicalTypeAnnotation
        && type.getFieldCount() == 1) {
      ArrayNode array = JSON.arrayNode();
      Type element = type.getType(0);
      for (int n = 0; n < inner.getFieldRepetitionCount(0); n++) {
        boolean wrapped = !element.isPrimitive() && element.asGroupType().getFieldCount() == 1;
        array.add(
            wrapped
                ? structure(inner.getGroup(0, n), element.asGroupType()).elements().next()
                : value(inner, element, 0, n));
      }
      return array;
    }
    return structure(inner, type);
  }

  private static JsonNode primitive(Group group, PrimitiveType type, int index, int occurrence) {
    return switch (type.getPrimitiveTypeName()) {
      case BOOLEAN -> JSON.booleanNode(group.getBoolean(index, occurrence));
      case INT32 -> JSON.numberNode(group.getInteger(index, occurrence));
      case INT64 -> JSON.numberNode(group.getLong(index, occurrence));
      case FLOAT -> JSON.numberNode(group.getFloat(index, occurrence));
      case DOUBLE -> JSON.numberNode(group.getDouble(index, occurrence));
      default -> JSON.textNode(group.getBinary(index, occurrence).toStringUsingUTF8());
    };
  }

  @Override
  public long position() {
    return (long) ((double) size * rows / rowCount);
  }

  @Override
  public void close() throws IOException {
    reader.close();
  }
}

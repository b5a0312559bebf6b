package io.minimind.weights.gguf;

import java.io.IOException;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalDouble;
import java.util.OptionalLong;
import java.util.Set;

/** The keys and values of a GGUF file. A value of another type than asked for is refused. */
public final class GgufMetadata {

  private final Path path;
  private final Map<String, Object> values;

  GgufMetadata(Path path, Map<String, Object> values) {
    this.path = path;
    this.values = values;
  }

  /** All keys. */
  public Set<String> keys() {
    return values.keySet();
  }

  /** A text, if there is one. */
  public Optional<String> text(String key) throws IOException {
    return Optional.ofNullable(value(key, String.class, "a text"));
  }

  /** A whole number, if there is one. */
  public OptionalLong integer(String key) throws IOException {
    Long value = value(key, Long.class, "a whole number");
    return value == null ? OptionalLong.empty() : OptionalLong.of(value);
  }

  /** A number, if there is one. */
  public OptionalDouble number(String key) throws IOException {
    Number value = value(key, Number.class, "a number");
    return value == null ? OptionalDouble.empty() : OptionalDouble.of(value.doubleValue());
  }

  /** A truth value, if there is one. */
  public Optional<Boolean> flag(String key) throws IOException {
    return Optional.ofNullable(value(key, Boolean.class, "true or false"));
  }

  /**
   * A list, if there is one.
   *
   * @param type of its elements: {@link String}, {@link Long} or {@link Double}
   */
  public <T> Optional<List<T>> list(String key, Class<T> type) throws IOException {
    List<?> list = value(key, List.class, "a list");
    if (list == null) {
      return Optional.empty();
    }
    if (!list.stream().allMatch(type::isInstance)) {
      throw wrong(key, "a list of " + type.getSimpleName());
    }
    return Optional.of(list.stream().map(type::cast).toList());
  }

  private <T> T value(String key, Class<T> type, String expected) throws IOException {
    Object value = values.get(key);
    if (value != null && !type.isInstance(value)) {
      throw wrong(key, expected);
    }
    return type.cast(value);
  }

  private IOException wrong(String key, String expected) {
    return new IOException(
        "%s of %s is not %s."
            .formatted(key, path, expected)
            .replace("Double", "numbers")
            .replace("Long", "whole numbers")
            .replace("String", "texts"));
  }
}

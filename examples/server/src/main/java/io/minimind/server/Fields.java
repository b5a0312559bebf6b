package io.minimind.server;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.OptionalDouble;
import java.util.OptionalInt;
import java.util.OptionalLong;

/**
 * The fields of a JSON object of a request. One that is null is as if not there; one of the wrong
 * type or out of its range is an {@link ApiError} that names it.
 */
final class Fields {
  private final ObjectNode object;
  private final String path; // of the object: empty, or ends with a dot

  Fields(ObjectNode object) {
    this(object, "");
  }

  private Fields(ObjectNode object, String path) {
    this.object = object;
    this.path = path;
  }

  JsonNode json() {
    return object;
  }

  boolean has(String name) {
    return object.hasNonNull(name);
  }

  /** Where a field is in the request. */
  String place(String name) {
    return path + name;
  }

  Optional<String> string(String name) {
    return get(name)
        .map(
            value -> {
              if (!value.isTextual()) {
                throw wrong(name, "a string", value);
              }
              return value.textValue();
            });
  }

  String requiredString(String name) {
    return string(name).orElseThrow(() -> missing(name));
  }

  boolean flag(String name, boolean otherwise) {
    Optional<JsonNode> value = get(name);
    if (value.isPresent() && !value.get().isBoolean()) {
      throw wrong(name, "true or false", value.get());
    }
    return value.map(JsonNode::booleanValue).orElse(otherwise);
  }

  OptionalDouble number(String name, double least, double most) {
    Optional<JsonNode> value = get(name);
    if (value.isEmpty()) {
      return OptionalDouble.empty();
    }
    double number = value.get().isNumber() ? value.get().doubleValue() : Double.NaN;
    if (!(number >= least && number <= most)) {
      throw wrong(
          name, "a number between %s and %s".formatted(plain(least), plain(most)), value.get());
    }
    return OptionalDouble.of(number);
  }

  OptionalInt integer(String name, int least, int most) {
    Optional<JsonNode> value = get(name);
    if (value.isEmpty()) {
      return OptionalInt.empty();
    }
    boolean whole =
        value.get().isNumber() && value.get().doubleValue() == Math.rint(value.get().doubleValue());
    if (!whole
        || !value.get().canConvertToInt()
        || value.get().intValue() < least
        || value.get().intValue() > most) {
      String range =
          most == Integer.MAX_VALUE
              ? "of at least " + least
              : "between %d and %d".formatted(least, most);
      throw wrong(name, "a whole number " + range, value.get());
    }
    return OptionalInt.of(value.get().intValue());
  }

  OptionalLong longInteger(String name) {
    Optional<JsonNode> value = get(name);
    if (value.isEmpty()) {
      return OptionalLong.empty();
    }
    if (!value.get().isIntegralNumber() || !value.get().canConvertToLong()) {
      throw wrong(name, "a whole number of 64 bits", value.get());
    }
    return OptionalLong.of(value.get().longValue());
  }

  Optional<Fields> object(String name) {
    return get(name)
        .map(
            value -> {
              if (value instanceof ObjectNode inner) {
                return new Fields(inner, path + name + ".");
              }
              throw wrong(name, "an object", value);
            });
  }

  /** The elements of a list, none if it is not there. */
  List<JsonNode> list(String name) {
    Optional<JsonNode> value = get(name);
    if (value.isPresent() && !value.get().isArray()) {
      throw wrong(name, "a list", value.get());
    }
    List<JsonNode> elements = new ArrayList<>();
    value.ifPresent(list -> list.forEach(elements::add));
    return elements;
  }

  /** The objects of a list, none if it is not there. */
  List<Fields> objects(String name) {
    List<Fields> objects = new ArrayList<>();
    for (JsonNode element : list(name)) {
      String place = "%s[%d]".formatted(name, objects.size());
      if (!(element instanceof ObjectNode inner)) {
        throw wrong(place, "an object", element);
      }
      objects.add(new Fields(inner, path + place + "."));
    }
    return objects;
  }

  /** A string, or a list of strings. */
  List<String> strings(String name) {
    Optional<JsonNode> value = get(name);
    if (value.isEmpty()) {
      return List.of();
    }
    if (value.get().isTextual()) {
      return List.of(value.get().textValue());
    }
    List<String> strings = new ArrayList<>();
    for (JsonNode element : value.get()) {
      if (!element.isTextual()) {
        throw wrong(name, "a string or a list of strings", value.get());
      }
      strings.add(element.textValue());
    }
    if (!value.get().isArray()) {
      throw wrong(name, "a string or a list of strings", value.get());
    }
    return strings;
  }

  private Optional<JsonNode> get(String name) {
    return Optional.ofNullable(object.get(name)).filter(value -> !value.isNull());
  }

  ApiError missing(String name) {
    return ApiError.invalid(path + name, "The field %s is missing.".formatted(path + name));
  }

  ApiError wrong(String name, String expected, JsonNode value) {
    return ApiError.invalid(
        path + name,
        "The field %s must be %s, but is %s.".formatted(path + name, expected, shown(value)));
  }

  /** A number is shown as one, so that it is not taken for a string. */
  private static String shown(JsonNode value) {
    if (value.isContainerNode()) {
      return value.isArray() ? "a list" : "an object";
    }
    return value.isTextual() ? Text.quote(value.textValue()) : value.toString();
  }

  private static String plain(double number) {
    return number == Math.rint(number) ? String.valueOf((long) number) : String.valueOf(number);
  }
}

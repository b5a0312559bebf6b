package io.minimind.train;

import com.fasterxml.jackson.core.JsonGenerator;
import com.fasterxml.jackson.core.JsonParser;
import com.fasterxml.jackson.databind.DeserializationContext;
import com.fasterxml.jackson.databind.JsonDeserializer;
import com.fasterxml.jackson.databind.JsonMappingException;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.JsonSerializer;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.SerializerProvider;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.minimind.files.ArgumentException;
import io.minimind.task.FineTuning;
import io.minimind.task.Pretraining;
import io.minimind.task.Task;
import java.io.IOException;
import java.util.List;
import java.util.Map;
import java.util.ServiceLoader;
import java.util.function.Function;
import java.util.stream.Stream;

/** A value of an interface that anyone may implement, as JSON: its name, then its fields. */
final class NamedJson {

  private static final ObjectMapper FIELDS = Json.plain();
  private static final String NAME = "name";

  /** The tasks and schedules that every run has. */
  private static final Catalog OWN =
      new Catalog() {
        @Override
        public Map<String, Class<? extends Task>> tasks() {
          return Map.of(Pretraining.NAME, Pretraining.class, FineTuning.NAME, FineTuning.class);
        }

        @Override
        public Map<String, Class<? extends LearningRateSchedule>> schedules() {
          return Schedules.NAMES;
        }
      };

  private NamedJson() {}

  static <T> JsonSerializer<T> writer(Function<T, String> name) {
    return new JsonSerializer<>() {
      @Override
      public void serialize(T value, JsonGenerator json, SerializerProvider unused)
          throws IOException {
        ObjectNode named = FIELDS.createObjectNode().put(NAME, name.apply(value));
        named.setAll(FIELDS.<ObjectNode>valueToTree(value));
        json.writeTree(named);
      }
    };
  }

  /**
   * @param what it is, for people
   * @param classes the part of a catalog that has its classes
   */
  static <T> JsonDeserializer<T> reader(
      Class<T> type, String what, Function<Catalog, Map<String, Class<? extends T>>> classes) {
    return new JsonDeserializer<>() {
      @Override
      public T deserialize(JsonParser json, DeserializationContext context) throws IOException {
        JsonNode tree = json.readValueAsTree();
        String name = tree.path(NAME).asText();
        Class<? extends T> found =
            catalogs(context)
                .map(catalog -> classes.apply(catalog).get(name))
                .filter(known -> known != null)
                .findFirst()
                .orElseThrow(() -> unknown(json, what, name));
        return FIELDS.treeToValue(((ObjectNode) tree).without(List.of(NAME)), found);
      }
    };
  }

  private static Stream<Catalog> catalogs(DeserializationContext context) {
    Stream<Catalog> given = Stream.ofNullable((Catalog) context.getAttribute(Catalog.class));
    Stream<Catalog> found =
        ServiceLoader.load(Catalog.class).stream().map(ServiceLoader.Provider::get);
    return Stream.concat(Stream.concat(given, Stream.of(OWN)), found);
  }

  private static JsonMappingException unknown(JsonParser json, String what, String name) {
    String sentence =
        "its %s \"%s\" is not known; put the library that has it on the class path"
            .formatted(what, name);
    return JsonMappingException.from(json, sentence, new ArgumentException(sentence));
  }
}

package io.minimind.train;

import com.fasterxml.jackson.databind.DeserializationFeature;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.ObjectReader;
import com.fasterxml.jackson.databind.SerializationFeature;
import com.fasterxml.jackson.databind.module.SimpleModule;
import com.fasterxml.jackson.datatype.jdk8.Jdk8Module;
import io.minimind.task.Task;

/** How settings and states are kept as JSON: for people to read, and complete or refused. */
final class Json {

  static final ObjectMapper MAPPER =
      plain()
          .registerModule(
              new SimpleModule()
                  .addSerializer(Task.class, NamedJson.writer(Task::name))
                  .addDeserializer(Task.class, NamedJson.reader(Task.class, "task", Catalog::tasks))
                  .addSerializer(
                      LearningRateSchedule.class, NamedJson.writer(LearningRateSchedule::name))
                  .addDeserializer(
                      LearningRateSchedule.class,
                      NamedJson.reader(
                          LearningRateSchedule.class, "schedule", Catalog::schedules)));

  private Json() {}

  /** Knows nothing of names. */
  static ObjectMapper plain() {
    return new ObjectMapper()
        .registerModule(new Jdk8Module())
        .enable(SerializationFeature.INDENT_OUTPUT)
        .disable(SerializationFeature.FAIL_ON_EMPTY_BEANS)
        .enable(DeserializationFeature.FAIL_ON_MISSING_CREATOR_PROPERTIES)
        .enable(DeserializationFeature.FAIL_ON_NULL_CREATOR_PROPERTIES)
        .enable(DeserializationFeature.FAIL_ON_NULL_FOR_PRIMITIVES);
  }

  /** Reads what is named by the given catalog, too. */
  static ObjectReader with(Catalog given) {
    return MAPPER.reader().withAttribute(Catalog.class, given);
  }
}

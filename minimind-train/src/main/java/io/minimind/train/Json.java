package io.minimind.train;

import com.fasterxml.jackson.databind.DeserializationFeature;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.ObjectReader;
import com.fasterxml.jackson.databind.SerializationFeature;
import com.fasterxml.jackson.databind.introspect.AnnotatedMember;
import com.fasterxml.jackson.databind.introspect.JacksonAnnotationIntrospector;
import com.fasterxml.jackson.databind.module.SimpleModule;
import com.fasterxml.jackson.datatype.jdk8.Jdk8Module;
import io.minimind.task.Task;
import java.util.Optional;

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

  /** Everything must be there but what is optional, which earlier versions may not have known. */
  private static final class Completeness extends JacksonAnnotationIntrospector {

    private static final long serialVersionUID = 1;

    @Override
    public Boolean hasRequiredMarker(AnnotatedMember part) {
      return part.getRawType() != Optional.class;
    }
  }

  /** Knows nothing of names. */
  static ObjectMapper plain() {
    return new ObjectMapper()
        .registerModule(new Jdk8Module())
        .setAnnotationIntrospector(new Completeness())
        .enable(SerializationFeature.INDENT_OUTPUT)
        .disable(SerializationFeature.FAIL_ON_EMPTY_BEANS)
        .enable(DeserializationFeature.FAIL_ON_NULL_CREATOR_PROPERTIES)
        .enable(DeserializationFeature.FAIL_ON_NULL_FOR_PRIMITIVES);
  }

  /** Reads what is named by the given catalog, too. */
  static ObjectReader with(Catalog given) {
    return MAPPER.reader().withAttribute(Catalog.class, given);
  }
}

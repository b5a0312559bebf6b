package io.minimind.template;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.IOException;
import java.io.InputStream;
import java.util.Map;
import java.util.stream.Stream;
import java.util.stream.StreamSupport;
import org.junit.jupiter.api.DynamicTest;
import org.junit.jupiter.api.TestFactory;

/**
 * Templates of each area of the language, with the texts that jinja2 3.1.6 renders them to in the
 * environment of transformers, or that it refuses.
 */
class Jinja2CasesTest {

  private static final ObjectMapper JSON = new ObjectMapper();

  @TestFactory
  Stream<DynamicTest> rendersAsJinja2() throws IOException {
    JsonNode file;
    try (InputStream resource = getClass().getResourceAsStream("jinja2_cases.json")) {
      file = JSON.readTree(resource);
    }
    Map<?, ?> data = JSON.convertValue(file.required("data"), Map.class);
    return StreamSupport.stream(file.required("cases").spliterator(), false)
        .map(
            one -> {
              String template = one.required("template").textValue();
              return DynamicTest.dynamicTest(
                  one.required("area").textValue() + ": " + template,
                  () -> check(template, one.path("rendered"), data));
            });
  }

  @SuppressWarnings("unchecked")
  private static void check(String template, JsonNode rendered, Map<?, ?> data) {
    Map<String, Object> variables = (Map<String, Object>) data;
    if (rendered.isMissingNode()) {
      assertThrows(TemplateException.class, () -> Template.parse(template).render(variables));
    } else {
      assertEquals(rendered.textValue(), Template.parse(template).render(variables));
    }
  }
}

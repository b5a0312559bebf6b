package io.minimind.data;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.fasterxml.jackson.core.type.TypeReference;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import io.minimind.chat.ChatTemplate;
import io.minimind.chat.Message;
import io.minimind.chat.TemplateOptions;
import io.minimind.data.ChatEncoder.Loss;
import io.minimind.template.MarkedText;
import io.minimind.template.MarkedText.Span;
import io.minimind.template.TemplateException;
import io.minimind.tokenizer.Tokenizer;
import java.io.IOException;
import java.io.InputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.BitSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.junit.jupiter.api.Assumptions;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/**
 * What counts in the loss, held against transformers: {@code families} has templates that mark
 * answers, in the form of those that models are published with, and {@code marks.json} what {@code
 * apply_chat_template} of transformers 5.24 marks by them, in characters and in tokens of {@code
 * examples/data/tokenizer}. The same must be found by templates without marks.
 */
class GenerationMarksTest {

  private static final ObjectMapper JSON = new ObjectMapper();
  private static final JsonNode MARKS = marks();
  private static final Map<String, String> TOKENS = Map.of("bos_token", "<s>", "eos_token", "</s>");
  private static final TemplateOptions PLAIN = TemplateOptions.defaults();

  private static InputStream resource(String name) {
    return GenerationMarksTest.class.getResourceAsStream("families/" + name);
  }

  private static JsonNode marks() {
    try (InputStream in = resource("marks.json")) {
      return JSON.readTree(in);
    } catch (IOException e) {
      throw new IllegalStateException(e);
    }
  }

  private static List<String> families() {
    return names(MARKS.get("families"));
  }

  private static List<String> names(JsonNode object) {
    List<String> names = new ArrayList<>();
    object.fieldNames().forEachRemaining(names::add);
    return names;
  }

  private static List<Message> conversation(String name) {
    List<Message> messages = new ArrayList<>();
    for (JsonNode each : MARKS.get("conversations").get(name)) {
      Map<String, Object> fields = JSON.convertValue(each, new TypeReference<>() {});
      String role = (String) fields.remove("role");
      messages.add(new Message(role, (String) fields.remove("content"), fields));
    }
    return messages;
  }

  private static List<Span> spans(JsonNode pairs) {
    List<Span> spans = new ArrayList<>();
    pairs.forEach(pair -> spans.add(new Span(pair.get(0).intValue(), pair.get(1).intValue())));
    return joined(spans);
  }

  /** A template may mark what it writes in two pieces. */
  private static List<Span> joined(List<Span> spans) {
    List<Span> joined = new ArrayList<>();
    for (Span span : spans) {
      boolean goesOn = !joined.isEmpty() && joined.get(joined.size() - 1).end() == span.start();
      int start = goesOn ? joined.remove(joined.size() - 1).start() : span.start();
      joined.add(new Span(start, span.end()));
    }
    return joined;
  }

  private static List<Span> found(
      ChatTemplate template, List<Message> messages, TemplateOptions options) {
    MarkedText text = template.renderMarked(messages, options);
    return joined(
        new Answers(template, messages, options, AnswerFrame.of(template), text)
            .of(message -> true)
            .toList());
  }

  private static ChatTemplate marking(String family) throws IOException {
    try (InputStream in = resource(family + ".jinja")) {
      String source = new String(in.readAllBytes(), StandardCharsets.UTF_8);
      return ChatTemplate.parse(source, TOKENS);
    }
  }

  private static ChatTemplate withoutMarks(ChatTemplate marking) {
    String source =
        marking
            .source()
            .replaceAll("(\\{%-?) generation (-?%})", "$1 if true $2")
            .replaceAll("(\\{%-?) endgeneration (-?%})", "$1 endif $2");
    return ChatTemplate.parse(source, TOKENS);
  }

  @ParameterizedTest
  @MethodSource("families")
  void whatATemplateMarksIsFoundWithoutMarks(String family) throws IOException {
    ChatTemplate marking = marking(family);
    ChatTemplate plain = withoutMarks(marking);
    assertTrue(marking.marksGeneration() && !plain.marksGeneration(), family);
    for (String name : names(MARKS.get("conversations"))) {
      JsonNode expected = MARKS.get("families").get(family).get(name);
      List<Message> messages = conversation(name);
      if (expected.isNull()) {
        assertThrows(TemplateException.class, () -> plain.render(messages), name);
        continue;
      }
      List<Span> spans = spans(expected.get("spans"));
      assertEquals(spans, marking.renderMarked(messages, PLAIN).spans(), name);
      assertEquals(spans, found(plain, messages, PLAIN), name);
    }
  }

  @ParameterizedTest
  @MethodSource("families")
  void theTokensThatCountAreThose(String family) throws IOException {
    Path folder = Upwards.find("examples/data/tokenizer").orElseThrow();
    ChatTemplate plain = withoutMarks(marking(family));
    ChatEncoder encoder =
        ChatEncoder.of(Tokenizer.load(folder), plain, "small", 10_000, Loss.ALL_TURNS);
    for (String name : names(MARKS.get("conversations"))) {
      JsonNode expected = MARKS.get("families").get(family).get(name);
      if (!expected.isNull()) {
        Conversation conversation = new Conversation(conversation(name), List.of());
        Sample sample = encoder.encode(conversation, false).sample();
        BitSet targets = new BitSet();
        spans(expected.get("tokens")).forEach(span -> targets.set(span.start(), span.end()));
        assertEquals(expected.get("length").intValue(), sample.ids().length, name);
        assertEquals(targets, sample.targets(), name);
      }
    }
  }

  private static Map<String, ChatTemplate> published() throws IOException {
    Map<String, ChatTemplate> templates = new LinkedHashMap<>();
    for (JsonNode each : golden("golden/jinja_chat_templates.json")) {
      templates.put(each.get("name").textValue(), parse(each));
    }
    for (JsonNode each : golden("golden/chat_template.json")) {
      templates.put("minimind-1", parse(each));
    }
    JsonNode head = golden("golden-head/head_chat_template.json");
    if (head.has("template")) {
      templates.put("minimind-3", parse(head));
    }
    return templates;
  }

  private static JsonNode golden(String file) throws IOException {
    Optional<Path> path = Upwards.find("shared/" + file);
    return path.isPresent() ? JSON.readTree(path.get().toFile()) : JSON.createArrayNode();
  }

  private static ChatTemplate parse(JsonNode holder) {
    return ChatTemplate.parse(holder.get("template").textValue(), TOKENS);
  }

  /** One of them is for tools and fails without. */
  private static TemplateOptions options(String name) {
    List<Map<String, Object>> tools =
        JSON.convertValue(MARKS.get("tools"), new TypeReference<>() {});
    return name.contains("command-r") ? PLAIN.withTools(tools) : PLAIN;
  }

  /** In MiniMind's first version the line break after the header counts, as in the original. */
  private static List<Span> withLineBreaks(List<Span> spans) {
    return spans.stream().map(span -> new Span(span.start() - 1, span.end())).toList();
  }

  /** Those that models were published with; the marks are of versions that were marked by hand. */
  @Test
  void theAnswersOfPublishedTemplatesAreFound() throws IOException {
    Map<String, ChatTemplate> templates = published();
    Assumptions.assumeFalse(templates.isEmpty(), "the reference numbers are not there");
    int checked = 0;
    for (Map.Entry<String, ChatTemplate> each : templates.entrySet()) {
      JsonNode marks = MARKS.get("published").path(each.getKey());
      for (String name : names(marks)) {
        TemplateOptions options = options(each.getKey());
        List<Message> messages = conversation(name);
        String which = each.getKey() + ", " + name;
        if (marks.get(name).isNull()) {
          assertThrows(
              TemplateException.class, () -> each.getValue().render(messages, options), which);
        } else {
          List<Span> spans = spans(marks.get(name));
          assertEquals(
              each.getKey().equals("minimind-1") ? withLineBreaks(spans) : spans,
              found(each.getValue(), messages, options),
              which);
        }
        checked++;
      }
    }
    assertTrue(checked > 100, "cases: " + checked);
  }
}

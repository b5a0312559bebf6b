package io.minimind.data;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import io.minimind.chat.ChatTemplate;
import io.minimind.chat.Message;
import io.minimind.chat.TemplateOptions;
import io.minimind.data.ChatEncoder.Loss;
import io.minimind.template.MarkedText;
import io.minimind.template.MarkedText.Span;
import io.minimind.template.TemplateException;
import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.junit.jupiter.api.Assumptions;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/**
 * Where answers stand, in templates of many kinds: the templates say it themselves in {@code {%
 * generation %}} blocks, and without these the same must be found.
 */
class AnswersTest {

  /** Writes what was thought before the last answer only, as Qwen3 does. */
  private static final String LATE_THOUGHTS =
      """
      {%- set ns = namespace(last=-1) -%}
      {%- for m in messages -%}{%- if m.role == 'user' -%}{%- set ns.last = loop.index0 -%}
      {%- endif -%}{%- endfor -%}
      {%- for m in messages -%}
      {{- '<|' + m.role + '|>\n' -}}
      {%- if m.role == 'assistant' -%}
        {% generation %}
        {%- if loop.index0 > ns.last -%}
          {{- '<think>\n' + (m.reasoning_content or '') + '\n</think>\n\n' -}}
        {%- endif -%}
        {{- m.content -}}
        {%- for call in m.tool_calls or [] -%}{{- '\n<call>' + call.function.name -}}{%- endfor -%}
        {{- '<|end|>\n' -}}{% endgeneration %}
      {%- else -%}{{- m.content + '<|end|>\n' -}}{%- endif -%}
      {%- endfor -%}
      {%- if add_generation_prompt -%}{{- '<|assistant|>\n' -}}{%- endif -%}
      """;

  /** Begins thoughts itself when it asks for an answer, and forgets them afterwards. */
  private static final String FORCED_THOUGHTS =
      """
      {%- for m in messages -%}
      {%- if m.role == 'assistant' -%}
        {{- '<A>' -}}{% generation %}{%- if loop.last and m.reasoning_content -%}
        {{- '<think>' + m.reasoning_content + '</think>' -}}{%- endif -%}
        {{- (m.content.split('</think>') | last | trim) + '<end>' -}}{% endgeneration %}
      {%- elif m.role == 'user' -%}{{- '<U>' + m.content -}}
      {%- else -%}{{- '<S>' + m.content -}}{%- endif -%}
      {%- endfor -%}
      {%- if add_generation_prompt -%}{{- '<A><think>' -}}{%- endif -%}
      """;

  /** Has no header: what a user says ends where the answer begins. */
  private static final String NO_HEADER =
      """
      {{- bos_token -}}
      {%- for m in messages -%}
      {%- if m.role == 'assistant' -%}
        {% generation %}{{- m.content + eos_token -}}{% endgeneration %}
      {%- else -%}{{- '[INST] ' + m.content + ' [/INST]' -}}{%- endif -%}
      {%- endfor -%}
      """;

  /** Always writes thoughts, empty where there were none, as MiniMind does today. */
  private static final String ALWAYS_THOUGHTS =
      """
      {%- for m in messages -%}
      {{- '<|im_start|>' + m.role + '\n' -}}
      {%- if m.role == 'assistant' -%}
        {% generation %}{{- '<think>\n' + (m.reasoning_content or '') + '\n</think>\n\n' -}}
        {{- m.content + '<|im_end|>\n' -}}{% endgeneration %}
      {%- else -%}{{- m.content + '<|im_end|>\n' -}}{%- endif -%}
      {%- endfor -%}
      {%- if add_generation_prompt -%}{{- '<|im_start|>assistant\n<think>\n\n</think>\n\n' -}}{%- endif -%}
      """;

  /** Ends only the last answer. */
  private static final String LATE_END =
      """
      {%- for m in messages -%}
      {%- if m.role == 'assistant' -%}{{- 'Bot: ' -}}{% generation %}{{- m.content -}}
      {%- if loop.last -%}{{- '</s>' -}}{%- endif -%}{% endgeneration %}{{- '\n' -}}
      {%- else -%}{{- 'Human: ' + m.content + '\n' -}}{%- endif -%}
      {%- endfor -%}
      {%- if add_generation_prompt -%}{{- 'Bot: ' -}}{%- endif -%}
      """;

  private static final List<String> TEMPLATES =
      List.of(LATE_THOUGHTS, FORCED_THOUGHTS, NO_HEADER, ALWAYS_THOUGHTS);

  private static final Map<String, String> TOKENS = Map.of("bos_token", "<s>", "eos_token", "</s>");

  private static List<String> templates() {
    return TEMPLATES;
  }

  private static Message called(String content) {
    return Message.assistant(content)
        .with("tool_calls", List.of(Map.of("function", Map.of("name", "weather"))));
  }

  private static List<List<Message>> conversations() {
    Message first = Message.assistant("One.").withReasoning("I count.");
    Message second = Message.assistant("Two.").withReasoning("I count on.");
    return List.of(
        List.of(Message.user("A?"), Message.assistant("A.")),
        List.of(Message.user("1?"), first, Message.user("2?"), second),
        List.of(Message.system("S"), Message.user("1?"), first, Message.user("1?"), first),
        // The second question comes while tools are being asked, and thoughts are forgotten.
        List.of(
            Message.user("1?"),
            first,
            Message.user("x"),
            called("").withReasoning("Look."),
            Message.of("tool", "rain"),
            Message.assistant("It rains.").withReasoning("Seen."),
            Message.user("And?"),
            Message.assistant("Rain")),
        List.of(Message.user("2?"), second, Message.assistant("More."), Message.user("3?"), first),
        List.of(
            Message.assistant("Hello."), Message.user("A?"), Message.assistant("<|assistant|>")),
        List.of(Message.user("<A>?"), Message.assistant("  spaced  "), Message.user(" "), first));
  }

  private static Answers answers(ChatTemplate template, List<Message> messages, MarkedText text) {
    return new Answers(
        template, messages, TemplateOptions.defaults(), AnswerFrame.of(template), text);
  }

  @ParameterizedTest
  @MethodSource("templates")
  void whatATemplateMarksIsFoundWithoutMarks(String template) {
    ChatTemplate marking = ChatTemplate.parse(template, TOKENS);
    ChatTemplate plain =
        ChatTemplate.parse(
            template.replace("{% generation %}", "").replace("{% endgeneration %}", ""), TOKENS);
    for (List<Message> messages : conversations()) {
      MarkedText marked = marking.renderMarked(messages, TemplateOptions.defaults());
      MarkedText text = plain.renderMarked(messages, TemplateOptions.defaults());
      assertEquals(marked.text().strip(), text.text().strip(), "the templates are the same");
      assertEquals(
          parts(marked.text(), marked.spans()),
          parts(text.text(), answers(plain, messages, text).of(message -> true).toList()));
    }
  }

  private static List<String> parts(String text, List<Span> spans) {
    return spans.stream().map(span -> text.substring(span.start(), span.end())).toList();
  }

  @Test
  void whatOnlyTheLastAnswerHasIsNotLookedForInOthers() {
    String unmarked = LATE_END.replace("{% generation %}", "").replace("{% endgeneration %}", "");
    ChatTemplate template = ChatTemplate.parse(unmarked, TOKENS);
    List<Message> messages =
        List.of(
            Message.user("1?"),
            Message.assistant("One."),
            Message.user("2?"),
            Message.assistant("Two."));
    MarkedText text = template.renderMarked(messages, TemplateOptions.defaults());
    List<String> found =
        parts(text.text(), answers(template, messages, text).of(message -> true).toList());
    assertEquals("One.", found.get(0).strip());
    assertEquals("Two.</s>", found.get(1).strip());
  }

  @Test
  void anAnswerThatATemplateLeavesOutIsNotFound() {
    ChatTemplate template =
        ChatTemplate.parse(
            "{% for m in messages %}{% if m.role == 'user' or loop.last %}{{ '<' + m.role + '>' +"
                + " m.content }}{% endif %}{% endfor %}{% if add_generation_prompt %}"
                + "{{ '<assistant>' }}{% endif %}",
            TOKENS);
    List<Message> messages = conversations().get(1);
    MarkedText text = template.renderMarked(messages, TemplateOptions.defaults());
    assertEquals(
        List.of("Two."),
        parts(text.text(), answers(template, messages, text).of(message -> true).toList()));
  }

  @Test
  void emptyThoughtsGoWhereAnAnswerBeginsWithThem() {
    ChatTemplate template = ChatTemplate.parse(ALWAYS_THOUGHTS, TOKENS);
    List<Message> messages =
        List.of(
            Message.user("Say <think>\n\n</think>\n\n!"),
            Message.assistant("One."),
            Message.user("2?"),
            Message.assistant("Two.").withReasoning("I count."),
            Message.user("3?"),
            Message.assistant("Three."));
    MarkedText text = template.renderMarked(messages, TemplateOptions.defaults());
    MarkedText shorter = answers(template, messages, text).withoutEmptyThinking();
    assertEquals(
        List.of(
            "One.<|im_end|>", "<think>\nI count.\n</think>\n\nTwo.<|im_end|>", "Three.<|im_end|>"),
        parts(shorter.text(), shorter.spans()).stream().map(String::strip).toList());
    assertTrue(shorter.text().contains("Say <think>\n\n</think>\n\n!"), "it is the user's");
  }

  @Test
  void whatVariesFollowsFromSeedAndRow() {
    ChatTemplate template = ChatTemplate.parse(ALWAYS_THOUGHTS, TOKENS);
    ChatEncoder encoder =
        ChatEncoder.of(new ByteTokenizer(), template, "bytes", 400, Loss.ALL_TURNS);
    Variation variation = new Variation(0.8, 0.25, List.of("Be brief.", "Be kind."), 7);
    int dropped = 0;
    int added = 0;
    List<String> texts = new ArrayList<>();
    for (int number = 1; number <= 400; number++) {
      Row row = new Row(number, 1, List.of("", "q", "a"));
      Sample sample = encoder.with(variation).encode(row).get(0);
      String text = new ByteTokenizer().decode(sample.ids());
      assertEquals(
          text,
          new ByteTokenizer().decode(encoder.with(variation).encode(row).get(0).ids()),
          "the same again");
      texts.add(text);
      dropped += text.contains("<think>") ? 0 : 1;
      added += text.startsWith("<|im_start|>system\nBe ") ? 1 : 0;
    }
    assertEquals(320, dropped, 40);
    assertEquals(100, added, 35);
    assertEquals(4, texts.stream().distinct().filter(t -> t.contains("system")).count());
    assertFalse(
        encoder.description().equals(encoder.with(variation).description()),
        "shards are encoded anew");
  }

  /** Templates that models are published with, of which each renders earlier answers in its way. */
  @Test
  void publishedTemplatesShowTheirAnswersAndNothingElse() throws IOException {
    Optional<Path> file = Upwards.find("shared/golden/jinja_chat_templates.json");
    Assumptions.assumeTrue(file.isPresent(), "the reference numbers are not there");
    int checked = 0;
    List<Message> messages =
        List.of(
            Message.user("frage eins"),
            Message.assistant("antwort eins").withReasoning("denke eins"),
            Message.user("frage zwei"),
            Message.assistant("antwort zwei"),
            Message.user("frage drei"),
            Message.assistant("antwort drei").withReasoning("denke drei"));
    for (JsonNode named : new ObjectMapper().readTree(file.get().toFile())) {
      String name = named.required("name").textValue();
      ChatTemplate template = ChatTemplate.parse(named.required("template").textValue(), TOKENS);
      MarkedText text;
      try {
        text = template.renderMarked(messages, TemplateOptions.defaults());
      } catch (TemplateException e) {
        continue; // It wants other messages.
      }
      List<String> found =
          parts(text.text(), answers(template, messages, text).of(message -> true).toList());
      assertEquals(3, found.size(), name);
      for (int i = 0; i < 3; i++) {
        String part = found.get(i);
        assertTrue(part.contains(messages.get(2 * i + 1).content()), name + ": " + part);
        assertFalse(part.contains("frage"), name + ": " + part);
        assertEquals(1, part.split("antwort", -1).length - 1, name + ": " + part);
      }
      checked++;
    }
    assertTrue(checked >= 10, "templates: " + checked);
  }
}

package io.minimind.infer;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.minimind.chat.Message;
import io.minimind.chat.Tool;
import io.minimind.chat.ToolCall;
import io.minimind.infer.constraint.Constraints;
import io.minimind.infer.constraint.TokenConstraint;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** A model of random weights that knows bytes, turns and tools. */
class ReplyTest {
  private static final ObjectMapper JSON = new ObjectMapper();
  private static final LoadOptions ONE = LoadOptions.defaults().withThreads(1);
  private static final GenerationOptions SHORT = GenerationOptions.greedy().withMaxNewTokens(20);
  private static final int START = 256;
  private static final int END = 257;

  private static final Tool WEATHER =
      Tool.of(
          "weather",
          "Tells the weather",
          """
          {"type": "object", "properties": {"city": {"$ref": "#/$defs/city"}},
           "required": ["city"], "$defs": {"city": {"enum": ["Oslo", "Rome"]}}}\
          """);
  private static final Tool TIME = Tool.of("time", "Tells the time", "{\"type\": \"object\"}");

  private static final String TEMPLATE =
      """
      {%- if tools %}<turn>tools{% for tool in tools %} {{ tool.function.name }}{% endfor %}<end>
      {%- endif %}
      {%- for message in messages %}<turn>{{ message.role }}
      {{- ':' + message.content }}
      {%- if message.reasoning_content %}<think>{{ message.reasoning_content }}</think>{% endif %}
      {%- for call in message.tool_calls or [] %}<tool_call>
      {{- call.function.arguments | tojson }}</tool_call>{% endfor %}<end>
      {%- endfor %}
      {%- if add_generation_prompt %}<turn>assistant:
      {%- if enable_thinking %}<think>{% endif %}{% endif %}\
      """;

  @TempDir private Path folder;

  @BeforeEach
  void writeModel() throws IOException {
    new TestModel(32, 2, 2, 1, 48, 258, 600).write(folder, TestModel.random(3), -1);
    ObjectNode tokenizer = (ObjectNode) JSON.readTree(ExportedModel.byteTokenizer());
    for (String token : List.of("<turn>", "<end>")) {
      ObjectNode added = tokenizer.withArray("added_tokens").addObject();
      added.put("id", token.equals("<turn>") ? START : END).put("content", token);
      for (String flag : List.of("single_word", "lstrip", "rstrip", "normalized")) {
        added.put(flag, false);
      }
      added.put("special", true);
    }
    Files.writeString(folder.resolve("tokenizer.json"), tokenizer.toString());
    Files.writeString(folder.resolve("chat_template.jinja"), TEMPLATE);
  }

  private LanguageModel load() throws IOException {
    return LanguageModel.load(folder, ONE);
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      value = {
        "{\"bos_token\": \"<turn>\"}                    | {}                    | 4",
        "{\"bos_token\": {\"content\": \"<turn>\"}}     | {}                    | 4",
        "{\"bos_token\": null}                          | {\"bos_token_id\":256} | 3",
        "{}                                             | {\"bos_token_id\":256} | 4",
        "{}                                             | {\"bos_token_id\":999} | 3",
        "{}                                             | {}                    | 3",
      })
  void aTextBeginsWithTheModelsOwnStartToken(String tokenizer, String generation, int tokens)
      throws IOException {
    Files.writeString(folder.resolve("tokenizer_config.json"), tokenizer);
    Files.writeString(folder.resolve("generation_config.json"), generation);
    try (LanguageModel model = load()) {
      assertEquals(tokens, model.generate("abc", SHORT).promptTokens());
      assertEquals(tokens - 1, model.score("abc").size());
      assertEquals(4, model.generate("<turn>abc", SHORT).promptTokens());
      assertEquals(3, model.generate(new int[] {1, 2, 3}, SHORT).promptTokens());
      if (tokens == 4) {
        assertEquals(1, model.generate("", SHORT).promptTokens());
        assertArrayEquals(
            model.generate("<turn>abc", SHORT).tokenIds(), model.generate("abc", SHORT).tokenIds());
      } else {
        assertThrows(IllegalArgumentException.class, () -> model.generate("", SHORT));
      }
    }
  }

  @Test
  void whatTheTemplateWritesBehindAnAnswerEndsIt() throws IOException {
    GenerationOptions ending = SHORT.withLogitBias(END, 1000);
    try (LanguageModel model = load()) {
      assertEquals(FinishReason.END_OF_TEXT, model.generate("a", ending).finishReason());
    }
    Files.writeString(folder.resolve("chat_template.jinja"), "{{ messages[0].content }}");
    try (LanguageModel model = load()) {
      assertEquals(FinishReason.LENGTH, model.generate("a", ending).finishReason());
    }
  }

  @ParameterizedTest
  @CsvSource({"weather", "time", "''"})
  void aForcedCallIsAlwaysJsonOfTheToolsSchema(String name) throws IOException {
    try (LanguageModel model = load()) {
      ToolChoice choice = name.isEmpty() ? ToolChoice.required() : ToolChoice.named(name);
      for (int seed = 0; seed < 5; seed++) {
        ChatOptions options =
            ChatOptions.defaults()
                .withTools(WEATHER, TIME)
                .withToolChoice(choice)
                .withGeneration(GenerationOptions.defaults().withSeed(seed).withMaxNewTokens(200));
        Reply reply = model.reply(List.of(Message.user("Is it warm?")), options);
        assertEquals("", reply.text());
        ToolCall call = reply.toolCalls().get(0);
        JsonNode arguments = JSON.readTree(call.arguments());
        assertTrue(name.isEmpty() || call.name().equals(name));
        if (call.name().equals("weather")) {
          assertTrue(List.of("Oslo", "Rome").contains(arguments.path("city").textValue()));
        } else {
          assertEquals("time", call.name());
          assertTrue(arguments.isObject());
        }
      }
    }
  }

  @Test
  void aChoiceThatCannotBeMadeIsRefused() throws IOException {
    try (LanguageModel model = load()) {
      Constraints constraints = model.constraints();
      ChatOptions options = ChatOptions.defaults().withTools(TIME);
      List<Message> messages = List.of(Message.user("x"));
      assertRefused(model, options.withToolChoice(ToolChoice.named("weather")), "names weather");
      assertRefused(
          model, ChatOptions.defaults().withToolChoice(ToolChoice.required()), "there are none");
      assertRefused(
          model,
          options
              .withToolChoice(ToolChoice.required())
              .withGeneration(SHORT.withConstraint(constraints.json())),
          "a constraint of its own");
      assertRefused(model, options.withTokenBudget(10), "leaves no room");
      assertThrows(IllegalArgumentException.class, () -> model.reply(List.of(), options));
      assertEquals(
          20, model.reply(messages, options.withGeneration(SHORT)).generation().tokenIds().length);
    }
  }

  private static void assertRefused(LanguageModel model, ChatOptions options, String part) {
    String message =
        assertThrows(
                IllegalArgumentException.class,
                () -> model.reply(List.of(Message.user("x")), options))
            .getMessage();
    assertTrue(message.contains(part), message);
  }

  /** What a model reads is known by how many tokens it has, a byte each. */
  @Test
  void theTemplateSeesToolsVariablesReasoningAndCalls() throws IOException {
    ChatOptions plain = ChatOptions.defaults().withGeneration(SHORT);
    Message user = Message.user("hi");
    ToolCall call = new ToolCall("c0", "time", "{\"a\": [1, null]}");
    try (LanguageModel model = load()) {
      int bare = tokens(model, plain, user);
      assertEquals("user:hi".length() + "assistant:".length() + 3, bare);
      ChatOptions tools = plain.withTools(WEATHER, TIME);
      assertEquals(bare + "tools weather time".length() + 2, tokens(model, tools, user));
      assertEquals(bare, tokens(model, tools.withToolChoice(ToolChoice.none()), user));
      assertEquals(bare + "<think>".length(), tokens(model, plain.withThinking(true), user));
      assertEquals(bare, tokens(model, plain.withThinking(false), user));
      Message assistant = Message.assistant("").withReasoning("why").withToolCalls(List.of(call));
      assertEquals(
          bare
              + "assistant:<think>why</think>".length()
              + "<tool_call>{\"a\": [1, null]}</tool_call>".length()
              + 2
              + "tool:9".length()
              + 2,
          tokens(model, plain, user, assistant, Message.tool(call, "9")));
    }
  }

  private static int tokens(LanguageModel model, ChatOptions options, Message... messages) {
    return model.reply(List.of(messages), options).generation().promptTokens();
  }

  @Test
  void reasoningThatThePromptBeganIsReasoning() throws IOException {
    try (LanguageModel model = load()) {
      byte[] thought = "why</think>so".getBytes(java.nio.charset.StandardCharsets.UTF_8);
      int[] forced = model.tokenizer().encode(new String(thought));
      ChatOptions options =
          ChatOptions.defaults()
              .withThinking(true)
              .withGeneration(SHORT.withForcedTokens(forced).withMaxNewTokens(forced.length));
      List<ReplyPart> parts = new ArrayList<>();
      try (Chat chat = model.chat(options)) {
        Reply reply = chat.send("hi", parts::add);
        assertEquals("why", reply.reasoning().orElseThrow());
        assertEquals("so", reply.text());
        assertEquals(reply.message(), chat.history().get(1));
      }
      assertTrue(parts.contains(new ReplyPart.Reasoning("w")));
      assertTrue(parts.contains(new ReplyPart.Text("s")));
    }
  }

  @Test
  void aConstraintIsAboutWhatIsSaid() throws IOException {
    try (LanguageModel model = load()) {
      Constraints constraints = model.constraints();
      List<Message> asked = List.of(Message.user("hi"));
      ChatOptions thinking = ChatOptions.defaults().withThinking(true);
      Reply reply =
          model.reply(
              asked,
              thinking.withGeneration(
                  SHORT.withMaxNewTokens(40).withConstraint(constraints.choices("yes", "no"))));
      assertTrue(List.of("yes", "no").contains(reply.text()), reply.toString());
      Reply call =
          model.reply(
              asked,
              thinking
                  .withGeneration(SHORT.withMaxNewTokens(200))
                  .withTools(WEATHER)
                  .withToolChoice(ToolChoice.required()));
      assertEquals("weather", call.toolCalls().get(0).name());
    }
  }

  @Test
  void anAnswerThatMustHaveAFormMayCallAToolInstead() throws IOException {
    try (LanguageModel model = load()) {
      int begin = model.tokenizer().encode("<")[0];
      GenerationOptions call = SHORT.withLogitBias(begin, 1000);
      Constraints constraints = model.constraints();
      TokenConstraint words = constraints.choices("yes", "no");
      ChatOptions tools = ChatOptions.defaults().withTools(TIME);

      assertTrue(said(model, tools, call.withConstraint(words)).startsWith("<tool_call>\n<<<"));
      List<String> either = List.of("yes", "no");
      assertTrue(
          either.contains(
              said(model, tools, SHORT.withForbiddenTokens(begin).withConstraint(words))));
      assertTrue(
          either.contains(
              said(model, tools.withToolChoice(ToolChoice.none()), call.withConstraint(words))));
      assertTrue(either.contains(said(model, ChatOptions.defaults(), call.withConstraint(words))));
      // A form that begins as a call does is what the constraint asks for.
      TokenConstraint tags = constraints.choices("<b>", "<i>");
      assertTrue(List.of("<b>", "<i>").contains(said(model, tools, SHORT.withConstraint(tags))));
    }
  }

  private static String said(LanguageModel model, ChatOptions options, GenerationOptions how) {
    return model.reply(List.of(Message.user("hi")), options.withGeneration(how)).text();
  }

  @Test
  void aModelCanThinkIfItsTemplateReadsTheSwitch() throws IOException {
    try (LanguageModel model = load()) {
      assertTrue(model.canThink());
    }
    Files.writeString(folder.resolve("chat_template.jinja"), "{{ messages }}{{ rethinking }}");
    try (LanguageModel model = load()) {
      assertFalse(model.canThink());
    }
  }

  @Test
  void aChatBeginsWithGivenMessagesAndTakesWhatToolsGaveBack() throws IOException {
    ToolCall call = new ToolCall("c0", "time", "{}");
    List<Message> before =
        List.of(Message.user("When?"), Message.assistant("").withToolCalls(List.of(call)));
    ChatOptions options =
        ChatOptions.defaults()
            .withSystemPrompt("Be brief.")
            .withMessages(before)
            .withTools(TIME)
            .withGeneration(SHORT);
    try (LanguageModel model = load();
        Chat chat = model.chat(options)) {
      Reply reply = chat.send(List.of(Message.tool(call, "noon")));
      List<Message> all = new ArrayList<>(List.of(Message.system("Be brief.")));
      all.addAll(before);
      all.add(Message.tool(call, "noon"));
      all.add(reply.message());
      assertEquals(all, chat.history());
      assertThrows(IllegalArgumentException.class, () -> chat.send(List.of()));
    }
  }
}

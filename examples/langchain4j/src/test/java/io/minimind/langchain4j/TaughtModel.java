package io.minimind.langchain4j;

import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.langchain4j.agent.tool.ToolSpecification;
import dev.langchain4j.data.message.AiMessage;
import dev.langchain4j.data.message.ChatMessage;
import dev.langchain4j.data.message.SystemMessage;
import dev.langchain4j.data.message.ToolExecutionResultMessage;
import dev.langchain4j.data.message.UserMessage;
import dev.langchain4j.model.chat.request.json.JsonObjectSchema;
import io.minimind.chat.Message;
import io.minimind.chat.ToolCall;
import io.minimind.data.ChatEncoder;
import io.minimind.data.Rows;
import io.minimind.files.Folders;
import io.minimind.infer.LanguageModel;
import io.minimind.infer.LoadOptions;
import io.minimind.model.ModelConfig;
import io.minimind.task.FineTuning;
import io.minimind.tokenizer.ByteLevelBpeTrainer;
import io.minimind.train.TrainingRun;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.Stream;

/**
 * A model that was taught what langchain4j's contract asks: the capital of Germany, the weather in
 * Munich. It is trained once for all tests, in seconds, and knows nothing else.
 */
final class TaughtModel {
  private static final ObjectMapper JSON = new ObjectMapper();

  /** Tools before the conversation, and calls between markers, as larger models have them. */
  private static final String TEMPLATE =
      """
      {%- if tools %}{{ '<s>tools' }}
      {%- for tool in tools %}{{ ' ' + tool.function.name }}{% endfor %}{{ '</s>\\n' }}{% endif %}
      {%- for message in messages %}
      {{- '<s>' + message.role + '\\n' + message.content }}
      {%- for call in message.tool_calls or [] %}
      {{- '<tool_call>\\n{"name": "' + call.function.name + '", "arguments": ' }}
      {{- call.function.arguments | tojson }}
      {{- '}\\n</tool_call>' }}{% endfor %}
      {{- '</s>\\n' }}{% endfor %}
      {%- if add_generation_prompt %}{{ '<s>assistant\\n' }}{% endif %}\
      """;

  private static final ToolSpecification WEATHER = tool("getWeather", "city");
  private static final ToolSpecification TIME = tool("getTime", "country");
  private static final ToolSpecification SUM = tool("add_two_numbers");
  private static final ToolSpecification CLOCK = tool("get_current_time");
  private static final ToolSpecification ADD = tool("add");

  private static final String CAPITAL = "What is the capital of Germany?";
  private static final String MUNICH = "{\"city\": \"Munich\"}";

  private static Path trained;
  private static LanguageModel model;

  private final List<ObjectNode> lessons = new ArrayList<>();

  private TaughtModel() {}

  /** The model that all tests share. */
  static synchronized LanguageModel get() {
    if (model == null) {
      model = open();
    }
    return model;
  }

  /** The model once more, for whoever closes it. */
  static synchronized LanguageModel open() {
    try {
      if (trained == null) {
        trained = train(Path.of("target", "taught-model"));
      }
      return LanguageModel.load(trained, LoadOptions.defaults().withThreads(2));
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  private static Path train(Path folder) throws IOException {
    Folders.delete(folder); // what an earlier build was taught
    Files.createDirectories(folder);
    TaughtModel taught = new TaughtModel();
    taught.addLessons();
    Path rows = folder.resolve("lessons.jsonl");
    Files.write(rows, taught.lessons.stream().map(ObjectNode::toString).toList());
    Path tokenizer = folder.resolve("tokenizer");
    ByteLevelBpeTrainer.ofSize(512)
        .train(Stream.concat(Stream.of(TEMPLATE), Files.readAllLines(rows).stream()).iterator())
        .save(tokenizer);
    Files.writeString(tokenizer.resolve("chat_template.jinja"), TEMPLATE);
    Path out = folder.resolve("out");
    try (TrainingRun run =
        TrainingRun.builder()
            .task(FineTuning.of(256, ChatEncoder.Loss.ALL_TURNS))
            .tokenizer(tokenizer)
            .model(ModelConfig.Preset.TINY, 256)
            .rows(Rows.of(rows))
            .cache(folder.resolve("cache"))
            .settings(s -> s.batchSize(8).learningRate(3e-3f).maxUpdates(150).epochs(1000))
            .folder(out)
            .open()) {
      run.train();
    }
    return out;
  }

  private void addLessons() {
    UserMessage capital = UserMessage.from(CAPITAL);
    UserMessage weather = UserMessage.from("What is the weather in Munich?");
    // The second answer is for a constraint that allows no other.
    lesson(2, List.of(), AiMessage.from("The capital of Germany is Berlin."), capital);
    lesson(1, List.of(), AiMessage.from("{\"city\": \"Berlin\"}"), capital);
    lesson(
        1,
        List.of(),
        AiMessage.from("{\"city\": \"Berlin\"}"),
        UserMessage.from(CAPITAL + " Answer with a JSON object containing a single 'city' field"));
    lesson(
        1,
        List.of(),
        AiMessage.from("The capital of Germany is Berlin, and 2 + 2 is 4."),
        UserMessage.from(CAPITAL + " How much is 2 + 2?"));
    lesson(
        1,
        List.of(),
        AiMessage.from("Ich liebe dich"),
        SystemMessage.from("Translate messages from user into German"),
        UserMessage.from("Translate: 'I love you'"));
    lesson(
        1,
        List.of(),
        AiMessage.from("Your favorite color is green."),
        UserMessage.from("Hi, my favorite color is green"),
        AiMessage.from("Hi, nice to meet you"),
        UserMessage.from("What is my favorite color?"));
    lesson(1, List.of(), AiMessage.from("Hello World"), UserMessage.from("Say 'Hello World'"));
    lesson(
        1,
        List.of(),
        AiMessage.from(
            "Once there was a cat who lived with a dog and a cow. They ate grass and they sang."),
        UserMessage.from("Tell me a long story about animals"));
    lesson(1, List.of(ADD), AiMessage.from("Hello to you as well."), UserMessage.from("hello"));

    AiMessage ask = calls("getWeather", MUNICH);
    List<ChatMessage> told = List.of(weather, ask, result(ask, 0, "sunny"));
    lesson(2, List.of(WEATHER), ask, weather);
    lesson(2, List.of(WEATHER), AiMessage.from("It is sunny in Munich."), told);
    lesson(1, List.of(WEATHER), AiMessage.from("{\"weather\": \"sunny\"}"), told);
    UserMessage now = UserMessage.from("What is the time now? Use the get_current_time tool.");
    AiMessage clock = calls("get_current_time", "{}");
    lesson(1, List.of(CLOCK), clock, now);
    lesson(
        1,
        List.of(CLOCK),
        AiMessage.from("It is 10:14 now."),
        List.of(now, clock, result(clock, 0, "10:14")));
    UserMessage both =
        UserMessage.from(
            "What is the weather in Munich and time in France? Call tools simultaneously (in"
                + " parallel)");
    AiMessage two = calls("getWeather", MUNICH, "getTime", "{\"country\": \"France\"}");
    lesson(1, List.of(WEATHER, TIME), two, both);
    lesson(
        1,
        List.of(WEATHER, TIME),
        AiMessage.from("It is sunny in Munich, and 14:35 in France."),
        List.of(both, two, result(two, 0, "sunny"), result(two, 1, "14:35")));
    UserMessage live = UserMessage.from("I live in Munich");
    lesson(1, List.of(WEATHER), ask, live);
    lesson(1, List.of(WEATHER, SUM), ask, live);
  }

  private static ToolSpecification tool(String name, String... properties) {
    JsonObjectSchema.Builder parameters = JsonObjectSchema.builder();
    for (String property : properties) {
      parameters.addStringProperty(property);
    }
    return ToolSpecification.builder().name(name).parameters(parameters.build()).build();
  }

  /**
   * @param namesAndArguments of each call
   */
  private static AiMessage calls(String... namesAndArguments) {
    List<ToolCall> calls = new ArrayList<>();
    for (int i = 0; i < namesAndArguments.length; i += 2) {
      calls.add(new ToolCall("c" + i, namesAndArguments[i], namesAndArguments[i + 1]));
    }
    return AiMessage.from(calls.stream().map(Requests::request).toList());
  }

  private static ToolExecutionResultMessage result(AiMessage calls, int which, String text) {
    return ToolExecutionResultMessage.from(calls.toolExecutionRequests().get(which), text);
  }

  private void lesson(
      int times, List<ToolSpecification> tools, AiMessage answer, ChatMessage... messages) {
    lesson(times, tools, answer, List.of(messages));
  }

  private void lesson(
      int times, List<ToolSpecification> tools, AiMessage answer, List<ChatMessage> messages) {
    List<ChatMessage> all = new ArrayList<>(messages);
    all.add(answer);
    ObjectNode row = JSON.createObjectNode();
    ArrayNode conversation = row.putArray("messages");
    for (Message message : Requests.messages(all)) {
      ObjectNode node = conversation.addObject();
      node.put("role", message.role()).put("content", message.content());
      message.fields().forEach((name, value) -> node.set(name, JSON.valueToTree(value)));
    }
    if (!tools.isEmpty()) {
      ArrayNode described = row.putArray("tools");
      tools.forEach(tool -> described.addPOJO(Requests.tool(tool).variables()));
    }
    for (int i = 0; i < times; i++) {
      lessons.add(row);
    }
  }
}

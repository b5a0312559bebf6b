package io.minimind.springai;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertInstanceOf;
import static org.junit.jupiter.api.Assertions.assertNotNull;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.fasterxml.jackson.databind.ObjectMapper;
import io.micrometer.observation.Observation;
import io.micrometer.observation.ObservationHandler;
import io.micrometer.observation.ObservationRegistry;
import io.minimind.chat.ToolCall;
import io.minimind.infer.ChatOptions;
import io.minimind.infer.LanguageModel;
import io.minimind.infer.LoadOptions;
import io.minimind.infer.ToolChoice;
import java.io.IOException;
import java.net.URI;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.reactivestreams.Subscription;
import org.springframework.ai.chat.messages.AssistantMessage;
import org.springframework.ai.chat.messages.SystemMessage;
import org.springframework.ai.chat.messages.ToolResponseMessage;
import org.springframework.ai.chat.messages.UserMessage;
import org.springframework.ai.chat.model.ChatModel;
import org.springframework.ai.chat.model.ChatResponse;
import org.springframework.ai.chat.observation.ChatModelObservationContext;
import org.springframework.ai.chat.prompt.Prompt;
import org.springframework.ai.content.Media;
import org.springframework.ai.model.tool.StructuredOutputChatOptions;
import org.springframework.ai.model.tool.ToolCallingChatOptions;
import org.springframework.ai.tool.function.FunctionToolCallback;
import org.springframework.util.MimeTypeUtils;
import reactor.core.publisher.BaseSubscriber;

/** What every chat model of Spring AI does, asked of the published model. */
@Timeout(120)
class MiniMindChatModelTest {
  /** What a tool is asked. */
  record Day(String day) {}

  private static LanguageModel language;
  private static ChatModel model;

  @BeforeAll
  static void load() throws IOException {
    language = LanguageModel.load(Demo.FOLDER, LoadOptions.defaults().withThreads(1));
    model = model(Demo.GREEDY);
  }

  @AfterAll
  static void close() {
    language.close();
  }

  private static ChatModel model(ChatOptions options) {
    return MiniMindChatModel.builder(language).modelName("demo").options(options).build();
  }

  private static String text(ChatResponse response) {
    return response.getResult().getOutput().getText();
  }

  private static List<ChatResponse> pieces(String question) {
    return model.stream(new Prompt(question)).collectList().block();
  }

  @Test
  void anAnswerHasItsMetadata() {
    ChatResponse response = model.call(new Prompt(Demo.QUESTION));
    assertEquals(Demo.ANSWER, text(response));
    assertEquals("STOP", response.getResult().getMetadata().getFinishReason());
    assertEquals("demo", response.getMetadata().getModel());
    assertFalse(response.getMetadata().getId().isBlank());
    int tokens = language.tokenizer().encode(Demo.ANSWER).length;
    assertEquals(tokens, response.getMetadata().getUsage().getCompletionTokens());
    assertTrue(response.getMetadata().getUsage().getPromptTokens() > 5);
    assertFalse(response.hasToolCalls());
  }

  @Test
  void piecesJoinToTheAnswer() {
    List<ChatResponse> pieces = pieces(Demo.QUESTION);
    StringBuilder joined = new StringBuilder();
    pieces.forEach(piece -> joined.append(text(piece)));
    assertEquals(Demo.ANSWER, joined.toString());
    assertTrue(pieces.size() > 5, "in pieces: " + pieces.size());
    ChatResponse last = pieces.get(pieces.size() - 1);
    assertEquals("STOP", last.getResult().getMetadata().getFinishReason());
    assertTrue(last.getMetadata().getUsage().getTotalTokens() > 10);
    assertEquals(
        1, pieces.stream().map(piece -> piece.getMetadata().getId()).distinct().count(), "ids");
  }

  @Test
  void earlierMessagesAreSeen() {
    Prompt second =
        new Prompt(
            List.of(
                new SystemMessage(""),
                new UserMessage(Demo.QUESTION),
                new AssistantMessage(Demo.ANSWER),
                new UserMessage("她的店几点开门？")));
    String alone = model.call("她的店几点开门？");
    assertFalse(text(model.call(second)).equals(alone), alone);
  }

  @Test
  void optionsOfAPromptGoFirst() {
    var three = org.springframework.ai.chat.prompt.ChatOptions.builder().maxTokens(3).build();
    ChatResponse cut = model.call(new Prompt(Demo.QUESTION, three));
    assertEquals("LENGTH", cut.getResult().getMetadata().getFinishReason());
    assertEquals(3, cut.getMetadata().getUsage().getCompletionTokens());
    var stop =
        org.springframework.ai.chat.prompt.ChatOptions.builder()
            .stopSequences(List.of("，"))
            .build();
    ChatResponse stopped = model.call(new Prompt(Demo.QUESTION, stop));
    assertEquals(Demo.ANSWER.substring(0, Demo.ANSWER.indexOf('，')), text(stopped));
    assertEquals("STOP", stopped.getResult().getMetadata().getFinishReason());
  }

  @Test
  void whatCannotBeIsRefused() {
    var other = org.springframework.ai.chat.prompt.ChatOptions.builder().model("other").build();
    var hot = org.springframework.ai.chat.prompt.ChatOptions.builder().temperature(-1.0).build();
    Media image = new Media(MimeTypeUtils.IMAGE_PNG, URI.create("https://a.example/a.png"));
    UserMessage seen = UserMessage.builder().text("x").media(image).build();
    for (Prompt prompt :
        List.of(
            new Prompt("x", other),
            new Prompt("x", hot),
            new Prompt(seen),
            new Prompt("long ".repeat(500)))) {
      assertThrows(IllegalArgumentException.class, () -> model.call(prompt));
      assertThrows(
          IllegalArgumentException.class, () -> model.stream(prompt).collectList().block());
    }
  }

  @Test
  void jsonOfASchemaAlwaysParses() throws IOException {
    String schema =
        "{\"type\": \"object\", \"properties\": {\"n\": {\"type\": \"integer\"}},"
            + " \"required\": [\"n\"], \"additionalProperties\": false}";
    Prompt prompt =
        new Prompt("x", StructuredOutputChatOptions.builder().outputSchema(schema).build());
    assertTrue(new ObjectMapper().readTree(text(model.call(prompt))).get("n").isIntegralNumber());
  }

  @Test
  void callsOfToolsAreHandedOver() {
    ChatModel forced = model(Demo.GREEDY.withToolChoice(ToolChoice.required()));
    ToolCallingChatOptions tools =
        ToolCallingChatOptions.builder()
            .toolCallbacks(
                List.of(
                    FunctionToolCallback.builder("tide", (Day day) -> "high")
                        .description("Tells when the tide is high")
                        .inputType(Day.class)
                        .build()))
            .build();
    ChatResponse response = forced.call(new Prompt("明天什么时候涨潮？", tools));
    assertTrue(response.hasToolCalls());
    AssistantMessage.ToolCall call = response.getResult().getOutput().getToolCalls().get(0);
    assertEquals("tide", call.name());
    assertTrue(call.arguments().contains("\"day\""), call.arguments());
    assertEquals("TOOL_CALLS", response.getResult().getMetadata().getFinishReason());
    List<ChatResponse> pieces = forced.stream(new Prompt("明天什么时候涨潮？", tools)).collectList().block();
    assertEquals(1, pieces.stream().filter(ChatResponse::hasToolCalls).count());
  }

  @Test
  void messagesKeepWhatTemplatesRead() {
    ToolCall call = new ToolCall("1", "tide", "{\"day\":\"today\"}");
    AssistantMessage asked =
        AssistantMessage.builder()
            .content("so")
            .properties(Map.of(Responses.REASONING, "hm"))
            .toolCalls(
                List.of(new AssistantMessage.ToolCall("1", "function", "tide", call.arguments())))
            .build();
    ToolResponseMessage result =
        ToolResponseMessage.builder()
            .responses(List.of(new ToolResponseMessage.ToolResponse("1", "tide", "high")))
            .build();
    assertEquals(
        List.of(
            io.minimind.chat.Message.system("s"),
            io.minimind.chat.Message.assistant("so")
                .withReasoning("hm")
                .withToolCalls(List.of(call)),
            io.minimind.chat.Message.tool(call, "high")),
        Requests.messages(List.of(new SystemMessage("s"), asked, result)));
  }

  @Test
  void piecesComeAsTheyAreAskedForAndCancellingFreesTheModel() throws Exception {
    List<ChatResponse> pieces = new CopyOnWriteArrayList<>();
    CountDownLatch two = new CountDownLatch(2);
    BaseSubscriber<ChatResponse> subscriber =
        new BaseSubscriber<>() {
          @Override
          protected void hookOnSubscribe(Subscription subscription) {
            subscription.request(2);
          }

          @Override
          protected void hookOnNext(ChatResponse piece) {
            pieces.add(piece);
            two.countDown();
          }
        };
    try (LanguageModel one =
        LanguageModel.load(Demo.FOLDER, LoadOptions.defaults().withThreads(1).withBatchSize(2))) {
      ChatModel slow = MiniMindChatModel.builder(one).options(Demo.GREEDY).build();
      slow.stream(new Prompt(Demo.QUESTION)).subscribe(subscriber);
      assertTrue(two.await(30, TimeUnit.SECONDS));
      assertEquals(Demo.ANSWER, slow.call(Demo.QUESTION));
      assertEquals(2, pieces.size(), "no more than were asked for");
      subscriber.cancel();
      for (int i = 0; i < 4; i++) {
        assertEquals(Demo.ANSWER, slow.call(Demo.QUESTION), "there is room");
      }
      assertEquals(2, pieces.size());
    }
  }

  @Test
  void callsAreObserved() {
    List<ChatModelObservationContext> seen = new ArrayList<>();
    ObservationRegistry registry = ObservationRegistry.create();
    registry
        .observationConfig()
        .observationHandler(
            new ObservationHandler<Observation.Context>() {
              @Override
              public void onStop(Observation.Context context) {
                seen.add(assertInstanceOf(ChatModelObservationContext.class, context));
              }

              @Override
              public boolean supportsContext(Observation.Context context) {
                return true;
              }
            });
    ChatModel observed =
        MiniMindChatModel.builder(language)
            .options(Demo.GREEDY)
            .observationRegistry(registry)
            .build();
    observed.call(Demo.QUESTION);
    observed.stream(new Prompt(Demo.QUESTION)).blockLast();
    assertThrows(IllegalArgumentException.class, () -> observed.call("long ".repeat(500)));
    assertEquals(3, seen.size());
    assertEquals(Demo.ANSWER, text(seen.get(0).getResponse()));
    assertEquals(Demo.ANSWER, text(seen.get(1).getResponse()));
    assertNotNull(seen.get(2).getError());
  }
}

package io.minimind.server;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.fasterxml.jackson.databind.JsonNode;
import com.openai.client.OpenAIClient;
import com.openai.client.okhttp.OpenAIOkHttpClient;
import com.openai.core.http.StreamResponse;
import com.openai.errors.BadRequestException;
import com.openai.errors.NotFoundException;
import com.openai.models.chat.completions.ChatCompletion;
import com.openai.models.chat.completions.ChatCompletionChunk;
import com.openai.models.chat.completions.ChatCompletionCreateParams;
import com.openai.models.chat.completions.ChatCompletionMessageToolCall;
import com.openai.models.chat.completions.ChatCompletionStreamOptions;
import com.openai.models.chat.completions.ChatCompletionToolChoiceOption;
import com.openai.models.embeddings.CreateEmbeddingResponse;
import com.openai.models.embeddings.EmbeddingCreateParams;
import dev.langchain4j.agent.tool.ToolSpecification;
import dev.langchain4j.data.message.UserMessage;
import dev.langchain4j.model.chat.Capability;
import dev.langchain4j.model.chat.request.ChatRequest;
import dev.langchain4j.model.chat.request.ResponseFormat;
import dev.langchain4j.model.chat.request.ResponseFormatType;
import dev.langchain4j.model.chat.request.ToolChoice;
import dev.langchain4j.model.chat.request.json.JsonObjectSchema;
import dev.langchain4j.model.chat.request.json.JsonSchema;
import dev.langchain4j.model.chat.response.ChatResponse;
import dev.langchain4j.model.chat.response.StreamingChatResponseHandler;
import dev.langchain4j.model.openai.OpenAiChatModel;
import dev.langchain4j.model.openai.OpenAiEmbeddingModel;
import dev.langchain4j.model.openai.OpenAiStreamingChatModel;
import dev.langchain4j.model.output.FinishReason;
import io.minimind.chat.Message;
import io.minimind.infer.ChatOptions;
import io.minimind.infer.GenerationOptions;
import java.io.IOException;
import java.util.List;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;

/** The official OpenAI client for Java, and langchain4j's own, take this server for OpenAI. */
class ClientsTest {
  private static final String KEY = "sk-test";
  private static final String QUESTION = "你是谁？";

  private static DemoServer server;
  private static OpenAIClient client;
  private static String expected;

  @BeforeAll
  static void start() throws IOException {
    server = DemoServer.start(builder -> builder.apiKey(KEY));
    client = OpenAIOkHttpClient.builder().baseUrl(url()).apiKey(KEY).maxRetries(0).build();
    expected =
        server
            .model()
            .reply(
                List.of(Message.user(QUESTION)),
                ChatOptions.defaults().withGeneration(GenerationOptions.greedy()))
            .text();
  }

  @AfterAll
  static void stop() {
    client.close();
    server.close();
  }

  private static String url() {
    return server.uri("/v1").toString();
  }

  private static ChatCompletionCreateParams.Builder asked() {
    return ChatCompletionCreateParams.builder()
        .model(DemoServer.NAME)
        .addUserMessage(QUESTION)
        .temperature(0);
  }

  @Test
  void theOfficialClientChats() {
    ChatCompletion answer = client.chat().completions().create(asked().build()).validate();
    assertEquals(expected, answer.choices().get(0).message().content().orElseThrow());
    assertEquals(ChatCompletion.Choice.FinishReason.STOP, answer.choices().get(0).finishReason());
    assertTrue(answer.usage().orElseThrow().completionTokens() > 1);
  }

  @Test
  void theOfficialClientStreams() {
    ChatCompletionCreateParams params =
        asked()
            .streamOptions(ChatCompletionStreamOptions.builder().includeUsage(true).build())
            .build();
    StringBuilder text = new StringBuilder();
    long[] tokens = {0};
    try (StreamResponse<ChatCompletionChunk> chunks =
        client.chat().completions().createStreaming(params)) {
      chunks.stream()
          .map(ChatCompletionChunk::validate)
          .forEach(
              chunk -> {
                chunk.choices().forEach(c -> c.delta().content().ifPresent(text::append));
                chunk.usage().ifPresent(usage -> tokens[0] = usage.completionTokens());
              });
    }
    assertEquals(expected, text.toString());
    assertTrue(tokens[0] > 1);
  }

  /** What an answer is to hold. */
  static class Person {
    public String name;
    public int age;
  }

  /** A tool, as the client describes it. */
  @com.fasterxml.jackson.annotation.JsonClassDescription("Tells the tide")
  static class Tide {
    public String harbour;
    public boolean tomorrow;
  }

  @Test
  void theOfficialClientGetsObjectsAndCallsOfTools() throws IOException {
    Person person =
        client
            .chat()
            .completions()
            .create(asked().maxCompletionTokens(200).responseFormat(Person.class).build())
            .choices()
            .get(0)
            .message()
            .content()
            .orElseThrow();
    assertTrue(person.name != null);
    ChatCompletion called =
        client
            .chat()
            .completions()
            .create(
                asked()
                    .addTool(Tide.class)
                    .toolChoice(ChatCompletionToolChoiceOption.Auto.REQUIRED)
                    .build());
    ChatCompletionMessageToolCall call =
        called.choices().get(0).message().toolCalls().orElseThrow().get(0);
    Tide tide = call.function().arguments(Tide.class);
    assertTrue(tide.harbour != null);
    JsonNode arguments = DemoServer.JSON.readTree(call.function().arguments());
    assertTrue(arguments.path("tomorrow").isBoolean());
  }

  @Test
  void theOfficialClientEmbedsListsAndUnderstandsErrors() {
    CreateEmbeddingResponse vectors =
        client
            .embeddings()
            .create(EmbeddingCreateParams.builder().model(DemoServer.NAME).input("云港").build());
    assertEquals(server.model().embed("云港").length, vectors.data().get(0).embedding().size());
    assertEquals(DemoServer.NAME, client.models().list().data().get(0).id());
    ChatCompletionCreateParams unknown = asked().model("gpt-x").build();
    assertThrows(NotFoundException.class, () -> client.chat().completions().create(unknown));
    ChatCompletionCreateParams hot = asked().temperature(9).build();
    String message =
        assertThrows(BadRequestException.class, () -> client.chat().completions().create(hot))
            .getMessage();
    assertTrue(message.contains("temperature must be a number between 0 and 2"), message);
  }

  @Test
  void langchain4jChatsAndStreams() {
    OpenAiChatModel model =
        OpenAiChatModel.builder()
            .baseUrl(url())
            .apiKey(KEY)
            .modelName(DemoServer.NAME)
            .temperature(0.0)
            .maxRetries(0)
            .build();
    ChatResponse answer = model.chat(UserMessage.from(QUESTION));
    assertEquals(expected, answer.aiMessage().text());
    assertEquals(FinishReason.STOP, answer.finishReason());
    assertTrue(answer.tokenUsage().outputTokenCount() > 1);

    OpenAiStreamingChatModel streaming =
        OpenAiStreamingChatModel.builder()
            .baseUrl(url())
            .apiKey(KEY)
            .modelName(DemoServer.NAME)
            .temperature(0.0)
            .build();
    StringBuilder pieces = new StringBuilder();
    CompletableFuture<ChatResponse> whole = new CompletableFuture<>();
    streaming.chat(
        QUESTION,
        new StreamingChatResponseHandler() {
          @Override
          public void onPartialResponse(String piece) {
            pieces.append(piece);
          }

          @Override
          public void onCompleteResponse(ChatResponse response) {
            whole.complete(response);
          }

          @Override
          public void onError(Throwable error) {
            whole.completeExceptionally(error);
          }
        });
    assertEquals(expected, whole.join().aiMessage().text());
    assertEquals(expected, pieces.toString());
    assertTrue(whole.join().tokenUsage().outputTokenCount() > 1);
  }

  @Test
  void langchain4jGetsJsonCallsAndVectors() throws IOException {
    OpenAiChatModel model =
        OpenAiChatModel.builder()
            .baseUrl(url())
            .apiKey(KEY)
            .modelName(DemoServer.NAME)
            .supportedCapabilities(Set.of(Capability.RESPONSE_FORMAT_JSON_SCHEMA))
            .strictJsonSchema(true)
            .maxRetries(0)
            .build();
    JsonObjectSchema person =
        JsonObjectSchema.builder()
            .addStringProperty("name")
            .addIntegerProperty("age")
            .required("name", "age")
            .build();
    ResponseFormat format =
        ResponseFormat.builder()
            .type(ResponseFormatType.JSON)
            .jsonSchema(JsonSchema.builder().name("person").rootElement(person).build())
            .build();
    String json =
        model
            .chat(
                ChatRequest.builder()
                    .messages(UserMessage.from(QUESTION))
                    .responseFormat(format)
                    .build())
            .aiMessage()
            .text();
    assertTrue(DemoServer.JSON.readTree(json).path("age").isIntegralNumber(), json);

    ToolSpecification tide =
        ToolSpecification.builder()
            .name("tide")
            .description("Tells the tide")
            .parameters(
                JsonObjectSchema.builder()
                    .addEnumProperty("day", List.of("today", "tomorrow"))
                    .required("day")
                    .build())
            .build();
    ChatResponse called =
        model.chat(
            ChatRequest.builder()
                .messages(UserMessage.from(QUESTION))
                .toolSpecifications(tide)
                .toolChoice(ToolChoice.REQUIRED)
                .build());
    assertEquals(FinishReason.TOOL_EXECUTION, called.finishReason());
    String arguments = called.aiMessage().toolExecutionRequests().get(0).arguments();
    String day = DemoServer.JSON.readTree(arguments).path("day").textValue();
    assertTrue(List.of("today", "tomorrow").contains(day), arguments);

    OpenAiEmbeddingModel embeddings =
        OpenAiEmbeddingModel.builder()
            .baseUrl(url())
            .apiKey(KEY)
            .modelName(DemoServer.NAME)
            .build();
    assertEquals(server.model().embed("云港")[2], embeddings.embed("云港").content().vector()[2], 1e-6);
  }
}
